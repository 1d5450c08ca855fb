"""The bytes that are submitted hold what was meant, and nothing else.

Python before 3.11.10 and 3.12.5 writes the line break of a decoded coded word into
the header block: a subject could add recipients (CVE-2024-6923). What is about to be
sent is therefore parsed again and compared with what was intended.
"""

import copy
import email.message
import email.policy
import re
from collections.abc import Sequence
from email.headerregistry import Address

from .address import AddressError, mailbox_to_ascii

MAX_HEADER = 8000  # bytes of one header, folding included
MAX_ADDRESS_HEADER = 100_000  # bytes of one that lists addresses or message ids
MAX_HEADERS = 250_000  # bytes of all headers together

_LISTS = frozenset({"to", "cc", "bcc", "reply-to", "references", "in-reply-to"})
_ADDRESSES = ("From", "Sender", "Reply-To", "To", "Cc")
_HIDDEN = ("Bcc", "Resent-Bcc")  # never leave, RFC 5322 3.6.3
# At most once, RFC 5322 3.6.
_UNIQUE = frozenset(
    {
        "date",
        "from",
        "sender",
        "reply-to",
        "to",
        "cc",
        "bcc",
        "message-id",
        "in-reply-to",
        "references",
        "subject",
        "mime-version",
        "content-type",
        "content-transfer-encoding",
    }
)
_NAME = re.compile(r"[!-9;-~]+", re.ASCII)  # RFC 5322 2.2
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class UnsafeMessage(ValueError):
    """A message that would not arrive as it was meant; the text says which part."""

    fault = "unsafe"


def flatten(message: email.message.EmailMessage) -> bytes:
    """Return the bytes to submit: CRLF, without Bcc, checked.

    Text parts become 7 bit, so that a server without 8BITMIME takes them as well.
    Domains in address headers become A-labels; a non-ASCII local part leaves the
    headers in UTF-8, which the server must then allow (SMTPUTF8, RFC 6531).

    :raises UnsafeMessage: a header that adds or hides another one
    """
    message = copy.copy(message)
    for name in _HIDDEN:
        del message[name]
    _check_values(message)
    utf8 = False
    for name in _ADDRESSES:
        utf8 |= _use_a_labels(message, name)
    policy = message.policy.clone(linesep="\r\n", cte_type="7bit", utf8=utf8)
    try:
        data = message.as_bytes(policy=policy)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        # The library's own ways of not coping with a header.
        raise UnsafeMessage("The message cannot be written.") from None
    check_message(data, message.keys())
    return data


def check_message(
    message_bytes: bytes, intended_headers: Sequence[str] | None = None
) -> None:
    """Refuse bytes that a mail server could read in another way than we do.

    :param intended_headers: names in their order; None = only check their form
    :raises UnsafeMessage: bare CR or LF, malformed, doubled or unintended headers
    """
    if not has_crlf_only(message_bytes):
        raise UnsafeMessage("The message holds a line break that is not CRLF.")
    end = message_bytes.find(b"\r\n\r\n")
    block = message_bytes if end < 0 else message_bytes[:end]
    if len(block) > MAX_HEADERS:
        raise UnsafeMessage("The headers of the message are too long.")
    names = [name.lower() for name in _header_names(block)]
    for name in _UNIQUE.intersection(names):
        if names.count(name) > 1:
            raise UnsafeMessage(f"The header {name} occurs more than once.")
    if intended_headers is not None:
        intended = [str(name).lower() for name in intended_headers]
        if names != intended:
            raise UnsafeMessage("The message holds other headers than intended.")


def has_crlf_only(data: bytes) -> bool:
    """Tell whether each CR and each LF is part of a CRLF."""
    pairs = data.count(b"\r\n")
    return data.count(b"\n") == pairs and data.count(b"\r") == pairs


def _header_names(block):
    names, size = [], 0
    for line in block.split(b"\r\n"):
        if line[:1] in (b" ", b"\t") and names:
            size += len(line)
        else:
            raw_name, colon, _ = line.partition(b":")
            name = raw_name.decode("latin-1")
            if not colon or not _NAME.fullmatch(name):
                raise UnsafeMessage("The message holds a malformed header line.")
            names.append(name)
            size = len(line)
        _check_size(names[-1] if names else "", size)
    return names


def _check_size(name, size):
    limit = MAX_ADDRESS_HEADER if name.lower() in _LISTS else MAX_HEADER
    if size > limit:
        raise UnsafeMessage(f"The header {name[:80]} is too long.")


def _check_values(message):
    """Refuse control characters in the decoded headers of every part."""
    for part in message.walk():
        for name, value in part.raw_items():
            text = str(value)
            if not _NAME.fullmatch(name):
                raise UnsafeMessage("A header has a name that is not allowed.")
            _check_size(name, len(text))
            if _CONTROL.search(text) and not _is_folded(text, part):
                raise UnsafeMessage(f"The header {name} holds a line break.")


def _is_folded(text, part):
    """Tell whether the line breaks are only those of a parsed part's folding."""
    if isinstance(part, email.message.EmailMessage):
        return False
    return not _CONTROL.search(re.sub(r"\r?\n(?=[ \t])", "", text))


def _use_a_labels(message, name):
    """Spell the domains of an address header in ASCII; tell if a local part is not."""
    header = message[name]
    if header is None or str(header).isascii():
        return False
    # Parsed anew: a header made from a list of strings keeps them unparsed.
    addresses = email.policy.SMTP.header_factory(name, str(header)).addresses
    if all(address.addr_spec.isascii() for address in addresses):
        return False
    try:
        spelled = [_a_label_address(address) for address in addresses]
    except (AddressError, ValueError):
        raise UnsafeMessage(f"The header {name} holds an invalid address.") from None
    message.replace_header(name, spelled)
    return not all(address.username.isascii() for address in spelled)


def _a_label_address(address):
    spec = mailbox_to_ascii(f"{address.username}@{address.domain}")
    local, _, domain = spec.rpartition("@")
    return Address(address.display_name, local, domain)
