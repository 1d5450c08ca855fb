"""Connect to a mail server, log in, hand messages over.

Everything that goes wrong is an `SmtpFailure` with the exact phase and the outcome.
"""

import contextlib
import dataclasses
import ssl
import time
from collections.abc import Sequence

from ... import tls
from ...address import ServerAddress
from ...deadline import Deadline
from ...guard import Guard
from ...message import has_crlf_only
from ...race import connect
from ...redact import Blotter
from ..base import SubmissionResult, Transport, sleep_until
from . import greeting, pipelining
from .failure import BROKEN, SmtpFailure, expect, failing_in
from .login import log_in_password, log_in_xoauth2
from .reply import Phase
from .transaction import Transaction
from .wire import Wire, WireFault

# Seconds. RFC 5321 4.5.3.2.1 asks for five minutes for a banner, more than there is.
GREETING_TIMEOUT = 60.0  # banner; EHLO; STARTTLS
DOT_RESERVE = 20.0  # of what is left, kept for the reply to the final dot
RESET_TIMEOUT = 5.0
QUIT_TIMEOUT = 2.0


class SmtpConnection(Transport):
    """One open connection to a mail server; made by `open`."""

    def __init__(self, wire: Wire, server: ServerAddress):
        self._wire = wire
        self._literal = greeting.literal_of(wire.sock)
        self.server = server
        self.is_encrypted = False
        self.is_logged_in = False
        self.usable = True
        self._opened_monotonic = time.monotonic()

    def __repr__(self):
        return f"<SmtpConnection {self.server} usable={self.usable}>"

    @property
    def age(self) -> float:
        """Seconds since the connection was opened."""
        return time.monotonic() - self._opened_monotonic

    @classmethod
    def open(
        cls,
        server: ServerAddress,
        guard: Guard,
        deadline: Deadline,
        *,
        disable_tls: bool = False,
        implicit_tls: bool | None = None,
        local_hostname: str = "",
        ssl_context: ssl.SSLContext | None = None,
        redact: Blotter | None = None,
    ) -> "SmtpConnection":
        """Connect and greet: TLS from the first byte on port 465, else STARTTLS.

        :param deadline: the end of this and of what follows, until another one is set
        :param disable_tls: speak plain text instead; the only way to plain text
        :param implicit_tls: TLS from the first byte; None = judge by the port
        :param local_hostname: name for EHLO, see `own_name`
        :param redact: withholds replies that repeat what earlier logins told
        :raises SmtpFailure: phase CONNECT, TLS or EHLO
        """
        context = None
        if not disable_tls:
            context = ssl_context or tls.client_context()
        if implicit_tls is None:
            implicit_tls = server.is_implicit_tls()

        def begin(sock, step, name):
            wire = Wire(sock, server.host, step, redact)
            wire.allow(GREETING_TIMEOUT)
            connection = cls(wire, server)
            with connection._closing():
                if context is not None and implicit_tls:
                    connection._start_tls(context)
                with failing_in(Phase.CONNECT):
                    banner = wire.read_reply()
                expect(Phase.CONNECT, banner, 2)
                wire.local_hostname = name
                connection._introduce(None if implicit_tls else context)
            return connection

        def welcome(sock, step):
            name = greeting.own_name(local_hostname, sock, server)
            target = sock.family, sock.getpeername()
            try:
                return begin(sock, step, name)
            except greeting.HungUp:
                sock = connect(target, step)
            return begin(sock, step, greeting.literal_of(sock))

        with failing_in(Phase.CONNECT):
            connection = guard.reach(server, deadline, welcome)
        connection.deadline = deadline
        return connection

    @property
    def max_bytes(self) -> int:
        """Bytes of one message that the server takes (RFC 1870); 0: it has not said."""
        limit = self._wire.esmtp_features.get("size", "").strip()
        return int(limit[:9]) if limit.isdecimal() else 0

    @property
    def deadline(self) -> Deadline:
        """The end of the conversation; a connection may be given a new one."""
        return self._wire.deadline

    @deadline.setter
    def deadline(self, deadline: Deadline):
        self._wire.deadline = deadline

    def _introduce(self, starttls_context):
        self._ehlo()
        if starttls_context is not None:
            with failing_in(Phase.TLS):
                if not self._wire.has_extn("starttls"):
                    raise WireFault("starttls_missing")
                self._wire.allow(GREETING_TIMEOUT)
                reply = self._wire.command("STARTTLS")
            expect(Phase.TLS, reply, 2)
            self._start_tls(starttls_context)
            self._ehlo()

    def _start_tls(self, context):
        with failing_in(Phase.TLS):
            self._wire.start_tls_now(context)
        self.is_encrypted = True

    def _ehlo(self):
        """Greet; once more, with the literal, where the name may be to blame.

        :raises HungUp: the server lets nobody greet twice
        """
        name = self._wire.local_hostname
        try:
            reply = self._greet()
        except SmtpFailure as failure:
            if name == self._literal or not greeting.is_cut(failure.cause):
                raise
            raise self._hung_up(name, failure) from None
        is_ours = greeting.is_refused(reply, name, Phase.EHLO)
        if (is_ours or reply.code // 100 == 5) and name != self._literal:
            reply = self._greet_as_literal(name, reply)
        if is_ours and reply.code >= 400:
            greeting.forget_refused(self.server)
            raise greeting.name_refused(Phase.EHLO, reply)
        expect(Phase.EHLO, reply, 2)

    def _greet_as_literal(self, name, refusal):
        self._wire.local_hostname = self._literal
        failure = SmtpFailure(Phase.EHLO, refusal)
        if refusal.code == 421:
            raise self._hung_up(name, failure)
        try:
            reply = self._greet()
        except SmtpFailure:
            raise self._hung_up(name, failure) from None
        if reply.code == 421:
            raise self._hung_up(name, failure)
        return reply

    def _greet(self):
        with failing_in(Phase.EHLO):
            self._wire.allow(GREETING_TIMEOUT)
            return self._wire.greet()

    def _hung_up(self, name, failure):
        return greeting.hung_up(
            self.server, name, failure.phase, failure.reply, failure.cause
        )

    def is_alive(self) -> bool:
        """Ask the server whether it still serves this connection (NOOP)."""
        try:
            self._wire.allow(RESET_TIMEOUT)
            self.usable = self._wire.command("NOOP").code == 250
        except BROKEN:
            self._drop()
        return self.usable

    def close(self) -> None:
        """Say QUIT, wait for the reply for a moment, close. Never raises."""
        if self.usable:
            with contextlib.suppress(Exception):
                self._wire.allow(QUIT_TIMEOUT)
                self._wire.command("QUIT")
        self._drop()

    def _drop(self):
        self.usable = False
        with contextlib.suppress(Exception):
            self._wire.close()

    def login_password(self, user: str, password_secret: str) -> None:
        """Log in once, with PLAIN, LOGIN or CRAM-MD5 as the server offers.

        :raises SmtpFailure: phase AUTH; the connection is closed
        """
        with self._closing():
            log_in_password(
                self._wire, user, password_secret, is_encrypted=self.is_encrypted
            )
        self.is_logged_in = True

    def login_xoauth2(self, user: str, token_secret: str) -> None:
        """Log in once with an access token.

        :raises SmtpFailure: phase AUTH; the connection is closed
        """
        with self._closing():
            log_in_xoauth2(self._wire, user, token_secret)
        self.is_logged_in = True

    @contextlib.contextmanager
    def _closing(self):
        try:
            yield
        except BaseException as error:
            if getattr(error, "reply", None):
                self.close()
            self._drop()
            raise

    def check_sender(self, address: str) -> None:
        """Find out whether the account may send as this address; sends nothing.

        MAIL FROM and RCPT TO the address itself, then RSET: many servers judge the
        sender only when they see a recipient. A recipient that is put off passes.

        :raises SmtpFailure: phase MAIL or RCPT
        """
        failure = self.ask(address, address)
        if failure is None:
            return
        outcome = failure.outcome
        if failure.phase is Phase.RCPT and failure.reply and outcome.scope != "alias":
            if outcome.kind != "refused":
                return
            outcome = dataclasses.replace(outcome, reason="own_address")
            failure = SmtpFailure(failure.phase, failure.reply, outcome=outcome)
        raise failure

    def ask(self, envelope_from: str, recipient: str) -> SmtpFailure | None:
        """Ask with MAIL FROM and RCPT TO, then RSET."""

        def step():
            # one round trip more matters to nobody here
            transaction = Transaction(self._wire, self.is_logged_in, in_one_go=False)
            command = transaction.prepare(envelope_from)
            transaction.open(command, [recipient], for_data=False)

        try:
            self._with_our_name(step)
        except SmtpFailure as failure:
            return failure
        self._reset()
        return None

    def submit(
        self,
        envelope_from: str,
        recipients: Sequence[str],
        message_bytes: bytes,
        *,
        not_before: float = 0.0,
    ) -> SubmissionResult:
        """Give one message to the server, before the deadline.

        :param message_bytes: as from `join`; line ends are made CRLF
        :param not_before: ``time.monotonic()`` before which MAIL FROM is not said
        :raises SmtpFailure: nobody got it (``outcome.kind`` is not ``uncertain``), or
            nobody knows (phase DOT). The connection is reset where that is possible.
        """
        if not has_crlf_only(message_bytes):
            message_bytes = _with_crlf(message_bytes)
        whole = self.deadline
        try:
            # The reply to the final dot must not be missed for want of time.
            reserve = min(DOT_RESERVE, (whole.at - time.monotonic()) / 2)
            self.deadline = whole.sooner(reserve)
            return self._with_our_name(
                lambda: self._submit(
                    envelope_from, recipients, message_bytes, not_before, whole
                )
            )
        finally:
            self.deadline = whole

    def _submit(self, envelope_from, recipients, message_bytes, not_before, whole):
        in_one_go = not pipelining.is_off(self.server)
        transaction = Transaction(self._wire, self.is_logged_in, in_one_go)
        command = transaction.prepare(envelope_from, message_bytes, recipients)
        sleep_until(not_before)
        accepted, refused, deferred = transaction.open(command, recipients)
        transaction.send_body(message_bytes)
        self.deadline = whole
        reply = transaction.final_dot()
        return SubmissionResult(reply, accepted, refused, deferred)

    def _with_our_name(self, step):
        """Do a step of the mail; where our name is refused, once more with the literal.

        Many servers say at MAIL or RCPT that they do not like the name of EHLO.

        :raises HungUp: such a server ended the connection, which takes a new login
        """
        name = self._wire.local_hostname
        try:
            with self._settling():
                return step()
        except pipelining.Confused:
            pipelining.turn_off(self.server)
            if not self.usable:
                raise
            return self._with_our_name(step)
        except SmtpFailure as failure:
            refusal = failure
        if not refusal.reply or not greeting.is_refused(
            refusal.reply, name, refusal.phase
        ):
            raise refusal
        if name == self._literal:
            greeting.forget_refused(self.server)
            raise greeting.name_refused(refusal.phase, refusal.reply)
        self._wire.local_hostname = self._literal
        if self.usable and self._is_greeted():
            return self._with_our_name(step)
        raise self._hung_up(name, refusal)

    def _is_greeted(self):
        """Greet once more, and tell whether the server goes on."""
        try:
            with self._closing():
                self._ehlo()
        except SmtpFailure as failure:
            if failure.outcome.hold:
                raise
            return False
        return True

    @contextlib.contextmanager
    def _settling(self):
        """Leave the connection ready for the next mail after a failure, or closed."""
        try:
            yield
        except SmtpFailure as failure:
            is_cut = failure.reply is None or failure.reply.code == 421
            if is_cut or failure.phase is Phase.BODY:
                self._drop()
            else:
                self._reset()
            raise
        except BaseException:
            self._drop()
            raise

    def _reset(self):
        try:
            self._wire.allow(RESET_TIMEOUT)
            if self._wire.command("RSET").code != 250:
                self._drop()
        except BROKEN:
            self._drop()


def _with_crlf(data):
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
