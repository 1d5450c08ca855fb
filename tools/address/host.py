"""The name of a host: A-labels, or an IPv4 literal."""

import ipaddress
import re

import idna

from .errors import AddressError

MAX_DOMAIN_LENGTH = 253  # RFC 1035 2.3.4 without the root dot

# The underscore is no letter of a host name (RFC 952), but names inside container
# networks carry it.
_ASCII_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
NUMBER_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)


def host_to_ascii(name: str, reason: str) -> str:
    """Return the lower-case A-label form of a host name or an IPv4 literal.

    Shorthand, octal, hexadecimal and whole-number forms of an IPv4 address are
    refused: resolvers disagree about them.

    :param reason: the reason of the AddressError that refuses anything else
    """
    name = name[:-1] if name.endswith(".") else name
    if len(name) > MAX_DOMAIN_LENGTH:
        raise AddressError(reason)
    ascii_name = name.lower() if name.isascii() else _idna(name, reason)
    labels = ascii_name.split(".")
    if len(ascii_name) > MAX_DOMAIN_LENGTH:
        raise AddressError(reason)
    if not all(_ASCII_LABEL.fullmatch(label) for label in labels):
        raise AddressError(reason)
    if NUMBER_LABEL.fullmatch(labels[-1]):
        return _ipv4(ascii_name, reason)
    for label in labels:
        if label.startswith("xn--"):
            _check_a_label(label, reason)
    return ascii_name


def _idna(name, reason):
    """Encode as a browser would: case and width folded (UTS 46), then IDNA 2008."""
    try:
        return idna.encode(name, uts46=True, std3_rules=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError, IndexError):
        raise AddressError(reason) from None


def _check_a_label(label, reason):
    try:
        idna.ulabel(label)
    except (idna.IDNAError, UnicodeError, IndexError):
        raise AddressError(reason) from None


def _ipv4(text, reason):
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        raise AddressError(reason) from None
