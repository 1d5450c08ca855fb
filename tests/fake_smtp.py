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
import contextlib
import errno
import itertools
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from .fake_ca import Ca
from .fake_smtp_protocol import MAX_LINE, Protocol, Received, Session

PHASES = (
    "connect", "ehlo", "helo", "starttls", "auth", "mail", "rcpt", "data", "body",
    "dot", "rset", "quit",
)  # fmt: skip
STARTED_FOR = 60.0  # s until the thread must listen


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


class FakeSmtpServer:
    """Listens on three ports: ``plain_port``, ``starttls_port``, ``tls_port``.

    The plain port offers no STARTTLS but takes logins; with ``ca`` the other two
    exist. Everything may be changed while it runs.

    :param users: user name -> password
    :param ca: from `fake_ca.make_ca`
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

    @property
    def greetings(self) -> list[str]:
        """The names that the server was greeted with, in order."""
        return [
            line.split()[1]
            for session in self.sessions
            for line in session.commands
            if line.startswith(("ehlo", "helo"))
        ]

    def wait_for(self, count: int, timeout: float = 60.0) -> bool:
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
            made = Protocol(self, is_tls, **self._options, **options)
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
