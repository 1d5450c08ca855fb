"""What hostile and broken IMAP servers can do to us, and how failures read."""

import contextlib
import random
import ssl
import time

from odoo.tests import tagged

from ..tools.imap import wire as imap_wire
from ..tools.imap.failure import (
    REPLY_LIMIT,
    ImapFailure,
    ServerRefusal,
    printable,
    refusal_failure,
)
from ..tools.imap.folder import Folder
from .common_imap import SENT_AT, FakeCase, ImapCase, copies, message
from .fake_imap import FakeFolder, answering, dripping, endless

COMMANDS = ("CAPABILITY", "NAMESPACE", "LIST", "STATUS", "MYRIGHTS", "SELECT")
COMMANDS += ("EXAMINE", "APPEND", "UID SEARCH", "UID FETCH", "UID EXPUNGE", "UNSELECT")
WORDS = ("(", ")", "NIL", '""', '"Sent"', "{3}\r\nabc", "{9}\r\n", "5", "-1", "\xff")
WORDS += ("99999999999999999999", r"\Sent", "[UIDNEXT x]", "UIDVALIDITY", "MAILBOXID")
WORDS += ("[APPENDUID 1 1]", "UID", "BODY[HEADER]", "FETCH", "+ ", "\r\n", "* BYE")


@tagged("-at_install", "post_install")
class TestHostileServers(FakeCase):
    def check_bounded(self, name, reply, words, timeout=20):
        fake = self.fake()
        fake.folders["Sent"] = FakeFolder()
        fake.folders["Sent"].add(b"From: a@b.c\r\n\r\n")
        fake.replies = {name: reply}
        connection = self.signed_in(fake, timeout=timeout)
        start = time.monotonic()
        failure = self.fails(self._use, connection)
        self.assertLess(time.monotonic() - start, timeout + 5)
        self.assertTrue(failure.is_fatal, failure)
        self.assertIn(words, str(failure))
        self.assertLessEqual(len(failure.reply), REPLY_LIMIT)

    def _use(self, connection):
        folder = connection.find_sent_folder()
        connection.sent_box(folder).file(*message(1), SENT_AT)

    def test_endless_and_huge_answers(self):
        self.patch(imap_wire, "REPLY_LIMIT", 600_000)
        self.patch(imap_wire, "LINE_LIMIT", 300_000)
        for name in ("LIST", "STATUS", "EXAMINE", "CLOSE", "UID SEARCH", "APPEND"):
            with self.subTest(name):
                self.check_bounded(name, endless(b"x" * 100_000), "line too long")
        for name, reply, words in (
            ("LIST", endless(b"* 1 EXISTS\r\n" * 10_000), "answer too long"),
            ("LIST", endless(b'* LIST () "/" {9999999999}\r\n'), "literal too long"),
            ("LIST", '* LIST () "/" {' + "9" * 5000 + "}", "makes no sense"),
            (
                "UID FETCH",
                endless(b"* 1 FETCH (UID 1 X {200000}\r\n" + b"x" * 200_000),
                "answer too long",
            ),
        ):
            with self.subTest(words):
                self.check_bounded(name, reply, words)

    def test_dripping_answer_ends_with_the_conversation(self):
        reply = dripping(b"* OK still here\r\n", 0.1)
        for name in ("LIST", "APPEND", "CLOSE"):
            with self.subTest(name):
                self.check_bounded(name, reply, "not answer in time", timeout=1)

    def test_answers_just_in_time_do_not_prolong_the_conversation(self):
        fake = self.fake()
        fake.folders["Sent"] = FakeFolder()
        fake.pause = 1.5
        start = time.monotonic()
        with self.assertRaises(ImapFailure):
            self._use(self.signed_in(fake, timeout=2))
        self.assertLess(time.monotonic() - start, 7)

    def test_greeting_and_handshake_end_with_the_conversation(self):
        record = b"\x16\x03\x03\x40\x00" + bytes(200)  # of 16,384 octets, RFC 8446 5.1
        for octets, options in (
            (b"* OK still here\r\n", {}),
            (record, {"implicit": True}),
        ):
            fake = self.fake()
            fake.greeting = dripping(octets, 0.1)
            start = time.monotonic()
            failure = self.fails(self.connect, fake.port, timeout=1, **options)
            self.assertEqual("unreachable", failure.kind)
            self.assertLess(time.monotonic() - start, 10)

    def test_what_nobody_asked_for_is_not_kept(self):
        fake = self.fake()
        connection = self.signed_in(fake)
        fake.replies = {"NOOP": answering(*["BOGUS " + "x" * 1000] * 500)}
        for _number in range(3):
            connection.client.noop()
        kept = connection.client.wire.untagged_responses
        self.assertLess(sum(map(len, kept.values())), 600)

    def test_server_that_takes_nothing(self):
        fake = self.fake()
        fake.folders["Sent"] = FakeFolder()
        fake.capabilities += " LITERAL+"
        box = self.signed_in(fake, timeout=3).sent_box(Folder("Sent"))
        box.contains("<x@y>")
        fake.replies = {"CLOSE": lambda session, tag: time.sleep(5)}
        failure = self.fails(box.file, *message(1, size=8_000_000), SENT_AT)
        self.assertEqual("lost", failure.kind)
        self.assertIn("not answer in time", str(failure))

    def test_nonsense_is_a_failure_like_any_other(self):
        for name, reply in (
            ("NAMESPACE", "* NAMESPACE " + "(" * 100_000 + "\r\n{tag} OK"),
            ("NAMESPACE", "* NAMESPACE\r\n{tag} OK"),
            ("NAMESPACE", "* NAMESPACE 5 5 5\r\n{tag} OK"),
            ("NAMESPACE", "* NAMESPACE ((())) NIL\r\n{tag} OK"),
            ("LIST", "* LIST ((5)) 7 9\r\n{tag} OK"),
            ("STATUS", '* STATUS "Sent" (UIDVALIDITY (1))\r\n{tag} OK'),
            ("STATUS", '* STATUS "Sent" (UIDVALIDITY)\r\n{tag} OK'),
            ("EXAMINE", "* x EXISTS\r\n{tag} OK"),
            ("UID FETCH", "* 1 FETCH (UID x BODY[HEADER] 7)\r\n{tag} OK"),
            ("UID FETCH", "* 1 FETCH (UID 1 BODY[HEADER] (7))\r\n{tag} OK"),
            ("UID SEARCH", "* SEARCH (1) x 99999999999999999999\r\n{tag} OK"),
            ("STATUS", "* STATUS\r\n{tag} OK"),
            ("EXAMINE", "* OK [UIDNEXT x] y\r\n{tag} OK"),
            ("UID FETCH", "* x FETCH )))\r\n{tag} OK"),
            ("APPEND", "+ go\r\n{tag} OK [APPENDUID 1 1:999999999] hm"),
            ("APPEND", "{tag} NO \x1b[31mred\x07 " + "x" * 5000),
        ):
            with self.subTest(f"{name} {reply[:30]}"):
                fake = self.fake()
                fake.capabilities += " NAMESPACE"
                fake.folders["Sent"] = FakeFolder()
                fake.folders["Sent"].add(message(2)[0])
                fake.replies = {name: reply}
                try:
                    self._use(self.signed_in(fake, timeout=2))
                except ImapFailure as failure:
                    self.assertTrue(str(failure).isprintable())
                    self.assertLess(len(str(failure)), 500)

    def test_replies_without_words_are_replies(self):
        fake = self.fake()
        fake.folders["Sent"] = FakeFolder()
        fake.replies = {"CLOSE": "{tag} OK", "APPEND": "{tag} NO"}
        connection = self.signed_in(fake)
        box = connection.sent_box(connection.find_sent_folder())
        self.assertEqual("refused", self.fails(box.file, *message(1), SENT_AT).kind)
        del fake.replies["APPEND"]
        self.assertFalse(box.file(*message(1), SENT_AT).already)

    def test_random_nonsense_is_a_failure_like_any_other(self):
        chance = random.Random(12)  # noqa: S311
        for _case in range(60):
            fake = self.fake()
            fake.capabilities += " NAMESPACE ACL QUOTA OBJECTID MULTIAPPEND UNSELECT"
            fake.folders["Sent"] = FakeFolder()
            fake.folders["Sent"].add(message(2)[0])
            name = chance.choice(COMMANDS)
            lines = [
                " ".join(chance.choices(WORDS, k=chance.randint(1, 7)))
                for _line in range(chance.randint(1, 3))
            ]
            end = chance.choice(("OK done", "OK [READ-ONLY] done", "NO no", "BAD"))
            reply = f"* {name.split()[-1]} " + "\r\n* ".join(lines)
            fake.replies = {name: f"{reply}\r\n{{tag}} {end}"}
            with self.subTest(fake.replies), contextlib.suppress(ImapFailure):
                connection = self.signed_in(fake, timeout=1, disable_tls=True)
                folder = connection.find_sent_folder(create=True)
                connection.prove_filing(folder)
                connection.sent_box(folder).file_many(copies(2))


