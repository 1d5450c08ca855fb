"""Where the Odoo server may connect on behalf of a user.

Host and port come from users, so they could point at the inside of the network the
server stands in. A name is resolved once, every address it has is judged, and the
connection goes to a judged address: a name that answers differently a moment later
(DNS rebinding) gains nothing.
"""

import ipaddress
import queue
import re
import socket
import threading
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from .address import AddressError, ServerAddress, host_to_ascii
from .deadline import Deadline
from .memory import Memory
from .race import NoConnection, first_to_answer, interleave

FREE_PORTS = frozenset({25, 143, 465, 587, 993, 2525})  # mail submission and IMAP
MAX_ADDRESSES = 16  # addresses of one name that are tried
MAX_ALLOWED_LENGTH = 20_000  # characters of the administrator's list
RESOLVE_TIMEOUT = 8.0  # s; getaddrinfo itself has no limit

UNREACHABLE = "The mail server cannot be reached: check its name and port."
ALLOWED = "must be allowed by the administrator"

T = TypeVar("T")
LookUp = Callable[[ServerAddress, float], list[tuple[int, tuple]]]

_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052 2.1
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")  # all that IANA has given out
# IANA's special-purpose registries. A table of our own, because `is_global` of the
# standard library changed its mind between Python versions.
_FORBIDDEN = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT, RFC 6598
        "127.0.0.0/8",
        "168.63.129.16/32",  # a cloud's host agent behind a public address
        "169.254.0.0/16",  # link-local, cloud metadata
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "2001::/23",  # protocol assignments, Teredo
        "2001:db8::/32",
        "2002::/16",  # 6to4, embeds any IPv4 address
        "3fff::/20",
    )
)


class Unreachable(OSError):
    """A target that cannot or must not be reached.

    The text depends on the port alone, else it would tell what listens inside the
    network. ``detail`` is for the administrator's log only: ``name``, ``forbidden``,
    ``refused`` or ``timeout``; ``hint`` is for whoever typed the server.
    """

    fault = "unreachable"

    def __init__(self, detail: str, port: int):
        self.hint = describe_port(port)
        super().__init__(f"{UNREACHABLE} ({self.hint})")
        self.detail = detail


def describe_port(port: int) -> str:
    """Say which port was tried, which may be our default, and who allows others."""
    tried = f"port {port} was tried"
    if port in FREE_PORTS:
        return f"{tried}; a server inside your own network {ALLOWED}"
    usual = ", ".join(str(free) for free in sorted(FREE_PORTS))
    return f"{tried}; any other than {usual} {ALLOWED}"


class _Entry(NamedTuple):
    """One entry of the administrator's list; no port means every port."""

    host: str | None
    network: ipaddress.IPv4Network | ipaddress.IPv6Network | None
    port: int | None


class Guard:
    """Judges where to connect.

    :param allowed: the administrator's exceptions, separated by commas or spaces:
        ``localhost``, ``127.0.0.1``, ``::1``, ``10.0.0.0/8``, ``mail.intern:2525``,
        ``[::1]:2525``, ``*:2526`` (this port at every public address). A host or a
        network without a port is allowed with every port.
    :param look_up: function (server, timeout in seconds) that returns what a name's
        addresses are, as (family, socket address); None: what the system says
    :param needs_port: only entries with a port count: those without are meant for mail
    :raises ValueError: an entry that is none of these; the text names it
    """

    def __init__(
        self,
        allowed: str = "",
        look_up: LookUp | None = None,
        needs_port: bool = False,
    ):
        self._look_up = look_up or _look_up
        allowed = allowed or ""
        if len(allowed) > MAX_ALLOWED_LENGTH:
            raise ValueError("The list of allowed mail servers is too long.")
        entries = [text for text in re.split(r"[\s,]+", allowed) if text]
        parsed = [_parse_entry(text) for text in entries]
        self._entries = [e for e in parsed if e.port is not None or not needs_port]

    def resolve(
        self, server: ServerAddress, timeout: float = RESOLVE_TIMEOUT
    ) -> list[tuple[int, tuple]]:
        """Return (family, socket address) of each address of a permitted server.

        :raises Unreachable: no address, or at least one that is forbidden
        """
        found = _addresses(server, timeout, self._look_up)
        if not found:
            raise Unreachable("name", server.port)
        if not all(self._is_permitted(server, address) for _, address in found):
            raise Unreachable("forbidden", server.port)
        return found

    def connect(self, server: ServerAddress, deadline: Deadline) -> socket.socket:
        """Return a TCP connection to a judged address.

        :raises Unreachable: always with the same text for a port
        """
        return self.reach(server, deadline, lambda sock, step: sock)

    def reach(
        self,
        server: ServerAddress,
        deadline: Deadline,
        greet: Callable[[socket.socket, Deadline], T],
    ) -> T:
        """Return what ``greet`` returns at the first judged address where it can.

        The address that answered last comes first, then both families in turn.

        :param greet: called with a TCP connection, which it closes if it fails, and
            with the deadline; in a thread of its own if there are several addresses
        :raises Unreachable: no address takes a connection
        :raises Exception: the first that ``greet`` raised, if it succeeds nowhere
        """
        targets = interleave(
            self.resolve(server, deadline.within(RESOLVE_TIMEOUT).left)
        )
        targets.sort(key=lambda target: target != _answered.get(server))
        try:
            target, found = first_to_answer(targets[:MAX_ADDRESSES], deadline, greet)
        except NoConnection as error:
            raise Unreachable(error.detail, server.port) from None
        _answered.keep(server, target)
        return found

    def _is_permitted(self, server, address):
        faces = _faces(address[0])
        if any(_is_listed(entry, server, faces) for entry in self._entries):
            return True
        if not all(_is_public(face) for face in faces):
            return False
        free = any(
            entry.host == "*" and entry.port == server.port for entry in self._entries
        )
        return free or server.port in FREE_PORTS


