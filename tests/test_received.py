"""What a header tells of its way, and what a hostile one does to us: nothing."""

import time

from odoo.tests import BaseCase, tagged

from ..tools.imap.arrival import Sought
from ..tools.received import judge

MESSAGE_ID = "<1@example.com>"
SENT = {"List-Unsubscribe": "<https://example.com/u>"}


def read(*lines, header_from="Ada <ada@example.com>"):
    header = "\r\n".join((*lines, "", "")).encode()
    return judge(header, MESSAGE_ID, header_from, SENT)


@tagged("post_install", "-at_install", "user_email_alias")
class TestReceived(BaseCase):
    def test_from_is_compared_as_it_is_read(self):
        for text in (
            "Ada <ada@example.com>",
            "=?utf-8?q?Ada?= <ada@EXAMPLE.com>",
            '"Ada" <ada@example.com>',
        ):
            self.assertTrue(read(f"From: {text}").is_from_kept, text)
        for text in ("ada@example.com", "Ada <eve@example.com>", "x", ""):
            self.assertFalse(read(f"From: {text}").is_from_kept, text)

    def test_where_our_message_id_is(self):
        name = "X-Microsoft-Original-Message-ID"
        self.assertEqual(read(f"message-id: {MESSAGE_ID}").id_kept_as, "Message-ID")
        lines = ("Message-ID: <2@x>", f"{name}:\r\n {MESSAGE_ID}")
        self.assertEqual(read(*lines).id_kept_as, name)
        self.assertEqual(read("Message-ID: <2@x>").id_kept_as, "")

    def test_a_folded_header_is_the_same(self):
        kept = read("List-Unsubscribe:\r\n <https://example.com/\r\n u>").kept
        self.assertEqual(kept, ["List-Unsubscribe"])
        self.assertEqual(read("List-Unsubscribe: <https://x/u>").lost, list(SENT))

    def test_signatures_are_sorted_by_what_they_cover(self):
        found = read(
            "DKIM-Signature: v=1; d=a.example;\r\n h=From:List-Unsubscribe :"
            "\r\n List-Unsubscribe-Post; b=x",
            "DKIM-Signature: h=from:list-unsubscribe; d=b.example",
            "DKIM-Signature: d=a.example; h=from",
            "DKIM-Signature: nonsense",
        )
        self.assertEqual(found.signers, ["a.example"])
        self.assertEqual(found.other_signers, ["b.example"])

    def test_only_the_topmost_results_count(self):
        found = read(
            "Authentication-Results: mx.a.example 1; dkim=fail; dkim=pass (a (b) c)"
            " header.d=x; spf=softfail smtp.mailfrom=y",
            "Authentication-Results: mx.b.example; dmarc=pass",
        )
        self.assertEqual(found.authority, "mx.a.example")
        self.assertEqual(found.results, {"dkim": "pass", "spf": "softfail"})
        self.assertEqual(read("Authentication-Results: mx; none").results, {})

    def test_hostile_headers_take_no_time_and_show_little(self):
        long = "x" * 200_000
        cases = (
            f"From: {'<' * 100_000}",
            f"From: {'(' * 100_000}",
            f"From: {'=?utf-8?q?a?= ' * 20_000}",
            f"From: {long} <a@b.example>",
            f"Authentication-Results: {'(' * 50_000}{')' * 50_000}; spf=pass",
            f"Authentication-Results: {long}; spf=pass",
            f"DKIM-Signature: {'a=b;' * 50_000}",
            f"DKIM-Signature: d={long}; h=from",
            "From: =?no-such-charset?q?a?= <a@b.example>",
            "From: =?utf-8?b?!!!?=",
        )
        for case in cases:
            started = time.monotonic()
            shown = read(*[case] * 3)
            self.assertLess(time.monotonic() - started, 3, case[:60])
            self.assertLess(len(str(shown)), 2000, case[:60])

    def test_a_message_is_known_by_its_id_or_its_subject(self):
        sought = Sought("<1@example.com>", "A1B2C3")
        for line in (
            b"Message-ID: <1@example.com>",
            b"X-Google-Original-Message-ID: <1@example.com>",
            b"Subject: Test A1B2C3",
            b"Subject: =?utf-8?b?VGVzdCBBMUIyQzM=?=",
            b"Subject: T\xc3\xa4st\r\n A1B2C3",
        ):
            self.assertTrue(sought.is_in(line), line)
        for line in (b"Subject: Test", b"", b"Subject: =?utf-8?b?!?=", b"\xff\x00"):
            self.assertFalse(sought.is_in(line), line)
