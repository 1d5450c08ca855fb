import contextlib
import email
import email.policy
import time
from email.headerregistry import Address
from email.parser import BytesParser

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..tools.message import UnsafeMessage, check_block, has_crlf_only
from .common_message import compose, flatten

INJECTIONS = (
    "=?utf-8?q?hi=0D=0ABcc:_eve@example.org?=",
    "=?utf-8?q?hi=0ABcc:_eve@example.org?=",
    "=?utf-8?q?hi=0DBcc:_eve@example.org?=",
    "=?utf-8?b?aGkNCkJjYzogZXZlQGV4YW1wbGUub3Jn?=",
    "=?us-ascii?q?hi=0D=0A=0D=0Abody?=",
    "ok =?utf-8?q?hi=0D=0ABcc:_eve@example.org?= ok",
    "=?utf-8?q?=00?=",
    "=?utf-8?q?a=0Bb?=",
)
MEGABYTE = 1_000_000
CLEAN_TEXT = st.text(st.characters(blacklist_categories=("Cc", "Cs")), max_size=200)
ANY_TEXT = st.one_of(
    CLEAN_TEXT,
    CLEAN_TEXT,
    CLEAN_TEXT,
    st.text(max_size=80),
    st.sampled_from(INJECTIONS),
)


def header_names(data):
    return list(BytesParser(policy=email.policy.compat32).parsebytes(data).keys())


