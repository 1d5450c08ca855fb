"""Which mail goes through an alias, and what recipients see as From and Reply-To."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import AliasCommon


@tagged("post_install", "-at_install", "user_email_alias")
class TestChoice(AliasCommon):
    """The composers pick the author's default alias."""

    def test_full_composer_starts_with_the_default_alias(self):
        composer = self.open_composer(self.user_alice, self.lead)
        self.assertEqual(composer.email_alias_id, self.alias_alice)
        self.assertTrue(composer.has_email_alias)
        self.assertEqual(composer.email_from, '"Alice Adams" <alice@a.example.com>')
        self.assertEqual(composer.author_id, self.user_alice.partner_id)

    def test_full_composer_sends_by_the_default_alias(self):
        self.open_composer(self.user_alice, self.lead).action_send_mail()
        mails = self.find_mails(self.alias_alice)
        self.assertLeavesBy(self.alias_alice, mails, count=1, bulk=False)
        self.assertEqual(mails.recipient_ids, self.customer)
        self.assertEqual(mails.mail_message_id.email_alias_id, self.alias_alice)

    def test_another_own_alias_can_be_chosen(self):
        self.open_composer(
            self.user_alice, self.lead, email_alias_id=self.alias_alice_2.id
        ).action_send_mail()
        self.assertLeavesBy(self.alias_alice_2, self.find_mails(self.alias_alice_2), 1)

    def test_reply_to_all_and_forward_leave_by_the_default_alias(self):
        for option in ("reply_all", "forward"):
            with self.subTest(option):
                before = self.find_mails(self.alias_alice)
                # what the message's menu of actions opens
                context = {
                    "default_composition_comment_option": option,
                    "default_subtype_xmlid": "mail.mt_comment",
                }
                composer = self.open_composer(self.user_alice, self.lead, context)
                self.assertEqual(composer.email_alias_id, self.alias_alice)
                composer.action_send_mail()
                mails = self.find_mails(self.alias_alice) - before
                self.assertLeavesBy(self.alias_alice, mails, count=1, bulk=False)

    def test_no_alias_can_be_chosen(self):
        self.open_composer(
            self.user_alice, self.lead, email_alias_id=False
        ).action_send_mail()
        self.assertLeavesAsEver(self.find_mails(), 1)

    def test_user_without_alias_sends_as_ever(self):
        composer = self.open_composer(self.user_manager, self.lead)
        self.assertFalse(composer.email_alias_id)
        self.assertFalse(composer.has_email_alias)
        composer.action_send_mail()
        self.assertLeavesAsEver(self.find_mails())

    def test_archived_default_is_not_picked(self):
        self.alias_bob.active = False
        composer = self.open_composer(self.user_bob, self.lead)
        self.assertFalse(composer.email_alias_id)

    def test_archived_alias_is_refused_with_a_sentence(self):
        composer = self.open_composer(self.user_bob, self.lead)
        self.assertEqual(composer.email_alias_id, self.alias_bob)
        self.alias_bob.active = False
        with self.assertRaisesRegex(UserError, "archived"):
            composer.action_send_mail()

    def test_incomplete_alias_is_refused_with_a_sentence(self):
        composer = self.open_composer(self.user_bob, self.lead)
        self.assertEqual(composer.email_alias_id, self.alias_bob)
        self.alias_bob.smtp_server = False
        with self.assertRaisesRegex(UserError, "not filled in"):
            composer.action_send_mail()

    def test_mass_composer_queues_bulk_mail_by_the_default_alias(self):
        composer = self.open_composer(self.user_alice, self.leads)
        self.assertEqual(composer.email_alias_id, self.alias_alice)
        composer.action_send_mail()
        mails = self.find_mails(self.alias_alice)
        self.assertLeavesBy(self.alias_alice, mails, count=3, bulk=True)

    def test_message_on_each_of_many_records_is_bulk(self):
        template = self.create_template("Offer")
        self.open_composer(
            self.user_alice,
            self.leads,
            composition_mode="comment",
            template_id=template.id,
        ).action_send_mail()
        mails = self.find_mails(self.alias_alice)
        self.assertLeavesBy(self.alias_alice, mails, count=3, bulk=True)

    def test_mass_composer_without_alias_sends_as_ever(self):
        composer = self.open_composer(self.user_alice, self.leads, email_alias_id=False)
        composer.action_send_mail()
        self.assertLeavesAsEver(self.find_mails(), 3)

    def test_alias_beats_the_server_and_the_from_of_a_template(self):
        server = self.env["ir.mail_server"].search([], limit=1)
        template = self.env["mail.template"].create(
            {
                "name": "T",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "subject": "{{ object.name }}",
                "body_html": "<p>Hi</p>",
                "email_from": "template@example.com",
                "mail_server_id": server.id,
            }
        )
        for records, count in ((self.lead, 1), (self.leads, 3)):
            with self.subTest(count=count):
                self.mails_before = self.all_mail_ids()
                self.open_composer(
                    self.user_alice, records, template_id=template.id
                ).action_send_mail()
                mails = self.find_mails(self.alias_alice)
                self.assertLeavesBy(self.alias_alice, mails, count)

    def test_message_posted_for_later_keeps_its_alias(self):
        later = fields.Datetime.now() + timedelta(hours=1)
        composer = self.open_composer(
            self.user_alice,
            self.lead,
            email_alias_id=self.alias_alice_2.id,
            scheduled_date=later,
        )
        scheduled = composer._action_schedule_message()
        self.assertFalse(self.find_mails(self.alias_alice_2))
        scheduled.with_user(self.user_root)._post_message()
        self.assertLeavesBy(self.alias_alice_2, self.find_mails(self.alias_alice_2), 1)

    def test_message_for_later_with_an_archived_alias_leaves_by_no_door(self):
        later = fields.Datetime.now() + timedelta(hours=1)
        scheduled = self.open_composer(
            self.user_bob, self.lead, scheduled_date=later
        )._action_schedule_message()
        self.alias_bob.active = False
        scheduled.with_user(self.user_root)._post_message(raise_exception=False)
        self.assertFalse(self.find_mails(self.alias_bob))
        warning = self.find_mails()
        self.assertIn("could not be sent", warning.subject)
        self.assertLeavesAsEver(warning)

    def test_notification_for_later_keeps_its_alias(self):
        later = fields.Datetime.now() + timedelta(hours=1)
        message = self.send_message(
            self.user_alice,
            self.lead,
            email_alias_id=self.alias_alice.id,
            scheduled_date=later,
        )
        mail = self.find_mails(self.alias_alice)
        self.assertLeavesBy(self.alias_alice, mail, 1)
        self.assertEqual(mail.scheduled_date, later.replace(microsecond=0))
        self.env["mail.message.schedule"].search(
            [("mail_message_id", "=", message.id)]
        ).with_user(self.user_root).force_send()
        self.assertEqual(self.find_mails(self.alias_alice), mail)

    def test_scheduled_mail_is_due_at_its_date(self):
        later = fields.Datetime.now().replace(microsecond=0) + timedelta(hours=1)
        mail = (
            self.env["mail.mail"]
            .with_user(self.user_alice)
            .sudo()
            .create({"email_alias_id": self.alias_alice.id, "scheduled_date": later})
        )
        epoch = (later - fields.Datetime.to_datetime("1970-01-01")).total_seconds()
        self.assertAlmostEqual(mail.email_alias_due, epoch, places=3)


