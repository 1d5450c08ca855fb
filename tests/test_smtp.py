import os
import time
from unittest.mock import patch

from odoo.tests import tagged

from ..tools.address import ServerAddress
from ..tools.guard import Guard
from ..tools.transport.smtp.reply import Phase
from .common_smtp import (
    FROM,
    MESSAGE,
    PASSWORD,
    TO,
    TOKEN,
    USER,
    SmtpCase,
    secret_forms,
)
from .raw_peer import RawPeer, lines


@tagged("-at_install", "post_install")
class TestConnection(SmtpCase):
    server_options = {"mechanisms": ("PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2")}

    def test_three_ways_in_and_every_login(self):
        for way, options in {
            "starttls": {},
            "tls": {"implicit_tls": True},
            "plain": {"disable_tls": True},
        }.items():
            for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2"):
                with self.subTest(way=way, mechanism=mechanism):
                    server = self.serve(mechanisms=(mechanism,))
                    port = getattr(server, f"{way}_port")
                    connection = self.connect(port, **options)
                    self.assertEqual(connection.is_encrypted, way != "plain")
                    if mechanism == "XOAUTH2":
                        connection.login_xoauth2(USER, TOKEN)
                    else:
                        connection.login_password(USER, PASSWORD)
                    result = connection.submit(FROM, [TO], MESSAGE)
                    self.assertEqual(result.reply.code, 250)
                    [received] = server.messages
                    self.assertEqual(received.login, USER)
                    self.assertEqual(received.is_tls, way != "plain")
                    [session] = server.sessions
                    auth = [line for line in session.commands if line[:4] == "auth"]
                    self.assertEqual(len(auth), 1)
                    self.assertEqual(auth[0].split()[1], mechanism)

    def test_the_strongest_login_that_the_line_needs(self):
        for options, port, mechanism in (
            ({}, self.server.starttls_port, "PLAIN"),
            ({"disable_tls": True}, self.server.plain_port, "CRAM-MD5"),
        ):
            self.log_in(port=port, **options)
            self.assertIn(
                f"auth {mechanism}", " ".join(self.server.sessions[-1].commands)
            )

    def test_a_refused_login_is_tried_once_and_closes(self):
        for login in (
            lambda connection: connection.login_password(USER, "wrong"),
            lambda connection: connection.login_xoauth2(USER, "wrong"),
        ):
            connection = self.connect()
            failure = self.failure_of(login, connection)
            self.assertEqual((failure.phase, failure.reply.code), (Phase.AUTH, 535))
            self.assertFalse(connection.usable)
            commands = self.server.sessions[-1].commands
            self.assertEqual(sum(line.startswith("auth") for line in commands), 1)

    def test_the_reason_of_a_refused_token_is_told(self):
        self.server.check_token = lambda user, token: {"status": "expired \x1b[1m"}
        failure = self.failure_of(self.connect().login_xoauth2, USER, TOKEN)
        self.assertIn("535 5.7.3", str(failure))
        self.assertIn("status: expired [1m", str(failure))
        self.assertEqual(failure.outcome.hold, "sign_in")

    def test_no_login_on_offer_holds_the_alias(self):
        server = self.serve(mechanisms=())
        for login, secret in (("login_password", PASSWORD), ("login_xoauth2", TOKEN)):
            connection = self.connect(server.starttls_port)
            failure = self.failure_of(getattr(connection, login), USER, secret)
            self.assertEqual(failure.outcome.hold, "auth_missing")
            self.assertNotIn("auth", " ".join(server.sessions[-1].commands))

    def test_a_mechanism_that_is_not_there_gives_way_to_the_next(self):
        for reply, is_next in (
            ("504 Unknown mechanism <PLAIN>", True),
            ('502 Command "AUTH PLAIN" not implemented', True),
            (
                "535 5.7.8 authentication failed: Invalid authentication mechanism",
                True,
            ),
            ("535 5.7.4 Unrecognized authentication type", True),
            ("535 5.7.8 Error: authentication failed: no mechanism available", False),
            ("535 5.7.8 Username and Password not accepted", False),
        ):
            with self.subTest(reply=reply):
                self.server.clear()
                self.server.on("auth", reply=reply, match="PLAIN")
                if is_next:
                    self.log_in()
                else:
                    failure = self.failure_of(self.log_in)
                    self.assertEqual(failure.outcome.hold, "password")
                [session] = self.server.sessions
                said = [line for line in session.commands if line.startswith("auth")]
                self.assertEqual(len(said), 1 + is_next)

    def test_a_login_that_is_not_there_is_no_wrong_password(self):
        """Domino offers it, and repeats what it was told."""
        for code in (500, 502, 504):
            self.server.clear()
            text = f'{code} Command "AUTH PLAIN {{}}" not implemented'
            sent = secret_forms(USER, PASSWORD)[2].decode()
            self.server.on("auth", reply=text.format(sent))
            with self.subTest(code=code):
                failure = self.failure_of(self.connect().login_password, USER, PASSWORD)
                self.assertEqual(failure.outcome.hold, "auth_missing")
                self.assertNotIn(sent.rstrip("="), str(failure))

    def test_credentials_that_could_end_their_field_are_not_sent(self):
        for login, user, secret in (
            ("login_password", "a\0b", "x"),
            ("login_password", USER, "x\0y"),
            ("login_xoauth2", "a\x01auth=Bearer x", TOKEN),
            ("login_xoauth2", USER, "x\x01"),
            ("login_xoauth2", USER, "x\r\nRSET"),
        ):
            with self.subTest(login=login, user=user, secret=secret):
                failure = self.failure_of(getattr(self.connect(), login), user, secret)
                self.assertTrue(failure.outcome.hold)
                self.assertNotIn("auth", " ".join(self.server.sessions[-1].commands))

    def test_port_465_means_tls_from_the_first_byte(self):
        ports = {465: self.server.tls_port, 587: self.server.starttls_port}

        class Elsewhere(Guard):
            """Connects to an unprivileged port in place of the one asked for."""

            def reach(self, server, deadline, greet):
                there = ServerAddress(server.host, ports[server.port])
                return super().reach(there, deadline, greet)

        self.guard = Elsewhere("localhost, ::1, 127.0.0.1")
        for port in ports:
            self.assertTrue(self.connect(port).is_encrypted)
            has_starttls = "starttls" in self.server.sessions[-1].commands
            self.assertEqual(has_starttls, port == 587)

    def test_tls_at_a_port_that_speaks_plain_text_fails(self):
        failure = self.failure_of(
            self.connect, self.server.starttls_port, implicit_tls=True
        )
        self.assertEqual(failure.phase, Phase.TLS)
        self.assertEqual(failure.outcome.reason, "tls_failed")

    def test_the_trusted_authorities_come_from_the_environment(self):
        failure = self.failure_of(self.connect, ssl_context=None)
        self.assertEqual(failure.outcome.reason, "certificate")
        with patch.dict(os.environ, {"SSL_CERT_FILE": self.ca.bundle}):
            self.assertTrue(self.connect(ssl_context=None).is_encrypted)

    def test_certificates_are_valid_for_addresses_as_well(self):
        for host in ("127.0.0.1", "::1"):
            with self.subTest(host=host):
                self.assertTrue(self.connect(host=host).is_encrypted)

    def test_the_name_for_ehlo(self):
        self.connect(local_hostname="odoo.example.com")
        self.assertIn("ehlo odoo.example.com", self.server.sessions[-1].commands)
        for name, shown in (
            ("host", "[127.0.0.1]"),
            ("host.example.com", "host.example.com"),
            ("bad name.example", "[127.0.0.1]"),
        ):
            with (
                self.subTest(name=name),
                patch("socket.gethostname", return_value=name),
            ):
                self.connect(host="127.0.0.1")
                self.assertIn(f"ehlo {shown}", self.server.sessions[-1].commands)

    def test_a_server_without_ehlo_gets_helo(self):
        with RawPeer(lines(b"220 old\r\n", b"502 no\r\n", b"250 hello\r\n")) as peer:
            self.connect(peer.port, "127.0.0.1", disable_tls=True)
            self.assertRegex(peer.received, rb"(?i)^EHLO \S+\r\nHELO \S+\r\n")

    def test_forbidden_targets_fail_as_unreachable(self):
        self.guard = type(self.guard)("")
        failure = self.failure_of(self.connect)
        self.assertEqual(failure.phase, Phase.CONNECT)
        self.assertEqual(failure.outcome.reason, "unreachable")
        self.assertEqual(self.server.sessions, [])

    def test_close_is_polite_quick_and_final(self):
        connection = self.log_in()
        connection.close()
        connection.close()
        self.assertFalse(connection.usable)
        self.assertEqual(self.server.sessions[-1].commands[-1], "quit")
        self.server.on("quit", silent=True)
        connection = self.log_in()
        started = time.monotonic()
        connection.close()
        self.assertLess(time.monotonic() - started, 10)
        self.server.on("quit", drop=True)
        self.log_in().close()

    def test_one_connection_serves_many_mails(self):
        connection = self.log_in()
        for _ in range(100):
            connection.submit(FROM, [TO], MESSAGE)
        self.assertEqual(len({item.session_id for item in self.server.messages}), 1)
        self.assertEqual(len(self.server.messages), 100)
        self.assertGreater(connection.age, 0)

    def test_check_sender_sends_nothing(self):
        connection = self.log_in()
        connection.check_sender(FROM)
        self.assertEqual(
            self.server.sessions[-1].commands[-3:],
            ["mail FROM:<ada@example.com>", "rcpt TO:<ada@example.com>", "rset"],
        )
        self.assertEqual(self.server.messages, [])
        connection.submit(FROM, [TO], MESSAGE)
        self.assertEqual(len(self.server.messages), 1)

    def test_check_sender_tells_a_refused_sender(self):
        connection = self.log_in()
        for phase, reply in (
            ("mail", "553 5.7.1 not yours"),
            ("mail", "550 5.7.60 no permission"),
            ("rcpt", "553 5.7.1 <ada@example.com>: Sender address rejected"),
        ):
            with self.subTest(phase=phase, reply=reply):
                self.server.clear()
                self.server.on(phase, reply=reply, times=1)
                failure = self.failure_of(connection.check_sender, FROM)
                self.assertEqual(failure.outcome.hold, "from_refused")
                self.assertIn(reply, str(failure))
                self.assertTrue(connection.usable)

    def test_check_sender_judges_its_own_address_as_a_recipient(self):
        connection = self.log_in()
        self.server.on("rcpt", reply="450 4.2.0 greylisted", times=1)
        connection.check_sender(FROM)
        for reply, reason in (
            ("550 5.1.1 no such user", "own_address"),
            ("554 5.7.1 refused by policy", "own_address"),
            ("554 5.7.1 Relay access denied", "relay_refused"),
        ):
            with self.subTest(reply=reply):
                self.server.on("rcpt", reply=reply, times=1)
                failure = self.failure_of(connection.check_sender, FROM)
                self.assertEqual(failure.outcome.reason, reason)
                self.assertTrue(connection.usable)
        self.server.on("rcpt", drop=True, times=1)
        failure = self.failure_of(connection.check_sender, FROM)
        self.assertEqual((failure.phase, connection.usable), (Phase.RCPT, False))
        failure = self.failure_of(self.log_in().check_sender, "no address")
        self.assertEqual(failure.phase, Phase.MAIL)

    def test_a_server_that_wants_a_login_says_so_late(self):
        server = self.serve(login_required=False)
        denied = "554 5.7.1 <b@c.example>: Recipient address rejected: Access denied"
        for reply, hold, kind in (
            (denied, True, "refused"),
            # whoever says so after a login does not mean the recipient, either
            ("550 5.7.1 please log in first", True, "deferred"),
            ("550 5.1.1 no such user", False, "refused"),
        ):
            with self.subTest(reply=reply):
                server.clear()
                server.on("rcpt", reply=reply)
                connection = self.connect(server.starttls_port)
                failure = self.failure_of(connection.submit, FROM, [TO], MESSAGE)
                expected = ("deferred", "login_missing") if hold else ("refused", None)
                outcome = failure.outcome
                self.assertEqual((outcome.kind, outcome.hold), expected)
                connection.login_password(USER, PASSWORD)
                failure = self.failure_of(connection.submit, FROM, [TO], MESSAGE)
                self.assertEqual(failure.outcome.kind, kind)
