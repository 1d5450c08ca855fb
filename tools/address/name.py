"""The name shown before an address."""

from .errors import AddressError
from .text import capped, has_control

MAX_NAME_LENGTH = 200  # characters

_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e") | {
    chr(code) for code in range(0x2066, 0x206A)
}


def check_display_name(text: str) -> str:
    """Return the name for the From header without outer spaces; may be empty.

    Coded words (RFC 2047) are refused as a whole: what they decode to could hold a
    line break and so add a header to the message.

    :raises AddressError: with a ``text_...`` reason
    """
    text = capped(text, MAX_NAME_LENGTH, "text_length").strip(" ")
    if has_control(text, allowed=None) or any(char in _BIDI_CONTROLS for char in text):
        raise AddressError("text_control")
    if "=?" in text:
        raise AddressError("text_encoded")
    return text
