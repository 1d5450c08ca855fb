"""The full composer, by whichever door a person comes to it, down to the wire."""

import ast
from datetime import datetime, timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common_automatic import ADA, GUEST, ROBOT, AutomaticCase

COMPOSER = "mail.compose.message"
GUESTS = [f"guest{number}@example.org" for number in range(3)]


class DoorCase(AutomaticCase):
    """Who picks an alias sends by it; who picks none, by the database's server."""

    def create_leads(self, count):
        self.partner_ids = self.create_partners(count)
        return self.create(
            "crm.lead",
            *(
                {"name": f"Lead {pid}", "partner_id": pid, "user_id": self.user_id}
                for pid in self.partner_ids
            ),
        )

    def send(self, context, **values):
        """Press Send in the composer; forget what has left before."""
        self.run_queue()
        self.clear()
        self.server.messages.clear()
        if "email_alias_id" in values:
            values = {**self.choose(context, values["email_alias_id"]), **values}
        self.press("action_send_mail", COMPOSER, context, **values)

    def choose(self, context, alias_id):
        """What changes on the form when somebody picks another From."""
        filled = {**self.open(COMPOSER, context), "email_alias_id": alias_id}
        spec = {name: {} for name in self.fields}
        changed = self.call(
            COMPOSER, "onchange", [], filled, ["email_alias_id"], spec, context=context
        )["value"]
        return {name: changed[name] for name in ("email_from",) if name in changed}

    def assertLeavesByOdoo(self, sender, *recipients):
        """All of it by the database's server, and nothing by the alias."""
        self.run_queue()
        self.assertFalse(self.server.messages)
        with self.committed() as env:
            env["mail.mail"].process_email_queue()
        self.assertLeftAsEver(*((sender, recipient) for recipient in recipients))


@tagged("post_install", "-at_install", "user_email_alias")
class TestDoors(DoorCase):
    def test_the_action_of_a_template(self):
        ids = self.create_leads(len(GUESTS))
        template_id = self.create_template(
            email_to=False, partner_to="{{ object.partner_id.id }}"
        )
        with self.committed() as env:
            template = env["mail.template"].browse(template_id)
            template.create_action()
            action = template.ref_ir_act_window
            self.created.append((action._name, action.ids))
            context = ast.literal_eval(action.context)
        context = {**context, "active_model": "crm.lead", "active_ids": ids}
        self.assertOffersFrom(COMPOSER, context)
        self.send(context)
        self.assertLeaves(*GUESTS)
        self.assertFalse(self.odoo_server.messages)
        for lead_id in ids:
            self.assertOutcome("crm.lead", lead_id)
        self.send(context, email_alias_id=False)
        self.assertLeavesByOdoo(ROBOT, *GUESTS)

    def reply(self, option, **context):
        """What "Reply All" and "Forward" below a message open."""
        return {
            "default_composition_mode": "comment",
            "default_composition_comment_option": option,
            "default_body": "<p>Have a look</p>",
            "default_model": "crm.lead",
            "default_res_ids": self.lead_ids,
            "default_subject": "Look",
            "default_subtype_xmlid": "mail.mt_comment",
            **context,
        }

    def receive_from_guest(self):
        self.lead_ids = self.create_leads(1)
        with self.committed() as env:
            lead = env["crm.lead"].browse(self.lead_ids)
            lead.message_subscribe(self.partner_ids)
            lead.message_post(
                body="A question",
                author_id=self.partner_ids[0],
                message_type="email",
                subtype_xmlid="mail.mt_comment",
            )

    def test_reply_all(self):
        self.receive_from_guest()
        context = self.reply("reply_all", default_partner_ids=self.partner_ids)
        self.assertOffersFrom(COMPOSER, context)
        self.send(context)
        self.assertLeaves(GUEST)
        self.assertOutcome("crm.lead", self.lead_ids[0])

    def test_forward(self):
        self.receive_from_guest()
        other_id = self.create(
            "res.partner", {"name": "Other", "email": "other@example.org"}
        )[0]
        context = self.reply("forward")
        self.assertOffersFrom(COMPOSER, context)
        self.send(context, partner_ids=[[6, 0, [other_id]]])
        self.assertLeaves("other@example.org")
        self.assertOutcome("crm.lead", self.lead_ids[0])

    def test_a_failed_email_is_sent_again_by_nobody_but_its_owner(self):
        lead_ids = self.create_leads(1)
        self.server.on("dot", reply="554 5.6.0 no", times=1)
        context = {
            "default_composition_mode": "comment",
            "default_model": "crm.lead",
            "default_res_ids": lead_ids,
            "default_partner_ids": self.partner_ids,
            "default_subject": "Hello",
            "default_body": "<p>Hello</p>",
        }
        self.send(context)
        self.run_queue()
        self.assertOutcome("crm.lead", lead_ids[0], "refused")
        with self.committed() as env:
            admin_id = env.ref("base.user_admin").id
            mail_ids = env["mail.mail"]._search(
                [("email_alias_id", "=", self.alias_id), ("state", "=", "exception")]
            )
            mail_ids = list(mail_ids)
        self.assertEqual(len(mail_ids), 1)
        for method in ("action_retry", "mark_outgoing"):
            with self.subTest(method=method), self.assertRaises(AccessError):
                self.call("mail.mail", method, mail_ids, uid=admin_id)
        self.assertNothingLeaves()
        self.assertLeftAsEver()
        self.assertOutcome("crm.lead", lead_ids[0], "refused")


