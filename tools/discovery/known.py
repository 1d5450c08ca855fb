"""Providers that are known beforehand: by the domain of the address, or by its MX."""

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from ..address import (
    DEFAULT_PORT,
    IMAP_PORT,
    AddressError,
    ServerAddress,
    parse_server,
)
from .proposal import Mailbox, Proposal, Unusable, fill_in

SIMILAR_LENGTH = 8  # characters, from which on a domain has few neighbours


class SignIn(NamedTuple):
    """A provider at which users sign in.

    :ivar domains: domains of its mailboxes
    :ivar mx_domains: its hosts that take mail are in one of these
    :ivar hosts: its submission servers
    """

    key: str
    domains: frozenset[str]
    mx_domains: frozenset[str]
    hosts: frozenset[str]


class Row(NamedTuple):
    """A row of the table of providers, see :class:`SignIn`.

    :ivar key: what its owner knows it by
    :ivar is_own: the administrator's own, which wins
    """

    key: object
    domains: frozenset[str]
    mx_domains: frozenset[str]
    smtp_server: str
    imap_server: str = ""
    user_pattern: str = "%EMAILADDRESS%"
    imap_user_pattern: str = ""
    is_own: bool = False


class Known:
    """All that is known beforehand.

    :param rows, sign_ins: in the order in which they win
    """

    def __init__(self, rows: Iterable[Row], sign_ins: Iterable[SignIn]):
        self._rows = sorted(rows, key=lambda row: not row.is_own)
        self._sign_ins = list(sign_ins)

    def find_by_domain(self, mailbox: Mailbox) -> Proposal | None:
        """Return what the domain of the address alone tells."""
        return self._find(
            mailbox, "", lambda entry: is_within(mailbox.domain, entry.domains)
        )

    def find_by_mx(self, mailbox: Mailbox, hosts: list[str]) -> Proposal | None:
        """Return what the hosts tell that take mail for the address.

        The first of them counts: behind it there may be somebody else's, in reserve.
        """
        if not hosts:
            return None
        return self._find(
            mailbox,
            hosts[0],
            lambda entry: is_within(hosts[0], entry.mx_domains, has_subdomains=True),
        )

    def find_by_server(self, server: ServerAddress) -> str:
        """Return the key of the sign-in that this submission server belongs to."""
        return next((s.key for s in self._sign_ins if server.host in s.hosts), "")

    def find_row_of(self, server: ServerAddress) -> object:
        """Return the key of the row with this submission server, None for none."""
        for row in self._rows:
            if row.smtp_server and _read(row.smtp_server).host == server.host:
                return row.key
        return None

    def find_similar(self, mailbox: Mailbox) -> str:
        """Return the known domain that this one may be a typing error of, or empty.

        There is often somebody who has registered it, and waits for passwords.
        """
        domains = sorted({d for e in (*self._sign_ins, *self._rows) for d in e.domains})
        if mailbox.domain in domains:
            return ""
        found = (d for d in domains if is_one_slip(mailbox.domain, d))
        return next(found, "")

    def _find(self, mailbox, origin, fits):
        rows = list(filter(fits, self._rows))
        sign_in = next(filter(fits, self._sign_ins), None)
        for row in rows:
            if sign_in and not row.is_own:
                break
            return _propose(row, mailbox, origin)
        if not sign_in:
            return None
        usual = _propose(rows[0], mailbox, origin) if rows else Proposal("sign_in")
        return replace(usual, source="sign_in", origin=origin, sign_in=sign_in.key)


def is_within(name: str, domains: Iterable[str], has_subdomains: bool = False) -> bool:
    """Tell whether a name is one of these domains.

    :param domains: ``*.example.com`` stands for what is below ``example.com``
    :param has_subdomains: each domain stands for what is below it, too
    """
    for domain in domains:
        if domain.startswith("*."):
            if name.endswith(domain[1:]):
                return True
        elif name == domain or (has_subdomains and name.endswith(f".{domain}")):
            return True
    return False


def is_one_slip(name: str, meant: str) -> bool:
    """Tell whether one slip of a finger makes the one domain of the other.

    A letter too many, one too few, another one, or two that have changed places. Short
    names have too many neighbours, and so has the country a name ends in.
    """
    if len(meant) < SIMILAR_LENGTH or name == meant or meant.startswith("*"):
        return False
    top, meant_top = name.rpartition(".")[2], meant.rpartition(".")[2]
    if top != meant_top and meant_top != "com":
        return False
    pairs = enumerate(zip(name, meant, strict=False))
    at = next((i for i, (a, b) in pairs if a != b), min(len(name), len(meant)))
    rest, meant_rest = name[at:], meant[at:]
    return (
        rest[1:] == meant_rest[1:]
        or rest[1:] == meant_rest
        or rest == meant_rest[1:]
        or (rest[:2] == meant_rest[:2][::-1] and rest[2:] == meant_rest[2:])
    )


def _propose(row, mailbox, origin):
    """Return what a row says of this address, without servers it does not name."""
    if not row.smtp_server:
        return Proposal("table", origin=origin, row=row.key)
    imap_user = row.imap_user_pattern and fill_in(row.imap_user_pattern, mailbox)
    return Proposal(
        "table",
        smtp=_read(row.smtp_server),
        smtp_user=fill_in(row.user_pattern, mailbox),
        imap=_read(row.imap_server, IMAP_PORT) if row.imap_server else None,
        imap_user=imap_user or "",
        origin=origin,
        row=row.key,
    )


def _read(server, default_port=DEFAULT_PORT):
    try:
        return parse_server(server, default_port)
    except AddressError as error:
        raise Unusable(str(error)) from None
