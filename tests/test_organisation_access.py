"""Who lets an alias send with the organisation's key, asked as clients ask."""

import itertools

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged

from ..exceptions import AliasHold
from ..tools import oauth, vault
from ..tools.deadline import Deadline
from .common import AliasCommon
from .fake_oauth_organisation import OWN_TENANT, make_service_key

CEO = "ceo@example.com"


class OrganisationCommon(AliasCommon):
    """Both providers have an organisation account; nothing is asked of them."""

    numbers = itertools.count()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Settings = cls.env["user.email.alias.oauth.settings"]
        cls.Params = cls.env["ir.config_parameter"]
        app = {"client_id": "an app", "tenant": OWN_TENANT, "organisation": "True"}
        cls.Settings._register__("microsoft", app, "a secret")
        cls.Params.set_param("user_email_alias.google_organisation", "True")
        key = oauth.ORGANISATIONS["google"].read_key(make_service_key())
        cls.Settings._set_secret__("google", "organisation_key", key)

    def create_joined(self, user=None, owner=None, **values):
        """Create an alias as an administrator does for a user."""
        Alias = self.env["user.email.alias"]
        (alias_id,) = self.rpc(
            user or self.user_manager,
            Alias,
            "create",
            [
                {
                    "name": f"By the organisation {next(self.numbers)}",
                    "email_from": "alice@example.com",
                    "user_id": (owner or self.user_alice).id,
                    "organisation": "microsoft",
                    **values,
                }
            ],
        )
        return Alias.browse(alias_id)


