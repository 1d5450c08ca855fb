"""Seeded faults: each has a sentence that names the next click, and the click helps."""

from odoo import fields
from odoo.tests import tagged

from .common_why import WhyCase

HOUR = 3600


@tagged("post_install", "-at_install", "user_email_alias")
class TestWhyAlias(WhyCase):
    """What keeps all emails of an alias."""

    def test_a_paused_alias_waits_for_resume(self):
        [mail_id] = self.queue("a@x.example")
        self.write_alias(is_paused=True)
        reason = self.assertWhy(mail_id, "paused", "is paused", ["Resume"])
        self.click(reason, "Resume")
        self.run_queue()
        self.assertEqual(self.served(), ["a@x.example"])

    def test_an_archived_alias_waits_for_unarchive(self):
        [mail_id] = self.queue("a@x.example")
        self.write_alias(active=False)
        reason = self.assertWhy(mail_id, "archived", "is archived", ["Unarchive"])
        self.click(reason, "Unarchive")
        self.run_queue()
        self.assertEqual(self.served(), ["a@x.example"])

    def test_a_refused_password_says_so_and_offers_the_test(self):
        [mail_id] = self.queue("a@x.example")
        self.server.users["ada"] = "another one"
        self.run_queue()
        reason = self.assertWhy(
            mail_id,
            "hold",
            "user name or password",
            ["Open Email Alias", "Test Connection", "Resume"],
        )
        self.server.users["ada"] = "correct horse"
        self.click(reason, "Test Connection")
        self.run_queue()
        self.assertEqual(self.served(), ["a@x.example"])

    def test_stale_mail_is_sent_or_dropped(self):
        [mail_id] = self.queue("a@x.example")
        self.write_mails([mail_id], email_alias_due=self.now() - 30 * 24 * HOUR)
        self.run_queue()
        reason = self.assertWhy(
            mail_id, "hold", "out of date", ["Send What Waits", "Drop What Waits"]
        )
        self.click(reason, "Send What Waits")
        self.run_queue()
        self.assertEqual(self.served(), ["a@x.example"])

    def test_an_owner_who_has_left_is_the_administrators_matter(self):
        [mail_id] = self.queue("a@x.example")
        self.addCleanup(self.write_user, active=True)
        self.write_user(active=False)
        uid = self.system_id
        reason = self.assertWhy(mail_id, "owner", "is archived", ["Open User"], uid)
        self.assertNotIn("drop", reason["text"], "there is no such button yet")
        self.run_queue()
        reason = self.assertWhy(
            mail_id,
            "owner",
            "Make them an active internal user",
            ["Open User", "Drop What Waits"],
            uid,
        )
        self.click(reason, "Drop What Waits", uid)
        self.assertEqual(self.read_mails([mail_id], "state")[0]["state"], "cancel")

    def test_the_daily_limit_names_the_time(self):
        [mail_id] = self.queue("a@x.example")
        self.log_sent(seconds_ago=HOUR)
        self.write_alias(daily_limit=1)
        for _ in range(2):
            # before the lane has seen it, and after
            self.assertWhy(
                mail_id, "limit", "Daily Limit is reached (1)", ["Open Email Alias"]
            )
            left = self.read_row(mail_id)["next_at"] - fields.Datetime.now()
            self.assertAlmostEqual(left.total_seconds(), 23 * HOUR, delta=60)
            self.run_queue()
        self.assertFalse(self.served())

    def test_the_providers_quota_is_told_apart_from_trouble(self):
        [mail_id] = self.queue("a@x.example")
        self.server.on("mail", reply="550 5.4.5 Daily user sending limit exceeded")
        self.run_queue()
        clicks = ["Test Connection", "Open Email Alias"]
        self.assertWhy(mail_id, "quota", "provider's own limit", clicks)
        self.assertIn("Daily user sending limit", self.read_row(mail_id)["why"])
        left = self.read_row(mail_id)["next_at"] - fields.Datetime.now()
        self.assertAlmostEqual(left.total_seconds(), 24 * HOUR, delta=900)

    def test_trouble_names_the_servers_words_and_the_next_try(self):
        [mail_id] = self.queue("a@x.example")
        self.server.on("connect", reply="421 4.3.2 closed for the night")
        self.run_queue()
        reason = self.assertWhy(
            mail_id,
            "backoff",
            "closed for the night",
            ["Test Connection", "Open Email Alias"],
        )
        self.assertNotIn("It said", reason["text"], "the sentence is ours")
        self.assertTrue(reason["at"])
        self.server.rules.clear()
        self.click(reason, "Test Connection")
        self.run_queue()
        self.assertEqual(self.served(), ["a@x.example"])

    def test_a_quota_that_is_over_leaves_no_trace(self):
        self.queue("a@x.example")
        self.write_alias(backoff_is_quota=True)
        self.server.on("connect", reply="421 4.3.2 closed for the night")
        self.run_queue()
        self.assertEqual(self.read_reasons()[0]["key"], "backoff")

    def test_several_reasons_are_all_told(self):
        self.queue("a@x.example")
        self.write_alias(active=False, is_paused=True, state="hold", state_message="No")
        keys = [reason["key"] for reason in self.read_reasons()]
        self.assertEqual(keys, ["archived", "hold", "paused"])

    def test_nothing_waits(self):
        self.assertEqual(self.read_reasons(), [])
        self.write_alias(is_paused=True)
        self.assertEqual([r["key"] for r in self.read_reasons()], ["paused"])