@tagged("-at_install", "post_install")
class TestFlatten(BaseCase):
    def test_a_usual_message_arrives_complete(self):
        message = compose(Cc="Jörg <joerg@example.net>", References="<a@b> <c@d>")
        message.add_alternative("<p>Häuser\n.\n..</p>" * 50, subtype="html")
        message.add_attachment(
            b"\x00\xff" * 500, maintype="image", subtype="png", filename="Bär.png"
        )
        data = flatten(message)
        self.assertTrue(data.isascii(), "7 bit")
        self.assertEqual(data.count(b"\n"), data.count(b"\r\n"))
        parsed = email.message_from_bytes(data, policy=email.policy.default)
        for name in ("Subject", "From", "To", "Cc", "References"):
            self.assertEqual(parsed[name], message[name])
        plain, html = (
            parsed.get_body((kind,)).get_content() for kind in ("plain", "html")
        )
        self.assertEqual(plain.split(), ["Hello"])
        self.assertEqual(html.split(), ("<p>Häuser\n.\n..</p>" * 50).split())
        [attachment] = parsed.iter_attachments()
        self.assertEqual(attachment.get_filename(), "Bär.png")
        self.assertEqual(attachment.get_content(), b"\x00\xff" * 500)

    def test_bcc_never_leaves_and_stays_in_the_message(self):
        message = compose(Bcc="eve@example.org")
        message["Resent-Bcc"] = "eve@example.org"
        self.assertNotIn(b"eve@", flatten(message))
        self.assertEqual(message["Bcc"], "eve@example.org")

    def test_domains_become_a_labels_in_address_headers(self):
        message = compose(
            From='"Jörg" <joerg@bücher.example>',
            To='a@example.com, "B, C" <b@ящик.рф>',
            Reply_To=[Address("R", "r", "straße.example")],
        )
        data = flatten(message)
        self.assertTrue(data.isascii())
        parsed = email.message_from_bytes(data, policy=email.policy.default)
        self.assertEqual(
            parsed["From"].addresses[0].addr_spec, "joerg@xn--bcher-kva.example"
        )
        self.assertEqual(parsed["From"].addresses[0].display_name, "Jörg")
        self.assertEqual(
            [(item.display_name, item.addr_spec) for item in parsed["To"].addresses],
            [("", "a@example.com"), ("B, C", "b@xn--h1ae7bxa.xn--p1ai")],
        )
        self.assertEqual(
            parsed["Reply-To"].addresses[0].domain, "xn--strae-oqa.example"
        )
        self.assertIn("bücher", message["From"], "the caller's message is untouched")

    def test_a_local_part_outside_ascii_leaves_the_headers_in_utf8(self):
        data = flatten(compose(From="Jörg <jörg@bücher.example>"))
        self.assertIn("From: Jörg <jörg@xn--bcher-kva.example>\r\n".encode(), data)
        self.assertIn("Subject: Grüße\r\n".encode(), data)

    def test_a_domain_that_does_not_exist_is_refused(self):
        with self.assertRaises(UnsafeMessage):
            flatten(compose(To="bob@☃☃.example"))

    def test_decoded_line_breaks_are_refused_everywhere(self):
        for text in INJECTIONS:
            for name, value in (
                ("Subject", text),
                ("From", f"{text} <ada@example.com>"),
                ("To", f"{text} <bob@example.org>"),
                ("Reply_To", f"{text} <bob@example.org>"),
                ("X_Odoo_Note", text),
                ("List_Unsubscribe", text),
            ):
                with self.subTest(name=name, text=text):
                    try:
                        message = compose(**{name: value})
                    except ValueError:
                        continue  # this Python refuses it itself
                    self.assertRaises(UnsafeMessage, flatten, message)

    def test_line_breaks_in_parts_are_refused(self):
        for name in ("a\r\nBcc: eve@example.org", "=?utf-8?q?a=0D=0AX:_y?="):
            message = compose()
            message.add_attachment(b"x", maintype="text", subtype="x", filename="ok")
            [part] = message.iter_attachments()
            part._headers.append(("X-Note", name))
            with self.subTest(name=name):
                if "\r" in name:
                    self.assertRaises(UnsafeMessage, flatten, message)
                else:
                    names = header_names(flatten(message))
                    self.assertNotIn("X", names)

    def test_header_names_of_parts_are_checked_as_well(self):
        for name in ("X-A\r\nContent-Type", "X A", "X\r\n\r\nbody"):
            message = compose()
            message.add_attachment(b"x", maintype="text", subtype="x", filename="ok")
            [part] = message.iter_attachments()
            part._headers.append((name, "value"))
            with self.subTest(name=name):
                self.assertRaises(UnsafeMessage, flatten, message)

    def test_header_names_are_printable_ascii(self):
        for name in (
            "X-A\r\nBcc",
            "X A",
            "X-A:",
            "",
            "X-Ä",
            "X-A\t",
            "X\0",
            "Bcc: eve@example.org\r\nX",
        ):
            message = compose()
            message._headers.append((name, "value"))
            with self.subTest(name=name):
                self.assertRaises(UnsafeMessage, flatten, message)

    def test_raw_line_breaks_in_values_are_refused(self):
        for value in ("a\r\nBcc: eve@example.org", "a\nb", "a\rb", "a\r\n\r\nb"):
            message = compose()
            message._headers.append(("X-A", value))
            with self.subTest(value=value):
                self.assertRaises(UnsafeMessage, flatten, message)

    def test_a_forwarded_message_keeps_its_folded_headers(self):
        raw = (
            b"Subject: a\r\n b\r\nReceived: x;\r\n\ty\r\n\r\nbody\rwith\nbare ends\r\n"
        )
        message = compose()
        message.add_attachment(BytesParser().parsebytes(raw), filename="mail.eml")
        data = flatten(message)
        self.assertEqual(data.count(b"\n"), data.count(b"\r\n"))
        self.assertEqual(data.count(b"\r"), data.count(b"\r\n"))
        self.assertIn(b"Received: x;\r\n\ty\r\n", data)

    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        subject=ANY_TEXT,
        name=ANY_TEXT,
        header=ANY_TEXT,
        filename=ANY_TEXT,
        body=st.text(),
    )
    def test_any_text_leaves_the_intended_headers_or_none(
        self, subject, name, header, filename, body
    ):
        try:
            message = compose(
                Subject=subject,
                From=[Address(name, "ada", "example.com")],
                X_Note=header,
            )
            message.set_content(body)
            message.add_attachment(
                b"x", maintype="application", subtype="pdf", filename=filename
            )
        except (ValueError, IndexError):
            return  # refused by the library before us
        try:
            data = flatten(message)
        except UnsafeMessage:
            return
        self.assertEqual(header_names(data), message.keys())
        self.assertEqual(data.count(b"\n"), data.count(b"\r\n"))


