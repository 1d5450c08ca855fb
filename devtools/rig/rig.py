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
from ..paths import DEVTOOLS, LOGS, PYTHON
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
            **{**rig.options, **options},
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

    def __init__(self, cluster, database: str, data: Path, sinks: dict, options: dict):
        self.cluster = cluster
        self.database = database
        self.data = data
        self.options = options
        self.sinks = sinks
        self.sink = next(iter(sinks.values()))
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
            **self.options,
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

    def signed_in(
        self,
        transport: str,
        count: int,
        delay_ms: int = 0,
        first: int = 1,
        by_organisation: bool = False,
        **settings: str,
    ) -> list[dict]:
        """Have aliases that send through a provider's interface.

        :param by_organisation: with the organisation's key, without a sign-in
        :param settings: of the provider, besides those that lead to the interface
        :return: what identifies them, as `aliases` of the clerk does
        """
        numbers = list(range(first, first + count))
        providers = self.sinks["api"]
        opened = providers.open(
            transport, [f"sender{n}@bench.example" for n in numbers]
        )
        key, ca_bundle = opened["key"], opened["ca_bundle"]
        settings = {**opened["settings"], **settings}
        uri = self.ask("provider", key=key, settings=settings)
        providers.allow(transport, uri)
        if by_organisation:
            return self.ask(
                "joined",
                key=key,
                numbers=numbers,
                organisation_key=opened["organisation_key"],
                delay_ms=delay_ms,
            )
        return self.ask(
            "signed_in",
            key=key,
            numbers=numbers,
            ca_bundle=ca_bundle,
            delay_ms=delay_ms,
        )

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
def running(
    cluster: RigCluster,
    jobs: int = 1,
    sinks: tuple[str, ...] = ("smtp",),
    modules: tuple[str, ...] = (),
):
    """Have a fresh database, its sinks and a clerk for the block.

    :param jobs: cron records of our queue, each of them occupies one cron worker
    :param sinks: where mail may arrive, see `sink_process.KINDS`; the first one is the
        rig's `sink`
    :param modules: modules of `devtools/addons` to install besides
    """
    with contextlib.ExitStack() as exits:
        database, data = exits.enter_context(databases.temporary(cluster))
        started = {
            kind: exits.enter_context(sink_process.running(kind)) for kind in sinks
        }
        options = {}
        if modules:
            options["addons_path"] = server.addons_path(DEVTOOLS / "addons")
            databases.install(cluster, database, modules, data_dir=data, **options)
        rig = Rig(cluster, database, data, started, options)
        try:
            rig.hire()
            rig.ask("prepare", jobs=jobs)
            yield rig
        finally:
            for odoo in rig.servers:
                odoo.stop()
            rig.dismiss()
