"""Typed text before its structure is looked at: its length, what nobody sees in it."""

import unicodedata

from .errors import AddressError

JOINERS = "\u200c\u200d"  # invisible, yet letters of some scripts (RFC 5892 A.1, A.2)
# Spaces that are no U+0020; web pages and office programs put them into what is copied.
_ODD_SPACES = "\u00a0\u1680\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
SPACES = " " + _ODD_SPACES
# Letters and symbols that show nothing.
BLANKS = frozenset(_ODD_SPACES + "\u034f\u115f\u1160\u2800\u3164\uffa0")


def capped(text, limit, reason):
    """Return the text, or an empty one for None.

    :param limit: the most characters it may have
    :raises AddressError: with the reason, if it is longer
    """
    text = text or ""
    if len(text) > limit:
        # Outer spaces do not count, but are not worth a scan of a megabyte either.
        text = text.strip(SPACES) if len(text) <= 2 * limit else text
    if len(text) > limit:
        raise AddressError(reason)
    return text


def has_control(text, allowed):
    """Tell whether there are control, line-separating or lone surrogate characters.

    :param allowed: the invisible format characters (Cf) that may stay; None = all
    """
    refused = {"Cc", "Zl", "Zp", "Cs"}
    for char in text:
        category = unicodedata.category(char)
        if category in refused:
            return True
        if category == "Cf" and allowed is not None and char not in allowed:
            return True
    return False
