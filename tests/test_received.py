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

    def test_results_as_providers_write_them(self):
        for line, authority, expected in (
            # Microsoft names nobody (go-msgauth 64, MimeKit 490, dkim_verifier 423)
            (
                (
                    "spf=pass (sender IP is 192.0.2.1)\r\n smtp.mailfrom=example.com; "
                    "dkim=pass (signature was verified)\r\n "
                    "header.d=example.com;dmarc=pass"
                    " action=none\r\n header.from=example.com;compauth=pass reason=100"
                ),
                "",
                "pass pass pass",
            ),
            (
                (
                    "spf=fail (sender IP is 1.1.1.1) "
                    "smtp.mailfrom=x.example; y.example; "
                    "dkim=none (message not signed) header.d=none;y.example; "
                    "dmarc=bestguesspass action=none header.from=x.example;"
                ),
                "",
                "fail none bestguesspass",
            ),
            # Yahoo has words of its own (MimeKit 584)
            (
                (
                    "atlas122.free.mail.gq1.yahoo.com;\r\n dkim=dkim_pass "
                    "header.i=@x.example header.s=@x2;\r\n "
                    "spf=pass smtp.mailfrom=x.example;"
                    "\r\n dmarc=success(p=REJECT) header.from=x.example;"
                ),
                "atlas122.free.mail.gq1.yahoo.com",
                "pass pass pass",
            ),
            # Gmail
            (
                (
                    "mx.google.com;\r\n       dkim=pass header.i=@x.example header.s=s "
                    "header.b=Ab+/c;\r\n       spf=pass "
                    "(google.com: domain of a@x.example "
                    "designates 192.0.2.1 as permitted sender) "
                    "smtp.mailfrom=a@x.example;"
                    "\r\n       dmarc=pass (p=NONE sp=NONE "
                    "dis=NONE) header.from=x.example"
                ),
                "mx.google.com",
                "pass pass pass",
            ),
            # Fastmail
            (
                (
                    "mx1.messagingengine.com; arc=none (no "
                    "signatures found); bimi=skipped "
                    "(DMARC did not pass); dkim=fail (message has "
                    "been altered; 2048-bit "
                    "rsa key sha256) header.d=x.example x-bits=2048; dkim-adsp=none; "
                    "dmarc=fail policy.published-domain-policy=none; iprev=pass "
                    "policy.iprev=192.0.2.1; spf=softfail smtp.helo=mx.x.example"
                ),
                "mx1.messagingengine.com",
                "softfail fail fail",
            ),
            # rspamd, on a server where who submits is named
            (
                (
                    "mail.x.example;\r\n\tdkim=pass header.d=x.example header.s=dkim "
                    "header.b=abc;\r\n\tspf=none (mail.x.example: "
                    "domain of a@x.example has "
                    "no SPF policy (\\) ) ) "
                    "smtp.mailfrom=a@x.example; auth=pass (plain) "
                    "smtp.auth=a@x.example;\r\n\tdmarc=pass (policy=none) "
                    "header.from=x.example"
                ),
                "mail.x.example",
                "none pass pass",
            ),
            # Exim
            (
                (
                    "mx.x.example;\r\n\tiprev=pass (m.x.example) "
                    "smtp.remote-ip=192.0.2.1;"
                    "\r\n\tspf=pass "
                    "smtp.mailfrom=x.example;\r\n\tdkim=pass header.d=x.example "
                    "header.s=s "
                    "header.a=rsa-sha256;\r\n\tdmarc=pass header.from=x.example;"
                    "\r\n\tarc=none"
                ),
                "mx.x.example",
                "pass pass pass",
            ),
        ):
            with self.subTest(line[:40]):
                found = read(f"Authentication-Results: {line}")
                self.assertEqual(found.authority, authority)
                told = [found.results.get(m) for m in ("spf", "dkim", "dmarc")]
                self.assertEqual(" ".join(map(str, told)), expected)

    def test_one_server_writes_a_header_for_each_method(self):
        # opendmarc above opendkim above policyd-spf
        found = read(
            "Authentication-Results: mx.x.example; dmarc=fail (p=none dis=none)",
            "Authentication-Results: mx.x.example;\r\n dkim=pass header.d=x.example",
            "Authentication-Results: mx.x.example; spf=pass (mailfrom) smtp.mailfrom=x",
            "Authentication-Results: mx.other.example; dmarc=pass",
            "Authentication-Results: mx.x.example; dmarc=pass",
        )
        expected = {"dmarc": "fail", "dkim": "pass", "spf": "pass"}
        self.assertEqual(found.results, expected)

    def test_results_below_one_without_a_name_do_not_count(self):
        found = read(
            "Authentication-Results: dkim=none header.d=none;dmarc=none action=none",
            "Authentication-Results: spf=pass; dmarc=pass",
            "ARC-Authentication-Results: i=1; mx.x.example; spf=pass",
            "X-Authentication-Results: mx.x.example; spf=pass",
        )
        self.assertEqual(found.results, {"dkim": "none", "dmarc": "none"})

    def test_spf_of_the_greeting_is_second_to_that_of_the_sender(self):
        sender, greeting = "spf=fail smtp.mailfrom=x", "spf=pass smtp.helo=mx.x"
        for parts in ((sender, greeting), (greeting, sender)):
            found = read(f"Authentication-Results: mx; {'; '.join(parts)}")
            self.assertEqual(found.results, {"spf": "fail"})
        found = read(f"Authentication-Results: mx; {greeting}")
        self.assertEqual(found.results, {"spf": "pass"})

    def test_a_name_with_a_comma_is_kept_however_it_is_written(self):
        for name in (
            "=?utf-8?q?M=C3=BCller=2C_Ada?=",
            "=?utf-8?b?TcO8bGxlciwgQWRh?=",
            '"=?utf-8?q?M=C3=BCller=2C_Ada?="',
            "=?utf-8?q?M=C3=BCller=2C?=\r\n =?utf-8?q?_Ada?=",
        ):
            found = read(
                f"From: {name} <ada@example.com>",
                header_from='"Müller, Ada" <ada@example.com>',
            )
            self.assertTrue(found.is_from_kept, name)
            self.assertIn("Müller, Ada", found.header_from)
        found = read(
            "From: =?utf-8?q?Eve_=3Ceve=40x=3E=2C?= <ada@example.com>",
            header_from="Ada <ada@example.com>",
        )
        self.assertFalse(found.is_from_kept)

    def test_signature_that_names_headers_twice_or_a_length(self):
        found = read(
            "DKIM-Signature: v=1; a=rsa-sha256; d=A.example; l=120; s=s;\r\n\th=From:"
            "From:Subject:List-Unsubscribe:List-Unsubscribe:\r\n\tList-Unsubscribe-Post"
            ":List-Unsubscribe-Post; bh=x=; b=y=",
        )
        self.assertEqual(found.signers, ["a.example"])
        # sendgrid-nodejs 893, postal 2788
        found = read("DKIM-Signature: d=a.example; h=from:to:list-unsubscribe; b=y")
        self.assertEqual((found.signers, found.other_signers), ([], ["a.example"]))

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
