# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""The sandbox mail server: real SMTP on loopback that keeps what it is sent.

It runs as a process of its own (`python -m devtools.sandbox FOLDER`) and speaks
STARTTLS on one port and TLS on another, with a certificate of its own authority. In
its folder:

* `users.json`, read at the start: the logins it knows;
* `ca.pem`, the authority's certificate;
* `ports.json`, written as soon as it listens;
* `messages.jsonl`, a line for each message it has accepted.
"""

import contextlib
import json
import os
import secrets
import signal
import ssl
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from . import fakes, server
from .console import DevError
from .paths import LOGS, PYTHON

_POLL_SECONDS = 0.05
_START_SECONDS = 20


@dataclass
class Sandbox:
    """A running sandbox, seen from the outside."""

    folder: Path
    child: server.Child
    starttls_port: int
    tls_port: int
    users: dict[str, str]

    @property
    def bundle(self) -> Path:
        """The certificates an Odoo process should trust: the usual and ours."""
        return self.folder / "trusted.pem"

    def messages(self) -> list[dict]:
        """Return what was accepted so far, in order."""
        with contextlib.suppress(FileNotFoundError):
            text = (self.folder / "messages.jsonl").read_text(encoding="utf-8")
            return [json.loads(line) for line in text.splitlines()]
        return []


@contextlib.contextmanager
def running(folder: Path, logins: list[str]):
    """Run a sandbox for the block; it knows these logins, with passwords made up."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("ports.json", "messages.jsonl"):
        (folder / name).unlink(missing_ok=True)
    users = {login: secrets.token_urlsafe(12) for login in logins}
    secret = folder / "users.json"
    secret.touch(mode=0o600)
    secret.write_text(json.dumps(users), encoding="utf-8")
    command = [str(PYTHON), "-m", "devtools.sandbox", str(folder)]
    log = LOGS / "sandbox.log"
    with server.running(command, log, server.environment()) as child:
        ports = _wait_for_ports(child, folder / "ports.json")
        _write_bundle(folder)
        yield Sandbox(folder, child, ports["starttls"], ports["tls"], users)


def _wait_for_ports(child: server.Child, path: Path) -> dict:
    deadline = time.monotonic() + _START_SECONDS
    while not path.exists():
        child.check()
        if time.monotonic() > deadline:
            raise DevError(f"the sandbox mail server does not start, see {child.log}")
        time.sleep(_POLL_SECONDS)
    return json.loads(path.read_text(encoding="utf-8"))


def _write_bundle(folder: Path) -> None:
    usual = ssl.get_default_verify_paths().cafile
    own = (folder / "ca.pem").read_text(encoding="ascii")
    known = Path(usual).read_text(encoding="utf-8") if usual else ""
    (folder / "trusted.pem").write_text(f"{known}\n{own}", encoding="utf-8")


def _line(number: int, message) -> str:
    return json.dumps(
        {
            "number": number,
            "login": message.login,
            "tls": message.is_tls,
            "mail_from": message.mail_from,
            "rcpt_tos": message.rcpt_tos,
            "started_at": message.started_at,
            "started_monotonic": message.started_monotonic,
            "replied_monotonic": message.replied_monotonic,
            "data": message.data.decode("utf-8", "surrogateescape"),
        }
    )


def main(folder: Path) -> None:
    """Serve until SIGTERM."""
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    signal.signal(signal.SIGINT, lambda *_: ended.set())
    users = json.loads((folder / "users.json").read_text(encoding="utf-8"))
    ca = fakes.load("fake_ca").make_ca(folder)
    fake_smtp = fakes.load("fake_smtp")
    with (
        fake_smtp.FakeSmtpServer(users=users, ca=ca, login_required=True) as smtp,
        (folder / "messages.jsonl").open("w", encoding="utf-8") as log,
    ):
        ports = {"starttls": smtp.starttls_port, "tls": smtp.tls_port}
        half = folder / "ports.new"
        half.write_text(json.dumps(ports), encoding="utf-8")
        os.replace(half, folder / "ports.json")
        written = 0
        while not ended.wait(_POLL_SECONDS):
            for message in smtp.messages[written:]:
                written += 1
                log.write(_line(written, message) + "\n")
                log.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
