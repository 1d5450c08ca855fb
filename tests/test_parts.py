"""What came from elsewhere keeps its bytes, or goes as a file."""

import email
import email.policy
import os
from email.message import EmailMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.parser import BytesParser

from odoo.tests import BaseCase, tagged

from ..tools.attachments import SharedParts
from ..tools.message import join, write_pieces
from .common_message import compose, flatten

FOLDED = b"Subject: a\r\n b\r\nReceived: x;\r\n\ty\r\n" + b"\r\n".join(
    b"X-Long: " + b" ".join([b"word"] * 15) for _ in range(120)
)
FITS = {
    "plain": b"From: a@b.example\r\nSubject: Hi\r\n\r\nHello\r\n",
    "bare line ends": b"From: a@b.example\nSubject: Hi\n\nHello\r.\rx\n",
    "long folded header": FOLDED + b"\r\n\r\nbody\r\n",
    "header without body": b"Subject: Hi\r\n",
    "spaces": b"Subject:  Hi \r\nX-Empty:\r\n\r\n \r\n\r\n",
    "no header at all": b"just text",
    "unfinished multipart": b'Content-Type: multipart/mixed; boundary="x"\n\n--x\n',
    "encoded words": b"Subject: =?utf-8?q?hi=0D=0ABcc:_x?=\r\n\r\n",
}
AS_FILE = {
    "8 bit without charset": b"Subject: Hi\r\n\r\nGr\xfc\xdfe\r\n",
    "utf-8": "Subject: Grüße\r\n\r\nHäuser\r\n".encode(),
    "raw iso-2022-jp": b"Subject: " + "日本".encode("shift_jis") + b"\r\n\r\nx",
    "header of 8.5 kB on one line": b"X-Long: " + b"x" * 8500 + b"\r\n\r\nbody\r\n",
    "line over 998": b"Subject: Hi\r\n\r\n" + b"x" * 999 + b"\r\n",
    "null byte": b"Subject: Hi\r\n\r\na\0b\r\n",
}


def with_crlf(data):
    return b"\r\n".join(
        b"\n".join(data.split(b"\r\n")).replace(b"\r", b"\n").split(b"\n")
    )


def has_safe_form(data):
    lines = data.split(b"\r\n")
    return (
        data.isascii()
        and b"\0" not in data
        and not any(b"\r" in line or b"\n" in line for line in lines)
        and max(map(len, lines)) <= 998
    )


