"""Tokens after the sign-in: kept, refreshed, rotated, revoked, dead."""

import json
import time

from ..tools.oauth import (
    SENTENCES,
    ConsentDead,
    OAuthError,
    ProviderMisconfigured,
    ProviderUnavailable,
)
from .common_oauth import OAuthCase
from .fake_oauth import ANNA, FakeIdentityProvider


class Tokens:
    """What holds for every provider; a mixin, run once for each below."""

    def assert_refresh_fails(self, error_class, code, tokens):
        with self.assertRaises(error_class) as caught:
            self.provider.refresh(tokens)
        self.assertIs(type(caught.exception), error_class)
        self.assertEqual(caught.exception.code, code, caught.exception)
        return caught.exception

    def test_fresh_access_token_costs_no_request(self):
        tokens = self.sign_in().tokens
        self.idp.requests.clear()
        token = self.provider.get_token(tokens)
        self.assertFalse(token.is_refreshed)
        self.assertEqual(token.tokens, tokens)
        self.assertFalse(self.idp.requests)

    def test_access_token_that_would_not_outlive_the_login_is_refreshed(self):
        self.knobs.expires_in = 400
        tokens = self.sign_in().tokens
        self.assertFalse(self.provider.get_token(tokens, 300).is_refreshed)
        token = self.provider.get_token(tokens, 450)
        self.assertTrue(token.is_refreshed)
        self.assertEqual(self.idp.refreshes, 1)
        secret = token.access_token_secret
        self.assertTrue(self.idp.is_valid_access_token(ANNA.email, secret))

    def test_short_lived_token_serves_half_of_its_life(self):
        for lifetime in (60, 120, 300, 599):
            with self.subTest(lifetime=lifetime):
                self.knobs.expires_in = lifetime
                tokens = self.sign_in().tokens
                self.assertFalse(self.provider.get_token(tokens).is_refreshed)
                token = self.provider.refresh(tokens)
                self.assertFalse(self.provider.get_token(token.tokens).is_refreshed)
                aged = self.age(token.tokens, lifetime / 2 + 1)
                self.assertTrue(self.provider.get_token(aged).is_refreshed)

    def test_long_lived_token_is_refreshed_five_minutes_before_its_end(self):
        tokens = self.sign_in().tokens
        self.assertIsNotNone(self.provider.cached_token(self.age(tokens, 3290)))
        self.assertIsNone(self.provider.cached_token(self.age(tokens, 3310)))

    def age(self, tokens, seconds):
        """Return the tokens as they were that much later."""
        content = json.loads(tokens)
        content["expires_at"] -= seconds
        return json.dumps(content)

    def test_refreshed_tokens_serve_for_the_next_refresh(self):
        tokens = self.sign_in().tokens
        secrets = set()
        for _round in range(3):
            token = self.provider.refresh(tokens)
            self.assertAlmostEqual(token.expires_at, time.time() + 3600, delta=30)
            self.assertNotEqual(token.tokens, tokens)
            tokens = token.tokens
            secrets.add(token.access_token_secret)
            cached = self.provider.get_token(tokens)
            self.assertEqual(cached.access_token_secret, token.access_token_secret)
            self.assertFalse(cached.is_refreshed)
        self.assertEqual(len(secrets), 3)
        self.assertEqual(self.idp.refreshes, 3)

    def test_rotation_is_reported_and_the_old_token_is_dead(self):
        self.knobs.rotates = True
        old = self.sign_in().tokens
        token = self.provider.refresh(old)
        new = self.provider.refresh(token.tokens).tokens
        # Reuse: the fake, as a strict provider, now ends the whole consent.
        self.assert_refresh_fails(ConsentDead, self.dead_code, old)
        self.assert_refresh_fails(ConsentDead, self.dead_code, new)

    def test_provider_that_does_not_rotate(self):
        self.knobs.rotates = False
        tokens = self.sign_in().tokens
        token = self.provider.refresh(tokens)
        self.assertTrue(token.is_refreshed)
        self.provider.refresh(tokens)
        self.provider.refresh(token.tokens)

    def test_odd_lifetimes_make_every_login_refresh(self):
        for lifetime in (0, -5, 1, None):
            with self.subTest(lifetime=lifetime):
                self.knobs.expires_in = lifetime
                tokens = self.sign_in().tokens
                self.assertTrue(self.provider.get_token(tokens).is_refreshed)

    def test_endless_lifetime_is_not_believed(self):
        self.knobs.expires_in, self.knobs.rotates = 10**9, False
        consent = self.sign_in()
        token = self.provider.refresh(consent.tokens)
        for expires_at in (consent.expires_at, token.expires_at):
            self.assertLess(expires_at, time.time() + 8 * 24 * 3600)
        self.assertTrue(self.provider.get_token(consent.tokens, 10**6).is_refreshed)

    def test_answers_that_make_no_sense_hold_nothing(self):
        self.knobs.rotates = False
        tokens = self.sign_in().tokens
        for lifetime in ("soon", []):
            with self.subTest(lifetime=lifetime):
                self.knobs.expires_in = lifetime
                with self.assertRaises(OAuthError):
                    self.sign_in()
                self.assert_refresh_fails(ProviderUnavailable, "unreadable", tokens)

    def test_nonsense_in_an_answer_to_a_refresh_holds_nothing(self):
        self.knobs.rotates = False
        tokens = self.sign_in().tokens
        for name in (
            "access_token",
            "refresh_token",
            "id_token",
            "scope",
            "expires_in",
        ):
            for value in (5, [], {}, ["x"], "\ud800", 1e400, 10**400):
                self.knobs.refresh_answer = (200, {"access_token": "at", name: value})
                with self.subTest(name=name, value=ascii(value)[:9]):
                    self.assert_ours(lambda: self.provider.refresh(tokens))
        for value in (None, "", 5, [], {}):
            self.knobs.refresh_answer = (200, {"access_token": value})
            with self.subTest(access_token=value):
                self.assert_refresh_fails(ProviderUnavailable, "unreadable", tokens)

    def test_own_exceptions_are_not_put_into_the_providers_mouth(self):
        tokens = self.sign_in().tokens
        self.idp.server.shutdown()
        self.idp.server.server_close()
        error = self.assert_refresh_fails(ProviderUnavailable, "unreachable", tokens)
        self.assertNotIn("says", str(error))
        self.assertNotIn("Error", str(error))
        self.assertIn("Error", repr(error))

    def test_revoked_consent_is_dead(self):
        tokens = self.sign_in().tokens
        self.idp.revoke_all()
        error = self.assert_refresh_fails(ConsentDead, self.dead_code, tokens)
        self.assertEqual(error.cause, self.dead_code)
        self.assertEqual(error.error, "invalid_grant")
        self.assertIn(SENTENCES[self.dead_code], str(error))
        self.assertIn("invalid_grant", str(error))

    def test_passing_outage_does_not_end_the_consent(self):
        tokens = self.sign_in().tokens
        for answer in (
            (500, b"<h1>Oops</h1>"),
            (502, {"error": "invalid_grant"}),
            (503, {"error": "temporarily_unavailable"}),
            (429, {"error": "invalid_grant"}),
            (400, {"error": "temporarily_unavailable"}),
            (400, {"error": "server_error"}),
            (403, b"<h1>Blocked by the firewall</h1>"),
            (200, b"<h1>Log in to the hotel's network</h1>"),
            (200, {}),
            (400, {}),
            (307, "https://attacker.example/token"),
        ):
            with self.subTest(answer=answer):
                self.knobs.refresh_answer = answer
                with self.assertRaises(ProviderUnavailable):
                    self.provider.refresh(tokens)
        self.knobs.refresh_answer = None
        self.provider.refresh(tokens)

    def test_one_failed_refresh_asks_the_provider_once(self):
        """No repeating and no sleeping inside a library: a lock is held meanwhile."""
        tokens = self.sign_in().tokens
        for answer in ((503, {}), (408, {}), (400, {"error": "server_error"})):
            with self.subTest(answer=answer):
                self.knobs.refresh_answer, self.idp.refreshes = answer, 0
                self.assert_refresh_fails(ProviderUnavailable, "outage", tokens)
                self.assertEqual(self.idp.refreshes, 1)

    def test_error_response_may_hold_anything(self):
        tokens = self.sign_in().tokens
        for odd in (["x"], {"x": 1}, 5, True, "x" * 5000, "\x00", "é"):
            with self.subTest(odd=str(odd)[:9]):
                names = ("error_description", "error_subtype", "error_codes")
                for error in (odd, "invalid_grant"):
                    answer = {"error": error, **dict.fromkeys(names, odd)}
                    self.knobs.refresh_answer = self.knobs.code_answer = (400, answer)
                    with self.assertRaises(OAuthError) as caught:
                        self.provider.refresh(tokens)
                    self.assertLess(len(str(caught.exception)), 1200)
                    with self.assertRaises(OAuthError):
                        self.sign_in()

    def test_silent_provider_is_unavailable_after_the_timeout(self):
        tokens = self.sign_in().tokens
        self.provider = self.make_provider(timeout=0.3)
        self.knobs.delay = 12
        started = time.monotonic()
        self.assert_refresh_fails(ProviderUnavailable, "unreachable", tokens)
        self.assertLess(time.monotonic() - started, 10)

    def test_provider_that_is_not_there_is_unavailable(self):
        tokens = self.sign_in().tokens
        self.idp.server.shutdown()
        self.idp.server.server_close()
        self.assert_refresh_fails(ProviderUnavailable, "unreachable", tokens)

    def test_registration_errors_are_for_the_administrator(self):
        tokens = self.sign_in().tokens
        for error, code in (
            ("invalid_client", "client"),
            ("unauthorized_client", "client"),
            ("invalid_scope", "scope"),
            ("deleted_client", "client"),
        ):
            with self.subTest(error=error):
                self.knobs.refresh_answer = (401, {"error": error})
                self.assert_refresh_fails(ProviderMisconfigured, code, tokens)
        self.knobs.refresh_answer = None
        self.provider = self.make_provider(client_secret="wrong")
        self.assert_refresh_fails(ProviderMisconfigured, "client", tokens)

    def test_unknown_error_holds_rather_than_retries_for_ever(self):
        tokens = self.sign_in().tokens
        self.knobs.refresh_answer = (400, {"error": "no_one_knows"})
        self.assert_refresh_fails(ConsentDead, "unknown", tokens)

    def test_tokens_that_are_not_ours_are_refused(self):
        other = {"google": "microsoft", "microsoft": "google"}[self.flavour]
        mine = json.loads(self.sign_in().tokens)
        for tokens in (
            "",
            "x",
            "[]",
            "{}",
            None,
            json.dumps({**mine, "provider": other}),
            json.dumps({**mine, "cache": "x"}) if "cache" in mine else "null",
        ):
            with self.subTest(tokens=str(tokens)[:40]):
                self.assert_refresh_fails(ConsentDead, "unknown", tokens)
                self.assertFalse(self.provider.revoke(tokens))

    def test_revoking_never_raises(self):
        tokens = self.sign_in().tokens
        self.idp.server.shutdown()
        self.idp.server.server_close()
        self.assertFalse(self.provider.revoke(tokens))


