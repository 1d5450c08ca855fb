# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""A PostgreSQL of its own: it may be killed, and nobody else disturbs the timing."""

import contextlib
import os
from pathlib import Path

from .. import locks
from ..console import step
from ..paths import DEV
from ..postgres import _DIGEST, Embedded, _private_folder

SETTINGS = {
    # A commit that has returned must survive the death of the server's processes.
    "synchronous_commit": "on",
    # The machine itself does not die here, so that the page cache is as good as disk.
    "fsync": "off",
    "log_line_prefix": "'%d|%p|'",
    "log_min_messages": "warning",
}


class RigCluster(Embedded):
    """An embedded server below `.dev/rig/`, one run at a time."""

    prefix = "user_email_alias_rig_"

    def __init__(self):
        super().__init__()
        self.home = self.home.parent / "user_email_alias-rig" / self.home.name
        if self.home.is_relative_to(DEV):
            self.home = DEV / "rig"
        _private_folder(self.home, self.owner)
        self.data = self.home / "data"
        self.host = f"/tmp/user_email_alias-rig-{_DIGEST}"
        _private_folder(Path(self.host), self.owner)
        self.log = self.home / "postgres.log"

    @contextlib.contextmanager
    def session(self):
        """Have the server run for the block; a second run waits for the first."""
        with locks.exclusive(DEV / "rig.lock", "measurements"):
            self._start()
            self._configure()
            try:
                yield self
            finally:
                self._control("stop", "--mode=fast")

    def restart_immediately(self) -> None:
        """Kill all processes of the server at once and start it anew."""
        self._control("stop", "--mode=immediate")
        self._start_again()

    def _start_again(self) -> None:
        self._control(
            "start",
            f"--log={self.log}",
            f"--options=-c unix_socket_directories={self.host}",
        )

    def _control(self, verb: str, *options: str):
        return self._run(
            self.binaries / "pg_ctl", verb, "--wait", f"--pgdata={self.data}", *options
        )

    def _configure(self) -> None:
        for name, value in SETTINGS.items():
            self.execute(f"ALTER SYSTEM SET {name} = {value}")
        self.execute("SELECT pg_reload_conf()")


def describe() -> str:
    """Say what the figures depend on."""
    with step("look at the machine") as notes:
        load = os.getloadavg()[0]
        notes.append(f"{os.cpu_count()} cores, load {load:.1f}")
    return (
        f"{os.cpu_count()} cores, load {load:.1f} at the start; PostgreSQL with "
        "synchronous_commit on (fsync off) for ours and the anchor alike"
    )
