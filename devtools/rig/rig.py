# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""One database with its sink, its clerk and as many Odoo servers as wanted."""

import contextlib
import json
import subprocess
import time
from pathlib import Path

import psycopg2

from .. import databases, rpc, server
from ..console import DevError
from ..paths import LOGS, PYTHON
from . import sink_process
from .cluster import RigCluster

CLERK = Path(__file__).with_name("clerk.py")
CLERK_PASSWORD = "bench-password"


class Odoo:
    """One Odoo server with cron workers of its own."""

    def __init__(self, rig, number: int, **options):
        self.rig = rig
        self.port = server.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = LOGS / f"rig-odoo-{number}.log"
        self.configuration = server.write_configuration(
            rig.cluster,
            rig.database,
            server.private_name("rig"),
            data_dir=rig.data,
            http_port=self.port,
            gevent_port=server.free_port(),
            **options,
        )
        self.child = None
        self.start()

    def start(self) -> None:
        """Start the server; return when it answers and its cron workers listen."""
        # each start has a log of its own: the end of the last one may be the news
        if self.log.exists():
            self.log.rename(self.log.with_suffix(".previous.log"))
        self.child = server.Child(
            server.command(self.configuration), self.log, server.environment()
        )
        server.wait_for_http(self.child, f"{self.url}/web/login")

    @property
    def pid(self) -> int:
        """The process id of the (master) process."""
        return self.child.process.pid

    def is_running(self) -> bool:
        """Tell whether the (master) process is there."""
        return self.child.process.poll() is None

    def kill(self) -> None:
        """End the process at once, as the kernel does when memory is out."""
        self.child.process.kill()
        self.child.process.wait()

    def stop(self) -> None:
        """End the server orderly."""
        if self.child:
            self.child.stop()
        self.configuration.unlink(missing_ok=True)

    def client(self, login: str, password: str = CLERK_PASSWORD) -> rpc.Client:
        """Return the public interface, logged in."""
        return rpc.Client(self.url, self.rig.database, login, password)


class Rig:
    """Everything that is played on; made by `running`."""

    def __init__(self, cluster, database: str, data: Path, sink):
        self.cluster = cluster
        self.database = database
        self.data = data
        self.sink = sink
        self.servers: list[Odoo] = []
        self._clerk = None

    def server(self, cron_threads: int = 1, **options) -> Odoo:
        """Start one more Odoo server."""
        odoo = Odoo(
            self, len(self.servers) + 1, max_cron_threads=cron_threads, **options
        )
        self.servers.append(odoo)
        return odoo

    def check(self) -> None:
        """Raise if a server has ended by itself."""
        for odoo in self.servers:
            odoo.child.check()

    def hire(self) -> None:
        """Start the clerk; a new one where the last one's database has died."""
        self.dismiss()
        self._configuration = server.write_configuration(
            self.cluster,
            self.database,
            server.private_name("clerk"),
            data_dir=self.data,
            log_level="warn",
        )
        log = LOGS / "clerk.log"
        with log.open("a", encoding="utf-8") as errors:
            self._clerk = subprocess.Popen(
                [str(PYTHON), str(CLERK), str(self._configuration), self.database],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=server.environment(),
                text=True,
                start_new_session=True,
            )
        self._answer(log)

    def dismiss(self) -> None:
        """End the clerk."""
        if self._clerk:
            self._clerk.stdin.close()
            self._clerk.wait()
            self._clerk.stdout.close()
            self._clerk = None
            self._configuration.unlink()

    def ask(self, verb: str, **what):
        """Let the clerk do something and commit it, see clerk.py."""
        self._clerk.stdin.write(json.dumps({"verb": verb, "what": what}) + "\n")
        self._clerk.stdin.flush()
        return self._answer(LOGS / "clerk.log")

    def _answer(self, log: Path):
        line = self._clerk.stdout.readline()
        if not line:
            raise DevError(f"the clerk has ended, see {log}")
        answer = json.loads(line)
        if "error" in answer:
            raise DevError(f"the clerk could not: {answer['error']}")
        return answer["result"]

    def sql(self, statement: str, *values) -> list[tuple]:
        """Read or change the database directly."""
        return self.cluster.execute(statement, *values, database=self.database)

    def hurry(self) -> None:
        """Let time pass: whatever waits for a retry is due now."""
        self.sql(
            "UPDATE user_email_alias SET backoff_until = 0 WHERE backoff_until > 0"
        )
        self.sql(
            "UPDATE mail_mail SET email_alias_due = extract(epoch FROM now()) "
            "WHERE email_alias_id IS NOT NULL AND state = 'outgoing' "
            "AND email_alias_due > extract(epoch FROM now())"
        )
        self.ask("wake")

    def waiting(self) -> int:
        """Return how many mails with an alias still wait."""
        [(count,)] = self.sql(
            "SELECT count(*) FROM mail_mail "
            "WHERE state = 'outgoing' AND email_alias_id IS NOT NULL"
        )
        return count

    def wait_until_idle(self, seconds: float, watch=lambda: None) -> None:
        """Wait until no mail with an alias is waiting or in hand."""
        deadline = time.monotonic() + seconds
        while True:
            watch()
            with contextlib.suppress(psycopg2.OperationalError):
                [(claims,)] = self.sql(
                    "SELECT count(*) FROM user_email_alias_log WHERE outcome IS NULL"
                )
                waiting = self.waiting()
                if not waiting and not claims:
                    return
            if time.monotonic() > deadline:
                raise DevError(
                    f"{waiting} mails still wait, {claims} are in hand "
                    f"after {seconds:.0f} s"
                )
            time.sleep(0.2)


@contextlib.contextmanager
def running(cluster: RigCluster, jobs: int = 1):
    """Have a fresh database, a sink and a clerk for the block.

    :param jobs: cron records of our queue, each of them occupies one cron worker
    """
    with (
        databases.temporary(cluster) as (database, data),
        sink_process.running() as sink,
    ):
        rig = Rig(cluster, database, data, sink)
        try:
            rig.hire()
            rig.ask("prepare", jobs=jobs)
            yield rig
        finally:
            for odoo in rig.servers:
                odoo.stop()
            rig.dismiss()
