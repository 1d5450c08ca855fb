"""A mailing goes to whom its owner counted when they put it in the queue."""

from datetime import timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import AliasCommon


@tagged("post_install", "-at_install", "user_email_alias")
class TestMailingCounted(AliasCommon):
    def setUp(self):
        super().setUp()
        self.mailing = self.create_mailing(
            self.user_bob, mailing_domain="[('name', 'like', 'Lead ')]"
        )

    def add_lead(self, name="Lead evil"):
        return (
            self.env["crm.lead"]
            .with_user(self.user_alice)
            .create({"name": name, "email_from": "eve@evil.example"})
        )

    def served(self):
        self.env.invalidate_all()
        mails = self.find_mails(self.alias_bob)
        return sorted(mails.mapped("email_to"))

    def notes(self, mailing=None):
        return "".join((mailing or self.mailing).message_ids.mapped("body"))

    def test_who_comes_after_the_launch_is_not_written_to(self):
        total = self.mailing.total
        self.mailing.action_launch()
        self.add_lead()
        self.env.invalidate_all()
        # of whom an A/B test picks some
        self.assertEqual(self.mailing.total, total)
        self.run_mailing_cron()
        self.assertEqual(len(self.served()), total)
        self.assertNotIn("eve@evil.example", str(self.served()))

    def test_who_joins_a_mailing_list_after_the_launch_is_not_written_to(self):
        contacts = self.env["mailing.list"].create(
            {
                "name": "All",
                "contact_ids": [
                    (0, 0, {"name": "Ann", "email": "ann@list.example"}),
                    (0, 0, {"name": "Ben", "email": "ben@list.example"}),
                ],
            }
        )
        mailing = self.create_mailing(
            self.user_bob,
            mailing_model_id=self.env["ir.model"]._get_id("mailing.list"),
            contact_list_ids=contacts.ids,
            mailing_domain=f"[('list_ids', 'in', {contacts.ids})]",
        )
        mailing.action_launch()
        contacts.with_user(self.user_alice).contact_ids = [
            (0, 0, {"name": "Eve", "email": "eve@evil.example"})
        ]
        self.run_mailing_cron()
        self.assertEqual(len(self.served()), 2)
        self.assertNotIn("eve@evil.example", str(self.served()))

    def test_who_is_gone_is_left_out_and_that_is_said(self):
        self.mailing.action_launch()
        self.leads[0].with_user(self.user_alice).name = "Other"
        self.run_mailing_cron()
        self.assertNotIn("lead0@example.org", str(self.served()))
        self.assertIn("1 of the", self.notes())
        self.assertIn("left out", self.notes())

    def test_an_address_that_others_changed_is_left_out(self):
        self.mailing.action_launch()
        self.leads[0].with_user(self.user_alice).email_from = "eve@evil.example"
        self.leads[1].with_user(self.user_alice).email_from = "LEAD1@example.org"
        self.run_mailing_cron()
        self.assertNotIn("eve@evil.example", str(self.served()))
        self.assertIn("lead1@example.org", str(self.served()).lower())
        self.assertIn("1 of the", self.notes())

    def test_what_should_have_left_long_ago_is_given_back(self):
        later = fields.Datetime.now() + timedelta(days=20)
        for when in (None, fields.Datetime.now() + timedelta(hours=1)):
            with (
                self.subTest(when),
                self.cr.savepoint() as savepoint,
            ):
                self.mailing.schedule_date = when
                self.mailing.action_put_in_queue()
                # the job was off for that long
                with freeze_time(later):
                    self.run_mailing_cron()
                self.env.invalidate_all()
                self.assertFalse(self.served())
                self.assertEqual(self.mailing.state, "draft")
                self.assertIn("should have left at", self.notes())
                savepoint.rollback()
                self.env.invalidate_all()

    def test_a_mailing_of_which_nobody_is_left_says_so(self):
        mailing = self.create_mailing(self.user_bob)
        mailing.action_launch()
        self.leads.sudo().unlink()
        self.run_mailing_cron()
        self.assertEqual(mailing.state, "done")
        self.assertIn("3 of the 3", self.notes(mailing))

    def test_its_owner_changes_the_recipients_in_the_queue(self):
        self.mailing.action_launch()
        self.add_lead("Prospect")
        self.mailing.mailing_domain = "[('name', '=', 'Prospect')]"
        self.run_mailing_cron()
        self.assertIn("eve@evil.example", str(self.served()))
        self.assertEqual(len(self.served()), 1)

    def test_another_click_of_its_owner_counts_nobody_anew(self):
        self.mailing.action_launch()
        self.add_lead()
        self.mailing.subject = "Better"
        self.mailing.action_set_favorite()
        self.run_mailing_cron()
        self.assertNotIn("eve@evil.example", str(self.served()))

    def test_a_draft_is_counted_anew(self):
        self.mailing.action_launch()
        self.mailing.action_cancel()
        self.add_lead()
        self.assertEqual(self.mailing.total, len(self.mailing._get_recipients()))
        self.mailing.action_launch()
        self.run_mailing_cron()
        self.assertIn("eve@evil.example", str(self.served()))

    def test_what_is_sent_once_more_goes_to_those_it_went_to(self):
        self.mailing.action_launch()
        self.run_mailing_cron()
        self.add_lead()
        failed = self.find_mails(self.alias_bob)[0]
        failed.write({"state": "exception", "failure_type": "unknown"})
        count = len(self.served())
        self.mailing.action_retry_failed()
        self.run_mailing_cron()
        self.assertEqual(len(self.served()), count)
        self.assertNotIn("eve@evil.example", str(self.served()))

    def test_what_is_sent_once_more_weeks_later_leaves(self):
        self.mailing.action_launch()
        self.run_mailing_cron()
        failed = self.find_mails(self.alias_bob)[0]
        failed.write({"state": "exception", "failure_type": "unknown"})
        count = len(self.served())
        with freeze_time(fields.Datetime.now() + timedelta(days=20)):
            self.mailing.action_retry_failed()
            self.run_mailing_cron()
        self.assertEqual(self.mailing.state, "done")
        self.assertEqual(len(self.served()), count)

    def test_what_is_uncertain_is_decided_on_first(self):
        self.mailing.action_launch()
        self.run_mailing_cron()
        mail = self.find_mails(self.alias_bob)[0]
        mail._email_alias_record_uncertain()
        with self.assertRaisesRegex(UserError, "1 emails may have arrived"):
            self.mailing.action_retry_failed()
        self.assertTrue(mail.exists())

    def test_nobody_else_says_who_was_written_to(self):
        self.mailing.action_launch()
        self.run_mailing_cron()
        traces = self.mailing.mailing_trace_ids
        values = {
            "model": "crm.lead",
            "res_id": self.lead.id,
            "mass_mailing_id": self.mailing.id,
        }
        own = self.create_mailing(self.user_alice, email_alias_id=False)
        stray = self.env["mailing.trace"].create({**values, "mass_mailing_id": own.id})
        for user in (self.user_alice, self.user_manager, self.user_admin):
            for records, method, *args in (
                (traces, "unlink"),
                (traces, "write", {"trace_status": "sent"}),
                (traces, "write", {"mass_mailing_id": False}),
                (stray, "write", {"mass_mailing_id": self.mailing.id}),
                (traces.browse(), "create", values),
            ):
                with (
                    self.subTest(user=user.login, method=method),
                    self.assertRaises(AccessError),
                ):
                    self.rpc(user, records, method, *args)

    def test_the_winner_goes_to_whom_the_test_was_counted_for(self):
        self.mailing.write(
            {
                "ab_testing_enabled": True,
                "ab_testing_pc": 34,
                "ab_testing_winner_selection": "clicks_ratio",
                "ab_testing_schedule_datetime": fields.Datetime.now()
                - timedelta(minutes=1),
            }
        )
        count = len(
            self.mailing._get_recipients_domain()
            and self.env["crm.lead"].search(self.mailing._get_recipients_domain())
        )
        self.mailing.action_launch()
        self.run_mailing_cron()
        self.add_lead()
        cron = self.env.ref("mass_mailing.ir_cron_mass_mailing_ab_testing")
        with self.enter_registry_test_mode():
            cron.method_direct_trigger()
        self.run_mailing_cron()
        self.assertEqual(len(self.served()), count)
        self.assertNotIn("eve@evil.example", str(self.served()))

    def test_nobody_reads_or_writes_the_count(self):
        self.mailing.action_launch()
        for user in (self.user_alice, self.user_bob, self.user_admin):
            mailing = self.mailing.with_user(user)
            with self.assertRaises(AccessError):
                mailing.read(["email_alias_counted"])
            with self.assertRaises(AccessError):
                mailing.write({"email_alias_counted": "[1]"})

    def test_a_mailing_without_alias_finds_its_recipients_as_ever(self):
        mailing = self.create_mailing(
            self.user_bob,
            email_alias_id=False,
            mailing_domain="[('name', 'like', 'Lead ')]",
        )
        mailing.action_launch()
        self.add_lead()
        self.run_mailing_cron()
        self.assertIn("eve@evil.example", str(self.find_mails().mapped("email_to")))

    # ------------------------------------------------------------------
    # Its owner leaves
    # ------------------------------------------------------------------

    def test_a_mailing_whose_owner_has_left_is_given_back(self):
        portal = self.env.ref("base.group_portal")
        for leave in ({"active": False}, {"group_ids": [(6, 0, portal.ids)]}):
            with self.subTest(leave), self.cr.savepoint() as savepoint:
                self.mailing.action_launch()
                mailing = self.mailing.with_env(self.env)
                self.user_bob.write(leave)
                self.run_mailing_cron()
                self.env.invalidate_all()
                self.assertEqual(mailing.state, "draft")
                self.assertFalse(self.served())
                self.assertIn("archived or no internal user", self.notes(mailing))
                note = mailing.message_ids.filtered(
                    lambda m: "was not sent" in (m.body or "")
                )
                self.assertIn(self.user_manager.partner_id, note.notified_partner_ids)
                savepoint.rollback()
                self.env.invalidate_all()
