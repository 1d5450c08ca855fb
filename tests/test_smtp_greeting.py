import contextlib
import re
import socket
import time
from unittest.mock import patch

from odoo.tests import tagged

from ..tools import guard
from ..tools.transport.smtp.greeting import is_refused, may_greet_again, own_name
from ..tools.transport.smtp.reply import Reply
from .common_smtp import FROM, MESSAGE, TO, SmtpCase
from .raw_peer import RawPeer, lines
from .test_guard import answers

LITERAL = "[127.0.0.1]"


def hang_up(client, peer):
    client.close()


def hang_up_after_line(client, peer):
    peer.read_line(client)
    client.close()


def first_then_good(script):
    """Return a script that plays another one to the first client only."""
    good = lines(b"220 hi\r\n", b"250 hi\r\n")
    scripts = iter([script])
    return lambda client, peer: next(scripts, good)(client, peer)


@tagged("-at_install", "post_install")
class TestOwnName(SmtpCase):
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
                self.assertEqual(self.server.greetings[-1], LITERAL)
                connection.close()

    def test_a_name_that_is_refused_at_the_recipient_gives_way_to_the_literal(self):
        for phase in ("mail", "rcpt", "data"):
            with self.subTest(phase=phase):
                self.server.clear()
                reply = "450 4.7.1 <x.example>: Helo command rejected: Host not found"
                self.server.on(phase, reply=reply, times=1)
                connection = self.log_in(local_hostname="x.example")
                self.assertTrue(connection.submit(FROM, [TO], MESSAGE))
                self.assertEqual(self.server.greetings[-1], LITERAL)
                self.assertEqual(len(self.server.messages), 1)
                connection.close()

    def test_words_about_our_name(self):
        for text in (
            "504 5.5.2 <x.example>: Helo command rejected: need a full hostname",
            "504 5.5.2 need fully-qualified hostname",
            "504 Command parameter not implemented",
            "550 5.7.1 You must use a fully qualified domain name",
            "550 Hostname must be FQDN, not an IP address",
            "550 greeting name rejected",
            "550 greeting hostname is not acceptable",
            "501 Invalid domain in greeting",
            "550 5.7.1 The host name in your SMTP greeting is bogus",
            "554 5.7.1 your greeting does not contain a valid domain",
            "450 4.7.1 x.example: Host not found",
            "550 x.example does not resolve",
            "550 Invalid hostname",
            "550 Your host name is not valid here",
            "421 4.7.1 introduce yourself with a proper name",
        ):
            with self.subTest(text=text):
                code, _, rest = text.partition(" ")
                self.assertTrue(is_refused(Reply.parse(int(code), rest), "x.example"))

    def test_words_about_something_else(self):
        for text in (
            "504 5.5.2 <bob>: Recipient address rejected: need fully-qualified address",
            "504 5.5.2 <ada>: Sender address rejected: need fully-qualified address",
            "550 5.1.8 Domain of sender address ada@x.example does not resolve",
            "550 5.1.1 <helo@example.org>: unknown user",
            "550 5.1.2 <bob@nowhere.example>: Host not found",
            "554 5.7.1 Client host x.example [192.0.2.1] blocked using Spamhaus",
            "450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]",
            "554 5.5.1 Protocol error: you sent data before greeting",
            "421 x.example Service not available",
            "550 5.7.1 Relaying denied",
            "553 5.1.3 recipient needs a fully qualified domain name",
            "250 greeting name",
        ):
            with self.subTest(text=text):
                code, _, rest = text.partition(" ")
                self.assertFalse(is_refused(Reply.parse(int(code), rest), "x.example"))

    def test_a_name_that_ends_the_connection_at_once_gives_way_on_another_one(self):
        words = "4.7.1 x.example: invalid name in greeting"
        refusal = f"550 {words}\r\n".encode()
        for name, script in (
            ("421", lines(b"220 hi\r\n", f"421 {words}\r\n".encode(), end=hang_up)),
            ("550 and hangs up", lines(b"220 hi\r\n", refusal, end=hang_up)),
            ("no words", lines(b"220 hi\r\n", end=hang_up_after_line)),
            ("nameless 550", lines(b"220 hi\r\n", b"550 go away\r\n", end=hang_up)),
        ):
            with self.subTest(name=name), RawPeer(first_then_good(script)) as peer:
                connection = self.connect(
                    peer.port, "127.0.0.1", disable_tls=True, local_hostname="x.example"
                )
                self.assertTrue(connection.usable)
                greetings = re.findall(rb"(?i)(?:EHLO|HELO) (\S+)", peer.received)
                self.assertEqual(greetings, [b"x.example", LITERAL.encode()])

    def test_a_name_that_ends_the_connection_later_gives_way_on_the_next_one(self):
        for phase in ("mail", "rcpt"):
            for ask in ("submit", "check_sender"):
                with self.subTest(phase=phase, ask=ask):
                    self.server.clear()
                    name = f"{phase}-{ask.replace('_', '-')}.example"
                    reply = f"421 4.7.1 <{name}>: Helo command rejected: not found"
                    self.server.on(phase, reply=reply, times=1)
                    connection = self.log_in(local_hostname=name)
                    arguments = (FROM, [TO], MESSAGE) if ask == "submit" else (FROM,)
                    failure = self.failure_of(getattr(connection, ask), *arguments)
                    self.assertTrue(may_greet_again(failure.outcome))
                    self.assertEqual(failure.outcome.scope, "alias")
                    self.assertFalse(connection.usable)
                    connection = self.log_in(local_hostname=name)
                    getattr(connection, ask)(*arguments)
                    self.assertEqual(self.server.greetings[-1], LITERAL)

    def test_a_literal_that_is_refused_as_well_holds_the_alias(self):
        reply = "421 4.7.1 Helo command rejected: not found"
        self.server.on("mail", reply=reply)
        failure = None
        for hold in (None, "ehlo_name", None):
            connection = self.log_in(local_hostname="y.example")
            failure = self.failure_of(connection.submit, FROM, [TO], MESSAGE)
            self.assertEqual(failure.outcome.hold, hold)
        greetings = self.server.greetings
        self.assertEqual(greetings[0], greetings[-1], "after a while anew")

    def test_googles_relay_minds_a_literal_and_is_busy_otherwise(self):
        """It says the same to both; only the literal is to blame itself."""
        words = b"421 4.7.0 Try again later, closing connection. (EHLO) n12 - gsmtp\r\n"
        script = lines(b"220 smtp-relay.gmail.com ESMTP\r\n", words, end=hang_up)
        for name, hold in (("odoo", "ehlo_name"), ("odoo.example.com", None)):
            with (
                self.subTest(name=name),
                RawPeer(script) as peer,
                patch("socket.gethostname", return_value=name),
            ):
                failure = self.failure_of(
                    self.connect, peer.port, "127.0.0.1", disable_tls=True
                )
                self.assertEqual(failure.outcome.hold, hold)
                self.assertEqual(failure.outcome.scope, "alias")
                self.assertEqual(len(re.findall(rb"(?i)EHLO", peer.received)), 1)

    def test_one_recipient_who_tells_is_enough(self):
        self.server.on("rcpt", reply="504 need fully-qualified hostname", match="carol")
        connection = self.log_in(local_hostname="z.example")
        failure = self.failure_of(
            connection.submit, FROM, [TO, "carol@example.org"], MESSAGE
        )
        self.assertEqual(failure.outcome.hold, "ehlo_name")
        self.assertEqual(self.server.messages, [], "nobody is served twice later")

    def test_who_hangs_up_on_the_literal_as_well_is_not_asked_again(self):
        with RawPeer(lines(b"220 hi\r\n", end=hang_up_after_line)) as peer:
            failure = self.failure_of(
                self.connect, peer.port, "127.0.0.1", disable_tls=True
            )
            self.assertEqual(failure.outcome.reason, "lost")
            self.assertLessEqual(len(re.findall(rb"(?i)EHLO", peer.received)), 2)

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
                self.assertTrue(self.connect_both(peer, 4).usable)
                self.assertIn(b"EHLO", bytes(second.received).upper())

    def test_the_address_that_worked_comes_first_the_next_time(self):
        peer, _second = self.serve_second(lines(b""))
        self.connect_both(peer, 4).close()
        self.connect_both(peer, 10)
        self.assertEqual(len(peer._sockets), 1, "the silent one was asked once")

    def test_all_that_fails_fails_with_the_first_words(self):
        peer, second = self.serve_second(lines(b"554 5.3.2 closed for today\r\n"))
        second._script = lines(b"421 later\r\n")
        failure = self.failure_of(self.connect_both, peer, 2)
        self.assertIn("closed for today", str(failure))

    def test_a_slow_address_gets_its_wait_behind_a_silent_one(self):
        """The good one greets after more than half of the time."""

        def late(client, peer):
            time.sleep(2.6)
            lines(b"220 late\r\n", b"250 hi\r\n")(client, peer)

        for first, second in ((lines(b""), late), (late, lines(b""))):
            with self.subTest(first=first):
                peer, other = self.serve_second(first)
                other._script = second
                self.assertTrue(self.connect_both(peer, 4.8).usable)

    def test_one_of_many_addresses_is_found(self):
        hosts = [f"127.0.0.{number}" for number in range(2, 11)]
        for good in (hosts[6], hosts[-1]):
            with self.subTest(good=good), contextlib.ExitStack() as stack:
                peer = stack.enter_context(RawPeer(lines(b""), host=hosts[0]))
                for host in hosts[1:]:
                    script = lines(b"220 hi\r\n", b"250 hi\r\n")
                    stack.enter_context(
                        RawPeer(
                            script if host == good else lines(b""),
                            host=host,
                            port=peer.port,
                        )
                    )
                self.guard = guard.Guard("127.0.0.0/8")
                patched, _asked = answers(*hosts)
                with patched:
                    connection = self.connect(
                        peer.port, f"{good}.example", disable_tls=True, seconds=4
                    )
                self.assertEqual(connection._wire.sock.getpeername()[0], good)

    def test_who_is_slower_is_hung_up_on(self):
        peer, _second = self.serve_second(lines(b""))
        self.connect_both(peer, 4)
        [client] = peer._sockets
        deadline = time.monotonic() + 20
        while client.fileno() >= 0:  # the peer's script ends when nobody is there
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
