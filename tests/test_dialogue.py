"""From in the dialogues of mail and calendar, and how far the choice reaches."""

from datetime import datetime, timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import AliasCommon
from .common_dialogue import DialogueCase
from .common_http import PatientHttpCase


@tagged("post_install", "-at_install", "user_email_alias")
class TestFollowers(DialogueCase):
    """Add followers, with a message."""

    model = "mail.followers.edit"

    def setUp(self):
        super().setUp()
        self.lead_id = self.create(
            "crm.lead", {"name": "Lead", "user_id": self.user_id}
        )[0]
        self.context = {
            "default_res_model": "crm.lead",
            "default_res_ids": f"[{self.lead_id}]",
        }

    def invite(self, count, **values):
        partner_ids = self.create_partners(count)
        self.press(
            "edit_followers",
            self.model,
            self.context,
            partner_ids=[[6, 0, partner_ids]],
            **{"notify": True, "message": "<p>Have a look</p>", **values},
        )

    def test_new_followers_are_written_to_by_the_alias_at_its_pace(self):
        self.assertOffersFrom(self.model, self.context)
        self.invite(3)
        self.assertLeaves(*(f"guest{n}@example.org" for n in range(3)))
        self.assertOutcome("crm.lead", self.lead_id)

    def test_answers_go_to_whoever_wrote(self):
        self.write_alias(reply_to=False)
        self.invite(1)
        self.assertLeaves("guest0@example.org", reply_to="ada@example.com")

    def test_odoos_own_server_can_be_chosen(self):
        self.invite(1, email_alias_id=False)
        self.assertNothingLeaves()

    def test_without_a_message_nothing_leaves(self):
        self.invite(1, notify=False)
        self.assertNothingLeaves()


@tagged("post_install", "-at_install", "user_email_alias")
class TestActivity(DialogueCase):
    """ "Send Now" beside an activity, or above a column of them."""

    def send_now(self, count, alias_id):
        partner_ids = self.create_partners(count)
        lead_ids = self.create(
            "crm.lead",
            *(
                {"name": f"Lead {pid}", "partner_id": pid, "user_id": self.user_id}
                for pid in partner_ids
            ),
        )
        with self.committed() as env:
            model_id = env["ir.model"]._get_id("crm.lead")
        template_id = self.create(
            "mail.template",
            {
                "name": "Offer",
                "model_id": model_id,
                "subject": "Offer",
                "body_html": "<p>Hello</p>",
                "email_from": "robot@corp.example",
                "use_default_to": True,
            },
        )[0]
        self.call(
            "crm.lead",
            "activity_send_mail",
            lead_ids,
            template_id,
            context={"email_alias_picked_id": alias_id},
        )
        return lead_ids

    def test_one_record(self):
        lead_ids = self.send_now(1, self.alias_id)
        self.assertLeaves("guest0@example.org")
        self.assertOutcome("crm.lead", lead_ids[0])

    def test_many_records_keep_the_pace(self):
        self.send_now(3, self.alias_id)
        self.assertLeaves(*(f"guest{n}@example.org" for n in range(3)))

    def test_odoos_own_server(self):
        self.send_now(1, False)
        self.assertNothingLeaves()


