"""The SPF record of a domain, and all that it includes (RFC 7208)."""

import re
from typing import NamedTuple

MAX_LOOKUPS = 10  # terms that ask the DNS, RFC 7208 4.6.4

_VERSION = re.compile(r"v=spf1(?: |\Z)", re.IGNORECASE)
_ASKS = re.compile(r"[+?~-]?(include|a|mx|ptr|exists)(?=[:/]|\Z)(?::(\S+))?", re.I)
_ALL = re.compile(r"[+?~-]?all", re.IGNORECASE)
_REDIRECT = re.compile(r"redirect=(\S+)", re.IGNORECASE)


class Spf(NamedTuple):
    """What was found.

    ``count``: SPF records at the domain itself, of which one counts. ``included``: the
    domains whose records were read. ``lookups``: terms that ask the DNS. ``broken``: a
    domain that is included and has no record, or several; receivers then use none of
    it. ``is_open``: something depends on the message, and cannot be told beforehand.
    """

    count: int
    included: frozenset[str] = frozenset()
    lookups: int = 0
    lets_all: bool = False
    broken: str = ""
    is_open: bool = False


def read_spf(domain, ask):
    """Read the record of a domain; None if nobody answered.

    :param ask: from a name to the list of its texts, None if nobody answered
    """
    texts = ask(domain)
    if texts is None:
        return None
    records = _get_records(texts)
    if len(records) != 1:
        return Spf(len(records))
    reader = _Reader(ask)
    reader.read(records[0])
    return Spf(
        1,
        frozenset(reader.included),
        reader.lookups,
        reader.lets_all,
        reader.broken,
        reader.is_open,
    )


def _get_records(texts):
    return [text for text in texts if _VERSION.match(text)]


def _get_terms(record):
    """The terms that count: behind "all" none is looked at, and no redirect counts
    beside it (RFC 7208 5.1)."""
    terms = record.split()[1:]
    ends = [n for n, term in enumerate(terms) if _ALL.fullmatch(term)]
    if not ends:
        return terms
    return [t for t in terms[: ends[0] + 1] if not _REDIRECT.fullmatch(t)]


class _Reader:
    """Follows includes and redirects, breadth first, until the limit is passed."""

    def __init__(self, ask):
        self._ask = ask
        self.included = set()
        self.lookups = 0
        self.lets_all = False
        self.broken = ""
        self.is_open = False

    def read(self, record):
        waiting = [_get_terms(record)]
        while waiting and self.lookups <= MAX_LOOKUPS:
            for term in waiting.pop():
                if self.lookups > MAX_LOOKUPS:
                    return
                if term.lower() in ("all", "+all"):
                    self.lets_all = True
                if target := self._get_target(term):
                    waiting += self._follow(target)

    def _get_target(self, term):
        """Count a term; return whose record it leads to, if it does."""
        asks, redirect = _ASKS.fullmatch(term), _REDIRECT.fullmatch(term)
        if not asks and not redirect:
            return None
        self.lookups += 1
        target = redirect[1] if redirect else asks[2]
        if not target or not (redirect or asks[1].lower() == "include"):
            return None
        # a macro depends on the message (RFC 7208 7)
        if "%" in target:
            self.is_open = True
            return None
        return target.lower().rstrip(".")

    def _follow(self, target):
        self.included.add(target)
        texts = self._ask(target)
        if texts is None:
            return []
        records = _get_records(texts)
        if len(records) != 1:
            self.broken = self.broken or target
            return []
        return [_get_terms(records[0])]
