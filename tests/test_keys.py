"""A key is changed while campaigns run, and the old one opens nothing in the end."""

import os
import subprocess
import sys
import threading
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tests.common import get_db_name
from odoo.tools import config

from ..tools import vault
from ..tools.keys import ENVIRONMENT_KEYS
from ..tools.vault import generate_key
from .common import PASSWORD, AliasCommon
from .common_oauth_queue import OAuthQueueCase

OLD, NEW = generate_key(), generate_key()
OLD_ID, NEW_ID = vault.Vault([OLD, NEW]).key_ids
LEADS = [f"lead{number}@example.org" for number in range(12)]


class KeysCase(OAuthQueueCase):
    """An alias that is signed in and one with passwords, all with the old key."""

    def setUp(self):
        self.use_keys(OLD)
        super().setUp()
        with self.committed() as env:
            own = {"email_from": "b@example.com", "imap_server": "imap.example.com"}
            own |= {"smtp_password": "pass word", "smtp_server": "smtp.example.com"}
            own |= {"imap_user": "b", "imap_password": "imap", "name": "Second"}
            self.second_id = super().create_alias(env, **own).id

    def use_keys(self, *keys):
        self.enterContext(patch.dict(os.environ, {ENVIRONMENT_KEYS: ",".join(keys)}))

    def count(self):
        with self.committed() as env:
            counted = env["user.email.alias.keys"]._count_by_key__()
        return {key: count for key, _place, count in counted if key in (OLD_ID, NEW_ID)}

    def reencrypt(self):
        with self.committed() as env:
            return env["user.email.alias.keys"]._reencrypt__()

    def read_secrets(self):
        # as each request does: another process may have changed a parameter
        self.registry.check_signaling()
        with self.committed() as env:
            first, second = (
                env["user.email.alias"].browse(id_)
                for id_ in (self.alias_id, self.second_id)
            )
            return [
                bool(first._read_secret__("oauth_secret")),
                second._read_secret__("smtp_secret"),
                second._read_secret__("imap_secret"),
                env["user.email.alias.oauth.settings"]._read_client_secret__("google")
                == self.idp.client_secret,
            ]


