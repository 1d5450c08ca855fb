"""What a transport is: the seam between the engine and a way to submit mail.

The engine opens one, checks the sender, submits one message after the other, closes.
What comes back is a `SubmissionResult`, or a `TransportFailure` whose `Outcome` says
what follows; neither says by which protocol. A transport is opened by
``models/user_email_alias_connection.py``, which knows the alias.
"""

from __future__ import annotations

import abc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

SPIN_SECONDS = 0.0002  # what a sleep may be late by on an idle machine

if TYPE_CHECKING:
    from ..deadline import Deadline
    from .smtp.reply import Phase, Reply


@dataclass(frozen=True)
class Outcome:
    """What the queue has to do.

    ``kind``: ``sent``, ``deferred``, ``refused`` or ``uncertain``.
    ``scope``: whom it concerns: ``mail``, ``alias`` or ``recipient``.
    ``reason``: a key of the transport's sentences.
    ``hold``: the reason again where the alias must wait for its user, else None.
    ``quota``: the provider's window of 24 h must pass first.
    ``throttled``: the alias should send more slowly for a while.
    ``wait``: seconds after which the provider itself wants to be asked again, 0 = it
    has not said.
    ``session``: this connection takes no more; a fresh one may.
    ``split``: the same mail may pass with fewer recipients at once.
    ``reply``: the server's own words, if it said anything.
    ``detail``: what a library said, e.g. why a certificate is not valid.
    """

    kind: str
    scope: str
    reason: str
    hold: str | None = None
    quota: bool = False
    throttled: bool = False
    session: bool = False
    split: bool = False
    wait: float = 0.0
    reply: Reply | None = None
    detail: str = ""


class TransportFailure(Exception):
    """A message was not taken, or nobody knows; or there is no connection.

    ``str()`` is a sentence for the owner and the server's own words. ``phase`` says
    how far the conversation had come, ``cause`` is the exception behind it, stripped of
    its traceback. ``refused`` and ``deferred`` hold the recipients' replies when no
    recipient was accepted. Carries no secret.
    """

    def __init__(
        self,
        sentence: str,
        *,
        phase: Phase,
        outcome: Outcome,
        reply: Reply | None = None,
        cause: BaseException | None = None,
    ):
        self.phase = phase
        self.outcome = outcome
        self.reply = reply
        self.cause = cause.with_traceback(None) if cause else None
        self.refused: dict[str, Reply] = {}
        self.deferred: dict[str, Reply] = {}
        super().__init__(sentence)

    def __repr__(self):
        return f"<{type(self).__name__} {self.phase.value} {self.outcome.reason}>"


@dataclass(frozen=True)
class SubmissionResult:
    """What became of one message that the server took.

    ``accepted`` got it; ``refused`` and ``deferred`` map the other recipients to the
    server's replies.
    """

    reply: Reply
    accepted: list[str]
    refused: dict[str, Reply] = field(default_factory=dict)
    deferred: dict[str, Reply] = field(default_factory=dict)


class Transport(abc.ABC):
    """One connection to a provider, open and ready; not for two threads at once.

    ``deadline`` ends all that follows until another one is set. ``usable`` is False
    once nothing can be submitted any more; ``age`` is in seconds; ``can_ask``: whether
    `ask` finds anything out.
    """

    can_ask = True
    keeps_drafts = False  # whether `discard` has anything to delete
    max_bytes = 0  # of one message; 0: the provider has not said
    # of the mailbox, the main one first, once the sender was checked; none: not said
    own_addresses: tuple[str, ...] = ()

    # (bytes, seconds): what a mailbox may submit within that time; 0: any
    window: tuple[int, float] = (0, 0.0)
    # to be called with the id of a draft that lies at the provider from now on, empty
    # = it is gone, and whether the next request sends it; raises if that is not noted
    on_draft: Callable[[str, bool], None] = staticmethod(lambda draft_id, is_sent: None)

    def is_ready(self, size: int) -> bool:
        """Tell whether a message of this size may be submitted at once."""
        return True

    def prepare(self, size: int) -> None:
        """Open another way for a message of this size; ``max_bytes`` may change.

        :raises TransportFailure: it cannot be opened for now
        """
        if not self.is_ready(size):
            raise NotImplementedError

    def get_load(self, size: int) -> int:
        """Return how many bytes of the window a message of this size takes."""
        return 0

    def makes_draft(self, size: int) -> bool:
        """Tell whether a message of this size is a draft before it is sent."""
        return False

    def discard(self, draft_id: str, message_id: str) -> None:
        """Delete a draft that was not sent, see ``on_draft``.

        :param draft_id: empty: it was not known yet, and need not be there
        :param message_id: the Message-ID of the message
        :raises TransportFailure: it may still be there
        """
        raise NotImplementedError

    def get_rest(self, size: int, taken: int) -> float:
        """Return how many seconds the provider wants between this message and the next.

        :param size: of the message, in bytes
        :param taken: bytes of the window that are in use, this message's included
        """
        return 0.0

    deadline: Deadline
    usable: bool
    age: float

    @abc.abstractmethod
    def check_sender(self, address: str) -> None:
        """Find out whether the account may send as this address; sends nothing.

        :raises TransportFailure: it may not
        """

    @abc.abstractmethod
    def ask(self, envelope_from: str, recipient: str) -> TransportFailure | None:
        """Find out whether a message for this recipient would be taken; sends nothing.

        :return: why not; None: it would
        """

    @abc.abstractmethod
    def submit(
        self,
        envelope_from: str,
        recipients: Sequence[str],
        message_bytes: bytes,
        *,
        not_before: float = 0.0,
    ) -> SubmissionResult:
        """Give one message to the provider, before the deadline.

        :param not_before: ``time.monotonic()`` before which the provider must not see
            the beginning of it: the pause of bulk mail
        :raises TransportFailure: nobody got it, or nobody knows (``uncertain``)
        """

    @abc.abstractmethod
    def is_alive(self) -> bool:
        """Ask whether the connection still serves."""

    @abc.abstractmethod
    def close(self) -> None:
        """End it politely. Never raises."""


def sleep_until(moment: float) -> None:
    """Wait until ``time.monotonic()`` is there, to the point.

    A sleep ends late; the last turn makes that good.
    """
    while (left := moment - time.monotonic()) > 0:
        if left > SPIN_SECONDS:
            time.sleep(left - SPIN_SECONDS)
