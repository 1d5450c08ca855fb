"""Debian's Postfix, asking Dovecot for logins, as the mail server of a user."""

import contextlib
import email.policy
import os
import ssl
import tempfile
import unittest
from email.message import EmailMessage

import trustme

from odoo.tests import tagged

from ..tools import guard
from ..tools.address import ServerAddress
from ..tools.deadline import Deadline
from ..tools.transport import smtp
from ..tools.transport.smtp.reply import Phase
from . import postfix
from .common_message import flatten
from .common_smtp import SmtpClientCase

USER, PASSWORD = "ada@example.com", "päss wörd"
FROM, TO = "ada@example.com", "bob@example.org"


def compose(subject):
    message = EmailMessage(policy=email.policy.SMTP)
    message["Subject"] = subject
    message["From"] = f"Ada Lovelace <{FROM}>"
    message["To"] = TO
    message.set_content("Grüße\n.\n..two\n.three\n")
    message.add_attachment(
        bytes(range(256)) * 40, maintype="application", subtype="x", filename="ß.bin"
    )
    return message


@tagged("-at_install", "post_install")
class TestPostfix(SmtpClientCase):
    account = USER, PASSWORD

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        reason = postfix.missing()
        if reason and os.environ.get("CI"):
            raise AssertionError(f"CI must not skip this: {reason}")
        if reason:
            raise unittest.SkipTest(reason)
        ca = trustme.CA()
        with tempfile.TemporaryDirectory() as directory:
            ca.cert_pem.write_to_path(os.path.join(directory, "ca.pem"))
            cls.context = ssl.create_default_context(
                cafile=os.path.join(directory, "ca.pem")
            )
        stack = contextlib.ExitStack()
        cls.addClassCleanup(stack.close)
        cls.postfix = stack.enter_context(
            postfix.Postfix(
                ca,
                users={USER: PASSWORD, "eve@example.com": "secret"},
                senders={FROM: USER, "eve@example.com": "eve@example.com"},
                mailboxes=(TO, "carol@example.org", "dave@example.org"),
                size_limit=200_000,
            )
        )

    def connect(self, is_tls=False, context=None):
        port = self.postfix.tls_port if is_tls else self.postfix.port
        connection = smtp.SmtpConnection.open(
            ServerAddress("localhost", port),
            guard.Guard("localhost"),
            Deadline(30),
            implicit_tls=is_tls,
            ssl_context=context or self.context,
        )
        self.addCleanup(connection.close)
        return connection

    def test_starttls_and_tls_take_mails_that_arrive_unchanged(self):
        for number, is_tls in enumerate((False, True), start=1):
            with self.subTest(is_tls=is_tls):
                connection = self.log_in(is_tls=is_tls)
                sent = compose(f"Grüße {number}")
                result = connection.submit(FROM, ["carol@example.org"], flatten(sent))
                self.assertEqual(result.reply.code, 250)
                self.assertRegex(result.reply.text, "queued as")
                arrived = self.postfix.mails("carol@example.org", number)[-1]
                for name in ("Subject", "From", "To"):
                    self.assertEqual(arrived[name], sent[name])
                self.assertEqual(arrived["Return-Path"], f"<{FROM}>")
                text = arrived.get_body().get_content()
                self.assertEqual(text.split(), ["Grüße", ".", "..two", ".three"])
                [attachment] = arrived.iter_attachments()
                self.assertEqual(attachment.get_content(), bytes(range(256)) * 40)

    def test_many_mails_on_one_connection_arrive_once(self):
        connection = self.log_in()
        for number in range(30):
            connection.submit(
                FROM, ["dave@example.org"], flatten(compose(f"mail {number}"))
            )
        arrived = self.postfix.mails("dave@example.org", 30)
        self.assertEqual(
            sorted(item["Subject"] for item in arrived),
            sorted(f"mail {number}" for number in range(30)),
        )

    def test_an_unknown_recipient_does_not_stop_the_others(self):
        result = self.log_in().submit(
            FROM, ["nobody@example.org", TO], flatten(compose("partly"))
        )
        self.assertEqual(result.accepted, [TO])
        self.assertEqual(result.refused["nobody@example.org"].enhanced, "5.1.1")

    def test_a_wrong_password_holds_the_alias(self):
        failure = self.failure_of(self.connect().login_password, USER, "wrong")
        self.assertEqual((failure.phase, failure.reply.code), (Phase.AUTH, 535))
        self.assertEqual(failure.outcome.hold, "password")

    def test_another_ones_address_is_refused(self):
        """Postfix judges the sender only when it sees a recipient."""
        connection = self.log_in()
        for call in (
            lambda: connection.check_sender("eve@example.com"),
            lambda: connection.submit(
                "eve@example.com", [TO], flatten(compose("forged"))
            ),
        ):
            failure = self.failure_of(call)
            self.assertEqual(failure.phase, Phase.RCPT)
            self.assertEqual(failure.outcome.hold, "from_refused")
            self.assertIn("not owned by user", str(failure))
        connection.check_sender(FROM)

    def test_without_login_nothing_is_taken(self):
        connection = self.connect()
        self.failure_of(connection.check_sender, FROM)
        failure = self.failure_of(
            connection.submit, FROM, [TO], flatten(compose("anonymous"))
        )
        self.assertEqual(failure.outcome.hold, "login_missing")
        self.assertIn("Access denied", str(failure))

    def test_a_big_message_is_refused_alone(self):
        connection = self.log_in()
        message = compose("big")
        message.add_attachment(b"x" * 200_000, maintype="a", subtype="b")
        failure = self.failure_of(connection.submit, FROM, [TO], flatten(message))
        self.assertEqual(failure.outcome.reason, "too_big")
        self.assertTrue(connection.usable)

    def test_an_unknown_authority_sees_no_login(self):
        before = self.postfix.log().count("sasl_username")
        for is_tls in (False, True):
            failure = self.failure_of(
                lambda is_tls=is_tls: self.log_in(
                    is_tls=is_tls, context=ssl.create_default_context()
                )
            )
            self.assertEqual(failure.outcome.reason, "certificate")
        self.assertEqual(self.postfix.log().count("sasl_username"), before)
