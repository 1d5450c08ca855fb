"""The bytes that are submitted hold what was meant, and nothing else.

Python's email package is a container here. It writes nothing: its folding changes
values, and before 3.11.10 and 3.12.5 it wrote the line break of a decoded encoded
word into the header block, so that a subject could add recipients (CVE-2024-6923).
"""

import email.errors
import email.message
from collections.abc import Sequence

from .header.mailboxes import Mailbox, has_utf8_local_part
from .header.text import UnwritableHeader
from .header.writer import (
    get_max_size,
    is_name,
    needs_utf8,
    write_addresses,
    write_header,
)
from .parts import write_body, write_body_headers

MAX_HEADERS = 250_000  # bytes of all headers together

# Never leave: RFC 5322 3.6.3, and RFC 5321 4.4: only the last server writes that one.
_HIDDEN = frozenset({"bcc", "resent-bcc", "return-path"})
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


# How the email package fails to cope with what it was given.
_LIBRARY_ERRORS = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    RecursionError,
    email.errors.MessageError,
)


class UnsafeMessage(ValueError):
    """A message that would not arrive as it was meant; the text says which part."""

    fault = "unsafe"


class CheckedBytes(bytes):
    """A message from here: whoever gets it need not read all of it again."""


def join(pieces: list[bytes]) -> bytes:
    """Return the message that `write_pieces` has written."""
    return CheckedBytes(b"".join(pieces))


def write_pieces(
    message: email.message.Message, sender: Mailbox | None = None, shared=None
) -> list[bytes]:
    """Return the bytes to submit in pieces: CRLF, without Bcc, checked.

    Text parts become 7 bit, so that a server without 8BITMIME takes them as well.
    Domains in address headers become A-labels; a non-ASCII local part leaves the
    headers in UTF-8, which the server must then allow (SMTPUTF8, RFC 6531).

    :param sender: whom the message is from, whatever its own From and Sender say
    :param shared: a :class:`SharedParts` with attachments that are encoded already
    :raises UnsafeMessage: a header that adds or hides another one
    """
    try:
        return _write(message, sender, shared)
    except UnsafeMessage:
        raise
    except UnwritableHeader as error:
        raise UnsafeMessage(str(error)) from None
    except _LIBRARY_ERRORS:
        raise UnsafeMessage("The message cannot be written.") from None


def _write(message, sender, shared):
    utf8 = bool(sender) and has_utf8_local_part([sender])
    utf8 |= any(needs_utf8(name, value) for name, value in message.raw_items())

    def write(name, value):
        kind = name.lower()
        if kind in _HIDDEN or (sender and kind == "sender"):
            return b""
        if sender and kind == "from":
            return write_addresses(name, [sender], utf8)
        return write_header(name, value, utf8)

    changes, pieces = write_body(message, shared)
    headers = write_body_headers(message, changes, write)
    if sender and "From" not in message:
        headers.insert(0, write("From", ""))
    if "MIME-Version" not in message:
        headers.append(b"MIME-Version: 1.0\r\n")
    block = b"".join(headers)
    # none may hide in another one
    names = [lines.partition(b":")[0].decode() for lines in headers]
    check_block(block, names)
    return [block, b"\r\n", *pieces]


def has_crlf_only(data: bytes) -> bool:
    """Tell whether each CR and each LF is part of a CRLF."""
    if isinstance(data, CheckedBytes):
        return True
    pairs = data.count(b"\r\n")
    return data.count(b"\n") == pairs and data.count(b"\r") == pairs


def check_block(block: bytes, intended: Sequence[str]) -> None:
    """Refuse malformed, doubled, too long or unintended headers.

    :param intended: names in their order, case ignored
    :raises UnsafeMessage: a mail server could read them in another way than we do
    """
    if not has_crlf_only(block):
        raise UnsafeMessage("The message holds a line break that is not CRLF.")
    if len(block) > MAX_HEADERS:
        raise UnsafeMessage("The headers of the message are too long.")
    names = [name.lower() for name in _header_names(block.removesuffix(b"\r\n"))]
    for name in _UNIQUE.intersection(names):
        if names.count(name) > 1:
            raise UnsafeMessage(f"The header {name} occurs more than once.")
    if names != [name.lower() for name in intended]:
        raise UnsafeMessage("The message holds other headers than intended.")


def _header_names(block):
    names, size = [], 0
    for line in block.split(b"\r\n"):
        if line[:1] in (b" ", b"\t") and names:
            size += len(line)
        else:
            raw_name, colon, _ = line.partition(b":")
            name = raw_name.decode("latin-1")
            if not colon or not is_name(name):
                raise UnsafeMessage("The message holds a malformed header line.")
            names.append(name)
            size = len(line)
        if size > get_max_size(names[-1] if names else ""):
            raise UnsafeMessage(f"The header {names[-1][:80]} is too long.")
    return names
