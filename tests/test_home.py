"""A copy of the database sends nothing of what waits until somebody has decided."""

import dataclasses
import json
import tempfile

from odoo.exceptions import AccessError, UserError
from odoo.tests import BaseCase, tagged

from ..models.user_email_alias_home import HOME
from ..tools import home
from .common_oauth_queue import OAuthQueueCase
from .common_queue import QueueCase

HERE = home.Home("uuid", "16400", "17000", "7400", 16, "token")

# PostgreSQL's files, port and socket, and where it runs: beside Odoo, or elsewhere
BESIDE = {
    "directory": "/var/lib/postgresql/16/main",
    "port": "5432",
    "socket": "/run/postgresql",
    "hosts": ("machine:3d12",),
}
ELSEWHERE = {**BESIDE, "socket": "", "hosts": ("10.0.0.5",)}


@tagged("post_install", "-at_install", "user_email_alias")
class TestIdentity(BaseCase):
    def is_same(self, has_token=True, **changes):
        now = dataclasses.replace(HERE, token="", **changes)
        return HERE.is_same(now, lambda: has_token)

    def test_copies_are_told_from_the_original(self):
        for name, changes in (
            ("Duplicate", {"uuid": "new", "database": "16500"}),
            ("createdb -T", {"database": "16500"}),
            ("restored here", {"database": "16500", "table": "18000"}),
            ("restored over the original", {"database": "16401", "table": "18000"}),
            ("restored elsewhere", {"system": "7500", "table": "18000"}),
            ("restored where we may not ask", {"system": None, "table": "18000"}),
            ("a clone's cluster", {"system": "7500"}),
            ("an older PostgreSQL", {"system": "7500", "version": 15}),
        ):
            with self.subTest(name):
                self.assertFalse(self.is_same(**changes))

    def test_what_is_no_copy_asks_nothing(self):
        for name, changes in (
            ("the same, or renamed, or another host", {}),
            ("may not ask the cluster any more", {"system": None}),
            ("next PostgreSQL, upgraded", {"system": "7500", "version": 17}),
            (
                "next PostgreSQL, by dump and restore",
                {"system": "7500", "version": 17, "database": "5", "table": "16999"},
            ),
        ):
            with self.subTest(name):
                self.assertTrue(self.is_same(**changes))

    def test_next_postgresql_behind_another_server_is_a_copy(self):
        self.assertFalse(self.is_same(has_token=False, system="7500", version=17))

    def test_copies_of_a_whole_cluster_are_told_from_it(self):
        for name, original, changes, has_token in (
            ("base backup beside it", BESIDE, {"port": "5433"}, True),
            ("the same, files we may see", BESIDE, {"directory": "/srv/copy"}, True),
            ("the same, another socket", BESIDE, {"socket": "/srv/socket"}, True),
            ("the same, elsewhere", ELSEWHERE, {"port": "5433"}, True),
            (
                "base backup behind another Odoo",
                ELSEWHERE,
                {"hosts": ("10.9.9.9",)},
                False,
            ),
            ("clone of the machine", BESIDE, {"hosts": ("machine:9f00",)}, True),
        ):
            with self.subTest(name):
                known = dataclasses.replace(HERE, **original)
                now = dataclasses.replace(HERE, **{**original, **changes})
                self.assertTrue(known.is_same(known, bool), "the original goes on")
                self.assertFalse(known.is_same(now, has_token.__bool__))

    def test_a_cluster_that_is_seen_from_elsewhere_or_taken_over_asks_nothing(self):
        for name, original, now, has_token in (
            ("noted by an older version of ours", {}, BESIDE, False),
            ("we may not see its files any more", BESIDE, {"port": "5432"}, False),
            ("another Odoo, on another machine", BESIDE, ELSEWHERE, False),
            ("Odoo beside it, too", ELSEWHERE, BESIDE, False),
            (
                "by loopback instead of a socket",
                BESIDE,
                {**BESIDE, "socket": ""},
                False,
            ),
            ("standby", ELSEWHERE, {**ELSEWHERE, "hosts": ("10.0.0.6",)}, True),
            (
                "machine without a number",
                BESIDE,
                {**BESIDE, "hosts": ("machine:",)},
                False,
            ),
            ("one that only reads, on a standby", ELSEWHERE, {}, False),
        ):
            with self.subTest(name):
                known = dataclasses.replace(HERE, **original)
                now = dataclasses.replace(HERE, **now)
                self.assertTrue(known.is_same(now, has_token.__bool__))
                merged = known.merged(now)
                self.assertTrue(merged.is_same(known, bool), "nobody is shut out")
                self.assertTrue(merged.is_same(now, bool))
                self.assertTrue(merged.knows(now) and merged.knows(known))

    def test_servers_are_named_by_address_or_machine(self):
        self.assertEqual(home.name_host("10.0.0.5/32"), "10.0.0.5")
        self.assertEqual(home.name_host("2001:db8::5/128"), "2001:db8::5")
        ours = {home.name_host(each) for each in (None, "127.0.0.1/32", "::1/128")}
        self.assertEqual(len(ours), 1)
        self.assertTrue(ours.pop().startswith(home.LOCAL))

    def test_what_was_known_survives_the_way_through_the_database(self):
        for known in (HERE, dataclasses.replace(HERE, **BESIDE)):
            self.assertEqual(home.Home.from_json(known.to_json()), known)
        for text in ("", None, "[]", "7", "{", '{"uuid"'):
            self.assertIsNone(home.Home.from_json(text))

    def test_token_lies_in_the_data_directory_it_was_written_to(self):
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
            token = home.write_token(one)
            self.assertTrue(home.has_token(one, token))
            self.assertFalse(home.has_token(two, token))
            self.assertFalse(home.has_token(one, ""))
            self.assertFalse(home.has_token(one, "../" + token))
        self.assertEqual(home.write_token("/proc/no/such/folder"), "")


