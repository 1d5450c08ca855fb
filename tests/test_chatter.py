import json
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged, users

from odoo.addons.mail.tools.discuss import Store

from .common import AliasCommon
from .common_http import PatientHttpCase


class ChatterCase(AliasCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tour_lead = cls.create_tour_lead(cls.user_alice)

    @classmethod
    def create_tour_lead(cls, user):
        return (
            cls.env["crm.lead"]
            .with_user(user)
            .create(
                {
                    "name": "Tour lead",
                    "type": "opportunity",
                    "user_id": user.id,
                    "partner_id": cls.customer.id,
                }
            )
        )

    def receive(self, record, **values):
        """A customer's email on a record, as the mail gateway leaves it."""
        return record.sudo().message_post(
            **{
                "body": "An answer",
                "message_type": "email",
                "subtype_xmlid": "mail.mt_comment",
                "author_id": self.customer.id,
                "email_from": self.customer.email_formatted,
                **values,
            }
        )

    def propose(self, user, record):
        Alias = self.env["user.email.alias"].with_user(user)
        return Alias._propose(record.with_user(user)).with_env(self.env)


@tagged("post_install", "-at_install", "user_email_alias")
class TestProposal(ChatterCase):
    def test_new_conversation_proposes_the_default(self):
        self.assertEqual(self.propose(self.user_alice, self.lead), self.alias_alice)

    def test_conversation_goes_on_with_the_alias_used_last(self):
        self.send_message(
            self.user_alice, self.lead, email_alias_id=self.alias_alice_2.id
        )
        self.assertEqual(self.propose(self.user_alice, self.lead), self.alias_alice_2)
        other = self.leads[1]
        self.assertEqual(self.propose(self.user_alice, other), self.alias_alice)

    def test_alias_of_a_colleague_is_proposed_to_nobody_else(self):
        self.send_message(self.user_bob, self.lead, email_alias_id=self.alias_bob.id)
        self.assertEqual(self.propose(self.user_alice, self.lead), self.alias_alice)

    def test_alias_the_customer_wrote_to_is_proposed(self):
        self.receive(self.lead, incoming_email_to="Alice <ALICE@other.example.com>")
        self.assertEqual(self.propose(self.user_alice, self.lead), self.alias_alice_2)

    def test_alias_in_copy_is_proposed(self):
        self.receive(
            self.lead,
            incoming_email_to="info@test.mycompany.com",
            incoming_email_cc="x@example.com, alice@other.example.com",
        )
        self.assertEqual(self.propose(self.user_alice, self.lead), self.alias_alice_2)

    def test_international_domain_is_recognised_in_either_form(self):
        self.alias_alice_2.email_from = "alice@bücher.example"
        self.receive(self.lead, incoming_email_to="alice@xn--bcher-kva.example")
        self.assertEqual(self.propose(self.user_alice, self.lead), self.alias_alice_2)

    def test_latest_of_used_and_written_to_counts(self):
        self.receive(self.lead, incoming_email_to="alice@other.example.com")
        self.send_message(
            self.user_alice, self.lead, email_alias_id=self.alias_alice.id
        )
        self.assertEqual(self.propose(self.user_alice, self.lead), self.alias_alice)
        self.receive(self.lead, incoming_email_to="alice@other.example.com")
        self.assertEqual(self.propose(self.user_alice, self.lead), self.alias_alice_2)

    def test_archived_alias_is_not_proposed(self):
        self.send_message(
            self.user_alice, self.lead, email_alias_id=self.alias_alice_2.id
        )
        self.alias_alice_2.active = False
        self.assertEqual(self.propose(self.user_alice, self.lead), self.alias_alice)

    def test_composer_of_a_button_opens_with_the_proposal(self):
        self.receive(self.lead, incoming_email_to="alice@other.example.com")
        composer = self.open_composer(self.user_alice, self.lead)
        self.assertEqual(composer.email_alias_id, self.alias_alice_2)

    def test_composer_keeps_the_choice_of_no_alias(self):
        composer = self.open_composer(
            self.user_alice, self.lead, context={"default_email_alias_id": False}
        )
        self.assertFalse(composer.email_alias_id)

    def test_user_without_alias_costs_no_query(self):
        Alias = self.env["user.email.alias"].with_user(self.user_plain)
        lead = self.lead.with_user(self.user_plain)
        self.assertFalse(Alias._has_own())
        self.env.flush_all()
        self.env.invalidate_all()
        with self.assertQueryCount(0):
            self.assertFalse(Alias._has_own())
            self.assertFalse(Alias._propose(lead))
            self.assertFalse(Alias._get_default(self.user_plain))

    def test_first_and_last_alias_count_at_once(self):
        Alias = self.env["user.email.alias"].with_user(self.user_plain)
        self.assertFalse(Alias._has_own())
        alias = self.create_alias(self.user_plain, "pat@a.example.com")
        self.assertTrue(Alias._has_own())
        alias.active = False
        self.assertFalse(Alias._has_own())
        alias.active = True
        self.assertTrue(Alias._has_own())
        alias.unlink()
        self.assertFalse(Alias._has_own())

    @users("alice_alias")
    def test_single_alias_costs_no_look_at_the_conversation(self):
        self.alias_alice_2.active = False
        lead = self.lead.with_user(self.env.user)
        Alias = self.env["user.email.alias"]
        Alias._propose(lead)
        self.env.flush_all()
        self.env.invalidate_all()
        with self.assertQueryCount(4):
            # the user's groups, the default twice as flagged and as own, its fields
            Alias._propose(lead)


@tagged("post_install", "-at_install", "user_email_alias")
class TestScheduledMessage(ChatterCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.later = fields.Datetime.now() + timedelta(hours=1)

    def schedule(self, user, **values):
        composer = self.open_composer(
            user, self.lead, scheduled_date=self.later, **values
        )
        return composer._action_schedule_message()

    def test_scheduled_message_says_whom_it_will_be_from(self):
        scheduled = self.schedule(self.user_alice, email_alias_id=self.alias_alice_2.id)
        self.assertEqual(scheduled.email_alias_id, self.alias_alice_2)
        data = Store().add(scheduled.with_user(self.user_bob)).get_result()
        self.assertEqual(
            data["mail.scheduled.message"][0]["emailAliasFrom"],
            "Alice Adams <alice@other.example.com>",
        )

    def test_author_changes_the_alias_before_the_date(self):
        self.alias_alice_2.reply_to = "team@a.example.com"
        scheduled = self.schedule(self.user_alice)
        scheduled.email_alias_id = self.alias_alice_2
        scheduled.with_user(self.user_root)._post_message()
        mail = self.find_mails(self.alias_alice_2)
        self.assertLeavesBy(self.alias_alice_2, mail, 1)
        self.assertEqual(mail.reply_to, "team@a.example.com")

    def test_author_takes_the_alias_away_before_the_date(self):
        scheduled = self.schedule(self.user_alice)
        scheduled.email_alias_id = False
        scheduled.with_user(self.user_root)._post_message()
        self.assertLeavesAsEver(self.find_mails(), 1)

    def test_nobody_else_changes_what_leaves_by_my_alias(self):
        scheduled = self.schedule(self.user_alice)
        for user in (self.user_bob, self.user_admin):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                scheduled.with_user(user).body = "Words of somebody else"

    def test_message_for_later_names_an_alias_of_ones_own_only(self):
        with self.assertRaises(AccessError):
            self.env["mail.scheduled.message"].with_user(self.user_bob).create(
                {
                    "model": self.lead._name,
                    "res_id": self.lead.id,
                    "author_id": self.user_bob.partner_id.id,
                    "body": "Words of Bob",
                    "scheduled_date": self.later,
                    "notification_parameters": json.dumps(
                        {"email_alias_id": self.alias_alice.id}
                    ),
                }
            )


@tagged("post_install", "-at_install", "user_email_alias", "user_email_alias_tour")
class TestChatterTours(ChatterCase, PatientHttpCase):
    def mail_of(self, text):
        mails = self.env["mail.mail"].search([("body_html", "like", text)])
        self.assertEqual(len(mails), 1, text)
        return mails

    def test_chatter_sends_by_the_alias_it_shows(self):
        self.start_tour("/odoo", "user_email_alias_chatter", login="alice_alias")
        self.assertLeavesBy(self.alias_alice, self.mail_of("By the default"))
        self.assertLeavesBy(self.alias_alice_2, self.mail_of("By another"))
        self.assertLeavesAsEver(self.mail_of("As ever"))
        note = self.env["mail.message"].search([("body", "like", "A note")])
        self.assertEqual(len(note), 1)
        self.assertFalse(note.email_alias_id)

    def test_choice_is_kept_with_the_draft_and_in_the_full_composer(self):
        self.start_tour("/odoo", "user_email_alias_draft", login="alice_alias")
        self.assertLeavesBy(self.alias_alice_2, self.mail_of("Half a sentence"))

    def test_user_without_alias_sees_odoo_as_ever(self):
        user = self.create_user("nadia_alias", "Nadia None")
        self.create_tour_lead(user)
        self.start_tour("/odoo", "user_email_alias_none", login="nadia_alias")
        self.assertLeavesAsEver(self.mail_of("As ever"))

    def test_user_who_may_create_no_contact_sees_who_gets_nothing(self):
        rights = "base.group_user,sales_team.group_sale_salesman_all_leads"
        user = self.create_user("clara_alias", "Clara Clerk", rights)
        alias = self.create_alias(user, "clara@a.example.com")
        lead = self.create_tour_lead(user)
        lead.write({"partner_id": False, "email_from": "nobody.yet@example.org"})
        self.assertFalse(user.has_group("base.group_partner_manager"))
        self.start_tour("/odoo", "user_email_alias_unreached", login="clara_alias")
        message = lead.message_ids.filtered(lambda m: "To nobody" in m.body)
        self.assertEqual(message.email_alias_id, alias)
        self.assertFalse(self.find_mails(alias))
        self.assertFalse(
            self.env["res.partner"].search([("email", "like", "typed@example.org")])
        )

    def test_scheduled_message_keeps_its_alias_and_can_change_it(self):
        self.start_tour("/odoo", "user_email_alias_scheduled", login="alice_alias")
        self.assertFalse(self.find_mails(self.alias_alice_2))
        scheduled = self.env["mail.scheduled.message"].search(
            [("res_id", "=", self.tour_lead.id)]
        )
        self.assertEqual(scheduled.email_alias_id, self.alias_alice)
        scheduled.with_user(self.user_root)._post_message()
        self.assertLeavesBy(self.alias_alice, self.mail_of("Tomorrow"))

    def test_chatter_on_a_phone(self):
        self.browser_size = "400x850"
        self.touch_enabled = True
        self.start_tour("/odoo", "user_email_alias_chatter", login="alice_alias")
        self.assertLeavesBy(self.alias_alice_2, self.mail_of("By another"))
