"""What the person or the provider answers instead of what a sign-in wants."""

from ..tools.oauth import (
    ConsentRefused,
    FlowInvalid,
    OAuthError,
    ProviderMisconfigured,
    ProviderUnavailable,
)
from .common_oauth import BOUND_TO


class AnswerRules:
    """A mixin, run once for each provider."""

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
