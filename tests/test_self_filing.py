"""Where the provider keeps copies by itself, nobody is promised that it does not."""

from odoo.tests import Form, tagged

from ..tools.transport import self_filing
from .common import AliasCommon

RELAYS = (
    "smtp-relay.gmail.com:587",
    "contoso-com.mail.protection.outlook.com:25",
    "smtp.gmail.com.example.org:465",
    "mail.example.org:465",
)


@tagged("post_install", "-at_install", "user_email_alias")
class TestSelfFiling(AliasCommon):
    def test_a_providers_smtp_server_is_told_by_its_name(self):
        alias = self.alias_alice.with_user(self.user_alice)
        for server, label in (
            ("smtp.gmail.com:465", "Google"),
            ("SMTP.Office365.com.:587", "Microsoft"),
            ("smtp-mail.outlook.com:587", "Microsoft"),
        ):
            with self.subTest(server=server):
                alias.smtp_server = "mail.example.org:465"
                alias.skip_bulk_copies = True
                alias.smtp_server = server
                self.assertIn(label, alias.self_filing)
                self.assertFalse(alias.skip_bulk_copies, "it is not ours to promise")

    def test_relays_and_others_keep_nothing(self):
        alias = self.alias_alice.with_user(self.user_alice)
        for server in RELAYS:
            with self.subTest(server=server):
                alias.smtp_server = server
                alias.skip_bulk_copies = True
                self.assertFalse(alias.self_filing)
                self.assertTrue(alias.skip_bulk_copies)

    def test_whoever_signs_in_reads_who_keeps_copies(self):
        for key, folder in (("google", "“Sent”"), ("microsoft", "“Sent Items”")):
            with self.subTest(key=key):
                alias = self.create_alias(self.user_alice, f"{key}@x.example", name=key)
                alias.skip_bulk_copies = True
                alias.sudo().write({"provider": key})
                self.assertIn(folder, alias.self_filing)
                self.assertFalse(alias.skip_bulk_copies)

    def test_the_form_closes_the_box_as_soon_as_the_server_is_typed(self):
        alias = self.alias_alice.with_user(self.user_alice)
        alias.write(
            {
                "imap_server": "imap.example.org:993",
                "imap_user": "alice",
                "skip_bulk_copies": True,
            }
        )
        with Form(alias) as form:
            form.smtp_server = "smtp.office365.com:587"
            form.smtp_password = "another"
            self.assertFalse(form.skip_bulk_copies)
            with self.assertRaisesRegex(AssertionError, "readonly"):
                form.skip_bulk_copies = True

    def test_each_provider_one_signs_in_at_has_its_row(self):
        keys = {row.key for row in self_filing.SELF_FILING}
        self.assertLessEqual(
            keys, set(dict(self.alias_alice._fields["provider"].selection))
        )
        self.assertIsNone(self_filing.of_key("smtp"))