@tagged("-at_install", "post_install")
class TestCheckBlock(BaseCase):
    GOOD = b"From: a@b.example\r\nSubject: x\r\n y\r\n"

    def test_what_is_intended_passes(self):
        check_block(self.GOOD, ["From", "Subject"])
        check_block(self.GOOD, ["FROM", "subject"])
        check_block(b"From: a@b.example\r\n", ["From"])

    def test_what_is_not_intended_is_refused(self):
        for block, *intended in (
            (self.GOOD, "From"),
            (self.GOOD, "Subject", "From"),
            (self.GOOD, "From", "Subject", "Bcc"),
            (self.GOOD,),
            (b"From: a\r\nBcc: x\r\nSubject: y\r\n", "From", "Subject"),
            (b"From: a\r\nFrom: b\r\n", "From", "From"),
            (b"Subject: a\r\nsubject: b\r\n", "Subject", "subject"),
            (b"From: a\nTo: b\r\n", "From"),
            (b"From: a\rTo: b\r\n", "From"),
            (b" From: a\r\n", " From"),
            (b"From a\r\n", "From a"),
            (b"Fr om: a\r\n", "Fr om"),
            (b"From : a\r\n", "From "),
            (b": a\r\n", ""),
            (b"Fr\xc3\xb6m: a\r\n", "Fr\xc3\xb6m"),
            (b"body without headers\r\n", "body without headers"),
            (b"", "From"),
        ):
            with self.subTest(block=block, intended=intended):
                self.assertRaises(UnsafeMessage, check_block, block, intended)

    def test_headers_have_a_size(self):
        for block, name, count in (
            (b"Subject: " + b"x" * 8001 + b"\r\n", "Subject", 1),
            (b"Subject: x\r\n" + b" y" * 60 + b"\r\n zzzzzzz" * 1000, "Subject", 1),
            (b"To: " + b"a@b.example," * 10_000 + b"\r\n", "To", 1),
            (b"X-A: b\r\n" * 50_000, "X-A", 50_000),
            (b"x" * MEGABYTE, "x", 1),
        ):
            with self.subTest(block=block[:20]):
                self.assertRaises(UnsafeMessage, check_block, block, [name] * count)
        check_block(b"To: " + b"a@b.example,\r\n " * 5000 + b"c@d.example\r\n", ["To"])

    def test_a_megabyte_costs_little(self):
        for block in (
            b"Subject: " + b"x" * MEGABYTE + b"\r\n",
            b" " * MEGABYTE,
            b":" * MEGABYTE,
            b"\r\n" * (MEGABYTE // 2),
            b"a:\r\n" * (MEGABYTE // 4),
            b"\r" * MEGABYTE,
            self.GOOD + b"\r\n" * MEGABYTE,
            self.GOOD + b"\r\n.\r\r\n" * MEGABYTE,
        ):
            started = time.process_time()
            with contextlib.suppress(UnsafeMessage):
                check_block(block, [])
            self.assertLess(time.process_time() - started, 0.1, block[:20])


@tagged("-at_install", "post_install")
class TestLineEnds(BaseCase):
    def test_each_line_ends_with_crlf(self):
        self.assertTrue(has_crlf_only(b"From: a\r\n\r\nbody\r\n"))
        for data in (b"a\n", b"a\r", b"a\r\n\n.\r\n", b"a\n\r", b"a\r\r\n"):
            with self.subTest(data=data):
                self.assertFalse(has_crlf_only(data))
