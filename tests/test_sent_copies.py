"""Copies of sent mail: from the lane into the Sent folder of a real Dovecot."""

import imaplib
import os
import signal
import ssl
import unittest

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import TransactionCase, new_test_user, tagged

from ..sending import sent_copies
from .common_queue import PASSWORD, QueueCase
from .dovecot import Dovecot, find_program

MANY = [f"lead{number}@example.org" for number in range(6)]


@tagged("post_install", "-at_install", "user_email_alias")
@unittest.skipUnless(find_program(), "Debian's dovecot-imapd is not installed")
class TestSentCopies(QueueCase):
    def setUp(self):
        super().setUp()
        self.dovecot = self.enterContext(
            Dovecot(
                self.ca._ca,
                {"ada": PASSWORD},
                special_use={"Sent": r"\Sent", "Archive": ""},
            )
        )
        self.write_alias(imap_server=f"localhost:{self.dovecot.port}")

    def make_copies_due(self):
        with self.committed() as env:
            env["user.email.alias.log"].search(
                [("alias_id", "=", self.alias_id)]
            ).write({"sent_copy_due": "2000-01-01"})

    def read_folder(self, folder="Sent"):
        """What an independent client sees: list of (flags and date, bytes)."""
        context = ssl.create_default_context()
        client = imaplib.IMAP4_SSL(
            "localhost", self.dovecot.tls_port, ssl_context=context
        )
        try:
            client.login("ada", PASSWORD)
            client.select(f'"{folder}"', readonly=True)
            _ok, (numbers,) = client.search(None, "ALL")
            if not numbers:
                return []
            _ok, answer = client.fetch(
                numbers.replace(b" ", b",").decode(), "(FLAGS INTERNALDATE BODY.PEEK[])"
            )
            return [item for item in answer if isinstance(item, tuple)]
        finally:
            client.logout()

    def copy_states(self):
        return [row["sent_copy_state"] for row in self.read_log()]

    def test_each_sent_mail_leaves_one_copy_byte_for_byte(self):
        self.queue(*MANY)
        self.queue("boss@example.org", bulk=False)
        self.run_queue()
        self.assertEqual(self.copy_states(), ["waiting"] * 7)
        self.file_copies()
        self.file_copies()
        copies = self.read_folder()
        self.assertEqual(
            sorted(data for _head, data in copies),
            sorted(message.data for message in self.server.messages),
        )
        self.assertTrue(all(b"\\Seen" in head for head, _data in copies))
        self.assertEqual(self.copy_states(), ["filed"] * 7)
        with self.committed() as env:
            env.cr.execute(
                "SELECT count(*) FROM user_email_alias_log "
                "WHERE alias_id = %s AND sent_copy IS NOT NULL",
                [self.alias_id],
            )
            self.assertEqual(env.cr.fetchone()[0], 0, "the bytes are dropped")

    def test_bulk_mail_leaves_no_copies_where_that_is_switched_off(self):
        self.write_alias(skip_bulk_copies=True)
        self.queue(*MANY)
        self.queue("boss@example.org", bulk=False)
        self.run_queue()
        self.file_copies()
        (copy,) = self.read_folder()
        self.assertIn(b"boss@example.org", copy[1])

    def test_refused_mail_leaves_no_copy(self):
        self.server.on("rcpt", reply="550 5.1.1 unknown", match="lead0@")
        self.queue(*MANY[:2])
        self.run_queue()
        self.file_copies()
        (copy,) = self.read_folder()
        self.assertIn(b"lead1@example.org", copy[1])

    def test_dead_imap_server_touches_no_mail_and_is_retried(self):
        os.kill(self.dovecot.process.pid, signal.SIGSTOP)
        try:
            ids = self.queue(*MANY[:2], auto_delete=False)
            self.run_queue()
            self.patch(sent_copies, "RUN_SECONDS", 1)
            self.file_copies()
        finally:
            os.kill(self.dovecot.process.pid, signal.SIGCONT)
        self.assertEqual(
            {mail["state"] for mail in self.read_mails(ids, "state")}, {"sent"}
        )
        log = self.read_log()
        self.assertEqual([row["outcome"] for row in log], ["sent", "sent"])
        self.assertEqual([row["sent_copy_state"] for row in log], ["waiting"] * 2)
        self.assertTrue(log[0]["sent_copy_error"])
        self.assertGreater(log[0]["sent_copy_due"], log[0]["replied_on"])
        self.patch(sent_copies, "RUN_SECONDS", 50)
        self.make_copies_due()
        self.file_copies()
        self.assertEqual(len(self.read_folder()), 2)
        self.assertEqual(len(self.server.messages), 2, "no second submission")

    def test_account_in_trouble_is_left_alone_until_its_next_try(self):
        self.write_alias(imap_user="ada", imap_password="wrong")
        log = self.dovecot.log
        self.queue(*MANY[:2], auto_delete=False)
        self.run_queue()
        self.file_copies()
        tried = log().count("auth failed")
        self.assertTrue(tried)
        self.queue(*MANY[2:4], auto_delete=False)
        self.run_queue()
        self.file_copies()
        self.assertEqual(log().count("auth failed"), tried)
        self.write_alias(imap_user="ada", imap_password=PASSWORD)
        self.file_copies()
        self.assertEqual(len(self.read_folder()), 4)

    def test_owner_who_asks_need_not_wait_for_the_next_try(self):
        self.queue(*MANY[:2])
        self.run_queue()
        with self.committed() as env:
            first, second = env["user.email.alias.log"].search(
                [("alias_id", "=", self.alias_id)], order="id"
            )
            first.write({"sent_copy_due": "2096-01-01", "sent_copy_attempts": 1})
            second.write({"sent_copy_state": "failed", "sent_copy_attempts": 1})
        self.file_copies()
        self.assertEqual(self.copy_states(), ["waiting", "failed"])
        with self.committed(self.user_id) as env:
            env["user.email.alias.log"].browse(second.id).action_retry_copy()
        self.file_copies()
        self.assertEqual(self.copy_states(), ["filed"] * 2)

    def test_copies_without_a_mailbox_end_and_can_be_retried(self):
        self.queue(*MANY[:2])
        self.run_queue()
        self.write_alias(imap_server=False)
        self.file_copies()
        self.assertEqual(self.copy_states(), ["failed"] * 2)
        self.assertIn("no IMAP server", self.read_log()[0]["sent_copy_error"])
        self.write_alias(imap_server=f"localhost:{self.dovecot.port}")
        with self.committed(self.user_id) as env:
            rows = env["user.email.alias.log"].search(
                [("alias_id", "=", self.alias_id)]
            )
            rows.action_retry_copy()
        self.file_copies()
        self.assertEqual(len(self.read_folder()), 2)

    def test_wrong_imap_password_says_which_half_failed(self):
        self.write_alias(imap_user="ada", imap_password="wrong")
        with self.committed(self.user_id) as env:
            alias = env["user.email.alias"].browse(self.alias_id)
            result = alias.action_test_connection()
            self.assertIn("Sending works", result["params"]["message"])
            alias.imap_password = PASSWORD
            result = alias.action_test_connection()
            self.assertIn("Status: OK", result["params"]["message"])
            self.assertIn("Sent", result["params"]["message"])
            self.assertEqual(alias.imap_folder_name, "Sent")

    def test_uncertain_mail_that_lies_in_the_folder_becomes_sent(self):
        self.server.on("dot", drop=True, accept=True, times=1)
        ids = self.queue(MANY[0])
        self.run_queue()
        self.assertEqual(self.read_log()[0]["outcome"], "uncertain")
        self.file_copies()
        self.assertEqual(self.read_log()[0]["outcome"], "uncertain")
        client = imaplib.IMAP4_SSL(
            "localhost",
            self.dovecot.tls_port,
            ssl_context=ssl.create_default_context(),
        )
        client.login("ada", PASSWORD)
        client.append("Sent", r"(\Seen)", None, self.server.messages[0].data)
        client.logout()
        self.file_copies()
        self.assertEqual(self.read_log()[0]["outcome"], "sent")
        self.assertEqual(self.read_mails(ids, "state")[0]["state"], "sent")
        self.assertEqual(len(self.read_folder()), 1)

    def test_chosen_folder_gets_the_copies(self):
        with self.committed(self.user_id) as env:
            alias = env["user.email.alias"].browse(self.alias_id)
            action = alias.action_choose_folder()
            wizard = env[action["res_model"]].browse(action["res_id"])
            names = wizard.line_ids.mapped("name")
            self.assertIn("Archive", names)
            wizard.line_id = wizard.line_ids.filtered(lambda x: x.name == "Archive")
            wizard.action_apply()
        self.queue(MANY[0])
        self.run_queue()
        self.file_copies()
        self.assertEqual(len(self.read_folder("Archive")), 1)
        self.assertFalse(self.read_folder("Sent"))


