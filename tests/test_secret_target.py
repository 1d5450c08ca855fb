"""A password opens only for the server it was entered for."""

from odoo.tests import tagged

from ..tools import vault
from .common import PASSWORD, AliasCommon

IMAP = "imap.mail.example.com"


@tagged("post_install", "-at_install", "user_email_alias")
class TestSecretTarget(AliasCommon):
    def setUp(self):
        super().setUp()
        self.alias = self.alias_alice.with_user(self.user_alice)
        self.alias.write(
            {"imap_server": IMAP, "imap_user": "alice", "imap_password": "imap-pass"}
        )
        self.alias.flush_recordset()

    def read_secret(self, fname="smtp_secret"):
        self.env.invalidate_all()
        return self.alias._read_secret__(fname)

    def change_behind_our_back(self, column, value):
        self.env.cr.execute(
            f"UPDATE user_email_alias SET {column} = %s WHERE id = %s",  # noqa: S608
            [value, self.alias.id],
        )

    def test_whoever_changes_the_database_gets_no_password(self):
        for column, value in (
            ("smtp_server", "evil.example:465"),
            ("smtp_user", "evil"),
            ("disable_tls", True),
            ("imap_server", "evil.example"),
            ("imap_user", None),
        ):
            for fname in ("smtp_secret", "imap_secret"):
                with self.subTest(column=column, fname=fname):
                    self.assertTrue(self.read_secret(fname))
                    before = self.alias[column]
                    self.change_behind_our_back(column, value)
                    with self.assertRaises(vault.VaultError):
                        self.read_secret(fname)
                    # nor does a harmless change through the ORM open it again
                    self.alias.write({"delay_ms": 7})
                    self.alias.sudo().write({"smtp_server": self.alias.smtp_server})
                    with self.assertRaises(vault.VaultError):
                        self.read_secret(fname)
                    self.change_behind_our_back(column, before or None)

    def test_cipher_text_that_is_moved_opens_nothing(self):
        for there in (self.alias_alice_2, self.alias_bob):
            there.sudo().smtp_secret = self.alias.sudo().smtp_secret
            with self.assertRaises(vault.VaultError):
                there._read_secret__("smtp_secret")
        self.alias.sudo().imap_secret = self.alias.sudo().smtp_secret
        with self.assertRaises(vault.VaultError):
            self.read_secret("imap_secret")

    def test_what_the_owner_may_change_keeps_the_password(self):
        for vals in (
            {"smtp_server": "SMTP.mail.example.com:587"},
            {"imap_server": f"{IMAP}:993"},
            {"name": "Other", "delay_ms": 5},
        ):
            with self.subTest(vals=vals):
                self.alias.write(vals)
                self.assertEqual(self.read_secret(), PASSWORD)

    def test_unticking_disable_tls_keeps_the_password(self):
        self.alias.write({"disable_tls": True, "smtp_password": PASSWORD})
        self.alias.disable_tls = False
        self.assertEqual(self.read_secret(), PASSWORD)

    def test_another_server_with_its_password_keeps_that(self):
        self.alias.write({"smtp_server": "mx.example.org", "smtp_password": "new"})
        self.assertEqual(self.read_secret(), "new")

    def test_code_that_names_another_mailbox_gets_no_password(self):
        self.alias.sudo().write({"imap_server": "evil.example", "imap_user": False})
        with self.assertRaises(vault.VaultError):
            self.read_secret()
