"""Content-Type and Content-Disposition: a word and parameters (RFC 2045 5.1, 2231)."""

import re
from email.message import Message
from urllib.parse import quote

from .text import clean, fold, spaced

MAX_VALUE = 54  # characters of a parameter's value in one piece

_TOKEN = re.compile(r"[A-Za-z0-9!#$&+.^_`{|}~\-]+", re.ASCII)
_QUOTABLE = re.compile(r"[ -~]*")


def read_parameters(value: str) -> tuple[str, dict[str, str]]:
    """Return the word and the parameters of such a header, decoded.

    :param value: text, or a header object that has read it already
    """
    if hasattr(value, "params"):
        word = getattr(value, "content_type", None) or value.content_disposition
        parameters = value.params.items()
    else:
        message = Message()
        message["Content-Type"] = clean(str(value))
        (word, _), *parameters = message.get_params() or [("", "")]
    return (word or "").strip(), {
        name.lower(): clean(_to_text(part)) for name, part in parameters
    }


def _to_text(value):
    if not isinstance(value, tuple):
        return value
    charset, _language, text = value
    try:
        return text.encode("latin-1").decode(charset or "ascii")
    except (LookupError, UnicodeError):
        return text


def write_parameters(name: str, word: str, parameters: dict[str, str]) -> bytes:
    """Return the lines of such a header, ended by CRLF.

    :param name: the header's
    """
    pieces = [word]
    for key, value in parameters.items():
        if _TOKEN.fullmatch(key):
            pieces += _write(key, value)
    last = len(pieces) - 1
    chunks = [f"{piece};" if n < last else piece for n, piece in enumerate(pieces)]
    return fold(name, spaced(chunks))


def _write(name, value):
    # what looks like an encoded word would be decoded by many readers
    is_plain = _QUOTABLE.fullmatch(value) and "=?" not in value
    if len(value) <= MAX_VALUE and is_plain:
        if _TOKEN.fullmatch(value):
            return [f"{name}={value}"]
        escaped = re.sub(r'(["\\])', r"\\\1", value)
        return [f'{name}="{escaped}"']
    coded = [quote(char, safe="") for char in value]
    parts = [""]
    for char in coded:
        if len(parts[-1]) + len(char) > MAX_VALUE:
            parts.append("")
        parts[-1] += char
    if len(parts) == 1:
        return [f"{name}*=utf-8''{parts[0]}"]
    parts[0] = f"utf-8''{parts[0]}"
    return [f"{name}*{number}*={part}" for number, part in enumerate(parts)]
