"""The organisation accounts in the settings: what is entered, kept and said."""

import json

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, tagged

from ..tools import vault
from .common_oauth_flow import OAuthFlowCase
from .fake_oauth_organisation import OWN_TENANT, make_service_key
from .test_organisation_access import OrganisationCommon

KEY = "email_alias_google_organisation_key"


@tagged("post_install", "-at_install", "user_email_alias")
class TestOrganisationSettings(OrganisationCommon):
    def settings(self, **values):
        return self.env["res.config.settings"].create(values)

    def test_key_goes_in_and_never_comes_out(self):
        text = make_service_key(private_key_id="canary")
        settings = self.settings(**{KEY: text})
        self.assertFalse(settings[KEY])
        stored = self.Params.get_param("user_email_alias.google_organisation_key")
        self.assertNotIn("canary", stored)
        kept = json.loads(self.Settings._read_secret__("google", "organisation_key"))
        self.assertEqual(kept["private_key_id"], "canary")
        self.assertEqual(kept.keys() & {"token_uri", "universe_domain"}, set())
        self.assertTrue(settings.email_alias_google_has_organisation_key)

    def test_what_is_no_key_is_said_and_the_old_one_stays(self):
        before = self.Settings._read_secret__("google", "organisation_key")
        for text, words in (
            ("AIza-no-json", "not JSON"),
            (json.dumps({"type": "authorized_user"}), "not that of a service account"),
        ):
            with self.assertRaisesRegex(ValidationError, words):
                self.settings(**{KEY: text})
        after = self.Settings._read_secret__("google", "organisation_key")
        self.assertEqual(after, before)

    def test_missing_parts_are_said_as_they_are_typed(self):
        with Form(self.env["res.config.settings"]) as form:
            self.assertFalse(form.email_alias_microsoft_organisation_missing)
            form.email_alias_microsoft_tenant = "common"
            self.assertIn(
                "own directory", form.email_alias_microsoft_organisation_missing
            )
            form.email_alias_microsoft_organisation = False
            self.assertFalse(form.email_alias_microsoft_organisation_missing)
        self.Settings._set_secret__("google", "organisation_key", "")
        settings = self.settings()
        self.assertIn("missing", settings.email_alias_google_organisation_missing)

    def test_key_opens_for_its_provider_only(self):
        self.Params.set_param(
            "user_email_alias.google_authority", "https://evil.example"
        )
        with self.assertRaises(vault.WrongRow):
            self.Settings._read_secret__("google", "organisation_key")
        settings = self.settings()
        self.assertFalse(settings.email_alias_google_has_organisation_key)

    def test_every_key_of_the_vault_counts_and_renews_it(self):
        Keys = self.env["user.email.alias.keys"]
        tokens = Keys._get_client_secrets()
        self.assertIn(
            self.Params.get_param("user_email_alias.google_organisation_key"), tokens
        )

    def test_key_is_forgotten(self):
        settings = self.settings()
        settings.with_context(
            email_alias_provider="google"
        ).action_email_alias_forget_organisation_key()
        self.assertFalse(
            self.Params.get_param("user_email_alias.google_organisation_key")
        )

    def test_only_administrators_of_the_settings_are_here(self):
        for user in (self.user_alice, self.user_manager):
            Config = self.env["res.config.settings"].with_user(user)
            with self.assertRaises(AccessError):
                Config.create({KEY: make_service_key()})

    def test_consent_of_an_administrator_has_an_address(self):
        url = self.settings().email_alias_microsoft_consent_url
        start = f"https://login.microsoftonline.com/{OWN_TENANT}/adminconsent?"
        self.assertTrue(url.startswith(start), url)
        self.assertIn("client_id=an+app", url)
        self.assertIn("microsoft%2Fcallback", url)


class CheckTests:
    """The button "Check the Key" against the real thing."""

    def setUp(self):
        super().setUp()
        Params = self.env["ir.config_parameter"]
        Params.set_param("user_email_alias.attempts_per_minute", "0")
        Params.set_param(f"user_email_alias.{self.flavour}_organisation", "True")

    def check(self):
        settings = self.env["res.config.settings"].create({})
        action = settings.with_context(
            email_alias_provider=self.flavour
        ).action_email_alias_check_organisation()
        return action["params"]["type"], action["params"]["message"]


@tagged("post_install", "-at_install", "user_email_alias")
class TestMicrosoftCheck(CheckTests, OAuthFlowCase):
    flavour = "microsoft"

    def setUp(self):
        super().setUp()
        self.Params = self.env["ir.config_parameter"]
        self.Params.set_param("user_email_alias.microsoft_tenant", OWN_TENANT)

    def test_good_key_wrong_tenant_and_wrong_secret_are_told_apart(self):
        self.assertEqual(self.check()[0], "success")
        self.idp.unknown_tenants = {OWN_TENANT}
        self.assertIn("tenant in the settings does not exist", self.check()[1])
        self.idp.unknown_tenants = frozenset()
        self.idp.client_secret = "another"
        kind, words = self.check()
        self.assertEqual(kind, "danger")
        self.assertIn("does not know this application or its secret", words)

    def test_answer_of_an_administrator_is_said(self):
        for params, words in (
            ({"admin_consent": "True", "tenant": OWN_TENANT}, "has consented for all"),
            ({"admin_consent": "True", "error": "access_denied"}, "no administrator"),
        ):
            self.assertIn(words, self.come_back(params))
            self.assertTrue(self.location.endswith("/odoo/email-aliases"))
        self.assert_untouched()

    def test_answer_of_a_sign_in_is_no_such_answer(self):
        params = self.idp.visit(self.begin())
        message = self.come_back({**params, "admin_consent": "True"})
        self.assertEqual(message, "Status: OK")


@tagged("post_install", "-at_install", "user_email_alias")
class TestGoogleCheck(CheckTests, OAuthFlowCase):
    flavour = "google"

    def test_good_key_and_revoked_key_are_told_apart(self):
        self.env["res.config.settings"].create({KEY: make_service_key()})
        self.assertEqual(self.check()[0], "success")
        self.idp.is_key_revoked = True
        kind, words = self.check()
        self.assertEqual(kind, "danger")
        self.assertIn("key is revoked", words)
