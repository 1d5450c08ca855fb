"""Text in a header: cleaned, encoded (RFC 2047), folded (RFC 5322 2.2.3)."""

import base64
import binascii
import re
import sys

LINE_OCTETS = 78  # of a line, where a fold is possible; RFC 5322 2.1.1
MAX_LINE_OCTETS = 998  # of any line
MAX_CHUNK_OCTETS = 800  # of a word that stays as it is: the name stands before it
WORD_LINE_OCTETS = 76  # of a line with an encoded word; RFC 2047 2
MIN_WORD_OCTETS = 40  # of an encoded word, however long the header's name is

ENCODED_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?\s]*)\?=")

# An encoded word is one only between white space, RFC 2047 5 (1).
_APART = re.compile(rf"(?<![^ \t]){ENCODED_WORD.pattern}(?![^ \t])")
_LINE_BREAK = re.compile(r"[\0\n\x0b\x0c\r]")
_SEPARATOR = re.compile(r"\r\n|[\t\n\x0b\x0c\r\x1c-\x1e\x85\u2028\u2029]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
# What stands for itself in Q even within a display name, RFC 2047 5 (3).
_PLAIN = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/"
)
_Q = [chr(octet) if octet in _PLAIN else f"={octet:02X}" for octet in range(256)]
_Q[0x20] = "_"


class UnwritableHeader(ValueError):
    """A header that cannot be written as it is meant; the text says why."""


def clean(text: str) -> str:
    """Return the text with a space for each line break, without control characters.

    For what people typed or pasted, before it is taken for the value of a header.
    """
    text = _SEPARATOR.sub(" ", text)
    return _SURROGATE.sub("\ufffd", _CONTROL.sub("", text))


def clean_decoded(name: str, text: str) -> str:
    """Clean a decoded value, in which a line break is no slip but an attempt.

    :raises UnwritableHeader: a line break: it would begin another header
    """
    if _LINE_BREAK.search(text):
        raise UnwritableHeader(f"The header {name} holds a line break.")
    return clean(text)


def write_text(name: str, text: str, utf8: bool = False) -> list[str]:
    """Return the chunks of an unstructured value; a line may end before each.

    Text that needs encoding is encoded as a whole: no reader then has to know which
    spaces between two words count.

    :param name: the header's, for the length of the first line
    :param utf8: letters beyond ASCII stay as they are, RFC 6532
    """
    if is_plain(text, utf8) and text == text.strip(" "):
        chunks = re.findall(" *[^ ]+", text)
        if all(len(chunk.encode()) <= MAX_CHUNK_OCTETS for chunk in chunks):
            return chunks
    return spaced(encode_words(text, get_word_octets(name)))


def spaced(words: list[str]) -> list[str]:
    """Return the words as chunks, a space before each but the first."""
    return words[:1] + [f" {word}" for word in words[1:]]


def is_plain(text: str, utf8: bool) -> bool:
    """Tell whether text can stand as it is: nobody takes it for an encoded word."""
    return "=?" not in text and (utf8 or text.isascii())


def get_word_octets(name: str) -> int:
    """How long an encoded word may be, so that it fits beside the header's name."""
    return max(MIN_WORD_OCTETS, WORD_LINE_OCTETS - len(name) - 2)


def encode_words(text: str, octets: int) -> list[str]:
    """Encode text as encoded words of whole words, in UTF-8.

    A word is divided only where it is longer than an encoded word may be, and never
    within a character (RFC 2047 5). Each space belongs to the word that follows.

    :param octets: the most that an encoded word may have, frame included
    """
    size_in_q = sum(len(_Q[octet]) for octet in text.encode())
    is_q = size_in_q <= 4 * len(text.encode()) / 3
    measure = _q_size if is_q else _b_size
    room = octets - len("=?utf-8?q??=")
    if not is_q:
        room = room // 4 * 3
    encode = _encode_q if is_q else _encode_b
    return [encode(part) for part in _divide(text, room, measure)] if text else []


def _divide(text, room, measure):
    """Yield parts of text that measure at most so much."""
    part, size = "", 0
    for word in re.findall(" *[^ ]+| +$", text):
        length = measure(word)
        if size + length <= room:
            part, size = part + word, size + length
            continue
        if length <= room:
            yield part
            part, size = word, length
            continue
        for char in word:
            length = measure(char)
            if size + length > room:
                yield part
                part, size = "", 0
            part, size = part + char, size + length
    if part:
        yield part


def _q_size(text):
    return sum(len(_Q[octet]) for octet in text.encode())


def _b_size(text):
    return len(text.encode())


def _encode_q(text):
    return f"=?utf-8?q?{''.join(_Q[octet] for octet in text.encode())}?="


def _encode_b(text):
    return f"=?utf-8?b?{base64.b64encode(text.encode()).decode()}?="


def is_well_encoded(text: str) -> bool:
    """Tell whether each reader finds the same encoded words in a text.

    Some take for one what is glued to other letters, and others do not.
    """
    return text.isascii() and "=?" not in _APART.sub("", text)


def as_literal(text: str) -> str:
    """Return text for the email package, which takes encoded words for what they mean.

    One encoded word, however long: it is read, and never sent.
    """
    return encode_words(text, sys.maxsize)[0] if "=?" in text else text


def decode_words(text: str) -> str:
    """Decode the encoded words in unfolded text.

    White space between two of them is none of the text (RFC 2047 6.2); a word that
    cannot be decoded stays as it is, and so does one that is glued to other letters.
    """
    decoded, octets, charset, at = [], b"", "", 0
    for match in _APART.finditer(text):
        between = text[at : match.start()]
        word = _decode_word(match)
        if word is None:
            continue
        if at and not between.strip(" \t") and octets is not None:
            between = ""
        if between or word[0] != charset:
            decoded.append(_to_text(octets, charset))
            octets = b""
        decoded.append(between)
        charset, octets, at = word[0], octets + word[1], match.end()
    decoded.append(_to_text(octets, charset))
    decoded.append(text[at:])
    return "".join(decoded)


def _decode_word(match):
    charset = match[1].partition("*")[0].lower()
    try:
        b"".decode(charset)
        if match[2] in "qQ":
            octets = binascii.a2b_qp(match[3].encode("ascii"), header=True)
        else:
            octets = base64.b64decode(match[3].encode("ascii") + b"==")
    except (LookupError, ValueError):
        return None
    return charset, octets


def _to_text(octets, charset):
    return octets.decode(charset, "replace") if octets else ""


def fold(name: str, chunks: list[str]) -> bytes:
    """Return the header's lines, ended by CRLF, broken between chunks only.

    :raises UnwritableHeader: a line would be longer than 998 octets
    """
    lines = [f"{name}: {chunks[0] if chunks else ''}".encode()]
    for chunk in chunks[1:]:
        octets = chunk.encode()
        if len(lines[-1]) + len(octets) > LINE_OCTETS:
            lines.append(octets)
        else:
            lines[-1] += octets
    if any(len(line) > MAX_LINE_OCTETS for line in lines):
        raise UnwritableHeader(f"The header {name} is too long.")
    return b"\r\n".join(lines) + b"\r\n"


def check(name: str, read, meant) -> None:
    """Refuse what would be read in another way than it was meant.

    :raises UnwritableHeader: it would be
    """
    if read != meant:
        raise UnwritableHeader(f"The header {name} cannot be written as it is meant.")


def unfold(lines: bytes) -> str:
    """Return the value of a header that `fold` wrote."""
    text = lines.decode().partition(":")[2]
    return text.replace("\r\n", "").strip(" ")
