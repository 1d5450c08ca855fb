"""What becomes of a signed-in alias: changed, held, released, disconnected, copied."""

from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..exceptions import AliasHold
from ..tools import vault
from ..tools.deadline import Deadline
from .common_oauth_flow import OAuthFlowCase
from .fake_oauth import ANNA, BORIS


class LifeTests:
    # ------------------------------------------------------------------
    # Disconnect
    # ------------------------------------------------------------------

    def test_disconnect_keeps_the_consent_that_another_alias_lives_on(self):
        second = self.create_alias(self.user)
        self.sign_in()
        self.sign_in(alias=second)
        self.alias.action_disconnect()
        self.assertEqual(self.idp.revocations, 0)
        token, _is_new = second.sudo()._get_access_token__(is_forced=True)
        self.assertTrue(self.idp.is_valid_access_token(ANNA.email, token))
        second.action_disconnect()
        self.assertEqual(self.idp.revocations, self.is_revocable)

    def test_disconnect_keeps_the_consent_of_a_colleague_with_the_same_account(self):
        self.sign_in()
        self.login(self.other)
        theirs = self.create_alias(self.other, active=True)
        self.sign_in(alias=theirs)
        self.login(self.user)
        self.call(self.alias, "action_disconnect")
        self.assertEqual(self.idp.revocations, 0)
        theirs.sudo()._get_access_token__(is_forced=True)

    def test_disconnected_alias_is_not_ok_any_more(self):
        self.sign_in()
        self.alias.action_disconnect()
        self.assertEqual(self.alias.state, "draft")
        self.assertFalse(self.alias._is_complete())

    def test_disconnect_holds_waiting_mail_until_the_same_account_is_back(self):
        self.sign_in()
        mail = self.queue_mail()
        self.alias.action_disconnect()
        self.assertEqual(self.alias.state, "hold")
        self.assertEqual(mail.state, "outgoing")
        self.assertIn("From Address of this alias", self.sign_in(BORIS))
        self.assertEqual(self.alias.state, "hold")
        self.assertEqual(self.sign_in(), "Status: OK")
        self.assertEqual(self.alias.state, "ok")

    def test_disconnect_works_without_the_key(self):
        self.sign_in()
        with patch.object(vault.Vault, "decrypt", side_effect=vault.WrongKey("x")):
            self.alias.action_disconnect()
        self.assertFalse(self.alias.is_signed_in)

    def test_deleted_alias_leaves_no_consent_behind(self):
        self.sign_in()
        self.alias.unlink()
        self.assertEqual(self.idp.revocations, self.is_revocable)

    # ------------------------------------------------------------------
    # Another account
    # ------------------------------------------------------------------

    def test_other_account_is_proved_when_it_is_taken(self):
        self.sign_in()
        self.sign_in(BORIS)
        real, self.smtp.check_token = self.smtp.check_token, lambda user, token: False
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self.alias.action_use_other_account()
        self.assertEqual(self.alias.email_from, ANNA.email)
        self.assertEqual(self.alias.oauth_pending_user, BORIS.email)
        self.smtp.check_token = real
        self.alias.action_use_other_account()
        self.assertEqual(self.alias.email_from, BORIS.email)
        self.assertEqual(self.alias.oauth_user, BORIS.email)
        self.assertFalse(self.alias.oauth_pending_user)
        self.assertEqual(self.alias.state, "ok")
        # nobody uses the old account any more
        self.assertEqual(self.idp.revocations, self.is_revocable)

    def test_only_the_owner_answers_for_another_account(self):
        self.sign_in()
        self.sign_in(BORIS)
        for method in ("action_use_other_account", "action_keep_account"):
            with self.assertRaises(AccessError, msg=method):
                getattr(self.alias.with_user(self.other), method)()
        self.assertEqual(self.alias.oauth_pending_user, BORIS.email)

    def test_refused_other_account_is_withdrawn(self):
        self.sign_in()
        self.sign_in(BORIS)
        self.alias.action_keep_account()
        self.assertFalse(self.alias.oauth_pending_user)
        self.assertEqual(self.idp.revocations, self.is_revocable)
        self.alias.sudo()._get_access_token__(is_forced=True)

    # ------------------------------------------------------------------
    # Changes by hand
    # ------------------------------------------------------------------

    def test_changed_from_address_is_not_proved_until_a_login_has(self):
        self.sign_in()
        self.alias.email_from = "sales@example.com"
        self.assertEqual(self.alias.state, "draft")
        self.smtp.on(
            "mail",
            match="sales@",
            reply="550 5.7.60 Client does not have permissions to send as this sender",
            times=1,
        )
        self.assertIn("did not accept", self.sign_in())
        self.assertEqual(self.alias.state, "draft")
        self.assertEqual(self.sign_in(), "Status: OK")
        self.assertEqual(self.alias.email_from, "sales@example.com")
        self.assertEqual(self.alias.oauth_user, ANNA.email)

    def test_copy_is_an_alias_without_an_account(self):
        self.sign_in()
        copy = self.alias.copy()
        self.assertEqual(copy.provider, "smtp")
        self.assertFalse(copy.is_signed_in)
        self.assertFalse(copy.sudo().oauth_identity)
        self.assertFalse(copy.oauth_user)
        self.assertEqual(copy.state, "draft")

    def test_archived_alias_comes_back_signed_in(self):
        self.sign_in()
        self.alias.active = False
        self.alias.active = True
        self.assertTrue(self.alias.is_signed_in)
        self.assertEqual(self.alias.state, "ok")

    # ------------------------------------------------------------------
    # The administrator
    # ------------------------------------------------------------------

    def test_expired_client_secret_holds_until_the_administrator_mends_it(self):
        self.sign_in()
        Settings = self.env["user.email.alias.oauth.settings"]
        Settings._set_client_secret__(self.flavour, "expired")
        with self.assertRaises(AliasHold) as caught:
            self.alias.sudo()._get_access_token__(is_forced=True)
        self.assertEqual(caught.exception.reason, "provider")
        self.assertIn("administrator", str(caught.exception))
        self.alias._set_hold("provider", str(caught.exception))
        settings = self.env["res.config.settings"].create({})
        settings.execute()
        self.assertEqual(self.alias.state, "hold", "nothing was changed")
        settings[f"email_alias_{self.flavour}_client_secret"] = self.idp.client_secret
        settings.execute()
        self.assertEqual(self.alias.state, "draft")
        self.alias.sudo()._get_access_token__(is_forced=True)

    def test_unconfigured_provider_is_a_hold_and_no_crash(self):
        self.sign_in()
        Settings = self.env["user.email.alias.oauth.settings"]
        Settings._set_client_secret__(self.flavour, "")
        with self.assertRaises(AliasHold) as caught:
            self.alias.sudo()._open_connection__(Deadline(20))
        self.assertEqual(caught.exception.reason, "provider")

    def test_lost_key_asks_for_a_sign_in_and_not_for_a_password(self):
        self.sign_in()
        binding = self.alias._get_binding("oauth_secret")
        other = vault.Vault([vault.generate_key()])
        self.alias.sudo().oauth_secret = other.encrypt("tokens", binding)
        with self.assertRaises(AliasHold) as caught:
            self.alias.sudo()._open_connection__(Deadline(20))
        self.assertEqual(caught.exception.reason, "vault")
        self.assertIn("Sign in again", str(caught.exception))
        self.assertNotIn("password", str(caught.exception))

    # ------------------------------------------------------------------
    # Keep alive
    # ------------------------------------------------------------------

    def test_keep_alive_looks_after_the_held_and_not_after_leavers(self):
        self.sign_in()
        alias = self.alias.sudo()
        for values, is_refreshed in (
            ({"state": "hold", "hold_reason": "sender"}, True),
            ({"state": "hold", "hold_reason": "sign_in"}, False),
            ({"state": "hold", "hold_reason": "provider"}, True),
            ({"state": "ok", "hold_reason": False}, True),
        ):
            with self.subTest(values):
                self.assertEqual(self.keep_alive(alias, values), is_refreshed)
        self.assertEqual(alias.state, "ok")
        self.user.active = False
        self.assertFalse(self.keep_alive(alias, {"state": "ok"}))

    def test_keep_alive_releases_what_waited_for_the_administrator(self):
        self.sign_in()
        alias = self.alias.sudo()
        self.keep_alive(alias, {"state": "hold", "hold_reason": "provider"}, days=0)
        self.assertEqual(alias.state, "draft")

    def test_keep_alive_tells_the_owner_once_and_spares_others(self):
        second = self.create_alias(self.user)
        self.sign_in()
        self.sign_in(BORIS, alias=second)
        for grant in self.idp.grants:
            grant.is_live = grant.account is BORIS
        told = []
        Alias = type(self.env["user.email.alias"])
        with patch.object(
            Alias, "_notify_owner", lambda self, message: told.append((self, message))
        ):
            for alias in (self.alias, second):
                alias.sudo().oauth_refreshed_at = self.days_ago(31)
            self.run_keep_alive()
            self.run_keep_alive()
        self.assertEqual([alias.id for alias, _message in told], [self.alias.id])
        self.assertIn("Sign in again", told[0][1])
        self.assertEqual(self.alias.state, "hold")
        self.assertEqual(second.state, "ok")

    def test_outage_lets_keep_alive_try_again_tomorrow(self):
        self.sign_in()
        self.idp.knobs.refresh_answer = (503, b"")
        self.assertTrue(self.keep_alive(self.alias.sudo(), {}))
        self.assertEqual(self.alias.state, "ok")

    # ------------------------------------------------------------------

    @property
    def is_revocable(self):
        """Microsoft has no address to revoke at."""
        return int(self.flavour == "google")

    def queue_mail(self):
        return self.env["mail.mail"].create(
            {"email_to": "x@example.org", "email_alias_id": self.alias.id}
        )

    def days_ago(self, days):
        return fields.Datetime.subtract(fields.Datetime.now(), days=days)

    def keep_alive(self, alias, values, days=31):
        """Run the job; return whether the provider was asked."""
        alias.write({**values, "oauth_refreshed_at": self.days_ago(days)})
        before = self.idp.refreshes
        self.run_keep_alive()
        return self.idp.refreshes > before

    def run_keep_alive(self):
        self.env.flush_all()
        with self.registry.cursor() as cr:
            self.env(cr=cr)["user.email.alias"]._cron_keep_alive()
        self.env.invalidate_all()


@tagged("post_install", "-at_install", "user_email_alias")
class TestGoogleLife(LifeTests, OAuthFlowCase):
    flavour = "google"


@tagged("post_install", "-at_install", "user_email_alias")
class TestMicrosoftLife(LifeTests, OAuthFlowCase):
    flavour = "microsoft"
