"""Cipher text is good in one place only, and only as it is."""

import itertools

from odoo.fields import Command
from odoo.tests import tagged

from ..models.user_email_alias_oauth_settings import PARAMETER_MODEL, SECRETS
from ..tools import oauth, vault
from .common import PASSWORD, AliasCommon


@tagged("post_install", "-at_install", "user_email_alias")
class TestSecretPlaces(AliasCommon):
    """Two aliases with a password for each purpose, two that are signed in."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Settings = cls.env["user.email.alias.oauth.settings"]
        cls.Params = cls.env["ir.config_parameter"]
        for key in oauth.PROVIDERS:
            cls.Settings._register__(key, {"client_id": f"app of {key}"}, "canary")
            cls.Settings._set_secret__(key, "organisation_key", "canary")
        own = {
            "imap_server": "imap.example.com",
            "imap_user": "a",
            "imap_password": "i",
        }
        (cls.alias_alice + cls.alias_bob).sudo().write(own)
        signed_in = [
            cls.create_alias(user, f"{key}@example.com", name=key).sudo()
            for user, key in ((cls.user_alice, "google"), (cls.user_bob, "microsoft"))
        ]
        for alias in signed_in:
            account = {
                "key": alias.name,
                "email": alias.email_from,
                "login": alias.email_from,
                "transport": "smtp",
                "server": "smtp.example.com:465",
                "identity": f"{alias.name}:1",
                "tokens": "tokens",
                "name": "",
            }
            alias._keep_account__(account)
            alias._ask_for_other_account__(account)
        cls.aliases = (cls.alias_alice + cls.alias_bob).sudo().concat(*signed_in)
        cls.env.flush_all()

    def cells(self):
        """All places of cipher text: (binding, cipher text)."""
        columns = self.env["user.email.alias.keys"]._get_columns()
        self.assertEqual(len(columns), 4)
        for alias, fname in itertools.product(self.aliases, columns):
            if alias[fname]:
                yield alias._get_binding(fname), alias[fname]
        for key, setting in itertools.product(oauth.PROVIDERS, SECRETS):
            cipher = self.Settings._get_param(key, setting)
            yield self.Settings._get_secret_binding(key, setting), cipher

    def test_every_kind_of_secret_is_there(self):
        fields = [binding.field for binding, _cipher in self.cells()]
        self.assertEqual(len(fields), 2 + 2 + 2 + 2 + 2 + 2)
        self.assertEqual(len(set(fields)), 8)

    def test_cipher_text_opens_in_its_own_place_only(self):
        box = self.Settings._get_vault__()
        cells = list(self.cells())
        for (here, cipher), (there, _other) in itertools.product(cells, cells):
            with self.subTest(here=here.field, there=there.field):
                if here == there:
                    self.assertTrue(box.decrypt(cipher, there))
                else:
                    self.assertRaises(vault.WrongRow, box.decrypt, cipher, there)

    def test_no_changed_character_of_any_cipher_text_is_accepted(self):
        box = self.Settings._get_vault__()
        for binding, cipher in self.cells():
            for place in range(len(cipher)):
                flipped = chr(ord(cipher[place]) ^ 1)
                forged = f"{cipher[:place]}{flipped}{cipher[place + 1 :]}"
                with self.assertRaises(vault.VaultError, msg=f"{binding} {place}"):
                    box.decrypt(forged, binding)

    def test_another_database_opens_nothing(self):
        before = list(self.cells())
        self.Params.set_param("database.uuid", "another")
        box = self.Settings._get_vault__()
        for (_binding, cipher), (here, _cipher) in zip(
            before, self.cells(), strict=True
        ):
            self.assertEqual(here.database, "another")
            self.assertRaises(vault.WrongRow, box.decrypt, cipher, here)

    def test_whoever_changes_the_database_gets_no_sign_in(self):
        for alias in self.aliases.filtered("oauth_secret"):
            self.assertEqual(alias._read_secret__("oauth_secret"), "tokens")
            other = "google" if alias.provider == "microsoft" else "microsoft"
            for column, value in (
                ("oauth_server", "evil.example:465"),
                ("oauth_user", "evil@example.com"),
                ("provider", other),
            ):
                with self.subTest(alias=alias.name, column=column):
                    before = alias[column]
                    self.set_column(alias, column, value)
                    with self.assertRaises(vault.WrongRow):
                        alias._read_secret__("oauth_secret")
                    self.set_column(alias, column, before)

    def set_column(self, alias, column, value):
        self.env.cr.execute(
            f"UPDATE user_email_alias SET {column} = %s WHERE id = %s",  # noqa: S608
            [value, alias.id],
        )
        self.env.invalidate_all()

    def test_settings_changed_behind_our_back_open_nothing(self):
        for key, setting in itertools.product(
            oauth.PROVIDERS, oauth.ProviderConfig.get_binding_names()
        ):
            name = f"user_email_alias.{key}_{setting}"
            with self.subTest(name), self.env.cr.savepoint() as savepoint:
                self.env.cr.execute(
                    "DELETE FROM ir_config_parameter WHERE key = %s", [name]
                )
                self.env.cr.execute(
                    "INSERT INTO ir_config_parameter (key, value) VALUES (%s, %s)",
                    [name, "https://evil.example"],
                )
                self.env.registry.clear_cache("stable")
                self.env.invalidate_all()
                self.assert_closed(key)
                savepoint.rollback()
            self.env.registry.clear_cache("stable")
            self.env.invalidate_all()

    def assert_closed(self, key):
        """Neither the client secret nor what users granted opens."""
        self.assertFalse(self.Settings._has_client_secret__(key))
        with self.assertRaises(vault.WrongRow):
            self.Settings._read_client_secret__(key)
        alias = self.aliases.filtered(lambda a: a.provider == key)
        for fname in ("oauth_secret", "oauth_pending_secret"):
            with self.assertRaises(vault.WrongRow):
                alias._read_secret__(fname)

    def test_older_cipher_text_is_bound_once_at_an_update(self):
        box = self.Settings._get_vault__()
        alias = self.aliases.filtered(lambda a: a.provider == "google")
        for fname in ("oauth_secret", "oauth_pending_secret"):
            unbound = alias._get_binding(fname)._replace(target="")
            alias[fname] = box.encrypt("old", unbound)
        binding = self.Settings._get_secret_binding("google")
        self.assertEqual(binding.model, PARAMETER_MODEL)
        self.Params.set_param(
            "user_email_alias.google_client_secret",
            box.encrypt("old", binding._replace(target="")),
        )
        password = self.alias_alice.sudo().smtp_secret
        self.assertFalse(self.Settings._has_client_secret__("google"))
        self.env["user.email.alias.keys"]._bind_unbound__()
        self.assertEqual(alias._read_secret__("oauth_secret"), "old")
        self.assertEqual(alias._read_secret__("oauth_pending_secret"), "old")
        self.assertEqual(self.Settings._read_client_secret__("google"), "old")
        self.assertEqual(self.alias_alice.sudo().smtp_secret, password)

    def test_update_binds_no_password(self):
        """One that is good for any server can only be a forged one."""
        box = self.Settings._get_vault__()
        alias = self.alias_alice.sudo()
        unbound = alias._get_binding("smtp_secret")._replace(target="")
        alias.smtp_secret = box.encrypt(PASSWORD, unbound)
        self.env["user.email.alias.keys"]._bind_unbound__()
        self.assertRaises(vault.WrongRow, alias._read_secret__, "smtp_secret")

    def test_users_form_moves_no_secret(self):
        with self.assertRaises(Exception), self.env.cr.savepoint():  # noqa: B017
            self.user_bob.with_user(self.user_manager).write(
                {"email_alias_ids": [Command.link(self.alias_alice.id)]}
            )
        self.assertEqual(self.alias_alice._read_secret__("smtp_secret"), PASSWORD)
