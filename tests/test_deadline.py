import socket
import time
import unittest

from odoo.addons.user_email_alias.tools.deadline import Deadline


class TestDeadline(unittest.TestCase):
    def test_a_step_never_outlasts_the_conversation(self):
        conversation = Deadline(40)
        self.assertEqual(conversation.within(60).at, conversation.at)
        self.assertLess(conversation.within(5).at, conversation.at)
        self.assertLessEqual(Deadline().within(5).left, 5)

    def test_what_is_left_shrinks_and_ends(self):
        deadline = Deadline(1)
        self.assertFalse(deadline.is_over)
        first = deadline.left
        time.sleep(0.01)
        self.assertLess(deadline.left, first)
        time.sleep(1)
        self.assertTrue(deadline.is_over)
        with self.assertRaises(TimeoutError):
            deadline.left  # noqa: B018

    def test_a_socket_waits_as_long_as_there_is_time(self):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            deadline = Deadline(0.2)
            begun = time.monotonic()
            with self.assertRaises(TimeoutError):
                while True:
                    deadline.arm(ours)
                    theirs.send(b".")
                    ours.recv(1)
                    time.sleep(0.05)
            self.assertLess(time.monotonic() - begun, 5)
            Deadline().arm(ours)
            self.assertIsNone(ours.gettimeout())
