"""Headers of mailing lists: links in angle brackets, and the name of a list."""

import re
from urllib.parse import quote

from ..address import AddressError, host_to_ascii
from .text import (
    UnwritableHeader,
    check,
    clean_decoded,
    decode_words,
    encode_words,
    fold,
    get_word_octets,
    is_plain,
    is_well_encoded,
    spaced,
    unfold,
    write_text,
)

_BRACKETS = re.compile(r"<([^<>]*)>")
_BARE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^\s<>]+")
_RESERVED = "!#$%&'()*+,/:;=?@[]~"
# scheme://, what stands before an @, host, the rest (RFC 3986 3)
_AUTHORITY = re.compile(
    r"([A-Za-z][A-Za-z0-9+.\-]*://)([^/?#@]*@)?([^/?#:\[\]]*)(.*)", re.DOTALL
)
_MAILTO = re.compile(r"(mailto:)([^?]*)(.*)", re.IGNORECASE | re.DOTALL)
_LIST_ID = re.compile(r"(.*)<([^<>]*)>([^<>\"]*)", re.DOTALL)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)


def write_links(name: str, value: str) -> bytes:
    """Return the lines of a header of links, which nothing may encode or divide.

    RFC 2369; a link without its brackets gets them.

    :raises UnwritableHeader: a host that is none
    """
    if _BARE.fullmatch(value):
        value = f"<{value}>"
    chunks, meant, at = [], [], 0
    for match in _BRACKETS.finditer(value):
        chunks += _write_between(name, value[at : match.start()])
        meant.append(_to_uri(match[1].strip()))
        chunks.append(f"<{meant[-1]}>")
        at = match.end()
    chunks += _write_between(name, value[at:])
    lines = fold(name, _attached(chunks))
    check(name, _BRACKETS.findall(unfold(lines)), meant)
    return lines


def _write_between(name, text):
    """Write the comma or comment between two links."""
    return [chunk.strip(" ") for chunk in write_text(name, text.strip())]


def _attached(chunks):
    """Space the chunks, but let a comma stand where it belongs."""
    joined = []
    for chunk in chunks:
        if chunk == "," and joined:
            joined[-1] += chunk
        else:
            joined.append(chunk)
    return spaced(joined)


def _to_uri(link):
    """Return the URI of a link with blanks or letters beyond ASCII (RFC 3987 3.1)."""
    link = link.replace(" ", "%20")
    if link.isascii():
        return link
    if match := _AUTHORITY.fullmatch(link):
        scheme, user, host, rest = match.groups()
        return scheme + _quoted(user or "") + _to_host(host) + _quoted(rest)
    if match := _MAILTO.fullmatch(link):
        scheme, addresses, rest = match.groups()
        return scheme + ",".join(map(_to_path, addresses.split(","))) + _quoted(rest)
    return _quoted(link)


def _quoted(text):
    return quote(text, safe=_RESERVED)


def _to_host(host):
    try:
        return host if host.isascii() else host_to_ascii(host, "server_host")
    except AddressError:
        raise UnwritableHeader("A header holds an invalid link.") from None


def _to_path(address):
    """Return an address as mailto has it (RFC 6068 2)."""
    local, at, domain = address.rpartition("@")
    return _quoted(local) + at + (_to_host(domain) if at else _quoted(domain))


def write_list_id(name: str, value: str, is_decoded: bool = False) -> bytes:
    """Return the lines of a List-Id: what people call a list, and its id (RFC 2919 2).

    :param is_decoded: what looks like an encoded word is none
    :raises UnwritableHeader: an id that is none
    """
    match = _LIST_ID.fullmatch(value)
    phrase, list_id, rest = match.groups() if match else (value, None, "")
    chunks, meant = _write_phrase(name, phrase.strip(), is_decoded)
    if match:
        list_id = _to_host("".join(list_id.split()))
        chunks.append(f" <{list_id}>" if chunks else f"<{list_id}>")
        chunks += [f" {chunk.strip()}" for chunk in write_text(name, rest.strip())]
    lines = fold(name, chunks)
    found = _LIST_ID.fullmatch(unfold(lines))
    written = found.groups() if found else (unfold(lines), None)
    check(name, (decode_words(written[0].strip()), written[1]), (meant, list_id))
    return lines


def _write_phrase(name, phrase, is_decoded):
    """Return the chunks of what a list is called, and how that is read."""
    if is_plain(phrase, utf8=False):
        return write_text(name, phrase), phrase
    if not is_decoded:
        if is_well_encoded(phrase):
            return re.findall(" *[^ ]+", phrase), decode_words(phrase)
        phrase = clean_decoded(name, decode_words(phrase))
    if quoted := _QUOTED.fullmatch(phrase):
        phrase = re.sub(r"\\(.)", r"\1", quoted[1])
    return spaced(encode_words(phrase, get_word_octets(name))), phrase
