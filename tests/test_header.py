"""Headers say what was meant; Python's old reader is the judge."""

import email
import email.header
import email.policy
import email.utils
import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..tools.header.mailboxes import Mailbox, parse_mailboxes
from ..tools.header.parameters import read_parameters, write_parameters
from ..tools.header.text import UnwritableHeader, clean, decode_words, encode_words
from ..tools.header.writer import write_addresses, write_header

SCRIPTS = {
    "ascii": "abcdefgh XYZ",
    "german": "äöüß ABC",
    "vietnamese": "đột phá ếường",
    "russian": "абвгд ежз",
    "greek": "αβγδ εζ",
    "hebrew": "אבג דה",
    "arabic": "ابت ثج",
    "hindi": "नमस्ते दु",
    "thai": "สวัสดี ค",
    "chinese": "中文测试 字",
    "japanese": "日本語テスト\u3000 す",
    "korean": "한국 어",
    "emoji": "😀👨\u200d👩\u200d👧 é",
}
SPECIALS = '"\\,;:<>()[]@.=?_% '
ALPHABETS = st.sampled_from(
    [letters + more for letters in SCRIPTS.values() for more in ("", " ", SPECIALS)]
)
TEXTS = ALPHABETS.flatmap(lambda chars: st.text(chars, min_size=1, max_size=200))
NAMES = TEXTS.map(str.strip)
ADDRESSES = st.sampled_from(
    ("a@b.example", "first.last@long.example.org", '"q q"@b.example', "x+y@c.example")
)
MAILBOXES = st.lists(st.builds(Mailbox, NAMES, ADDRESSES), min_size=1, max_size=50)
THOROUGH = settings(
    max_examples=400, deadline=None, suppress_health_check=list(HealthCheck)
)


def read(lines):
    """The value of a header as it stands, by Python's parser."""
    [(_, value)] = email.message_from_bytes(lines + b"\r\n").items()
    return re.sub(r"\r\n(?=[ \t])", "", value)


def decode(text):
    """What Python makes of encoded words."""
    if "=?" not in text:
        return text
    return str(email.header.make_header(email.header.decode_header(text)))


@tagged("-at_install", "post_install")
class TestText(BaseCase):
    def assertWellFolded(self, lines, name="Subject"):
        self.assertTrue(lines.endswith(b"\r\n"))
        self.assertTrue(lines.isascii())
        for line in lines.removesuffix(b"\r\n").split(b"\r\n"):
            self.assertTrue(line.strip(), "no line of white space")
            self.assertLessEqual(len(line), 998)
            for word in re.findall(rb"=\?\S*", line):
                self.assertRegex(word, rb"\A=\?utf-8\?[qb]\?[ -~]+\?=,?\Z")
                self.assertLessEqual(len(word.rstrip(b",")), 75, "RFC 2047 2")
                self.assertLessEqual(len(line), 79)

    @THOROUGH
    @given(text=TEXTS)
    def test_any_subject_is_read_as_it_was_written(self, text):
        for name in ("Subject", "X-Odoo-Note", "Thread-Topic-Of-A-Long-Name"):
            lines = write_header(name, text) if "=?" not in text else None
            if lines is None:
                return
            self.assertWellFolded(lines)
            self.assertEqual(decode(read(lines)), text)
            self.assertEqual(decode_words(read(lines)), text)
            modern = email.message_from_bytes(
                lines + b"\r\n", policy=email.policy.default
            )
            self.assertEqual(modern[name], text)

    @THOROUGH
    @given(text=TEXTS, octets=st.integers(40, 75))
    def test_encoded_words_are_whole_words_where_they_fit(self, text, octets):
        words = encode_words(text, octets)
        self.assertEqual(decode_words(" ".join(words)), text)
        parts = [decode_words(word) for word in words]
        self.assertEqual("".join(parts), text)
        if "  " not in text and max(map(len, text.split(" "))) <= 4:
            for part in parts[1:]:
                self.assertTrue(part.startswith(" "), "begins where a word begins")

    def test_subjects_that_went_wrong_before(self):
        for text in (
            "đột phá",
            "Grüße aus der großen Stadt an der Elbe, und noch viel mehr Text dahinter",
            "Предложение о сотрудничестве для вашей компании в следующем году",
            "  two  spaces  everywhere  ",
            "50 % off = ?",
            "x" * 900,
            "ä" * 900,
        ):
            with self.subTest(text=text[:30]):
                lines = write_header("Subject", text)
                self.assertWellFolded(lines)
                self.assertEqual(decode(read(lines)), text)

    def test_ascii_stays_readable(self):
        self.assertEqual(
            write_header("Subject", "Re: [Case 12] 100 % done"),
            b"Subject: Re: [Case 12] 100 % done\r\n",
        )

    def test_what_nobody_sees_is_cleaned(self):
        for text, meant in (
            ("a\x1fb\x07c", "abc"),
            ("a\u2028b\x85c\r\nd\te", "a b c d e"),
            ("a\u00a0b\u200bc", "a\u00a0b\u200bc"),
            ("a\ud800b", "a\ufffdb"),
        ):
            with self.subTest(text=ascii(text)):
                self.assertEqual(clean(text), meant)
                self.assertEqual(decode(read(write_header("Subject", meant))), meant)

    def test_a_line_break_that_was_hidden_is_refused(self):
        for name in ("Subject", "List-Unsubscribe", "References", "To"):
            with self.subTest(name=name), self.assertRaises(UnwritableHeader):
                write_header(name, "a@b.example\r\nBcc: eve@example.org")