class TestGoogleTokens(Tokens, OAuthCase):
    flavour = "google"
    dead_code = "revoked"

    def test_causes_of_a_dead_consent_are_told_apart(self):
        tokens = self.sign_in().tokens
        for description, subtype, cause in (
            ("Token has been expired or revoked.", None, "revoked"),
            ("Bad Request", None, "unknown"),
            ("Account has been deleted", None, "revoked"),
            ("reauth related error (invalid_rapt)", "invalid_rapt", "expired"),
            ("reauth related error (rapt_required)", "rapt_required", "expired"),
        ):
            with self.subTest(description=description):
                answer = {"error": "invalid_grant", "error_description": description}
                if subtype:
                    answer["error_subtype"] = subtype
                self.knobs.refresh_answer = (400, answer)
                error = self.assert_refresh_fails(ConsentDead, cause, tokens)
                self.assertEqual(error.description, description)
        answer = {"error": "admin_policy_enforced"}
        self.knobs.refresh_answer = (400, answer)
        self.assert_refresh_fails(ConsentDead, "admin_policy", tokens)

    def test_permission_to_send_withdrawn_alone(self):
        tokens = self.sign_in().tokens
        self.knobs.scope = "openid email"
        self.assert_refresh_fails(ConsentDead, "revoked", tokens)

    def test_revocation_ends_the_consent_at_the_provider(self):
        tokens = self.sign_in().tokens
        self.assertTrue(self.provider.revoke(tokens))
        self.assertEqual(self.idp.revocations, 1)
        self.assert_refresh_fails(ConsentDead, "revoked", tokens)


