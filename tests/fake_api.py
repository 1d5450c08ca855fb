"""What the providers' interfaces for sending have in common: HTTPS that is kept open.

A subclass answers like one of them, as far as its documentation says. What it was
given is kept, with the people it would serve: To, Cc and Bcc of the message, read by
the email package.
"""

import collections
import contextlib
import email
import email.utils
import json
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qsl, urlsplit

from .fake_https import FakeHttpsServer, Listener

HARD_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER: a reset instead of an end


@dataclass
class Knobs:
    """What the interface is to do wrong from now on; the defaults do it right."""

    # next answers to a submission: (status, headers, JSON data), each serves once
    answers: list = field(default_factory=list)
    # the connection is cut: "before", "middle" of or "after" the next body, or after
    # the first bytes of the "answer"
    cut: str = ""
    # whether what is cut after the body has been taken all the same
    takes_what_is_cut: bool = True
    # seconds before a submission is answered
    delay: float = 0.0
    # step of a longer submission -> answers and cuts as above, each serves once
    step_answers: dict = field(default_factory=dict)
    step_cuts: dict = field(default_factory=dict)
    # step -> function that is called when it was asked for, before the answer
    step_hooks: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Submission:
    """One message that was taken, or that was cut off after its last byte."""

    account: str
    data: bytes
    recipients: list
    size: int  # bytes of the request's body
    started_at: float  # time.monotonic() of the first line of the request
    received_at: float  # of its last byte
    answered_at: float


class FakeApi(FakeHttpsServer):
    """Serve on a free port in threads; a context manager.

    :param identity_provider: whose tokens are good
    :param scope: what a token must have been given for
    """

    max_body = 0

    def __init__(self, identity_provider, scope=""):
        super().__init__(identity_provider.ca)
        self.identity_provider = identity_provider
        self.scope = scope
        self.knobs = Knobs()
        self.submissions = []
        self.connections = 0
        self.cuts = []  # (where, recipients as far as they were known)
        self.lock = threading.RLock()
        self.at_once = collections.Counter()  # requests in hand of each account
        self.most_at_once = collections.Counter()

    def listen(self):
        server = Listener(type("Handler", (_Handler,), {"fake": self}))
        # so that what is cut in the middle has not left the client's side yet
        server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32_768)
        # the client's kernel buffers ten segments and more, on loopback 64 kB each
        server.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1400)
        return server

    @contextlib.contextmanager
    def counting(self, account):
        """Count how many requests of an account are being answered at once."""
        who = account and account.email
        with self.lock:
            self.at_once[who] += 1
            self.most_at_once[who] = max(self.most_at_once[who], self.at_once[who])
        try:
            yield
        finally:
            with self.lock:
                self.at_once[who] -= 1

    def take_cut(self, size):
        """Return where the next submission is cut, empty for nowhere.

        :param size: bytes of its body
        """
        cut, self.knobs.cut = self.knobs.cut, ""
        return cut

    def takes(self, cut):
        """Tell whether a message is taken whose answer will be cut off."""
        return self.knobs.takes_what_is_cut

    def take_answer(self, account):
        """Return the answer to a submission whatever it is, None for the usual one."""
        return self.knobs.answers.pop(0) if self.knobs.answers else None

    def get_taken(self, account, seconds):
        """Return what an account has submitted within the last seconds."""
        since = time.monotonic() - seconds
        with self.lock:
            return [
                item
                for item in self.submissions
                if item.answered_at > since and item.account == account.email
            ]

    @property
    def served(self):
        """Everybody who got something, in order."""
        return [who for item in self.submissions for who in item.recipients]

    def get_scope(self):
        """Return what a token has to be given for."""
        raise NotImplementedError

    def get_step(self, method, path):
        """Return which step of a longer submission this is, empty for none."""
        return ""

    def take_step(self, step, path, account, headers, body, times):
        """Return the answer to a step."""
        raise NotImplementedError

    def is_submission(self, method, path):
        """Tell whether this request is to send a message."""
        raise NotImplementedError

    def get_mailbox(self, path, account):
        """Return the account whose mailbox a submission is for."""
        return account

    def get(self, path, account):
        """Return (status, headers, JSON data) of another request."""
        return 404, {}, self.error("ResourceNotFound", "Not found.")

    def submit(self, account, headers, body, times):
        """Return the answer to a submission; keep what is taken."""
        raise NotImplementedError

    def get_message(self, body):
        """Return the message that is the body of a submission."""
        return body

    def error(self, code, text):
        """Return the JSON data of an error as this provider words it."""
        raise NotImplementedError

    def keep(self, account, data, size, times, named=None):
        """Take a message: everybody it names gets it.

        :param times: of the request's first line and last byte
        :param named: who gets it, if the message itself does not say so
        """
        named = get_recipients(data) if named is None else named
        kept = Submission(account, data, named, size, *times, time.monotonic())
        with self.lock:
            self.submissions.append(kept)


def get_recipients(data):
    """Return the addresses of To, Cc and Bcc."""
    message = email.message_from_bytes(data.partition(b"\r\n\r\n")[0])
    named = [v for n in ("To", "Cc", "Bcc") for v in message.get_all(n, [])]
    return [address for _, address in email.utils.getaddresses(named) if address]


