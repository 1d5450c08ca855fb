"""The way out to a provider, with none at its end: what passes and what does not."""

import os
import tempfile
from unittest.mock import patch

from odoo.tests import BaseCase

from ..tools.oauth import ProviderConfig, ProviderMisconfigured, ProviderUnavailable
from ..tools.oauth.channel import MAX_ANSWER, session_for
from .fake_https import FakeHttpsServer


class Answers(FakeHttpsServer):
    """Answer what the test says, and remember the Authorization headers."""

    def __init__(self):
        super().__init__()
        self.answer = (200, {"is": "fine"})
        self.authorizations = []

    def respond(self, path, query, form, bearer):
        self.authorizations.append(bearer)
        return self.answer


class TestChannel(BaseCase):
    def setUp(self):
        super().setUp()
        self.fake = self.enterContext(Answers())
        self.config = ProviderConfig("id", "secret", ca_bundle=self.fake.ca_file.name)

    def post(self, url=None, **options):
        with session_for(self.config, **options) as (session, channel):
            response = session.post(url or self.fake.url, data={"token": "x"})
        return response, channel.payload

    def assert_fails(self, error_class, code, **options):
        with self.assertRaises(error_class) as caught:
            self.post(**options)
        self.assertEqual(caught.exception.code, code)

    def test_answer_reaches_the_library_and_the_caller(self):
        response, payload = self.post()
        self.assertEqual(response.json(), {"is": "fine"})
        self.assertEqual(payload, {"is": "fine"})

    def test_redirect_is_not_followed(self):
        for status in (301, 302, 303, 307, 308):
            with self.subTest(status=status):
                self.fake.answer = (status, f"{self.fake.url}/elsewhere")
                self.assert_fails(ProviderUnavailable, "outage")
                self.assert_fails(ProviderUnavailable, "outage", is_json=False)
        self.assertNotIn(("GET", "/elsewhere"), self.fake.requests)
        self.assertNotIn(("POST", "/elsewhere"), self.fake.requests)

    def test_answer_beyond_the_limit_is_refused(self):
        self.fake.answer = (200, {"x": "x" * (MAX_ANSWER - 100)})
        self.post()
        self.fake.answer = (200, {"x": "x" * (MAX_ANSWER + 100)})
        self.assert_fails(ProviderUnavailable, "unreadable")
        self.assert_fails(ProviderUnavailable, "unreadable", is_json=False)

    def test_plain_http_and_other_schemes_do_not_exist(self):
        for scheme in ("http", "file", "ftp"):
            with self.subTest(scheme=scheme):
                url = self.fake.url.replace("https", scheme)
                self.assert_fails(ProviderMisconfigured, "endpoint", url=url)
        self.assertFalse(self.fake.requests)

    def test_verification_cannot_be_turned_off(self):
        self.config = ProviderConfig("id", "secret")
        with session_for(self.config) as (session, _channel):
            session.verify = False
            with self.assertRaises(ProviderUnavailable):
                session.get(self.fake.url, verify=False)
        self.assertFalse(self.fake.requests)

    def test_password_from_a_netrc_file_is_not_sent(self):
        with tempfile.NamedTemporaryFile("w") as netrc:
            netrc.write("machine localhost login eve password secret")
            netrc.flush()
            with patch.dict(os.environ, NETRC=netrc.name):
                self.post()
        self.assertEqual(self.fake.authorizations, [""])

    def test_empty_answer_is_fine_where_none_is_expected(self):
        self.fake.answer = (200, b"")
        self.assert_fails(ProviderUnavailable, "unreadable")
        response, _payload = self.post(is_json=False)
        self.assertEqual(response.status_code, 200)
