"""Nobody who cannot prove to be the mail server sees a credential."""

import base64
import logging
import os
import shutil
import ssl
import tempfile
import traceback
from unittest.mock import patch

import trustme

from odoo.tests import BaseCase, tagged

from ..tools import tls
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
from .raw_peer import RawPeer, forward_to, lines

HELLO = b"220 mail.example ESMTP\r\n"
OFFER = b"250-mail.example\r\n250-AUTH PLAIN LOGIN XOAUTH2\r\n250 STARTTLS\r\n"
NO_OFFER = b"250-mail.example\r\n250 AUTH PLAIN LOGIN XOAUTH2\r\n"


def _hang_up(client, peer):
    client.close()


def _go_on(client, peer):
    """Go on in plain text, as if the client had not wanted TLS."""
    while peer.read(client):
        client.sendall(b"250 ok\r\n")


@tagged("-at_install", "post_install")
class TestBadPeers(SmtpCase):
    def log_in_anyhow(self, **options):
        """Try both logins; return the failures."""
        failures = []
        for login, secret in (("login_password", PASSWORD), ("login_xoauth2", TOKEN)):

            def attempt(login=login, secret=secret):
                connection = self.connect(**options)
                getattr(connection, login)(USER, secret)
                connection.submit(FROM, [TO], MESSAGE)

            failures.append(self.failure_of(attempt))
        return failures

    def check_nothing_told(self, received, sessions=()):
        told = bytes(received) + b"\n".join(
            line.encode() for session in sessions for line in session.commands
        )
        for secret in (PASSWORD, TOKEN):
            for form in secret_forms(USER, secret):
                self.assertNotIn(form, told)
        self.assertNotIn(b"AUTH", told.upper().replace(b"250-AUTH", b""))

    def test_bad_certificates(self):
        for kind, words in (
            ("self_signed", "self-signed certificate|self signed certificate"),
            ("expired", "certificate has expired"),
            ("wrong_host", "[Hh]ostname mismatch"),
            ("wrong_ca", "unable to get local issuer"),
            ("tls_1_1", None),
        ):
            server = self.serve(certificate=kind)
            for port, implicit_tls in (
                (server.starttls_port, False),
                (server.tls_port, True),
            ):
                with self.subTest(kind=kind, implicit_tls=implicit_tls):
                    with RawPeer(forward_to(port)) as tap:
                        failures = self.log_in_anyhow(
                            port=tap.port, implicit_tls=implicit_tls
                        )
                        self.check_nothing_told(tap.received, server.sessions)
                        self.assertIn(b"\x16\x03", tap.received, "no TLS was begun")
                    for failure in failures:
                        self.assertEqual(failure.phase, Phase.TLS)
                        result = failure.outcome
                        self.assertEqual(
                            (result.kind, result.scope), ("deferred", "alias")
                        )
                        self.assertEqual(
                            result.reason, "certificate" if words else "tls_failed"
                        )
                        self.assertRegex(str(failure), words or ".")
            self.assertEqual(server.messages, [])

    def test_the_certificate_must_bear_the_name_that_was_typed(self):
        server = self.serve(certificate="name_only")
        for options in (
            {"port": server.starttls_port},
            {"port": server.tls_port, "implicit_tls": True},
        ):
            self.assertTrue(self.connect(host="localhost", **options).is_encrypted)
            failures = self.log_in_anyhow(host="127.0.0.1", **options)
            self.assertEqual(failures[0].outcome.reason, "certificate")
        self.check_nothing_told(b"", server.sessions)

    def test_peers_that_avoid_starttls(self):
        tls, soon = {"implicit_tls": True}, {"seconds": 0.5}
        go = b"220 go\r\n"
        missing, broken = "starttls_missing", "tls_failed"
        for name, script, options, reason in (
            ("not offered", lines(HELLO, NO_OFFER), {}, missing),
            ("only HELO", lines(HELLO, b"502 no\r\n", b"250 x\r\n"), {}, missing),
            ("454", lines(HELLO, OFFER, b"454 later\r\n"), {}, missing),
            ("502", lines(HELLO, OFFER, b"502 what\r\n"), {}, missing),
            ("250", lines(HELLO, OFFER, b"250 ok\r\n", end=_go_on), {}, broken),
            ("334", lines(HELLO, OFFER, b"334 \r\n"), {}, "protocol"),
            ("text behind 220", lines(HELLO, OFFER, go + b"250 x\r\n"), {}, "protocol"),
            ("plain after 220", lines(HELLO, OFFER, go, end=_go_on), {}, broken),
            ("closed after 220", lines(HELLO, OFFER, go, end=_hang_up), {}, None),
            ("silent after 220", lines(HELLO, OFFER, go), soon, "timeout"),
            ("plain on the TLS port", lines(HELLO, OFFER), tls, broken),
            ("silent on the TLS port", lines(b""), {**soon, **tls}, "timeout"),
            ("no SMTP", lines(b"HTTP/1.1 400 Bad Request\r\n\r\n"), {}, "protocol"),
            ("no 220", lines(b"554 go away\r\n", OFFER), {}, "unavailable"),
            ("logged in already", lines(b"235 hi\r\n", NO_OFFER), {}, missing),
        ):
            with self.subTest(name=name), RawPeer(script) as peer:
                failures = self.log_in_anyhow(
                    port=peer.port, host="127.0.0.1", **options
                )
                self.check_nothing_told(peer.received)
                for failure in failures:
                    self.assertEqual(failure.outcome.kind, "deferred")
                    self.assertEqual(failure.outcome.scope, "alias")
                    if reason:
                        self.assertEqual(failure.outcome.reason, reason)

    def test_what_a_server_offered_before_tls_counts_no_more(self):
        """AUTH is on offer in plain text only: there is no login after STARTTLS."""
        server = self.serve(mechanisms=())
        server.on("ehlo", reply=OFFER.rstrip(), times=1)
        failure = self.failure_of(
            self.connect(server.starttls_port).login_password, USER, PASSWORD
        )
        self.assertEqual(failure.outcome.reason, "auth_missing")
        self.check_nothing_told(b"", server.sessions)

    def test_plain_text_is_spoken_only_if_tls_is_disabled(self):
        for disable_tls in (False, True):
            with RawPeer(forward_to(self.server.plain_port)) as tap:
                options = {"port": tap.port, "disable_tls": disable_tls}
                if disable_tls:
                    connection = self.log_in(host="127.0.0.1", **options)
                    self.assertFalse(connection.is_encrypted)
                    self.assertIn(b"AUTH", tap.received)
                else:
                    self.log_in_anyhow(host="127.0.0.1", **options)
                    self.check_nothing_told(tap.received)


