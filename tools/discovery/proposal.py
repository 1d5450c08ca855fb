"""What a look-up proposes, and what every proposal has to be."""

import re
from dataclasses import dataclass, replace

from ..address import (
    IMPLICIT_TLS_PORTS,
    AddressError,
    ServerAddress,
    check_display_name,
    mailbox_to_ascii,
    parse_server,
)
from ..deadline import Deadline
from ..guard import Guard, Unreachable
from ..imap.connection import IMPLICIT_TLS_PORTS as IMAP_IMPLICIT_TLS_PORTS

# What is kept for judging the servers that were found, in seconds.
JUDGE_SECONDS = 0.5

MAX_USER_LENGTH = 320  # characters, as of an email address

_PLACEHOLDER = re.compile(r"%[A-Z]+%")


class Unusable(ValueError):
    """An entry that we could not, or would not, use; the text is for the log."""


@dataclass(frozen=True)
class Mailbox:
    """The address that is looked up, taken apart.

    :ivar domain: as A-labels, in lower case
    """

    address: str
    local: str
    domain: str

    @classmethod
    def of(cls, address: str) -> "Mailbox":
        """Take apart what ``parse_mailbox`` returned.

        :raises AddressError: it cannot be asked for
        """
        domain = mailbox_to_ascii(address).rpartition("@")[2]
        return cls(address, address.rpartition("@")[0], domain)


@dataclass(frozen=True)
class Proposal:
    """Where to send mail, and how to log in.

    :ivar source: ``sign_in``, ``table``, ``srv``, ``autoconfig`` or ``central``
    :ivar origin: the name that told it: a domain of the DNS, a web server; may be empty
    :ivar imap_user: empty = as for SMTP
    :ivar sign_in: key of the provider whose sign-in serves this mailbox, or empty
    :ivar row: key of the row of the table that it is from, or that fits; or None
    """

    source: str
    smtp: ServerAddress | None = None
    smtp_user: str = ""
    imap: ServerAddress | None = None
    imap_user: str = ""
    origin: str = ""
    sign_in: str = ""
    row: object = None


def smtp_of(host: str, port: str | int, is_implicit: bool) -> ServerAddress:
    """Return a submission server that our connection would encrypt as it wants.

    :param is_implicit: it wants TLS from the first byte, else STARTTLS
    :raises Unusable: no valid name and port, or TLS begins otherwise at this port
    """
    return _server(host, port, is_implicit, IMPLICIT_TLS_PORTS)


def imap_of(host: str, port: str | int, is_implicit: bool) -> ServerAddress:
    """Return an IMAP server, see :func:`smtp_of`."""
    return _server(host, port, is_implicit, IMAP_IMPLICIT_TLS_PORTS)


def _server(host, port, is_implicit, implicit_ports):
    if ":" in host:
        raise Unusable(f"{host[:80]!r} is no name")
    try:
        server = parse_server(f"{host}:{port}")
    except AddressError as error:
        raise Unusable(str(error)) from None
    if server.is_implicit_tls(implicit_ports) != is_implicit:
        raise Unusable(f"TLS at port {server.port} begins otherwise")
    return server


def fill_in(pattern: str, mailbox: Mailbox) -> str:
    """Return the user name that a pattern means for this address.

    :param pattern: text with ``%EMAILADDRESS%``, ``%EMAILLOCALPART%`` and
        ``%EMAILDOMAIN%``
    :raises Unusable: it cannot be one
    """
    user = (
        pattern.replace("%EMAILADDRESS%", mailbox.address)
        .replace("%EMAILLOCALPART%", mailbox.local)
        .replace("%EMAILDOMAIN%", mailbox.address.rpartition("@")[2])
    )
    try:
        user = check_display_name(user)
    except AddressError as error:
        raise Unusable(str(error)) from None
    if not user or len(user) > MAX_USER_LENGTH or _PLACEHOLDER.search(user):
        raise Unusable("no user name")
    return user


def judge(proposal: Proposal, guard: Guard, deadline: Deadline) -> Proposal:
    """Return the proposal without servers that nobody may connect to.

    :raises Unusable: the submission server is one
    """
    if not _is_open(proposal.smtp, guard, deadline):
        raise Unusable(f"{proposal.smtp} is not allowed")
    if proposal.imap and not _is_open(proposal.imap, guard, deadline):
        return replace(proposal, imap=None, imap_user="")
    return proposal


def _is_open(server, guard, deadline):
    try:
        guard.resolve(server, deadline.within(JUDGE_SECONDS).left)
    except Unreachable as error:
        # a name that does not answer in time may do so later
        return error.detail != "forbidden"
    return True
