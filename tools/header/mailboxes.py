"""The address headers: From, To, Cc, Reply-To … (RFC 5322 3.4)."""

import re
import unicodedata
from typing import NamedTuple

from ..address import AddressError, mailbox_to_ascii
from .text import (
    LINE_OCTETS,
    UnwritableHeader,
    as_literal,
    clean_decoded,
    decode_words,
    encode_words,
    get_word_octets,
    is_plain,
    spaced,
)

_ATEXT = r"A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u0080-\U0010ffff"
_ATOMS = re.compile(rf"[{_ATEXT}]+(?: [{_ATEXT}]+)*")
_DOT_ATOM = re.compile(rf"[{_ATEXT}]+(?:\.[{_ATEXT}]+)*")
_DOMAIN = re.compile(r"[A-Za-z0-9._\-]+|\[[A-Za-z0-9.:\-]+\]")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_QUOTED_NAME = re.compile(rf"{_QUOTED.pattern}(?!@)", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)

_UNSEEN = frozenset(("Cc", "Cf", "Zs", "Zl", "Zp"))

# An encoded word may hold a comma, and a quoted string anything.
_TOKEN = re.compile(
    r"""(?P<space>[ \t]+)
      | (?P<word>=\?[^?\s]{1,60}\?[bBqQ]\?[^?\s"<>]*\?=)
      | (?P<quoted>"(?:[^"\\]|\\.)*")
      | (?P<angle><(?:"(?:[^"\\<>]|\\.)*"|[^"<>])*>)
      | (?P<comment>\((?:[^()\\]|\\.)*\))
      | (?P<literal>\[[^\[\]]*\])
      | (?P<end>[,;])
      | (?P<group>:)
      | (?P<atom>[^ \t"<>()\[\],;:]+)
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)


class Mailbox(NamedTuple):
    """One recipient or sender; the name is what people read, decoded."""

    name: str
    address: str


def parse_mailboxes(name: str, text: str, is_decoded: bool = False) -> list[Mailbox]:
    """Read the value of an address header, encoded words and comments included.

    The members of a group stand for themselves; what has no address is left out.

    :param name: the header's, for the words of an error
    :param is_decoded: what looks like an encoded word is none
    :raises UnwritableHeader: a decoded name or address holds a line break
    """
    decode = str if is_decoded else decode_words
    found, tokens = [], []
    for match in _TOKEN.finditer(text):
        if match.lastgroup == "group":
            tokens = []
        elif match.lastgroup != "end":
            tokens.append((match.lastgroup, match[0]))
            continue
        found.append(_read_mailbox(name, tokens, decode))
        tokens = []
    found.append(_read_mailbox(name, tokens, decode))
    return [mailbox for mailbox in found if mailbox]


def _read_mailbox(name, tokens, decode):
    """Make a mailbox of the tokens between two commas, or None without address."""
    address = next((text[1:-1] for kind, text in tokens if kind == "angle"), None)
    if address is None:
        address = "".join(
            text for kind, text in tokens if kind not in ("space", "comment")
        )
        words = [text[1:-1] for kind, text in tokens if kind == "comment"]
        phrase = decode(" ".join(words))
        parts = _split_words(tokens)
        if len(parts) > 1 and "@" in parts[-1]:
            address, phrase = parts[-1], " ".join(parts[:-1])
    else:
        phrase = _read_phrase(tokens, decode)
    address = clean_address(clean_decoded(name, address))
    if "@" not in address:
        return None
    return Mailbox(clean_decoded(name, phrase).strip(), address)


def _split_words(tokens):
    """The space-separated words of a mailbox without angle brackets."""
    text = "".join(text for kind, text in tokens if kind != "comment")
    return [] if '"' in text else text.split()


def _read_phrase(tokens, decode):
    """Return the decoded display name before the angle brackets (RFC 2047 5 (3))."""
    phrase, run = [], ""
    for kind, text in tokens:
        if kind == "angle":
            break
        if kind == "quoted":
            phrase.append(decode(run))
            run = ""
            # RFC 2047 5 forbids encoded words here, and everybody reads them
            phrase.append(decode(_ESCAPE.sub(r"\1", text[1:-1])))
        elif kind != "comment":
            run += text
    phrase.append(decode(run))
    return "".join(phrase)


def clean_address(address: str) -> str:
    """Drop what nobody sees: odd spaces and zero-width letters that were pasted along.

    The joiners stay, they are letters of some scripts (RFC 5892 A.1, A.2).
    """
    return "".join(
        char
        for char in address.strip()
        if char in " \u200c\u200d" or unicodedata.category(char) not in _UNSEEN
    ).strip()


def clean_mailbox(text: str) -> str:
    """Clean the address in a text like ``"Name" <address>`` or ``address``."""
    name, bracket, address = text.rpartition("<")
    if not bracket:
        return clean_address(text)
    address, closing, rest = address.partition(">")
    return f"{name}<{clean_address(address)}{closing}{rest}"


def as_literal_names(text: str) -> str:
    """Return addresses for the email package: what is quoted holds no encoded words."""

    def rewrite(match):
        name = as_literal(_ESCAPE.sub(r"\1", match[1]))
        return name if "=?" in match[1] else match[0]

    return _QUOTED_NAME.sub(rewrite, text)


def has_utf8_local_part(mailboxes: list[Mailbox]) -> bool:
    """Tell whether one of them needs a server with SMTPUTF8, RFC 6531."""
    return not all(m.address.rpartition("@")[0].isascii() for m in mailboxes)


def to_ascii_domain(name: str, mailbox: Mailbox) -> Mailbox:
    """Spell the domain as A-labels and quote the local part where it has to be.

    :raises UnwritableHeader: this is no address
    """
    local, _, domain = mailbox.address.rpartition("@")
    try:
        if not domain.isascii():
            domain = mailbox_to_ascii(f"x@{domain}").partition("@")[2]
        if not _DOMAIN.fullmatch(domain) or not local:
            raise ValueError
    except (AddressError, ValueError):
        raise UnwritableHeader(f"The header {name} holds an invalid address.") from None
    if not _DOT_ATOM.fullmatch(local):
        quoted = _QUOTED.fullmatch(local)
        local = _quote(_ESCAPE.sub(r"\1", quoted[1]) if quoted else local)
    return Mailbox(mailbox.name, f"{local}@{domain}")


def write_mailboxes(
    name: str, mailboxes: list[Mailbox], utf8: bool = False
) -> list[str]:
    """Return the chunks of an address header; a line may end before each.

    :param mailboxes: from `to_ascii_domain`
    :param utf8: letters beyond ASCII stay as they are, RFC 6532
    """
    chunks = []
    for number, mailbox in enumerate(mailboxes, 1):
        own = _write_phrase(name, mailbox.name, utf8)
        own.append(f"<{mailbox.address}>" if own else mailbox.address)
        if number < len(mailboxes):
            own[-1] += ","
        chunks += own
    return spaced(chunks)


def _write_phrase(name, text, utf8):
    """Return a display name as atoms, quoted or encoded."""
    if not text:
        return []
    if is_plain(text, utf8):
        if not text.isascii() and len(text) < LINE_OCTETS and _ATOMS.fullmatch(text):
            return [text]
        quoted = _quote(text)
        if len(quoted.encode()) <= LINE_OCTETS:
            return [quoted]
    return encode_words(text, get_word_octets(name))


def _quote(text):
    """Quote, RFC 5322 3.2.4."""
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'
