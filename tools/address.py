"""Addresses a user types: a mail server with its port, a mailbox, a display name.

Every parser caps the length first, then refuses control characters, and only then
looks at the structure, so that hostile text costs linear time.
"""

import ipaddress
import re
import unicodedata
from dataclasses import dataclass

import idna

DEFAULT_PORT = 587  # message submission with STARTTLS, RFC 6409 3.1
IMAP_PORT = 993  # of a mailbox, RFC 8314 3.2
IMPLICIT_TLS_PORTS = frozenset({465})  # TLS from the first byte, RFC 8314 3.3

MAX_SERVER_LENGTH = 300  # characters: a name of 253, brackets, port, some slack
MAX_MAILBOX_LENGTH = 320  # characters: 64 + "@" + 255, RFC 3696 3
MAX_LOCAL_OCTETS = 64  # RFC 5321 4.5.3.1.1
MAX_DOMAIN_LENGTH = 253  # RFC 1035 2.3.4 without the root dot
MAX_NAME_LENGTH = 200  # characters of a display name

REASONS = {
    "server_empty": "Enter the mail server, for example mail.example.com:465.",
    "server_length": "The mail server is too long: enter only name and port,"
    " for example mail.example.com:465.",
    "server_control": "The mail server contains an invisible character:"
    " type it again by hand.",
    "server_space": "The mail server must not contain spaces:"
    " enter it like mail.example.com:465.",
    "server_scheme": "Enter the mail server without a prefix like smtp:// or"
    " https://, for example mail.example.com:465.",
    "server_path": "Enter only the name of the mail server and the port,"
    " without anything behind them, for example mail.example.com:465.",
    "server_user": "Enter the mail server without a user name or @:"
    " the user name has its own field.",
    "server_brackets": "Put an IPv6 address in square brackets,"
    " for example [2001:db8::1]:465.",
    "server_port": "The port must be a number from 1 to 65535,"
    " for example mail.example.com:465.",
    "server_host": "This is not a valid name of a mail server:"
    " enter it like mail.example.com:465.",
    "mailbox_empty": "Enter an email address, for example name@example.com.",
    "mailbox_length": "The email address is too long:"
    " at most 64 characters before the @ and 320 in all.",
    "mailbox_control": "The email address contains a line break or an invisible"
    " character: type it again by hand.",
    "mailbox_several": "Enter exactly one email address.",
    "mailbox_syntax": "Enter only the email address, like name@example.com,"
    " without name, quotes, brackets or spaces.",
    "mailbox_domain": "The part behind the @ is not a valid domain:"
    " enter the address like name@example.com.",
    "text_control": "The text contains a line break or an invisible character:"
    " type it again by hand.",
    "text_encoded": "Enter the name as people should read it,"
    " not in coded form (=?...?=).",
    "text_length": "The name is too long: at most 200 characters.",
}


class AddressError(ValueError):
    """What is wrong with a typed address, in one sentence that says what to change.

    ``reason`` is a key of `REASONS`, for callers that translate the sentence.
    """

    def __init__(self, reason: str):
        super().__init__(REASONS[reason])
        self.reason = reason


@dataclass(frozen=True)
class ServerAddress:
    """A mail server: lower-case A-label name or IP literal without brackets."""

    host: str
    port: int

    def is_implicit_tls(self, ports: frozenset = IMPLICIT_TLS_PORTS) -> bool:
        """Tell whether TLS starts with the first byte here, not with STARTTLS."""
        return self.port in ports

    def __str__(self):
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://")
_PORT = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
# The underscore is no letter of a host name (RFC 952), but names inside container
# networks carry it.
_ASCII_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_NUMBER_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u0080-\U0010ffff]+")
_JOINERS = "\u200c\u200d"  # invisible, yet letters of some scripts (RFC 5892 A.1, A.2)
# Spaces that are no U+0020; web pages and office programs put them into what is copied.
_ODD_SPACES = "\u00a0\u1680\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
_SPACES = " " + _ODD_SPACES
# Letters and symbols that show nothing.
_BLANKS = frozenset(_ODD_SPACES + "\u034f\u115f\u1160\u2800\u3164\uffa0")
_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e") | {
    chr(code) for code in range(0x2066, 0x206A)
}


def parse_server(text: str, default_port: int = DEFAULT_PORT) -> ServerAddress:
    """Read ``host``, ``host:port``, ``[IPv6]`` or ``[IPv6]:port``.

    Names in other scripts become A-labels (IDNA 2008, RFC 5891). An IPv6 address
    needs its brackets: ``::1:2525`` could be read in two ways.

    :raises AddressError: with a ``server_...`` reason
    """
    text = _capped(text, MAX_SERVER_LENGTH, "server_length").strip(_SPACES)
    if not text:
        raise AddressError("server_empty")
    if _has_control(text, allowed=_JOINERS):
        raise AddressError("server_control")
    if any(char.isspace() for char in text):
        raise AddressError("server_space")
    if _SCHEME.match(text):
        raise AddressError("server_scheme")
    if "@" in text:
        raise AddressError("server_user")
    if any(char in "/\\?#" for char in text):
        raise AddressError("server_path")
    host, port = _split_port(text)
    if port is None:
        return ServerAddress(host, default_port)
    if not _PORT.fullmatch(port) or int(port) > 65535:
        raise AddressError("server_port")
    return ServerAddress(host, int(port))


