"""Who may see, change and use an alias, asked in every way a client can ask."""

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import PASSWORD, AliasCommon


@tagged("post_install", "-at_install", "user_email_alias")
class TestReadingAndWriting(AliasCommon):
    def test_owner_does_everything_with_the_own_alias(self):
        alias = self.alias_alice_2
        user = self.user_alice
        (values,) = self.rpc(user, alias, "read", ["name", "email_from"])
        self.assertEqual(values["email_from"], "alice@other.example.com")
        self.rpc(user, alias, "write", {"name": "Third", "delay_ms": 2500})
        self.assertEqual(alias.delay_ms, 2500)
        self.rpc(user, alias, "unlink")
        self.assertFalse(alias.exists())

    def test_owner_finds_the_own_aliases_only(self):
        Alias = self.alias_bob.browse()
        own = (self.alias_alice | self.alias_alice_2).ids
        found = self.rpc(self.user_alice, Alias, "search", [])
        self.assertCountEqual(found, own)
        names = self.rpc(self.user_alice, Alias, "name_search", "example.com")
        self.assertCountEqual([id_ for id_, _name in names], own)
        groups = self.rpc(
            self.user_alice,
            Alias,
            "formatted_read_group",
            [],
            ["user_id"],
            ["__count"],
        )
        self.assertEqual([group["__count"] for group in groups], [2])
        self.assertEqual(self.rpc(self.user_alice, Alias, "search_count", []), 2)

    def test_somebody_elses_alias_is_closed(self):
        calls = (
            ("read", ["name"]),
            ("web_read", {"email_from": {}}),
            ("write", {"name": "Mine"}),
            ("web_save", {"smtp_server": "evil.example.net"}, {"name": {}}),
            ("copy",),
            ("unlink",),
            ("action_make_default",),
            ("action_test_connection",),
            ("action_resume",),
            ("action_pause",),
            ("action_unpause",),
            ("action_cancel_waiting",),
            ("action_archive",),
            ("action_unarchive",),
        )
        for user in (self.user_alice, self.user_plain, self.user_portal):
            for method, *args in calls:
                with self.subTest(user=user.login, method=method):
                    self.assertRefused(self.rpc, user, self.alias_bob, method, *args)
        self.assertTrue(self.alias_bob.active)
        self.assertEqual(self.alias_bob.name, "Work")

    def test_whoever_may_export_exports_the_own_aliases_only(self):
        self.user_alice.group_ids |= self.env.ref("base.group_allow_export")
        rows = self.rpc(
            self.user_alice, self.alias_alice, "export_data", ["email_from"]
        )
        self.assertEqual(rows["datas"], [["alice@a.example.com"]])
        self.assertRefused(
            self.rpc, self.user_alice, self.alias_bob, "export_data", ["email_from"]
        )

    def test_portal_and_public_have_no_aliases_at_all(self):
        Alias = self.alias_bob.browse()
        for user in (self.user_portal, self.user_public):
            for method, *args in (
                ("search", []),
                ("search_read", []),
                ("create", {"name": "Mine"}),
                ("name_search", "Bob"),
                ("web_search_read", [], {"name": {}}),
            ):
                with self.subTest(user=user.login, method=method):
                    self.assertRefused(self.rpc, user, Alias, method, *args)

    def test_portal_is_not_told_whose_an_address_is(self):
        # on a contact of their own, to which they may give any address
        contact = self.env["res.partner"].create(
            {
                "name": "Delivery",
                "email": self.alias_bob.sudo().email_from,
                "parent_id": self.user_portal.partner_id.id,
            }
        )
        self.assertEqual(contact.email_alias_owner_id, self.user_bob.partner_id)
        self.assertTrue(self.rpc(self.user_portal, contact, "read", ["email"]))
        fname = "email_alias_owner_id"
        self.assertRefused(self.rpc, self.user_portal, contact, "read", [fname])
        domain = [(fname, "!=", False)]
        self.assertRefused(self.rpc, self.user_portal, contact, "search", domain)

    def test_nobody_creates_an_alias_for_a_colleague(self):
        Alias = self.alias_bob.browse()
        for context, values in (
            ({}, {"user_id": self.user_bob.id}),
            ({"default_user_id": self.user_bob.id}, {}),
        ):
            self.assertRefused(
                self.rpc,
                self.user_alice,
                Alias,
                "create",
                {"name": "Trap", **values},
                context=context,
            )
        result = self.rpc(
            self.user_alice,
            Alias,
            "load",
            ["name", "user_id/.id"],
            [["Trap", str(self.user_bob.id)]],
        )
        self.assertFalse(result["ids"])
        self.assertTrue(self.alias_bob.is_default)

    def test_aliases_are_not_seen_through_other_records(self):
        bobs = self.create_mailing(self.user_bob)
        Mailing, User = bobs.browse(), self.user_bob.browse()
        self.assertFalse(
            self.rpc(
                self.user_alice,
                Mailing,
                "search",
                [("email_alias_id.smtp_user", "=like", "bob%")],
            )
        )
        self.assertFalse(
            self.rpc(
                self.user_alice,
                User,
                "search",
                [
                    ("email_alias_ids.smtp_server", "!=", False),
                    ("id", "=", self.user_bob.id),
                ],
            )
        )
        for records, method, *args in (
            (Mailing, "formatted_read_group", [], ["email_alias_id.smtp_user"], []),
            (Mailing, "search", [], 0, None, "email_alias_id.smtp_user"),
        ):
            with self.subTest(method=method):
                try:
                    reply = self.rpc(self.user_alice, records, method, *args)
                except (UserError, ValueError):
                    continue
                self.assertNotIn("bob@", str(reply))
        (values,) = self.rpc(
            self.user_alice, self.user_bob, "read", ["email_alias_ids"]
        )
        self.assertEqual(values["email_alias_ids"], [])

    def test_order_and_group_by_alias_tell_nothing_hidden(self):
        bobs = self.create_mailing(self.user_bob)
        groups = self.rpc(
            self.user_alice,
            bobs.browse(),
            "formatted_read_group",
            [("id", "=", bobs.id)],
            ["email_alias_id"],
            ["__count"],
        )
        self.assertNotIn("smtp", str(groups))

    def test_users_cannot_reach_aliases_through_users(self):
        for values in (
            [Command.create({"name": "Trap"})],
            [Command.update(self.alias_bob.id, {"smtp_server": "evil.example.net"})],
            [Command.delete(self.alias_bob.id)],
            [Command.link(self.alias_bob.id)],
        ):
            for user in (self.user_alice, self.user_bob, self.user_plain):
                for target in (self.user_alice, self.user_bob):
                    with self.subTest(values=values, user=user.login):
                        self.assertRefused(
                            self.rpc, user, target, "write", {"email_alias_ids": values}
                        )

    def test_incoming_server_of_the_database_is_not_for_everybody(self):
        server = self.env["fetchmail.server"].create(
            {"name": "Secret box", "server_type": "imap", "server": "imap.x.example"}
        )
        self.assertRefused(
            self.rpc,
            self.user_alice,
            self.alias_alice,
            "write",
            {"imap_server_id": server.id},
        )