# Which address of a server answered last. Of this process only; losing it costs time.
_answered: Memory[ServerAddress, tuple] = Memory()


def _parse_entry(text):
    try:
        return _read_entry(text)
    except (AddressError, ValueError):
        raise ValueError(
            f"{text[:80]!r} in the list of allowed mail servers is not valid: enter"
            " names, IP addresses or networks, such as mail.example.com:2525,"
            " 127.0.0.1 or 10.0.0.0/8."
        ) from None


def _read_entry(text):
    try:
        return _Entry(None, ipaddress.ip_network(text), None)
    except ValueError:
        pass
    host, port = _split_entry(text)
    if host == "*":
        if port is None:
            raise ValueError
        return _Entry("*", None, port)
    try:
        return _Entry(None, ipaddress.ip_network(host), port)
    except ValueError:
        return _Entry(host_to_ascii(host, "server_host"), None, port)


def _split_entry(text):
    match = re.fullmatch(r"\[([0-9A-Fa-f:./]*)\](/[0-9]{1,3})?(?::([0-9]{1,5}))?", text)
    if match:
        host, port = match[1] + (match[2] or ""), match[3]
    else:
        host, _, port = text.partition(":")
        port = port if ":" in text else None
    if port is None:
        return host, None
    if not re.fullmatch(r"[1-9][0-9]{0,4}", port) or int(port) > 65535:
        raise ValueError
    return host, int(port)


def _is_listed(entry, server, faces):
    if entry.port not in (None, server.port):
        return False
    if entry.network is not None:
        return all(
            face.version == entry.network.version and face in entry.network
            for face in faces
        )
    return entry.host == server.host


def _faces(text):
    """Return the addresses that a packet to this one may end at.

    An IPv4 address inside an IPv6 one is judged in its own right.
    """
    address = ipaddress.ip_address(text.partition("%")[0])
    if address.version == 4:
        return [address]
    if address.ipv4_mapped:
        return [address.ipv4_mapped]
    if address in _NAT64:
        return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    return [address]


def _is_public(address):
    if any(
        address.version == network.version and address in network
        for network in _FORBIDDEN
    ):
        return False
    return address.version == 4 or address in _GLOBAL_UNICAST


def _addresses(server, timeout, look_up):
    """Return (family, socket address) for a literal or a name, without doubles."""
    try:
        address = ipaddress.ip_address(server.host)
    except ValueError:
        return look_up(server, timeout)
    if address.version == 4:
        return [(socket.AF_INET, (str(address), server.port))]
    if address.scope_id:
        raise Unreachable("forbidden", server.port)
    return [(socket.AF_INET6, (str(address), server.port, 0, 0))]


def _look_up(server, timeout):
    """Ask the system's resolver, in a thread: it may take longer than we may wait."""
    try:
        host = host_to_ascii(server.host, "server_host")
    except AddressError:
        raise Unreachable("forbidden", server.port) from None
    answers = queue.SimpleQueue()

    def ask():
        try:
            answers.put(
                socket.getaddrinfo(
                    host, server.port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
                )
            )
        except (OSError, UnicodeError):
            answers.put([])

    threading.Thread(target=ask, name="resolve mail server", daemon=True).start()
    try:
        found = answers.get(timeout=max(timeout, 0.001))
    except queue.Empty:
        raise Unreachable("name", server.port) from None
    return list(
        dict.fromkeys(
            (family, address)
            for family, _, _, _, address in found
            if family in (socket.AF_INET, socket.AF_INET6)
        )
    )
