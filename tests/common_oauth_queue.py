"""Signed-in aliases in the real queue, and processes that share one account."""

import json
import os
import signal
import socket
from unittest.mock import patch

from odoo import sql_db

from .common_queue import QueueCase
from .fake_oauth import FakeIdentityProvider
from .fake_oauth_state import Account

ADA = Account("ada@example.com", "Ada Lovelace", "2001", oid="adaadaad-0000-2001")
BEN = Account("ben@example.com", "Ben Okri", "2002", oid="benbenbe-0000-2002")


class OAuthQueueCase(QueueCase):
    """A committed user whose alias is signed in at a provider that rotates."""

    flavour = "google"

    def setUp(self):
        self.enterContext(patch.dict(os.environ, NO_PROXY="localhost,127.0.0.1"))
        self.idp = self.enterContext(
            FakeIdentityProvider(self.flavour, accounts=(ADA, BEN))
        )
        self.idp.knobs.rotates = True
        super().setUp()
        self.server.check_token = self.idp.is_valid_access_token
        with self.committed() as env:
            Settings = env["user.email.alias.oauth.settings"]
            settings = self.idp.settings(
                smtp_server=f"localhost:{self.server.starttls_port}"
            )
            self.configure(settings)
            Settings._register__(self.flavour, settings, settings.pop("client_secret"))
            self.idp.redirect_uris.add(Settings._get_redirect_uri(self.flavour))
        self.addCleanup(self._remove_settings)
        self.assertEqual(self.sign_in(), "Status: OK")

    def configure(self, settings):
        """Change what the provider's settings are to be."""

    def create_alias(self, env, **values):
        """An alias that is not filled in: the sign-in does that."""
        Alias = env["user.email.alias"].with_user(self.user_id)
        return Alias.create({"alias_name": False, **values})

    def _remove_settings(self):
        with self.committed() as env:
            env["ir.config_parameter"].search(
                [("key", "=like", f"user_email_alias.{self.flavour}_%")]
            ).unlink()

    def sign_in(self, account=ADA, alias_id=None, transport=""):
        with self.committed(self.user_id) as env:
            alias = env["user.email.alias"].browse(alias_id or self.alias_id)
            url, flow = alias._begin_sign_in__(self.flavour, transport=transport)
        params = self.idp.visit(url, account)
        with self.committed(self.user_id) as env:
            alias = env["user.email.alias"].browse(alias_id or self.alias_id)
            return alias._finish_sign_in__(self.flavour, flow, params)

    def make_stale(self, alias_id=None):
        """Let the stored access token have ended."""
        with self.committed() as env:
            alias = env["user.email.alias"].browse(alias_id or self.alias_id)
            content = json.loads(alias._read_secret__("oauth_secret"))
            content["expires_at"] = 0
            alias._write_secret__("oauth_secret", json.dumps(content))

    def get_token(self, alias_id=None, **options):
        with self.committed() as env:
            alias = env["user.email.alias"].browse(alias_id or self.alias_id)
            return alias._get_access_token__(**options)

    def start_processes(self, count, work):
        """Fork ``count`` processes that call ``work`` whenever they are told to."""
        processes = [Process(self.registry, work) for _number in range(count)]
        for process in processes:
            self.addCleanup(process.end)
        return processes


class Process:
    """A process of its own with database connections of its own."""

    def __init__(self, registry, work):
        self._pipe, pipe = socket.socketpair()
        self.pid = os.fork()
        if self.pid:
            pipe.close()
            return
        try:
            self._pipe.close()
            # the parent's connections stay the parent's
            sql_db._Pool = sql_db._Pool_readonly = None
            registry._db = sql_db.db_connect(registry.db_name)
            registry._db_readonly = None
            while pipe.recv(1):
                try:
                    result = work()
                except Exception as error:
                    result = f"{type(error).__name__}: {error}"
                pipe.sendall(json.dumps(result).encode())
        finally:
            os._exit(0)

    def go(self):
        """Let it work; see `result`."""
        self._pipe.sendall(b"!")

    def result(self):
        """What ``work`` returned, or its exception as text; None if it was killed."""
        answer = self._pipe.recv(65536)
        return json.loads(answer) if answer else None

    def end(self):
        self._pipe.close()
        os.waitpid(self.pid, 0)


def die():
    """Be killed here and now."""
    os.kill(os.getpid(), signal.SIGKILL)
