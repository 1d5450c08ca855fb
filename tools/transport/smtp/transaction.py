"""One mail transaction: MAIL, RCPT, DATA, the message, the final dot (RFC 5321 3.3)."""

import contextlib
import re
import time
from collections.abc import Sequence

from ...address import AddressError, mailbox_to_ascii
from .failure import BROKEN, SmtpFailure, expect, failing_in
from .greeting import is_refused, name_refused
from .outcome import Outcome, asks_for_login
from .pipelining import SILENCE_SECONDS, confused, is_confusion
from .reply import Phase, Reply
from .wire import Wire

PIPELINED = 100  # commands in one go: their replies must fit in the buffers of TCP

# Seconds. RFC 5321 4.5.3.2 asks for minutes; a cron worker of Odoo is killed after
# 120 s, and a mail that is cut off by the kill cannot be told from one that was sent.
COMMAND_TIMEOUT = 60.0
TRANSFER_TIMEOUT = 60.0  # the whole message body
DOT_TIMEOUT = 90.0  # 4.5.3.2.6 asks for 600; past this the outcome is unknown
EARLY_REPLY_TIMEOUT = 1.0  # for the words of a server that cuts us off in the body

_PATH = re.compile(r"[^\x00-\x20\x7f<>]+")
_BAD_ADDRESS = Reply(553, "5.1.3", "This is not a valid email address.", is_ours=True)
_NO_UTF8 = Reply(
    553, "5.6.7", "SMTPUTF8 is not offered by this mail server.", is_ours=True
)