class CopyMixin:
    """A database that was copied."""

    def _copy_database(self, **changes):
        """The same as seen from inside the copy."""
        with self.committed() as env:
            known, here = env["user.email.alias"]._read_homes()
            self.assertEqual(known.database, here.database)
            self.addCleanup(self._write_home, known)
            changes = changes or {"database": "1"}
            self._write_home(dataclasses.replace(known, **changes))

    def _write_home(self, known):
        with self.committed() as env:
            env["ir.config_parameter"].set_param(HOME, known.to_json())


@tagged("post_install", "-at_install", "user_email_alias")
class TestCopy(CopyMixin, QueueCase):
    def _decide(self, action, login="base.user_admin"):
        with self.committed() as env:
            user = (
                env.ref(login)
                if "." in login
                else env["res.users"].browse(self.user_id)
            )
            alias = env["user.email.alias"].browse(self.alias_id).with_user(user)
            getattr(alias, action)()

    def test_what_waits_in_a_copy_waits_until_it_is_let_go(self):
        ids = self.queue("a@example.org")
        self._copy_database()
        late = self.queue("b@example.org", bulk=False)
        self.run_queue()
        self.assertFalse(self.served())
        with self.committed(self.user_id) as env:
            alias = env["user.email.alias"].browse(self.alias_id)
            self.assertTrue(alias.is_in_copy)
            both = alias + self.create_alias(env, name="Other")
            self.assertEqual([True, True], both.mapped("is_in_copy"))
            self.assertFalse(alias.can_decide_on_copy)
            mail = env["mail.mail"].sudo().browse(late)
            self.assertIn("copy", mail._email_alias_step(0)["reply"])
            with self.assertRaisesRegex(UserError, "copy"):
                mail.send(raise_exception=True)
        for action in ("action_copy_send", "action_copy_drop"):
            with self.assertRaises(AccessError):
                self._decide(action, "owner")
        self._decide("action_copy_send")
        self.run_queue()
        self.assertCountEqual(self.served(), ["a@example.org", "b@example.org"])
        with self.assertRaises(UserError):
            self._decide("action_copy_drop")
        states = {mail["state"] for mail in self.read_mails(ids + late, "state")}
        self.assertEqual(states, {"sent"})

    def test_what_waits_in_a_copy_of_the_cluster_waits_until_it_is_let_go(self):
        for changes in ({"port": "1"}, {"directory": "/srv"}, {"hosts": ("machine:",)}):
            with self.subTest(changes):
                self.server.clear()
                self.queue("a@example.org")
                self._copy_database(**changes)
                self.run_queue()
                is_copy = "hosts" not in changes
                self.assertEqual(bool(self.served()), not is_copy)
                if is_copy:
                    self._decide("action_copy_send")
                    self.run_queue()
                self.assertEqual(self.served(), ["a@example.org"])
                with self.committed() as env:
                    known, here = env["user.email.alias"]._read_homes()
                    self.assertEqual(known.port, here.port)

    def test_what_is_dropped_never_leaves_and_a_claim_stays_uncertain(self):
        self._drop_with_a_claim()

    def test_draft_is_the_originals_to_send_or_to_delete(self):
        self._drop_with_a_claim(draft="AAk1")

    def _drop_with_a_claim(self, **values):
        ids = self.queue("a@example.org", "b@example.org")
        with self.committed() as env:
            env["user.email.alias.log"].create(
                {
                    "alias_id": self.alias_id,
                    "mail_mail_id": ids[0],
                    "is_bulk": True,
                    "recipients": "a@example.org",
                    **values,
                }
            )
        self._copy_database()
        self._decide("action_copy_drop")
        self.run_queue()
        self.assertFalse(self.served())
        mails = self.read_mails(ids, "state", "failure_type")
        self.assertEqual([mail["state"] for mail in mails], ["exception", "cancel"])
        self.assertEqual(mails[0]["failure_type"], "email_alias_uncertain")
        self.queue("new@example.org")
        self.run_queue()
        self.assertEqual(self.served(), ["new@example.org"])

    def test_copy_in_which_nothing_waits_sends_what_is_written_there(self):
        self.queue("a@example.org")
        self.run_queue()
        self._copy_database()
        self.queue("b@example.org")
        self.run_queue()
        self.assertEqual(self.served(), ["a@example.org", "b@example.org"])

    def test_database_that_was_renamed_goes_on(self):
        self.queue("a@example.org")
        with self.committed() as env:
            known = json.loads(env["ir.config_parameter"].get_param(HOME))
        self.assertNotIn(self.registry.db_name, known.values())
        self.run_queue()
        self.assertEqual(self.served(), ["a@example.org"])


@tagged("post_install", "-at_install", "user_email_alias")
class TestCopySignedIn(CopyMixin, OAuthQueueCase):
    def _keep_alive(self):
        """Do what the cron worker does with an account that was idle for long."""
        self.write_alias(oauth_refreshed_at="2020-01-01 00:00:00")
        with self.committed() as env:
            env["user.email.alias"]._cron_keep_alive()

    def test_accounts_of_the_original_are_not_refreshed_by_its_copy(self):
        self.queue("a@example.org")
        self._copy_database()
        self._keep_alive()
        self.assertEqual(self.idp.refreshes, 0)
        with self.committed() as env:
            env["user.email.alias"].with_user(env.ref("base.user_admin")).browse(
                self.alias_id
            ).action_copy_send()
        self._keep_alive()
        self.assertEqual(self.idp.refreshes, 1)
