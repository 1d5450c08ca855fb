"""A client secret that ends: seen, and told in good time."""

from datetime import timedelta

from odoo import fields
from odoo.tests import Form, TransactionCase, new_test_user, tagged

from ..exceptions import AliasHold
from .common_oauth_flow import OAuthFlowCase


class SecretEndCase:
    def today(self):
        return fields.Date.today()

    def get_end(self, key="microsoft"):
        return self.env["user.email.alias.secret.end"]._get_end(key)

    def set_end(self, days, key="microsoft"):
        day = self.today() + timedelta(days=days)
        self.env["user.email.alias.secret.end"]._set_end(key, day)

    def find_notices(self):
        return self.env["mail.message"].search(
            [("subject", "like", "Client Secret for signing in with")], order="id"
        )


@tagged("post_install", "-at_install", "user_email_alias")
class TestSecretEnd(SecretEndCase, TransactionCase):
    def setUp(self):
        super().setUp()
        Params = self.env["ir.config_parameter"]
        for key in ("google", "microsoft"):
            Params.set_param(f"user_email_alias.{key}_client_id", "an-app")
        self.admin = new_test_user(self.env, "end_admin", "base.group_system")
        self.user = new_test_user(self.env, "end_user", "base.group_user")

    def tell(self):
        before = self.find_notices()
        self.env["user.email.alias.secret.end"]._tell_ends()
        return self.find_notices() - before

    def test_administrators_are_told_in_three_steps_each_once(self):
        told = []
        for days in (45, 31, 30, 29, 8, 7, 1, 0, -1, -40):
            end = self.today() + timedelta(days=days)
            self.env["ir.config_parameter"].set_param(
                "user_email_alias.secret_ends.microsoft", fields.Date.to_string(end)
            )
            told += [days] * len(self.tell())
            self.assertFalse(self.tell(), "once a step")
        self.assertEqual(told, [30, 7, 0])
        notice = self.find_notices()[0]
        self.assertIn("Microsoft", notice.subject)
        self.assertIn(self.admin.partner_id, notice.notified_partner_ids)
        self.assertNotIn(self.user.partner_id, notice.notified_partner_ids)
        self.assertIn((self.today() + timedelta(days=30)).isoformat(), notice.body)

    def test_another_day_is_told_anew(self):
        self.set_end(20)
        self.assertEqual(len(self.tell()), 1)
        self.set_end(21)
        self.assertEqual(len(self.tell()), 1)

    def test_a_provider_that_is_not_set_up_is_no_news(self):
        self.set_end(5)
        self.env["ir.config_parameter"].set_param(
            "user_email_alias.microsoft_client_id", False
        )
        self.assertFalse(self.tell())

    def test_what_is_no_day_is_none(self):
        for text in ("soon", "2026-13-45", "-", "2026"):
            with self.subTest(text=text):
                self.env["ir.config_parameter"].set_param(
                    "user_email_alias.secret_ends.microsoft", text
                )
                self.assertFalse(self.get_end())
                self.assertFalse(self.tell())

    def test_the_settings_show_it_and_another_secret_forgets_what_has_passed(self):
        end = self.today() + timedelta(days=12)
        with Form(self.env["res.config.settings"]) as form:
            form.email_alias_microsoft_client_secret = "first secret"
            form.email_alias_microsoft_secret_ends = end
            self.assertIn(end.isoformat(), form.email_alias_microsoft_missing)
        self.assertEqual(self.get_end(), end)
        settings = self.env["res.config.settings"].create({})
        self.assertEqual(settings.email_alias_microsoft_secret_ends, end)
        self.assertFalse(self.get_end("google"))
        Settings = self.env["user.email.alias.oauth.settings"]
        Settings._set_client_secret__("microsoft", "second secret")
        self.assertEqual(self.get_end(), end, "it was entered for this one, perhaps")
        self.set_end(0)
        Settings._set_client_secret__("microsoft", "third secret")
        self.assertFalse(self.get_end())


@tagged("post_install", "-at_install", "user_email_alias")
class TestSecretHasEnded(SecretEndCase, OAuthFlowCase):
    flavour = "microsoft"

    def test_the_end_is_read_from_the_providers_answer(self):
        self.sign_in()
        self.set_end(100)
        words = "AADSTS7000222: The provided client secret keys are expired."
        self.idp.knobs.refresh_answer = (
            401,
            {
                "error": "invalid_client",
                "error_codes": [7000222],
                "error_description": words,
            },
        )
        self.env.flush_all()
        for _twice in range(2):
            error = self.fail_to_renew()
            self.assertEqual(error.reason, "provider")
            self.assertIn("has ended", str(error))
        self.env.invalidate_all()
        self.assertEqual(self.get_end(), self.today())
        self.assertEqual(len(self.find_notices()), 1)

    def fail_to_renew(self):
        # assertRaises would roll back what is committed beside
        try:
            self.alias.sudo()._get_access_token__(is_forced=True)
        except AliasHold as error:
            return error
        self.fail("the provider has refused it")

    def test_the_daily_job_tells_it(self):
        self.set_end(3)
        self.env.flush_all()
        with self.env.registry.cursor() as cr:
            self.env(cr=cr)["user.email.alias"]._cron_keep_alive()
        self.env.invalidate_all()
        self.assertEqual(len(self.find_notices()), 1)