@tagged("post_install", "-at_install", "user_email_alias")
class TestCalendar(DialogueCase):
    """Invitations, their changes, and what tells that an event is off."""

    model = "calendar.event"

    def plan(self, count, **values):
        self.partner_ids = self.create_partners(count)
        start = datetime.now().replace(microsecond=0) + timedelta(days=3)
        values = {
            **self.open(self.model),
            "name": "Lunch",
            "start": fields.Datetime.to_string(start),
            "stop": fields.Datetime.to_string(start + timedelta(hours=1)),
            "partner_ids": [[6, 0, self.partner_ids]],
            **values,
        }
        event_id = self.call(self.model, "web_save", [], values, {})[0]["id"]
        self.created.append((self.model, [event_id]))
        return event_id

    def move(self, event_id, days=5, uid=None):
        start = datetime.now().replace(microsecond=0) + timedelta(days=days)
        values = {
            "start": fields.Datetime.to_string(start),
            "stop": fields.Datetime.to_string(start + timedelta(hours=1)),
        }
        with self.committed(uid or self.user_id) as env:
            env[self.model].browse(event_id).write(values)

    def test_both_forms_offer_from(self):
        self.assertOffersFrom(self.model)
        quick = "calendar.view_calendar_event_form_quick_create"
        self.assertOffersFrom(self.model, view=quick)

    def test_what_was_picked_in_the_short_form_goes_along(self):
        second_id = self.create_second_alias()
        for chosen, seen in ((second_id, second_id), (False, False)):
            filled = self.open(self.model, {"email_alias_chosen": chosen})
            self.assertEqual(filled["email_alias_id"], seen)

    def create_second_alias(self):
        with self.committed(self.user_id) as env:
            values = {"name": "Second", "email_from": "second@example.com"}
            return self.create_alias(env, **values).id

    def test_an_invitation_leaves_by_the_alias(self):
        event_id = self.plan(1)
        self.assertLeaves("guest0@example.org")
        self.assertOutcome(self.model, event_id)

    def test_several_are_invited_at_the_alias_s_pace(self):
        self.plan(3)
        self.assertLeaves(*(f"guest{n}@example.org" for n in range(3)))

    def test_a_change_leaves_by_the_same_alias(self):
        event_id = self.plan(1)
        self.run_queue()
        self.move(event_id)
        guest = "guest0@example.org"
        self.assertLeaves(guest, guest, is_bulk=False)

    def test_odoos_own_server_can_be_chosen(self):
        event_id = self.plan(1, email_alias_id=False)
        self.move(event_id)
        self.assertNothingLeaves()

    def test_a_colleague_s_change_is_not_the_owner_s(self):
        event_id = self.plan(1)
        self.run_queue()
        with self.committed() as env:
            colleague_id = self._create_user(env, "queue_bob").id
        self.move(event_id, uid=colleague_id)
        self.assertLeaves("guest0@example.org")
        with self.committed(colleague_id) as env:
            event = env[self.model].browse(event_id)
            self.assertFalse(event.email_alias_id)

    def test_what_a_rule_changes_is_not_the_owner_s(self):
        event_id = self.plan(1)
        self.run_queue()
        start = datetime.now() + timedelta(days=9)
        with self.committed() as env:
            action = env["ir.actions.server"].create(
                {
                    "name": "Move",
                    "model_id": env["ir.model"]._get_id(self.model),
                    "state": "code",
                    "code": f"record.write({{'start': '{start:%Y-%m-%d %H:%M:%S}', "
                    f"'stop': '{start:%Y-%m-%d %H:%M:%S}'}})",
                }
            )
            self.created.append((action._name, action.ids))
            action.with_user(self.user_id).sudo().with_context(
                active_model=self.model, active_id=event_id
            ).run()
        self.assertLeaves("guest0@example.org")

    def test_code_that_plans_an_event_invites_as_ever(self):
        partner_ids = self.create_partners(1)
        with self.committed(self.user_id) as env:
            event = env[self.model].create(
                {
                    "name": "Robot",
                    "start": datetime.now() + timedelta(days=1),
                    "stop": datetime.now() + timedelta(days=1, hours=1),
                    "partner_ids": [(6, 0, partner_ids)],
                }
            )
            self.created.append((self.model, event.ids))
        self.assertNothingLeaves()

    def test_the_cancellation_leaves_after_its_event_is_gone(self):
        event_id = self.plan(2)
        self.run_queue()
        with self.committed(self.user_id) as env:
            template_id = env.ref("calendar.calendar_template_delete_event").id
        context = {
            "default_calendar_event_id": event_id,
            "default_template_id": template_id,
            "default_recurrence": False,
        }
        model, view = (
            "calendar.popover.delete.wizard",
            "calendar.view_event_delete_wizard_form",
        )
        self.assertOffersFrom(model, context, view)
        self.server.messages.clear()
        self.press("action_send_mail_and_delete", model, context, view)
        with self.committed() as env:
            self.assertFalse(env[self.model].browse(event_id).exists())
        # core tells its organizer, too
        organizer = "queue_ada@example.com"
        self.assertLeaves("guest0@example.org", "guest1@example.org", organizer)


