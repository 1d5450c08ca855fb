"""Registration, certificates, and the documents that say where a provider is."""

from ..tools.oauth import (
    OAuthError,
    ProviderMisconfigured,
    ProviderUnavailable,
    discovery,
)
from .common_oauth import BOUND_TO
from .fake_oauth import ANNA


class DocumentRules:
    """A mixin, run once for each provider."""

    def test_missing_key_set_is_for_the_administrator(self):
        self.knobs.answers = {"/keys": (404, {"error": "not_found"})}
        url, flow = self.begin()
        params = self.idp.visit(url)
        self.assert_refused(ProviderMisconfigured, "endpoint", flow, params)

    def test_unknown_certificate_authority_is_an_outage(self):
        provider = self.make_provider(ca_bundle="")
        with self.assertRaises(ProviderUnavailable) as caught:
            provider.begin(self.idp.redirect_uri)
        self.assertEqual(caught.exception.code, "tls")
        self.assertFalse(self.idp.requests)

    def test_missing_file_of_certificates_is_for_the_administrator(self):
        provider = self.make_provider(ca_bundle="/nowhere.pem")
        with self.assertRaises(ProviderMisconfigured) as caught:
            provider.begin(self.idp.redirect_uri)
        self.assertEqual(caught.exception.code, "ca_bundle")

    def test_certificates_can_come_from_the_environment(self):
        names = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
        for name in names:
            with self.subTest(name=name):
                variables = dict.fromkeys((*names, "CURL_CA_BUNDLE"), "")
                variables[name] = self.idp.ca_file.name
                with self.environment(**variables):
                    provider = self.make_provider(ca_bundle="")
                    provider.begin(self.idp.redirect_uri)

    def test_plain_http_is_refused(self):
        url = self.idp.url.replace("https:", "http:")
        for changes in ({"authority": url}, {"jwks_uri": url}):
            with self.subTest(**changes), self.assertRaises(ProviderMisconfigured):
                provider = self.make_provider(**changes)
                _url, flow = provider.begin(self.idp.redirect_uri)
                params = {"state": flow["state"], "code": "x"}
                provider.finish(flow, params)
        self.assertFalse(self.token_requests())

    def test_plain_http_in_the_discovery_document_is_refused(self):
        url = self.idp.url.replace("https:", "http:")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            self.knobs.metadata = {name: f"{url}/common/{name}"}
            discovery._cache.clear()
            with self.subTest(name=name), self.assertRaises(ProviderMisconfigured):
                address, flow = self.begin(login_hint=ANNA.email)
                params = self.idp.visit(address)
                self.provider.finish(flow, params, bound_to=BOUND_TO)

    def test_nonsense_in_the_discovery_document_is_told_in_our_words(self):
        odd = (None, 5, True, [], {}, ["x"], "", "x", "https://[x", "https://x:y/")
        for name in (
            "issuer",
            "authorization_endpoint",
            "token_endpoint",
            "jwks_uri",
            "revocation_endpoint",
            "prompt_values_supported",
            "authorization_response_iss_parameter_supported",
        ):
            for value in (*odd, "https://a b/", "https://" + "x" * 300 + "/", "\ud800"):
                discovery._cache.clear()
                self.knobs.metadata = {name: value}
                with self.subTest(name=name, value=ascii(value)[:20]):
                    self.assert_ours(self.begin_and_finish)

    def begin_and_finish(self):
        _url, flow = self.begin()
        params = {"state": flow["state"], "iss": self.idp.url, "code": "x"}
        self.provider.finish(flow, params, bound_to=BOUND_TO)

    def test_document_that_is_none_is_told_in_our_words(self):
        for document in (b"", b"[]", b"null", b"5", b"\xff\xfe", b"{", {}, {"x": None}):
            discovery._cache.clear()
            self.knobs.answers = {"openid-configuration": (200, document)}
            with self.subTest(document=document), self.assertRaises(OAuthError):
                self.begin()

    def test_document_without_an_issuer_says_where_it_is(self):
        self.knobs.metadata = {"issuer": None}
        with self.assertRaises(ProviderMisconfigured) as caught:
            self.begin()
            self.provider.metadata  # noqa: B018
        self.assertNotIn("Start again", str(caught.exception))

    def test_prompts_that_are_no_list_of_words_are_as_good_as_none(self):
        for value in (5, "login", {"login": 1}, [5, None], None):
            discovery._cache.clear()
            self.knobs.metadata = {"prompt_values_supported": value}
            with self.subTest(value=value):
                self.sign_in()

    def test_nonsense_in_the_key_set_is_told_in_our_words(self):
        for keys in (
            {},
            {"keys": None},
            {"keys": 5},
            {"keys": ["x", 5, None]},
            {"keys": [{"kty": "RSA", "kid": "key-1"}]},
            {"keys": [{"kty": "RSA", "kid": "key-1", "n": 5, "e": []}]},
            {"keys": {"kty": "RSA"}},
        ):
            with self.subTest(keys=keys):
                self.knobs.answers = {"/keys": (200, keys)}
                with self.assertRaises(OAuthError):
                    self.sign_in()

    def test_missing_registration_is_for_the_administrator(self):
        for changes in ({"client_id": ""}, {"client_secret": ""}):
            with self.subTest(**changes):
                with self.assertRaises(ProviderMisconfigured) as caught:
                    self.make_provider(**changes)
                self.assertEqual(caught.exception.code, "not_configured")

    def test_endpoints_can_come_from_a_discovery_address(self):
        settings = {"authority": "", "discovery_url": self.provider.discovery_url}
        self.provider = self.make_provider(**settings)
        consent = self.sign_in()
        self.provider.refresh(consent.tokens)
