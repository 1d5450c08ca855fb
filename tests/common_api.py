"""Shared by the tests of the providers' interfaces: each against its fake."""

import os
from unittest.mock import patch

from odoo.tests import BaseCase

from ..tools.deadline import Deadline
from ..tools.oauth import ProviderConfig, get_provider
from ..tools.transport import API_TRANSPORTS, TransportFailure
from ..tools.transport.http import ApiAccess
from .fake_gmail import FakeGmail
from .fake_graph import FakeGraph
from .fake_oauth import ANNA, FakeIdentityProvider

FLAVOURS = {"graph": "microsoft", "gmail": "google"}
FAKES = {"graph": FakeGraph, "gmail": FakeGmail}
FROM, TO = ANNA.email, "lead@example.org"


def make_message(to=TO, *others, body=b"Hello\r\n"):
    """Return the bytes of a message as from `flatten`."""
    head = f"From: Anna Berg <{FROM}>\r\nTo: {to}\r\n"
    head += "".join(f"{line}\r\n" for line in others)
    return head.encode() + b"Subject: Hi\r\nMIME-Version: 1.0\r\n\r\n" + body


class ApiCase(BaseCase):
    """A subclass names the ``transport``."""

    transport = None

    def setUp(self):
        super().setUp()
        self.enterContext(patch.dict(os.environ, NO_PROXY="localhost,127.0.0.1"))
        self.idp = self.enterContext(FakeIdentityProvider(FLAVOURS[self.transport]))
        self.api = self.enterContext(FAKES[self.transport](self.idp))
        self.provider = self.make_provider()
        self.idp.mail_scope = self.provider.mail_scopes(self.transport)[0]
        self.api.scope = self.idp.mail_scope
        self.renewed = []
        self.tokens = self.sign_in()

    def make_provider(self, **changes):
        settings = {"transport": "api", "api_url": self.api.url, **changes}
        config = ProviderConfig(**self.idp.settings(**settings))
        return get_provider(FLAVOURS[self.transport], config)

    def sign_in(self):
        url, flow = self.provider.begin(self.idp.redirect_uri)
        consent = self.provider.finish(flow, self.idp.visit(url))
        self.assertEqual(consent.transport, self.transport)
        self.assertEqual(consent.server, self.api.url)
        return consent.tokens

    def open(self, seconds=20.0, **changes):
        """Return the transport, open with a good token."""
        token_secret = self.provider.get_token(self.tokens).access_token_secret
        options = {
            "url": self.api.url,
            "token_secret": token_secret,
            "renew": self._renew,
            "ca_bundle": self.idp.ca_file.name,
            **changes,
        }
        access = ApiAccess(**options)
        connection = API_TRANSPORTS[self.transport](access, Deadline(seconds))
        self.addCleanup(connection.close)
        return connection

    def _renew(self, token_secret):
        self.renewed.append(token_secret)
        return self.provider.refresh(self.tokens).access_token_secret

    def submit_failing(self, connection, message=None, recipients=(TO,), **options):
        """Submit; return the failure."""
        with self.assertRaises(TransportFailure) as caught:
            connection.submit(FROM, recipients, message or make_message(), **options)
        return caught.exception
