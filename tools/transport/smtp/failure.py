"""What a conversation with a mail server can fail with."""

import contextlib
import smtplib

from .outcome import Outcome, classify, explain
from .reply import Phase, Reply
from .wire import WireFault

# What a connection raises that does not work any more.
BROKEN = (OSError, EOFError, smtplib.SMTPException, WireFault)


class SmtpFailure(Exception):
    """What went wrong in which phase, and what follows from it.

    ``str()`` is a sentence and the server's own words. ``cause`` is the exception
    behind it, stripped of its traceback. ``refused`` and ``deferred`` hold the
    recipients' replies when no recipient was accepted. Carries no secret.
    """

    def __init__(
        self,
        phase: Phase,
        reply: Reply | None = None,
        cause: BaseException | None = None,
        *,
        oauth: bool = False,
        outcome: Outcome | None = None,
    ):
        self.phase = phase
        self.reply = reply
        self.cause = cause.with_traceback(None) if cause else None
        self.outcome = outcome or classify(phase, reply or cause, oauth=oauth)
        self.refused: dict[str, Reply] = {}
        self.deferred: dict[str, Reply] = {}
        super().__init__(explain(self.outcome))

    def __repr__(self):
        return f"<SmtpFailure {self.phase.value} {self.outcome.reason}>"


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
