"""Sign in with a provider: from the button to the first email, and what is refused."""

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tests.common import JsonRpcException

from ..exceptions import AliasHold, AliasRetry
from ..tools.deadline import Deadline
from ..tools.oauth import ProviderMisconfigured
from .common_oauth_flow import OAuthFlowCase
from .fake_oauth import ANNA, BORIS


class SignInTests:
    def test_consent_fills_the_alias_and_a_login_proves_it(self):
        self.assertEqual(self.sign_in(), "Status: OK")
        self.assertIn(f"/odoo/email-aliases/{self.alias.id}", self.location)
        self.assertEqual(self.alias.email_from, ANNA.email)
        self.assertEqual(self.alias.alias_name, "Anna Berg")
        self.assertEqual(self.alias.name, ANNA.email)
        self.assertEqual(self.alias.provider, self.flavour)
        self.assertEqual(self.alias.state, "ok")
        self.assertTrue(self.alias.is_signed_in)
        self.assertEqual(self.smtp.sessions[-1].login, ANNA.email)

    def test_stored_tokens_are_cipher_text(self):
        self.sign_in()
        secret = self.alias.sudo().oauth_secret
        for token in self.idp.access_tokens:
            self.assertNotIn(token, secret)
        self.assertTrue(secret.startswith("v1:"))

    def test_sending_logs_in_with_a_fresh_token(self):
        self.sign_in()
        connection = self.alias.sudo()._open_connection__(Deadline(20))
        self.addCleanup(connection.close)
        result = connection.submit(
            ANNA.email, ["x@example.org"], b"Subject: Hi\r\n\r\nHi\r\n"
        )
        self.assertEqual(result.accepted, ["x@example.org"])

    def test_cancelled_consent_changes_nothing(self):
        self.alias.name = "Typed in"
        self.assertIn("cancelled", self.sign_in(decision="cancel"))
        self.assert_untouched()

    def test_cancelled_consent_leaves_no_empty_alias_behind(self):
        self.assertIn("cancelled", self.sign_in(decision="cancel"))
        self.assertFalse(self.alias.exists())
        self.assertTrue(self.location.endswith("/odoo/email-aliases"))

    def test_another_mailbox_than_the_from_address_changes_nothing(self):
        self.alias.write(
            {"name": "x", "email_from": ANNA.email, "smtp_server": "mail.example.com"}
        )
        self.smtp.on("mail", reply="550 5.7.60 not permitted to send as this sender")
        self.assertIn(BORIS.email, self.sign_in(BORIS))
        self.assertEqual(self.alias.provider, "smtp")
        self.assertFalse(self.alias.sudo().oauth_secret)

    def test_login_that_does_not_prove_the_mailbox_changes_nothing(self):
        self.smtp.check_token = lambda user, token: {"status": "400"}
        self.assertIn("did not accept the account", self.sign_in())
        self.assert_untouched()

    def test_another_account_is_asked_for_and_refused_while_mail_waits(self):
        self.sign_in()
        self.assertIn("Please confirm", self.sign_in(BORIS))
        self.assertEqual(self.alias.email_from, ANNA.email)
        self.assertEqual(self.alias.oauth_pending_user, BORIS.email)
        self.alias.action_keep_account()
        self.assertFalse(self.alias.sudo().oauth_pending_secret)
        self.sign_in(BORIS)
        self.alias.action_use_other_account()
        self.assertEqual(self.alias.email_from, BORIS.email)
        mail = self.env["mail.mail"].create(
            {"email_to": "x@example.org", "email_alias_id": self.alias.id}
        )
        self.assertEqual(mail.state, "outgoing")
        self.env.invalidate_all()
        self.assertIn("still wait to leave", self.sign_in(ANNA))
        self.assertEqual(self.alias.email_from, BORIS.email)

    def test_description_that_nobody_typed_follows_the_account(self):
        for typed, left in ((None, BORIS.email), ("My desk", "My desk")):
            self.sign_in()
            if typed:
                self.alias.name = typed
            self.sign_in(BORIS)
            self.alias.action_use_other_account()
            self.assertEqual(self.alias.name, left)
            self.alias.action_disconnect()
            self.alias.email_from = False

    def test_disconnect_revokes_and_forgets(self):
        self.sign_in()
        self.alias.action_disconnect()
        self.assertFalse(self.alias.is_signed_in)
        self.assertEqual(self.alias.provider, "smtp")
        self.assertFalse(self.alias.sudo().oauth_identity)
        if self.flavour == "google":
            self.assertEqual(self.idp.revocations, 1)

    # ------------------------------------------------------------------
    # Refused, nothing stored
    # ------------------------------------------------------------------

    def test_missing_reused_and_forged_state_are_refused(self):
        params = self.idp.visit(self.begin())
        self.come_back({"code": params["code"]})
        self.assert_untouched()
        self.assertIn(
            "another sign-in",
            self.come_back({**params, "state": "x" + params["state"]}),
        )
        self.assert_untouched()
        # nobody ends a sign-in without knowing its state
        self.assertEqual(self.come_back(params), "Status: OK")
        self.alias.action_disconnect()
        self.come_back(params)
        self.assertFalse(self.alias.is_signed_in)

    def test_each_tab_finishes_the_sign_in_it_began(self):
        second = self.create_alias(self.user)
        first_params = self.idp.visit(self.begin())
        second_params = self.idp.visit(self.begin(second), BORIS)
        self.assertEqual(self.come_back(first_params), "Status: OK")
        self.assertEqual(self.come_back(second_params), "Status: OK")
        self.assertEqual(self.alias.email_from, ANNA.email)
        self.assertEqual(second.email_from, BORIS.email)
        self.assertFalse(self.get_session_flows())

    def test_sign_ins_of_a_session_are_bounded(self):
        params = self.idp.visit(self.begin())
        for _tab in range(6):
            self.begin()
        self.assertEqual(len(self.get_session_flows()), 5)
        self.assertIn("another sign-in", self.come_back(params))
        self.assert_untouched()

    def test_missing_permission_for_later_is_asked_for_once_more(self):
        self.idp.knobs.issues_refresh_token = False
        self.come_back(self.idp.visit(self.begin()))
        self.assertTrue(self.location.startswith(f"{self.idp.url}/"))
        self.assertIn("consent", self.location)
        self.assertEqual(self.answer.headers["Referrer-Policy"], "no-referrer")
        self.idp.knobs.issues_refresh_token = True
        self.assertEqual(self.come_back(self.idp.visit(self.location)), "Status: OK")

    def test_provider_that_never_gives_permission_for_later_is_asked_twice(self):
        self.idp.knobs.issues_refresh_token = False
        self.come_back(self.idp.visit(self.begin()))
        self.assertIn(
            "while you are away", self.come_back(self.idp.visit(self.location))
        )
        self.assertIn("/odoo/email-aliases", self.location)

    def test_prompt_of_the_administrator_counts_with_a_from_address_too(self):
        self.env["ir.config_parameter"].set_param(
            f"user_email_alias.{self.flavour}_prompt", "login"
        )
        self.alias.write({"name": "x", "email_from": ANNA.email})
        url = self.begin()
        self.assertIn("prompt=login", url)
        self.assertIn("login_hint=", url)

    def test_wrong_prompt_is_for_the_administrator(self):
        self.idp.knobs.authorize_error = {
            "error": "invalid_request",
            "error_description": "unsupported prompt value",
        }
        said = self.sign_in()
        self.assertIn("Ask your administrator", said)
        self.assertNotIn("Start again", said)

    def test_plain_http_address_of_odoo_is_not_blamed_on_the_provider(self):
        self.env["ir.config_parameter"].set_param(
            "web.base.url", "http://odoo.example.com"
        )
        with self.assertRaises(ProviderMisconfigured) as caught:
            self.alias._begin_sign_in__(self.flavour)
        said = self.alias._explain_sign_in(caught.exception)
        self.assertIn("web.base.url", said)
        self.assertIn("administrator", said)
        self.assertNotIn("provider says", said)

    def test_answer_serves_once(self):
        params = self.idp.visit(self.begin())
        self.assertEqual(self.come_back(params), "Status: OK")
        self.alias.action_disconnect()
        self.come_back(params)
        self.assertFalse(self.alias.is_signed_in)

    def test_answer_in_another_session_or_of_another_user_is_refused(self):
        params = self.idp.visit(self.begin())
        self.login(self.user)
        self.come_back(params)
        self.assert_untouched()
        params = self.idp.visit(self.begin())
        flow = self.get_session_flow()
        self.login(self.other)
        session = self.session
        session["user_email_alias_flows"] = {flow["state"]: flow}
        self._save(session)
        self.assertIn("of your own", self.come_back(params))
        self.assert_untouched()

    def _save(self, session):
        from odoo.http import root

        root.session_store.save(session)

    def test_answer_for_another_alias_is_refused(self):
        second = self.create_alias(self.user)
        params = self.idp.visit(self.begin())
        self.set_session_flow(alias_id=second.id)
        self.come_back(params)
        self.assert_untouched()
        self.assert_untouched(second)

    def test_expired_flow_is_refused(self):
        params = self.idp.visit(self.begin())
        self.set_session_flow(created_at=self.get_session_flow()["created_at"] - 601)
        self.assertIn("took too long", self.come_back(params))
        self.assert_untouched()

    def test_callback_of_the_other_provider_is_refused(self):
        other = "microsoft" if self.flavour == "google" else "google"
        params = self.idp.visit(self.begin())
        self.come_back(params, key=other)
        self.assert_untouched()

    def test_changed_verifier_and_nonce_are_refused(self):
        for name in ("code_verifier", "nonce"):
            params = self.idp.visit(self.begin())
            private = self.get_session_flow()["private"]
            self.assertIn(name, private)
            self.set_session_flow(private={**private, name: "x" * 50})
            with self.subTest(name):
                self.come_back(params)
                self.assert_untouched()

    def test_logged_out_visitor_reaches_nothing(self):
        params = self.idp.visit(self.begin())
        self.authenticate(None, None)
        answer = self.url_open(
            f"/user_email_alias/oauth/{self.flavour}/callback",
            params=params,
            allow_redirects=False,
        )
        self.assertIn("/web/login", answer.headers["Location"])
        page = self.url_open(answer.headers["Location"]).text
        self.assertIn("click the Sign In button of your email alias", page)
        self.assertIn('value="/odoo/email-aliases"', page)
        self.assertNotIn(params["code"], answer.headers["Location"])
        self.assert_untouched()

    def test_nobody_begins_for_a_foreign_alias(self):
        self.login(self.other)
        with self.assertRaises(JsonRpcException):
            self.begin(self.alias)
        self.assertFalse(self.get_session_flow())
        with self.assertRaises(AccessError):
            self.alias.with_user(self.other)._begin_sign_in__(self.flavour)

    def test_callback_redirects_nowhere_else(self):
        params = self.idp.visit(self.begin())
        self.come_back(
            {**params, "redirect": "https://evil.example", "next": "//evil.example"}
        )
        self.assertNotIn("evil", self.location)

    def test_unconfigured_provider_has_no_button(self):
        self.assertTrue(self.alias[f"has_{self.flavour}"])
        self.env["user.email.alias.oauth.settings"]._set_client_secret__(
            self.flavour, ""
        )
        self.env.invalidate_all()
        self.assertFalse(self.alias[f"has_{self.flavour}"])
        with self.assertRaises(UserError):
            self.alias.with_context(email_alias_provider=self.flavour).action_sign_in()

    # ------------------------------------------------------------------
    # Later
    # ------------------------------------------------------------------

    def test_stale_token_is_refreshed_and_the_rotation_kept(self):
        self.idp.knobs.rotates = True
        self.sign_in()
        before = self.alias.sudo().oauth_secret
        token, is_new = self.alias.sudo()._get_access_token__(is_forced=True)
        self.assertTrue(is_new)
        self.env.invalidate_all()
        self.assertNotEqual(self.alias.sudo().oauth_secret, before)
        self.assertTrue(self.idp.is_valid_access_token(ANNA.email, token))
        self.alias.sudo()._get_access_token__(is_forced=True)
        self.assertEqual(self.idp.refused_refreshes, 0)

    def test_dead_consent_is_a_hold_and_an_outage_is_not(self):
        self.sign_in()
        self.idp.knobs.refresh_answer = (503, {"error": "temporarily_unavailable"})
        with self.assertRaises(AliasRetry):
            self.alias.sudo()._get_access_token__(is_forced=True)
        self.idp.knobs.refresh_answer = None
        self.idp.revoke_all()
        with self.assertRaises(AliasHold) as caught:
            self.alias.sudo()._get_access_token__(is_forced=True)
        self.assertEqual(caught.exception.reason, "sign_in")

    def test_keep_alive_refreshes_the_idle_and_warns_of_the_dead(self):
        self.sign_in()
        refreshes = self.idp.refreshes
        self._run_keep_alive()
        self.assertEqual(self.idp.refreshes, refreshes)
        later = fields.Datetime.subtract(fields.Datetime.now(), days=31)
        self.alias.sudo().oauth_refreshed_at = later
        self._run_keep_alive()
        self.assertEqual(self.idp.refreshes, refreshes + 1)
        self.env.invalidate_all()
        self.idp.revoke_all()
        self.alias.sudo().oauth_refreshed_at = later
        self._run_keep_alive()
        self.assertEqual(self.alias.state, "hold")

    def _run_keep_alive(self):
        self.env.flush_all()
        with self.registry.cursor() as cr:
            self.env(cr=cr)["user.email.alias"]._cron_keep_alive()
        self.env.invalidate_all()

    def test_signing_in_again_releases_the_hold(self):
        self.sign_in()
        self.alias.sudo()._set_hold("sign_in", "Sign in again.")
        self.assertEqual(self.sign_in(), "Status: OK")
        self.assertEqual(self.alias.state, "ok")

    def test_settings_say_what_is_missing(self):
        Settings = self.env["user.email.alias.oauth.settings"]
        Params = self.env["ir.config_parameter"]
        key = f"user_email_alias.{self.flavour}_client_id"

        def missing():
            settings = self.env["res.config.settings"].create({})
            return settings[f"email_alias_{self.flavour}_missing"] or ""

        Params.set_param("web.base.url", "https://odoo.example.com")
        self.assertEqual(missing(), "")
        Params.set_param("web.base.url", "http://odoo.example.com")
        self.assertIn("HTTPS", missing())
        Params.set_param("web.base.url", "http://localhost:8069")
        self.assertEqual(missing(), "")
        client_id = Params.get_param(key)
        Params.set_param(key, False)
        self.assertIn("Client ID", missing())
        Params.set_param(key, client_id)
        Settings._set_client_secret__(self.flavour, "")
        self.assertIn("Client Secret", missing())
        Params.set_param(key, False)
        self.assertIn("Not set up", missing())

    def test_settings_never_give_the_secret_back(self):
        settings = self.env["res.config.settings"].create({})
        fname = f"email_alias_{self.flavour}_client_secret"
        self.assertFalse(settings[fname])
        self.assertTrue(settings[f"email_alias_{self.flavour}_has_secret"])
        settings[fname] = "canary-client-secret"
        settings.execute()
        self.assertFalse(settings[fname])
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT value FROM ir_config_parameter WHERE key = %s",
            [f"user_email_alias.{self.flavour}_client_secret"],
        )
        self.assertNotIn("canary", self.env.cr.fetchone()[0])

    def test_forgetting_the_secret_asks_for_rights_and_a_known_provider(self):
        settings = self.env["res.config.settings"].create({})
        self.assertTrue(settings[f"email_alias_{self.flavour}_has_secret"])
        with self.assertRaises(UserError):
            settings.with_context(
                email_alias_provider="nobody"
            ).action_email_alias_forget_secret()
        named = settings.with_context(email_alias_provider=self.flavour)
        with self.assertRaises(AccessError):
            named.with_user(self.alias.user_id).action_email_alias_forget_secret()
        named.action_email_alias_forget_secret()
        settings = self.env["res.config.settings"].create({})
        self.assertFalse(settings[f"email_alias_{self.flavour}_has_secret"])


@tagged("post_install", "-at_install", "user_email_alias")
class TestGoogleSignIn(SignInTests, OAuthFlowCase):
    flavour = "google"


@tagged("post_install", "-at_install", "user_email_alias")
class TestMicrosoftSignIn(SignInTests, OAuthFlowCase):
    flavour = "microsoft"
