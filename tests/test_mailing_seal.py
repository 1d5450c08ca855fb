"""What leaves is what the owner of the alias put in the queue."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common_mailing import MailingCase


@tagged("post_install", "-at_install", "user_email_alias")
class TestMailingSeal(MailingCase):
    def assertGivenBack(self, mailing=None):
        self.run_mailing_cron()
        mailing = mailing or self.mailing
        self.env.invalidate_all()
        self.assertEqual(mailing.state, "draft")
        self.assertFalse(self.find_mails(self.alias_bob))
        self.assertIn("was not sent", "".join(mailing.message_ids.mapped("body")))

    def test_what_its_owner_queued_leaves(self):
        self.mailing.action_launch()
        self.run_mailing_cron()
        self.assertEqual(len(self.find_mails(self.alias_bob)), 3)

    def test_what_its_owner_changed_in_the_queue_leaves(self):
        self.mailing.action_launch()
        self.mailing.write({"subject": "Better", "preview": "Look"})
        self.run_mailing_cron()
        mails = self.find_mails(self.alias_bob)
        self.assertEqual(set(mails.mapped("subject")), {"Better"})

    def test_what_others_changed_by_code_is_given_back(self):
        for vals in (
            *self.evil_changes(),
            {"schedule_date": fields.Datetime.now() - timedelta(hours=1)},
            {"ab_testing_enabled": True, "ab_testing_pc": 50},
        ):
            for user in (self.user_alice, self.env.ref("base.user_root")):
                with self.subTest(vals=vals, user=user.login):
                    self.mailing = self.create_mailing(self.user_bob)
                    self.mailing.action_launch()
                    self.as_(user).sudo().write(vals)
                    self.assertGivenBack()

    def test_a_file_that_others_rewrote_is_given_back(self):
        self.mailing.attachment_ids = [(0, 0, {"name": "x", "raw": b"good"})]
        self.mailing.action_launch()
        self.mailing.attachment_ids.sudo().raw = b"evil"
        self.assertGivenBack()

    def test_no_other_click_of_its_owner_agrees_to_what_others_changed(self):
        for click in (
            lambda mailing: mailing.action_set_favorite(),
            lambda mailing: mailing.write({"name": "n"}),
            lambda mailing: mailing.action_email_alias_pause(),
            lambda mailing: mailing.write({"schedule_type": "now"}),
        ):
            with self.subTest():
                self.mailing = self.create_mailing(self.user_bob)
                self.mailing.attachment_ids = [(0, 0, {"name": "x", "raw": b"good"})]
                self.mailing.action_launch()
                self.mailing.attachment_ids.with_user(self.user_alice).raw = b"evil"
                click(self.mailing)
                self.assertGivenBack()

    def test_what_others_changed_afterwards_is_not_sent_once_more(self):
        self.mailing.action_launch()
        self.run_mailing_cron()
        self.mailing.sudo().body_html = "<p>Evil</p>"
        with self.assertRaisesRegex(UserError, "was changed"):
            self.as_(self.user_bob).action_retry_failed()

    def test_others_do_not_archive_what_is_on_its_way(self):
        self.mailing.action_launch()
        self.assertRefused(self.as_(self.user_alice).write, {"active": False})

    def test_a_seal_fits_one_mailing_only(self):
        self.mailing.action_launch()
        other = self.create_mailing(self.user_bob)
        other.sudo().write({"email_alias_seal": self.mailing.sudo().email_alias_seal})
        other.with_user(1).write({"state": "in_queue"})
        self.assertFalse(other._email_alias_is_sealed())
        self.assertTrue(self.mailing._email_alias_is_sealed())

    def test_nobody_reads_or_plants_a_seal(self):
        self.mailing.action_launch()
        for user in (self.user_alice, self.user_bob, self.user_admin):
            mailing = self.as_(user)
            self.assertRefused(mailing.read, ["email_alias_seal"])
            self.assertRefused(mailing.write, {"email_alias_seal": "x"})

    # ------------------------------------------------------------------
    # A/B tests
    # ------------------------------------------------------------------

    def make_test(self, selection="clicks_ratio"):
        """A test of Bob's that has been sent to some; the winner is due."""
        self.mailing.write(
            {
                "ab_testing_enabled": True,
                "ab_testing_pc": 34,
                "ab_testing_winner_selection": selection,
                "ab_testing_schedule_datetime": fields.Datetime.now()
                - timedelta(minutes=1),
            }
        )
        self.mailing.action_launch()
        self.run_mailing_cron()
        self.assertEqual(len(self.find_mails(self.alias_bob)), 1)
        return self.mailing.campaign_id

    def run_test_cron(self):
        cron = self.env.ref("mass_mailing.ir_cron_mass_mailing_ab_testing")
        with self.enter_registry_test_mode():
            cron.method_direct_trigger()

    def test_the_job_sends_the_winner_as_its_owner_agreed(self):
        campaign = self.make_test()
        self.run_test_cron()
        self.run_mailing_cron()
        winner = campaign.ab_testing_winner_mailing_id
        self.assertEqual(winner.email_alias_id, self.alias_bob)
        self.assertEqual(len(self.find_mails(self.alias_bob)), 3)

    def test_the_job_sends_no_winner_that_others_changed(self):
        for change in (
            lambda: self.mailing.sudo().write({"body_html": "<p>Evil</p>"}),
            lambda: self.mailing.sudo().write({"mailing_domain": "[]"}),
            lambda: self.mailing.campaign_id.sudo().write(
                {"ab_testing_winner_selection": "opened_ratio"}
            ),
        ):
            with self.subTest():
                self.find_mails(self.alias_bob).sudo().unlink()
                self.mailing = self.create_mailing(self.user_bob)
                campaign = self.make_test()
                change()
                self.find_mails(self.alias_bob).sudo().unlink()
                self.run_test_cron()
                self.assertGivenBack(campaign.ab_testing_winner_mailing_id)

    def test_a_colleague_makes_no_test_of_somebodys_mailing(self):
        alice = self.as_(self.user_alice)
        vals = {
            "state": "draft",
            "subject": "Evil",
            "ab_testing_enabled": True,
            "ab_testing_pc": 10,
        }
        alice.write(vals)
        self.assertRefused(alice.write, {"state": "done"})
        self.mailing.action_launch()
        self.assertRefused(alice.write, vals)
        self.run_mailing_cron()
        for action, *args in (
            (alice.write, vals),
            (alice.write, {"state": "draft"}),
            (alice.action_cancel,),
        ):
            with self.assertRaises(AccessError):
                action(*args)

    def test_only_the_owner_picks_the_winner(self):
        self.make_test("manual")
        for user in (self.user_alice, self.user_manager, self.user_admin):
            for action in ("action_select_as_winner", "action_send_winner_mailing"):
                with self.subTest(user=user.login), self.assertRaises(AccessError):
                    getattr(self.as_(user), action)()
        self.as_(self.user_bob).action_select_as_winner()
        self.run_mailing_cron()
        self.assertEqual(len(self.find_mails(self.alias_bob)), 3)

    # ------------------------------------------------------------------
    # Deleting
    # ------------------------------------------------------------------

    def test_a_mailing_whose_mail_waits_is_not_deleted(self):
        self.mailing.action_launch()
        self.assertRefused(self.as_(self.user_alice).unlink)
        self.run_mailing_cron()
        with self.assertRaisesRegex(UserError, "3 emails of .* wait"):
            self.as_(self.user_bob).unlink()
        self.env["user.email.alias.cancel"].with_user(self.user_bob).create(
            {"mailing_id": self.mailing.id}
        ).action_cancel_mails()
        self.as_(self.user_bob).unlink()
        self.assertFalse(self.mailing.exists())

    def test_a_draft_is_deleted_by_whoever_may(self):
        self.as_(self.user_alice).unlink()
        self.assertFalse(self.mailing.exists())
