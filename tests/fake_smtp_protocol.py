"""What the fake mail server says in one connection, and the rules it asks first."""

import asyncio
import base64
import hmac
import json
import logging
import socket
import time
import warnings
from dataclasses import dataclass, field

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # aiosmtpd logs each line

FOREVER = 3600.0  # s: longer than any time-out of a client
MAX_LINE = 16_384  # bytes of a command; an access token can have 4 kB


@dataclass
class Received:
    """One message that was accepted.

    Times bracket MAIL FROM and the final reply, on both clocks, in seconds.
    """

    mail_from: str
    rcpt_tos: list[str]
    data: bytes
    session_id: int
    login: str | None
    is_tls: bool
    mail_options: list[str]
    started_at: float
    started_monotonic: float
    replied_at: float = 0.0
    replied_monotonic: float = 0.0


@dataclass
class Session:
    """One connection: every command line as it came, credentials included."""

    session_id: int
    opened_monotonic: float
    commands: list[str] = field(default_factory=list)
    login: str | None = None
    is_tls: bool = False


class Protocol(SMTP):
    """aiosmtpd with a question to the rules before each step."""

    line_length_limit = MAX_LINE
    command_size_limit = MAX_LINE

    def __init__(self, server, is_tls, **options):
        self._fake = server
        self._canned = None  # what the next push sends instead
        self._searched = 0  # bytes of the message searched for its end
        self._started = (0.0, 0.0)
        self._note = server._open_session(is_tls)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # logins without TLS are meant here
            super().__init__(
                object(), loop=server._loop, authenticator=self._check_login, **options
            )

    async def _handle_client(self):
        # asyncio leaves Nagle's algorithm on for sockets made like ours: 40 ms a line.
        link = self.transport.get_extra_info("socket")
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await self._step("connect")
        await super()._handle_client()

    async def _step(self, phase, argument=""):
        """Note the command and obey its rule; return the reply to give, if any."""
        rule = self._fake._rule(phase, argument)
        if rule is None:
            return None
        if rule.delay:
            await asyncio.sleep(rule.delay)
        if rule.silent:
            await asyncio.sleep(FOREVER)
        if rule.drop:
            self._cut()
        if phase in ("connect", "starttls"):
            self._canned = rule.reply
        return rule.reply

    def _cut(self):
        transport = self._original_transport or self.transport
        if transport is not None:
            transport.abort()
        raise asyncio.CancelledError

    async def push(self, status):
        if self._fake.pipelining and status == "250 HELP":
            await super().push(b"250-PIPELINING")
        if self._canned is not None:
            status, self._canned = self._canned, None
        await super().push(status.encode() if isinstance(status, str) else status)
        if _text(status).startswith("421"):
            self.transport.close()

    async def _answered(self, phase, argument):
        self._note.commands.append(f"{phase} {argument or ''}".strip())
        reply = await self._step(phase, argument or "")
        if reply is not None:
            await self.push(reply)
        return reply is not None

    async def smtp_STARTTLS(self, arg):
        self._note.commands.append("starttls")
        reply = await self._step("starttls")
        if reply is not None and not _text(reply).startswith("220"):
            await self.push(reply)
            return
        await super().smtp_STARTTLS(arg)
        self._note.is_tls = True

    async def smtp_MAIL(self, arg):
        self._started = (time.time(), time.monotonic())
        if not await self._answered("mail", arg):
            await super().smtp_MAIL(arg)

    def _check_login(self, protocol, session, envelope, mechanism, data):
        user, password = data.login.decode(), data.password.decode()
        known = self._fake.users.get(user)
        is_right = known is not None and password == known
        self._note.login = user if is_right else None
        return AuthResult(success=is_right, handled=False, auth_data=data)

    async def auth_CRAM__MD5(self, _, args):
        challenge = b"<1.2@localhost>"
        answer = await self.challenge_auth(challenge)
        user, _, digest = answer.decode().partition(" ")
        secret = self._fake.users.get(user, "").encode()
        right = hmac.new(secret, challenge, "md5").hexdigest()
        if user not in self._fake.users or digest != right:
            return AuthResult(success=False, handled=False)
        self._note.login = user
        return AuthResult(success=True, auth_data=LoginPassword(user.encode(), b""))

    async def auth_XOAUTH2(self, _, args):
        raw = base64.b64decode(args[1]).decode("utf-8", "replace")
        parts = dict(part.split("=", 1) for part in raw.split("\x01") if "=" in part)
        user = parts.get("user", "")
        token = parts.get("auth", "").removeprefix("Bearer ")
        check = self._fake.check_token
        answer = check(user, token) if check else False
        if answer is True:
            self._note.login = user
            data = LoginPassword(user.encode(), b"")
            return AuthResult(success=True, auth_data=data)
        error = answer or {"status": "400", "schemes": "Bearer", "scope": "mail"}
        await self.challenge_auth(json.dumps(error))
        return AuthResult(
            success=False, handled=False, message="535 5.7.3 Authentication failed"
        )

    async def smtp_DATA(self, arg):
        """Read what comes in big pieces: exact bytes, and quick with attachments."""
        if await self.check_helo_needed() or await self.check_auth_needed("DATA"):
            return
        if await self._answered("data", arg):
            return
        if not self.envelope.rcpt_tos:
            await self.push("503 5.5.1 need RCPT command")
            return
        rule = self._fake._rule("body", self.envelope.mail_from)
        await self.push("354 go ahead")
        data = await self._read_data(rule)
        envelope, (started_at, started_monotonic) = self.envelope, self._started
        received = Received(
            mail_from=envelope.mail_from,
            rcpt_tos=list(envelope.rcpt_tos),
            data=data,
            session_id=self._note.session_id,
            login=self._note.login,
            is_tls=self._note.is_tls,
            mail_options=list(envelope.mail_options),
            started_at=started_at,
            started_monotonic=started_monotonic,
        )
        self._set_post_data_state()
        await self._finish(received)

    async def _read_data(self, rule):
        """Return the message without its final dot and with single dots."""
        data = bytearray(b"\r\n")  # so that the end is found in an empty message, too
        while (end := data.find(b"\r\n.\r\n", max(0, self._searched - 4))) < 0:
            self._searched = len(data)
            size = 65_536
            if rule is not None:
                size = rule.after_bytes + 2 - len(data)
                if size <= 0:
                    await self._act_in_body(rule)
                    rule, size = None, 65_536
            piece = await self._reader.read(size)
            if not piece:
                self._cut()
            data += piece
        self._searched = 0
        self._reader._buffer[:0] = data[end + 5 :]
        return bytes(data[: end + 2]).replace(b"\r\n..", b"\r\n.")[2:]

    async def _act_in_body(self, rule):
        await asyncio.sleep(FOREVER if rule.silent else rule.delay)
        if rule.drop:
            self._cut()
        if rule.reply is not None:
            await self.push(rule.reply)
            self.transport.close()
            raise asyncio.CancelledError

    async def _finish(self, received):
        """Answer the final dot; what is accepted counts, whether told or not."""
        rule = self._fake._rule("dot", received.mail_from)
        reply = (rule and rule.reply) or "250 2.0.0 Ok: queued"
        await asyncio.sleep(rule.delay if rule else 0)
        fails = rule and (rule.drop or rule.silent)
        if rule.accept if fails else _text(reply).startswith("2"):
            self._fake._keep(received)
        if fails and rule.silent:
            await asyncio.sleep(FOREVER)
        if fails:
            self._cut()
        await self.push(reply)


def _text(reply):
    return reply.decode("latin-1") if isinstance(reply, bytes) else reply


def _scripted(command):
    """Return the command's method that lets a rule answer first."""
    usual = getattr(SMTP, f"smtp_{command}")

    async def method(self, arg):
        if not await self._answered(command.lower(), arg):
            await usual(self, arg)

    return method


for _command in ("EHLO", "HELO", "AUTH", "RCPT", "RSET", "QUIT"):
    setattr(Protocol, f"smtp_{_command}", _scripted(_command))
