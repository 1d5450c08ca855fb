"""The name we greet a mail server with (RFC 5321 4.1.1.1, 4.1.3, 4.1.4)."""

import re
import smtplib
import socket
import ssl

from ...address import ServerAddress
from ...memory import Memory
from . import pipelining
from .failure import SmtpFailure
from .outcome import Outcome
from .reply import Phase, Reply

REASON = "ehlo_name"

_NAME = re.compile(
    r"(?=.{4,253}\Z)([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+"
    r"[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]"
)
_LITERAL = re.compile(r"\[[A-Za-z0-9.:]{3,80}\]")

_NAMES = r"(host ?names?|hosts?|names?|domains?|identity|argument|literal|fqdn)"
# How servers speak of it; at EHLO itself they need no such words.
_ABOUT_THE_NAME = re.compile(
    r"(?<![\w@.+-])(EHLO|HELO)(?![\w.+-]*@)"
    rf"|(?<!before )(?<!before the )\bgreeting\b.{{0,40}}\b{_NAMES}\b"
    rf"|\b{_NAMES}\b.{{0,30}} (in|of|as|for|with) (the |your |smtp |a )*greeting\b"
    r"|\b(introduc|identif|announc)\w* (your|it|them)sel(f|ves)\b",
    re.IGNORECASE,
)
_ABOUT_A_NAME = re.compile(
    r"fully.?qualified|\bfqdn\b|\b(not|un).?qualified\b"
    r"|\b(invalid|bad|bogus|forged|illegal|malformed|fake|incorrect) "
    r"(client |sending |your )?(host ?name|machine name)"
    r"|\b(your|client) (host ?name|machine name)\b.{0,30}\b(invalid|bad|bogus|illegal"
    r"|malformed|not (valid|allowed|accepted))",
    re.IGNORECASE,
)
# What is wrong with a name that a reply repeats.
_IS_WRONG = re.compile(
    r"invalid|\bbad\b|bogus|forged|illegal|malformed|fake|qualified|mismatch"
    r"|resolv|not (be )?(found|valid|exist|accept|allowed|match)|no such|unknown"
    r"|does.?n.t (exist|match)|no dns",
    re.IGNORECASE,
)
_ABOUT_AN_ADDRESS = re.compile(
    r"\b(sender|recipient|from|rcpt|mail.?box|user|e-?mail)\b"
    r"|(?<!\bip )(?<!\bipv4 )(?<!\bipv6 )\baddress\b(?! literal)",
    re.IGNORECASE,
)

# Servers that took the name amiss and hung up: the literal comes first there.
_refused: Memory[ServerAddress, str] = Memory()


def own_name(
    wanted: str, sock: socket.socket, server: ServerAddress | None = None
) -> str:
    """Return the name for EHLO: a qualified one, else this end's address literal.

    An IP address is neither, and many servers refuse who greets so.

    :param wanted: tried first; then the host's own name
    :param server: what it has refused is not said again
    """
    for name in (wanted, socket.gethostname()):
        if _NAME.fullmatch(name) or _LITERAL.fullmatch(name):
            is_refused_there = server is not None and _refused.get(server) == name
            return literal_of(sock) if is_refused_there else name
    return literal_of(sock)


def literal_of(sock: socket.socket) -> str:
    """Return the address literal of this end of a connection (RFC 5321 4.1.3)."""
    address = sock.getsockname()[0].partition("%")[0]
    if address.lower().startswith("::ffff:") and "." in address:
        address = address[7:]  # IPv4 on a socket for both
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def is_refused(reply: Reply, name: str = "", phase: Phase = Phase.RCPT) -> bool:
    """Tell whether a reply refuses the name we gave; many servers say so at RCPT.

    :param name: what we greeted with: a server may only say what is wrong with it
    """
    if reply.code < 400 or reply.is_ours:
        return False
    if _ABOUT_THE_NAME.search(reply.text):
        return not (_NAME.fullmatch(name) and _is_busy(reply))
    if phase is Phase.EHLO:
        return reply.code in (501, 504) or bool(_is_about(name, reply.text))
    if phase is Phase.DOT or _ABOUT_AN_ADDRESS.search(reply.text):
        return False
    return (
        # a parameter that is not implemented: of EHLO, as the others have addresses
        reply.code == 504
        or bool(_ABOUT_A_NAME.search(reply.text))
        or _is_about(name, reply.text)
    )


def _is_busy(reply):
    """Tell whether a server only names the command that it has no time for.

    Google's relay does; to a literal it says the same, and means the literal.
    """
    is_later = re.search(r"\blater\b|\bbusy\b", reply.text, re.IGNORECASE)
    return reply.code == 421 and is_later and not _IS_WRONG.search(reply.text)


def _is_about(name, text):
    """Tell whether a text says that something is wrong with this name."""
    if not _NAME.fullmatch(name) or not _IS_WRONG.search(text):
        return False
    return bool(
        re.search(rf"(?<![\w@.-]){re.escape(name)}(?![\w@-]|\.\w)", text, re.IGNORECASE)
    )


def name_refused(phase: Phase, reply: Reply) -> SmtpFailure:
    """Return the failure for the owner: no mail is to blame, and none can pass."""
    outcome = Outcome("deferred", "alias", REASON, hold=REASON, reply=reply)
    return SmtpFailure(phase, reply, outcome=outcome)


class HungUp(SmtpFailure):
    """The server ended the connection over our name, or so it seems.

    Another connection greets with the literal: at once (``open``), or, where the server
    said what it minds, the next one that this process makes.
    """


def hung_up(
    server: ServerAddress, name: str, phase: Phase, reply: Reply | None, cause=None
) -> HungUp:
    """Return the failure of a connection that ended with the refusal of a name."""
    if reply is None or not is_refused(reply, name, phase):
        return HungUp(phase, reply, cause)
    _refused.keep(server, name)
    outcome = Outcome("deferred", "alias", REASON, reply=reply)
    return HungUp(phase, reply, outcome=outcome)


def is_cut(error: BaseException | None) -> bool:
    """Tell whether the other side has closed the connection."""
    kinds = (ConnectionError, EOFError, smtplib.SMTPServerDisconnected, ssl.SSLEOFError)
    return isinstance(error, kinds)


def forget_refused(server: ServerAddress) -> None:
    """Begin with the name again: the literal is no better."""
    _refused.pop(server, None)


def may_greet_again(outcome: Outcome) -> bool:
    """Tell whether a new connection talks in another way than the one that ended."""
    return outcome.reason in (REASON, pipelining.REASON) and not outcome.hold
