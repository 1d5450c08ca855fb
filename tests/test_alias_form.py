"""The form of an alias: what it proposes, puts right and marks."""

from odoo.exceptions import ValidationError
from odoo.tests import Form, tagged

from .common import AliasCommon


@tagged("post_install", "-at_install", "user_email_alias")
class TestAliasForm(AliasCommon):
    def open_form(self, **vals):
        Alias = self.env["user.email.alias"].with_user(self.user_alice)
        return Form(Alias.create(vals) if vals else Alias)

    def test_the_users_address_and_user_name_are_proposed_once(self):
        self.user_alice.email = "Alice.New@Example.com"
        form = self.open_form()
        self.assertFalse(form.email_from)
        form.smtp_server = "mail.example.com"
        self.assertEqual(form.email_from, "alice.new@example.com")
        self.assertEqual(form.smtp_user, "alice.new@example.com")
        form.smtp_user = "alice"
        form.email_from = "team@example.com"
        self.assertEqual(form.smtp_user, "alice")

    def test_a_proposed_user_name_follows_the_from_address(self):
        self.user_alice.email = "alice.new@example.com"
        form = self.open_form()
        form.smtp_server = "mail.example.com"
        form.email_from = "team@example.com"
        self.assertEqual(form.smtp_user, "team@example.com")
        form.smtp_user = "alice.new@example.com"
        form.smtp_server = "mail2.example.com"
        self.assertEqual(form.smtp_user, "alice.new@example.com", "typed")

    def test_a_from_that_is_typed_is_the_user_name(self):
        form = self.open_form()
        form.email_from = "team@example.com"
        form.smtp_server = "mail.example.com"
        self.assertEqual(form.email_from, "team@example.com")
        self.assertEqual(form.smtp_user, "team@example.com")

    def test_an_address_that_has_an_alias_is_not_proposed_again(self):
        self.user_alice.email = self.alias_alice.email_from
        form = self.open_form()
        form.smtp_server = "mail.example.com"
        self.assertFalse(form.email_from)
        self.assertFalse(form.smtp_user)

    def test_an_alias_that_needs_no_login_gets_none_later(self):
        form = self.open_form(
            name="Relay", email_from="relay@example.com", smtp_server="mx.example.com"
        )
        form.smtp_server = "mx2.example.com"
        self.assertFalse(form.smtp_user)

    def test_what_is_copied_along_is_not_stored(self):
        alias = self.alias_alice.with_user(self.user_alice)
        alias.smtp_server = " smtps://Mail.example.com/ "
        self.assertEqual(alias.smtp_server, "Mail.example.com:465")
        alias.write({"imap_server": "imap.example.com : 993", "imap_user": "alice"})
        self.assertEqual(alias.imap_server, "imap.example.com:993")

    def test_the_error_names_the_field_that_the_form_marks(self):
        alias = self.alias_alice.with_user(self.user_alice)
        for fname, value in (
            ("smtp_server", "https://mail.example.com/inbox"),
            ("email_from", "two@example.com, three@example.com"),
            ("delay_ms", -1),
            ("name", "x" * 201),
        ):
            with self.subTest(fname=fname):
                with self.assertRaises(ValidationError) as caught:
                    alias.write({fname: value})
                context = caught.exception.context
                self.assertEqual(context, {"email_alias_field": fname})

    def test_one_field_says_where_copies_go(self):
        alias = self.alias_alice.with_user(self.user_alice)
        self.assertFalse(alias.is_own_imap)
        alias.write({"imap_server": "imap.example.com", "imap_user": "alice"})
        self.assertTrue(alias.is_own_imap)
        server = self.env["fetchmail.server"].create(
            {
                "name": "Office",
                "server_type": "imap",
                "email_alias_user_ids": [(4, self.user_alice.id)],
            }
        )
        alias.imap_mailbox_id = server.id
        self.assertFalse(alias.is_own_imap)
