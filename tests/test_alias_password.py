"""When a stored password is forgotten."""

from odoo.exceptions import ValidationError
from odoo.tests import tagged

from .common import PASSWORD, AliasCommon


@tagged("post_install", "-at_install", "user_email_alias")
class TestForgottenPassword(AliasCommon):
    def assertForgets(self, forgets, vals, user=None):
        alias = self.alias_alice.with_user(user or self.user_alice)
        alias.write(vals)
        self.assertEqual(alias.has_smtp_password, not forgets)
        self.assertEqual(alias.state, "draft")

    def test_another_host_never_gets_the_password(self):
        self.assertForgets(True, {"smtp_server": "evil.example.net:465"})

    def test_another_user_name_never_gets_the_password(self):
        self.assertForgets(True, {"smtp_user": "other"})

    def test_plain_text_never_carries_the_password(self):
        self.assertForgets(True, {"disable_tls": True})

    def test_password_that_comes_along_is_kept(self):
        self.assertForgets(
            False, {"smtp_server": "new.example.net", "smtp_password": "new"}
        )
        self.assertEqual(self.alias_alice._read_secret__("smtp_secret"), "new")

    def test_empty_password_that_comes_along_saves_nothing(self):
        for password in ("", False, None):
            with self.subTest(password=password):
                self.alias_alice.smtp_password = PASSWORD
                self.assertForgets(
                    True,
                    {
                        "smtp_server": f"evil{password}.example.net".lower(),
                        "smtp_password": password,
                    },
                )

    def test_owner_keeps_the_password_with_another_port(self):
        self.assertForgets(False, {"smtp_server": "SMTP.mail.example.com:587"})

    def test_administrator_loses_the_password_with_another_port(self):
        self.assertForgets(
            True, {"smtp_server": "smtp.mail.example.com:2525"}, self.user_manager
        )

    def test_unticking_disable_tls_keeps_the_password(self):
        self.alias_alice.write({"disable_tls": True, "smtp_password": PASSWORD})
        self.assertForgets(False, {"disable_tls": False})

    def test_smtp_password_goes_to_no_imap_server_by_itself(self):
        evil = {"imap_server": "imap.evil.example.net"}
        own = {"imap_user": "al", "imap_password": "other"}
        for user in (self.user_alice, self.user_manager):
            alias = self.alias_alice.with_user(user)
            with self.subTest(user=user.login):
                for vals in (evil, {**evil, "imap_user": ""}):
                    with self.assertRaises(ValidationError) as caught:
                        alias.write(vals)
                    self.assertIn("SMTP Password once more", str(caught.exception))
                alias.write({**evil, **own})
                self.assertTrue(alias.has_imap_password)
                with self.assertRaises(ValidationError):
                    alias.write({"imap_user": False})
                with self.assertRaises(ValidationError):
                    alias.write({"imap_server": "imap2.evil.example", "imap_user": ""})
                alias.write({"imap_server": False, "imap_user": False})
        self.assertTrue(self.alias_alice.has_smtp_password)

    def test_smtp_password_that_comes_along_goes_to_the_imap_server(self):
        self.alias_alice.write(
            {"imap_server": "imap.mail.example.com", "smtp_password": PASSWORD}
        )
        self.alias_alice.write({"imap_server": "imap.mail.example.com:993"})
        self.assertTrue(self.alias_alice.has_smtp_password)

    def test_imap_password_goes_to_no_other_server_or_in_plain_text(self):
        for vals in (
            {"imap_server": "imap.evil.example.net"},
            {"imap_user": "evil"},
            {"disable_tls": True},
        ):
            with self.subTest(vals=vals):
                self.alias_alice.write(
                    {
                        "imap_server": "imap.mail.example.com",
                        "imap_user": "al",
                        "imap_password": "secret",
                        "disable_tls": False,
                    }
                )
                self.alias_alice.with_user(self.user_manager).write(vals)
                self.assertFalse(self.alias_alice.has_imap_password)

    def test_other_fields_keep_the_password(self):
        self.alias_alice.write(
            {"name": "New", "alias_name": "Al", "delay_ms": 5, "active": False}
        )
        self.assertTrue(self.alias_alice.has_smtp_password)

    def test_writing_the_form_without_password_keeps_it(self):
        self.alias_alice.write({"name": "New", "smtp_password": False})
        self.assertEqual(self.alias_alice._read_secret__("smtp_secret"), PASSWORD)

    def test_form_says_so_before_it_is_saved(self):
        reply = self.rpc(
            self.user_alice,
            self.alias_alice,
            "onchange",
            {"smtp_server": "evil.example.net", "has_smtp_password": True},
            ["smtp_server"],
            {"smtp_server": {}, "has_smtp_password": {}, "smtp_password": {}},
        )
        self.assertIs(reply["value"]["has_smtp_password"], False)

    def test_changed_account_proves_itself_again(self):
        for vals in (
            {"smtp_password": "other"},
            {"email_from": "al@a.example.com"},
            {"smtp_server": "smtp.mail.example.com:587"},
        ):
            self.alias_alice._set_hold("auth", "Password refused")
            self.alias_alice.write(vals)
            self.assertEqual(self.alias_alice.state, "draft")
            self.assertFalse(self.alias_alice.state_message)
