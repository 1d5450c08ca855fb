"""A mail server to test against: real SMTP over real TLS, with a knob for each fault.

It stands alone (no Odoo), runs in a thread of its own, and listens on loopback only.

    ca = make_ca(directory)                 # the client trusts directory/ca.pem
    with FakeSmtpServer(users={"ada": "secret"}, ca=ca) as server:
        server.on("rcpt", reply="550 5.1.1 no such user", match="bob@")
        server.on("dot", drop=True, accept=True, times=1)
        ...                                 # server.starttls_port, .tls_port
        server.messages                     # what was accepted, with times

Rules are asked in the order of `on`, the first that fits and is not spent decides.
"""

import asyncio
import base64
import contextlib
import datetime
import errno
import hmac
import itertools
import json
import logging
import socket
import ssl
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # aiosmtpd logs each line

PHASES = (
    "connect", "ehlo", "helo", "starttls", "auth", "mail", "rcpt", "data", "body",
    "dot", "rset", "quit",
)  # fmt: skip
FOREVER = 3600.0  # s: longer than any time-out of a client
MAX_LINE = 16_384  # bytes of a command; an access token can have 4 kB
STARTED_FOR = 10.0  # s until the thread must listen


@dataclass
class Rule:
    """What happens at a phase instead of the usual.

    ``reply``: the line(s) to answer, bytes or text; ``delay``: seconds before it;
    ``drop``: cut the link instead; ``silent``: never answer; ``times``: how often
    (None = always); ``skip``: how many matches to let pass first; ``match``: text in
    the command's argument; ``accept``: at "dot", keep the message nevertheless;
    ``after_bytes``: at "body", act when this much has come in.
    """

    phase: str
    reply: str | bytes | None = None
    delay: float = 0.0
    drop: bool = False
    silent: bool = False
    times: int | None = None
    skip: int = 0
    match: str = ""
    accept: bool = False
    after_bytes: int = 0


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


class Ca:
    """A certificate authority of its own and server certificates, good and bad."""

    def __init__(self, directory):
        self.bundle = str(Path(directory) / "ca.pem")
        self._ca = trustme.CA()
        self._other_ca = trustme.CA()
        self._ca.cert_pem.write_to_path(self.bundle)

    def server_context(self, kind: str = "valid") -> ssl.SSLContext:
        """Return the server's side; ``valid``, ``expired``, ``wrong_host``,
        ``wrong_ca``, ``self_signed``, ``tls_1_1``, ``name_only`` (no addresses)."""
        ca = self._other_ca if kind in ("wrong_ca", "self_signed") else self._ca
        names = ("other.example",) if kind == "wrong_host" else ("localhost",)
        if kind not in ("wrong_host", "name_only"):
            names += ("127.0.0.1", "::1")
        limits = {}
        if kind == "expired":
            now = datetime.datetime.now(datetime.timezone.utc)
            limits["not_before"] = now - datetime.timedelta(days=30)
            limits["not_after"] = now - datetime.timedelta(days=1)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if kind == "self_signed":  # the root itself plays the server
            ca.configure_trust(context)
            with ca.private_key_pem.tempfile() as key, ca.cert_pem.tempfile() as cert:
                context.load_cert_chain(cert, key)
        else:
            ca.issue_cert(*names, **limits).configure_cert(context)
        if kind == "tls_1_1":
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
            context.set_ciphers("ALL:@SECLEVEL=0")
        return context

    def client_context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.bundle)


def make_ca(directory) -> Ca:
    """Write ``ca.pem`` to the directory (for SSL_CERT_FILE) and return the CA."""
    return Ca(directory)


class _Protocol(SMTP):
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
    setattr(_Protocol, f"smtp_{_command}", _scripted(_command))