class _Handler(BaseHTTPRequestHandler):
    """Read a request, have the fake judge it, answer or cut."""

    protocol_version = "HTTP/1.1"
    # an answer leaves in one piece
    disable_nagle_algorithm = True
    wbufsize = -1
    fake = None

    def setup(self):
        self.fake.connections += 1
        super().setup()

    def parse_request(self):
        self.started_at = time.monotonic()
        return super().parse_request()

    def do_GET(self):
        if self.fake.get_step("GET", urlsplit(self.path).path):
            return self._find()
        account = self._account()
        if not account:
            words = self.fake.error("InvalidAuthenticationToken", "Expired.")
            return self._answer(401, {}, words)
        return self._answer(*self.fake.get(urlsplit(self.path).path, account))

    def do_PUT(self):
        self._step(self.fake.get_step("PUT", urlsplit(self.path).path))

    def do_PATCH(self):
        self._step(self.fake.get_step("PATCH", urlsplit(self.path).path))

    def do_DELETE(self):
        self._step(self.fake.get_step("DELETE", urlsplit(self.path).path))

    def _step(self, step):
        """Take one step of a longer submission."""
        fake, path = self.fake, urlsplit(self.path).path
        size = int(self.headers.get("Content-Length") or 0)
        cut = fake.knobs.step_cuts.pop(step, "")
        if cut == "before":
            return self._cut(cut)
        body = self.rfile.read(size // 2 if cut == "middle" else size)
        if cut == "middle":
            return self._cut(cut)
        times = self.started_at, time.monotonic()
        # a file is put by an address that says who does it
        account = None if step == "put" else self._account()
        if fake.knobs.step_hooks.get(step):
            fake.knobs.step_hooks[step]()
        with fake.counting(account):
            answer = self._judge_step(step, path, account, body, cut, times)
        return self._cut(cut) if cut else self._answer(*answer)

    def _find(self):
        fake, parts = self.fake, urlsplit(self.path)
        account = fake.identity_provider.get_account(
            self._token(), fake.get_draft_scope()
        )
        account = account and fake.get_mailbox(parts.path, account)
        if account is None:
            return self._answer(403, {}, fake.error("ErrorAccessDenied", "Denied."))
        query = dict(parse_qsl(parts.query))
        return self._answer(*fake.find_drafts(query, account))

    def _judge_step(self, step, path, account, body, cut, times):
        fake = self.fake
        if not step:
            return 404, {}, fake.error("ResourceNotFound", "Not found.")
        if fake.knobs.step_answers.get(step):
            return fake.knobs.step_answers[step].pop(0)
        if cut and not fake.takes(cut):
            return 500, {}, {}
        if step != "put":
            if not account:
                return 401, {}, fake.error("InvalidAuthenticationToken", "Expired.")
            scope = fake.get_draft_scope()
            if not fake.identity_provider.get_account(self._token(), scope):
                return 403, {}, fake.error("ErrorAccessDenied", "Access is denied.")
            account = fake.get_mailbox(path, account)
            if account is None:
                return 403, {}, fake.error("ErrorAccessDenied", "Access is denied.")
        return fake.take_step(step, path, account, self.headers, body, times)

    def do_POST(self):
        step = self.fake.get_step("POST", urlsplit(self.path).path)
        if step:
            return self._step(step)
        size = int(self.headers.get("Content-Length") or 0)
        is_submission = self.fake.is_submission("POST", urlsplit(self.path).path)
        cut = self.fake.take_cut(size) if is_submission else ""
        if cut == "before":
            return self._cut(cut)
        body = self.rfile.read(min(size // 2, 65_536) if cut == "middle" else size)
        if cut == "middle":
            return self._cut(cut)
        self.times = self.started_at, time.monotonic()
        account = mailbox = self._account()
        if account and is_submission:
            mailbox = self.fake.get_mailbox(urlsplit(self.path).path, account)
        with self.fake.counting(mailbox):
            time.sleep(self.fake.knobs.delay)
            answer = self._judge(is_submission, account, mailbox, body, cut)
        return self._cut(cut, body) if cut else self._answer(*answer)

    def _judge(self, is_submission, account, mailbox, body, cut):
        fake = self.fake
        if not account:
            return 401, {}, fake.error("InvalidAuthenticationToken", "Expired.")
        if not is_submission:
            return 404, {}, fake.error("ResourceNotFound", "Not found.")
        answer = fake.take_answer(mailbox or account)
        if answer:
            return answer
        provider = fake.identity_provider
        if fake.scope and not provider.get_account(self._token(), fake.scope):
            return 403, {}, fake.error("ErrorAccessDenied", "Access is denied.")
        if cut and not fake.takes(cut):
            return 500, {}, {}
        if len(body) > fake.max_body:
            return 413, {}, fake.error("RequestEntityTooLarge", "Too large.")
        return fake.submit(mailbox, self.headers, body, self.times)

    def _token(self):
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    def _account(self):
        return self.fake.identity_provider.get_account(self._token())

    def _cut(self, where, body=b""):
        named = get_recipients(self.fake.get_message(body)) if body else []
        self.fake.cuts.append((where, named))
        if where == "answer":
            self.connection.sendall(b"HTTP/1.1 20")
            time.sleep(0.01)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, HARD_CLOSE)
        # without TLS's farewell
        socket.socket(fileno=self.connection.detach()).close()
        self.close_connection = True

    def _answer(self, status, headers, data):
        path = urlsplit(self.path).path
        self.fake.requests.append((self.command, path))
        body = b"" if data is None else json.dumps(data).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def finish(self):
        # what was cut cannot be flushed
        with contextlib.suppress(OSError):
            super().finish()

    def log_message(self, *_args):
        pass