@tagged("post_install", "-at_install", "user_email_alias")
class TestReach(AliasCommon):
    """The choice of a dialogue is for what the person wrote, and the owner's alone."""

    def pick(self, user, records, alias):
        return records.with_user(user).with_context(email_alias_picked_id=alias.id)

    def post(self, records, **values):
        return self.send_message(records.env.user, records, **values)

    def test_what_is_posted_leaves_by_the_alias_picked(self):
        lead = self.pick(self.user_alice, self.lead, self.alias_alice_2)
        self.post(lead)
        mails = self.find_mails(self.alias_alice_2)
        self.assertLeavesBy(self.alias_alice_2, mails, 1, bulk=False)

    def test_somebody_else_s_alias_is_refused(self):
        lead = self.pick(self.user_alice, self.lead, self.alias_bob)
        self.assertRefused(self.post, lead)
        Mail = self.pick(self.user_alice, self.env["mail.mail"], self.alias_bob)
        self.assertRefused(Mail.sudo().create, {"email_to": "a@example.org"})

    def test_an_archived_alias_is_refused(self):
        lead = self.pick(self.user_bob, self.lead, self.alias_bob)
        self.alias_bob.active = False
        self.assertRefused(self.post, lead, error=UserError)

    def test_the_dialogue_takes_no_alias_of_somebody_else(self):
        with self.assertRaises(AccessError):
            self.env["mail.followers.edit"].with_user(self.user_alice).create(
                {
                    "res_model": "crm.lead",
                    "partner_ids": self.customer.ids,
                    "email_alias_id": self.alias_bob.id,
                }
            )

    def test_no_alias_is_picked_where_somebody_else_has_a_hand_in_it(self):
        dialogue = self.env["mail.followers.edit"].with_user(self.user_alice)
        dialogue = dialogue.create(
            {"res_model": "crm.lead", "partner_ids": self.customer.ids}
        )
        dialogue.email_alias_id = self.alias_alice
        dialogue.email_alias_id = False
        # where a rule lets a colleague in
        dialogue.sudo().with_user(self.user_bob).sudo().message = "<p>Buy this</p>"
        with self.assertRaises(UserError):
            dialogue.email_alias_id = self.alias_alice
        self.assertFalse(dialogue.email_alias_id)

    def test_a_message_does_not_hand_the_choice_on(self):
        lead = self.pick(self.user_alice, self.lead, self.alias_alice)
        message = self.post(lead)
        self.assertFalse(message.env.context.get("email_alias_picked_id"))

    def test_what_a_server_action_sends_takes_no_part_in_it(self):
        action = self.env["ir.actions.server"].create(
            {
                "name": "Reply",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "state": "code",
                "code": f"record.message_post(partner_ids={self.customer.ids})",
            }
        )
        self.pick(self.user_alice, action, self.alias_alice).sudo().with_context(
            active_model="crm.lead", active_id=self.lead.id
        ).run()
        self.assertLeavesAsEver(self.find_mails(), 1)

    def test_what_a_change_of_stage_sends_takes_no_part_in_it(self):
        template = self.create_template("Stage")
        lead = self.pick(self.user_alice, self.lead, self.alias_alice)
        self.patch(
            type(self.lead),
            "_track_template",
            lambda self, changes: {"stage_id": (template, {})},
        )
        lead.stage_id = self.env["crm.stage"].create({"name": "Next"})
        self.flush_tracking()
        self.assertLeavesAsEver(self.find_mails())
        self.assertFalse(self.find_mails(self.alias_alice))

    def test_who_is_assigned_hears_of_it_as_ever(self):
        lead = self.pick(self.user_alice, self.lead, self.alias_alice)
        lead.user_id = self.user_bob
        self.flush_tracking()
        self.assertFalse(self.find_mails(self.alias_alice))
        self.assertLeavesAsEver(self.find_mails())

    def test_whoever_has_no_alias_sees_no_from(self):
        reply = self.rpc(
            self.user_manager,
            self.env["mail.followers.edit"],
            "onchange",
            {},
            [],
            {"email_alias_id": {"fields": {}}, "has_email_alias": {}},
        )
        self.assertFalse(reply["value"]["email_alias_id"])
        self.assertFalse(reply["value"]["has_email_alias"])

    def test_a_dialogue_that_code_fills_in_has_no_alias(self):
        dialogue = (
            self.env["mail.followers.edit"]
            .with_user(self.user_alice)
            .create({"res_model": "crm.lead", "partner_ids": self.customer.ids})
        )
        self.assertFalse(dialogue.email_alias_id)


@tagged("post_install", "-at_install", "user_email_alias", "user_email_alias_tour")
class TestDialogueTours(AliasCommon, PatientHttpCase):
    def test_send_now_asks_for_the_from_first(self):
        template = self.env["mail.template"].create(
            {
                "name": "Offer",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "subject": "Offer",
                "body_html": "<p>Good morning</p>",
                "use_default_to": True,
            }
        )
        kind = self.env["mail.activity.type"].create(
            {"name": "Offer", "mail_template_ids": template.ids}
        )
        leads = self.env["crm.lead"].create(
            [
                {
                    "name": name,
                    "type": "opportunity",
                    "user_id": self.user_alice.id,
                    "partner_id": self.customer.id,
                }
                for name in ("Tour lead", "Other lead")
            ]
        )
        for lead in leads:
            lead.activity_schedule(activity_type_id=kind.id, user_id=self.user_alice.id)
        self.mails_before = self.all_mail_ids()
        self.start_tour("/odoo", "user_email_alias_send_now", login="alice_alias")
        mails = self.find_mails(self.alias_alice_2)
        self.assertLeavesBy(self.alias_alice_2, mails, 1, bulk=False)
        mails = self.find_mails(self.alias_alice)
        self.assertLeavesBy(self.alias_alice, mails, 2, bulk=True)
