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
from .paths import DEV, LOGS, RUN

USUAL_PORT = 8069
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


@contextlib.contextmanager
def running(fresh: bool, name: str = "demo"):
    """Run both servers for the block, on the demo database.

    A second caller of the same name gets a database of its own, because the first
    is being played with.
    """
    server.end_on_signals()
    with contextlib.ExitStack() as exits:
        cluster = exits.enter_context(postgres.cluster().session())
        data = {}
        if exits.enter_context(locks.attempt(DEV / f"{name}.busy")):
            renew = databases.renew_demo if fresh else databases.demo
            database = renew(cluster)
            folder = RUN / name
        else:
            say("· the demo database is in use, this run gets one of its own")
            database, folder = exits.enter_context(databases.temporary(cluster))
            data = {"data_dir": folder}
            name = database
        with step("start the sandbox mail server"):
            mail = exits.enter_context(sandbox.running(folder / "mail", MAILBOXES))
        with step("start Odoo"):
            odoo, url = _odoo(exits, cluster, database, name, mail.bundle, data)
        stack = Stack(cluster, database, url, odoo, mail)
        _allow_sandbox(stack)
        yield stack


def _odoo(exits, cluster, database: str, name: str, bundle: Path, data: dict):
    port = _usual_or_free_port()
    configuration = server.write_configuration(
        cluster,
        database,
        server.private_name(name),
        http_port=port,
        max_cron_threads=CRON_THREADS,
        **data,
    )
    exits.callback(configuration.unlink)
    odoo = exits.enter_context(
        server.running(
            server.command(configuration),
            LOGS / f"odoo-{name}.log",
            server.environment(SSL_CERT_FILE=os.fspath(bundle)),
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
