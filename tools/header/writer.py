"""One header: which grammar it has, written, and read again."""

import re
from urllib.parse import quote, urlsplit, urlunsplit

from ..address import AddressError, host_to_ascii
from .mailboxes import (
    Mailbox,
    has_utf8_local_part,
    parse_mailboxes,
    to_ascii_domain,
    write_mailboxes,
)
from .text import (
    ENCODED_WORD,
    MAX_LINE_OCTETS,
    UnwritableHeader,
    clean_decoded,
    decode_words,
    fold,
    spaced,
    unfold,
    write_text,
)

MAX_HEADER = 8000  # octets of one header, folding included
MAX_LIST_HEADER = 100_000  # octets of one that lists addresses or message ids

ADDRESS_HEADERS = frozenset(
    {
        "from",
        "sender",
        "reply-to",
        "to",
        "cc",
        "resent-from",
        "resent-sender",
        "resent-to",
        "resent-cc",
        "disposition-notification-to",
        "return-receipt-to",
        "errors-to",
    }
)
# Message ids, RFC 5322 3.6.4.
ID_HEADERS = frozenset({"message-id", "in-reply-to", "references", "resent-message-id"})
_REQUIRED_IDS = frozenset({"message-id", "resent-message-id"})
# Addresses of pages and mailboxes in angle brackets, RFC 2369, 2919 and 5064.
URL_HEADERS = frozenset(
    {
        "list-id",
        "list-help",
        "list-unsubscribe",
        "list-subscribe",
        "list-post",
        "list-owner",
        "list-archive",
        "archived-at",
    }
)
_LISTS = frozenset({"to", "cc", "bcc", "reply-to", "references", "in-reply-to"})
_NAME = re.compile(r"[!-9;-~]+", re.ASCII)  # RFC 5322 2.2
_FOLD = re.compile(r"\r?\n(?=[ \t])")
_BRACKETS = re.compile(r"<([^<>]*)>")
_RESERVED = "!#$%&'()*+,/:;=?@[]~"


def is_name(name: str) -> bool:
    """Tell whether a header may have this name."""
    return bool(_NAME.fullmatch(name))


def get_max_size(name: str) -> int:
    """Return how many octets a header may have."""
    return MAX_LIST_HEADER if name.lower() in _LISTS else MAX_HEADER


def get_value(name: str, value: str) -> str:
    """Return a header's value on one line.

    :raises UnwritableHeader: a name that is none, or too much text
    """
    if not is_name(name):
        raise UnwritableHeader("A header has a name that is not allowed.")
    text = _FOLD.sub("", str(value))
    if len(text) > get_max_size(name):
        raise UnwritableHeader(f"The header {name[:80]} is too long.")
    return text


def write_header(name: str, value: str, utf8: bool = False) -> bytes:
    """Return the lines of one header, ended by CRLF; nothing for an empty list.

    :param value: a header object of the email package, decoded; or text as it stands
        in a message, encoded words included
    :param utf8: letters beyond ASCII stay as they are, RFC 6532
    :raises UnwritableHeader: it would not be read as it is meant
    """
    text = clean_decoded(name, get_value(name, value))
    kind = name.lower()
    if kind in ADDRESS_HEADERS:
        return _write_address_list(name, text, utf8)
    is_encoded = not hasattr(value, "defects") and ENCODED_WORD.search(text)
    if kind in ID_HEADERS:
        return _write_ids(name, text)
    if kind in URL_HEADERS:
        return _write_urls(name, text.strip())
    if is_encoded and text.isascii():
        return fold(name, re.findall(" *[^ ]+", text.strip()))
    lines = fold(name, write_text(name, text, utf8))
    _check(name, decode_words(unfold(lines)), text)
    return lines


def _write_address_list(name, text, utf8):
    mailboxes = parse_mailboxes(name, text)
    if mailboxes or not text.strip():
        return write_addresses(name, mailboxes, utf8) if mailboxes else b""
    if name.lower() in ("to", "cc") and text.rstrip().endswith(";"):
        # a group without members, RFC 5322 3.6.3
        return fold(name, ["undisclosed-recipients:;"])
    raise UnwritableHeader(f"The header {name} holds an invalid address.")


def write_addresses(name: str, mailboxes: list[Mailbox], utf8: bool = False) -> bytes:
    """Return the lines of an address header.

    :raises UnwritableHeader: an address is none
    """
    mailboxes = [to_ascii_domain(name, mailbox) for mailbox in mailboxes]
    lines = fold(name, write_mailboxes(name, mailboxes, utf8))
    _check(name, parse_mailboxes(name, unfold(lines)), mailboxes)
    return lines


def needs_utf8(name: str, value: str) -> bool:
    """Tell whether an address has a local part beyond ASCII, RFC 6531."""
    if name.lower() not in ADDRESS_HEADERS or str(value).isascii():
        return False
    return has_utf8_local_part(parse_mailboxes(name, get_value(name, value)))


def _write_ids(name, value):
    """Write message ids, which nothing may divide; one that no line can hold goes."""
    ids = [
        word
        for word in value.split()
        if word.isascii() and len(word) < MAX_LINE_OCTETS - len(name) - 2
    ]
    if name.lower() in _REQUIRED_IDS and ids != value.split():
        raise UnwritableHeader(f"The header {name} holds an invalid message id.")
    lines = fold(name, spaced(ids))
    _check(name, unfold(lines).split(), ids)
    return lines if ids else b""


def _write_urls(name, value):
    """Write URLs in angle brackets, which nothing may encode or divide."""
    chunks, meant, at = [], [], 0
    for match in _BRACKETS.finditer(value):
        chunks += _write_between(name, value[at : match.start()])
        url = _to_uri("".join(match[1].split()))
        meant.append(url)
        chunks.append(f"<{url}>")
        at = match.end()
    chunks += _write_between(name, value[at:])
    lines = fold(name, _attached(chunks))
    _check(name, _BRACKETS.findall(unfold(lines)), meant)
    return lines


def _write_between(name, text):
    """Write the comma, phrase or comment between two URLs."""
    return [chunk.strip(" ") for chunk in write_text(name, text.strip())]


def _attached(chunks):
    """Space the chunks, but let a comma stand where it belongs."""
    joined = []
    for chunk in chunks:
        if chunk == "," and joined:
            joined[-1] += chunk
        else:
            joined.append(chunk)
    return spaced(joined)


def _to_uri(url):
    """Return the URI of an address with letters beyond ASCII (RFC 3987 3.1)."""
    if url.isascii():
        return url
    parts = urlsplit(url)
    host = parts.hostname or ""
    netloc = parts.netloc
    if not host.isascii():
        try:
            netloc = netloc.replace(host, host_to_ascii(host, "server_host"))
        except AddressError:
            raise UnwritableHeader("A header holds an invalid link.") from None
    return quote(urlunsplit(parts._replace(netloc=netloc)), safe=_RESERVED)


def _check(name, read, meant):
    """Refuse what would be read in another way than it was meant."""
    if read != meant:
        raise UnwritableHeader(f"The header {name} cannot be written as it is meant.")
