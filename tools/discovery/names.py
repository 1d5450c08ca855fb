"""Questions to the DNS, each with an end, and answers as plain text."""

import socket
from typing import NamedTuple

import dns.exception
import dns.name
import dns.resolver

from ..address import AddressError, ServerAddress, host_to_ascii, parse_server
from ..deadline import Deadline

DNS_PORT = 53
TRY_SECONDS = 1.0  # for one server of the resolver's list, before the next is asked
MAX_RECORDS = 50  # of one answer

_NO_ANSWER = (dns.exception.DNSException, OSError, UnicodeError)


class Service(NamedTuple):
    """Where a service is offered (RFC 2782); no host: it is not."""

    host: str
    port: int


class Names:
    """Ask the machine's resolver, or the one that is named.

    :param nameserver: ``IP address:port`` of a DNS server; empty = the machine's
    :raises ValueError: it is no IP address and port
    """

    def __init__(self, nameserver: str = ""):
        try:
            self._resolver = dns.resolver.Resolver(configure=not nameserver)
        except dns.resolver.NoResolverConfiguration:
            self._resolver = None
            return
        self._resolver.timeout = TRY_SECONDS
        if nameserver:
            server = parse_server(nameserver, DNS_PORT)
            self._resolver.nameservers = [server.host]
            self._resolver.port = server.port

    def get_mx(self, domain: str, deadline: Deadline) -> list[str]:
        """Return the hosts that take mail for a domain, the preferred first."""
        records = sorted(
            self._ask(domain, "MX", deadline), key=lambda record: record.preference
        )
        return list(filter(None, map(_get_host, (r.exchange for r in records))))

    def get_services(
        self, service: str, domain: str, deadline: Deadline
    ) -> list[Service]:
        """Return where a domain offers a service, the preferred first (RFC 2782).

        Of equal priority the greatest weight comes first: a form proposes one server,
        and the same one each time.

        :param service: such as ``_submissions``
        """
        records = sorted(
            self._ask(f"{service}._tcp.{domain}", "SRV", deadline),
            key=lambda record: (record.priority, -record.weight),
        )
        return [Service(_get_host(r.target), r.port) for r in records]

    def get_addresses(
        self, server: ServerAddress, timeout: float
    ) -> list[tuple[int, tuple]]:
        """Return (family, socket address) of each address of a host."""
        deadline = Deadline(timeout)
        found = [
            (socket.AF_INET, (record.address, server.port))
            for record in self._ask(server.host, "A", deadline.within(timeout / 2))
        ]
        found += [
            (socket.AF_INET6, (record.address, server.port, 0, 0))
            for record in self._ask(server.host, "AAAA", deadline)
        ]
        return found

    def get_texts(self, name: str, deadline: Deadline) -> list[str] | None:
        """Return the texts of a name; None if nobody answered."""
        records = self._find(name, "TXT", deadline)
        if records is None:
            return None
        return [b"".join(r.strings).decode("utf-8", "replace") for r in records]

    def takes_mail(self, domain: str, deadline: Deadline) -> bool | None:
        """Tell whether mail to a domain can arrive; None if nobody answered.

        A domain without MX takes it at its own address (RFC 5321 5.1), one whose MX is
        a dot takes none (RFC 7505).
        """
        records = self._find(domain, "MX", deadline)
        if records:
            return any(_get_host(record.exchange) for record in records)
        answers = [records]
        for kind in ("A", "AAAA"):
            answers.append(self._find(domain, kind, deadline))
            if answers[-1]:
                return True
        return None if None in answers else False

    def is_missing(self, domain: str, deadline: Deadline) -> bool:
        """Tell whether it is certain that there is no such domain (RFC 8020 2)."""
        try:
            self._resolve(domain, "MX", deadline)
        except dns.resolver.NXDOMAIN:
            return True
        except _NO_ANSWER:
            return False
        return False

    def _ask(self, name, kind, deadline):
        """Return the records of one answer; none if there is no answer."""
        return self._find(name, kind, deadline) or []

    def _find(self, name, kind, deadline):
        """Return the records of one answer, None if nobody answered."""
        try:
            return self._resolve(name, kind, deadline)
        except dns.resolver.NXDOMAIN:
            return []
        except _NO_ANSWER:
            return None

    def _resolve(self, name, kind, deadline):
        """Return the records of one answer.

        :raises NXDOMAIN: there is no such name
        :raises DNSException, OSError, UnicodeError: nobody answered
        """
        if not self._resolver:
            raise dns.resolver.NoNameservers
        answer = self._resolver.resolve(
            dns.name.from_text(name),
            kind,
            lifetime=deadline.left,
            raise_on_no_answer=False,
            search=False,
        )
        return list(answer.rrset or ())[:MAX_RECORDS]


def _get_host(name):
    """The name of a host in lower case, empty if it is the root or none at all."""
    text = name.to_text(omit_final_dot=True)
    try:
        return host_to_ascii(text, "server_host") if text != "." else ""
    except AddressError:
        return ""
