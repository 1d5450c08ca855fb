"""Connecting and signing in to IMAP servers: no secret for the wrong one."""

import logging
import ssl
import time

import trustme

from odoo.tests import tagged

from ..tools.imap.failure import ImapFailure
from .common_imap import PASSWORD, SENT_AT, USER, DovecotCase, FakeCase, message
from .fake_imap import FakeImap
from .raw_peer import RawPeer, forward_to, lines
from .test_guard import answers


@tagged("-at_install", "post_install")
class TestConnecting(FakeCase):
    def check_no_secret(self, fake):
        for secret in (b"secret", b"AGFubgBzZWNyZXQ=", b"LOGIN", b"AUTHENTICATE"):
            self.assertNotIn(secret, fake.received)

    def test_bad_certificates_get_no_secret(self):
        other = trustme.CA()
        for implicit in (False, True):
            fake = FakeImap(other, implicit_tls=implicit)
            with fake:
                call = self.signed_in
                self.assertEqual("tls", self.fails(call, fake, implicit=implicit).kind)
                self.check_no_secret(fake)
            fake = self.fake(implicit_tls=implicit, names=("other.example.com",))
            failure = self.fails(self.signed_in, fake, implicit=implicit)
            self.assertEqual("tls", failure.kind)
            self.assertIn("localhost", str(failure))
            self.check_no_secret(fake)

    def test_missing_or_refused_starttls_gets_no_secret(self):
        fake = self.fake()
        fake.capabilities = "IMAP4rev1 AUTH=PLAIN"
        self.assertEqual("tls", self.fails(self.signed_in, fake).kind)
        fake.capabilities = "IMAP4rev1 AUTH=PLAIN STARTTLS"
        for reply in ("{tag} NO not today", "{tag} BAD what", "{tag} OK\r\n* hm"):
            fake.replies = {"STARTTLS": reply}
            self.assertEqual("tls", self.fails(self.signed_in, fake).kind)
        self.check_no_secret(fake)

    def test_text_before_tls_is_not_believed(self):
        fake = self.fake()
        fake.after_starttls = b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n"
        self.assertEqual("tls", self.fails(self.signed_in, fake).kind)
        self.check_no_secret(fake)

    def test_preauth_greeting_is_refused(self):
        for options in ({}, {"disable_tls": True}, {"implicit": True}):
            fake = self.fake(implicit_tls=options.get("implicit", False))
            fake.greeting = "* PREAUTH welcome back"
            failure = self.fails(self.signed_in, fake, **options)
            self.assertEqual(("tls", False), (failure.kind, failure.retryable))
            self.assertFalse([c for c in fake.commands if c != "CAPABILITY"])

    def test_capabilities_are_asked_for_again_after_starttls(self):
        fake = self.fake()
        fake.greeting = "* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] ready"
        self.signed_in(fake)
        expected = ["CAPABILITY", "STARTTLS", "CAPABILITY", "AUTHENTICATE PLAIN"]
        self.assertEqual(expected, fake.commands[:4])

    def test_nothing_is_told_about_what_is_no_imap_server(self):
        texts = set()
        fake = self.fake()
        for greeting in ("SSH-2.0-OpenSSH_9.2", "* BYE go away", "\0" * 50, ""):
            fake.greeting = greeting
            failure = self.fails(self.connect, fake.port)
            self.assertEqual(("unreachable", True), (failure.kind, failure.retryable))
            texts.add(str(failure))
        fake.__exit__()
        texts.add(str(self.fails(self.connect, fake.port)))
        self.guard = type(self.guard)("")
        texts.add(str(self.fails(self.connect, fake.port)))
        self.assertEqual(1, len(texts))

    def test_silent_server_is_given_up(self):
        fake = self.fake()
        fake.greeting = "* OK"
        fake.replies = {"CAPABILITY": lambda session, tag: time.sleep(30)}
        start = time.monotonic()
        failure = self.fails(self.connect, fake.port, timeout=0.3)
        self.assertEqual("unreachable", failure.kind)
        self.assertLess(time.monotonic() - start, 10)

    def test_next_address_is_tried_when_one_is_silent_or_not_what_it_should_be(self):
        fake = self.fake()
        stranger = FakeImap(trustme.CA())
        self.addCleanup(stranger.__exit__)
        stranger.__enter__()
        for name, script in (
            ("silent", lines(b"")),
            ("refused", lines(b"* BYE not now\r\n")),
            ("silent after its greeting", lines(b"* OK hello\r\n")),
            ("another one's certificate", forward_to(stranger.port)),
            ("no STARTTLS", lines(b"* OK [CAPABILITY IMAP4rev1] hello\r\n", b"")),
        ):
            first = self.enterContext(RawPeer(script))
            self.enterContext(
                RawPeer(forward_to(fake.port), host="127.0.0.2", port=first.port)
            )
            self.guard = type(self.guard)("127.0.0.0/8")
            patched, _asked = answers("127.0.0.1", "127.0.0.2")
            with self.subTest(name), patched:
                connection = self.connect(first.port, timeout=8)
                connection.login_password("ann", "secret")