@tagged("-at_install", "post_install")
class TestFailures(ImapCase):
    def test_words_are_printable_and_short(self):
        self.assertEqual("a b c", printable("a\x00\x1b\r\nb c"))
        self.assertEqual(REPLY_LIMIT, len(printable("x" * 10_000_000)))
        self.assertEqual("\ufffd", printable(b"\xff"))

    def test_refusals_of_a_copy(self):
        for status, text, kind, retryable in (
            ("NO", "[OVERQUOTA] Quota exceeded", "quota", True),
            ("NO", "Mailbox is full / over quota", "quota", True),
            # GroupWise, Exchange, hosting companies
            (
                "NO",
                "APPEND The 1500 MB storage limit has been exceeded.",
                "quota",
                True,
            ),
            ("NO", "[ALERT] Quota exceeded", "quota", True),
            ("NO", "Not enough disk space", "quota", True),
            ("NO", "Mailbox size limit reached", "quota", True),
            ("NO", "exceeded storage allocation", "quota", True),
            ("NO", "Message size exceeds fixed limit", "refused", True),
            ("NO", "[TRYCREATE] no", "folder", True),
            ("NO", "[NOPERM] no", "refused", False),
            ("NO", "[TOOBIG] no", "refused", False),
            ("NO", "[UNAVAILABLE] later", "refused", True),
            ("NO", "internal error", "refused", True),
            ("BAD", "invalid message", "refused", False),
        ):
            failure = refusal_failure(ServerRefusal(status, text), "refused")
            self.assertEqual((kind, retryable), (failure.kind, failure.retryable))

    def test_what_passes_by_itself_asks_for_nothing(self):
        for stage in ("folder", "refused"):
            for text in ("[INUSE] locked by POP3", "[LIMIT] rate limit hit"):
                failure = refusal_failure(ServerRefusal("NO", text), stage)
                self.assertIn("tried again by itself", str(failure))
                self.assertNotIn("Choose", str(failure))
                self.assertIn(text, str(failure))

    def test_default_trust_is_the_systems(self):
        self.assertEqual(ssl.CERT_REQUIRED, ssl.create_default_context().verify_mode)
