"""The bytes between us and an IMAP server: bounded, timed, never logged.

``imaplib`` and ``IMAPClient`` speak the protocol; here they are given a socket that
was opened elsewhere (so that the address guard has judged it), and get what they
lack: an end to lines, literals, replies and the whole conversation, and silence about
secrets.
"""

import contextlib
import imaplib
import re

from imapclient import IMAPClient
from imapclient.imap_utf7 import encode as encode_utf7

from ..redact import Blotter
from .failure import ServerRefusal

LINE_LIMIT = 1_000_000  # bytes; a SEARCH reply is one line, 7 bytes a message
LITERAL_LIMIT = 256_000  # bytes; we ask for one header field or a folder's name
REPLY_LIMIT = 6_000_000  # bytes from one command to the next; 100,000 folders
CHUNK = 65_536  # bytes

# How a message is written behind APPEND: what stands before its length, and behind it.
PLAIN = (b"", b"")
BINARY = (b"~", b"")  # octets that include NUL, RFC 3516 4.4
UTF8 = (b"UTF8 (~", b")")  # header fields in raw UTF-8, RFC 9755 4

# The end of a command without words, which the standard demands and some leave out.
_WORDLESS = re.compile(rb"(\w+ (?:OK|NO|BAD))(\r?\n)", re.IGNORECASE)
_BAD_COMMAND = re.compile(r"command error: BAD \[b(['\"])(.*)\1\]\Z", re.DOTALL)


class GuardedImap4(imaplib.IMAP4):
    """IMAP4 over a ready socket.

    :param socket.socket sock: connected, TLS already done where the port wants it
    :param str host: the name that a certificate has to show after STARTTLS
    :param Deadline deadline: the end of the conversation; may be set anew
    :param Blotter redact: withholds words that repeat what the server may have been
        told
    """

    # IMAPClient switches debugging on: its log would hold passwords and mails.
    debug = property(lambda self: 0, lambda self, value: None)

    def __init__(self, sock, host, port, deadline, redact=None):
        self.deadline = deadline
        self.redact = redact or Blotter()
        self._ready_socket = sock
        super().__init__(host, port)

    def open(self, host="", port=imaplib.IMAP4_PORT, timeout=None):
        self.host = host
        self.port = port
        self.sock = self._ready_socket
        self._pending = bytearray()
        self._received = 0

    def _log(self, line):
        """Keep nothing: imaplib keeps the last commands, passwords included."""

    def _new_tag(self):
        """Extend: each command has a size of its own, and leaves nothing behind."""
        self._received = len(self._pending)
        self.untagged_responses.clear()
        return super()._new_tag()

    def _receive(self):
        self.deadline.arm(self.sock)
        data = self.sock.recv(CHUNK)
        self._received += len(data)
        if self._received > REPLY_LIMIT:
            raise self.abort("answer too long")
        self._pending += data
        return bool(data)

    def readline(self):
        searched = 0
        while True:
            end = self._pending.find(b"\n", searched)
            if end >= 0:
                line = self._take(end + 1)
                wordless = len(line) < 30 and _WORDLESS.fullmatch(line)
                return b"%s %s" % wordless.groups() if wordless else line
            if len(self._pending) > LINE_LIMIT:
                raise self.abort("line too long")
            searched = len(self._pending)
            if not self._receive():
                return self._take(searched)

    def read(self, size):  # pylint: disable=method-required-super
        if size > LITERAL_LIMIT:
            raise self.abort("literal too long")
        while len(self._pending) < size:
            if not self._receive():
                raise self.abort("connection closed")
        return self._take(size)

    def _take(self, size):
        data = bytes(self._pending[:size])
        del self._pending[:size]
        return data

    def send(self, data):
        view = memoryview(data)
        for start in range(0, len(view), CHUNK):
            self.deadline.arm(self.sock)
            self.sock.sendall(view[start : start + CHUNK])

    def starttls(self, ssl_context=None):
        """Replace: verify the certificate, believe nothing said before.

        RFC 3501 6.2.1. The base class would read through a file object. Capabilities
        are asked for again by IMAPClient.
        """
        typ, data = self._simple_command("STARTTLS")
        self._checked(typ, data)
        if self._pending:
            # Text behind the reply came in the clear and would be taken for a reply
            # that came encrypted.
            raise self.abort("unexpected text before TLS")
        self.untagged_responses.clear()
        self.deadline.arm(self.sock)
        self.sock = ssl_context.wrap_socket(self.sock, server_hostname=self.host)
        self._tls_established = True
        return typ, data

    def _command_complete(self, name, tag):
        """Extend: tell a BAD from the other errors."""
        with self.discreet():
            return super()._command_complete(name, tag)

    def _command(self, name, *args):
        """Extend: what the server says in the middle of it may be shown."""
        with self.discreet():
            return super()._command(name, *args)

    @contextlib.contextmanager
    def discreet(self):
        """Let nothing out that repeats a secret."""
        try:
            yield
        except ServerRefusal:
            raise
        except self.error as error:
            bad = _BAD_COMMAND.search(str(error))
            if bad and not isinstance(error, self.abort):
                raise self.refusal("BAD", bad.group(2)) from None
            raise type(error)(self.redact(str(error))) from None

    def refusal(self, status, text):
        """Return the ServerRefusal for a NO or BAD, in words that may be shown."""
        return ServerRefusal(status, text, self.redact)

    def shutdown(self):
        self.sock.close()

    def run(self, name, *args):
        """Run one command and return its tagged reply's text.

        :raise ServerRefusal: on NO and BAD
        """
        typ, data = self._simple_command(name, *args)
        return self._checked(typ, data)

    def _checked(self, typ, data):
        text = data[-1] if data else b""
        if typ != "OK":
            raise self.refusal(typ, text)
        return text or b""

    def take_untagged(self, name):
        """Return and forget the untagged replies of one name, as imaplib keeps them."""
        return [item for item in self.untagged_responses.pop(name, []) if item]

    def append_messages(self, path, messages, flags, form, literal_plus):
        """APPEND one message, or several where MULTIAPPEND is offered (RFC 3502).

        ``imaplib.append`` touches line ends. To IMAPClient's ``multiappend`` a refusal
        before the octets is the connection's end. Neither knows RFC 3516 or 9755.

        :param bytes path: of the folder, as it goes over the wire
        :param messages: list of (INTERNALDATE in quotes, octets)
        :param bytes flags: of each message
        :param form: one of the constants above
        :param bool literal_plus: send without waiting for leave (RFC 7888)
        :return: the tagged reply's text
        """
        tag = self._new_tag()
        before, behind = form
        head = tag + b" APPEND " + path
        buffer = bytearray()
        for date, octets in messages:
            head += b" (%s) %s %s{%d" % (flags, date, before, len(octets))
            if literal_plus:
                buffer += head + b"+}\r\n"
                buffer += octets
            else:
                self.send(head + b"}\r\n")
                if not self._may_continue(tag):
                    break
                self.send(octets)
            head = behind
        else:
            self.send(bytes(buffer) + head + b"\r\n")
        return self._checked(*self._command_complete("APPEND", tag))

    def _may_continue(self, tag):
        """Wait for "+" (True) or the command's end (False) (RFC 3501 7.5)."""
        with self.discreet():
            while self._get_response() is not None:
                if self.tagged_commands[tag]:
                    return False
                self._check_bye()
        return True


