"""A message without its large files, and these files, for Microsoft Graph.

Messages are those of ``tools/message.py``: CRLF, files in base64 as parts of the
outermost multipart/mixed.
"""

import base64
import binascii
from typing import NamedTuple

from ..header.parameters import read_parameters
from .http.recipients import KINDS, read_mailboxes, split_headers, to_key, unfold

_OWN = frozenset(("content-type", "content-disposition", "content-transfer-encoding"))


class UnsplittableMessage(ValueError):
    """What is left of a message without its files is too large as well."""


class File(NamedTuple):
    """What is attached: ``kind`` is its media type, ``content`` its bytes."""

    name: str
    kind: str
    content: bytes


class _Part(NamedTuple):
    data: bytes
    file: tuple | None  # name and media type if it can be attached by itself
    start: int  # of the content within the data


def get_addresses(message_bytes: bytes) -> dict[str, list[str]]:
    """Return whom the headers name, by ``to``, ``cc`` and ``bcc``, to compare."""
    block = message_bytes.partition(b"\r\n\r\n")[0]
    found = {kind: [] for kind in KINDS}
    for name, lines in split_headers(block):
        kind = name.decode("latin-1")
        if kind in found:
            found[kind] += [to_key(m.address) for m in read_mailboxes(name, lines)]
    return {kind: sorted(keys) for kind, keys in found.items()}


def split(message_bytes: bytes, most: int) -> tuple[bytes, list[File]]:
    """Return the message without as many files as necessary, and these in order.

    :param most: bytes of what is left
    :raises UnsplittableMessage: it cannot be made as small as that
    """
    block, _, body = message_bytes.partition(b"\r\n\r\n")
    boundary = _get_boundary(block)
    parts = _read_parts(body, boundary) if boundary else []
    left, gone = len(message_bytes), set()
    by_size = sorted(range(len(parts)), key=lambda n: -len(parts[n].data))
    for number in by_size:
        if left <= most:
            break
        if parts[number].file:
            left -= len(parts[number].data)
            gone.add(number)
    if left > most:
        text = f"Without its files the message has {left} bytes, {most} are possible."
        raise UnsplittableMessage(text)
    files = [_read_file(parts[number]) for number in sorted(gone)]
    kept = [part.data for number, part in enumerate(parts) if number not in gone]
    if not gone:
        return message_bytes, []
    end = b"--" + boundary + b"--\r\n"
    return b"".join((block, b"\r\n\r\n", *kept, end)), files


def _get_boundary(block):
    """Return the boundary of a multipart/mixed, else nothing."""
    lines = next(
        (ls for name, ls in split_headers(block) if name == b"content-type"), b""
    )
    kind, parameters = read_parameters(unfold(lines))
    if kind.lower() != "multipart/mixed":
        return b""
    return parameters.get("boundary", "").encode()


def _read_parts(body, boundary):
    """Return the parts, each with the delimiter before it and the line end after."""
    parts, mark, at = [], b"--" + boundary, 0
    if not body.startswith(mark):
        return []
    while True:
        after = body.find(b"\r\n" + mark, at)
        if after < 0:
            return parts
        parts.append(_read_part(body[at : after + 2]))
        at = after + 2


def _read_part(data):
    end = data.find(b"\r\n\r\n")
    first = data.find(b"\r\n")
    if end < 0:
        return _Part(data, None, 0)
    # the delimiter is the first line; a part may have no headers at all
    block = data[first + 2 : end] if end > first else b""
    headers = dict(split_headers(block)) if block else {}
    return _Part(data, _get_file(headers), end + 4)


def _get_file(headers):
    """Return (name, media type) of a file that can be attached by itself.

    What has other headers, a Content-ID say, or parameters of its type, is more than a
    file.
    """
    if not _OWN.issuperset(name.decode("latin-1") for name in headers):
        return None
    texts = {name: unfold(headers.get(name.encode(), b"")) for name in _OWN}
    if texts["content-transfer-encoding"].strip().lower() != "base64":
        return None
    disposition, parameters = read_parameters(texts["content-disposition"])
    kind, others = read_parameters(texts["content-type"])
    if disposition.lower() != "attachment" or others:
        return None
    return parameters.get("filename") or "attachment", kind.lower()


def _read_file(part):
    name, kind = part.file
    try:
        content = base64.b64decode(part.data[part.start :])
    except binascii.Error:
        raise UnsplittableMessage("A file of the message cannot be read.") from None
    return File(name, kind, content)
