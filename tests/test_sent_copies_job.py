"""The job that files copies: no account takes another's time, or breaks its turn."""

import threading
import time
import zlib
from unittest.mock import patch

import psycopg2

from odoo import fields
from odoo.tests import tagged

from ..sending import copy_rows, copy_turns, sent_copies
from ..tools.imap import ImapConnection
from .common_queue import PASSWORD, QueueCase
from .fake_imap import FakeFolder, FakeImap, dripping

FILING_LOGGER = "odoo.addons.user_email_alias.sending.copy_trouble"


@tagged("post_install", "-at_install", "user_email_alias")
class TestSentCopiesJob(QueueCase):
    def setUp(self):
        super().setUp()
        self.imap = self.mailbox()
        self.write_alias(imap_server=f"localhost:{self.imap.port}")
        self.numbers = iter(range(1_000_000))

    def mailbox(self):
        """Return a FakeImap with a Sent folder."""
        fake = self.enterContext(FakeImap(self.ca._ca))
        fake.passwords = {"ada": PASSWORD}
        fake.folders["Sent"] = FakeFolder()
        return fake

    def add_alias(self, fake, login="queue_ada"):
        """Return the id of another alias, whose copies go to this FakeImap."""
        with self.committed() as env:
            user = env["res.users"].search([("login", "=", login)])
            user = user or self._create_user(env, login)
            alias = self.create_alias(
                env, name=f"To {fake.port}", imap_server=f"localhost:{fake.port}"
            )
            env.cr.execute(
                "UPDATE user_email_alias SET user_id = %s, is_default = false "
                "WHERE id = %s",
                [user.id, alias.id],
            )
            return alias.id

    def add_copies(self, count, alias_id=None):
        """Let copies wait, as a lane leaves them."""
        with self.committed() as env:
            for number in (next(self.numbers) for _copy in range(count)):
                message_id = f"<{number}@example.com>"
                octets = f"Message-ID: {message_id}\r\nX-No: {number}\r\n\r\n".encode()
                row = env["user.email.alias.log"].create(
                    {
                        "alias_id": alias_id or self.alias_id,
                        "message_id": message_id,
                        "outcome": "sent",
                        "claimed_at": time.time(),
                        "replied_at": time.time(),
                        "sent_copy_state": "waiting",
                        "sent_copy_due": fields.Datetime.now(),
                    }
                )
                env.cr.execute(
                    "UPDATE user_email_alias_log SET sent_copy = %s WHERE id = %s",
                    [psycopg2.Binary(zlib.compress(octets)), row.id],
                )

    def execute(self, query, *values):
        with self.committed() as env:
            env.cr.execute(query, values)
            return env.cr.fetchall() if env.cr.description else None

    def let_time_pass(self, seconds):
        """Let what waits have waited that long, and be due."""
        self.execute(
            "UPDATE user_email_alias_log SET sent_copy_due = 'epoch', "
            "sent_copy_first_at = sent_copy_first_at - make_interval(secs => %s) "
            "WHERE alias_id = %s",
            seconds,
            self.alias_id,
        )

    def read_states(self, alias_id=None):
        """Return (state, attempts, seconds until the next try) of each copy."""
        return self.execute(
            "SELECT sent_copy_state, sent_copy_attempts, "
            "extract(epoch FROM sent_copy_due - timezone('UTC', clock_timestamp()))"
            "::float8 FROM user_email_alias_log WHERE alias_id = %s ORDER BY id",
            alias_id or self.alias_id,
        )

    def read_error(self):
        return self.read_alias("sent_copy_error")["sent_copy_error"]

    # ------------------------------------------------------------------
    # One account and the others
    # ------------------------------------------------------------------

    def test_dripping_accounts_of_one_user_leave_time_for_another_user(self):
        self.patch(sent_copies, "RUN_SECONDS", 6)
        self.patch(copy_turns, "LEAST_SHARE_SECONDS", 1)
        for command in ("LIST", "EXAMINE", "APPEND", "LOGOUT", "CAPABILITY") * 4:
            fake = self.mailbox()
            fake.replies = {command: dripping(b"* OK still here\r\n", 0.1)}
            self.add_copies(1, self.add_alias(fake))
        good = self.mailbox()
        good_id = self.add_alias(good, "queue_bob")
        self.add_copies(3, good_id)
        began = time.monotonic()
        self.file_copies()
        self.assertLess(time.monotonic() - began, 25)
        self.assertEqual({"filed"}, {row[0] for row in self.read_states(good_id)})
        self.assertEqual(3, len(good.folders["Sent"].messages))

    def test_accounts_of_one_user_leave_a_thread_to_whoever_comes_later(self):
        self.patch(sent_copies, "RUN_SECONDS", 12)
        self.patch(copy_turns, "LEAST_SHARE_SECONDS", 12)
        for _account in range(8):
            fake = self.mailbox()
            fake.replies = {"LIST": dripping(b"* OK still here\r\n", 0.1)}
            self.add_copies(1, self.add_alias(fake))
        good = self.mailbox()
        good_id = self.add_alias(good, "queue_bob")
        worker = threading.Thread(target=self.file_copies)
        worker.start()
        time.sleep(1)
        self.add_copies(2, good_id)
        until = time.monotonic() + 9
        while len(good.folders["Sent"].messages) < 2 and time.monotonic() < until:
            time.sleep(0.05)
        self.assertEqual(len(good.folders["Sent"].messages), 2)
        self.assertTrue(worker.is_alive())
        worker.join(30)

    def test_unforeseen_error_stays_with_its_account(self):
        broken = self.mailbox()
        broken_id = self.add_alias(broken)
        self.add_copies(2, broken_id)
        self.add_copies(2)
        find = ImapConnection.find_sent_folder

        def break_one(connection, *args, **kwargs):
            if connection.client.port == broken.port:
                raise TypeError("canary")
            return find(connection, *args, **kwargs)

        with (
            patch.object(ImapConnection, "find_sent_folder", break_one),
            self.assertLogs(FILING_LOGGER, "ERROR") as logs,
        ):
            self.file_copies()
        (line,) = logs.output
        self.assertIn("TypeError in", line)
        self.assertNotIn("canary", line)
        self.assertEqual({"filed"}, {row[0] for row in self.read_states()})
        for state, attempts, wait in self.read_states(broken_id):
            self.assertEqual(("waiting", 1), (state, attempts))
            self.assertAlmostEqual(300, wait, delta=20)

    def test_nonsense_of_a_server_stays_with_its_account(self):
        for name, line in (
            ("NAMESPACE", '* NAMESPACE (("" "/")) (5 5) NIL'),
            ("LIST", "* LIST ((("),
            ("STATUS", '* STATUS "Sent" (UIDVALIDITY (x'),
            ("EXAMINE", "* FLAGS\r\n* OK [UIDNEXT (]"),
            ("UID SEARCH", "* SEARCH \xff"),
            ("APPEND", "+ go\r\n* 5"),
        ):
            fake = self.mailbox()
            fake.capabilities += " NAMESPACE"
            fake.replies = {name: line + "\r\n{tag} OK done"}
            self.add_copies(1, self.add_alias(fake))
        self.add_copies(1)
        with self.assertNoLogs(FILING_LOGGER, "ERROR"):
            self.file_copies()
        self.assertEqual("filed", self.read_states()[0][0])

    def test_account_is_put_off_before_it_is_spoken_to_and_no_transaction_is_open(self):
        seen = []

        def look(session, tag):
            seen.extend(self.read_states())
            seen.append(
                self.execute(
                    "SELECT count(*) FROM pg_stat_activity "
                    "WHERE state LIKE 'idle in transaction%%' "
                    "AND datname = current_database() AND pid != pg_backend_pid()"
                )
            )
            return False

        self.imap.replies = {"LIST": look}
        self.add_copies(1)
        self.file_copies()
        ((state, attempts, wait), open_transactions) = seen
        self.assertEqual(("waiting", 1), (state, attempts))
        self.assertGreater(wait, 200)
        self.assertEqual([(0,)], open_transactions)

    def test_what_there_was_no_time_for_is_due_again_without_blame(self):
        self.patch(sent_copies, "RUN_SECONDS", 4)
        self.patch(copy_rows, "STEP_COUNT", 1)
        self.imap.pause = 0.1
        self.add_copies(30)
        self.file_copies()
        rows = self.read_states()
        filed = [row for row in rows if row[0] == "filed"]
        self.assertTrue(0 < len(filed) < 30, len(filed))
        for state, attempts, wait in rows[len(filed) :]:
            self.assertEqual(("waiting", 0), (state, attempts or 0))
            self.assertLessEqual(wait, 0)
        self.assertFalse(self.read_error())

    # ------------------------------------------------------------------
    # What the owner sees
    # ------------------------------------------------------------------

    def test_reason_is_on_the_card_at_once_and_told_after_an_hour_once(self):
        for break_it, words in (
            ({"APPEND": "{tag} NO Permission denied"}, "Permission denied"),
            ({"EXAMINE": "{tag} NO no such box"}, "no such box"),
            ({"AUTHENTICATE": "{tag} NO [AUTHENTICATIONFAILED] hm"}, "sign-in"),
        ):
            with self.subTest(words):
                told = len(self.read_notices())
                self.imap.replies = break_it
                self.add_copies(4)
                self.file_copies()
                self.assertIn(words, self.read_error())
                self.let_time_pass(1800)
                self.file_copies()
                self.assertEqual(told, len(self.read_notices()))
                self.let_time_pass(1801)
                self.add_copies(1)
                self.file_copies()
                (notice,) = self.read_notices()[told:]
                self.assertIn(words, notice["message"])
                self.let_time_pass(3600)
                self.add_copies(1)
                self.file_copies()
                self.let_time_pass(3600)
                self.file_copies()
                self.assertEqual(told + 1, len(self.read_notices()))
                self.imap.replies = {}
                self.let_time_pass(0)
                self.file_copies()
                self.assertFalse(self.read_error())
                self.assertEqual({"filed"}, {row[0] for row in self.read_states()})

    def test_waits_grow_and_one_falls_on_the_hour(self):
        self.imap.replies = {"LIST": "{tag} NO not now"}
        self.add_copies(1)
        self.file_copies()
        for passed, expected in ((0, 300), (300, 600), (600, 1200), (1300, 1400)):
            self.let_time_pass(passed)
            self.file_copies()
            self.assertAlmostEqual(expected, self.read_states()[0][2], delta=20)
        self.let_time_pass(5 * 86_400)
        self.file_copies()
        self.assertEqual("failed", self.read_states()[0][0])
        self.assertIn("not now", self.read_notices()[-1]["message"])

    def test_refused_copy_waits_alone(self):
        self.imap.refuses = lambda octets: b"X-No: 1\r\n" in octets
        self.imap.refusal = "NO not this one"
        self.add_copies(3)
        self.file_copies()
        self.add_copies(2)
        self.file_copies()
        states = [row[0] for row in self.read_states()]
        self.assertEqual(["filed", "waiting", "filed", "filed", "filed"], states)
        self.assertIn("not this one", self.read_error())

    def test_test_connection_ends_in_time_with_the_copy_dripping(self):
        self.patch_button(3)
        for command in ("CAPABILITY", "LIST", "APPEND", "UID EXPUNGE"):
            self.imap.replies = {command: dripping(b"* OK still here\r\n", 0.1)}
            began = time.monotonic()
            with self.committed(self.user_id) as env:
                alias = env["user.email.alias"].browse(self.alias_id)
                message = alias.action_test_connection()["params"]["message"]
            self.assertLess(time.monotonic() - began, 20)
            self.assertIn("Sending works", message)

    def test_test_connection_says_that_the_folder_is_read_only(self):
        self.imap.read_only = True
        with self.committed(self.user_id) as env:
            alias = env["user.email.alias"].browse(self.alias_id)
            message = alias.action_test_connection()["params"]["message"]
        self.assertIn("read-only", message)

    def patch_button(self, seconds):
        module = "odoo.addons.user_email_alias.models.user_email_alias_connection"
        self.enterContext(patch(f"{module}.BUTTON_SECONDS", seconds))

    def test_too_many_folders_are_not_all_offered_and_one_can_be_named(self):
        self.imap.folders = {
            f"Projects/{number}": FakeFolder() for number in range(2000)
        }
        self.imap.folders["Projects/Old/Sent Items"] = FakeFolder()
        self.imap.folders["Gesendet"] = FakeFolder()
        with self.committed(self.user_id) as env:
            alias = env["user.email.alias"].browse(self.alias_id)
            action = alias.action_choose_folder()
            wizard = env[action["res_model"]].browse(action["res_id"])
            self.assertEqual(500, len(wizard.line_ids))
            self.assertIn("Gesendet", wizard.line_ids.mapped("name"))
            self.assertTrue(wizard.is_cut)
            wizard.name = "Projects/1999"
            wizard.action_apply()
        self.add_copies(1)
        self.file_copies()
        self.assertEqual(1, len(self.imap.folders["Projects/1999"].messages))
