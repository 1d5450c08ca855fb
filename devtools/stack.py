# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""A sandbox mail server and an Odoo server with its own cron workers, together."""

import contextlib
import os
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import databases, locks, postgres, rpc, sandbox, server
from .console import say, step
from .paths import DEV, DEVTOOLS, LOGS, RUN

USUAL_PORT = 8069
TRUST = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
"""Variables that name the certificates to trust; the second wins for HTTPS."""

CRON_THREADS = 2
"""One is taken by the queue while it paces, one is left for everything else."""

LOGINS = {"admin": "admin", "demo": "demo"}
"""Odoo's own demo data: the administrator and a salesman."""

ALLOWED_TARGETS = "127.0.0.1, ::1, localhost"
"""Where an alias may connect to although it is this machine: the sandbox's place."""

MAILBOXES = ["marc.demo@example.com", "mitchell.admin@example.com"]
"""Accounts of the sandbox mail server."""

ALIASES = "action-user_email_alias.user_email_alias_action"
"""The web client's address of the alias cards."""


@dataclass
class Stack:
    """Everything a command that plays through the screens needs."""

    cluster: postgres.Cluster
    database: str
    url: str
    odoo: server.Child
    mail: sandbox.Sandbox

    def client(self, login: str) -> rpc.Client:
        """Return the public interface, logged in as a user of the demo data."""
        return rpc.Client(self.url, self.database, login, LOGINS[login])

    def allow_mailings(self, login: str) -> None:
        """Let a user write mailings; an administrator ticks that in the settings."""
        admin = self.client("admin")
        group = admin(
            "ir.model.data",
            "search_read",
            [("module", "=", "mass_mailing"), ("name", "=", "group_mass_mailing_user")],
            ["res_id"],
        )[0]["res_id"]
        [user] = admin("res.users", "search", [("login", "=", login)])
        admin("res.users", "write", [user], {"group_ids": [(4, group)]})


@contextlib.contextmanager
def running(kind: str, modules: list[str] = (), transport: str = "smtp"):
    """Run both servers for the block.

    :param kind: which database: "fresh", the demo database made anew; "kept", the
        demo database as it was left; "own", one that is dropped afterwards, which
        is also what a second caller gets while the demo database is in use;
        "bridges", likewise, with the bridges and the apps they are for
    :param modules: modules of `devtools/addons` to install besides
    :param transport: what the sandbox offers besides SMTP: "graph" or "gmail"
    """
    server.end_on_signals()
    with contextlib.ExitStack() as exits:
        cluster = exits.enter_context(postgres.cluster().session())
        database, folder = _database(exits, cluster, kind)
        options = {"data_dir": folder} if folder.name == database else {}
        if modules:
            options["addons_path"] = server.addons_path(DEVTOOLS / "addons")
            databases.install(cluster, database, modules, **options)
        with step("start the sandbox mail server"):
            mail = exits.enter_context(
                sandbox.running(folder / "mail", MAILBOXES, transport)
            )
        with step("start Odoo"):
            odoo, url = _odoo(exits, cluster, database, mail.bundle, options)
        stack = Stack(cluster, database, url, odoo, mail)
        _allow_sandbox(stack)
        yield stack


def _database(exits, cluster, kind: str) -> tuple[str, Path]:
    """Return a database and the folder for what belongs to its servers."""
    if kind == "bridges":
        template = databases.bridges_template(cluster)
        return exits.enter_context(databases.temporary(cluster, template))
    if kind != "own":
        if exits.enter_context(locks.attempt(DEV / "demo.busy")):
            make = databases.renew_demo if kind == "fresh" else databases.demo
            return make(cluster), RUN / "demo"
        say("· the demo database is in use, this run gets one of its own")
    return exits.enter_context(databases.temporary(cluster))


def _odoo(exits, cluster, database: str, bundle: Path, options: dict):
    port = _usual_or_free_port()
    configuration = server.write_configuration(
        cluster,
        database,
        server.private_name("odoo"),
        http_port=port,
        max_cron_threads=CRON_THREADS,
        **options,
    )
    exits.callback(configuration.unlink)
    odoo = exits.enter_context(
        server.running(
            server.command(configuration),
            LOGS / f"{database}.log",
            server.environment(**dict.fromkeys(TRUST, os.fspath(bundle))),
        )
    )
    url = f"http://localhost:{port}"
    server.wait_for_http(odoo, f"{url}/web/login")
    return odoo, url


def _usual_or_free_port() -> int:
    """Return the port people expect Odoo at, if nobody has it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", USUAL_PORT))
        except OSError:
            return server.free_port()
    return USUAL_PORT


def _allow_sandbox(stack: Stack) -> None:
    """Let aliases reach the sandbox, as an administrator would allow a target."""
    admin = stack.client("admin")
    key = "user_email_alias.allowed_targets"
    admin("ir.config_parameter", "set_param", key, ALLOWED_TARGETS)
    say(f"  system parameter {key} = {ALLOWED_TARGETS}")


def describe(stack: Stack) -> str:
    """Say where to look and how to log in."""
    mailbox = MAILBOXES[0]
    mail = stack.mail
    ports = (
        f"localhost:{mail.starttls_port} (STARTTLS), localhost:{mail.tls_port} (TLS)"
    )
    lines = {
        "Odoo": f"{stack.url}/odoo",
        "Logins": "demo / demo (salesman), admin / admin (administrator)",
        "Email aliases": f"{stack.url}/odoo/{ALIASES}",
        "Mail server": ports,
        "Its account": f"{mailbox} / {mail.users[mailbox]}",
        "What it got": mail.folder / "messages.jsonl",
        "Odoo's log": stack.odoo.log,
    }
    return "".join(f"\n  {label:14} {value}" for label, value in lines.items()) + "\n"


def serve(stack: Stack) -> int:
    """Keep everything running until Ctrl-C; return when a server ends by itself."""
    say("Serving; Ctrl-C ends it.")
    try:
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                stack.odoo.process.wait(1)
            stack.odoo.check()
            stack.mail.child.check()
    except KeyboardInterrupt:
        say("")
        return 0
