"""Who may see, change and use an alias, asked in every way a client can ask."""

import json
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from ..models.user_email_alias import SERVER_FIELDS
from .common import PASSWORD, AliasCommon

FORGED = {
    "provider": "google",
    "state": "ok",
    "smtp_secret": "v1:000000000000:abc",
    "hold_reason": "x",
    "state_message": "x",
    "pause_reason": "x",
    "state_at": "2026-01-01 00:00:00",
    "is_paused": True,
}


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


@tagged("post_install", "-at_install", "user_email_alias")
class TestServerFields(AliasCommon):
    """What proves an account is written by the server alone."""

    def forge(self, fname):
        return {fname: FORGED.get(fname, 1)}

    def test_nobody_writes_them(self):
        for user in (self.user_bob, self.user_manager, self.user_admin):
            for fname in SERVER_FIELDS:
                vals = self.forge(fname)
                for method, *args in (
                    ("write", vals),
                    ("web_save", vals, {"name": {}}),
                ):
                    with self.subTest(user=user.login, vals=vals, method=method):
                        self.assertRefused(
                            self.rpc, user, self.alias_bob, method, *args
                        )

    def test_nobody_creates_with_them(self):
        for fname in SERVER_FIELDS:
            with self.subTest(fname=fname):
                self.assertRefused(
                    self.rpc,
                    self.user_plain,
                    self.alias_bob.browse(),
                    "create",
                    {"name": "Forged", **self.forge(fname)},
                )

    def test_defaults_of_context_and_user_do_not_count(self):
        # an access right closes the others
        Alias = self.env["user.email.alias"]
        fnames = {
            f for f in SERVER_FIELDS if Alias._fields[f].groups != fields.NO_ACCESS
        }
        context = {f"default_{fname}": self.forge(fname)[fname] for fname in fnames}
        self.env["ir.default"].with_user(self.user_plain).set(
            "user.email.alias", "state", "ok", user_id=True
        )
        self.env["ir.default"].with_user(self.user_plain).set(
            "user.email.alias", "provider", "google", user_id=True
        )
        for name, keys in (("One", context), ("Two", {})):
            id_ = self.rpc(
                self.user_plain,
                self.alias_bob.browse(),
                "create",
                {"name": name},
                context=keys,
            )
            alias = self.env["user.email.alias"].browse(id_)
            self.assertEqual(alias.state, "draft")
            self.assertEqual(alias.provider, "smtp")
            for fname in fnames - {"state", "provider"}:
                self.assertFalse(alias[fname], fname)

    def test_default_secret_is_refused_or_void(self):
        try:
            id_ = self.rpc(
                self.user_plain,
                self.alias_bob.browse(),
                "create",
                {"name": "Forged"},
                context={"default_smtp_secret": self.alias_bob.sudo().smtp_secret},
            )
        except AccessError:
            return
        self.assertFalse(self.env["user.email.alias"].browse(id_).smtp_secret)

    def test_administrator_cannot_write_them_through_the_users_form(self):
        self.assertRefused(
            self.rpc,
            self.user_manager,
            self.user_bob,
            "write",
            {"email_alias_ids": [Command.update(self.alias_bob.id, {"state": "ok"})]},
        )