@tagged("post_install", "-at_install", "user_email_alias")
class TestWhyMail(WhyCase):
    """What keeps one email, or its turn."""

    def test_the_pause_after_the_email_before(self):
        self.write_alias(delay_ms=600_000)
        self.log_sent(seconds_ago=60)
        [mail_id, later_id] = self.queue("a@x.example", "b@x.example")
        self.assertWhy(mail_id, "pause", "600,000 ms", ["Open Email Alias"])
        left = self.read_row(mail_id)["next_at"] - fields.Datetime.now()
        self.assertAlmostEqual(left.total_seconds(), 540, delta=20)
        row = self.read_row(later_id)
        self.assertIn("Bulk emails of this alias before it: 1, one every", row["why"])
        left = row["next_at"] - fields.Datetime.now()
        self.assertAlmostEqual(left.total_seconds(), 1140, delta=20)

    def test_a_widened_pause_has_the_servers_reason(self):
        self.write_alias(pause_ms=90_000, pause_reason="450 slow down")
        self.log_sent()
        [mail_id] = self.queue("a@x.example")
        self.assertWhy(mail_id, "widened", "450 slow down")

    def test_a_providers_window_of_bytes(self):
        self.log_sent(rest_ms=120_000)
        [mail_id] = self.queue("a@x.example")
        self.assertWhy(mail_id, "window", "was big")

    def test_a_greylisted_email_is_tried_again_or_sent_now(self):
        [mail_id] = self.queue("a@x.example", bulk=False)
        self.server.on("rcpt", reply="451 4.7.1 greylisted", times=1)
        self.run_queue()
        reason = self.assertWhy(mail_id, "deferred", "greylisted", ["Send Now"])
        self.assertEqual(reason["about"], "To a@x.example")
        self.click(reason, "Send Now")
        self.run_queue()
        self.assertEqual(self.served(), ["a@x.example"])

    def test_a_scheduled_email_names_its_time(self):
        at = fields.Datetime.add(fields.Datetime.now(), hours=3)
        [mail_id] = self.queue("a@x.example", bulk=False, scheduled_date=at)
        self.assertWhy(mail_id, "scheduled", "scheduled for later", ["Send Now"])
        left = self.read_row(mail_id)["next_at"] - fields.Datetime.now()
        self.assertAlmostEqual(left.total_seconds(), 3 * HOUR, delta=60)

    def test_a_record_that_may_not_be_read_any_more(self):
        with self.committed() as env:
            partner = env["res.partner"].create({"name": "Secret"})
            rule = env["ir.rule"].create(
                {
                    "name": "hidden",
                    "model_id": env["ir.model"]._get_id("res.partner"),
                    "domain_force": f"[('id', '!=', {partner.id})]",
                }
            )
        self.addCleanup(self._unlink, rule, partner)
        [mail_id] = self.queue(
            "a@x.example", bulk=False, model="res.partner", res_id=partner.id
        )
        self.run_queue()
        reason = self.assertWhy(
            mail_id, "rights", "Ask your administrator", ["Cancel the Email"]
        )
        self.click(reason, "Cancel the Email")
        self.assertEqual(self.read_mails([mail_id], "state")[0]["state"], "cancel")

    def _unlink(self, *records):
        with self.committed() as env:
            for record in records:
                record.with_env(env).unlink()

    def test_an_email_in_hand(self):
        [mail_id] = self.queue("a@x.example")
        self.log_sent(outcome=False, replied_at=False, mail_mail_id=mail_id)
        self.assertWhy(mail_id, "in_hand", "in hand at this moment")

    def test_a_refused_email_is_sent_again(self):
        [mail_id] = self.queue("a@x.example", bulk=False)
        self.server.on("rcpt", reply="550 5.1.1 no such user", times=1)
        self.run_queue()
        reason = self.assertWhy(mail_id, "failed", "no such user", ["Send Again"])
        self.click(reason, "Send Again")
        self.run_queue()
        self.assertEqual(self.served(), ["a@x.example"])

    def test_a_cancelled_email_is_queued_anew(self):
        [mail_id] = self.queue("a@x.example", bulk=False)
        self.write_mails([mail_id], state="cancel")
        self.assertIn("Send Again", self.read_row(mail_id)["why"])

    def test_one_to_one_mail_goes_first_and_in_its_order(self):
        [bulk_id] = self.queue("a@x.example")
        ids = self.queue("b@x.example", "c@x.example", bulk=False)
        self.assertIn("leaves now", self.read_row(ids[0])["why"])
        self.assertIn("to one person before it: 1", self.read_row(ids[1])["why"])
        self.assertIn("the next bulk email", self.read_row(bulk_id)["why"])
        self.assertEqual([r["key"] for r in self.read_reasons()], ["now"])

    def test_it_leaves_now_and_does(self):
        [mail_id] = self.queue("a@x.example")
        self.assertWhy(mail_id, "now", "It leaves now.")
        self.run_queue()
        self.assertEqual(self.served(), ["a@x.example"])
