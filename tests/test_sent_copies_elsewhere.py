"""Copies of sent mail in the Sent folder of servers that are not Dovecot."""

import imaplib
import ssl
import unittest

from odoo.tests import tagged

from . import pymap_server
from .common_queue import PASSWORD, QueueCase
from .courier import Courier
from .cyrus import Cyrus
from .debian_room import missing

MANY = [f"lead{number}@example.org" for number in range(6)]


class Elsewhere:
    """What must hold for each server; ``serve`` starts it, ``path`` is the folder."""

    path = "Sent"
    shown = "Sent"

    def serve(self):
        raise NotImplementedError

    def setUp(self):
        super().setUp()
        self.imap = self.enterContext(self.serve())
        self.write_alias(imap_server=f"localhost:{self.imap.port}")
        self.before = len(self.read_folder())

    def client(self):
        client = imaplib.IMAP4("localhost", self.imap.port)
        client.starttls(ssl.create_default_context())
        client.login("ada", PASSWORD)
        return client

    def read_folder(self):
        """What an independent client sees: list of (flags, bytes)."""
        client = self.client()
        try:
            client.select(self.path, readonly=True)
            _ok, answer = client.fetch("1:*", "(FLAGS BODY.PEEK[])")
            return [item for item in answer if isinstance(item, tuple)]
        finally:
            client.logout()

    def file_by_hand(self):
        """Do what a server does that files what it is given to send."""
        client = self.client()
        client.append(self.path, r"(\Seen)", None, self.server.messages[0].data)
        client.logout()

    def states(self, name):
        return [row[name] for row in self.read_log()]

    def test_each_sent_mail_leaves_one_copy_byte_for_byte(self):
        self.queue(*MANY)
        self.queue("boss@example.org", bulk=False)
        self.run_queue()
        self.file_copies()
        self.file_copies()
        copies = self.read_folder()[self.before :]
        self.assertEqual(
            sorted(data for _head, data in copies),
            sorted(message.data for message in self.server.messages),
        )
        self.assertTrue(all(b"\\Seen" in head for head, _data in copies))
        self.assertEqual(self.states("sent_copy_state"), ["filed"] * 7)

    def test_copy_that_is_there_already_is_not_doubled(self):
        self.queue(MANY[0])
        self.run_queue()
        self.file_by_hand()
        self.file_copies()
        self.assertEqual(self.states("sent_copy_state"), ["filed"])
        self.assertEqual(len(self.read_folder()), self.before + 1)

    def test_uncertain_mail_that_lies_in_the_folder_becomes_sent(self):
        self.server.on("dot", drop=True, accept=True, times=1)
        self.queue(MANY[0])
        self.run_queue()
        self.file_copies()
        self.assertEqual(self.states("outcome"), ["uncertain"])
        self.file_by_hand()
        self.file_copies()
        self.assertEqual(self.states("outcome"), ["sent"])
        self.assertEqual(len(self.read_folder()), self.before + 1)

    def test_connection_is_tested_and_names_the_folder(self):
        with self.committed(self.user_id) as env:
            alias = env["user.email.alias"].browse(self.alias_id)
            result = alias.action_test_connection()
            self.assertIn(f"“{self.shown}”", result["params"]["message"])
        self.assertEqual(len(self.read_folder()), self.before)

    def test_full_sending_is_filed_in_order(self):
        self.queue(*(f"lead{number}@example.org" for number in range(60)))
        self.run_queue()
        self.file_copies()
        copies = [data for _head, data in self.read_folder()[self.before :]]
        self.assertEqual(copies, [message.data for message in self.server.messages])


@tagged("post_install", "-at_install", "user_email_alias")
@unittest.skipUnless(pymap_server.find_program(), "pymap is not installed")
class TestPymap(Elsewhere, QueueCase):
    def serve(self):
        return pymap_server.Pymap(self.ca._ca, "ada", PASSWORD)


@tagged("post_install", "-at_install", "user_email_alias")
@unittest.skipIf(missing("courier"), missing("courier"))
class TestCourier(Elsewhere, QueueCase):
    path = shown = "INBOX.Sent"

    def serve(self):
        return Courier(self.ca._ca, "ada", PASSWORD)

    def test_folder_is_made_where_there_is_none(self):
        self.imap.__exit__()
        self.imap = self.enterContext(Courier(self.ca._ca, "ada", PASSWORD, folders=()))
        self.write_alias(imap_server=f"localhost:{self.imap.port}")
        self.queue(MANY[0])
        self.run_queue()
        self.file_copies()
        self.assertEqual(self.states("sent_copy_state"), ["filed"])
        self.assertEqual(len(self.read_folder()), 1)


@tagged("post_install", "-at_install", "user_email_alias")
@unittest.skipIf(missing("cyrus"), missing("cyrus"))
class TestCyrus(Elsewhere, QueueCase):
    def serve(self):
        return Cyrus(self.ca._ca, "ada", PASSWORD)


@tagged("post_install", "-at_install", "user_email_alias")
@unittest.skipIf(missing("cyrus"), missing("cyrus"))
class TestCyrusBelowInbox(Elsewhere, QueueCase):
    path = shown = "INBOX/Sent"

    def serve(self):
        return Cyrus(self.ca._ca, "ada", PASSWORD, quota_kb=200, altnamespace=False)

    def test_full_mailbox_says_so_and_keeps_the_copies(self):
        client = self.client()
        for size in (100_000, 10_000, 1000, 100):
            status = "OK"
            while status == "OK":
                status, _words = client.append(
                    self.path, None, None, b"X: y\r\n\r\n" + b"x" * size
                )
        client.logout()
        self.queue(*MANY)
        self.run_queue()
        self.file_copies()
        self.assertEqual(set(self.states("sent_copy_state")), {"waiting"})
        with self.committed(self.user_id) as env:
            alias = env["user.email.alias"].browse(self.alias_id)
            self.assertIn("full", alias.sent_copy_error)