class Transaction:
    """The steps of one transaction, in the order of its methods."""

    def __init__(self, wire: Wire, is_logged_in: bool = True, in_one_go: bool = True):
        """Begin.

        :param in_one_go: send several commands at once where the server offers that
        """
        self._wire = wire
        self._is_logged_in = is_logged_in
        self._in_one_go = in_one_go and wire.has_extn("pipelining")
        self._owed = 0  # replies that were asked for and not read yet
        self._asked_at = 0.0
        self._sender = ""

    def prepare(
        self, address: str, message_bytes: bytes = b"", recipients: Sequence[str] = ()
    ) -> str:
        """Return the command that opens the envelope, with what this message needs.

        SIZE: RFC 1870; BODY=8BITMIME: RFC 6152; SMTPUTF8: RFC 6531.

        :raises SmtpFailure: phase MAIL; the server need not be asked
        """
        self._sender = address
        path = _envelope_path(address)
        if path is None:
            raise SmtpFailure(Phase.MAIL, _BAD_ADDRESS)
        parameters = []
        if self._wire.has_extn("size") and message_bytes:
            parameters.append(self._size(len(message_bytes)))
        if not message_bytes.isascii() and self._wire.has_extn("8bitmime"):
            parameters.append("BODY=8BITMIME")
        if self._use_utf8(path, message_bytes, recipients):
            parameters.append("SMTPUTF8")
        self._wire.command_encoding = "utf-8" if "SMTPUTF8" in parameters else "ascii"
        return " ".join([f"MAIL FROM:<{path}>", *parameters])

    def _use_utf8(self, path, message_bytes, recipients):
        """Tell whether SMTPUTF8 is needed; a recipient who needs it can be left out."""
        has_utf8_headers = not _headers(message_bytes).isascii()
        if not self._wire.has_extn("smtputf8"):
            if not path.isascii():
                raise SmtpFailure(Phase.MAIL, _NO_UTF8)
            if has_utf8_headers:
                outcome = Outcome("refused", "mail", "smtputf8_missing", reply=_NO_UTF8)
                raise SmtpFailure(Phase.MAIL, _NO_UTF8, outcome=outcome)
            return False
        paths = (path, *map(_envelope_path, recipients))
        return has_utf8_headers or not all(item.isascii() for item in paths if item)

    def _size(self, size):
        limit = self._wire.esmtp_features.get("size", "").strip()
        if limit.isdecimal() and 0 < int(limit[:18]) < size:
            text = f"The message has {size} bytes, the mail server takes {limit[:18]}."
            raise SmtpFailure(Phase.MAIL, Reply(552, "5.3.4", text, is_ours=True))
        return f"SIZE={size}"

    def open(
        self, mail: str, recipients: Sequence[str], *, for_data: bool = True
    ) -> tuple[list[str], dict[str, Reply], dict[str, Reply]]:
        """Open the envelope; return the recipients accepted, refused and deferred.

        In one round trip where PIPELINING is offered (RFC 2920). All replies have been
        read when it returns or fails, or the connection is closed.

        :param mail: a command from `prepare`
        :param for_data: ask for leave to send the message as well
        :raises SmtpFailure: phase MAIL, RCPT (none was accepted, or a reply concerns
            the alias as a whole) or DATA; nobody gets the mail
        """
        objections = {address: self._objection(address) for address in recipients}
        named = [address for address in recipients if not objections[address]]
        if not named:
            raise _nobody([], objections, {})
        commands = [(Phase.MAIL, mail)]
        commands += [
            (Phase.RCPT, f"RCPT TO:<{_envelope_path(address)}>") for address in named
        ]
        if for_data:
            commands.append((Phase.DATA, "DATA"))
        replies = self._ask(commands)
        accepted = []
        try:
            self._expect(Phase.MAIL, next(replies), 2)
            answers = ((who, objections[who] or next(replies)) for who in recipients)
            refused, deferred = self._judge(answers, accepted)
            if for_data:
                self._expect(Phase.DATA, next(replies), 3, bool(accepted))
        except SmtpFailure as failure:
            if failure.reply is not None:
                self._leave(bool(accepted))
            elif self._has_lost_commands(failure):
                raise confused(failure.phase, None, failure.cause) from None
            raise
        return accepted, refused, deferred

    def _objection(self, address):
        """Return our own reply to an address the server need not be asked about."""
        path = _envelope_path(address)
        if path is None:
            return _BAD_ADDRESS
        if not path.isascii() and self._wire.command_encoding != "utf-8":
            return _NO_UTF8
        return None

    def _ask(self, commands):
        """Yield the reply to each (phase, command), in as few round trips as may be."""
        size = PIPELINED if self._in_one_go else 1
        for start in range(0, len(commands), size):
            group = commands[start : start + size]
            self._owed = len(group)
            with failing_in(group[0][0]):
                self._wire.allow(COMMAND_TIMEOUT)
                self._wire.send("".join(f"{line}\r\n" for _phase, line in group))
            self._asked_at = time.monotonic()
            for phase, _line in group:
                with failing_in(phase):
                    reply = self._read_reply()
                yield reply

    def _read_reply(self):
        self._wire.allow(COMMAND_TIMEOUT)
        reply = self._wire.read_reply()
        self._owed -= 1
        return reply

    def _expect(self, phase, reply, first_digit, has_accepted=False):
        if self._in_one_go and is_confusion(phase, reply, has_accepted):
            raise confused(phase, reply)
        expect(phase, reply, first_digit)

    def _has_lost_commands(self, failure):
        """Tell whether a server says no more behind the first of several commands."""
        if not self._in_one_go or failure.phase is Phase.MAIL:
            return False
        is_silent = isinstance(failure.cause, TimeoutError)
        return not is_silent or time.monotonic() - self._asked_at >= SILENCE_SECONDS

    def _leave(self, has_accepted):
        """Read what has been asked for already; then the connection can be reset.

        A server that waits for the message all the same gets none: nobody may get an
        empty one, so the connection ends where a recipient was accepted. Where none
        was, a single dot is the way out (RFC 2920 3.1).
        """
        try:
            while self._owed:
                reply = self._read_reply()
                has_accepted |= reply.code // 100 == 2
                if reply.code // 100 == 3:
                    if has_accepted:
                        self._wire.close()
                        return
                    self._wire.send(b".\r\n")
                    self._wire.getreply()
        except BROKEN:
            self._wire.close()

    def _judge(self, answers, accepted):
        """Sort the recipients by the replies; fill in those accepted.

        :return: those refused, those deferred
        """
        refused, deferred, failures = {}, {}, []
        for address, reply in answers:
            if reply.code // 100 == 2:
                accepted.append(address)
                continue
            if self._in_one_go and is_confusion(Phase.RCPT, reply, True):
                raise confused(Phase.RCPT, reply)
            failure = self._failure_of(reply, address)
            if failure.outcome.scope == "alias":
                raise failure
            failures.append(failure)
            others = refused if failure.outcome.kind == "refused" else deferred
            others[address] = reply
        if not accepted:
            raise _nobody(failures, refused, deferred)
        return refused, deferred

    def _failure_of(self, reply, address):
        """Judge a reply to RCPT; many servers only here ask for a login, or a name."""
        if is_refused(reply, self._wire.local_hostname):
            return name_refused(Phase.RCPT, reply)
        # who is named as the sender is not named as a recipient
        recipient = address if address != self._sender else ""
        failure = SmtpFailure(Phase.RCPT, reply, recipient=recipient)
        is_final = failure.outcome.kind == "refused" and not reply.is_ours
        if is_final and not self._is_logged_in and asks_for_login(reply):
            outcome = Outcome(
                "deferred", "alias", "login_missing", hold="login_missing", reply=reply
            )
            failure = SmtpFailure(Phase.RCPT, reply, outcome=outcome)
        return failure

    def send_body(self, message_bytes: bytes) -> None:
        """Send the message, leading dots doubled, all but the final dot (4.5.2)."""
        body = message_bytes.replace(b"\r\n.", b"\r\n..")
        if body.startswith(b"."):
            body = b"." + body
        if not body.endswith(b"\r\n"):
            body += b"\r\n"
        try:
            with failing_in(Phase.BODY):
                self._wire.allow(TRANSFER_TIMEOUT)
                self._wire.send(body)
        except SmtpFailure as failure:
            raise self._with_early_reply(failure) from None

    def _with_early_reply(self, failure):
        """Prefer the words of a server that gave up in the middle of a message."""
        with contextlib.suppress(Exception):
            self._wire.allow(EARLY_REPLY_TIMEOUT)
            reply = self._wire.read_reply()
            if reply.code >= 400:
                failure = SmtpFailure(Phase.BODY, reply)
        return failure

    def final_dot(self) -> Reply:
        """Send the final dot and return the reply that makes the mail the server's.

        :raises SmtpFailure: phase DOT; without a reply nobody knows who owns the mail
        """
        with failing_in(Phase.DOT):
            self._wire.allow(DOT_TIMEOUT)
            self._wire.send(b".\r\n")
            reply = self._wire.read_reply()
        expect(Phase.DOT, reply, 2)
        return reply


def _nobody(failures, refused, deferred):
    """Return the failure for a mail without recipients: try later if one may."""
    temporary = [item for item in failures if item.outcome.kind == "deferred"]
    failure = (temporary or failures or [SmtpFailure(Phase.RCPT, _BAD_ADDRESS)])[0]
    failure.refused, failure.deferred = refused, deferred
    return failure


def _headers(message_bytes):
    return message_bytes[: max(message_bytes.find(b"\r\n\r\n"), 0)]


def _envelope_path(address):
    """Return an address for the envelope, its domain in ASCII; None = not valid."""
    if not _PATH.fullmatch(address or ""):
        return None
    try:
        return mailbox_to_ascii(address)
    except AddressError:
        return None
