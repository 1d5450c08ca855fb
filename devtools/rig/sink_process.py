# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""The mail sink, seen from the one who measures."""

import contextlib
import json
import shutil
import socket
import tempfile
import time
from pathlib import Path

from .. import server
from ..console import DevError
from ..paths import LOGS, PYTHON

PROGRAM = Path(__file__).with_name("sink.py")
START_SECONDS = 10


class Sink:
    """Opens ports and tells what came in, with times of this machine's clock.

    `time.monotonic()` is the same clock in every process of a machine.
    """

    command = (str(PROGRAM),)
    log = LOGS / "sink.log"

    def __init__(self, connection: socket.socket, child: server.Child):
        self._file = connection.makefile("rwb")
        self.child = child

    def _ask(self, verb: str, **what):
        self._file.write(json.dumps({"verb": verb, **what}).encode() + b"\n")
        self._file.flush()
        return json.loads(self._file.readline())

    def listen(self, has_small_buffer: bool = False, **behaviour) -> int:
        """Open a port with a behaviour, see sink.py."""
        return self._ask(
            "listen", behaviour=behaviour, has_small_buffer=has_small_buffer
        )

    def behave(self, port: int, **behaviour) -> None:
        """Change the behaviour of a port."""
        self._ask("behave", port=port, behaviour=behaviour)

    def count(self) -> int:
        """Return how many messages were accepted and answered."""
        return self._ask("count")

    def records(self, start: int = 0) -> list[dict]:
        """Return what was accepted, in order."""
        return self._ask("records", start=start)

    def sessions(self) -> list[dict]:
        """Return every connection."""
        return self._ask("sessions")

    def clear(self) -> None:
        """Forget everything."""
        self._ask("clear")

    def wait_for(self, count: int, seconds: float, check=lambda: None) -> None:
        """Wait until so many messages were accepted and answered.

        :raises DevError: they were not, in time
        """
        deadline = time.monotonic() + seconds
        while (have := self.count()) < count:
            check()
            if time.monotonic() > deadline:
                raise DevError(f"only {have} of {count} mails came in {seconds:.0f} s")
            time.sleep(0.1)


class Providers(Sink):
    """The providers' interfaces for sending, see providers.py."""

    command = ("-m", "devtools.rig.providers")
    log = LOGS / "providers.log"

    def open(self, transport: str, emails: list[str]) -> dict:
        """Let these accounts sign in; return key, settings and certificates."""
        return self._ask("open", transport=transport, emails=emails)

    def allow(self, transport: str, redirect_uri: str) -> None:
        """Register where people come back to who have signed in."""
        self._ask("allow", transport=transport, redirect_uri=redirect_uri)

    def behave(self, transport: str, **behaviour) -> None:
        """Change the behaviour of an interface."""
        self._ask("behave", transport=transport, **behaviour)

    def interfaces(self) -> dict[str, dict]:
        """Return connections, cuts and refusals of each interface."""
        return self._ask("interfaces")


KINDS = {"smtp": Sink, "api": Providers}
"""Where mail may arrive."""


@contextlib.contextmanager
def running(kind: str):
    """Run a sink of this kind for the block."""
    # a socket's path may have 107 bytes only
    folder = Path(tempfile.mkdtemp(prefix="sink-", dir="/tmp"))
    path = folder / "s"
    made = KINDS[kind]
    command = [str(PYTHON), *made.command, str(path)]
    try:
        with server.running(command, made.log, server.environment()) as child:
            deadline = time.monotonic() + START_SECONDS
            while not path.exists():
                child.check()
                if time.monotonic() > deadline:
                    raise DevError(f"the sink does not start, see {child.log}")
                time.sleep(0.02)
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(str(path))
                yield made(connection, child)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
