"""Email Marketing: a mailing leaves by its responsible's alias, whoever runs it."""

from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
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

    def test_winner_chosen_by_a_colleague_leaves_as_ever(self):
        mailing = self.create_mailing(
            self.user_alice, ab_testing_enabled=True, ab_testing_pc=50
        )
        mailing.action_launch()
        self.run_mailing_cron()
        self.mails_before = self.all_mail_ids()
        mailing.with_user(self.user_bob).action_select_as_winner()
        self.run_mailing_cron()
        self.assertFalse(self.find_mails(self.alias_alice))
        self.assertLeavesAsEver(self.find_mails())

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

    def test_test_mail_is_one_to_one_and_by_the_alias(self):
        mailing = self.create_mailing(self.user_alice)
        wizard = (
            self.env["mailing.mailing.test"]
            .with_user(self.user_alice)
            .create({"mass_mailing_id": mailing.id, "email_to": "me@x.example"})
        )
        # the wizard deletes the mail when it is done
        with patch.object(MailMail, "unlink", lambda self: True):
            wizard.send_mail_test()
        self.assertFalse(self.find_mails(), "the test left by another door")
        self.assertLeavesBy(
            self.alias_alice, self.find_mails(self.alias_alice), 1, bulk=False
        )


@tagged("post_install", "-at_install", "user_email_alias")
class TestMailingOfAColleague(AliasCommon):
    """Colleagues share mailings; with somebody's alias only they send them."""

    def setUp(self):
        super().setUp()
        self.mailing = self.create_mailing(self.user_bob)

    def as_(self, user):
        return self.mailing.with_user(user)

    def test_colleague_edits_a_draft(self):
        self.as_(self.user_alice).write({"subject": "Better", "body_html": "<p>x</p>"})
        self.assertEqual(self.mailing.subject, "Better")
        self.assertEqual(self.mailing.email_alias_id, self.alias_bob)

    def test_colleague_and_administrators_cannot_send_it(self):
        later = fields.Datetime.now() + timedelta(days=1)
        for user in (self.user_alice, self.user_manager, self.user_admin):
            mailing = self.as_(user)
            wizard = self.env["mailing.mailing.schedule.date"].with_user(user)
            for action in (
                mailing.action_launch,
                mailing.action_put_in_queue,
                mailing.action_send_mail,
                lambda m=mailing: m.write({"state": "in_queue"}),
                lambda m=mailing: m.write({"state": "sending"}),
                mailing.action_retry_failed,
                lambda w=wizard: w.create(
                    {"mass_mailing_id": self.mailing.id, "schedule_date": later}
                ).action_schedule_date(),
            ):
                with self.subTest(user=user.login):
                    sentence = self.assertRefused(action)
                    self.assertIn("somebody else's email alias", sentence)
        self.assertEqual(self.mailing.state, "draft")

    def test_colleague_cannot_test_it(self):
        self.assertRefused(
            self.env["mailing.mailing.test"]
            .with_user(self.user_alice)
            .create({"mass_mailing_id": self.mailing.id, "email_to": "a@x.example"})
            .send_mail_test
        )

    def test_colleague_sends_it_with_another_from(self):
        mailing = self.as_(self.user_alice)
        mailing.write(
            {"email_alias_id": self.alias_alice.id, "user_id": self.user_alice.id}
        )
        mailing.action_launch()
        self.run_mailing_cron()
        self.assertLeavesBy(self.alias_alice, self.find_mails(self.alias_alice), 3)
        self.assertFalse(self.find_mails(self.alias_bob))

    def test_on_its_way_a_colleague_changes_nothing_recipients_see(self):
        self.mailing.action_launch()
        filter_ = self.env["mailing.filter"].create(
            {
                "name": "All",
                "mailing_model_id": self.mailing.mailing_model_id.id,
                "mailing_domain": "[]",
            }
        )
        for vals in (
            {"subject": "Evil"},
            {"body_html": "<p>Evil</p>"},
            {"body_arch": "<p>Evil</p>"},
            {"preview": "Evil"},
            {"email_from": "evil@x.example"},
            {"email_alias_id": False},
            {"mailing_domain": "[]"},
            {"mailing_filter_id": filter_.id},
            {"reply_to_mode": "new", "reply_to": "evil@x.example"},
            {"attachment_ids": [(0, 0, {"name": "x", "raw": b"x"})]},
            {"user_id": self.user_alice.id},
            {"schedule_date": fields.Datetime.now()},
            {"schedule_type": "now"},
            {"state": "done"},
            {"use_exclusion_list": False},
        ):
            for user in (self.user_alice, self.user_manager, self.user_admin):
                with self.subTest(vals=vals, user=user.login):
                    self.assertRefused(self.as_(user).write, vals)

    def test_colleague_stops_what_is_on_its_way(self):
        self.mailing.action_launch()
        self.as_(self.user_alice).action_cancel()
        self.assertEqual(self.mailing.state, "draft")
        self.assertRefused(self.as_(self.user_alice).action_launch)

    def test_colleague_marks_it_as_a_favourite_and_writes_a_note(self):
        self.mailing.action_launch()
        mailing = self.as_(self.user_alice)
        mailing.action_set_favorite()
        mailing.message_post(body="Well done", attachments=[("x.txt", b"x")])
        self.assertTrue(self.mailing.favorite)

    def test_owner_goes_on_editing(self):
        self.mailing.action_launch()
        self.mailing.subject = "Last minute"
        self.assertEqual(self.mailing.subject, "Last minute")

    def test_forged_aliases_are_refused(self):
        bob = self.alias_bob.id
        own = self.create_mailing(self.user_alice)
        for action in (
            lambda: self.create_mailing(self.user_alice, email_alias_id=bob),
            lambda: self.create_mailing(
                self.user_alice, email_alias_id=bob, user_id=self.user_bob.id
            ),
            lambda: self.create_mailing(
                self.user_alice, {"default_email_alias_id": bob}
            ),
            lambda: own.write({"email_alias_id": bob}),
            lambda: own.write({"email_alias_id": bob, "user_id": self.user_bob.id}),
            lambda: own.copy({"email_alias_id": bob}),
        ):
            with self.subTest():
                self.assertRefused(action)

    def test_forged_defaults_never_make_a_queued_mailing_of_somebody_else(self):
        context = {
            "default_email_alias_id": self.alias_bob.id,
            "default_user_id": self.user_bob.id,
            "default_state": "in_queue",
        }
        mailing = self.create_mailing(self.user_alice, context)
        self.assertFalse(mailing.email_alias_id)
        self.env["ir.default"].with_user(self.user_alice).set(
            "mailing.mailing", "email_alias_id", self.alias_bob.id, user_id=True
        )
        self.assertRefused(self.create_mailing, self.user_alice)

    def test_job_gives_back_what_was_forged_in_the_database(self):
        self.mailing.action_launch()
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE mailing_mailing SET user_id = %s WHERE id = %s",
            [self.user_alice.id, self.mailing.id],
        )
        self.env.invalidate_all()
        self.run_mailing_cron()
        self.assertEqual(self.mailing.state, "draft")
        self.assertFalse(self.find_mails(self.alias_bob))

    def test_pause_is_the_owners(self):
        mailing = self.as_(self.user_alice)
        self.assertRefused(mailing.action_email_alias_pause)
        self.assertRefused(mailing.write, {"email_alias_is_paused": True})
        wizard = self.env["user.email.alias.cancel"].with_user(self.user_alice)
        self.assertRefused(
            lambda: wizard.create({"mailing_id": mailing.id}).action_cancel_mails()
        )

    def test_waiting_mail_of_a_mailing_that_lost_its_alias_is_the_owners(self):
        self.mailing.action_launch()
        self.run_mailing_cron()
        mails = self.find_mails(self.alias_bob)
        mailing = self.as_(self.user_alice)
        mailing.action_cancel()
        mailing.email_alias_id = False
        due = mails.mapped("email_alias_due")
        mailing.action_email_alias_pause()
        self.env["user.email.alias.cancel"].with_user(self.user_alice).create(
            {"mailing_id": mailing.id}
        ).action_cancel_mails()
        self.env.invalidate_all()
        self.assertEqual(mails.mapped("email_alias_due"), due)
        self.assertLeavesBy(self.alias_bob, mails, 3, bulk=True)

    def test_form_tells_nothing_of_an_alias_it_names(self):
        mailing = self.create_mailing(self.user_alice)
        for records in (mailing, mailing.browse()):
            reply = self.rpc(
                self.user_alice,
                records,
                "onchange",
                {
                    "email_alias_id": self.alias_bob.id,
                    "mailing_domain": "[]",
                    "mailing_model_id": mailing.mailing_model_id.id,
                },
                ["email_alias_id"],
                {
                    "email_alias_id": {"fields": {"display_name": {}}},
                    "email_from": {},
                    "email_alias_forecast": {},
                    "email_alias_progress": {},
                },
            )
            self.assertNotIn("bob@b.example.com", str(reply))
            self.assertNotIn("Bob", str(reply))
            self.assertFalse(reply["value"].get("email_alias_forecast"))

    def test_colleague_reads_the_from_and_no_account(self):
        (values,) = self.rpc(
            self.user_alice,
            self.mailing,
            "web_read",
            {
                "email_from": {},
                "email_alias_id": {"fields": {"display_name": {}}},
            },
        )
        self.assertIn("bob@b.example.com", values["email_from"])
        with self.assertRaises(AccessError):
            self.rpc(
                self.user_alice,
                self.mailing,
                "web_read",
                {"email_alias_id": {"fields": {"smtp_server": {}, "smtp_user": {}}}},
            )
