"""The flow of a sign-in that every provider keeps; one test for each rule."""

import json
import time

from ..tools.oauth import (
    FlowInvalid,
    ProviderConfig,
    ProviderMisconfigured,
    get_provider,
)
from ..tools.oauth.flows import FLOW_LIFETIME
from .common_oauth import BOUND_TO
from .fake_oauth import ANNA, BORIS, FakeIdentityProvider


class FlowRules:
    """A mixin, run once for each provider."""

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
