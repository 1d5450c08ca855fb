import time
from unittest.mock import patch

from odoo.tests import tagged

from ..tools.deadline import Deadline
from ..tools.transport.smtp import transaction as smtp_transaction
from ..tools.transport.smtp.outcome import classify
from ..tools.transport.smtp.reply import Phase, Reply
from .common_smtp import FROM, MESSAGE, PASSWORD, TO, USER, SmtpCase
from .raw_peer import RawPeer, lines

HEAD = b"From: ada@example.com\r\n\r\n"


@tagged("-at_install", "post_install")
class TestEnvelope(SmtpCase):
    def test_the_bytes_arrive_as_they_were_meant(self):
        connection = self.log_in()
        for body, expected in (
            (b"one\r\ntwo\r\n", b"one\r\ntwo\r\n"),
            (b"no end", b"no end\r\n"),
            (b"", b""),
            (b".\r\n", b".\r\n"),
            (b"..\r\n", b"..\r\n"),
            (b"a\r\n.\r\nMAIL FROM:<x@y.example>\r\n", None),
            (b"a\r\n.b\r\n..c\r\n...\r\n", None),
            (b"bare\nLF\n.\nX\n", b"bare\r\nLF\r\n.\r\nX\r\n"),
            (b"bare\rCR\r.\rX\r", b"bare\r\nCR\r\n.\r\nX\r\n"),
            (
                b"a\n.\r\nRCPT TO:<x@y.example>\r\n",
                b"a\r\n.\r\nRCPT TO:<x@y.example>\r\n",
            ),
            (b"a\r\n.\rx\r\n", b"a\r\n.\r\nx\r\n"),
            (b"\xff\xfe\x00\r\n", None),
            (b"x" * 900 + b"\r\n", None),
            (b"0123456789\r\n" * 200_000, None),
        ):
            with self.subTest(body=body[:30]):
                connection.submit(FROM, [TO], HEAD + body)
                received = self.server.messages[-1].data
                self.assertEqual(
                    received, HEAD + (body if expected is None else expected)
                )
        self.assertEqual(len(self.server.messages), 14)
        for data in (b".first\r\n.\r\n", b".", b"..\r\n", b""):
            connection.submit(FROM, [TO], data)
            received = self.server.messages[-1].data
            self.assertEqual(received.removesuffix(b"\r\n"), data.removesuffix(b"\r\n"))

    def test_the_envelope_is_the_callers(self):
        recipients = ["a@b.example", "ü@bücher.example", "c@bücher.example"]
        result = self.log_in().submit("ada@bücher.example", recipients, MESSAGE)
        [received] = self.server.messages
        self.assertEqual(received.mail_from, "ada@xn--bcher-kva.example")
        self.assertEqual(
            received.rcpt_tos,
            ["a@b.example", "ü@xn--bcher-kva.example", "c@xn--bcher-kva.example"],
        )
        self.assertEqual(result.accepted, recipients)
        self.assertEqual((result.refused, result.deferred), ({}, {}))

    def test_parameters_are_used_where_offered_and_needed(self):
        plain, eight = MESSAGE, MESSAGE + "é".encode()
        utf8 = "Subject: é\r\n".encode() + MESSAGE
        for message, sender, expected in (
            (plain, FROM, {"SIZE"}),
            (eight, FROM, {"SIZE", "BODY=8BITMIME"}),
            (utf8, FROM, {"SIZE", "BODY=8BITMIME", "SMTPUTF8"}),
            (plain, "é@example.com", {"SIZE", "SMTPUTF8"}),
            (plain, "e@é.example", {"SIZE"}),
        ):
            with self.subTest(message=message[:20], sender=sender):
                self.log_in().submit(sender, [TO], message)
                options = self.server.messages[-1].mail_options
                self.assertIn(f"SIZE={len(message)}", options)
                names = {name for name in options if name[:4] != "SIZE"} | {"SIZE"}
                self.assertEqual(names, expected)

    def test_a_server_of_few_words_gets_few_words(self):
        replies = [b"220 hi\r\n", b"250 only this\r\n", b"250 ok\r\n", b"250 ok\r\n"]
        with RawPeer(lines(*replies, b"354 go\r\n", b"250 done\r\n")) as peer:
            connection = self.connect(peer.port, "127.0.0.1", disable_tls=True)
            connection.submit(FROM, [TO], MESSAGE + "é".encode())
            self.assertIn(
                b"MAIL FROM:<ada@example.com>\r\n",
                peer.received.upper().replace(b"ADA@EXAMPLE.COM", b"ada@example.com"),
            )

    def test_without_smtputf8_such_addresses_are_refused_alone(self):
        server = self.serve(smtputf8=False)
        connection = self.log_in(port=server.starttls_port)
        result = connection.submit(FROM, [TO, "ü@example.org"], MESSAGE)
        self.assertEqual(result.accepted, [TO])
        self.assertEqual(result.refused["ü@example.org"].enhanced, "5.6.7")
        for sender, recipient, message, scope in (
            ("ü@example.com", TO, MESSAGE, "alias"),
            (FROM, "ü@example.org", MESSAGE, "recipient"),
            (FROM, TO, "Subject: é\r\n".encode() + MESSAGE, "mail"),
        ):
            with self.subTest(sender=sender, recipient=recipient):
                failure = self.failure_of(
                    connection.submit, sender, [recipient], message
                )
                self.assertEqual(failure.outcome.scope, scope)
                self.assertTrue(connection.usable)
        self.assertEqual(len(server.messages), 1)

    def test_a_message_over_the_servers_size_is_not_even_begun(self):
        server = self.serve(size_limit=1000)
        connection = self.log_in(port=server.starttls_port)
        failure = self.failure_of(connection.submit, FROM, [TO], MESSAGE + b"x" * 1000)
        self.assertEqual(
            (failure.phase, failure.outcome.kind, failure.outcome.reason),
            (Phase.MAIL, "refused", "too_big"),
        )
        self.assertNotIn("mail", " ".join(server.sessions[-1].commands))
        connection.submit(FROM, [TO], MESSAGE)
        self.assertEqual(len(server.messages), 1)

    def test_addresses_that_could_add_a_command_never_leave(self):
        connection = self.log_in()
        for address in (
            "",
            None,
            "bob",
            "bob@",
            "bob@example.org>\r\nRCPT TO:<eve@example.org",
            "bob@example.org\r\nDATA",
            "bob@example.org\n",
            "bob@example.org> SIZE=1",
            "bob @example.org",
            "<bob@example.org>",
            "bob\0@example.org",
            "b" * 400 + "@example.org",
        ):
            with self.subTest(address=address):
                failure = self.failure_of(connection.submit, FROM, [address], MESSAGE)
                self.assertEqual(
                    (failure.phase, failure.outcome.kind, failure.outcome.scope),
                    (Phase.RCPT, "refused", "recipient"),
                )
                failure = self.failure_of(connection.submit, address, [TO], MESSAGE)
                self.assertEqual(failure.phase, Phase.MAIL)
        failure = self.failure_of(connection.submit, FROM, [], MESSAGE)
        self.assertEqual(failure.phase, Phase.RCPT)
        commands = set(self.server.sessions[-1].commands)
        self.assertFalse(any("rcpt" in line or "data" in line for line in commands))
        self.assertTrue(connection.usable)