class GuardedClient(IMAPClient):
    """IMAPClient over a ready socket; parameters as for GuardedImap4."""

    is_utf8 = False

    def __init__(self, sock, host, port, deadline, redact=None):
        self._ready_socket = sock
        self._deadline = deadline
        self._redact = redact
        super().__init__(host, port, ssl=False)
        # Names come as octets: one that nobody can decode spoils no list.
        self.folder_encode = False

    def _create_IMAP4(self):
        return GuardedImap4(
            self._ready_socket, self.host, self.port, self._deadline, self._redact
        )

    def _check_resp(self, expected, command, typ, data):
        if typ != expected:
            raise self.wire.refusal(typ, data[-1])

    def _normalise_folder(self, folder_name):
        return self.quoted_path(folder_name)

    def quoted_path(self, path):
        """Return a decoded folder path as it goes over the wire, quoted.

        Modified UTF-7 (RFC 3501 5.1.3), or UTF-8 once that is enabled (RFC 9755 3).
        """
        return quoted(path if self.is_utf8 else encode_utf7(path))

    def append_messages(self, path, messages, flags, form=PLAIN):
        """APPEND messages and return the tagged reply's text.

        :param str path: decoded folder path
        :param messages: list of (INTERNALDATE in quotes, octets)
        :param bytes flags: of each message
        :param form: one of the constants above
        """
        literal_plus = self.has_capability("LITERAL+")
        return self.wire.append_messages(
            self.quoted_path(path), messages, flags, form, literal_plus
        )

    def enable_utf8(self):
        """Tell whether messages with raw UTF-8 in their header are taken from now on.

        No folder may be open (RFC 5161 3.1).
        """
        if not self.is_utf8 and self.has_capability("UTF8=ACCEPT"):
            self.is_utf8 = b"UTF8=ACCEPT" in self.enable("UTF8=ACCEPT")
        return self.is_utf8

    @property
    def wire(self):
        """The imaplib object below."""
        return self._imap


def quoted(text):
    """Return octets as a quoted string (RFC 3501 4.3); control characters raise."""
    if isinstance(text, str):
        text = text.encode("utf-8")
    if re.search(rb"[\x00-\x1f\x7f]", text):
        raise ValueError("control character in a quoted string")
    return b'"' + text.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
