"""What a conversation with a mail server can fail with."""

import contextlib
import smtplib

from ..base import TransportFailure
from .outcome import Outcome, classify, explain
from .reply import Phase, Reply
from .wire import WireFault

# What a connection raises that does not work any more.
BROKEN = (OSError, EOFError, smtplib.SMTPException, WireFault)


class SmtpFailure(TransportFailure):
    """What went wrong in which phase of SMTP, and what follows from it.

    :param recipient: whom a reply to RCPT was given for
    """

    def __init__(
        self,
        phase: Phase,
        reply: Reply | None = None,
        cause: BaseException | None = None,
        *,
        oauth: bool = False,
        recipient: str = "",
        outcome: Outcome | None = None,
    ):
        outcome = outcome or classify(
            phase, reply or cause, oauth=oauth, recipient=recipient
        )
        super().__init__(
            explain(outcome), phase=phase, outcome=outcome, reply=reply, cause=cause
        )


@contextlib.contextmanager
def failing_in(phase: Phase):
    """Turn what breaks inside into an `SmtpFailure` of this phase."""
    try:
        yield
    except BROKEN as error:
        raise SmtpFailure(phase, cause=error) from None


def expect(phase: Phase, reply: Reply, first_digit: int) -> None:
    """Fail in this phase unless the reply is of this class (RFC 5321 4.2.1)."""
    if reply.code // 100 != first_digit:
        raise SmtpFailure(phase, reply)
