"""Email Marketing: a mailing leaves by its responsible's alias, whoever runs it."""

from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form, tagged

from odoo.addons.mail.models.mail_mail import MailMail

from .common import AliasCommon


@tagged("post_install", "-at_install", "user_email_alias")
class TestMailing(AliasCommon):
    def test_new_mailing_starts_with_the_default_alias(self):
        mailing = self.create_mailing(self.user_alice)
        self.assertEqual(mailing.email_alias_id, self.alias_alice)
        self.assertEqual(mailing.email_from, '"Alice Adams" <alice@a.example.com>')

    def test_form_follows_the_choice_of_alias(self):
        form = Form(self.env["mailing.mailing"].with_user(self.user_alice))
        self.assertEqual(form.email_alias_id, self.alias_alice)
        form.email_alias_id = self.alias_alice_2
        self.assertEqual(form.email_from, '"Alice Adams" <alice@other.example.com>')
        form.email_alias_id = self.env["user.email.alias"]
        self.assertEqual(form.email_from, self.user_alice.email_formatted)

    def test_user_without_alias_has_the_usual_from(self):
        mailing = self.create_mailing(self.user_manager)
        self.assertFalse(mailing.email_alias_id)
        self.assertEqual(mailing.email_from, self.user_manager.email_formatted)

    def test_alias_taken_away_leaves_nothing_of_its_from(self):
        mailing = self.create_mailing(self.user_alice)
        mailing.email_alias_id = False
        self.assertEqual(mailing.email_from, self.user_alice.email_formatted)

    def test_mailing_prepared_for_a_colleague_has_no_alias_yet(self):
        for values, context in (
            ({"user_id": self.user_bob.id}, {}),
            ({}, {"default_user_id": self.user_bob.id}),
        ):
            with self.subTest(values=values):
                mailing = self.create_mailing(self.user_alice, context, **values)
                self.assertEqual(mailing.user_id, self.user_bob)
                self.assertFalse(mailing.email_alias_id)

    def test_alias_and_responsible_go_together(self):
        mailing = self.create_mailing(self.user_alice)
        with self.assertRaises(ValidationError) as caught:
            mailing.user_id = self.user_bob
        self.assertIn("Alice Adams", str(caught.exception))

    def test_copy_by_the_owner_keeps_the_alias(self):
        mailing = self.create_mailing(
            self.user_alice, email_alias_id=self.alias_alice_2.id
        )
        copy = mailing.copy()
        self.assertEqual(copy.email_alias_id, self.alias_alice_2)
        self.assertEqual(copy.email_from, mailing.email_from)

    def test_copy_by_a_colleague_leaves_the_alias_behind(self):
        mailing = self.create_mailing(self.user_alice)
        copy = mailing.with_user(self.user_bob).copy()
        self.assertFalse(copy.email_alias_id)
        self.assertNotIn("alice@a.example.com", copy.email_from)

    def test_copy_with_an_archived_alias_leaves_it_behind(self):
        mailing = self.create_mailing(self.user_alice)
        self.alias_alice.active = False
        copy = mailing.copy()
        self.assertFalse(copy.email_alias_id)
        self.assertNotIn("alice@a.example.com", copy.email_from)

    def test_job_queues_bulk_mail_of_the_responsible(self):
        mailing = self.create_mailing(self.user_alice)
        mailing.action_launch()
        self.run_mailing_cron()
        self.assertEqual(mailing.state, "done")
        mails = self.find_mails(self.alias_alice)
        self.assertLeavesBy(self.alias_alice, mails, count=3, bulk=True)
        self.assertEqual(mails.mailing_id, mailing.with_env(self.env))
        self.assertEqual(
            set(mailing.mailing_trace_ids.mapped("trace_status")), {"outgoing"}
        )
        self.assertEqual(mails.mail_message_id.author_id, self.user_alice.partner_id)

    def test_job_sends_a_mailing_without_alias_as_ever(self):
        mailing = self.create_mailing(self.user_alice, email_alias_id=False)
        mailing.action_launch()
        self.run_mailing_cron()
        self.assertLeavesAsEver(self.find_mails(mailing_id=mailing.id), 3)

    def test_scheduled_mailing_waits_for_its_date(self):
        later = fields.Datetime.now() + timedelta(hours=1)
        mailing = self.create_mailing(
            self.user_alice, schedule_type="scheduled", schedule_date=later
        )
        mailing.action_schedule()
        self.assertEqual(mailing.state, "in_queue")
        self.run_mailing_cron()
        self.assertFalse(self.find_mails(self.alias_alice))
        mailing.schedule_date = fields.Datetime.now() - timedelta(minutes=1)
        self.run_mailing_cron()
        self.assertLeavesBy(self.alias_alice, self.find_mails(self.alias_alice), 3)

    def test_archived_alias_gives_the_mailing_back_and_lets_others_go_on(self):
        given_back = self.create_mailing(self.user_bob)
        given_back.action_launch()
        other = self.create_mailing(self.user_alice)
        other.action_launch()
        self.alias_bob.active = False
        self.run_mailing_cron()
        self.assertEqual(given_back.state, "draft")
        note = given_back.message_ids.filtered("body")[:1]
        self.assertIn("archived", note.body)
        self.assertIn(self.user_bob.partner_id, note.partner_ids)
        self.assertFalse(self.find_mails(mailing_id=given_back.id))
        self.assertFalse(self.find_mails(self.alias_bob))
        self.assertEqual(other.state, "done")
        self.assertLeavesBy(self.alias_alice, self.find_mails(self.alias_alice), 3)

    def test_alias_emptied_meanwhile_gives_the_mailing_back(self):
        mailing = self.create_mailing(self.user_bob)
        mailing.action_launch()
        self.alias_bob.write({"email_from": False})
        self.run_mailing_cron()
        self.assertEqual(mailing.state, "draft")
        self.assertIn("not filled in", str(mailing.message_ids.mapped("body")))

    def test_launching_with_an_archived_alias_is_refused_with_a_sentence(self):
        mailing = self.create_mailing(self.user_bob)
        self.alias_bob.active = False
        with self.assertRaisesRegex(UserError, "archived"):
            mailing.action_launch()

    def test_winner_of_an_ab_test_leaves_by_the_alias_too(self):
        mailing = self.create_mailing(
            self.user_alice, ab_testing_enabled=True, ab_testing_pc=50
        )
        mailing.action_launch()
        self.run_mailing_cron()
        self.mails_before = self.all_mail_ids()
        mailing.with_user(self.user_root).action_select_as_winner()
        winner = mailing.campaign_id.ab_testing_winner_mailing_id
        self.assertEqual(winner.email_alias_id, self.alias_alice)
        self.run_mailing_cron()
        self.assertLeavesBy(self.alias_alice, self.find_mails(self.alias_alice))

    def test_mass_composer_with_a_mailing_name_keeps_the_alias(self):
        composer = self.open_composer(
            self.user_alice,
            self.leads,
            mass_mailing_name="Spring",
            email_alias_id=self.alias_alice_2.id,
        )
        composer.action_send_mail()
        mails = self.find_mails(self.alias_alice_2)
        self.assertLeavesBy(self.alias_alice_2, mails, count=3, bulk=True)
        self.assertEqual(mails.mailing_id.name, "Spring")
        self.assertEqual(mails.mailing_id.email_alias_id, self.alias_alice_2)
        self.assertEqual(len(mails.mailing_trace_ids), 3)

    def test_mass_composer_with_a_mailing_name_and_no_alias_sends_as_ever(self):
        self.open_composer(
            self.user_alice,
            self.leads,
            mass_mailing_name="Spring",
            email_alias_id=False,
        ).action_send_mail()
        self.assertLeavesAsEver(self.find_mails(), 3)

    def test_reply_to_of_the_mailing_beats_the_alias(self):
        self.alias_alice.reply_to = "assistant@a.example.com"
        for values, reply_to in (
            ({"reply_to_mode": "update"}, "assistant@a.example.com"),
            ({"reply_to_mode": "new", "reply_to": "box@x.example"}, "box@x.example"),
        ):
            with self.subTest(reply_to=reply_to):
                self.mails_before = self.all_mail_ids()
                mailing = self.create_mailing(self.user_alice, **values)
                mailing.action_launch()
                self.run_mailing_cron()
                mails = self.find_mails(self.alias_alice)
                self.assertEqual(set(mails.mapped("reply_to")), {reply_to})

    def test_hostile_alias_name_is_text_when_the_job_runs(self):
        self.alias_alice.alias_name = "{{ object.write({'name': 'evaluated'}) }}"
        self.create_mailing(self.user_alice).action_launch()
        self.run_mailing_cron()
        self.assertLeavesBy(self.alias_alice, self.find_mails(self.alias_alice), 3)
        self.assertNotIn("evaluated", self.leads.mapped("name"))

    def send_test_of(self, mailing):
        wizard = (
            self.env["mailing.mailing.test"]
            .with_user(self.user_alice)
            .create({"mass_mailing_id": mailing.id, "email_to": "me@x.example"})
        )
        # the wizard deletes the mail when it is done
        with patch.object(MailMail, "unlink", lambda self: True):
            wizard.send_mail_test()

    def test_test_mail_has_the_reply_to_of_the_mailing(self):
        for own in (False, "assistant@a.example.com"):
            self.alias_alice.reply_to = own
            for values, reply_to in (
                ({"reply_to_mode": "update"}, own),
                ({"reply_to_mode": "new", "reply_to": "b@x.example"}, "b@x.example"),
            ):
                with self.subTest(own=own, **values):
                    self.mails_before = self.all_mail_ids()
                    self.send_test_of(self.create_mailing(self.user_alice, **values))
                    mail = self.find_mails(self.alias_alice)
                    self.assertEqual(mail.reply_to, reply_to)

    def test_test_mail_is_one_to_one_and_by_the_alias(self):
        self.send_test_of(self.create_mailing(self.user_alice))
        self.assertFalse(self.find_mails(), "the test left by another door")
        self.assertLeavesBy(
            self.alias_alice, self.find_mails(self.alias_alice), 1, bulk=False
        )
