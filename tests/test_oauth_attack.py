"""Sign-in under attack: forged requests, doctored answers, hostile claims."""

from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import tagged

from ..tools.transport import smtp
from .common_oauth_flow import OAuthFlowCase
from .fake_oauth import ANNA, BORIS


class AttackTests:
    def test_answer_with_a_parameter_twice_is_refused(self):
        for name in ("code", "state"):
            params = self.idp.visit(self.begin())
            with self.subTest(name):
                twice = [*params.items(), (name, params[name])]
                self.assertIn("not well-formed", self.come_back(twice))
                self.assert_untouched()
            # and it was used up
            self.come_back(params)
            self.assert_untouched()

    def test_no_link_of_another_site_starts_a_sign_in(self):
        for path in ("begin", "start"):
            self.url_open(
                f"/user_email_alias/oauth/{self.flavour}/{path}"
                f"?alias_id={self.alias.id}",
                allow_redirects=False,
            )
            self.assertFalse(self.get_session_flow())

    def test_flow_is_not_in_the_session_any_more_after_an_answer_to_it(self):
        self.alias.name = "Typed in"
        for params in ({}, {"error": "access_denied"}, {"code": "x"}):
            self.begin()
            state = self.get_session_flow()["state"]
            self.come_back({**params, "state": state})
            self.assertFalse(self.get_session_flow())
            self.assert_untouched()

    def test_answer_without_the_state_ends_no_sign_in(self):
        params = self.idp.visit(self.begin())
        for forged in ({}, {"error": "access_denied"}, {"code": "x", "state": "y"}):
            self.come_back(forged)
            self.assertTrue(self.get_session_flow())
            self.assert_untouched()
        self.assertEqual(self.come_back(params), "Status: OK")

    def test_error_that_the_address_brings_shows_no_token_and_no_markup(self):
        params = self.idp.visit(self.begin())
        token = "ya29." + "a" * 60
        said = self.come_back(
            {
                "state": params["state"],
                **({"iss": params["iss"]} if "iss" in params else {}),
                "error": "server_error",
                "error_description": f"see {token}",
            }
        )
        self.assertNotIn(token, said)
        self.assertNotIn(params["state"], said)
        self.assert_untouched()

    def test_answer_is_kept_by_no_cache_and_told_to_no_other_site(self):
        self.sign_in()
        self.assertEqual(self.answer.headers["Referrer-Policy"], "no-referrer")
        self.assertIn("no-store", self.answer.headers["Cache-Control"])

    def test_token_never_travels_in_clear_although_the_alias_may(self):
        self.alias.write(
            {
                "name": "Plain",
                "email_from": ANNA.email,
                "smtp_server": f"localhost:{self.smtp.starttls_port}",
                "disable_tls": True,
            }
        )
        opened = []

        def open_connection(*where, **options):
            opened.append(options["disable_tls"])
            return real(*where, **options)

        real = smtp.SmtpConnection.open
        with patch.object(smtp.SmtpConnection, "open", open_connection):
            self.assertEqual(self.sign_in(), "Status: OK")
        self.assertEqual(opened, [False])

    def test_name_no_header_can_bear_becomes_the_users_name(self):
        self.alias.alias_name = False
        for name in ("A\r\nBcc: x@example.org", "=?utf-8?q?x?=", "x" * 5000):
            with self.subTest(name[:20]):
                self.idp.knobs.claims = {"name": name}
                self.assertEqual(self.sign_in(), "Status: OK")
                self.assertEqual(self.alias.alias_name, "Anna Berg")
                self.alias.action_disconnect()

    def test_account_without_a_usable_address_changes_nothing(self):
        self.alias.name = "Typed in"
        # the mail server would let it in: the address is what is wrong
        self.smtp.check_token = lambda user, token: True
        for email in (None, "", "anna", "a@b\r\nRCPT TO:<x@y>", "a,b@example.com"):
            with self.subTest(email):
                self.idp.knobs.claims = {"email": email, "preferred_username": email}
                said = self.come_back(self.idp.visit(self.begin()))
                self.assertIn("no usable email address", said)
                self.assert_untouched()

    def test_settings_of_a_broken_mail_server_are_told_in_a_sentence(self):
        self.env["ir.config_parameter"].set_param(
            f"user_email_alias.{self.flavour}_smtp_server", "not a server"
        )
        self.assertIn("Ask your administrator", self.sign_in())
        self.assert_untouched()

    def test_nobody_fakes_a_sign_in(self):
        Alias = self.env["user.email.alias"].with_user(self.user)
        for fname in ("oauth_user", "oauth_server", "oauth_pending_user"):
            with self.subTest(fname):
                with self.assertRaises(AccessError):
                    self.alias.write({fname: "x"})
                forged = Alias.with_context(**{f"default_{fname}": "x"}).create({})
                self.assertFalse(forged[fname])
        for fname in ("oauth_secret", "oauth_identity", "oauth_pending_secret"):
            with self.subTest(fname):
                with self.assertRaises(AccessError):
                    self.alias.write({fname: "x"})
                with self.assertRaises(AccessError):
                    Alias.with_context(**{f"default_{fname}": "x"}).create({})
                with self.assertRaises(AccessError):
                    self.alias.read([fname])

    def test_tokens_of_one_alias_are_worthless_in_another(self):
        self.sign_in()
        second = self.create_alias(self.user)
        second.sudo().write(
            {
                "provider": self.flavour,
                "email_from": BORIS.email,
                "name": "Second",
                "oauth_user": BORIS.email,
                "oauth_secret": self.alias.sudo().oauth_secret,
            }
        )
        self.assertIsNone(second._read_tokens__("oauth_secret"))


@tagged("post_install", "-at_install", "user_email_alias")
class TestGoogleAttacks(AttackTests, OAuthFlowCase):
    flavour = "google"


@tagged("post_install", "-at_install", "user_email_alias")
class TestMicrosoftAttacks(AttackTests, OAuthFlowCase):
    flavour = "microsoft"
