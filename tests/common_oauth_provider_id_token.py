"""What an ID token must say at every provider, and what else it may say."""

import time

from ..tools.oauth import ConsentRefused, FlowInvalid, ProviderUnavailable
from .common_oauth import BOUND_TO
from .fake_oauth import ANNA


class IdTokenRules:
    """A mixin, run once for each provider."""

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
