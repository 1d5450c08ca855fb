"""A foreign alias's id, put wherever an alias id may come in."""

import json
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import AliasCommon


@tagged("post_install", "-at_install", "user_email_alias")
class TestForgedAlias(AliasCommon):
    """Somebody else's alias id, wherever an id can be handed in."""

    def setUp(self):
        super().setUp()
        self.forged = {"email_alias_id": self.alias_bob.id}
        self.forged_context = {"default_email_alias_id": self.alias_bob.id}
        self.template = self.create_template("S")

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
            "scheduled_date": fields.Datetime.to_string(
                fields.Datetime.now() + timedelta(hours=1)
            ),
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
        # whoever may post on a record reads the parameters of what is scheduled there
        key = self.alias_bob.sudo().key
        named = json.dumps({"email_alias_key": key})
        self.assertRefused(
            self.rpc,
            self.user_alice,
            Scheduled,
            "create",
            {**values, "notification_parameters": named},
        )
        self.assertRefused(
            self.rpc,
            self.user_alice,
            self.lead,
            "message_post",
            body="x",
            email_alias_key=key,
        )
        # as if it had got into the database nevertheless
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE mail_scheduled_message SET notification_parameters = %s",
            [json.dumps(self.forged)],
        )
        self.assertRefused(
            self.rpc, self.user_alice, scheduled, "post_message", error=UserError
        )
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
            {"mail_message_id": self.lead.message_ids[-1].id},
            {"scheduled_date": False},
            {"mailing_id": self.create_mailing(self.user_alice).id},
            {"state": "sent"},
            {"state": "exception"},
        ):
            with self.subTest(vals=vals), self.assertRaises(AccessError):
                self.rpc(self.user_admin, mail, "write", vals)
        with self.assertRaisesRegex(UserError, "cancel it instead"):
            self.rpc(self.user_admin, mail, "write", {"mail_ids": [(5,)]})
        with self.assertRaisesRegex(UserError, "cancel it instead"):
            self.rpc(self.user_admin, mail, "unlink")
        # an administrator takes mail out of the queue, and does not put it back
        self.rpc(self.user_admin, mail, "cancel")
        with self.assertRaises(AccessError):
            self.rpc(self.user_admin, mail, "mark_outgoing")
        for method in ("action_retry", "send"):
            self.rpc(self.user_admin, mail, method)
        self.assertEqual(mail.state, "cancel")
