"""Fetching what a domain publishes about its mail servers over HTTPS.

Both the domain and its answers are a stranger's: TLS is verified, every host is judged
by the guard at each redirect, and size, time and redirects are bounded. The local part
of the address is not sent. Many servers want an address and answer for it, so they are
asked for the postmaster, whom each domain has (RFC 5321 4.5.1); what comes back for the
postmaster is turned into the user's.
"""

import http.client
import io
import logging
from dataclasses import replace
from urllib.parse import quote, urljoin, urlsplit

from ..address import AddressError, ServerAddress, host_to_ascii
from ..deadline import Deadline
from ..guard import Guard
from ..tls import client_context
from .document import NEUTRAL_LOCAL, read_document
from .proposal import JUDGE_SECONDS, Mailbox, Proposal, Unusable, judge
from .together import together

HTTPS_PORT = 443
MAX_BYTES = 100_000
MAX_REDIRECTS = 3
MAX_URL_LENGTH = 2_000  # characters

# Mozilla's database of providers; it learns the domain.
CENTRAL_HOST = "autoconfig.thunderbird.net"

_logger = logging.getLogger(__name__)


def find_published(
    mailbox: Mailbox, web: Guard, mail: Guard, deadline: Deadline
) -> Proposal | None:
    """Return what the domain publishes about its mail servers.

    :param web: where HTTPS may go
    :param mail: where mail may go
    """
    domain = mailbox.domain
    neutral = quote(f"{NEUTRAL_LOCAL}@{domain}", safe="")
    places = (
        f"https://autoconfig.{domain}/mail/config-v1.1.xml",
        f"https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml",
    )
    urls = [f"{place}?emailaddress={neutral}" for place in places]
    found = together(
        [lambda url=url: _find(url, mailbox, web, mail, deadline) for url in urls],
        deadline,
    )
    return next(filter(None, found), None)


def find_central(
    mailbox: Mailbox, web: Guard, mail: Guard, deadline: Deadline
) -> Proposal | None:
    """Return what Mozilla's database has about the domain."""
    url = f"https://{CENTRAL_HOST}/v1.1/{mailbox.domain}"
    found = _find(url, mailbox, web, mail, deadline)
    return found and replace(found, source="central")


def _find(url, mailbox, web, mail, deadline):
    try:
        host, body = fetch(url, web, deadline.sooner(JUDGE_SECONDS))
        proposal = replace(read_document(body, mailbox), origin=host)
        return judge(proposal, mail, deadline)
    except (Unusable, OSError, http.client.HTTPException) as error:
        # not the text: what the other side sent may be anything
        _logger.info("Nothing at %s: %s", urlsplit(url).hostname, type(error).__name__)
        return None


def fetch(url: str, guard: Guard, deadline: Deadline) -> tuple[str, bytes]:
    """Return the host that answered in the end, and its document.

    :raises Unusable: an answer that is none
    :raises OSError, http.client.HTTPException: no answer
    """
    for _hop in range(MAX_REDIRECTS + 1):
        host, target = _split(url)
        answer = _ask(host, target, guard, deadline)
        if isinstance(answer, bytes):
            return host, answer
        url = urljoin(url, answer)
    raise Unusable("too many redirects")


def _split(url):
    """Return host and request target of a URL that may be asked for.

    :raises Unusable: it may not
    """
    if len(url) > MAX_URL_LENGTH or not url.isascii() or not url.isprintable():
        raise Unusable("no URL")
    try:
        parts = urlsplit(url)
        if parts.scheme != "https" or parts.username is not None:
            raise Unusable("no https")
        if parts.port not in (None, 443):
            raise Unusable("another port")
        host = host_to_ascii(parts.hostname or "", "server_host")
    except (AddressError, ValueError) as error:
        raise Unusable(str(error)) from None
    target = parts.path or "/"
    target = f"{target}?{parts.query}" if parts.query else target
    return host, quote(target, safe="/?&=%:@+,;~!$'()*-._")


def _ask(host, target, guard, deadline):
    """Return the document, or where a redirect points to."""
    sock = guard.connect(ServerAddress(host, HTTPS_PORT), deadline)
    with sock:
        deadline.arm(sock)
        with client_context().wrap_socket(sock, server_hostname=host) as tls:
            deadline.arm(tls)
            tls.sendall(
                f"GET {target} HTTP/1.1\r\nHost: {host}\r\nAccept: text/xml, "
                "application/xml\r\nAccept-Encoding: identity\r\n"
                "Connection: close\r\n\r\n".encode("ascii")
            )
            response = http.client.HTTPResponse(_Wire(tls, deadline), method="GET")
            try:
                response.begin()
                return _read(response)
            except ValueError as error:
                raise Unusable(str(error)) from None
            finally:
                response.close()


def _read(response):
    if response.status in (301, 302, 303, 307, 308):
        return response.getheader("Location") or ""
    if response.status != 200:
        raise Unusable(f"status {response.status}")
    kind = response.getheader("Content-Type", "").partition(";")[0].strip().lower()
    if kind not in ("text/xml", "application/xml") and not kind.endswith("+xml"):
        raise Unusable("no XML")
    if response.getheader("Content-Encoding", "identity").lower() != "identity":
        raise Unusable("encoded")
    body = response.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        raise Unusable("too long")
    return body


class _Wire(io.RawIOBase):
    """A socket for ``HTTPResponse`` whose every wait ends with the deadline."""

    def __init__(self, sock, deadline):
        super().__init__()
        self._sock = sock
        self._deadline = deadline

    def makefile(self, _mode):
        return io.BufferedReader(self)

    def readable(self):
        return True

    def readinto(self, buffer):
        self._deadline.arm(self._sock)
        return self._sock.recv_into(buffer)
