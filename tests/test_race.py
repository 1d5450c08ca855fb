"""Which of several addresses is taken, in which order, and for how long."""

import socket
import threading
import time

from odoo.tests import BaseCase, tagged

from ..tools.deadline import Deadline
from ..tools.memory import MAX_KEPT, Memory
from ..tools.race import (
    SILENCE_SECONDS,
    NoConnection,
    first_to_answer,
    interleave,
)

V4, V6 = socket.AF_INET, socket.AF_INET6


@tagged("-at_install", "post_install")
class TestRace(BaseCase):
    def listen(self, count):
        """Return that many targets that accept connections and say nothing."""
        first = socket.create_server(("127.0.0.2", 0))
        self.addCleanup(first.close)
        targets = [(V4, first.getsockname())]
        for number in range(3, 2 + count):
            server = socket.create_server((f"127.0.0.{number}", targets[0][1][1]))
            self.addCleanup(server.close)
            targets.append((V4, server.getsockname()))
        return targets

    def test_families_take_turns_and_the_resolver_chooses_the_first(self):
        six = [(V6, n) for n in range(7)]
        four = [(V4, n) for n in range(2)]
        self.assertEqual(
            interleave([*six, *four]), [six[0], four[0], six[1], four[1], *six[2:]]
        )
        self.assertEqual(interleave(four[:1] + six[:1]), [four[0], six[0]])
        self.assertEqual(interleave([]), [])

    def test_an_address_that_fails_makes_room_at_once(self):
        targets = self.listen(3)

        def greet(sock, deadline):
            with sock:
                if sock.getpeername()[0] != "127.0.0.4":
                    raise ValueError(sock.getpeername()[0])
                return "found"

        begun = time.monotonic()
        target, found = first_to_answer(targets, Deadline(40), greet)
        self.assertLess(time.monotonic() - begun, SILENCE_SECONDS)
        self.assertEqual((target, found), (targets[2], "found"))
        with self.assertRaises(ValueError) as caught:
            first_to_answer(targets[:2], Deadline(40), greet)
        self.assertEqual(str(caught.exception), "127.0.0.2", "the first words")

    def test_words_count_more_than_a_closed_port(self):
        [listening] = self.listen(1)
        with socket.create_server(("127.0.0.9", 0)) as probe:
            closed = (V4, probe.getsockname())

        def greet(sock, deadline):
            sock.close()
            raise ValueError("words")

        self.assertRaises(
            ValueError, first_to_answer, [closed, listening], Deadline(5), greet
        )
        with self.assertRaises(NoConnection) as caught:
            first_to_answer([closed, closed], Deadline(5), greet)
        self.assertEqual(caught.exception.detail, "refused")

    def test_silence_everywhere_ends_with_the_deadline(self):
        ended = []

        def greet(sock, deadline):
            with sock:
                try:
                    deadline.arm(sock)
                    return sock.recv(1)
                finally:
                    ended.append(time.monotonic())

        begun = time.monotonic()
        with self.assertRaises(TimeoutError):
            first_to_answer(self.listen(4), Deadline(2), greet)
        self.assertLess(time.monotonic() - begun, 8)
        self.assertEqual(len(ended), 4, "all were tried")

    def test_no_thread_is_left_behind(self):
        targets = self.listen(3)
        last = targets[-1][1][0]

        def greet(sock, deadline):
            if sock.getpeername()[0] == last:
                return sock
            with sock:
                deadline.arm(sock)
                return sock.recv(1)

        _target, sock = first_to_answer(targets, Deadline(3), greet)
        self.addCleanup(sock.close)
        for thread in threading.enumerate():
            if thread.name == "reach mail server":
                thread.join(20)
                self.assertFalse(thread.is_alive())
        sock.settimeout(0.1)
        with self.assertRaises(TimeoutError):
            sock.recv(1)  # still open

    def test_memory_does_not_grow(self):
        memory = Memory()
        for number in range(MAX_KEPT + 5):
            memory.keep(number, number)
        memory.keep(5, "again")
        memory.keep("new", 1)
        self.assertEqual(len(memory), MAX_KEPT)
        self.assertEqual(memory.get(5), "again")
        self.assertNotIn(6, memory)