@tagged("post_install", "-at_install", "user_email_alias")
class TestCalendarDoors(DoorCase):
    model = "calendar.event"

    def plan(self, **values):
        start = datetime.now().replace(microsecond=0) + timedelta(days=3)
        values = {
            **self.open(self.model),
            "name": "Lunch",
            "start": fields.Datetime.to_string(start),
            "stop": fields.Datetime.to_string(start + timedelta(hours=1)),
            "partner_ids": [[6, 0, self.create_partners(len(GUESTS))]],
            **values,
        }
        event_id = self.call(self.model, "web_save", [], values, {})[0]["id"]
        self.created.append((self.model, [event_id]))
        return event_id

    def test_contact_attendees(self):
        event_id = self.plan(email_alias_id=False)
        context = self.call(self.model, "action_open_composer", [event_id])["context"]
        self.assertOffersFrom(COMPOSER, context)
        self.send(context)
        self.assertLeaves(*GUESTS, is_bulk=False)
        self.assertOutcome(self.model, event_id)

    def test_the_button_that_invites_once_more(self):
        event_id = self.plan()
        self.assertLeaves(*GUESTS)
        self.server.clear()
        self.call(self.model, "action_sendmail", [event_id])
        self.assertLeaves(*GUESTS)
        self.assertFalse(self.odoo_server.messages)

    def test_the_from_of_the_invitation_s_template(self):
        """As reported for Odoo (odoo/odoo 228018): it stays, unless somebody chose."""
        with self.committed() as env:
            template = env.ref("calendar.calendar_template_meeting_invitation")
            before = template.email_from
            template.email_from = ROBOT
        self.addCleanup(self._give_back, before)
        self.plan(email_alias_id=False)
        self.assertLeavesByOdoo(ROBOT, *GUESTS)
        self.odoo_server.clear()
        self.plan()
        self.assertLeaves(*GUESTS)

    def _give_back(self, email_from):
        with self.committed() as env:
            template = env.ref("calendar.calendar_template_meeting_invitation")
            template.email_from = email_from


@tagged("post_install", "-at_install", "user_email_alias")
class TestDiscuss(DoorCase):
    def test_whoever_is_mentioned_in_a_channel_is_told_as_ever(self):
        """A conversation, not an email of one's own: no From is offered."""
        colleague_id = self.create_colleague()
        with self.committed() as env:
            colleague = env["res.users"].browse(colleague_id).partner_id
            channel = env["discuss.channel"].create({"name": "General"})
            self.created.append((channel._name, channel.ids))
            user = env["res.users"].browse(self.user_id)
            channel._add_members(users=user)
        self.clear()
        self.call(
            "discuss.channel",
            "message_post",
            [channel.id],
            body="Look",
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            partner_ids=colleague.ids,
        )
        self.assertLeavesByOdoo(ADA, "queue_colleague@example.com")