@tagged("post_install", "-at_install", "user_email_alias")
class TestForgedAlias(AliasCommon):
    """Somebody else's alias id, wherever an id can be handed in."""

    def setUp(self):
        super().setUp()
        self.forged = {"email_alias_id": self.alias_bob.id}
        self.forged_context = {"default_email_alias_id": self.alias_bob.id}
        self.template = self.env["mail.template"].create(
            {
                "name": "T",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "subject": "S",
                "body_html": "<p>x</p>",
                "partner_to": str(self.customer.id),
            }
        )

    @property
    def senders(self):
        return self.user_alice | self.user_manager | self.user_admin

    def assertNothingOfBobs(self):
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertFalse(self.find_mails(self.alias_bob))
        self.assertFalse(
            self.env["mail.message"].search(
                [("email_alias_id", "=", self.alias_bob.id)]
            )
        )

    def message_values(self):
        return {
            "body": "x",
            "message_type": "comment",
            "subtype_xmlid": "mail.mt_comment",
            "partner_ids": self.customer.ids,
        }

    def test_posting(self):
        later = fields.Datetime.to_string(fields.Datetime.now() + timedelta(hours=1))
        for user in self.senders:
            for method, kwargs in (
                ("message_post", self.message_values()),
                ("message_post", {**self.message_values(), "scheduled_date": later}),
                ("message_notify", {"body": "x", "partner_ids": self.customer.ids}),
            ):
                for forged in (self.alias_bob.id, self.alias_bob.ids):
                    with self.subTest(user=user.login, method=method):
                        self.assertRefused(
                            self.rpc,
                            user,
                            self.lead,
                            method,
                            **kwargs,
                            email_alias_id=forged,
                        )

    def test_posting_with_odd_ids_posts_nothing(self):
        for forged in (str(self.alias_bob.id), 10**9, "x", -1, {"a": 1}, 1.5):
            with self.subTest(forged=forged), self.assertRaises(Exception):  # noqa: B017
                self.rpc(
                    self.user_alice,
                    self.lead,
                    "message_post",
                    **self.message_values(),
                    email_alias_id=forged,
                )
        self.assertNothingOfBobs()

    def test_posting_with_two_aliases_posts_nothing(self):
        with self.assertRaises(AccessError):
            self.rpc(
                self.user_alice,
                self.lead,
                "message_post",
                **self.message_values(),
                email_alias_id=[self.alias_alice.id, self.alias_bob.id],
            )
        self.assertNothingOfBobs()

    def test_posting_by_the_portal(self):
        lead_partner = self.user_portal.partner_id
        with self.assertRaises(AccessError):
            self.rpc(
                self.user_portal,
                lead_partner,
                "message_post",
                **self.message_values(),
                **self.forged,
            )

    def test_context_names_no_alias(self):
        later = fields.Datetime.to_string(fields.Datetime.now() + timedelta(hours=1))
        for user in self.senders:
            self.rpc(
                user,
                self.lead,
                "message_post",
                **self.message_values(),
                context=self.forged_context,
            )
            self.rpc(
                user,
                self.lead,
                "message_post",
                **self.message_values(),
                scheduled_date=later,
                context=self.forged_context,
            )
        self.env["mail.message.schedule"].search([]).force_send()
        self.assertNothingOfBobs()

    def test_default_of_the_user_names_no_alias(self):
        for model in ("mail.message", "mail.mail"):
            self.env["ir.default"].with_user(self.user_manager).set(
                model, "email_alias_id", self.alias_bob.id, user_id=True
            )
        self.rpc(self.user_manager, self.lead, "message_post", **self.message_values())
        self.open_composer(self.user_manager, self.leads).action_send_mail()
        self.assertNothingOfBobs()

    def test_composer(self):
        for user in self.senders:
            for records in (self.lead, self.leads):
                with self.subTest(user=user.login, records=len(records)):
                    self.assertRefused(
                        lambda u=user, r=records: self.open_composer(
                            u, r, **self.forged
                        ).action_send_mail()
                    )
                    self.assertRefused(
                        lambda u=user, r=records: self.open_composer(
                            u, r, self.forged_context
                        ).action_send_mail()
                    )
                    composer = self.open_composer(user, records)
                    self.assertRefused(self.rpc, user, composer, "write", self.forged)
                    self.rpc(
                        user, composer, "action_send_mail", context=self.forged_context
                    )
        self.assertNothingOfBobs()

    def test_mass_composer_with_no_alias_and_a_forged_default(self):
        composer = self.open_composer(
            self.user_alice, self.leads, self.forged_context, email_alias_id=False
        )
        composer.action_send_mail()
        self.assertNothingOfBobs()
        self.assertLeavesAsEver(self.find_mails(), 3)

    def test_composer_form_tells_nothing_of_an_alias_it_names(self):
        reply = self.rpc(
            self.user_alice,
            self.env["mail.compose.message"],
            "onchange",
            {**self.forged, "model": "crm.lead", "res_ids": str(self.lead.ids)},
            ["email_alias_id"],
            {
                "email_alias_id": {"fields": {"display_name": {}}},
                "email_from": {},
                "author_id": {"fields": {"display_name": {}}},
            },
        )
        self.assertNotIn("Bob", str(reply))
        self.assertNotIn("bob@", str(reply))

    def test_composer_of_a_colleagues_mailing(self):
        mailing = self.create_mailing(self.user_bob)
        for values in ({}, {"email_alias_id": False}):
            with self.subTest(values=values):
                self.assertRefused(
                    lambda v=values: self.open_composer(
                        self.user_alice, self.leads, mass_mailing_id=mailing.id, **v
                    ).action_send_mail()
                )

    def test_methods_for_code(self):
        for user in self.senders:
            for method, records in (
                ("message_post_with_source", self.lead),
                ("message_mail_with_source", self.leads),
            ):
                with self.subTest(user=user.login, method=method):
                    self.assertRefused(
                        self.rpc,
                        user,
                        records,
                        method,
                        self.template_ref(),
                        **self.forged,
                    )

    def template_ref(self):
        self.env["ir.model.data"].search(
            [("model", "=", "mail.template"), ("res_id", "=", self.template.id)]
        ).unlink()
        self.env["ir.model.data"].create(
            {
                "module": "__test__",
                "name": f"template_{self.template.id}",
                "model": "mail.template",
                "res_id": self.template.id,
            }
        )
        return f"__test__.template_{self.template.id}"

    def test_template(self):
        mailing = self.create_mailing(self.user_bob)
        for user in self.senders:
            for values in (self.forged, {"mailing_id": mailing.id}):
                with self.subTest(user=user.login, values=values):
                    self.assertRefused(
                        self.rpc,
                        user,
                        self.template,
                        "send_mail",
                        self.lead.id,
                        email_values=values,
                    )
            self.rpc(
                user,
                self.template,
                "send_mail",
                self.lead.id,
                context=self.forged_context,
            )
        self.assertNothingOfBobs()

    def test_scheduled_message(self):
        values = {
            "model": "crm.lead",
            "res_id": self.lead.id,
            "body": "x",
            "author_id": self.user_alice.partner_id.id,
            "partner_ids": self.customer.ids,
            "scheduled_date": fields.Datetime.to_string(fields.Datetime.now()),
            "notification_parameters": json.dumps(self.forged),
            "send_context": self.forged_context,
        }
        Scheduled = self.env["mail.scheduled.message"]
        self.assertRefused(self.rpc, self.user_alice, Scheduled, "create", values)
        scheduled = Scheduled.with_user(self.user_alice).create(
            {**values, "notification_parameters": "{}"}
        )
        self.assertRefused(
            self.rpc,
            self.user_alice,
            scheduled,
            "write",
            {"notification_parameters": json.dumps(self.forged)},
        )
        # as if it had got into the database nevertheless
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE mail_scheduled_message SET notification_parameters = %s",
            [json.dumps(self.forged)],
        )
        self.assertRefused(self.rpc, self.user_alice, scheduled, "post_message")
        scheduled.sudo()._post_message(raise_exception=False)
        self.assertNothingOfBobs()

    def test_scheduled_message_of_a_colleague_keeps_its_words(self):
        scheduled = self.open_composer(
            self.user_bob,
            self.lead,
            scheduled_date=fields.Datetime.now() + timedelta(hours=1),
        )._action_schedule_message()
        for user in (self.user_alice, self.user_manager, self.user_admin):
            for vals in ({"body": "Evil"}, {"partner_ids": [(4, 1)]}):
                self.assertRefused(self.rpc, user, scheduled, "write", vals)

    def test_message_record(self):
        message = self.send_message(self.user_alice, self.lead)
        vals = {
            "model": "crm.lead",
            "res_id": self.lead.id,
            "body": "x",
            "message_type": "comment",
        }
        for user in self.senders:
            self.assertRefused(
                self.rpc, user, message.browse(), "create", {**vals, **self.forged}
            )
            self.rpc(
                user, message.browse(), "create", vals, context=self.forged_context
            )
            self.assertRefused(self.rpc, user, message, "write", self.forged)
        self.assertNothingOfBobs()

    def test_waiting_message_of_a_colleague_keeps_its_words(self):
        message = self.send_message(
            self.user_bob, self.lead, email_alias_id=self.alias_bob.id
        )
        for vals in (
            {"body": "Evil"},
            {"subject": "Evil"},
            {"reply_to": "evil@x.example"},
            {"email_from": "evil@x.example"},
            {"attachment_ids": [(0, 0, {"name": "evil", "raw": b"evil"})]},
            {"partner_ids": [(4, self.user_alice.partner_id.id)]},
            {"author_id": self.user_alice.partner_id.id},
            {"email_alias_id": False},
        ):
            for user in self.senders:
                with (
                    self.subTest(vals=vals, user=user.login),
                    self.assertRaises(AccessError),
                ):
                    self.rpc(user, message, "write", vals)
        self.rpc(self.user_bob, message, "write", {"subject": "Mine"})
        self.assertEqual(message.subject, "Mine")

    def test_mail_record(self):
        mail = self.env["mail.mail"].create({"email_to": "x@y.example"})
        sent = self.env["mail.mail"].create(
            {"email_to": "x@y.example", "state": "sent"}
        )
        create = {"email_to": "x@y.example", "body_html": "x"}
        Mail = mail.browse()
        mailing = self.create_mailing(self.user_bob)
        admin = self.user_admin
        own = self.send_message(
            self.user_admin,
            self.lead,
            email_alias_id=self.create_alias(self.user_admin, "admin@x.example").id,
        )
        own_message = {"mail_message_id": own.id, "is_notification": True}
        for values in (
            self.forged,
            {**self.forged, **own_message},
            {"mailing_id": mailing.id},
        ):
            self.assertRefused(self.rpc, admin, Mail, "create", {**create, **values})
        self.rpc(admin, Mail, "create", create, context=self.forged_context)
        for vals in (self.forged, {**self.forged, "state": "outgoing"}):
            for target in (mail, sent):
                with self.subTest(vals=vals), self.assertRaises(UserError):
                    self.rpc(admin, target, "write", vals)
        self.assertNothingOfBobs()
        for user in (self.user_alice, self.user_manager):
            self.assertRefused(self.rpc, user, Mail, "create", create)

    def test_waiting_mail_of_a_colleague_keeps_its_words(self):
        self.send_message(self.user_bob, self.lead, email_alias_id=self.alias_bob.id)
        mail = self.find_mails(self.alias_bob)[:1]
        for vals in (
            {"body_html": "Evil"},
            {"email_to": "evil@x.example"},
            {"email_cc": "evil@x.example"},
            {"recipient_ids": [(4, self.user_alice.partner_id.id)]},
            {"subject": "Evil"},
            {"headers": "{'Bcc': 'evil@x.example'}"},
            {"reply_to": "evil@x.example"},
        ):
            with self.subTest(vals=vals), self.assertRaises(AccessError):
                self.rpc(self.user_admin, mail, "write", vals)
        # an administrator of the system takes mail out of the queue and puts it back
        self.rpc(self.user_admin, mail, "cancel")
        self.rpc(self.user_admin, mail, "mark_outgoing")
        self.assertLeavesBy(self.alias_bob, mail, 1)


