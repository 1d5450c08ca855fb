"""A mail server with its port."""

import ipaddress
import re
from dataclasses import dataclass

from .errors import AddressError
from .host import host_to_ascii
from .text import JOINERS, SPACES, capped, has_control

DEFAULT_PORT = 587  # message submission with STARTTLS, RFC 6409 3.1
IMAP_PORT = 993  # of a mailbox, RFC 8314 3.2
IMPLICIT_TLS_PORTS = frozenset({465})  # TLS from the first byte, RFC 8314 3.3

MAX_SERVER_LENGTH = 300  # characters: a name of 253, brackets, port, some slack

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]{0,20})://")
_SPACED_PORT = re.compile(rf"[{SPACES}]*:[{SPACES}]*(?=[0-9]{{1,5}}\Z)")
# The ports of schemes that stand for TLS from the first byte, RFC 8314.
_SCHEME_PORTS = {"smtps": 465, "imaps": IMAP_PORT}
_PORT = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)


@dataclass(frozen=True)
class ServerAddress:
    """A mail server: lower-case A-label name or IP literal without brackets."""

    host: str
    port: int

    def is_implicit_tls(self, ports: frozenset = IMPLICIT_TLS_PORTS) -> bool:
        """Tell whether TLS starts with the first byte here, not with STARTTLS."""
        return self.port in ports

    def __str__(self):
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def tidy_server(text: str) -> str:
    """Return the text without what comes along when a server is copied.

    A scheme, a final slash, spaces around the colon: what is meant is clear. Anything
    else stays for `parse_server` to judge.
    """
    text = (text or "")[: 2 * MAX_SERVER_LENGTH].strip(SPACES)
    scheme = _SCHEME.match(text)
    if scheme:
        text = text[scheme.end() :].rstrip("/")
    text = _SPACED_PORT.sub(":", text)
    port = _SCHEME_PORTS.get(scheme[1].lower()) if scheme else None
    if port and re.fullmatch(r"[^:/?#@]+|\[[^\]]*\]", text):
        return f"{text}:{port}"
    return text


def parse_server(text: str, default_port: int = DEFAULT_PORT) -> ServerAddress:
    """Read ``host``, ``host:port``, ``[IPv6]`` or ``[IPv6]:port``.

    Names in other scripts become A-labels (IDNA 2008, RFC 5891). An IPv6 address
    needs its brackets: ``::1:2525`` could be read in two ways. See `tidy_server` for
    what else is understood.

    :raises AddressError: with a ``server_...`` reason
    """
    text = tidy_server(capped(text, MAX_SERVER_LENGTH, "server_length"))
    if not text:
        raise AddressError("server_empty")
    if has_control(text, allowed=JOINERS):
        raise AddressError("server_control")
    if any(char.isspace() for char in text):
        raise AddressError("server_space")
    if _SCHEME.match(text):
        raise AddressError("server_scheme")
    if "@" in text:
        raise AddressError("server_user")
    if any(char in "/\\?#" for char in text):
        raise AddressError("server_path")
    host, port = _split_port(text)
    if port is None:
        return ServerAddress(host, default_port)
    if not _PORT.fullmatch(port) or int(port) > 65535:
        raise AddressError("server_port")
    return ServerAddress(host, int(port))


def _split_port(text):
    """Return the canonical host and the port's text, None where none was given."""
    if text.startswith("["):
        literal, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise AddressError("server_brackets")
        try:
            host = ipaddress.IPv6Address(literal)
        except ValueError:
            raise AddressError("server_host") from None
        if host.scope_id:
            raise AddressError("server_host")
        return str(host), rest[1:] if rest else None
    if text.count(":") > 1:
        raise AddressError("server_brackets")
    name, colon, port = text.partition(":")
    if not name.strip("."):
        raise AddressError("server_empty")
    return host_to_ascii(name, "server_host"), port if colon else None
