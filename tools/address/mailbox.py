"""The address of a mailbox."""

import re
import unicodedata

import idna

from .errors import AddressError
from .host import NUMBER_LABEL, host_to_ascii
from .text import BLANKS, JOINERS, SPACES, capped, has_control

MAX_MAILBOX_LENGTH = 320  # characters: 64 + "@" + 255, RFC 3696 3
MAX_LOCAL_OCTETS = 64  # RFC 5321 4.5.3.1.1

# What is copied from a mail program: a name beside the address in angle brackets, a
# link, a separator behind it (RFC 5322 3.4, RFC 6068 2).
_LINK = re.compile(r"mailto:([^?]*)(?:\?.*)?", re.IGNORECASE | re.DOTALL)
_BRACKETED = re.compile(r"([^<>]*)<([^<>]*)>", re.DOTALL)
MAX_COPIED_LENGTH = 1_000  # characters; what is longer was not copied by a person

_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u0080-\U0010ffff]+")


def tidy_mailbox(text: str) -> str:
    """Return the text without what comes along when an address is copied.

    A name before angle brackets, ``mailto:``, a final comma or semicolon: what is meant
    is clear. Anything else stays for `parse_mailbox` to judge, above all several
    addresses.
    """
    text = text or ""
    if len(text) > MAX_COPIED_LENGTH:
        return text
    text = text.strip(f"{SPACES}\t\r\n,;")
    bracketed = _BRACKETED.fullmatch(text)
    if bracketed and not _is_list(bracketed[1]):
        text = bracketed[2].strip(SPACES)
    link = _LINK.fullmatch(text)
    return link[1] if link else text


def _is_list(name):
    """Tell whether there are other addresses before the one in brackets."""
    return "@" in name and any(char in ",;" for char in name)


def parse_mailbox(text: str) -> str:
    """Return the one plain address in the text (addr-spec, RFC 5322 3.4.1).

    The local part is a dot-atom; letters outside ASCII are allowed (RFC 6531: such
    an address needs a server that offers SMTPUTF8). Quoted local parts, comments,
    display names and address literals are refused. The domain is a name of at least
    two labels; it comes back in lower case and in the script the user typed.

    :raises AddressError: with a ``mailbox_...`` reason
    """
    text = capped(text, MAX_MAILBOX_LENGTH, "mailbox_length").strip(SPACES)
    if not text:
        raise AddressError("mailbox_empty")
    if has_control(text, allowed=JOINERS) or not BLANKS.isdisjoint(text):
        raise AddressError("mailbox_control")
    if any(char in '"\\()<>[]:' for char in text):
        raise AddressError("mailbox_syntax")
    if text.count("@") > 1 or any(char in ",;" for char in text):
        raise AddressError("mailbox_several")
    local, at, domain = unicodedata.normalize("NFC", text).partition("@")
    if not at:
        raise AddressError("mailbox_at")
    if any(char.isspace() for char in text):
        raise AddressError("mailbox_syntax")
    if _is_blank_in(local):
        raise AddressError("mailbox_control")
    if not all(_ATOM.fullmatch(atom) for atom in local.split(".")):
        raise AddressError("mailbox_syntax")
    if len(local.encode()) > MAX_LOCAL_OCTETS:
        raise AddressError("mailbox_length")
    return f"{local}@{_mailbox_domain(domain)}"


def _mailbox_domain(domain):
    ascii_domain = host_to_ascii(domain, "mailbox_domain")
    labels = ascii_domain.split(".")
    if len(labels) < 2 or NUMBER_LABEL.fullmatch(labels[-1]) or "_" in ascii_domain:
        raise AddressError("mailbox_domain")
    if domain.isascii():
        return ascii_domain
    return idna.decode(ascii_domain)


def mailbox_to_ascii(address: str) -> str:
    """Return the address with its domain as A-labels, the local part untouched.

    :raises AddressError: ``mailbox_length``, ``mailbox_domain``; ``mailbox_control``
        for what nobody sees in the local part: a server would take it for a letter
    """
    capped(address, MAX_MAILBOX_LENGTH, "mailbox_length")
    local, at, domain = address.rpartition("@")
    if not at:
        raise AddressError("mailbox_domain")
    if _is_blank_in(local):
        raise AddressError("mailbox_control")
    return f"{local}@{host_to_ascii(domain, 'mailbox_domain')}"


def _is_blank_in(local):
    """Tell whether a local part holds a character that nobody sees."""
    return has_control(local, allowed="") or not BLANKS.isdisjoint(local)
