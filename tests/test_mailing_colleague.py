"""A mailing that belongs to somebody else."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common_mailing import MailingCase


@tagged("post_install", "-at_install", "user_email_alias")
class TestMailingOfAColleague(MailingCase):
    """Colleagues share mailings; with somebody's alias only they send them."""

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
        for vals in (
            *self.evil_changes(),
            {"body_arch": "<p>Evil</p>"},
            {"email_from": "evil@x.example"},
            {"email_alias_id": False},
            {"user_id": self.user_alice.id},
            {"schedule_date": fields.Datetime.now()},
            {"schedule_type": "now"},
            {"state": "done"},
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
        self.as_(self.user_bob).action_cancel()
        mailing = self.as_(self.user_alice)
        mailing.email_alias_id = False
        mailing.action_email_alias_pause()
        self.env["user.email.alias.cancel"].with_user(self.user_alice).create(
            {"mailing_id": mailing.id}
        ).action_cancel_mails()
        self.env.invalidate_all()
        self.assertFalse(any(mails.mapped("email_alias_is_paused")))
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
