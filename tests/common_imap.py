"""What the tests of the IMAP copy share."""

import imaplib
import ssl
import unittest

import trustme

from odoo.tests import BaseCase

from ..tools.address import ServerAddress
from ..tools.deadline import Deadline
from ..tools.guard import Guard
from ..tools.imap import ImapConnection
from ..tools.imap.failure import ImapFailure
from .dovecot import Dovecot, find_program
from .fake_imap import FakeImap

USER, PASSWORD = "ann", 'se"cr\\et ö'
SENT_AT = 1_767_323_045.0  # 2026-01-02 03:04:05 UTC
HOST = "localhost"


def message(number, size=500, prefix="m"):
    """Return (octets, Message-ID) of a mail."""
    message_id = f"<{prefix}{number}@example.com>"
    line = b"=C3=A4 " + b"x" * 69 + b"\r\n"
    head = f"From: a@example.com\r\nSubject: {number}\r\nMessage-ID: {message_id}\r\n"
    return head.encode() + b"\r\n" + line * (size // len(line) + 1), message_id


def copies(count, size=500, prefix="m"):
    """Return parameters for ``file_many``."""
    return [(*message(number, size, prefix), SENT_AT) for number in range(count)]


class ImapCase(BaseCase):
    """Connect to the servers of a test, on this machine, with an authority of ours."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ca = trustme.CA()
        cls.guard = Guard("localhost, 127.0.0.1, ::1")

    def connect(self, port, *, implicit=False, trust=True, timeout=60, **options):
        """Return an ImapConnection, closed at the end of the test.

        :param timeout: seconds the whole conversation may last
        """
        context = ssl.create_default_context()
        if trust:
            self.ca.configure_trust(context)
        connection = ImapConnection.open(
            ServerAddress(HOST, port),
            self.guard,
            Deadline(timeout),
            ssl_context=context,
            implicit_tls_ports={port} if implicit else set(),
            **options,
        )
        self.addCleanup(connection.close)
        return connection


class DovecotCase(ImapCase):
    """Tests against a real Dovecot."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not find_program():
            raise unittest.SkipTest("dovecot-imapd is not installed")

    def dovecot(self, **options):
        """Return a Dovecot that lives until the end of the test."""
        server = Dovecot(self.ca, {USER: PASSWORD}, **options)
        self.addCleanup(server.__exit__)
        return server.__enter__()

    def signed_in(self, port, **options):
        connection = self.connect(port, **options)
        connection.login_password(USER, PASSWORD)
        return connection

    def look(self, server):
        """Return an independent client, signed in: Python's imaplib, in the clear."""
        client = imaplib.IMAP4("127.0.0.1", server.port, timeout=10)
        self.addCleanup(client.shutdown)
        client.authenticate("PLAIN", lambda _: f"\0{USER}\0{PASSWORD}".encode())
        return client

    def read_folder(self, server, wire_path):
        """Return (flags, INTERNALDATE, octets) of each message, read independently."""
        client = self.look(server)
        self.assertEqual("OK", client.select(f'"{wire_path}"', readonly=True)[0])
        _ok, data = client.fetch("1:*", "(FLAGS INTERNALDATE BODY.PEEK[])")
        parts = [item for item in data if isinstance(item, tuple)]
        return [
            (
                set(imaplib.ParseFlags(head)),
                imaplib.Internaldate2tuple(head),
                octets,
            )
            for head, octets in parts
        ]


class FakeCase(ImapCase):
    """Tests against a scripted server."""

    def fake(self, **options):
        """Return a FakeImap that lives until the end of the test."""
        fake = FakeImap(self.ca, **options)
        self.addCleanup(fake.__exit__)
        return fake.__enter__()

    def signed_in(self, fake, **options):
        connection = self.connect(fake.port, **options)
        connection.login_password("ann", "secret")
        return connection

    def fails(self, call, *args, **kwargs):
        """Return the ImapFailure of a call."""
        with self.assertRaises(ImapFailure) as caught:
            call(*args, **kwargs)
        failure = caught.exception
        self.assertIsNone(failure.__cause__)
        self.assertTrue(failure.__suppress_context__ or not failure.__context__)
        return failure