@tagged("post_install", "-at_install", "user_email_alias")
class TestKeys(KeysCase):
    def test_old_key_retires(self):
        self.assertEqual(self.count(), {OLD_ID: 4})
        self.use_keys(NEW, OLD)
        self.assertEqual(self.count(), {NEW_ID: 0, OLD_ID: 4})
        self.assertEqual(self.reencrypt().done, 4)
        self.assertEqual(self.count(), {NEW_ID: 4, OLD_ID: 0})
        self.use_keys(NEW)
        self.assertEqual(self.read_secrets(), [True, "pass word", "imap", True])
        self.assertEqual(self.reencrypt(), (0, 0, 0))

    def test_nothing_else_of_the_alias_changes(self):
        fields = ["state", "write_date", "has_smtp_password", "is_signed_in"]
        before = self.read_alias(*fields)
        self.use_keys(NEW, OLD)
        self.reencrypt()
        self.assertEqual(self.read_alias(*fields), before)

    def test_what_the_keys_do_not_open_stays_and_is_counted(self):
        with self.committed() as env:
            env.cr.execute(
                "UPDATE user_email_alias SET smtp_user = 'moved' WHERE id = %s",
                [self.second_id],
            )
        self.use_keys(NEW, OLD)
        result = self.reencrypt()
        self.assertEqual((result.done, result.closed), (2, 2))
        self.assertEqual(self.count(), {NEW_ID: 2, OLD_ID: 2})

    def test_alias_in_use_is_left_and_said_so(self):
        self.use_keys(NEW, OLD)
        with (
            self.committed() as env,
            patch.object(type(env["user.email.alias"]), "_lock_row", _lock_soon),
        ):
            env["user.email.alias"].browse(self.alias_id)._lock_alias(1000)
            result = self.reencrypt()
        self.assertEqual((result.done, result.busy), (3, 1))
        self.assertEqual(self.reencrypt().done, 1)

    def test_campaign_goes_on_meanwhile(self):
        self.idp.knobs.expires_in = 1
        ids = self.queue(*LEADS)
        self.write_alias(delay_ms=30)
        self.use_keys(NEW, OLD)
        lane = threading.Thread(target=self.run_queue)
        lane.start()
        try:
            while lane.is_alive():
                self.reencrypt()
        finally:
            lane.join(60)
        self.run_queue()
        self.assertEqual(sorted(self.served()), sorted(LEADS))
        self.assertEqual({r["state"] for r in self.read_mails(ids, "state")}, {"sent"})
        self.use_keys(NEW)
        self.assertEqual(self.reencrypt(), (0, 0, 0))
        self.assertEqual(self.read_secrets(), [True, "pass word", "imap", True])

    def test_command_counts_and_encrypts_anew(self):
        self.use_keys(NEW, OLD)
        told = self.run_command()
        words = f"{OLD_ID} is an old one: it still opens 4 secrets"
        self.assertIn(words, told.stdout, told.stderr)
        self.assertEqual(told.returncode, 1, "the old key is still needed")
        told = self.run_command("--reencrypt")
        self.assertEqual(told.returncode, 0, told.stdout + told.stderr)
        self.assertIn("4 secrets encrypted anew", told.stdout)
        self.assertIn(f"{OLD_ID} is an old one and opens nothing", told.stdout)
        for secret in (OLD, NEW, "pass word"):
            self.assertNotIn(secret, told.stdout + told.stderr)
        self.use_keys(NEW)
        self.assertEqual(self.read_secrets(), [True, "pass word", "imap", True])

    def run_command(self, *options):
        return subprocess.run(
            [
                sys.executable,
                "-c",
                "import odoo.cli; odoo.cli.main()",
                f"--addons-path={','.join(config['addons_path'])}",
                "email_alias_keys",
                "--config",
                config["config"],
                "-d",
                get_db_name(),
                *options,
            ],
            capture_output=True,
            text=True,
            timeout=120,
        )


def _lock_soon(alias):
    alias._lock_alias(100)


@tagged("post_install", "-at_install", "user_email_alias")
class TestKeysInSettings(AliasCommon):
    def test_administrator_sees_what_each_key_opens(self):
        lines = self.env["res.config.settings"].with_user(self.user_admin).create({})
        self.assertRegex(
            lines.email_alias_keys, r"Key \w+ encrypts: it opens 3 secrets"
        )
        with patch.dict(os.environ, {ENVIRONMENT_KEYS: NEW}):
            lines.invalidate_recordset()
            self.assertIn("is missing: 3 secrets need it", lines.email_alias_keys)
        with patch.dict(os.environ, {ENVIRONMENT_KEYS: "no key"}):
            lines.invalidate_recordset()
            self.assertIn("44 characters", lines.email_alias_keys)

    def test_button_encrypts_anew(self):
        keys = f"{NEW},{os.environ[ENVIRONMENT_KEYS]}"
        with patch.dict(os.environ, {ENVIRONMENT_KEYS: keys}):
            settings = self.env["res.config.settings"].with_user(self.user_admin)
            with self.enter_registry_test_mode():
                action = settings.create({}).action_email_alias_reencrypt()
            self.assertIn("3 secrets were encrypted", action["params"]["message"])
        with patch.dict(os.environ, {ENVIRONMENT_KEYS: NEW}):
            self.env.invalidate_all()
            self.assertEqual(self.alias_bob._read_secret__("smtp_secret"), PASSWORD)
        event = self.env["user.email.alias.event"].search(
            [("alias_id", "=", self.alias_bob.id)], limit=1
        )
        self.assertEqual(
            (event.action, event.user_id), ("reencrypted", self.user_admin)
        )

    def test_nobody_else_presses_it(self):
        settings = self.env["res.config.settings"].create({})
        for user in (self.user_alice, self.user_manager):
            with self.assertRaises(AccessError):
                self.rpc(user, settings, "action_email_alias_reencrypt")