@tagged("post_install", "-at_install", "user_email_alias")
class TestImapServerChoice(TransactionCase):
    def setUp(self):
        super().setUp()
        self.user = new_test_user(self.env, "imap_ada")
        self.other = new_test_user(self.env, "imap_bob")
        self.incoming = self.env["fetchmail.server"].create(
            {
                "name": "Incoming",
                "server_type": "imap",
                "server": "imap.example.com",
                "port": 993,
                "is_ssl": True,
                "user": "ada",
                "password": "canary-incoming",
                "email_alias_user_ids": [(4, self.user.id)],
            }
        )
        self.alias = (
            self.env["user.email.alias"].with_user(self.user).create({"name": "x"})
        )

    def test_user_sees_the_name_of_an_allowed_server_and_nothing_else(self):
        Mailbox = self.env["user.email.alias.mailbox"]
        self.assertEqual(
            Mailbox.with_user(self.user).search([]).mapped("name"), ["Incoming"]
        )
        self.assertFalse(Mailbox.with_user(self.other).search([]))
        self.alias.imap_mailbox_id = Mailbox.browse(self.incoming.id)
        self.assertEqual(self.alias.sudo().imap_server_id, self.incoming)
        values = self.alias.read()[0]
        self.assertNotIn("canary-incoming", str(values))
        with self.assertRaises(AccessError):
            self.incoming.with_user(self.user).read(["password"])

    def test_server_of_others_is_refused(self):
        foreign = (
            self.env["user.email.alias"].with_user(self.other).create({"name": "y"})
        )
        with self.assertRaises(AccessError):
            foreign.imap_server_id = self.incoming.id

    def test_bad_imap_server_gets_a_sentence_at_the_field(self):
        for bad in ("https://imap.example.com/in", "imap example com", "imap:0"):
            with self.subTest(bad), self.assertRaises(ValidationError) as caught:
                self.alias.imap_server = bad
            self.assertIn("IMAP Server:Port", str(caught.exception))

    def test_administrator_switches_own_mailboxes_off_and_on_again(self):
        self.alias.imap_server = "imap.example.com"
        settings = self.env["res.config.settings"].create({})
        self.assertTrue(settings.email_alias_has_own_imap)
        self.assertTrue(self.alias.has_sent_copies)
        settings.email_alias_has_own_imap = False
        settings.execute()
        self.alias.invalidate_recordset()
        self.assertFalse(self.alias.has_own_imap)
        self.assertFalse(self.alias.has_sent_copies)
        with self.assertRaisesRegex(UserError, "administrator"):
            self.alias.action_choose_folder()
        self.env["ir.config_parameter"].search(
            [("key", "=", "user_email_alias.own_imap")]
        ).unlink()
        self.alias.invalidate_recordset()
        self.assertTrue(self.alias.has_sent_copies)
        self.assertTrue(
            self.env["res.config.settings"].create({}).email_alias_has_own_imap
        )

    def test_imap_password_is_never_read_back_and_goes_with_its_server(self):
        self.alias.write(
            {
                "imap_server": "imap.example.com",
                "imap_user": "a",
                "imap_password": "open sesame",
            }
        )
        self.assertTrue(self.alias.has_imap_password)
        self.assertFalse(self.alias.read(["imap_password"])[0]["imap_password"])
        self.assertNotIn("open sesame", self.alias.sudo().imap_secret)
        self.alias.imap_server = "imap.evil.example"
        self.assertFalse(self.alias.has_imap_password)
