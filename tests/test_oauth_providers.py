"""Sign-in at each provider: what it takes, and every way it must be refused."""

from ..tools.oauth import (
    ConsentRefused,
    FlowInvalid,
    OAuthError,
    ProviderMisconfigured,
)
from .common_oauth import OAuthCase
from .common_oauth_provider_answers import AnswerRules
from .common_oauth_provider_documents import DocumentRules
from .common_oauth_provider_flow import FlowRules
from .common_oauth_provider_id_token import IdTokenRules
from .fake_oauth import ANNA


class ProviderRules(FlowRules, IdTokenRules, AnswerRules, DocumentRules):
    """What holds for every provider."""


class TestGoogleSignIn(ProviderRules, OAuthCase):
    flavour = "google"

    def test_identity_is_issuer_and_sub(self):
        consent = self.sign_in()
        self.assertEqual(consent.identity, f"{self.idp.url}|{ANNA.sub}")
        self.assertEqual(consent.server, "smtp.gmail.com:465")

    def test_authorization_request_asks_for_offline_access_to_mail_only(self):
        url, _flow = self.begin()
        query = self.query_of(url)
        self.assertEqual(query["access_type"], "offline")
        self.assertEqual(query["include_granted_scopes"], "false")
        self.assertIn("consent", query["prompt"].split())
        scopes = {"https://mail.google.com/", "openid", "email", "profile"}
        self.assertEqual(set(query["scope"].split()), scopes)

    def test_announced_issuer_may_not_be_missing_from_the_answer(self):
        """RFC 9207 2.4."""
        url, flow = self.begin()
        params = self.idp.visit(url)
        del params["iss"]
        self.assert_refused(FlowInvalid, "issuer", flow, params)

    def test_issuer_without_scheme_is_accepted(self):
        self.knobs.claims = {"iss": self.idp.url.removeprefix("https://")}
        self.assertEqual(self.sign_in().identity, f"{self.idp.url}|{ANNA.sub}")

    def test_long_names_of_granted_scopes_are_understood(self):
        self.knobs.scope = (
            "https://mail.google.com/ openid"
            " https://www.googleapis.com/auth/userinfo.email"
        )
        self.sign_in()

    def test_single_endpoints_can_be_set(self):
        endpoints = {
            "authorization_endpoint": f"{self.idp.url}/authorize",
            "token_endpoint": f"{self.idp.url}/token",
            "jwks_uri": f"{self.idp.url}/keys",
            "issuer": self.idp.url,
        }
        wrong = dict.fromkeys(endpoints, "https://localhost:1/")
        path = "/.well-known/openid-configuration"
        self.knobs.answers = {path: (200, wrong)}
        self.provider = self.make_provider(**endpoints)
        self.sign_in()