@tagged("post_install", "-at_install", "user_email_alias")
class TestNeverByAlias(AliasCommon):
    """What nobody wrote by hand leaves as ever, though its user has an alias."""

    def setUp(self):
        super().setUp()
        self.template = self.create_template(
            "Automatic", email_from="{{ user.email_formatted }}"
        )

    def test_note_that_mentions_somebody(self):
        self.open_composer(
            self.user_alice,
            self.lead,
            subtype_id=self.env.ref("mail.mt_note").id,
        ).action_send_mail()
        self.assertLeavesAsEver(self.find_mails(), 1)

    def test_note_with_an_alias_named(self):
        self.open_composer(
            self.user_alice,
            self.lead,
            subtype_id=self.env.ref("mail.mt_note").id,
            email_alias_id=self.alias_alice.id,
        ).action_send_mail()
        self.assertLeavesAsEver(self.find_mails(), 1)

    def test_note_with_an_alias_chosen_before_it_became_one(self):
        composer = self.open_composer(self.user_alice, self.lead)
        composer.subtype_id = self.env.ref("mail.mt_note")
        self.assertFalse(composer.email_alias_id)
        composer.partner_ids = self.customer
        composer.action_send_mail()
        self.assertLeavesAsEver(self.find_mails(), 1)

    def test_template_sent_by_code(self):
        self.template.with_user(self.user_alice).send_mail(self.lead.id)
        self.assertLeavesAsEver(self.find_mails(), 1)

    def test_mass_mail_sent_by_code(self):
        self.leads.with_user(self.user_alice).message_mail_with_source(self.template)
        self.assertLeavesAsEver(self.find_mails(), 3)

    def test_message_posted_by_code_with_a_template(self):
        self.lead.with_user(self.user_alice).message_post_with_source(
            self.template, message_type="comment", subtype_xmlid="mail.mt_comment"
        )
        self.assertLeavesAsEver(self.find_mails(), 1)

    def test_message_posted_by_code(self):
        self.send_message(self.user_alice, self.lead)
        self.assertLeavesAsEver(self.find_mails(), 1)

    def test_server_action_that_sends(self):
        for method in ("email", "comment", "note"):
            with self.subTest(method=method):
                self.mails_before = self.all_mail_ids()
                action = self.env["ir.actions.server"].create(
                    {
                        "name": "Send",
                        "model_id": self.env["ir.model"]._get_id("crm.lead"),
                        "state": "mail_post",
                        "mail_post_method": method,
                        "template_id": self.template.id,
                    }
                )
                action.with_user(self.user_alice).sudo().with_context(
                    active_model="crm.lead",
                    active_id=self.lead.id,
                    active_ids=self.lead.ids,
                ).run()
                self.assertLeavesAsEver(self.find_mails(), 1)

    def test_activity_assigned_to_a_colleague(self):
        self.lead.with_user(self.user_alice).activity_schedule(
            "mail.mail_activity_data_todo", user_id=self.user_bob.id
        )
        self.assertLeavesAsEver(self.find_mails())

    def test_lead_assigned_to_a_colleague(self):
        self.lead.with_user(self.user_alice).user_id = self.user_bob
        self.flush_tracking()
        self.assertLeavesAsEver(self.find_mails())

    def test_password_reset_and_invitation(self):
        with self.mock_mail_gateway():
            self.user_bob.with_user(self.user_alice).sudo().action_reset_password()
        self.assertTrue(self._mails, "Odoo sent nothing")
        for mail in self._mails:
            self.assertNotIn("alice@a.example.com", mail["email_from"])

    def test_odoobot(self):
        self.open_composer(self.user_root, self.lead).action_send_mail()
        self.assertLeavesAsEver(self.find_mails())
