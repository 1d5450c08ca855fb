"""Servers that offer PIPELINING and cannot do it (RFC 2920).

A proxy for viruses, say, drops what comes behind a command, or cuts a command in two
where its buffer ends; the server behind it offers what it can do itself.
"""

import re
import time

from ...address import ServerAddress
from ...memory import Memory
from .failure import SmtpFailure
from .outcome import Outcome
from .reply import Phase, Reply

REASON = "pipelining"

FORGET_SECONDS = 3600.0  # after which a server is tried again
SILENCE_SECONDS = 10.0  # without a reply to what was sent in one go

_COMMANDS_LOST = (500, 502, 503)  # RFC 5321 4.2.2: unknown command, or bad sequence
_ABOUT_IT = re.compile(r"pipelin|synchroni[sz]ation|sync error", re.IGNORECASE)

_off: Memory[ServerAddress, float] = Memory()


def is_off(server: ServerAddress) -> bool:
    """Tell whether this server gets one command after the other."""
    return time.monotonic() < _off.get(server, 0.0)


def turn_off(server: ServerAddress) -> None:
    """Give this server one command after the other for a while."""
    _off.keep(server, time.monotonic() + FORGET_SECONDS)


class Confused(SmtpFailure):
    """Nobody was served, as what was sent in one go was not understood."""


def confused(phase: Phase, reply: Reply | None, cause=None) -> Confused:
    """Return the failure: neither mail nor account is to blame."""
    outcome = Outcome("deferred", "alias", REASON, reply=reply)
    return Confused(phase, reply, cause, outcome=outcome)


def is_confusion(phase: Phase, reply: Reply, has_accepted: bool) -> bool:
    """Tell whether a reply to one of several commands says that it got lost.

    :param has_accepted: whether sender and, for DATA, a recipient were accepted: if
        not, the sequence is bad indeed
    """
    if reply.is_ours:
        return False
    if reply.code >= 400 and _ABOUT_IT.search(reply.text):
        return True
    if not has_accepted:
        return False
    return reply.code in _COMMANDS_LOST or (
        # one reply too many, or too few
        phase is Phase.DATA and reply.code // 100 == 2
    )
