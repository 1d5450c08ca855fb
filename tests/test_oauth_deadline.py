"""A provider that answers each wait just in time, and never ends."""

import functools
import os
import ssl
import tempfile
import time
from unittest.mock import patch

import trustme

from odoo.tests import BaseCase

from ..tools.deadline import Deadline
from ..tools.oauth import ProviderConfig, ProviderUnavailable, get_provider
from .common_oauth import OAuthCase
from .raw_peer import RawPeer

# Seconds between two bytes, for a single wait, and for the whole conversation.
DRIP, WAIT, WHOLE = 0.2, 1.0, 1.5

# What a busy machine may add to it, in seconds; each drip would last for minutes.
MORE = 10.0

HEAD = b"HTTP/1.1 200 OK\r\n"
HEADERS = b"Content-Type: application/json\r\nContent-Length: 1000\r\n"


def drip(send, data=b"x" * 1000):
    for byte in data:
        send(bytes((byte,)))
        time.sleep(DRIP)


class TestDrippingProvider(BaseCase):
    def setUp(self):
        super().setUp()
        self.enterContext(patch.dict(os.environ, NO_PROXY="localhost,127.0.0.1"))
        ca = trustme.CA()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert("localhost").configure_cert(self.context)
        self.ca_file = self.enterContext(tempfile.NamedTemporaryFile(suffix=".pem"))
        ca.cert_pem.write_to_path(self.ca_file.name)

    def over_tls(self, at_once, dripping=b"x" * 1000):
        def script(client, peer):
            with self.context.wrap_socket(client, server_side=True) as tls:
                tls.recv(65536)
                tls.sendall(at_once)
                drip(tls.sendall, dripping)

        return script

    def assert_ends_in_time(self, script, key):
        with RawPeer(script) as peer:
            config = ProviderConfig(
                "id",
                "secret",
                authority=f"https://localhost:{peer.port}",
                ca_bundle=self.ca_file.name,
                timeout=WAIT,
            )
            started = time.monotonic()
            provider = get_provider(key, config, Deadline(WHOLE))
            with self.assertRaises(ProviderUnavailable) as caught:
                provider.begin("https://odoo.example.com/callback")
            seconds = time.monotonic() - started
        self.assertIn(caught.exception.code, ("unreachable", "tls"))
        self.assertLess(seconds, WHOLE + MORE)
        self.assertGreater(seconds, WAIT, "it was not the deadline that ended it")

    def test_every_part_of_an_answer_is_bounded_by_the_deadline(self):
        def handshake(client, peer):
            # a record of 16 kB is announced (RFC 8446 5.1)
            client.recv(65536)
            client.sendall(b"\x16\x03\x03\x40\x00")
            drip(client.sendall)

        for part, script in {
            "handshake": handshake,
            "status line": self.over_tls(b"HTTP/1.1 200 "),
            "header": self.over_tls(HEAD + b"X-Long: "),
            "headers": self.over_tls(HEAD, b"A: b\r\n" * 200),
            "body": self.over_tls(HEAD + HEADERS + b"\r\n"),
            "chunks": self.over_tls(
                HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 200
            ),
            "body until the end": self.over_tls(HEAD + b"\r\n"),
        }.items():
            for key in ("google", "microsoft"):
                with self.subTest(part=part, provider=key):
                    self.assert_ends_in_time(script, key)

    def test_silence_ends_with_the_wait_and_not_with_the_deadline(self):
        def silence(client, peer):
            while peer.read(client):
                pass

        with RawPeer(silence) as peer:
            config = ProviderConfig(
                "id", "secret", authority=f"https://localhost:{peer.port}", timeout=0.3
            )
            started = time.monotonic()
            with self.assertRaises(ProviderUnavailable):
                get_provider("google", config, Deadline(30)).begin("https://x.example/")
            self.assertLess(time.monotonic() - started, 5)

    def test_deadline_that_is_over_asks_nobody(self):
        config = ProviderConfig("id", "secret", authority="https://localhost:1")
        with self.assertRaises(ProviderUnavailable) as caught:
            get_provider("google", config, Deadline(0)).begin("https://x.example/")
        self.assertEqual(caught.exception.code, "unreachable")


class DrippingAnswers:
    """Each conversation through each library, once the sign-in itself went well."""

    def assert_ends_in_time(self, call):
        started = time.monotonic()
        self.assertRaises(ProviderUnavailable, call)
        seconds = time.monotonic() - started
        self.assertLess(seconds, WHOLE + MORE)
        self.assertGreater(seconds, WAIT)

    def limited(self):
        return get_provider(self.flavour, self.provider.config, Deadline(WHOLE))

    def test_refresh_ends_with_the_deadline(self):
        tokens = self.sign_in().tokens
        self.idp.drips = {"/token": DRIP}
        provider = self.limited()
        self.assert_ends_in_time(lambda: provider.refresh(tokens))

    def test_redeeming_a_code_ends_with_the_deadline(self):
        for end in ("/token", "/keys"):
            self.idp.drips = {}
            url, flow = self.begin()
            params = self.idp.visit(url)
            self.idp.drips = {end: DRIP}
            finish = functools.partial(
                self.limited().finish, flow, params, bound_to=flow["bound_to"]
            )
            with self.subTest(end):
                self.assert_ends_in_time(finish)

    def test_revoking_ends_with_the_deadline(self):
        tokens = self.sign_in().tokens
        self.idp.drips = {"/revoke": DRIP}
        started = time.monotonic()
        self.limited().revoke(tokens)
        self.assertLess(time.monotonic() - started, WHOLE + MORE)


class TestGoogleDeadline(DrippingAnswers, OAuthCase):
    flavour = "google"


class TestMicrosoftDeadline(DrippingAnswers, OAuthCase):
    flavour = "microsoft"
