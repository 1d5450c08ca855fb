"""One header: which grammar it has, written, and read again."""

import re

from .links import write_links, write_list_id
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
    check,
    clean_decoded,
    decode_words,
    fold,
    is_well_encoded,
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
# Addresses of pages and mailboxes in angle brackets, RFC 2369 and 5064.
URL_HEADERS = frozenset(
    {
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
    is_decoded = _is_decoded(value)
    if kind in ADDRESS_HEADERS:
        return _write_address_list(name, text, utf8, is_decoded)
    if kind in ID_HEADERS:
        return _write_ids(name, text)
    if kind in URL_HEADERS:
        return write_links(name, text.strip())
    if kind == "list-id":
        return write_list_id(name, text.strip(), is_decoded)
    if not is_decoded and ENCODED_WORD.search(text):
        if is_well_encoded(text):
            return fold(name, re.findall(" *[^ ]+", text.strip()))
        text = clean_decoded(name, decode_words(text))
    lines = fold(name, write_text(name, text, utf8))
    check(name, decode_words(unfold(lines)), text)
    return lines


def _is_decoded(value):
    """Tell whether the email package has read a value.

    A list of texts it takes for addresses, and does not look into them.
    """
    return hasattr(value, "defects") and not any(
        isinstance(address, str) for address in getattr(value, "addresses", ())
    )


def _write_address_list(name, text, utf8, is_decoded):
    mailboxes = parse_mailboxes(name, text, is_decoded)
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
    check(name, parse_mailboxes(name, unfold(lines)), mailboxes)
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
    check(name, unfold(lines).split(), ids)
    return lines if ids else b""
