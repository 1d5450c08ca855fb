"""The parts of a message, written so that every mail server takes them.

Text becomes 7 bit. What came from elsewhere, a forwarded message for example, keeps
its bytes: only its line ends are ours, and what cannot be written like that goes as a
file in base64, for a message may not be encoded (RFC 2046 5.2.1).
"""

import base64
import binascii
import email.policy
import re
import secrets
from email.message import EmailMessage

from .header.parameters import read_parameters, write_parameters
from .header.text import MAX_LINE_OCTETS, UnwritableHeader, clean_decoded
from .header.writer import get_value, write_header

MAX_DEPTH = 50  # of parts within parts
FILE = "application/octet-stream"
MESSAGE = "message/rfc822"

_ENCODING = "Content-Transfer-Encoding"
_ENCODED = ("base64", "quoted-printable")
_UNENCODED = ("8bit", "binary")
_BASE64_LINE = 76  # characters, RFC 2045 6.8
_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+\-]+/[A-Za-z0-9!#$&^_.+\-]+", re.ASCII)
_NEEDS_QUOTING = re.compile(rb"[^\t\n -<>-~]")


class _AsItCame(email.policy.Compat32):
    """Writes the headers of a parsed message as they were read."""

    verify_generated_headers = False

    def fold_binary(self, name, value):
        text = f"{name}: {value}" if str(value).strip() else f"{name}:"
        return with_crlf(text.encode("utf-8", "surrogateescape")) + b"\r\n"


_AS_IT_CAME = _AsItCame(linesep="\r\n", max_line_length=None)


def write_body(part, shared=None, depth=0) -> tuple[dict[str, str], list[bytes]]:
    """Return what the headers about the body have to say, and the body in pieces.

    :param shared: a :class:`SharedParts`, whose payloads are not looked at again
    :raises UnwritableHeader: a header within would not be read as it is meant
    """
    if depth > MAX_DEPTH:
        raise UnwritableHeader("The message has too many parts within parts.")
    kind, parameters = get_type(part)
    payload = part.get_payload()
    if not isinstance(payload, list):
        return _write_leaf(kind, part, payload or "", shared)
    if kind.startswith("multipart/"):
        return _write_multipart(kind, parameters, payload, shared, depth)
    if kind.startswith("message/") and kind != MESSAGE:
        # a report: its blocks look like headers
        return _write_foreign(_as_it_came(part).partition(b"\r\n\r\n")[2])
    return _write_foreign(b"".join(map(_as_it_came, payload)))


def get_type(part) -> tuple[str, dict[str, str]]:
    """Return the media type of a part, in lower case, with its parameters."""
    kind, parameters = read_parameters(part.get("Content-Type", "text/plain"))
    return read_type(kind), parameters


def read_type(text: str) -> str:
    """Return a media type in lower case without parameters, or that of any file."""
    kind = text.partition(";")[0].strip().lower()
    return kind if _TYPE.fullmatch(kind) else FILE


def _write_multipart(kind, parameters, children, shared, depth):
    boundary = f"=-{secrets.token_hex(16)}"
    pieces = []
    for child in children:
        pieces.append(f"--{boundary}\r\n".encode())
        if kind == "multipart/signed" and child is children[0]:
            pieces.append(_write_signed(child))
        else:
            pieces += write_part(child, shared, depth + 1)
        pieces.append(b"\r\n")
    pieces.append(f"--{boundary}--\r\n".encode())
    content_type = write_parameters(
        "Content-Type", kind, {**parameters, "boundary": boundary}
    )
    return {"Content-Type": content_type, _ENCODING: None}, pieces


def write_part(part, shared=None, depth=0) -> list[bytes]:
    """Return a part of a multipart in pieces, its headers first."""
    changes, pieces = write_body(part, shared, depth)
    return [*write_body_headers(part, changes), b"\r\n", *pieces]


def write_body_headers(part, changes, write=write_header) -> list[bytes]:
    """Return the headers of a part.

    :param changes: header -> its lines, None for one that goes
    :param write: writes a header that is not about the body
    """
    left = {name.lower(): lines for name, lines in changes.items()}
    written = []
    for name, value in part.raw_items():
        kind = name.lower()
        if kind in left:
            lines = left.pop(kind)
        elif kind in ("content-type", "content-disposition"):
            clean_decoded(name, get_value(name, value))
            lines = write_parameters(name, *read_parameters(value))
        else:
            lines = write(name, value)
        written.append(lines)
    return [lines for lines in (*written, *left.values()) if lines]


def _write_foreign(data):
    """Write a message that came from elsewhere as it came, or as a file."""
    fitting = fit_as_is(data)
    if fitting is None:
        return _as_file(data)
    return _encoded_as("7bit"), [fitting]


def _write_signed(part):
    """Write what a signature is over: these very bytes (RFC 1847 2.1)."""
    fitting = fit_as_is(_as_it_came(part))
    if fitting is None:
        raise UnwritableHeader("A signed part would lose its signature.")
    return fitting


def fit_as_is(data: bytes) -> bytes | None:
    """Return the bytes with CRLF if they need no encoding, else None (RFC 2045 2.7)."""
    if not data.isascii() or b"\0" in data:
        return None
    data = with_crlf(data)
    longest = max(map(len, data.split(b"\r\n")))
    return data if longest <= MAX_LINE_OCTETS else None


def with_crlf(data: bytes) -> bytes:
    """Make each line end a CRLF."""
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return data.replace(b"\n", b"\r\n")


def _as_it_came(part):
    """Return a part as it was before it was parsed, or as its maker would write it."""
    policy = _AS_IT_CAME
    if isinstance(part, EmailMessage):
        policy = part.policy.clone(linesep="\r\n", cte_type="7bit")
    return with_crlf(part.as_bytes(policy=policy))


def _write_leaf(kind, part, payload, shared):
    known = shared.get_bytes(payload) if shared is not None else None
    if known is not None:
        return {}, [known]
    encoding = str(part.get(_ENCODING, "7bit")).strip().lower()
    data = _to_bytes(payload)
    is_composite = kind.startswith(("multipart/", "message/"))
    fitting = None if is_composite else fit_as_is(data)
    if fitting is not None:
        return _encoded_as("7bit") if encoding in _UNENCODED else {}, [fitting]
    data = _decode(data, encoding)
    if kind.startswith("message/"):
        return _write_foreign(data)
    return _as_file(data) if is_composite else _encode(kind, data)


def _to_bytes(payload):
    try:
        return payload.encode("ascii", "surrogateescape")
    except UnicodeEncodeError:
        return payload.encode("utf-8", "surrogateescape")


def _decode(data, encoding):
    if encoding not in _ENCODED:
        return data
    try:
        decode = base64.b64decode if encoding == "base64" else binascii.a2b_qp
        return decode(data)
    except binascii.Error:
        return data


def _encode(kind, data):
    """Encode in the shorter way; only text has line ends that may be changed."""
    if not kind.startswith("text/") or b"\0" in data:
        return _encoded_as("base64"), [to_base64(data).encode("ascii")]
    text = with_crlf(data).replace(b"\r\n", b"\n")
    if 6 * len(_NEEDS_QUOTING.findall(text)) < len(text):
        quoted = with_crlf(binascii.b2a_qp(text, istext=True))
        return _encoded_as("quoted-printable"), [quoted]
    return _encoded_as("base64"), [to_base64(with_crlf(text)).encode("ascii")]


def _encoded_as(encoding):
    return {_ENCODING: f"{_ENCODING}: {encoding}\r\n".encode()}


def _as_file(data):
    return {
        "Content-Type": f"Content-Type: {FILE}\r\n".encode(),
        **_encoded_as("base64"),
    }, [to_base64(data).encode("ascii")]


def to_base64(data: bytes) -> str:
    """Return base64 in lines that end in CRLF."""
    text = binascii.b2a_base64(data, newline=False).decode("ascii")
    starts = range(0, len(text), _BASE64_LINE)
    return "\r\n".join([*(text[at : at + _BASE64_LINE] for at in starts), ""])