@tagged("-at_install", "post_install")
class TestDovecot(DovecotCase):
    def test_wrong_password(self):
        server = self.dovecot()
        connection = self.connect(server.port)
        with self.assertRaises(ImapFailure) as caught:
            connection.login_password(USER, "wrong")
        self.assertEqual(
            ("login", False), (caught.exception.kind, caught.exception.retryable)
        )
        self.assertIn("Authentication failed", str(caught.exception))

    def test_certificate_of_an_unknown_authority(self):
        server = self.dovecot()
        for implicit, port in ((False, server.port), (True, server.tls_port)):
            with self.assertRaises(ImapFailure) as caught:
                self.connect(port, implicit=implicit, trust=False)
            self.assertEqual("tls", caught.exception.kind)
            self.assertIn("certificate", str(caught.exception))

    def test_plain_text_only_when_asked_for(self):
        server = self.dovecot()
        connection = self.connect(server.port, disable_tls=True)
        connection.login_password(USER, PASSWORD)
        self.assertNotIsInstance(connection.client.socket(), ssl.SSLSocket)
        self.assertIsInstance(self.connect(server.port).client.socket(), ssl.SSLSocket)

    def test_nothing_secret_in_the_log_at_debug(self):
        server = self.dovecot(special_use={"Sent": r"\Sent"})
        with self.assertLogs(level=logging.DEBUG) as logs:
            logging.getLogger("imapclient").debug("start")
            connection = self.signed_in(server.port)
            box = connection.sent_box(connection.find_sent_folder())
            box.file(*message(1), SENT_AT)
        text = "\n".join(logs.output)
        self.assertNotIn("imapclient.imaplib", text)
        for secret in (PASSWORD, "xxxxxxxx", 'se\\"cr'):
            self.assertNotIn(secret, text)


@tagged("-at_install", "post_install")
class TestSigningIn(FakeCase):
    def test_xoauth2(self):
        fake = self.fake()
        self.connect(fake.port).login_xoauth2("ann", "token")
        self.assertIn("AUTHENTICATE XOAUTH2", fake.commands)

    def test_refused_token_is_answered_with_an_empty_line(self):
        fake = self.fake()
        failure = self.fails(self.connect(fake.port).login_xoauth2, "ann", "stale-xyz")
        self.assertEqual(("login", False), (failure.kind, failure.retryable))
        self.assertIn(b"<answer:>", fake.received)
        self.assertIn("status 400", str(failure))

    def test_echoed_secret_is_blotted_out(self):
        fake = self.fake()
        failures = [
            self.fails(self.connect(fake.port).login_password, "ann", "wr0ng-pass"),
            self.fails(self.connect(fake.port).login_xoauth2, "ann", "wr0ng-pass"),
        ]
        fake.capabilities = "IMAP4rev1 STARTTLS"
        connection = self.connect(fake.port)
        failures.append(self.fails(connection.login_password, "ann", "wr0ng-pass"))
        for failure in failures:
            for text in (str(failure), repr(failure)):
                self.assertNotIn("wr0ng-pass", text)
                self.assertNotIn("d3IwbmctcGFzc", text)
                self.assertNotIn("YW5uAHdyMG5nLXBhc3", text)
                self.assertNotIn("dXNlcj1hbm4BYXV0aD1CZWFyZXIgd3IwbmctcGFzc", text)

    def test_login_command_quotes_what_is_typed(self):
        fake = self.fake()
        fake.capabilities = "IMAP4rev1 STARTTLS"
        name, password = 'an" NOOP', 'a\\b" {3}'
        fake.passwords[name] = password
        self.connect(fake.port).login_password(name, password)
        for bad in ("x\r\nA1 NOOP", "x\0", "x\1auth=Bearer y"):
            connection = self.connect(fake.port)
            for call in (connection.login_password, connection.login_xoauth2):
                self.assertEqual("login", self.fails(call, "ann", bad).kind)
                self.assertEqual("login", self.fails(call, bad, "secret").kind)
        self.assertNotIn("NOOP", [command.split()[0] for command in fake.commands])

    def test_logindisabled_sends_no_password(self):
        fake = self.fake()
        fake.capabilities = "IMAP4rev1 STARTTLS LOGINDISABLED"
        failure = self.fails(self.connect(fake.port).login_password, "ann", "secret")
        self.assertEqual("tls", failure.kind)
        self.assertNotIn(b"secret", fake.received)

    def test_passing_refusal_of_a_login_can_be_tried_again(self):
        fake = self.fake()
        fake.capabilities = "IMAP4rev1 STARTTLS"
        for reply, retryable in (
            ("NO [UNAVAILABLE] backend down", True),
            ("NO [ALERT] Too many simultaneous connections. (Failure)", True),
            ("NO User is authenticated but not connected.", True),
            ("NO [AUTHENTICATIONFAILED] Invalid credentials", False),
            ("NO no", False),
            ("BAD [CLIENTBUG] what", False),
        ):
            fake.replies = {"LOGIN": "{tag} " + reply}
            failure = self.fails(
                self.connect(fake.port).login_password, "ann", "secret"
            )
            self.assertEqual(("login", retryable), (failure.kind, failure.retryable))

    def test_lost_while_signing_in(self):
        fake = self.fake()
        fake.hang_up_on = "AUTHENTICATE"
        failure = self.fails(self.connect(fake.port).login_password, "ann", "secret")
        self.assertEqual(("lost", True), (failure.kind, failure.retryable))

    def test_name_is_given_where_a_server_wants_one(self):
        fake = self.fake()
        fake.capabilities += " ID"
        self.signed_in(fake)
        self.assertIn('ID ("name" "Odoo")', fake.commands)