@tagged("-at_install", "post_install")
class TestSecretsStaySecret(SmtpCase):
    def test_no_failure_shows_a_secret(self):
        shown = []
        with self.assertLogs(level=logging.DEBUG) as logs:
            logging.getLogger().debug("so that there is a line")
            for login, secret in (
                ("login_password", PASSWORD),
                ("login_xoauth2", TOKEN),
                ("login_password", "\ud800" + PASSWORD),
                ("login_password", "\0" + PASSWORD),
            ):
                echo = secret_forms(USER, secret)[:-1]
                for rule in (
                    *({"reply": b"535 5.7.8 " + form} for form in echo),
                    *({"reply": b"535-" + form + b"\r\n535 " + form} for form in echo),
                    {"reply": b"334 " + base64.b64encode(TOKEN.encode())},
                    {
                        "reply": b"334 "
                        + base64.b64encode(b'{"a": "%b"}' % TOKEN.encode())
                    },
                    {"reply": b"\xff\x00nonsense"},
                    {"drop": True},
                ):
                    self.server.clear()
                    self.server.on("auth", **rule)
                    connection = self.connect()
                    failure = self.failure_of(getattr(connection, login), USER, secret)
                    shown += self.everything_about(failure)
                    shown.append(repr(connection))
        shown += logs.output
        for text in shown:
            for secret in (PASSWORD, TOKEN):
                for form in secret_forms(USER, secret):
                    self.assertNotIn(form[:40], text.encode("utf-8", "replace"))
                self.assertNotIn(secret[:40], text)

    def everything_about(self, error):
        """Return all texts of an exception and of those it comes from."""
        texts, queue = [], [error]
        while queue:
            error = queue.pop()
            texts += [str(error), repr(error), repr(error.args), repr(vars(error))]
            texts += traceback.format_exception(error)
            linked = (error.__cause__, error.__context__, getattr(error, "cause", None))
            queue += [item for item in linked if item is not None]
        return texts


@tagged("post_install", "-at_install", "user_email_alias")
class TestClientContext(BaseCase):
    def test_context_is_shared_until_the_authorities_change(self):
        first = tls.client_context()
        self.assertIs(tls.client_context(), first)
        self.assertEqual(first.verify_mode, ssl.CERT_REQUIRED)
        self.assertTrue(first.check_hostname)
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        bundle = os.path.join(folder, "ca.pem")
        for _ in range(2):
            trustme.CA().cert_pem.write_to_path(bundle)
            with patch.dict(os.environ, SSL_CERT_FILE=bundle):
                other = tls.client_context()
            self.assertIsNot(other, first)
            self.assertEqual(len(other.get_ca_certs()), 1)
            first = other