@tagged("-at_install", "post_install")
class TestRecipients(SmtpCase):
    A, B, C = "a@x.example", "b@x.example", "c@x.example"

    def setUp(self):
        super().setUp()
        self.connection = self.log_in()

    def submit(self, **replies):
        """Submit to a, b and c; ``replies`` are what RCPT answers to each."""
        self.server.clear()
        if not self.connection.usable:
            self.connection = self.log_in()
        for name, reply in replies.items():
            self.server.on("rcpt", reply=reply, match=f"{name}@x.example")
        return self.connection.submit(FROM, [self.A, self.B, self.C], MESSAGE)

    def test_the_others_get_it(self):
        result = self.submit(a="550 5.1.1 unknown", c="450 4.2.0 busy")
        self.assertEqual(result.accepted, [self.B])
        self.assertEqual(result.refused, {self.A: Reply(550, "5.1.1", "unknown")})
        self.assertEqual(result.deferred, {self.C: Reply(450, "4.2.0", "busy")})
        self.assertEqual(self.server.messages[0].rcpt_tos, [self.B])

    def test_nobody_gets_it(self):
        no, later = "550 5.1.1 unknown", "450 4.2.0 busy"
        for replies, kind, scope, refused, deferred in (
            ((no, no, no), "refused", "recipient", 3, 0),
            ((later, later, later), "deferred", "mail", 0, 3),
            ((no, later, no), "deferred", "mail", 2, 1),
            ((later, no, no), "deferred", "mail", 2, 1),
        ):
            with self.subTest(replies=replies):
                failure = self.failure_of(
                    self.submit, **dict(zip("abc", replies, strict=True))
                )
                self.assertEqual(failure.phase, Phase.RCPT)
                self.assertEqual(
                    (failure.outcome.kind, failure.outcome.scope), (kind, scope)
                )
                self.assertEqual(
                    (len(failure.refused), len(failure.deferred)), (refused, deferred)
                )
                self.assertEqual(self.server.messages, [])
                self.assertTrue(self.connection.usable)
        self.assertEqual(len(self.submit().accepted), 3)

    def test_too_many_recipients_leaves_the_rest_for_later(self):
        too_many = "452 4.5.3 too many recipients"
        result = self.submit(b=too_many, c=too_many)
        self.assertEqual(result.accepted, [self.A])
        self.assertEqual(list(result.deferred), [self.B, self.C])
        self.assertEqual(self.server.messages[0].rcpt_tos, [self.A])
        self.assertTrue(classify(Phase.RCPT, result.deferred[self.C]).split)

    def test_a_reply_about_the_alias_stops_all(self):
        for reply, hold, kind in (
            ("451 4.7.1 slower", None, "deferred"),
            ("550 5.4.5 daily limit", None, "deferred"),
            (
                "553 5.7.1 Sender address rejected: not owned by user",
                "from_refused",
                "deferred",
            ),
            ("554 5.7.1 Relay access denied", "relay_refused", "deferred"),
            ("530 5.7.0 Authentication required", "password", "deferred"),
        ):
            with self.subTest(reply=reply):
                failure = self.failure_of(self.submit, c=reply)
                self.assertEqual(failure.outcome.scope, "alias")
                self.assertEqual(failure.outcome.kind, kind)
                self.assertEqual(failure.outcome.hold, hold)
                self.assertEqual(self.server.messages, [], "nobody was served")
                # who was given leave for the message can only be left
                self.assertNotEqual(self.connection.usable, self.server.pipelining)