@tagged("post_install", "-at_install", "user_email_alias")
class TestOrganisationAccess(OrganisationCommon):
    def test_administrator_makes_an_alias_that_sends_for_a_user(self):
        for key, transport in (("microsoft", "graph"), ("google", "gmail")):
            alias = self.create_joined(name=key, organisation=key)
            self.assertEqual((alias.provider, alias.transport), (key, transport))
            self.assertEqual(alias.oauth_user, "alice@example.com")
            self.assertEqual(alias.user_id, self.user_alice)
            self.assertTrue(alias._is_complete())
            self.assertFalse(alias.sudo().oauth_identity)
        self.assertEqual(alias.delay_ms, 1000)
        event = self.env["user.email.alias.event"].search(
            [("alias_id", "=", alias.id), ("action", "=", "organisation")]
        )
        self.assertEqual(event.user_id, self.user_manager)
        self.assertEqual(event.owner_id, self.user_alice)

    def test_a_list_of_users_is_imported_at_once(self):
        self.user_manager.group_ids |= self.env.ref("base.group_allow_export")
        rows = [
            [f"{user.login}'s", user.email, user.login, "Microsoft"]
            for user in (self.user_alice, self.user_bob)
        ]
        result = self.rpc(
            self.user_manager,
            self.env["user.email.alias"],
            "load",
            ["name", "email_from", "user_id", "organisation"],
            [[name, mail, login, kind] for name, mail, login, kind in rows],
        )
        if result["messages"]:
            # users are found by their names
            names = {u.login: u.name for u in self.user_alice + self.user_bob}
            rows = [[n, m, names[u], k] for n, m, u, k in rows]
            result = self.rpc(
                self.user_manager,
                self.env["user.email.alias"],
                "load",
                ["name", "email_from", "user_id", "organisation"],
                rows,
            )
        self.assertFalse(result["messages"])
        for alias in self.env["user.email.alias"].browse(result["ids"]):
            self.assertEqual(alias.provider, "microsoft")
            self.assertEqual(alias.oauth_user, alias.user_id.email)

    def test_user_makes_none(self):
        Alias = self.env["user.email.alias"]
        values = {"name": "Mine", "email_from": CEO, "organisation": "microsoft"}
        for user in (self.user_alice, self.user_plain, self.user_portal):
            for records, method, *args in (
                (Alias, "create", [values]),
                (Alias, "web_save", values, {"name": {}}),
                (self.alias_alice, "write", {"organisation": "microsoft"}),
                (self.alias_alice, "write", {"organisation_mailbox": CEO}),
                (self.alias_alice, "read", ["organisation"]),
                (Alias, "search", [("organisation", "=", "microsoft")]),
                (self.alias_alice, "copy", {"organisation": "microsoft"}),
            ):
                with self.subTest(user=user.login, method=method, args=args):
                    self.assertRefused(self.rpc, user, records, method, *args)
        for fname in ("organisation", "oauth_user", "oauth_secret", "provider"):
            with self.subTest(fname):
                values = {"name": fname, "email_from": CEO}
                context = {f"default_{fname}": "microsoft"}
                try:
                    ids = self.rpc(
                        self.user_alice, Alias, "create", [values], context=context
                    )
                except (AccessError, UserError):
                    continue
                made = Alias.browse(ids).sudo()
                self.assertFalse(made.organisation or made.oauth_secret)
        result = self.rpc(
            self.user_alice, Alias, "load", ["name", "organisation"], [["x", "Google"]]
        )
        self.assertFalse(result["ids"])

    def test_a_default_that_a_user_stores_makes_none(self):
        self.env["ir.default"].set(
            "user.email.alias", "organisation", "microsoft", self.user_alice.id
        )
        with self.assertRaises(AccessError):
            self.create_alias(self.user_alice, CEO, name="Mine")

    def test_user_redirects_none(self):
        alias = self.create_joined()
        self.env.flush_all()
        self.env.invalidate_all()
        before = alias.sudo().read()[0]
        for values in (
            {"email_from": CEO},
            {"email_from": False},
            {"organisation": "google"},
            {"organisation": False},
            {"organisation_mailbox": CEO},
            {"oauth_user": CEO},
            {"oauth_mailbox": CEO},
            {"transport": "gmail"},
            {"provider": "google"},
        ):
            for method in ("write", "web_save"):
                args = [values] if method == "write" else [values, {"name": {}}]
                with self.subTest(values=values, method=method):
                    self.assertRefused(self.rpc, self.user_alice, alias, method, *args)
        for method in ("action_disconnect", "action_use_other_account"):
            with self.assertRaises(UserError):
                self.rpc(self.user_alice, alias, method)
        with self.assertRaises(UserError):
            self.rpc(
                self.user_alice,
                alias,
                "action_sign_in",
                context={"email_alias_provider": "microsoft"},
            )
        self.assertRefused(
            self.rpc, self.user_alice, alias, "action_renew_organisation"
        )
        after = alias.sudo().read()[0]
        changed = {name for name in after if after[name] != before[name]}
        self.assertEqual(changed, set())

    def test_code_with_all_rights_redirects_none_for_a_user(self):
        alias = self.create_joined()
        for values in ({"email_from": CEO}, {"organisation_mailbox": CEO}):
            with self.assertRaises(AccessError):
                alias.with_user(self.user_alice).sudo().write(values)

    def test_a_sign_in_under_way_ends_where_an_administrator_has_decided(self):
        alias = self.alias_alice
        with self.assertRaises(UserError):
            alias.with_user(self.user_manager).organisation = "microsoft"
            alias.with_user(self.user_alice)._finish_sign_in__("microsoft", {}, {})

    def test_owner_has_it_like_any_other_alias(self):
        alias = self.create_joined()
        self.rpc(
            self.user_alice,
            alias,
            "write",
            {"alias_name": "Al", "delay_ms": 2500, "reply_to": "al@example.com"},
        )
        self.assertEqual(alias.delay_ms, 2500)
        self.assertTrue(alias.is_by_organisation)
        with Form(alias.with_user(self.user_alice)) as form:
            form.alias_name = "Alice"
        self.assertTrue(alias.sudo().oauth_secret)
        self.rpc(self.user_alice, alias, "action_archive")
        copy = self.rpc(self.user_alice, alias, "copy")
        copied = alias.browse(copy).sudo()
        self.assertFalse(copied.organisation or copied.oauth_secret)

    def test_new_address_seals_the_new_mailbox(self):
        alias = self.create_joined()
        self.rpc(self.user_manager, alias, "write", {"email_from": CEO})
        self.assertEqual(alias.oauth_user, CEO)
        self.assertIn(CEO, alias._read_secret__("oauth_secret"))
        self.rpc(self.user_manager, alias, "write", {"organisation_mailbox": "x@e.org"})
        self.assertEqual((alias.oauth_user, alias.email_from), ("x@e.org", CEO))
        self.assertIn("x@e.org", alias._read_secret__("oauth_secret"))
        self.assertTrue(alias.is_shared_from)

    def test_who_changes_the_database_sends_for_nobody_else(self):
        alias = self.create_joined()
        for column, value in (
            ("oauth_user", CEO),
            ("oauth_server", "https://evil.example"),
            ("organisation", None),
        ):
            with self.env.cr.savepoint() as savepoint, self.subTest(column):
                self.env.cr.execute(
                    f"UPDATE user_email_alias SET {column} = %s WHERE id = %s",  # noqa: S608
                    [value, alias.id],
                )
                self.env.invalidate_all()
                with self.assertRaises(vault.WrongRow):
                    alias._read_secret__("oauth_secret")
                savepoint.rollback()
            self.env.invalidate_all()
        self.env.cr.execute(
            "UPDATE user_email_alias SET email_from = %s WHERE id = %s", [CEO, alias.id]
        )
        self.env.invalidate_all()
        self.assertNotIn(CEO, alias._read_secret__("oauth_secret"))

    def test_administrator_takes_it_away_and_what_waits_waits(self):
        alias = self.create_joined()
        self.create_waiting(alias)
        self.rpc(self.user_manager, alias, "write", {"organisation": False})
        self.assertEqual((alias.provider, alias.state), ("smtp", "hold"))
        self.assertFalse(alias.sudo().oauth_secret)
        self.assertIn("no more with the account", alias.state_message)

    def create_waiting(self, alias):
        self.env["mail.mail"].create(
            {
                "email_to": "lead@example.org",
                "email_alias_id": alias.id,
                "state": "outgoing",
            }
        )

    def test_what_cannot_be_is_said_at_the_field(self):
        self.Params.set_param("user_email_alias.google_organisation", False)
        for values, words in (
            ({"email_from": False}, "From Address"),
            ({"organisation": "google"}, "switched off"),
            ({"organisation_mailbox": "not an address"}, "Mailbox"),
            ({"organisation": "smtp"}, "Organisation Account|smtp"),
        ):
            with self.subTest(values), self.assertRaisesRegex(Exception, words):
                self.create_joined(**values)
        self.Params.set_param("user_email_alias.google_organisation", "True")
        with self.assertRaisesRegex(ValidationError, "own address only"):
            self.create_joined(organisation="google", organisation_mailbox=CEO)
        self.Settings._set_client_secret__("microsoft", "")
        with self.assertRaisesRegex(ValidationError, "Organisation Account: .*missing"):
            self.create_joined()

    def test_moved_app_holds_until_an_administrator_renews_it(self):
        alias = self.create_joined()
        self.Params.set_param("user_email_alias.microsoft_client_id", "another")
        self.assertEqual((alias.state, alias.hold_reason), ("hold", "provider"))
        self.assertIn("Renew", alias.state_message)
        self.assertNotIn("Sign in again", alias.state_message)
        with self.assertRaises(AliasHold):
            alias._open_connection__(Deadline(5))
        self.Settings._set_client_secret__("microsoft", "its secret")
        self.rpc(self.user_manager, alias, "action_renew_organisation")
        self.assertEqual(alias.state, "draft")
        self.assertTrue(alias._read_secret__("oauth_secret"))

    def test_an_app_to_sign_in_with_does_not_move_the_service_account(self):
        alias = self.create_joined(organisation="google")
        self.Settings._register__("google", {"client_id": "an app"}, "secret")
        self.assertNotEqual(alias.state, "hold")
        self.assertTrue(alias._read_secret__("oauth_secret"))
        self.assertTrue(self.Settings._has_secret__("google", "organisation_key"))

    def test_switched_off_it_sends_nothing(self):
        alias = self.create_joined()
        self.Params.set_param("user_email_alias.microsoft_organisation", False)
        with self.assertRaises(AliasHold) as caught:
            alias._open_connection__(Deadline(5))
        self.assertEqual(caught.exception.reason, "provider")
        self.assertIn("switched off", str(caught.exception))
