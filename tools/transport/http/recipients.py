"""Both interfaces serve whom the headers name; SMTP serves whom the envelope names.

So the headers are made to name the queue's recipients: whoever has been served before,
or is not meant, leaves To and Cc; whoever no header names is put in a Bcc, which the
providers take away before anybody sees it.
"""

import contextlib
from collections.abc import Sequence

from ...address import AddressError, mailbox_to_ascii
from ...header.mailboxes import Mailbox, has_utf8_local_part, parse_mailboxes
from ...header.writer import write_addresses
from ...message import UnsafeMessage

# The headers that name recipients.
KINDS = ("to", "cc", "bcc")

_VISIBLE = (b"to", b"cc")
_HIDDEN = b"bcc"


def address_to(message_bytes: bytes, recipients: Sequence[str]) -> bytes:
    """Return the message with exactly these recipients in its headers.

    :param message_bytes: as from `flatten`: CRLF
    :raises UnsafeMessage: the message has no headers
    """
    block, separator, body = message_bytes.partition(b"\r\n\r\n")
    if not separator:
        raise UnsafeMessage("The message has no headers.")
    left = {to_key(address): address for address in recipients}
    headers = []
    for name, lines in split_headers(block):
        if name == _HIDDEN:
            continue
        if name not in _VISIBLE:
            headers.append(lines)
            continue
        named = read_mailboxes(name, lines)
        kept = [m for m in named if left.pop(to_key(m.address), None)]
        if kept == named:
            headers.append(lines)
        elif kept:
            headers.append(_write(name.decode().title(), kept))
    if left:
        headers.append(
            _write("Bcc", [Mailbox("", address) for address in left.values()])
        )
    return b"".join(headers) + b"\r\n" + body


def _write(name, mailboxes):
    return write_addresses(name, mailboxes, has_utf8_local_part(mailboxes))


def split_headers(block: bytes):
    """Yield (name in lower case, lines with their ends) of each header."""
    lines = []
    for line in block.split(b"\r\n"):
        if lines and line[:1] not in (b" ", b"\t"):
            yield lines[0].partition(b":")[0].lower(), b"".join(lines)
            lines = []
        lines.append(line + b"\r\n")
    yield lines[0].partition(b":")[0].lower(), b"".join(lines)


def read_mailboxes(name: bytes, lines: bytes) -> list[Mailbox]:
    """Return whom a header names.

    :param name: in lower case
    :param lines: as from `split_headers`
    :raises UnwritableHeader: a decoded name or address holds a line break
    """
    return parse_mailboxes(name.decode(), unfold(lines))


def unfold(lines: bytes) -> str:
    """Return the value of a header in one line."""
    return lines.partition(b":")[2].replace(b"\r\n", b"").decode("utf-8", "replace")


def to_key(address: str) -> str:
    """Return what makes two spellings the same mailbox: the domain's case and form."""
    with contextlib.suppress(AddressError):
        address = mailbox_to_ascii(address)
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.lower()}"