class FakeSmtpServer:
    """Listens on three ports: ``plain_port``, ``starttls_port``, ``tls_port``.

    The plain port offers no STARTTLS but takes logins; with ``ca`` the other two
    exist. Everything may be changed while it runs.

    :param users: user name -> password
    :param ca: from `make_ca`
    :param certificate: what `Ca.server_context` knows
    :param login_required: answer 530 to MAIL without a login
    :param mechanisms: what AUTH offers
    :param check_token: (user, token) -> True, False or the error as a dict
    :param size_limit: bytes, None = SIZE is not offered
    :param pipelining: offer PIPELINING
    :param keep_data: keep the messages' bytes; False for benchmarks
    :param ports: (plain, starttls, tls), 0 = a free one
    """

    MECHANISMS = ("PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2")

    def __init__(
        self,
        users: dict[str, str] | None = None,
        *,
        ca: Ca | None = None,
        certificate: str = "valid",
        login_required: bool = True,
        mechanisms: tuple = ("PLAIN", "LOGIN", "XOAUTH2"),
        check_token: Callable | None = None,
        size_limit: int | None = 50_000_000,
        smtputf8: bool = True,
        pipelining: bool = False,
        keep_data: bool = True,
        ports: tuple[int, int, int] = (0, 0, 0),
    ):
        self.users = dict(users or {})
        self.check_token = check_token
        self.keep_data = keep_data
        self.pipelining = pipelining
        self.messages: list[Received] = []
        self.sessions: list[Session] = []
        self.rules: list[Rule] = []
        self._context = ca and ca.server_context(certificate)
        self._options = {
            "data_size_limit": size_limit,
            "enable_SMTPUTF8": smtputf8,
            "auth_required": login_required,
            "auth_exclude_mechanism": set(self.MECHANISMS) - set(mechanisms),
            "hostname": "localhost",
            "ident": "fake SMTP",
        }
        self._ports = ports
        self._lock = threading.Lock()
        self._arrived = threading.Condition()
        self._loop = self._thread = None
        self._servers = []
        self.plain_port = self.starttls_port = self.tls_port = None

    # Knobs

    def on(self, phase: str, **what) -> Rule:
        """Add a `Rule`; return it."""
        if phase not in PHASES:
            raise ValueError(f"{phase} is none of {', '.join(PHASES)}")
        rule = Rule(phase, **what)
        with self._lock:
            self.rules.append(rule)
        return rule

    def clear(self) -> None:
        """Forget rules, messages and sessions."""
        with self._lock:
            self.rules.clear()
            self.messages.clear()
            self.sessions.clear()

    def wait_for(self, count: int, timeout: float = 10.0) -> bool:
        """Wait until this many messages were accepted."""
        with self._arrived:
            return self._arrived.wait_for(lambda: len(self.messages) >= count, timeout)

    def _rule(self, phase, argument):
        with self._lock:
            for rule in self.rules:
                if rule.phase != phase or rule.match not in argument or rule.times == 0:
                    continue
                if rule.skip > 0:
                    rule.skip -= 1
                    continue
                if rule.times is not None:
                    rule.times -= 1
                return rule
        return None

    def _open_session(self, is_tls):
        with self._lock:
            number = next(_numbers)
            session = Session(number, time.monotonic(), is_tls=is_tls)
            self.sessions.append(session)
        return session

    def _keep(self, received):
        received.replied_at, received.replied_monotonic = time.time(), time.monotonic()
        if not self.keep_data:
            received.data = received.data[: received.data.find(b"\r\n\r\n") + 4]
        with self._arrived:
            self.messages.append(received)
            self._arrived.notify_all()

    # Life

    def start(self) -> "FakeSmtpServer":
        """Listen; return when the ports are known."""
        ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        if not ready.wait(STARTED_FOR) or self.plain_port is None:
            raise RuntimeError("The fake mail server did not start.")
        return self

    def stop(self) -> None:
        """Cut all connections and end the thread."""
        if self._thread and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(STARTED_FOR)

    __enter__ = start

    def __exit__(self, *_):
        self.stop()

    def _run(self, ready):
        asyncio.set_event_loop(self._loop)
        self._loop.set_exception_handler(lambda loop, context: None)
        try:
            self._loop.run_until_complete(self._listen())
            ready.set()
            self._loop.run_forever()
        finally:
            ready.set()
            self._end()

    async def _listen(self):
        plain, starttls, tls = self._ports
        self.plain_port = await self._serve(plain, auth_require_tls=False)
        if self._context:
            self.starttls_port = await self._serve(starttls, tls_context=self._context)
            self.tls_port = await self._serve(
                tls, ssl_context=self._context, auth_require_tls=False
            )

    async def _serve(self, port, ssl_context=None, **options):
        def protocol():
            is_tls = ssl_context is not None
            made = _Protocol(self, is_tls, **self._options, **options)
            made.command_size_limits.update(AUTH=MAX_LINE, MAIL=MAX_LINE, RCPT=MAX_LINE)
            return made

        sockets = _loopback_sockets(port)
        for sock in sockets:
            self._servers.append(
                await self._loop.create_server(protocol, sock=sock, ssl=ssl_context)
            )
        return sockets[0].getsockname()[1]

    def _end(self):
        for server in self._servers:
            server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        gathered = asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(Exception):
            self._loop.run_until_complete(asyncio.wait_for(gathered, 2))
        self._loop.close()


_numbers = itertools.count(1)


def _loopback_sockets(port):
    """Return listening sockets on 127.0.0.1 and, where it exists, on ::1."""
    for _ in range(50):
        first = socket.create_server(("127.0.0.1", port), backlog=512)
        number = first.getsockname()[1]
        if not socket.has_ipv6:
            return [first]
        try:
            second = socket.create_server(
                ("::1", number), family=socket.AF_INET6, backlog=512
            )
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                return [first]  # no IPv6 on this machine
            if port:
                first.close()
                raise
            first.close()
        else:
            return [first, second]
    raise RuntimeError("No port is free on both loopback addresses.")
