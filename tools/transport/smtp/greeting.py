"""The name we greet a mail server with (RFC 5321 4.1.1.1, 4.1.3, 4.1.4)."""

import re
import socket

from .failure import SmtpFailure
from .outcome import Outcome
from .reply import Phase, Reply

_NAME = re.compile(
    r"(?=.{4,253}\Z)([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+"
    r"[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]"
)
_LITERAL = re.compile(r"\[[A-Za-z0-9.:]{3,80}\]")
_ABOUT_THE_NAME = re.compile(r"(?<![\w@.+-])(EHLO|HELO)(?![\w.+-]*@)", re.IGNORECASE)


def own_name(wanted: str, sock: socket.socket) -> str:
    """Return the name for EHLO: a qualified one, else this end's address literal.

    An IP address is neither, and many servers refuse who greets so.

    :param wanted: tried first; then the host's own name
    """
    for name in (wanted, socket.gethostname()):
        if _NAME.fullmatch(name) or _LITERAL.fullmatch(name):
            return name
    return literal_of(sock)


def literal_of(sock: socket.socket) -> str:
    """Return the address literal of this end of a connection (RFC 5321 4.1.3)."""
    address = sock.getsockname()[0].partition("%")[0]
    if address.lower().startswith("::ffff:") and "." in address:
        address = address[7:]  # IPv4 on a socket for both
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def is_refused(reply: Reply) -> bool:
    """Tell whether a reply refuses the name we gave; many servers say so at RCPT."""
    return reply.code >= 400 and bool(_ABOUT_THE_NAME.search(reply.text))


def name_refused(phase: Phase, reply: Reply) -> SmtpFailure:
    """Return the failure for the owner: no mail is to blame, and none can pass."""
    outcome = Outcome("deferred", "alias", "ehlo_name", hold="ehlo_name", reply=reply)
    return SmtpFailure(phase, reply, outcome=outcome)