@tagged("post_install", "-at_install", "user_email_alias")
class TestAdministrator(AliasCommon):
    def test_administrator_sees_everybodys_aliases(self):
        found = self.rpc(self.user_manager, self.alias_bob.browse(), "search", [])
        self.assertLessEqual(set((self.alias_alice | self.alias_bob).ids), set(found))

    def test_administrator_prepares_an_alias_for_another_user(self):
        id_ = self.rpc(
            self.user_manager,
            self.alias_bob.browse(),
            "create",
            {
                "name": "Prepared",
                "user_id": self.user_plain.id,
                "email_from": "pat@x.example",
                "smtp_server": "smtp.x.example",
                "smtp_password": PASSWORD,
            },
        )
        (values,) = self.rpc(
            self.user_plain, self.alias_bob.browse(id_), "read", ["is_default"]
        )
        self.assertTrue(values["is_default"])

    def test_administrator_changes_the_pace(self):
        self.rpc(self.user_manager, self.alias_bob, "write", {"delay_ms": 10})
        self.assertTrue(self.alias_bob.has_smtp_password)

    def test_administrator_cannot_act_as_the_owner(self):
        for user in (self.user_manager, self.user_admin):
            for method in (
                "action_test_connection",
                "action_resume",
                "action_pause",
                "action_unpause",
                "action_cancel_waiting",
            ):
                with self.subTest(user=user.login, method=method):
                    self.assertRefused(self.rpc, user, self.alias_bob, method)

    def test_administrator_harvests_no_password(self):
        for vals in (
            {"smtp_server": "evil.example.net:465"},
            {"smtp_server": "smtp.mail.example.com:2525"},
            {"smtp_user": "evil"},
            {"disable_tls": True},
            {"smtp_server": "evil.example.net", "smtp_password": ""},
        ):
            with self.subTest(vals=vals):
                self.alias_bob.smtp_password = PASSWORD
                self.rpc(self.user_manager, self.alias_bob, "write", vals)
                self.assertFalse(self.alias_bob.has_smtp_password)
                self.alias_bob.write(
                    {
                        "smtp_server": "smtp.mail.example.com:465",
                        "smtp_user": "bob",
                        "disable_tls": False,
                    }
                )

    def test_administrator_harvests_no_password_through_the_users_form(self):
        self.rpc(
            self.user_manager,
            self.user_bob,
            "write",
            {
                "email_alias_ids": [
                    Command.update(self.alias_bob.id, {"smtp_server": "evil.example"})
                ]
            },
        )
        self.assertFalse(self.alias_bob.has_smtp_password)

    def test_alias_has_one_owner_for_ever(self):
        for user in (self.user_manager, self.user_admin):
            with self.assertRaises(UserError):
                self.rpc(
                    user, self.alias_bob, "write", {"user_id": self.user_manager.id}
                )
            copy_id = self.rpc(user, self.alias_bob, "copy")
            self.assertEqual(self.alias_bob.browse(copy_id).user_id, self.user_bob)
