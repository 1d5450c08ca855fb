"""One SMTP connection on the level of lines: deadlines, caps, STARTTLS.

`smtplib` knows the protocol, but its time-out starts anew with every received byte,
it reads replies without end, and it verifies no certificate by itself.
"""

import re
import smtplib
import socket
import ssl

from ...deadline import Deadline
from ...redact import Blotter
from .reply import Reply

MAX_LINE = 8192  # bytes of one reply line; RFC 5321 4.5.3.1.5 says 512
MAX_REPLY = 65_536  # bytes of one reply of several lines
CHUNK = 65_536  # bytes of a message that are sent in one go

_REPLY_CODE = re.compile(rb"[2-5][0-9][0-9](?=[ -]|$)")


class WireFault(Exception):
    """Something that is no reply of a server, but our own finding about it."""

    def __init__(self, fault: str, text: str = ""):
        super().__init__(text or fault)
        self.fault = fault


class Wire(smtplib.SMTP):
    """An `smtplib.SMTP` on a socket that is connected already.

    ``local_hostname``, the name for EHLO, must be set before `greet`.

    :param host: name for SNI and for the certificate
    :param deadline: the end of the conversation; may be set anew at any time
    :param redact: withholds a reply that repeats what the server may have been told
    """

    def __init__(
        self,
        sock: socket.socket,
        host: str,
        deadline: Deadline,
        redact: Blotter | None = None,
    ):
        super().__init__(local_hostname="unset")
        self.sock = sock
        self.deadline = deadline
        self._host = host
        self._pending = bytearray()
        self._step = deadline
        self.redact = redact or Blotter()

    def allow(self, seconds: float) -> None:
        """Set the time for what follows, never past the deadline."""
        self._step = self.deadline.within(seconds)

    def _arm(self):
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("The connection is closed.")
        self._step.arm(self.sock)

    def start_tls_now(self, context: ssl.SSLContext) -> None:
        """Begin TLS: from the first byte, or after the server agreed to STARTTLS.

        A server that sent something behind its agreement is refused: it would be plain
        text posing as protected. What it offered before counts no more, as the next
        EHLO starts afresh (RFC 3207 4.2).
        """
        self._arm()
        if self._pending:
            raise WireFault("protocol", "The server sent plain text before TLS.")
        self.sock = context.wrap_socket(self.sock, server_hostname=self._host)

    def send(self, s) -> None:
        data = s.encode(self.command_encoding) if isinstance(s, str) else s
        view = memoryview(data)
        for start in range(0, len(view), CHUNK):
            self._arm()
            self.sock.sendall(view[start : start + CHUNK])

    def getreply(self):
        """Return (code, text) of a reply; at most 64 kB, never past the deadline."""
        lines, size = [], 0
        while True:
            line = self._read_line()
            size += len(line)
            if size > MAX_REPLY:
                raise WireFault("protocol", "The server's reply is too long.")
            if not _REPLY_CODE.match(line):
                raise WireFault("protocol", "The server's reply is not SMTP.")
            lines.append(line[4:].strip())
            if line[3:4] != b"-":
                return int(line[:3]), b"\n".join(lines)

    def _read_line(self):
        while (end := self._pending.find(b"\n")) < 0:
            if len(self._pending) > MAX_LINE:
                raise WireFault("protocol", "The server's reply line is too long.")
            self._arm()
            data = self.sock.recv(4096)
            if not data:
                raise smtplib.SMTPServerDisconnected(
                    "The server closed the connection."
                )
            self._pending += data
        line = bytes(self._pending[:end]).rstrip(b"\r")
        del self._pending[: end + 1]
        if len(line) > MAX_LINE:
            raise WireFault("protocol", "The server's reply line is too long.")
        return line

    def read_reply(self) -> Reply:
        """Return the next reply, as it may be shown."""
        return self.shown(*self.getreply())

    def shown(self, code: int, text: bytes) -> Reply:
        """Return a reply as it may be shown."""
        return Reply.parse(code, text, self.redact)

    def command(self, name: str, argument: str = "") -> Reply:
        """Send a command and return the reply, within the time that was allowed."""
        return self.shown(*self.docmd(name, argument))

    def greet(self) -> Reply:
        """Say EHLO, or HELO to a server that does not know it (RFC 5321 3.2)."""
        reply = self.shown(*self.ehlo())
        if reply.code in (500, 502, 504):
            reply = self.shown(*self.helo())
        return reply