def _split_port(text):
    """Return the canonical host and the port's text, None where none was given."""
    if text.startswith("["):
        literal, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise AddressError("server_brackets")
        try:
            host = ipaddress.IPv6Address(literal)
        except ValueError:
            raise AddressError("server_host") from None
        if host.scope_id:
            raise AddressError("server_host")
        return str(host), rest[1:] if rest else None
    if text.count(":") > 1:
        raise AddressError("server_brackets")
    name, colon, port = text.partition(":")
    if not name.strip("."):
        raise AddressError("server_empty")
    return host_to_ascii(name, "server_host"), port if colon else None


def host_to_ascii(name: str, reason: str) -> str:
    """Return the lower-case A-label form of a host name or an IPv4 literal.

    Shorthand, octal, hexadecimal and whole-number forms of an IPv4 address are
    refused: resolvers disagree about them.

    :param reason: the reason of the AddressError that refuses anything else
    """
    name = name[:-1] if name.endswith(".") else name
    if len(name) > MAX_DOMAIN_LENGTH:
        raise AddressError(reason)
    ascii_name = name.lower() if name.isascii() else _idna(name, reason)
    labels = ascii_name.split(".")
    if len(ascii_name) > MAX_DOMAIN_LENGTH:
        raise AddressError(reason)
    if not all(_ASCII_LABEL.fullmatch(label) for label in labels):
        raise AddressError(reason)
    if _NUMBER_LABEL.fullmatch(labels[-1]):
        return _ipv4(ascii_name, reason)
    for label in labels:
        if label.startswith("xn--"):
            _check_a_label(label, reason)
    return ascii_name


def _idna(name, reason):
    """Encode as a browser would: case and width folded (UTS 46), then IDNA 2008."""
    try:
        return idna.encode(name, uts46=True, std3_rules=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError, IndexError):
        raise AddressError(reason) from None


def _check_a_label(label, reason):
    try:
        idna.ulabel(label)
    except (idna.IDNAError, UnicodeError, IndexError):
        raise AddressError(reason) from None


def _ipv4(text, reason):
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        raise AddressError(reason) from None


def parse_mailbox(text: str) -> str:
    """Return the one plain address in the text (addr-spec, RFC 5322 3.4.1).

    The local part is a dot-atom; letters outside ASCII are allowed (RFC 6531: such
    an address needs a server that offers SMTPUTF8). Quoted local parts, comments,
    display names and address literals are refused. The domain is a name of at least
    two labels; it comes back in lower case and in the script the user typed.

    :raises AddressError: with a ``mailbox_...`` reason
    """
    text = _capped(text, MAX_MAILBOX_LENGTH, "mailbox_length").strip(_SPACES)
    if not text:
        raise AddressError("mailbox_empty")
    if _has_control(text, allowed=_JOINERS) or not _BLANKS.isdisjoint(text):
        raise AddressError("mailbox_control")
    if any(char in '"\\()<>[]:' for char in text):
        raise AddressError("mailbox_syntax")
    if text.count("@") > 1 or any(char in ",;" for char in text):
        raise AddressError("mailbox_several")
    local, at, domain = unicodedata.normalize("NFC", text).partition("@")
    if not at or any(char.isspace() for char in text):
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
    if len(labels) < 2 or _NUMBER_LABEL.fullmatch(labels[-1]) or "_" in ascii_domain:
        raise AddressError("mailbox_domain")
    if domain.isascii():
        return ascii_domain
    return idna.decode(ascii_domain)


def mailbox_to_ascii(address: str) -> str:
    """Return the address with its domain as A-labels, the local part untouched.

    :raises AddressError: ``mailbox_length``, ``mailbox_domain``; ``mailbox_control``
        for what nobody sees in the local part: a server would take it for a letter
    """
    _capped(address, MAX_MAILBOX_LENGTH, "mailbox_length")
    local, at, domain = address.rpartition("@")
    if not at:
        raise AddressError("mailbox_domain")
    if _is_blank_in(local):
        raise AddressError("mailbox_control")
    return f"{local}@{host_to_ascii(domain, 'mailbox_domain')}"


def check_display_name(text: str) -> str:
    """Return the name for the From header without outer spaces; may be empty.

    Coded words (RFC 2047) are refused as a whole: what they decode to could hold a
    line break and so add a header to the message.

    :raises AddressError: with a ``text_...`` reason
    """
    text = _capped(text, MAX_NAME_LENGTH, "text_length").strip(" ")
    if _has_control(text, allowed=None) or any(char in _BIDI_CONTROLS for char in text):
        raise AddressError("text_control")
    if "=?" in text:
        raise AddressError("text_encoded")
    return text


def _capped(text, limit, reason):
    text = text or ""
    if len(text) > limit:
        # Outer spaces do not count, but are not worth a scan of a megabyte either.
        text = text.strip(_SPACES) if len(text) <= 2 * limit else text
    if len(text) > limit:
        raise AddressError(reason)
    return text


def _is_blank_in(local):
    """Tell whether a local part holds a character that nobody sees."""
    return _has_control(local, allowed="") or not _BLANKS.isdisjoint(local)


def _has_control(text, allowed):
    """Tell whether there are control, line-separating or lone surrogate characters.

    :param allowed: the invisible format characters (Cf) that may stay; None = all
    """
    refused = {"Cc", "Zl", "Zp", "Cs"}
    for char in text:
        category = unicodedata.category(char)
        if category in refused:
            return True
        if category == "Cf" and allowed is not None and char not in allowed:
            return True
    return False
