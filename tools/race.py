"""The first of several addresses that answers (RFC 8305, with the greeting awaited).

A connection alone proves little: some addresses take it and stay silent, and some
servers greet late on purpose. Nobody can tell the two apart but by waiting, so the next
address is tried while the one before is still waited for.
"""

import contextlib
import itertools
import queue
import socket
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from .deadline import Deadline

CONNECT_TIMEOUT = 30.0  # s for the TCP handshake with one address
SILENCE_SECONDS = 3.0  # after which the next address is tried as well
GRACE_SECONDS = 0.5  # for the last words of attempts that end with the deadline

T = TypeVar("T")
Target = tuple[int, tuple]  # family, socket address


class NoConnection(OSError):
    """An address that takes no connection; ``detail`` is ``refused`` or ``timeout``."""

    def __init__(self, detail: str):
        super().__init__(detail)
        self.detail = detail


def interleave(targets: list[Target]) -> list[Target]:
    """Return the addresses with their families in turn (RFC 8305 4).

    The resolver's order within a family stays, and so does its favourite.
    """
    families = {}
    for target in targets:
        families.setdefault(target[0], []).append(target)
    rounds = itertools.zip_longest(*families.values())
    return [target for turn in rounds for target in turn if target]


def connect(target: Target, deadline: Deadline) -> socket.socket:
    """Return a TCP connection.

    :raises NoConnection: it is refused, or the handshake takes too long
    """
    family, address = target
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        deadline.within(CONNECT_TIMEOUT).arm(sock)
        sock.connect(address)
        # Commands are small and wait for their reply: Nagle's algorithm would add
        # 40 ms to each. Keep-alive notices a peer that vanished during a pause.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    except OSError as error:
        sock.close()
        is_late = isinstance(error, TimeoutError)
        raise NoConnection("timeout" if is_late else "refused") from None
    except BaseException:
        sock.close()
        raise
    return sock


def first_to_answer(
    targets: list[Target],
    deadline: Deadline,
    greet: Callable[[socket.socket, Deadline], T],
) -> tuple[Target, T]:
    """Return the first address where ``greet`` succeeds, and what it returned.

    The next address is tried when one fails, and when none has answered for some
    seconds. All have been begun after half the time, so that the last can be slow, too.

    :param targets: at least one, in the order to try them
    :param greet: called with a connection, which it closes if it fails, and with the
        deadline; in threads of their own where there are several addresses
    :raises NoConnection: no address takes a connection
    :raises Exception: what ``greet`` raised, if it succeeds nowhere: at the first
        address that was not silent
    """
    answers = queue.SimpleQueue()
    waiting = [
        _Attempt(rank, target, deadline, greet, answers)
        for rank, target in enumerate(targets)
    ]
    if len(waiting) == 1:
        waiting[0].run()
        return answers.get().result()
    patience = min(SILENCE_SECONDS, deadline.left / (2 * len(targets)))
    running, failed = set(), []
    try:
        while running or (waiting and not deadline.is_over):
            if waiting and not deadline.is_over:
                running.add(waiting.pop(0).start())
            ends_at = deadline.at + GRACE_SECONDS
            if waiting:
                ends_at = min(deadline.at, time.monotonic() + patience)
            attempt = _next(answers, ends_at)
            if attempt:
                running.discard(attempt)
                if not attempt.error:
                    return attempt.result()
                failed.append(attempt)
            elif time.monotonic() > deadline.at + GRACE_SECONDS:
                break
    finally:
        for attempt in running:
            attempt.abandon()
    if not failed:
        raise NoConnection("timeout")
    return min(failed, key=_Attempt.says_less).result()


def _next(answers, ends_at):
    """Return the next attempt that is over, None if none is until this moment."""
    left = min(max(ends_at - time.monotonic(), 0.0), CONNECT_TIMEOUT)
    try:
        return answers.get(timeout=left)
    except queue.Empty:
        return None


class _Attempt:
    """One address: connect, greet, report."""

    def __init__(self, rank, target, deadline, greet, answers):
        self.error = None
        self._rank = rank
        self._ended_at = 0.0
        self._target = target
        self._found = None
        self._deadline = deadline
        self._greet = greet
        self._answers = answers
        self._lock = threading.Lock()
        self._is_abandoned = False
        self._link = None

    def says_less(self):
        """Sort behind words: silence, and what takes no connection at all."""
        is_silent = self._ended_at >= self._deadline.at
        return isinstance(self.error, NoConnection), is_silent, self._rank

    def start(self):
        threading.Thread(target=self.run, name="reach mail server", daemon=True).start()
        return self

    def run(self):
        try:
            sock = connect(self._target, self._deadline)
            self._watch(sock)
            found = self._greet(sock, self._deadline)
        except Exception as error:
            self.error = error
        self._ended_at = time.monotonic()
        with self._lock:
            if not self._is_abandoned:
                self._found = None if self.error else found
                self._answers.put(self)

    def _watch(self, sock):
        """Keep a second handle on the connection: TLS takes the first one away."""
        with self._lock:
            if self._is_abandoned:
                sock.close()
                raise NoConnection("timeout")
            self._link = sock.dup()

    def result(self):
        """Return the address and what was found there, or raise."""
        if self._link:
            self._link.close()
        if self.error:
            raise self.error
        return self._target, self._found

    def abandon(self):
        """Hang up: another address was quicker, or time is over."""
        with self._lock:
            self._is_abandoned = True
            self._found = None
            if self._link:
                with contextlib.suppress(OSError):
                    self._link.shutdown(socket.SHUT_RDWR)
                self._link.close()