@tagged("-at_install", "post_install")
class TestTimeLimit(SmtpCase):
    def timed_failure(self, limit):
        connection = self.log_in()
        started = time.monotonic()
        connection.deadline = Deadline(limit)
        failure = self.failure_of(connection.submit, FROM, [TO], MESSAGE)
        self.assertFalse(connection.usable)
        return failure, time.monotonic() - started

    def test_each_phase_ends_in_time(self):
        for phase in ("mail", "rcpt", "data"):
            with self.subTest(phase=phase):
                self.server.clear()
                self.server.on(phase, silent=True)
                failure, taken = self.timed_failure(3)
                self.assertEqual(failure.phase.value, phase)
                self.assertEqual(failure.outcome.reason, "timeout")
                self.assertLess(taken, 2.9, "half is kept for the final reply")
        self.server.clear()
        self.server.on("dot", silent=True)
        failure, taken = self.timed_failure(2)
        self.assertEqual(failure.outcome.kind, "uncertain")
        self.assertLess(1.9, taken)
        self.assertLess(taken, 8)

    def test_a_late_final_reply_still_counts(self):
        self.server.on("dot", delay=2.5)
        connection = self.log_in()
        connection.deadline = Deadline(4)
        result = connection.submit(FROM, [TO], MESSAGE)
        self.assertEqual(result.reply.code, 250)

    def test_the_next_mail_may_have_another_deadline(self):
        connection = self.log_in()
        connection.deadline = Deadline(2)
        connection.submit(FROM, [TO], MESSAGE)
        time.sleep(2.1)
        connection.deadline = Deadline(20)
        self.assertTrue(connection.submit(FROM, [TO], MESSAGE))

    def test_the_deadline_bounds_everything(self):
        for phase in ("connect", "ehlo", "starttls", "auth", "mail"):
            with self.subTest(phase=phase):
                self.server.clear()
                self.server.on(phase, silent=True)
                started = time.monotonic()

                def use():
                    connection = self.connect(seconds=0.5)
                    connection.login_password(USER, PASSWORD)
                    connection.check_sender(FROM)

                self.failure_of(use)
                self.assertLess(time.monotonic() - started, 5)

    def test_a_body_that_nobody_reads_ends_in_time(self):
        self.server.on("body", silent=True)
        with (
            patch.object(smtp_transaction, "TRANSFER_TIMEOUT", 0.5),
            patch.object(smtp_transaction, "EARLY_REPLY_TIMEOUT", 0.1),
        ):
            connection = self.log_in()
            started = time.monotonic()
            failure = self.failure_of(
                connection.submit, FROM, [TO], MESSAGE + b"x" * 30_000_000
            )
        self.assertEqual(
            (failure.phase, failure.outcome.reason), (Phase.BODY, "timeout")
        )
        self.assertLess(time.monotonic() - started, 10)
