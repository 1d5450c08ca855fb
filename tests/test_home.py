"""A copy of the database sends nothing of what waits until somebody has decided."""

import dataclasses
import json
import tempfile

from odoo.exceptions import AccessError, UserError
from odoo.tests import BaseCase, tagged

from ..models.user_email_alias_home import HOME
from ..tools import home
from .common_queue import QueueCase

HERE = home.Home("uuid", "16400", "17000", "7400", 16, "token")


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

    def test_what_was_known_survives_the_way_through_the_database(self):
        self.assertEqual(home.Home.from_json(HERE.to_json()), HERE)
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


@tagged("post_install", "-at_install", "user_email_alias")
class TestCopy(QueueCase):
    def _copy_database(self):
        """The same as seen from inside the copy."""
        with self.committed() as env:
            known, here = env["user.email.alias"]._read_homes()
            self.assertEqual(known.database, here.database)
            self.addCleanup(self._write_home, known)
            self._write_home(dataclasses.replace(known, database="1"))

    def _write_home(self, known):
        with self.committed() as env:
            env["ir.config_parameter"].set_param(HOME, known.to_json())

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
