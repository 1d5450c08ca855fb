"""Debian's Exim, set up as hosting companies do."""

import os
import smtplib
import ssl
import tempfile
import unittest
from email.message import EmailMessage

import trustme

from odoo.tests import BaseCase, tagged

from ..tools.address import ServerAddress
from ..tools.deadline import Deadline
from ..tools.guard import Guard
from ..tools.header.mailboxes import Mailbox
from ..tools.header.writer import write_addresses, write_header
from ..tools.transport import smtp
from .debian_room import missing
from .exim import Exim
from .test_header import SCRIPTS, SPECIALS

FROM, TO = "ada@example.com", "bob@example.org"
NAME = "odoo.example.com"
# Refuses every name that is no literal, in words of many kinds.
UNLESS_LITERAL = r"""
  {verb} message = {words}
       condition = ${{if !match{{$sender_helo_name}}{{\N^\[\N}}}}
"""


def is_taken(words, verb="deny"):
    return UNLESS_LITERAL.format(verb=verb, words=words)


@tagged("-at_install", "post_install")
@unittest.skipIf(missing("exim"), missing("exim"))
class TestExim(BaseCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ca = trustme.CA()
        with tempfile.TemporaryDirectory() as directory:
            cls.ca.cert_pem.write_to_path(os.path.join(directory, "ca.pem"))
            cls.context = ssl.create_default_context(
                cafile=os.path.join(directory, "ca.pem")
            )

    def serve(self, **rules):
        return self.enterContext(Exim(self.ca, "ada", "secret", **rules))

    def log_in(self, exim, name=NAME):
        connection = smtp.SmtpConnection.open(
            ServerAddress("127.0.0.1", exim.port),
            Guard("127.0.0.1"),
            Deadline(30),
            ssl_context=self.context,
            local_hostname=name,
        )
        self.addCleanup(connection.close)
        connection.login_password("ada", "secret")
        return connection

    def compose(self, *headers):
        lines = [write_header("From", FROM), *headers, b"Subject: x\r\n"]
        return b"".join(lines) + b"\r\nHi\r\n"

    def test_an_odoo_that_is_opened_by_its_address_may_send(self):
        exim = self.serve()
        with smtplib.SMTP("127.0.0.1", exim.port, "192.168.1.10", timeout=10) as other:
            other.starttls(context=self.context)
            other.login("ada", "secret")
            with self.assertRaises(smtplib.SMTPRecipientsRefused) as caught:
                other.sendmail(FROM, [TO], "x")
            self.assertIn(b"Invalid HELO name", caught.exception.recipients[TO][1])
        for name in ("192.168.1.10", "localhost", "", NAME):
            with self.subTest(name=name):
                connection = self.log_in(exim, name)
                connection.check_sender(FROM)
                self.assertTrue(connection.submit(FROM, [TO], self.compose()))
        self.assertEqual(len(exim.mails(4)), 4)

    def test_a_name_that_is_refused_gives_way_to_the_literal(self):
        """Denied or dropped, at each step: at last the mail leaves."""
        words = "Invalid domain in greeting"
        for step in ("greeting", "sender", "recipient"):
            for verb in ("deny", "drop", "defer"):
                with self.subTest(step=step, verb=verb):
                    exim = self.serve(**{step: is_taken(words, verb)})
                    connection = self.log_in(exim)
                    try:
                        connection.submit(FROM, [TO], self.compose())
                    except smtp.SmtpFailure as failure:
                        self.assertTrue(smtp.may_greet_again(failure.outcome))
                        self.assertEqual(verb, "drop")
                        self.assertFalse(connection.usable)
                        connection = self.log_in(exim)
                        connection.submit(FROM, [TO], self.compose())
                    self.assertEqual(len(exim.mails(1)), 1)

    def test_a_server_that_takes_no_name_holds_the_alias(self):
        exim = self.serve(recipient="  deny message = need fully-qualified hostname\n")
        for call in (
            lambda: self.log_in(exim).check_sender(FROM),
            lambda: self.log_in(exim).submit(FROM, [TO], self.compose()),
        ):
            with self.assertRaises(smtp.SmtpFailure) as caught:
                call()
            self.assertEqual(caught.exception.outcome.hold, "ehlo_name")
            self.assertIn("user_email_alias.ehlo_name", str(caught.exception))

    def test_all_address_headers_pass_its_check_of_their_syntax(self):
        exim = self.serve()
        connection = self.log_in(exim)
        names = [
            f"{letters} {more}{letters * length}".strip()
            for letters in SCRIPTS.values()
            for more in ("", SPECIALS, "=?utf-8?q?x?=")
            for length in (1, 12)
        ]
        meant = [
            Mailbox(name[:200], f"b{n}@example.org") for n, name in enumerate(names)
        ]
        for start in range(0, len(meant), 13):
            part = meant[start : start + 13]
            data = self.compose(
                write_addresses("To", part), write_addresses("Reply-To", part[:3])
            )
            connection.submit(FROM, [TO], data)
        self.assertEqual(len(exim.mails(6)), 6)
        broken = self.compose(b"To: a b c <x@y@z>, <\r\n")
        with self.assertRaises(smtp.SmtpFailure) as caught:
            connection.submit(FROM, [TO], broken)
        self.assertIn("header syntax", str(caught.exception))

    def test_what_core_builds_passes_as_well(self):
        exim = self.serve()
        message = EmailMessage()
        message["To"] = ", ".join(
            f'"Müller, Nr. {n}" <b{n}@example.org>' for n in range(5)
        )
        data = self.compose(write_header("To", message["To"]))
        self.log_in(exim).submit(FROM, [TO], data)
        [mail] = exim.mails(1)
        self.assertEqual(
            [address.display_name for address in mail["To"].addresses],
            [f"Müller, Nr. {n}" for n in range(5)],
        )
