"""Connect to a mail server, log in, hand messages over.

Everything that goes wrong is an `SmtpFailure` with the exact phase and the outcome.
"""

import contextlib
import re
import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from ... import tls
from ...address import ServerAddress
from ...guard import Guard
from ...message import has_crlf_only
from .failure import BROKEN, SmtpFailure, expect, failing_in
from .login import log_in_password, log_in_xoauth2
from .reply import Phase, Reply
from .transaction import Transaction
from .wire import Wire, WireFault

# Seconds.
OPEN_TIMEOUT = 12.0  # name, TCP, TLS, banner and EHLO together
DOT_RESERVE = 20.0  # of a limited submission, kept for the reply to the final dot
RESET_TIMEOUT = 5.0
QUIT_TIMEOUT = 2.0
SPIN_SECONDS = 0.0002  # what a sleep may be late by on an idle machine


@dataclass(frozen=True)
class SubmissionResult:
    """What became of one message that the server took.

    ``accepted`` got it; ``refused`` and ``deferred`` map the other recipients to the
    server's replies. Times bracket MAIL FROM and the reply to the final dot, in
    seconds since the epoch and on the monotonic clock.
    """

    reply: Reply
    accepted: list[str]
    refused: dict[str, Reply] = field(default_factory=dict)
    deferred: dict[str, Reply] = field(default_factory=dict)
    started_at: float = 0.0
    replied_at: float = 0.0
    started_monotonic: float = 0.0
    replied_monotonic: float = 0.0


class SmtpConnection:
    """One open connection to a mail server; made by `open`."""

    def __init__(self, wire: Wire, server: ServerAddress):
        self._wire = wire
        self.server = server
        self.is_encrypted = False
        self.is_logged_in = False
        self.usable = True
        self.sent_count = 0
        self.opened_at = time.time()
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
        *,
        disable_tls: bool = False,
        implicit_tls: bool | None = None,
        timeout: float = OPEN_TIMEOUT,
        time_limit: float | None = None,
        local_hostname: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> "SmtpConnection":
        """Connect and greet: TLS from the first byte on port 465, else STARTTLS.

        :param disable_tls: speak plain text instead; the only way to plain text
        :param implicit_tls: TLS from the first byte; None = judge by the port
        :param timeout: seconds for all of this together
        :param time_limit: seconds until nothing may be waited for any more, for the
            life of the connection; None = no such limit
        :param local_hostname: name for EHLO; default the host's name if it is fully
            qualified, else the address literal of this end (RFC 5321 4.1.4)
        :raises SmtpFailure: phase CONNECT, TLS or EHLO
        """
        started = time.monotonic()
        with failing_in(Phase.CONNECT):
            sock = guard.connect(server, timeout)
        wire = Wire(sock, server.host, local_hostname or _local_name(sock))
        if time_limit is not None:
            wire.limit = started + time_limit
        wire.allow(timeout - (time.monotonic() - started))
        connection = cls(wire, server)
        context = None
        if not disable_tls:
            context = ssl_context or tls.client_context()
        if implicit_tls is None:
            implicit_tls = server.is_implicit_tls()
        try:
            connection._greet(context, implicit_tls)
        except BaseException:
            connection._drop()
            raise
        return connection

    def _greet(self, context, is_implicit):
        if context is not None and is_implicit:
            self._start_tls(context)
        with failing_in(Phase.CONNECT):
            banner = Reply.parse(*self._wire.getreply())
        expect(Phase.CONNECT, banner, 2)
        self._ehlo()
        if context is not None and not is_implicit:
            with failing_in(Phase.TLS):
                if not self._wire.has_extn("starttls"):
                    raise WireFault("starttls_missing")
                reply = self._wire.command("STARTTLS")
            expect(Phase.TLS, reply, 2)
            self._start_tls(context)
            self._ehlo()

    def _start_tls(self, context):
        with failing_in(Phase.TLS):
            self._wire.start_tls_now(context)
        self.is_encrypted = True

    def _ehlo(self):
        with failing_in(Phase.EHLO):
            reply = self._wire.greet()
        expect(Phase.EHLO, reply, 2)

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
        sender only when they see a recipient. Of RCPT only a refusal that puts the
        alias on hold counts.

        :raises SmtpFailure: phase MAIL or RCPT
        """
        with self._settling():
            transaction = Transaction(self._wire, self.is_logged_in)
            transaction.mail_from(transaction.prepare(address))
            try:
                transaction.recipients([address])
            except SmtpFailure as failure:
                if failure.reply is None or failure.outcome.hold:
                    raise
        self._reset()

    def submit(
        self,
        envelope_from: str,
        recipients: Sequence[str],
        message_bytes: bytes,
        *,
        time_limit: float | None = None,
        not_before: float = 0.0,
    ) -> SubmissionResult:
        """Give one message to the server.

        :param message_bytes: as from `flatten`; line ends are made CRLF
        :param not_before: ``time.monotonic()`` before which MAIL FROM is not said
        :param time_limit: seconds for all of this; None = only each step's own limit
        :raises SmtpFailure: nobody got it (``outcome.kind`` is not ``uncertain``), or
            nobody knows (phase DOT). The connection is reset where that is possible.
        """
        if not has_crlf_only(message_bytes):
            message_bytes = _with_crlf(message_bytes)
        begun = max(time.monotonic(), not_before)
        with self._settling(), self._limited(begun, time_limit) as reserve:
            transaction = Transaction(self._wire, self.is_logged_in)
            command = transaction.prepare(envelope_from, message_bytes, recipients)
            _sleep_until(not_before)
            started_at, started = time.time(), time.monotonic()
            transaction.mail_from(command)
            accepted, refused, deferred = transaction.recipients(recipients)
            transaction.data(message_bytes)
            reserve()
            reply = transaction.final_dot()
        self.sent_count += 1
        return SubmissionResult(
            reply=reply,
            accepted=accepted,
            refused=refused,
            deferred=deferred,
            started_at=started_at,
            replied_at=time.time(),
            started_monotonic=started,
            replied_monotonic=time.monotonic(),
        )

    @contextlib.contextmanager
    def _limited(self, started, time_limit):
        """Limit a submission; the reserve for the final reply opens when called."""
        if time_limit is None:
            yield lambda: None
            return
        outer = self._wire.limit

        def limit(seconds):
            ends = started + seconds
            self._wire.limit = ends if outer is None else min(outer, ends)

        limit(max(time_limit - DOT_RESERVE, time_limit / 2))
        try:
            yield lambda: limit(time_limit)
        finally:
            self._wire.limit = outer

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


def _sleep_until(moment):
    """Wait to the point: a sleep ends late by what the last turn makes good."""
    while (left := moment - time.monotonic()) > 0:
        if left > SPIN_SECONDS:
            time.sleep(left - SPIN_SECONDS)


def _local_name(sock):
    """Return a name for EHLO without asking the DNS."""
    name = socket.gethostname()
    if re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", name) and len(name) < 254:
        return name
    address = sock.getsockname()[0].partition("%")[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"
