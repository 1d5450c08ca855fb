# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""Odoo processes: configuration file, environment, free ports, orderly end."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

from .console import DevError
from .paths import ADDON, ADDONS, BRIDGES, DATA, DEVTOOLS, ODOO, PYTHON, RUN
from .postgres import Cluster

STOP_SECONDS = 15
"""How long a process may take to end before it is killed."""


def free_port() -> int:
    """Return a port of the loopback interface that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def private_name(purpose: str) -> str:
    """Return a file name no other run uses."""
    return f"{purpose}-{os.getpid()}-{uuid.uuid4().hex[:8]}"


def addons_path(*more: Path) -> str:
    """Return the folders of add-ons: the links to ours, more of the caller's, Odoo's.

    A checkout has two of them, Debian's package one that is inside the package.
    """
    folders = [ADDONS, ADDONS / ADDON / BRIDGES.name, *more]
    if (ODOO / "addons" / "crm" / "__manifest__.py").exists():
        folders.append(ODOO / "addons")
    return ",".join(str(folder) for folder in folders)


def write_configuration(cluster: Cluster, database: str, name: str, **options) -> Path:
    """Write an Odoo configuration file only its owner can read."""
    values = {
        "addons_path": addons_path(),
        "data_dir": DATA,
        "db_host": cluster.host,
        "db_port": cluster.port,
        "db_user": cluster.user,
        "db_name": database,
        "dbfilter": f"^{database}$",
        "http_interface": "127.0.0.1",
        "list_db": False,
        "log_level": "info",
        "max_cron_threads": 0,
        "workers": 0,
        **options,
    }
    if cluster.password:
        values["db_password"] = cluster.password
    text = "[options]\n" + "".join(f"{key} = {val}\n" for key, val in values.items())
    path = RUN / f"{name}.conf"
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
    return path


def write_test_configuration(
    cluster: Cluster, database: str, data: Path, *addons: Path
) -> Path:
    """Write the configuration of a run of pytest with a database of its own.

    :param addons: folders of more add-ons
    """
    return write_configuration(
        cluster,
        database,
        private_name("test"),
        data_dir=data,
        addons_path=addons_path(*addons),
        http_port=free_port(),
        # the limit is one of address space, which hundreds of test threads use up
        limit_memory_hard=0,
        limit_memory_soft=0,
    )


def command(configuration: Path, subcommand: str = "server") -> list[str]:
    """Return the command line of an Odoo process."""
    program = DEVTOOLS / "launch" / "odoo-bin"
    return [str(PYTHON), str(program), subcommand, "--config", str(configuration)]


def environment(**more: str) -> dict[str, str]:
    """Return the environment of an Odoo process, free of the caller's settings."""
    dropped = {"ODOO_RC", "OPENERP_SERVER", "PYTHONPATH", "PYTHONHOME"}
    environ = {key: val for key, val in os.environ.items() if key not in dropped}
    for name in [name for name in environ if name.startswith("PG")]:
        del environ[name]
    # a proxy for the world outside is not asked for our own servers
    for name in ("NO_PROXY", "no_proxy"):
        own = "localhost,127.0.0.1"
        environ[name] = f"{environ[name]},{own}" if environ.get(name) else own
    return {**environ, **more}


class Child:
    """A process of ours, ended by its own process id whatever happens to us."""

    def __init__(self, command: list[str], log: Path, environ: dict[str, str]):
        self.log = log
        with log.open("w", encoding="utf-8") as file:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env=environ,
                start_new_session=True,
            )

    def check(self) -> None:
        """Raise if the process has ended by itself."""
        if self.process.poll() is not None:
            raise DevError(f"a process ended early, see {self.log}:\n{self.tail()}")

    def tail(self, size: int = 3000) -> str:
        """Return the last lines of the log."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-size:].strip()

    def stop(self) -> None:
        """End the process, politely first."""
        if self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def running(command: list[str], log: Path, environ: dict[str, str]):
    """Run a process for the block."""
    child = Child(command, log, environ)
    try:
        yield child
    finally:
        child.stop()


def foreground(command: list[str], environ: dict[str, str]) -> int:
    """Run a process that shares our terminal; return its exit status.

    Ctrl-C reaches it directly. A signal to us alone is handed on.
    """
    process = subprocess.Popen(command, env=environ)
    try:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()


def wait_for_http(child: Child, url: str, seconds: float = 60) -> None:
    """Wait until a server answers at an address."""
    deadline = time.monotonic() + seconds
    while True:
        child.check()
        try:
            with urllib.request.urlopen(url, timeout=10):
                return
        except (urllib.error.URLError, OSError) as error:
            if time.monotonic() > deadline:
                raise DevError(f"no answer from {url}: {error}") from error
            time.sleep(0.1)


def end_on_signals() -> None:
    """Turn SIGTERM and SIGHUP into an exception: every block is left orderly."""

    def leave(number, frame):
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGHUP, leave)
