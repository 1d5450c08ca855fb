# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""The sandbox mail server: real SMTP on loopback that keeps what it is sent.

It runs as a process of its own (`python -m devtools.sandbox FOLDER TRANSPORT`) and
speaks STARTTLS on one port and TLS on another, with a certificate of its own authority.
With ``graph`` or ``gmail`` it plays that provider as well: the page to sign in on, and
the interface to send through. In its folder:

* `users.json`, read at the start: the logins it knows;
* `ca.pem`, the authority's certificate;
* `ports.json`, written as soon as it listens, with the provider's settings;
* `redirect_uris.json`: where the provider may send people back to;
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

REDIRECT_URIS = "redirect_uris.json"


@dataclass
class Sandbox:
    """A running sandbox, seen from the outside."""

    folder: Path
    child: server.Child
    starttls_port: int
    tls_port: int
    users: dict[str, str]
    provider: dict | None

    def register(self, redirect_uri: str) -> None:
        """Tell the provider where people come back to who have signed in."""
        path = self.folder / REDIRECT_URIS
        path.write_text(json.dumps([redirect_uri]), encoding="utf-8")

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
def running(folder: Path, logins: list[str], transport: str = "smtp"):
    """Run a sandbox for the block; it knows these logins, with passwords made up."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("ports.json", "messages.jsonl", REDIRECT_URIS):
        (folder / name).unlink(missing_ok=True)
    users = {login: secrets.token_urlsafe(12) for login in logins}
    secret = folder / "users.json"
    secret.touch(mode=0o600)
    secret.write_text(json.dumps(users), encoding="utf-8")
    command = [str(PYTHON), "-m", "devtools.sandbox", str(folder), transport]
    log = LOGS / "sandbox.log"
    with server.running(command, log, server.environment()) as child:
        ports = _wait_for_ports(child, folder / "ports.json")
        _write_bundle(folder)
        yield Sandbox(
            folder, child, ports["starttls"], ports["tls"], users, ports["provider"]
        )


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


def _interface_line(number: int, item) -> str:
    """The same of what came through the provider's interface."""
    return json.dumps(
        {
            "number": number,
            "login": item.account,
            "tls": True,
            "mail_from": item.account,
            "rcpt_tos": item.recipients,
            "started_at": time.time() - time.monotonic() + item.started_at,
            "started_monotonic": item.started_at,
            "replied_monotonic": item.answered_at,
            "data": item.data.decode("utf-8", "surrogateescape"),
        }
    )


class _RedirectUris:
    """What was registered, read anew for each question."""

    def __init__(self, path: Path):
        self._path = path

    def __contains__(self, uri):
        with contextlib.suppress(FileNotFoundError):
            return uri in json.loads(self._path.read_text(encoding="utf-8"))
        return False


def _provider(exits, folder: Path, transport: str, users: dict, ca):
    """Play a provider; return its interface, and the settings that lead to it."""
    state = fakes.load("fake_oauth_state")
    accounts = [
        state.Account(email, email.partition("@")[0], email, oid=f"oid-{number}")
        for number, email in enumerate(users)
    ]
    key, kind = fakes.load_interfaces()[transport]
    made = fakes.load("fake_oauth").FakeIdentityProvider(key, ca, accounts)
    idp = exits.enter_context(made)
    idp.redirect_uris = _RedirectUris(folder / REDIRECT_URIS)
    api = exits.enter_context(kind(idp))
    idp.mail_scope = api.scope = api.get_scope()
    settings = idp.settings(transport="api", api_url=api.url)
    # trusted like the mail server
    del settings["ca_bundle"]
    return api, {"key": key, "settings": settings}


def main(folder: Path, transport: str) -> None:
    """Serve until SIGTERM."""
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    signal.signal(signal.SIGINT, lambda *_: ended.set())
    users = json.loads((folder / "users.json").read_text(encoding="utf-8"))
    ca = fakes.load("fake_ca").make_ca(folder)
    fake_smtp = fakes.load("fake_smtp")
    with contextlib.ExitStack() as exits:
        smtp = exits.enter_context(
            fake_smtp.FakeSmtpServer(users=users, ca=ca, login_required=True)
        )
        api, provider = None, None
        if transport != "smtp":
            api, provider = _provider(exits, folder, transport, users, ca._ca)
        log = exits.enter_context(
            (folder / "messages.jsonl").open("w", encoding="utf-8")
        )
        ports = {"starttls": smtp.starttls_port, "tls": smtp.tls_port}
        half = folder / "ports.new"
        half.write_text(json.dumps({**ports, "provider": provider}), encoding="utf-8")
        os.replace(half, folder / "ports.json")
        written = through = 0
        while not ended.wait(_POLL_SECONDS):
            for message in smtp.messages[written:]:
                written += 1
                log.write(_line(written + through, message) + "\n")
            for item in api.submissions[through:] if api else ():
                through += 1
                log.write(_interface_line(written + through, item) + "\n")
            log.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
