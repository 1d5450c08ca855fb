"""The lane's connection to its mail server, and how many emails this one takes."""

import time

from ..tools.deadline import Deadline
from ..tools.transport import TransportFailure, smtp

# After this many seconds of silence a connection is asked whether it still lives.
IDLE_SECONDS = 20

# Emails and seconds after which a connection is closed politely; Postfix
# reuses its own for 300 s (smtp_connection_reuse_time_limit).
CONNECTION_MAILS = 500
CONNECTION_SECONDS = 300

# After so many connections that were closed at the server's limit, one is used until
# the server itself ends it: the limit may have been lifted.
FILLED_COUNT = 10

# A question takes no longer than this, in seconds.
ASK_SECONDS = 20


class Connection:
    """One connection after the other to an alias's server; none at first.

    What a server takes on one is believed when a fresh connection has gone on: else
    it was a limit of the account.

    :ivar accepted: emails that it took on this connection
    :ivar is_worn_out: it takes no more, and a fresh one is to go on
    :ivar learnt: how many emails the server takes on one, if that is news; 0: any
    :ivar max_bytes: bytes of one email that the server takes, 0 = it has not said
    :ivar used_at: ``time.monotonic()`` of its last answer
    """

    def __init__(self):
        self.accepted = 0
        self.is_worn_out = False
        self.learnt = None
        self.used_at = 0.0
        self.max_bytes = 0
        self._transport = None
        self._tried = 0
        # emails on one connection: as it is known, and for the one that is open
        self._known = 0
        self._limit = CONNECTION_MAILS
        self._suspected = 0
        self._filled = 0

    @property
    def is_fresh(self):
        """Whether the email in hand is the first one on it."""
        return self._tried <= 1

    def is_fit(self, size):
        """Whether an email of this size may leave on it; a worn one is closed."""
        if self._transport and not self._may_go_on():
            self.close()
        return self._transport is not None and self._transport.is_ready(size)

    def _may_go_on(self):
        if self.accepted >= self._limit:
            self._filled += self._limit == self._known
            return False
        transport = self._transport
        return (
            transport.usable
            and transport.age < CONNECTION_SECONDS
            and (time.monotonic() - self.used_at < IDLE_SECONDS or transport.is_alive())
        )

    def prepare(self, alias, size, cut_at):
        """Have a connection that is logged in, for an email of this size.

        :param cut_at: ``time.monotonic()`` at which the server is waited for no longer
        :raise TransportFailure, AliasHold, AliasRetry: there is no connection
        """
        if not self._transport:
            self._open(alias, cut_at)
        self._transport.deadline = Deadline.until(cut_at)
        self._transport.prepare(size)
        self.max_bytes = self._transport.max_bytes

    def _open(self, alias, cut_at):
        self.accepted = self._tried = 0
        self.is_worn_out = False
        self._known = self._suspected or alias._get_connection_mails()
        self._limit = min(self._known or CONNECTION_MAILS, CONNECTION_MAILS)
        if self._filled >= FILLED_COUNT:
            self._filled, self._limit = 0, CONNECTION_MAILS
        self._transport = alias._open_connection__(Deadline.until(cut_at))
        self.used_at = time.monotonic()

    def submit(self, message, start_at, cut_at, on_draft):
        """Give one message to the server: MAIL FROM to the final reply.

        :param start_at: ``time.monotonic()`` before which MAIL FROM must not be said
        :param on_draft: see :class:`Transport`
        :return: a :class:`SubmissionResult` or a :class:`TransportFailure`
        """
        # at least a moment: what was claimed shall get its answer
        self._transport.deadline = Deadline.until(max(cut_at, time.monotonic() + 1.0))
        self._transport.on_draft = on_draft
        self._tried += 1
        try:
            result = self._transport.submit(
                message.envelope_from,
                message.recipients,
                message.data,
                not_before=start_at,
            )
        except TransportFailure as failure:
            result = failure
            # the next one begins with what may lie in Drafts
            self.is_worn_out |= self._transport.makes_draft(message.size)
        else:
            self._count()
        self.used_at = time.monotonic()
        return result

    def discard(self, draft_id, message_id):
        """Delete a draft that lies at the provider and will not be sent.

        :param draft_id: empty: it need not be there
        :raise TransportFailure: it may still be there
        """
        self._transport.discard(draft_id, message_id)

    @property
    def keeps_drafts(self):
        return self._transport.keeps_drafts

    def makes_draft(self, size):
        """Whether a message of this size is a draft before it is sent."""
        return bool(self._transport) and self._transport.makes_draft(size)

    @property
    def window(self):
        """(bytes, seconds): what a mailbox may submit within that time; 0: any."""
        return self._transport.window

    def get_load(self, size):
        """How many bytes of the window a message of this size takes."""
        return self._transport.get_load(size)

    def get_rest(self, size, taken):
        """Seconds that the provider wants after a message of so many bytes.

        :param taken: bytes of the window that are in use, see :class:`Transport`
        """
        return self._transport.get_rest(size, taken)

    def ask(self, sender, address):
        """Ask whether the server would take an email for this address.

        :return: None if it would, else the :class:`TransportFailure`
        """
        before = self._transport.deadline
        self._transport.deadline = before.within(ASK_SECONDS)
        try:
            return self._transport.ask(sender, address)
        finally:
            self._transport.deadline = before
            self.used_at = time.monotonic()

    @property
    def can_ask(self):
        transport = self._transport
        return transport is not None and transport.usable and transport.can_ask

    def _count(self):
        self.accepted += 1
        if self._suspected:
            self.learnt, self._suspected = self._suspected, 0
        elif 0 < self._known < self.accepted:
            self.learnt = self._known = 0

    def wears_out(self, failure, message):
        """Tell whether this connection takes no more, and a fresh one may.

        A server says so, or it ends the connection, or it does not begin another email
        and gives no reason. A limit of recipients means the connection where the email
        has only one. Errors wear a connection out as well, all others what was accepted
        on it.
        """
        judged = failure.outcome
        if smtp.may_greet_again(judged):
            return True
        if judged.kind != "deferred" or judged.hold or judged.quota:
            return False
        if judged.session:
            counts = smtp.counts_mails(judged)
            self._suspected = self.accepted if counts else 0
            return self.accepted > 0 if counts else not self.is_fresh
        if judged.split and len(message.recipients) == 1:
            return self.accepted > 0
        if self.is_fresh:
            return False
        is_cut = failure.reply is None or failure.reply.code == 421
        is_unexplained = failure.phase.value == "mail" and not judged.throttled
        return (
            judged.scope == "alias"
            and judged.reason != "rate"
            and (is_cut or is_unexplained)
        )

    def close(self):
        if self._transport:
            self._transport.close()
            self._transport = None
