"""Whatever a server repeats of a secret, and however it writes it, is not shown."""

import base64
import codecs
import html
import quopri
import urllib.parse

from odoo.tests import BaseCase, tagged

from ..tools.redact import WITHHELD, Blotter

SECRETS = (
    "correct horse bättery&7",
    "Tr0ub4dor&3",
    "pässwörd",
    "a%b+c=d\\e",
    "密码是春天来了",
    "x7Gh-_9" * 200,
    "passw0rd",
    "abcd",
)


def ways_to_write(secret, user="ann"):
    """Name the ways in which a server might repeat the secret, each with the text."""
    octets = secret.encode()
    plain = b"\0" + user.encode() + b"\0" + octets
    return {
        "as it is": secret,
        "in a sentence": f"the password {secret} is wrong",
        "inside a word": f"x{secret}y",
        "upper case": secret.upper(),
        "lower case": secret.lower(),
        "reversed": secret[::-1],
        "spaced": " ".join(secret),
        "a letter a line": "\n".join(secret),
        "tabs": "\t".join(secret),
        "zero-width spaces": "\u200b".join(secret),
        "word joiners": "\u2060".join(secret),
        "variation selectors": "\ufe0f".join(secret),
        "Hangul fillers": "\u3164".join(secret),
        "Braille blanks": "\u2800".join(secret),
        "control characters": "\x01".join(secret),
        "url": urllib.parse.quote(secret, safe=""),
        "form": urllib.parse.quote_plus(secret),
        "every octet in the url": "".join(f"%{octet:02x}" for octet in octets),
        "html": html.escape(secret),
        "html numbers": "".join(f"&#{ord(char)};" for char in secret),
        "base64": base64.b64encode(octets).decode(),
        "base64 in lines": base64.encodebytes(octets).decode(),
        "SASL PLAIN": base64.b64encode(plain).decode(),
        "SASL PLAIN, user twice": base64.b64encode(user.encode() + plain).decode(),
        "url-safe base64": base64.urlsafe_b64encode(octets + b"~").decode(),
        "hex": octets.hex(),
        "HEX": octets.hex().upper(),
        "hex dump": octets.hex(" "),
        "0x": " ".join(f"0x{octet:02x}" for octet in octets),
        r"\x": "".join(f"\\x{octet:02x}" for octet in octets),
        "quoted": '"{}"'.format(secret.replace("\\", "\\\\").replace('"', '\\"')),
        "each character escaped": "".join(f"\\{char}" for char in secret)
        if not secret.isalnum()
        else secret,
        "quoted-printable": quopri.encodestring(octets).decode(),
        "decimals": " ".join(map(str, octets)),
        "without its letters beyond ASCII": octets.decode("ascii", "replace"),
        "read as Latin-1": octets.decode("latin-1"),
        "full width": "".join(
            chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in secret
        ),
    }


@tagged("-at_install", "post_install")
class TestBlotter(BaseCase):
    def test_no_way_to_write_it_is_shown(self):
        for secret in SECRETS:
            blotter = Blotter(secret)
            for way, text in ways_to_write(secret).items():
                if way.startswith(("without", "read as")) and len(secret) < 8:
                    continue
                with self.subTest(secret=secret[:12], way=way):
                    self.assertEqual(blotter(text), WITHHELD)

    def test_half_of_a_long_secret_is_not_shown_either(self):
        blotter = Blotter("correct horse battery staple")
        self.assertEqual(blotter("wrong: correct horse bat..."), WITHHELD)

    def test_other_words_stay(self):
        blotter = Blotter(*SECRETS)
        for text in (
            "",
            "5.7.8 Error: authentication failed: UGFzc3dvcmQ6",
            "2.0.0 Ok: queued as 4WXYZ12345",
            "5.1.1 <bob@example.org>: Recipient address rejected: User unknown",
            "The mailbox is 100% full = 0x00 \\ &amp;",
            "Ошибка: неверный пароль",
        ):
            with self.subTest(text=text):
                self.assertEqual(blotter(text), text)

    def test_very_short_secret_is_not_spelt_by_what_is_withheld(self):
        for secret in ("e", "ab", "\u200b\u200b\u200b\u200b", "   "):
            blotter = Blotter(secret)
            for text in ("no such letter", "every one", secret):
                self.assertEqual(blotter(text), WITHHELD)
            # a name is no quotation
            self.assertFalse(blotter.is_told("Sent"))

    def test_no_secret_withholds_nothing(self):
        self.assertEqual(Blotter("")("anything"), "anything")
        self.assertEqual(Blotter()("anything"), "anything")

    def test_object_shows_nothing(self):
        self.assertNotIn("Tr0ub4dor", f"{Blotter('Tr0ub4dor')!r}")

    def test_nonsense_is_no_trouble(self):
        blotter = Blotter("Tr0ub4dor&3")
        for text in ("\ud800", "%zz%", "\\", "=\n=zz", "&#x110000;", "&#0;" * 1000):
            with self.subTest(text=text[:10]):
                self.assertEqual(blotter(text), text)
        self.assertEqual(codecs.encode(blotter("abc"), "rot13"), "nop")
