import socket
import time

from odoo.tests import tagged

from ..tools import guard
from ..tools.transport.smtp.greeting import own_name
from .common_smtp import FROM, MESSAGE, TO, SmtpCase
from .raw_peer import RawPeer, lines
from .test_guard import answers

LITERAL = "[127.0.0.1]"


@tagged("-at_install", "post_install")
class TestOwnName(SmtpCase):
    def names(self):
        """The names that the server was greeted with, in order."""
        return [
            line.split()[1]
            for session in self.server.sessions
            for line in session.commands
            if line.startswith(("ehlo", "helo"))
        ]

    def test_a_name_has_to_be_one(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            sock = socket.create_connection(listener.getsockname())
            self.addCleanup(sock.close)
            host = own_name("", sock)
            for wanted in (
                "mail.example.com",
                "xn--bcher-kva.example",
                "[192.0.2.1]",
                "[IPv6:2001:db8::1]",
            ):
                self.assertEqual(own_name(wanted, sock), wanted)
            for wanted in (
                "192.168.1.10",
                "localhost",
                "a_b.example.com",
                "-a.example.com",
                "a..example.com",
                "mail.example.com.",
                "mail.example.com\r\nRSET",
                "a" * 64 + ".example.com",
                "ü.example",
                "2001:db8::1",
                "mail.1",
            ):
                with self.subTest(wanted=wanted):
                    self.assertEqual(own_name(wanted, sock), host)

    def test_a_name_that_is_refused_at_once_gives_way_to_the_literal(self):
        for reply in (
            "501 5.5.4 Invalid domain name",
            "504 5.5.2 <x.example>: Helo command rejected: need a full hostname",
            "550 Access denied - invalid HELO name (See RFC2821 4.1.1.1)",
        ):
            with self.subTest(reply=reply):
                self.server.clear()
                self.server.on("ehlo", reply=reply, match="x.example")
                self.server.on("helo", reply=reply, match="x.example")
                connection = self.connect(local_hostname="x.example")
                self.assertEqual(self.names()[-1], LITERAL)
                connection.close()

    def test_a_name_that_is_refused_at_the_recipient_gives_way_to_the_literal(self):
        for phase in ("mail", "rcpt", "data"):
            with self.subTest(phase=phase):
                self.server.clear()
                reply = "450 4.7.1 <x.example>: Helo command rejected: Host not found"
                self.server.on(phase, reply=reply, times=1)
                connection = self.log_in(local_hostname="x.example")
                self.assertTrue(connection.submit(FROM, [TO], MESSAGE))
                self.assertEqual(self.names()[-1], LITERAL)
                self.assertEqual(len(self.server.messages), 1)
                connection.close()

    def test_a_server_that_takes_no_name_holds_the_alias(self):
        reply = "550 5.7.1 Client EHLO does not match"
        self.server.on("rcpt", reply=reply)
        connection = self.log_in(local_hostname="x.example")
        for ask in (
            lambda: connection.submit(FROM, [TO], MESSAGE),
            lambda: connection.check_sender(FROM),
        ):
            outcome = self.failure_of(ask).outcome
            self.assertEqual((outcome.scope, outcome.hold), ("alias", "ehlo_name"))
        self.server.on("ehlo", reply=reply)
        self.server.on("helo", reply=reply)
        outcome = self.failure_of(self.connect).outcome
        self.assertEqual(outcome.hold, "ehlo_name")

    def test_an_address_with_such_a_name_is_no_word_about_ours(self):
        self.server.on("rcpt", reply="550 5.1.1 <helo@example.org>: unknown user")
        outcome = self.failure_of(self.log_in().submit, FROM, [TO], MESSAGE).outcome
        self.assertEqual((outcome.kind, outcome.scope), ("refused", "recipient"))


@tagged("-at_install", "post_install")
class TestAddresses(SmtpCase):
    """One name with two addresses, of which the first is of no use."""

    def serve_second(self, first):
        """Return the port at which ``first`` (a script) and a good server listen."""
        good = lines(b"220 second\r\n", b"250 hi\r\n")
        peer = RawPeer(first)
        second = RawPeer(good, host="127.0.0.2", port=peer.port)
        for one in (peer, second):
            self.addCleanup(one.__exit__)
            one.__enter__()
        self.guard = guard.Guard("127.0.0.0/8")
        return peer, second

    def connect_both(self, peer, seconds):
        patched, _asked = answers("127.0.0.1", "127.0.0.2")
        with patched:
            return self.connect(
                peer.port, "two.example", disable_tls=True, seconds=seconds
            )

    def test_silence_and_a_refused_banner_lead_to_the_next_address(self):
        def hang_up(client, peer):
            client.close()

        for name, script in (
            ("silent", lines(b"")),
            ("refused", lines(b"554 no\r\n")),
            ("busy", lines(b"421 too many\r\n")),
            ("hangs up", lines(b"", end=hang_up)),
            ("no SMTP", lines(b"HTTP/1.1 400\r\n")),
            ("silent after its banner", lines(b"220 hi\r\n")),
            ("busy after its banner", lines(b"220 hi\r\n", b"421 busy\r\n")),
        ):
            with self.subTest(name=name):
                peer, second = self.serve_second(script)
                self.assertTrue(self.connect_both(peer, 2).usable)
                self.assertIn(b"EHLO", bytes(second.received).upper())

    def test_the_address_that_worked_comes_first_the_next_time(self):
        peer, _second = self.serve_second(lines(b""))
        self.connect_both(peer, 1).close()
        begun = time.monotonic()
        self.connect_both(peer, 1)
        self.assertLess(time.monotonic() - begun, 0.4)

    def test_all_that_fails_fails_with_the_first_words(self):
        peer, second = self.serve_second(lines(b"554 5.3.2 closed for today\r\n"))
        second._script = lines(b"421 later\r\n")
        failure = self.failure_of(self.connect_both, peer, 2)
        self.assertIn("closed for today", str(failure))
