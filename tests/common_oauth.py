"""Shared by the tests of sign-in: a provider of each kind against its fake."""

import contextlib
import os
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

from odoo.tests import BaseCase

from ..tools.oauth import OAuthError, ProviderConfig, get_provider
from .fake_oauth import ANNA, FakeIdentityProvider

BOUND_TO = {"uid": 7, "alias_id": 12}


class OAuthCase(BaseCase):
    """Real libraries, real HTTPS; a subclass names the ``flavour``.

    ``BaseCase`` lets requests to ``localhost`` through, which is where the fake is.
    """

    flavour = None

    def setUp(self):
        super().setUp()
        # A proxy for the world outside must not see what goes to localhost.
        self.enterContext(self.environment(NO_PROXY="localhost,127.0.0.1"))
        self.idp = self.enterContext(FakeIdentityProvider(self.flavour))
        self.knobs = self.idp.knobs
        self.provider = self.make_provider()

    @staticmethod
    def environment(**variables):
        return patch.dict(os.environ, variables)

    def make_provider(self, **changes):
        return get_provider(
            self.flavour, ProviderConfig(**self.idp.settings(**changes))
        )

    def begin(self, **options):
        options.setdefault("bound_to", BOUND_TO)
        return self.provider.begin(self.idp.redirect_uri, **options)

    def sign_in(self, account=ANNA, **visit):
        url, flow = self.begin()
        params = self.idp.visit(url, account, **visit)
        return self.provider.finish(flow, params, bound_to=BOUND_TO)

    def query_of(self, url):
        return {
            name: values[0] for name, values in parse_qs(urlsplit(url).query).items()
        }

    def assert_refused(self, error_class, code, flow, params, bound_to=BOUND_TO):
        """``finish`` refuses, for this reason, and redeems no code unless it must."""
        with self.assertRaises(error_class) as caught:
            self.provider.finish(flow, params, bound_to=bound_to)
        self.assertIs(type(caught.exception), error_class)
        self.assertEqual(caught.exception.code, code, caught.exception)
        return caught.exception

    def assert_ours(self, call):
        """``call`` returns, or raises what has a sentence of ours."""
        with contextlib.suppress(OAuthError):
            call()

    def token_requests(self):
        return [path for method, path in self.idp.requests if path.endswith("/token")]
