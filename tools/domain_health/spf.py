"""The SPF record of a domain, and all that it includes (RFC 7208)."""

import re
from typing import NamedTuple

MAX_LOOKUPS = 10  # terms that ask the DNS, RFC 7208 4.6.4

_VERSION = re.compile(r"v=spf1(?: |\Z)", re.IGNORECASE)
_ASKS = re.compile(r"[+?~-]?(include|a|mx|ptr|exists)(?=[:/]|\Z)(?::(\S+))?", re.I)
_REDIRECT = re.compile(r"redirect=(\S+)", re.IGNORECASE)


class Spf(NamedTuple):
    """What was found.

    ``count``: SPF records at the domain itself, of which one counts. ``included``: the
    domains whose records were read. ``lookups``: terms that ask the DNS.
    """

    count: int
    included: frozenset[str] = frozenset()
    lookups: int = 0
    lets_all: bool = False


def read_spf(domain, ask):
    """Read the record of a domain; None if nobody answered.

    :param ask: from a name to the list of its texts, None if nobody answered
    """
    texts = ask(domain)
    if texts is None:
        return None
    records = [text for text in texts if _VERSION.match(text)]
    if len(records) != 1:
        return Spf(len(records))
    terms = records[0].split()[1:]
    lets_all = any(term.lower() in ("all", "+all") for term in terms)
    included, lookups = set(), 0
    waiting = [terms]
    while waiting and lookups <= MAX_LOOKUPS:
        for term in waiting.pop():
            asks, redirect = _ASKS.fullmatch(term), _REDIRECT.fullmatch(term)
            if not asks and not redirect:
                continue
            lookups += 1
            target = redirect[1] if redirect else asks[2]
            follows = redirect or asks[1].lower() == "include"
            # a macro depends on the message (RFC 7208 7)
            if not follows or not target or "%" in target:
                continue
            target = target.lower().rstrip(".")
            if target not in included:
                included.add(target)
                found = [text for text in ask(target) or () if _VERSION.match(text)]
                waiting += [text.split()[1:] for text in found[:1]]
    return Spf(1, frozenset(included), lookups, lets_all)