@tagged("post_install", "-at_install", "user_email_alias")
class TestLog(AliasCommon):
    def setUp(self):
        super().setUp()
        self.mail = (
            self.env["mail.mail"]
            .with_user(self.user_bob)
            .sudo()
            .create(
                {
                    "email_to": "x@y.example",
                    "email_alias_id": self.alias_bob.id,
                    "state": "exception",
                }
            )
        )
        self.row = self.env["user.email.alias.log"].create(
            {
                "alias_id": self.alias_bob.id,
                "mail_mail_id": self.mail.id,
                "outcome": "uncertain",
                "recipients": "x@y.example",
                "subject": "Private",
            }
        )

    def test_own_rows_are_seen_others_are_not(self):
        Row = self.row.browse()
        for user, found in (
            (self.user_bob, True),
            (self.user_manager, True),
            (self.user_alice, False),
            (self.user_plain, False),
        ):
            ids = self.rpc(user, Row, "search", [("id", "=", self.row.id)])
            self.assertEqual(bool(ids), found, user.login)
        for user in (self.user_alice, self.user_plain, self.user_portal):
            for method, *args in (("read", ["subject"]), ("action_open_document",)):
                self.assertDenied(self.rpc, user, self.row, method, *args)
        self.assertDenied(self.rpc, self.user_portal, Row, "search", [])

    def test_nobody_writes_the_log(self):
        for user in (self.user_bob, self.user_manager, self.user_admin):
            for records, method, *args in (
                (self.row, "write", {"outcome": "sent"}),
                (self.row, "unlink"),
                (self.row, "copy"),
                (self.row.browse(), "create", {"alias_id": self.alias_bob.id}),
            ):
                with self.subTest(user=user.login, method=method):
                    self.assertDenied(self.rpc, user, records, method, *args)

    def assertDenied(self, action, *args):
        with self.assertRaises(AccessError):
            action(*args)

    def test_only_the_owner_decides_what_is_uncertain(self):
        for user in (self.user_alice, self.user_manager, self.user_admin):
            for method in ("action_send_again", "action_mark_sent"):
                with self.subTest(user=user.login, method=method):
                    self.assertDenied(self.rpc, user, self.row, method)
        self.assertEqual(self.row.outcome, "uncertain")
        self.rpc(self.user_bob, self.row, "action_send_again")
        self.assertEqual(self.mail.state, "outgoing")
        self.assertEqual(self.row.outcome, "deferred")

    def test_decided_once_is_decided(self):
        self.rpc(self.user_bob, self.row, "action_mark_sent")
        self.assertEqual(self.mail.state, "sent")
        with self.assertRaises(UserError):
            self.rpc(self.user_bob, self.row, "action_send_again")

    def test_only_the_owner_cancels_waiting_mail(self):
        self.mail.mark_outgoing()
        Wizard = self.env["user.email.alias.cancel"]
        for user in (self.user_alice, self.user_manager, self.user_admin):
            wizard = Wizard.with_user(user).create({"alias_id": self.alias_bob.id})
            self.assertDenied(self.rpc, user, wizard, "action_cancel_mails")
            self.assertDenied(self.rpc, user, wizard, "read", ["count"])
        self.assertEqual(self.mail.state, "outgoing")
        wizard = Wizard.with_user(self.user_bob).create({"alias_id": self.alias_bob.id})
        self.rpc(self.user_bob, wizard, "action_cancel_mails")
        self.assertEqual(self.mail.state, "cancel")