@tagged("-at_install", "post_install")
class TestMailboxes(BaseCase):
    assertWellFolded = TestText.assertWellFolded

    @THOROUGH
    @given(mailboxes=MAILBOXES)
    def test_names_and_addresses_are_read_as_they_were_written(self, mailboxes):
        lines = write_addresses("To", mailboxes)
        self.assertWellFolded(lines)
        value = read(lines)
        self.assertEqual(parse_mailboxes("To", value), mailboxes)
        self.assertEqual(
            [(decode(name), spec) for name, spec in email.utils.getaddresses([value])],
            [tuple(mailbox) for mailbox in mailboxes],
        )

    @THOROUGH
    @given(name=NAMES)
    def test_names_are_read_from_what_core_writes(self, name):
        escaped = re.sub(r'([\\"])', r"\\\1", name)
        meant = [Mailbox(name, "a@b.example")] * 2
        text = ", ".join([f'"{escaped}" <a@b.example>'] * 2)
        self.assertEqual(parse_mailboxes("To", text), meant)
        message = email.message.EmailMessage(policy=email.policy.SMTP)
        message["To"] = text
        self.assertEqual(parse_mailboxes("To", str(message["To"])), meant)

    def test_what_people_and_programs_write_is_understood(self):
        for text, meant in (
            ("a@b.example", [("", "a@b.example")]),
            ("<a@b.example>", [("", "a@b.example")]),
            ("Ada <a@b.example>,, Bob <b@b.example>;", None),
            ("a@b.example (Ada, née Byron)", [("Ada, née Byron", "a@b.example")]),
            ("Ada a@b.example", [("Ada", "a@b.example")]),
            ('"Byron, Ada" (x) <a@b.example>', [("Byron, Ada", "a@b.example")]),
            (
                "=?utf-8?q?A,_B?= =?utf-8?q?C?= <a@b.example>",
                [("A, BC", "a@b.example")],
            ),
            ("=?latin-1?b?5A==?= x <a@b.example>", [("ä x", "a@b.example")]),
            ("Team: a@b.example, B <b@b.example>;", None),
            ("a@[IPv6:2001:db8::1]", [("", "a@[IPv6:2001:db8::1]")]),
            ('"=?utf-8?q?=C3=84?=" <a@b.example>', [("Ä", "a@b.example")]),
            ('"a,b"@c.example', [("", '"a,b"@c.example')]),
            ("\u200ba@b.example\u00a0", [("", "a@b.example")]),
            ("nobody", []),
            ("", []),
        ):
            with self.subTest(text=text):
                found = [tuple(item) for item in parse_mailboxes("To", text)]
                if meant is None:
                    meant = found
                    self.assertEqual(len(found), 2)
                self.assertEqual(found, meant)

    def test_a_local_part_that_is_no_atom_is_quoted(self):
        self.assertEqual(
            write_header("To", "a..b@docomo.example"),
            b'To: "a..b"@docomo.example\r\n',
        )

    def test_a_group_without_members_stays(self):
        self.assertEqual(
            write_header("To", "undisclosed-recipients:;"),
            b"To: undisclosed-recipients:;\r\n",
        )

    def test_hostile_lists_cost_little(self):
        for text in ('"', "<", "(", "=?", "[", "\\", ":", "a@", " ", '"a" <', "(()"):
            with self.subTest(text=text):
                parse_mailboxes("To", text * (100_000 // len(text)))


@tagged("-at_install", "post_install")
class TestTokens(BaseCase):
    def test_urls_and_ids_are_neither_encoded_nor_divided(self):
        url = f"https://www.example.com/unsubscribe/{'x' * 300}?a=b&c=%C3%A4,d"
        ids = [f"<{number}.{'y' * 90}@example.com>" for number in range(30)]
        for name, value in (
            ("List-Unsubscribe", f"<{url}>, <mailto:leave@example.com?subject=no>"),
            ("List-Unsubscribe", f"<{url}>"),
            ("List-Id", "Newsletter <news.example.com>"),
            ("List-Post", "NO (posting is not allowed)"),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
            ("References", " ".join(ids)),
            ("In-Reply-To", ids[0]),
            ("Message-Id", ids[0]),
            ("X-Url", url),
        ):
            with self.subTest(name=name, value=value[:20]):
                lines = write_header(name, value)
                self.assertEqual(read(lines), value)
                self.assertNotIn(b"=?", lines)

    def test_letters_beyond_ascii_in_a_url_are_percent_encoded(self):
        self.assertEqual(
            write_header("List-Unsubscribe", "<https://bücher.example/grüße?ä=%20>"),
            b"List-Unsubscribe: "
            b"<https://xn--bcher-kva.example/gr%C3%BC%C3%9Fe?%C3%A4=%20>\r\n",
        )

    def test_a_reference_no_line_can_hold_is_left_out(self):
        long = f"<{'x' * 1000}@example.com>"
        self.assertEqual(
            write_header("References", f"<a@b> {long} <ä@b>  <c@d>"),
            b"References: <a@b> <c@d>\r\n",
        )
        with self.assertRaises(UnwritableHeader):
            write_header("Message-Id", long)

    @THOROUGH
    @given(filename=NAMES.filter(bool))
    def test_any_file_name_is_read_as_it_was_written(self, filename):
        lines = write_parameters(
            "Content-Disposition", "attachment", {"filename": filename}
        )
        message = email.message_from_bytes(lines + b"\r\n", policy=email.policy.SMTP)
        self.assertLessEqual(max(map(len, lines.split(b"\r\n"))), 79)
        self.assertEqual(
            read_parameters(message["Content-Disposition"]),
            ("attachment", {"filename": filename}),
        )