@tagged("-at_install", "post_install")
class TestForeign(BaseCase):
    def attach(self, data, by_core):
        message = compose()
        if by_core:
            message.add_attachment(BytesParser().parsebytes(data), filename="a.eml")
        else:
            SharedParts().attach(message, "a.eml", data, "message/rfc822")
        written = flatten(message)
        self.assertTrue(has_safe_form(written))
        parsed = email.message_from_bytes(written, policy=email.policy.default)
        [part] = parsed.iter_attachments()
        self.assertEqual(part.get_filename(), "a.eml")
        return written, part

    def test_a_forwarded_message_keeps_every_byte(self):
        for name, data in FITS.items():
            with self.subTest(name=name):
                written, part = self.attach(data, by_core=False)
                self.assertEqual(part.get_content_type(), "message/rfc822")
                self.assertIn(b"\r\n\r\n" + with_crlf(data) + b"\r\n--", written)

    def test_what_cannot_be_written_is_a_file_with_every_byte(self):
        for name, data in AS_FILE.items():
            for by_core in (False, True):
                with self.subTest(name=name, by_core=by_core):
                    _written, part = self.attach(data, by_core)
                    self.assertEqual(
                        part.get_content_type(), "application/octet-stream"
                    )
                    content = part.get_content()
                    if by_core:
                        content, data = content.strip(), with_crlf(data).strip()
                    self.assertEqual(content, data)

    def test_a_message_that_was_parsed_is_written_as_it_came(self):
        for name in ("plain", "long folded header", "encoded words"):
            with self.subTest(name=name):
                written, part = self.attach(FITS[name], by_core=True)
                self.assertEqual(part.get_content_type(), "message/rfc822")
                self.assertIn(with_crlf(FITS[name]), written)

    def test_types_that_would_be_read_as_parts_are_files(self):
        for kind in ("multipart/mixed", "multipart/x", "message/partial"):
            for data in (b"--x\r\n", b"\xff\0"):
                message = compose()
                SharedParts().attach(message, "a", data, kind)
                message.add_attachment(data, *kind.split("/"), filename="b")
                parsed = email.message_from_bytes(flatten(message))
                for part in parsed.get_payload()[1:]:
                    with self.subTest(kind=kind, data=data):
                        if part.get_content_type() != "message/partial":
                            self.assertEqual(
                                part.get_content_type(), "application/octet-stream"
                            )
                            self.assertEqual(part.get_payload(decode=True), data)

    def test_any_type_and_name_of_a_file_is_taken(self):
        for kind in (
            "",
            None,
            "x",
            "a/b/c",
            "text/plain; charset=x/y",
            "ä/ö",
            "a/b\nc:d",
        ):
            message = compose()
            SharedParts().attach(message, "Bär\r\n\x07.png", b"\xff", kind)
            data = flatten(message)
            [part] = email.message_from_bytes(
                data, policy=email.policy.default
            ).iter_attachments()
            with self.subTest(kind=kind):
                self.assertEqual(part.get_filename(), "Bär .png")
                self.assertEqual(part.get_payload(decode=True), b"\xff")

    def test_parameters_of_a_type_stay(self):
        for kind, expected in (
            (
                "text/calendar; method=REQUEST; charset=utf-8",
                {"method": "REQUEST", "charset": "utf-8"},
            ),
            ("text/plain; charset=iso-8859-1", {"charset": "iso-8859-1"}),
            (
                'application/pkcs7-mime; smime-type=signed-data; name="Bär.p7m"',
                {"smime-type": "signed-data", "name": "Bär.p7m"},
            ),
            ("image/png", {}),
            ("nonsense; a=b", {}),
            ("multipart/mixed; boundary=x", {}),
            ("text/plain; x=" + "y" * 300, {"x": "y" * 300}),
            (
                "text/plain; \r\nX-Evil=1; a=b\r\nBcc: x",
                {"x-evil": "1", "a": "b bcc: x"},
            ),
        ):
            message = compose()
            shared = SharedParts()
            shared.attach(message, "a =?utf-8?q?b?=", b"\xff", kind)
            shared.attach(message, "a", b"\xff", kind.partition(";")[0])
            data = flatten(message)
            self.assertTrue(has_safe_form(data))
            parsed = email.message_from_bytes(data, policy=email.policy.default)
            one, other = parsed.iter_attachments()
            with self.subTest(kind=kind):
                self.assertEqual(one.get_filename(), "a =?utf-8?q?b?=")
                found = {k: v.lower() for k, v in one["Content-Type"].params.items()}
                expected = {k: v.lower() for k, v in expected.items()}
                self.assertEqual(found, expected)
                self.assertFalse(other["Content-Type"].params)

    def test_text_of_another_add_on_becomes_7_bit(self):
        for body in ("Grüße\n" * 3, "Привет, мир\n" * 50, "x" * 3000, "a\n.\n", " \n"):
            for kind in ("plain", "html"):
                message = MIMEMultipart()
                message["Subject"] = "Hi"
                message["From"] = "a@b.example"
                raw = MIMEText("", kind)
                del raw["Content-Transfer-Encoding"]
                raw.set_param("charset", "utf-8")
                raw.set_payload(body.encode().decode("ascii", "surrogateescape"))
                message.attach(raw)
                message.attach(MIMEText(body, kind, "utf-8"))
                data = flatten(message)
                parts = email.message_from_bytes(data).get_payload()
                with self.subTest(body=body[:10], kind=kind):
                    self.assertTrue(has_safe_form(data))
                    for part in parts:
                        self.assertEqual(part.get_content_charset(), "utf-8")
                        text = part.get_payload(decode=True).decode()
                        self.assertEqual(text.splitlines(), body.splitlines())

    def test_a_signed_part_keeps_its_bytes(self):
        inner = MIMEText("Grüße " * 40, "plain", "utf-8")
        inner["X-Long"] = " ".join(["word"] * 40)
        message = MIMEMultipart("signed", micalg="sha-256", protocol="application/x")
        message["From"] = "a@b.example"
        message.attach(inner)
        message.attach(MIMEText("signature"))
        came = bytes(message)
        signed = came.split(f"--{message.get_boundary()}".encode())[1].strip()
        self.assertIn(with_crlf(signed), flatten(BytesParser().parsebytes(came)))

    def test_parts_in_parts_have_an_end(self):
        message = MIMEText("x")
        for _ in range(2000):
            outer = MIMEMultipart()
            outer.attach(message)
            message = outer
        self.assertRaises(ValueError, flatten, message)


@tagged("-at_install", "post_install")
class TestShared(BaseCase):
    def test_an_attachment_is_encoded_once_and_arrives_whole(self):
        shared = SharedParts()
        content = os.urandom(300_000)
        payloads = set()
        for number in range(3):
            message = compose()
            shared.attach(message, f"{number}.png", bytes(content), "image/png")
            [part] = message.iter_attachments()
            payloads.add(id(part.get_payload()))
            parsed = email.message_from_bytes(
                join(write_pieces(message, shared=shared)), policy=email.policy.default
            )
            [part] = parsed.iter_attachments()
            self.assertEqual(part.get_filename(), f"{number}.png")
            self.assertEqual(part.get_content_type(), "image/png")
            self.assertEqual(part.get_content(), content)
        self.assertEqual(len(payloads), 1)

    def test_only_so_much_is_kept(self):
        shared = SharedParts(max_bytes=10_000)
        for number in range(20):
            shared.attach(compose(), "x", bytes([number]) * 2000, "image/png")
            self.assertLessEqual(shared.size, 10_000)
        self.assertGreater(shared.size, 5000)
        shared.attach(compose(), "x", b"x" * 20_000, "image/png")
        self.assertLessEqual(shared.size, 10_000)
        message = EmailMessage()
        message["From"] = "a@b.example"
        shared.attach(message, "x", b"x" * 20_000, "image/png")
        [part] = email.message_from_bytes(
            join(write_pieces(message, shared=shared)), policy=email.policy.default
        ).iter_attachments()
        self.assertEqual(part.get_content(), b"x" * 20_000)
