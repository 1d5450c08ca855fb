"""The rules that every provider's sign-in keeps; one test for each."""

import json
import time

from ..tools.oauth import (
    ConsentRefused,
    FlowInvalid,
    OAuthError,
    ProviderConfig,
    ProviderMisconfigured,
    ProviderUnavailable,
    discovery,
    get_provider,
)
from ..tools.oauth.base import FLOW_LIFETIME
from .common_oauth import BOUND_TO
from .fake_oauth import ANNA, BORIS, FakeIdentityProvider


class SignIn:
    """What holds for every provider; a mixin, run once for each below."""

    def test_consent_brings_identity_address_and_tokens(self):
        consent = self.sign_in()
        self.assertEqual(consent.email, ANNA.email)
        self.assertEqual(consent.name, ANNA.name)
        self.assertAlmostEqual(consent.expires_at, time.time() + 3600, delta=30)
        token = self.provider.get_token(consent.tokens)
        self.assertTrue(
            self.idp.is_valid_access_token(ANNA.email, token.access_token_secret)
        )

    def test_identity_follows_the_account_and_not_its_address(self):
        first = self.sign_in()
        self.knobs.claims = {"email": BORIS.email, "preferred_username": BORIS.email}
        renamed = self.sign_in()
        self.knobs.claims = {}
        self.assertEqual(first.identity, renamed.identity)
        self.assertNotEqual(first.identity, self.sign_in(BORIS).identity)

    def test_authorization_request_has_state_nonce_and_pkce_s256(self):
        seen = set()
        for _attempt in range(3):
            url, flow = self.begin()
            query = self.query_of(url)
            self.assertEqual(query["response_type"], "code")
            self.assertEqual(query["redirect_uri"], self.idp.redirect_uri)
            self.assertEqual(query["state"], flow["state"])
            self.assertEqual(query["code_challenge_method"], "S256")
            self.assertEqual(len(query["code_challenge"]), 43)
            # 128 bit in base64 are 22 characters, in hex 32.
            self.assertGreaterEqual(len(query["state"]), 22)
            self.assertGreaterEqual(len(query["nonce"]), 22)
            self.assertNotIn(flow["private"]["code_verifier"], url)
            self.assertNotIn(self.idp.client_secret, json.dumps(flow) + url)
            seen |= {query["state"], query["nonce"], query["code_challenge"]}
        self.assertEqual(len(seen), 9)

    def test_flow_survives_a_session_store(self):
        url, flow = self.begin()
        stored = json.loads(json.dumps(flow))
        params = self.idp.visit(url)
        consent = self.provider.finish(stored, params, bound_to=BOUND_TO)
        self.assertEqual(consent.email, ANNA.email)

    def test_login_hint_is_passed_on(self):
        url, _flow = self.begin(login_hint=BORIS.email)
        self.assertEqual(self.query_of(url)["login_hint"], BORIS.email)
        url, _flow = self.begin()
        self.assertIn("select_account", self.query_of(url)["prompt"])

    def test_only_prompts_are_sent_that_the_provider_announces(self):
        self.knobs.metadata = {"prompt_values_supported": ["none", "login"]}
        url, _flow = self.begin()
        self.assertNotIn("prompt", self.query_of(url))
        self.provider = self.make_provider(prompt="login")
        url, _flow = self.begin()
        self.assertEqual(self.query_of(url)["prompt"], "login")

    # -- the flow --------------------------------------------------------------------

    def test_answer_without_flow_is_refused(self):
        url, _flow = self.begin()
        params = self.idp.visit(url)
        for nothing in (None, {}, {"state": params["state"]}):
            with self.subTest(flow=nothing):
                self.assert_refused(FlowInvalid, "no_flow", nothing, params)
        self.assertFalse(self.token_requests())

    def test_flow_serves_only_once(self):
        url, flow = self.begin()
        params = self.idp.visit(url)
        self.provider.finish(flow, params, bound_to=BOUND_TO)
        self.assert_refused(FlowInvalid, "no_flow", flow, params)
        self.assertEqual(len(self.token_requests()), 1)

    def test_flow_is_used_up_by_a_refusal_too(self):
        url, flow = self.begin()
        params = self.idp.visit(url)
        wrong = {**params, "state": "x"}
        self.assert_refused(FlowInvalid, "state", flow, wrong)
        self.assert_refused(FlowInvalid, "no_flow", flow, params)

    def test_missing_or_foreign_state_is_refused(self):
        _url, other_flow = self.begin()
        for state in (None, "", "x", other_flow["state"], "é"):
            with self.subTest(state=state):
                url, flow = self.begin()
                params = {**self.idp.visit(url), "state": state}
                self.assert_refused(FlowInvalid, "state", flow, params)
        self.assertFalse(self.token_requests())

    def test_flow_of_another_user_or_alias_is_refused(self):
        for bound_to in (
            {**BOUND_TO, "uid": 8},
            {**BOUND_TO, "alias_id": 13},
            {"uid": 7},
            None,
        ):
            with self.subTest(bound_to=bound_to):
                url, flow = self.begin()
                params = self.idp.visit(url)
                self.assert_refused(FlowInvalid, "bound_to", flow, params, bound_to)
        self.assertFalse(self.token_requests())

    def test_expired_flow_is_refused(self):
        for shift in (-FLOW_LIFETIME - 1, 60):
            with self.subTest(shift=shift):
                url, flow = self.begin()
                params = self.idp.visit(url)
                flow["created_at"] += shift
                self.assert_refused(FlowInvalid, "expired_flow", flow, params)
        self.assertFalse(self.token_requests())

    def test_flow_of_another_provider_is_refused(self):
        other = {"google": "microsoft", "microsoft": "google"}[self.flavour]
        with FakeIdentityProvider(other) as other_idp:
            other_config = ProviderConfig(**other_idp.settings())
            other_provider = get_provider(other, other_config)
            url, flow = other_provider.begin(other_idp.redirect_uri, bound_to=BOUND_TO)
            params = other_idp.visit(url)
            # Even if the answer claims to come from here.
            params["iss"] = self.provider.metadata["issuer"]
            self.assert_refused(FlowInvalid, "issuer", flow, params)
        self.assertFalse(self.token_requests())

    def test_code_of_the_other_provider_is_refused(self):
        other = {"google": "microsoft", "microsoft": "google"}[self.flavour]
        with FakeIdentityProvider(other) as other_idp:
            other_config = ProviderConfig(**other_idp.settings())
            other_provider = get_provider(other, other_config)
            url, _flow = other_provider.begin(other_idp.redirect_uri)
            code = other_idp.visit(url)["code"]
        url, flow = self.begin()
        params = {**self.idp.visit(url), "code": code}
        self.assert_refused(FlowInvalid, "code", flow, params)

    def test_flow_started_before_the_client_id_was_changed_is_refused(self):
        url, flow = self.begin()
        params = self.idp.visit(url)
        self.provider = self.make_provider(client_id="another")
        self.assert_refused(FlowInvalid, "issuer", flow, params)

    def test_foreign_issuer_in_the_answer_is_refused(self):
        self.knobs.authorize_iss = "https://attacker.example"
        url, flow = self.begin()
        self.assert_refused(FlowInvalid, "issuer", flow, self.idp.visit(url))
        self.assertFalse(self.token_requests())

    def test_redirect_uri_must_be_https_or_on_this_machine(self):
        for uri in (
            "http://odoo.example.com/cb",
            "https:///cb",
            "ftp://localhost/cb",
            "https://odoo.example.com/cb#x",
            "https://[odoo/cb",
            "https://odoo.example.com:x/cb",
            "",
        ):
            with self.subTest(uri=uri):
                with self.assertRaises(ProviderMisconfigured) as caught:
                    self.provider.begin(uri)
                self.assertEqual(caught.exception.code, "base_url")
                self.assertIn(uri, str(caught.exception))
                self.assertNotIn("provider says", str(caught.exception))
        self.assertFalse(self.idp.requests)
        self.provider.begin("http://localhost:8069/cb")

    # -- the code --------------------------------------------------------------------

    def test_missing_or_huge_code_is_refused(self):
        for code in (None, "", "x" * 5000):
            with self.subTest(length=len(code or "")):
                url, flow = self.begin()
                params = {**self.idp.visit(url), "code": code}
                self.assert_refused(FlowInvalid, "code", flow, params)
        self.assertFalse(self.token_requests())

    def test_replayed_code_is_refused(self):
        url, flow = self.begin()
        params = self.idp.visit(url)
        self.provider.finish(dict(flow), params, bound_to=BOUND_TO)
        self.assert_refused(FlowInvalid, "code", flow, params)

    def test_code_of_another_sign_in_is_refused(self):
        """RFC 9700 4.5: a stolen code, injected into the attacker's own sign-in."""
        url, _flow = self.begin()
        stolen = self.idp.visit(url)["code"]
        url, flow = self.begin()
        params = {**self.idp.visit(url, BORIS), "code": stolen}
        self.assert_refused(FlowInvalid, "code", flow, params)

    def test_wrong_or_missing_code_verifier_is_refused(self):
        for verifier, code in (("x" * 43, "code"), ("", "no_flow")):
            with self.subTest(verifier=verifier):
                url, flow = self.begin()
                params = self.idp.visit(url)
                flow["private"]["code_verifier"] = verifier
                self.assert_refused(FlowInvalid, code, flow, params)

    def test_provider_refuses_a_request_with_pkce_missing_or_plain(self):
        """The fake is as strict as the test above relies on."""
        for method in ("plain", ""):
            url, flow = self.begin()
            params = self.idp.visit(url.replace("method=S256", f"method={method}"))
            self.assertEqual(params.get("error"), "invalid_request")
            self.assert_refused(ProviderMisconfigured, "request", flow, params)

    def test_wrong_redirect_uri_is_refused(self):
        url, flow = self.begin()
        params = self.idp.visit(url)
        flow["redirect_uri"] += "2"
        flow["private"]["redirect_uri"] = flow["redirect_uri"]
        self.assert_refused(FlowInvalid, "code", flow, params)

    # -- the ID token ----------------------------------------------------------------

    def test_id_token_that_cannot_be_trusted_is_refused(self):
        now = int(time.time())
        for claims in (
            {"nonce": "other"},
            {"nonce": None},
            {"aud": "another-client"},
            {"aud": [self.idp.client_id, "another-client"], "azp": "another-client"},
            {"aud": [self.idp.client_id, "another-client"], "azp": None},
            {"azp": "another-client"},
            {"iss": "https://attacker.example"},
            {"iss": None},
            {"exp": now - 600},
            {"exp": None},
            {"iat": now + 600},
            {"sub": None},
            {"sub": ""},
            {"sub": " "},
            {"sub": 5},
            {"sub": "1\n2"},
            {"sub": "ä"},
            {"sub": "1" * 256},
            {"exp": 1e400},
            {"nonce": "\ud800"},
            {"aud": {}},
        ):
            with self.subTest(claims=claims):
                self.knobs.claims = claims
                url, flow = self.begin()
                params = self.idp.visit(url)
                self.assert_refused(FlowInvalid, "id_token", flow, params)

    def test_id_token_with_a_wrong_signature_is_refused(self):
        for signing in ("wrong key", "unknown kid", "none", "HS256"):
            with self.subTest(signing=signing):
                self.knobs.signing = signing
                url, flow = self.begin()
                params = self.idp.visit(url)
                self.assert_refused(FlowInvalid, "id_token", flow, params)

    def test_email_claim_that_is_no_address_is_refused(self):
        for email in (
            None,
            "",
            5,
            [ANNA.email],
            {"a": ANNA.email},
            "anna",
            "anna@example.com\r\nBcc: x@example.org",
            "anna@example.com\n",
            "a" * 5500 + "@example.com",
            "Anna <anna@example.com>",
            "anna@example.com,boris@example.com",
            "anna\u00a0@example.com",
        ):
            with self.subTest(email=str(email)[:40]):
                self.knobs.claims = {"email": email, "preferred_username": email}
                url, flow = self.begin()
                error = self.assert_refused(
                    ConsentRefused, "no_address", flow, self.idp.visit(url)
                )
                self.assertNotIn("provider says", str(error))

    def test_name_claim_that_is_no_text_is_no_name(self):
        for name in (["Anna"], 5, None, {}):
            with self.subTest(name=name):
                self.knobs.claims = {"name": name}
                self.assertEqual(self.sign_in().name, "")

    def test_clock_that_is_a_minute_off_does_not_matter(self):
        now = int(time.time())
        self.knobs.claims = {"iat": now + 60, "exp": now + 3660}
        self.sign_in()
        self.knobs.claims = {"iat": now - 3660, "exp": now - 60}
        self.sign_in()

    def test_token_response_without_usable_id_token_is_refused(self):
        for id_token in (None, "", "x", "a.b.c", 5):
            with self.subTest(id_token=id_token):
                answer = {"access_token": "at", "refresh_token": "rt"}
                if id_token is not None:
                    answer["id_token"] = id_token
                self.knobs.code_answer = (200, answer)
                url, flow = self.begin()
                params = self.idp.visit(url)
                with self.assertRaises((FlowInvalid, ProviderUnavailable)):
                    self.provider.finish(flow, params, bound_to=BOUND_TO)

    # -- what the person or the provider answers ---------------------------------------

    def test_cancelled_consent(self):
        url, flow = self.begin()
        params = self.idp.visit(url, decision="cancel")
        self.assert_refused(ConsentRefused, "cancelled", flow, params)
        self.assertFalse(self.token_requests())

    def test_errors_of_the_authorization_endpoint(self):
        for error, error_class, code in (
            ("temporarily_unavailable", ProviderUnavailable, "outage"),
            ("server_error", ProviderUnavailable, "outage"),
            ("unauthorized_client", ProviderMisconfigured, "client"),
            ("invalid_scope", ProviderMisconfigured, "scope"),
            ("invalid_request", ProviderMisconfigured, "request"),
            ("request_not_supported", ProviderMisconfigured, "request"),
            ("unknown_word", FlowInvalid, "code"),
        ):
            with self.subTest(error=error):
                self.knobs.authorize_error = {"error": error}
                url, flow = self.begin()
                self.assert_refused(error_class, code, flow, self.idp.visit(url))

    def test_refused_prompt_is_for_the_administrator(self):
        for error, text in (
            ("invalid_request", "Unsupported 'prompt' value"),
            ("invalid_prompt", ""),
            ("unsupported", "prompt: login is not known here"),
        ):
            with self.subTest(error=error):
                answer = {"error": error, "error_description": text}
                self.knobs.authorize_error = answer
                url, flow = self.begin()
                found = self.assert_refused(
                    ProviderMisconfigured, "request", flow, self.idp.visit(url)
                )
                self.assertNotIn("Start again", str(found))
                self.assertIn(error, str(found))

    def test_error_with_a_foreign_state_is_not_believed(self):
        url, flow = self.begin()
        params = {**self.idp.visit(url, decision="cancel"), "state": "x"}
        self.assert_refused(FlowInvalid, "state", flow, params)

    def test_consent_without_permission_to_send_is_refused(self):
        url, flow = self.begin()
        params = self.idp.visit(url, is_mail_ticked=False)
        self.assert_refused(ConsentRefused, "scope_missing", flow, params)

    def test_consent_without_refresh_token_is_refused(self):
        self.knobs.issues_refresh_token = False
        url, flow = self.begin()
        params = self.idp.visit(url)
        self.assert_refused(ConsentRefused, "offline_missing", flow, params)

    def test_wrong_client_secret_is_for_the_administrator(self):
        self.provider = self.make_provider(client_secret="wrong")
        url, flow = self.begin()
        params = self.idp.visit(url)
        self.assert_refused(ProviderMisconfigured, "client", flow, params)

    def test_outages_of_the_token_endpoint(self):
        for answer in (
            (500, b"<h1>Oops</h1>"),
            (503, {"error": "temporarily_unavailable"}),
            (429, {}),
            (400, {"error": "temporarily_unavailable"}),
            (302, "https://attacker.example/"),
            (200, b"<h1>Log in to the hotel's network</h1>"),
            (200, b"[]"),
            (200, b"["),
            (200, {}),
            (200, b"[" * 100_000),
            (200, b'"' + b"x" * 2_000_000 + b'"'),
        ):
            with self.subTest(answer=str(answer)[:60]):
                self.knobs.code_answer = answer
                url, flow = self.begin()
                params = self.idp.visit(url)
                with self.assertRaises(ProviderUnavailable):
                    self.provider.finish(flow, params, bound_to=BOUND_TO)

    def test_unknown_token_type_is_refused(self):
        """RFC 6749 7.1."""
        self.knobs.token_type = "mac"
        url, flow = self.begin()
        params = self.idp.visit(url)
        self.assert_refused(ProviderUnavailable, "unreadable", flow, params)

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

    def test_nonsense_in_the_token_response_is_told_in_our_words(self):
        for name in (
            "access_token",
            "refresh_token",
            "id_token",
            "scope",
            "expires_in",
            "token_type",
            "client_info",
        ):
            for value in (5, [], {}, ["x"], "", "x", "\ud800", 1e400, 10**400):
                answer = {"access_token": "at", "refresh_token": "rt", "id_token": "x"}
                self.knobs.code_answer = (200, {**answer, name: value})
                with (
                    self.subTest(name=name, value=ascii(value)[:20]),
                    self.assertRaises(OAuthError),
                ):
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