class TestMicrosoftTokens(Tokens, OAuthCase):
    flavour = "microsoft"
    dead_code = "unknown"

    def test_causes_of_a_dead_consent_are_told_apart(self):
        tokens = self.sign_in().tokens
        for number, cause in (
            (50173, "password_changed"),
            (700082, "expired"),
            (70043, "expired"),
            (50076, "mfa"),
            (53003, "admin_policy"),
            (65001, "revoked"),
            (70000, "unknown"),
        ):
            description = f"AADSTS{number}: It is so. Trace ID: 0f3b-11."
            answer = {"error": "invalid_grant", "error_description": description}
            for extra in ({}, {"error_codes": [number], "suberror": "x"}):
                with self.subTest(number=number, extra=extra):
                    self.knobs.refresh_answer = (400, {**answer, **extra})
                    error = self.assert_refresh_fails(ConsentDead, cause, tokens)
                    self.assertEqual(error.reference, f"AADSTS{number}")
                    self.assertEqual(error.description, description)

    def test_number_counts_more_than_the_word(self):
        tokens = self.sign_in().tokens
        for number, error_class, code in (
            (7000222, ProviderMisconfigured, "client_ended"),
            (50196, ProviderUnavailable, "outage"),
            (90002, ProviderMisconfigured, "tenant"),
        ):
            with self.subTest(number=number):
                answer = {"error": "invalid_grant", "error_codes": [number]}
                self.knobs.refresh_answer = (400, answer)
                self.assert_refresh_fails(error_class, code, tokens)

    def test_interaction_required_is_another_verification(self):
        tokens = self.sign_in().tokens
        self.knobs.refresh_answer = (400, {"error": "interaction_required"})
        self.assert_refresh_fails(ConsentDead, "mfa", tokens)

    def test_nothing_can_be_revoked(self):
        tokens = self.sign_in().tokens
        self.assertFalse(self.provider.revoke(tokens))
        self.assertEqual(self.idp.revocations, 0)

    def test_tokens_of_another_client_id_ask_for_a_new_sign_in(self):
        tokens = self.sign_in().tokens
        self.provider = self.make_provider(client_id="another")
        self.assert_refresh_fails(ConsentDead, "unknown", tokens)

    def test_tokens_of_another_cloud_are_not_sent_there(self):
        tokens = self.sign_in().tokens
        with FakeIdentityProvider("microsoft", self.idp.ca) as other:
            url = other.url.replace("localhost", "127.0.0.1")
            self.provider = self.make_provider(authority=url)
            other.url = url
            self.assert_refresh_fails(ConsentDead, "unknown", tokens)
            self.assertEqual(other.refreshes, 0)
