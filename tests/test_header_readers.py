"""What two readers that share no code make of our headers: Python's and Perl's."""

import email
import email.policy
import email.utils
import re
import unittest
from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..tools.header.mailboxes import Mailbox, as_literal_names, parse_mailboxes
from ..tools.header.text import UnwritableHeader, as_literal, clean
from ..tools.header.writer import write_addresses, write_header
from . import perl_reader
from .test_header import MAILBOXES, NAMES, TEXTS, THOROUGH, decode, read

LOOK_ALIKES = st.sampled_from(
    (
        "=?utf-8?q?b?=",
        "=?UTF-8?B?YQ==?=",
        "=?x-none?q?b?=",
        "=?utf-8?q?hi=0D=0ABcc:_eve@example.org?=",
        "=?",
        "?=",
        "=?utf-8?q?b c?=",
    )
)
TRICKS = st.lists(
    st.one_of(LOOK_ALIKES, TEXTS.map(lambda text: text[:20])), min_size=1, max_size=5
).map(lambda parts: "".join(parts).strip())
HOSTS = st.sampled_from(
    ("bücher.example", "BÜCHER.example", "Straße.example", "ящик.рф", "例え.jp", "a.b")
)
PATHS = st.text("aä/ %20?&=#,;:@!+()ü", max_size=30).map(lambda text: text.strip())


def modern(lines):
    """A header object of Python's newer parser."""
    return email.message_from_bytes(lines + b"\r\n", policy=email.policy.default)


@tagged("-at_install", "post_install")
@unittest.skipIf(perl_reader.missing(), perl_reader.missing())
class TestReaders(BaseCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.perl = cls.enterClassContext(perl_reader.PerlReader())

    def assertReads(self, lines, meant, name="Subject"):
        value = read(lines)
        self.assertEqual(decode(value), meant)
        self.assertEqual(self.perl.text(value), meant)
        self.assertEqual(modern(lines)[name], meant)

    def typed(self, text):
        """What somebody typed, as a header object that core has made."""
        message = email.message.EmailMessage(policy=email.policy.SMTP)
        message["Subject"] = as_literal(text)
        return message["Subject"]

    @THOROUGH
    @given(text=st.one_of(TEXTS, TRICKS))
    def test_what_somebody_typed_is_what_both_read(self, text):
        self.assertReads(write_header("Subject", self.typed(clean(text))), clean(text))

    def test_encoded_words_are_read_in_one_way_by_all(self):
        for text, meant in (
            ("a=?utf-8?q?b?=c", None),
            ("=?utf-8?q?b?=c", None),
            ("(=?utf-8?q?b?=)", None),
            ("=?utf-8?q?b?==?utf-8?q?c?=", None),
            ("=?utf-8?q?b?=", "b"),
            ("a =?utf-8?q?b?= =?iso-8859-1?q?=E4?= d", "a bä d"),
            ("=?utf-8?q?b?= ü", "b ü"),
        ):
            with self.subTest(text=text):
                self.assertReads(write_header("Subject", text), meant or text)

    @THOROUGH
    @given(mailboxes=MAILBOXES)
    def test_names_and_addresses(self, mailboxes):
        value = read(write_addresses("To", mailboxes))
        meant = [tuple(mailbox) for mailbox in mailboxes]
        found = self.perl.addresses(value)
        self.assertEqual(found, meant)

    @THOROUGH
    @given(name=st.one_of(NAMES, TRICKS).map(clean).map(str.strip).filter(bool))
    def test_a_name_that_looks_encoded_is_read_as_it_was_typed(self, name):
        escaped = re.sub(r'([\\"])', r"\\\1", name)
        text = as_literal_names(f'"{escaped}" <a@b.example>')
        # Python itself joins several spaces of an encoded word
        values = ([text, text],) if re.search(r"\s\s", name) else (text, [text, text])
        for value in values:
            message = email.message.EmailMessage(policy=email.policy.SMTP)
            message["To"] = value
            written = read(write_header("To", message["To"]))
            count = 1 if value is text else 2
            meant = [(name, "a@b.example")] * count
            self.assertEqual(self.perl.addresses(written), meant)
            self.assertEqual(
                [(decode(n), a) for n, a in email.utils.getaddresses([written])], meant
            )
            self.assertEqual(
                parse_mailboxes("To", written), [Mailbox(*m) for m in meant]
            )

    @THOROUGH
    @given(host=HOSTS, path=PATHS, port=st.sampled_from(("", ":8443")))
    def test_links_keep_what_they_say(self, host, path, port):
        link = f"https://{host}{port}/{path}"
        mailto = f"mailto:leave@{host}?subject={path.replace('#', '').strip()}"
        lines = write_header("List-Unsubscribe", f"<{mailto}>, <{link}>")
        value = read(lines)
        self.assertNotIn("=?utf", value)
        self.assertEqual(modern(lines)["List-Unsubscribe"], value)
        self.assertTrue(value.isascii())
        [written_mailto, written_link] = re.findall(r"<([^<> ]*)>", value)
        ascii_host = (
            host.encode("idna").decode()
            if host != "Straße.example"
            else ("xn--strae-oqa.example")
        )
        for written, meant in ((written_mailto, mailto), (written_link, link)):
            self.assertEqual(
                unquote(written), unquote(meant).replace(host, ascii_host, 1)
            )

    @THOROUGH
    @given(phrase=NAMES.filter(bool), host=HOSTS)
    def test_the_name_of_a_list(self, phrase, host):
        """However it is quoted, people read the same before the id."""
        for_people = phrase
        escaped = re.sub(r'([\\"])', r"\\\1", phrase)
        value = f'"{escaped}" <news.{host}>'
        if phrase.isascii():
            for_people = f'"{escaped}"'
        message = email.message.EmailMessage(policy=email.policy.SMTP)
        message["List-Id"] = value
        lines = write_header("List-Id", message["List-Id"])
        host = (
            "xn--strae-oqa.example"
            if host == "Straße.example"
            else (host.encode("idna").decode() if not host.isascii() else host)
        )
        if "=?" in phrase:
            return
        self.assertReads(lines, f"{for_people} <news.{host}>", "List-Id")

    def test_a_list_with_inner_quotes_and_brackets(self):
        for value, meant in (
            ('"My \\"best\\" list" <a.example>', None),
            ('"a <b c> d" <a.example>', None),
            ('"two  spaces" <a.example>', None),
            ('My "best" list <a.example>', None),
            (
                '"Die \\"großen\\" <alten>" <a.example>',
                'Die "großen" <alten> <a.example>',
            ),
            ('Die "großen" <A.ÜBER.example>', 'Die "großen" <a.xn--ber-goa.example>'),
            ("a.example", None),
            ("<a.example>", None),
            ("Nachrichten für alle", None),
        ):
            with self.subTest(value=value):
                self.assertReads(
                    write_header("List-Id", value), meant or value, "List-Id"
                )

    def test_a_link_that_is_none_is_refused(self):
        for name, value in (
            ("List-Unsubscribe", "<https://☃☃.example/ü>"),
            ("List-Id", "ü <☃☃.example>"),
        ):
            with self.subTest(name=name), self.assertRaises(UnwritableHeader):
                write_header(name, value)

    def test_a_bare_link_gets_its_brackets(self):
        self.assertEqual(
            write_header("List-Unsubscribe", "https://bücher.example/ü"),
            b"List-Unsubscribe: <https://xn--bcher-kva.example/%C3%BC>\r\n",
        )