class TestMicrosoftSignIn(ProviderRules, OAuthCase):
    flavour = "microsoft"

    def test_identity_is_tid_and_oid(self):
        consent = self.sign_in()
        self.assertEqual(consent.identity, f"{ANNA.tid}.{ANNA.oid}")
        self.assertEqual(consent.server, "smtp.office365.com:587")

    def test_authorization_request_asks_for_smtp_send_and_offline_access(self):
        url, _flow = self.begin()
        scopes = set(self.query_of(url)["scope"].split())
        expected = {"https://outlook.office.com/SMTP.Send", "offline_access"}
        self.assertLessEqual(expected, scopes)
        self.assertIn("openid", scopes)

    def test_tenant_is_part_of_all_addresses(self):
        for tenant in ("organizations", ANNA.tid):
            with self.subTest(tenant=tenant):
                self.provider = self.make_provider(tenant=tenant)
                self.idp.requests.clear()
                consent = self.sign_in()
                self.provider.refresh(consent.tokens)
                for _method, path in self.idp.requests:
                    self.assertTrue(path.startswith(f"/{tenant}/"), path)

    def test_account_of_another_tenant_is_refused(self):
        self.provider = self.make_provider(tenant=ANNA.tid)
        other = "11111111-1111-1111-1111-111111111111"
        for claims in (
            {"tid": other, "iss": f"{self.idp.url}/{other}/v2.0"},
            {"iss": f"{self.idp.url}/{other}/v2.0"},
        ):
            with self.subTest(claims=claims):
                self.knobs.claims = claims
                url, flow = self.begin()
                params = self.idp.visit(url)
                self.assert_refused(FlowInvalid, "id_token", flow, params)

    def test_token_whose_issuer_is_not_its_tenant_is_refused(self):
        other = "11111111-1111-1111-1111-111111111111"
        for claims in ({"tid": other}, {"tid": None}, {"oid": None}, {"oid": "a|b"}):
            with self.subTest(claims=claims):
                self.knobs.claims = claims
                url, flow = self.begin()
                params = self.idp.visit(url)
                self.assert_refused(FlowInvalid, "id_token", flow, params)

    def test_key_of_another_issuer_is_refused(self):
        self.knobs.key_issuer = f"{self.idp.url}/{{tenantid}}/v2.0"
        self.sign_in()
        self.knobs.key_issuer = f"{self.idp.url}/someone-else/v2.0"
        url, flow = self.begin()
        self.assert_refused(FlowInvalid, "id_token", flow, self.idp.visit(url))

    def test_personal_account_has_its_own_server(self):
        tid = "9188040d-6c67-4c5b-b112-36a304b66dad"
        self.knobs.claims = {"tid": tid, "iss": f"{self.idp.url}/{tid}/v2.0"}
        self.assertEqual(self.sign_in().server, "smtp-mail.outlook.com:587")
        self.provider = self.make_provider(tenant="organizations")
        url, flow = self.begin()
        self.assert_refused(FlowInvalid, "id_token", flow, self.idp.visit(url))

    def test_issuer_of_any_tenant_of_the_cloud_may_answer(self):
        self.knobs.authorize_iss = f"{self.idp.url}/{ANNA.tid}/v2.0"
        self.sign_in()
        self.knobs.authorize_iss = f"{self.idp.url}/{ANNA.tid}/../x/v2.0"
        url, flow = self.begin()
        self.assert_refused(FlowInvalid, "issuer", flow, self.idp.visit(url))

    def test_policies_of_the_organisation_are_named(self):
        for number in (90094, 53003, 50105, 50076):
            with self.subTest(number=number):
                text = f"AADSTS{number}: Something about it."
                self.knobs.authorize_error = {
                    "error": "access_denied",
                    "error_description": text,
                }
                url, flow = self.begin()
                error = self.assert_refused(
                    ConsentRefused, "admin_policy", flow, self.idp.visit(url)
                )
                self.assertEqual(error.reference, f"AADSTS{number}")
                self.assertIn(text, str(error))

    def test_unknown_tenant_is_for_the_administrator(self):
        path = "/.well-known/openid-configuration"
        self.knobs.answers = {path: (400, {"error": "invalid_tenant"})}
        provider = self.make_provider(tenant="nobody.example")
        with self.assertRaises(ProviderMisconfigured) as caught:
            provider.begin(self.idp.redirect_uri)
        self.assertEqual(caught.exception.code, "tenant")

    def test_tenant_cannot_change_the_address(self):
        for tenant in ("../x", "a/b", "a?b", "a#b", "a b", "a%2fb", "x" * 300):
            with self.subTest(tenant=tenant[:9]), self.assertRaises(OAuthError):
                self.make_provider(tenant=tenant)

    def test_endpoint_that_would_be_ignored_is_refused(self):
        for name in ("authorization_endpoint", "token_endpoint"):
            with self.subTest(name=name), self.assertRaises(ProviderMisconfigured):
                self.make_provider(**{name: f"{self.idp.url}/x"})
