"""Seeded faults: each has a sentence that names the next click, and the click helps."""

from odoo import fields
from odoo.tests import tagged

from .common_why import MAILING_JOB, QUEUE_JOB, WhyCase

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
            ["Test Connection", "Resume", "Open Email Alias"],
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
        self.assertWhy(mail_id, "owner", "is archived", ["Open User"], uid)
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
                mail_id, "limit", "Daily Limit of 1 emails", ["Open Email Alias"]
            )
            left = self.read_row(mail_id)["next_at"] - fields.Datetime.now()
            self.assertAlmostEqual(left.total_seconds(), 23 * HOUR, delta=60)
            self.run_queue()
        self.assertFalse(self.served())

    def test_the_providers_quota_is_told_apart_from_trouble(self):
        [mail_id] = self.queue("a@x.example")
        self.server.on("mail", reply="550 5.4.5 Daily user sending limit exceeded")
        self.run_queue()
        self.assertWhy(mail_id, "quota", "provider's own limit", ["Test Connection"])
        self.assertIn("Daily user sending limit", self.read_row(mail_id)["why"])
        left = self.read_row(mail_id)["next_at"] - fields.Datetime.now()
        self.assertAlmostEqual(left.total_seconds(), 24 * HOUR, delta=900)

    def test_trouble_names_the_servers_words_and_the_next_try(self):
        [mail_id] = self.queue("a@x.example")
        self.server.on("connect", reply="421 4.3.2 closed for the night")
        self.run_queue()
        reason = self.assertWhy(
            mail_id, "backoff", "closed for the night", ["Test Connection"]
        )
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
        self.assertIn("1 bulk emails of this alias go first", row["why"])
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
        self.assertIn("1 emails of this alias to one", self.read_row(ids[1])["why"])
        self.assertIn("has its turn", self.read_row(bulk_id)["why"])
        self.assertEqual([r["key"] for r in self.read_reasons()], ["now"])

    def test_it_leaves_now_and_does(self):
        [mail_id] = self.queue("a@x.example")
        self.assertWhy(mail_id, "now", "It leaves now.")
        self.run_queue()
        self.assertEqual(self.served(), ["a@x.example"])


@tagged("post_install", "-at_install", "user_email_alias")
class TestWhyDatabase(WhyCase):
    """What keeps everything is told to administrators, who can click it."""

    def test_the_job_is_switched_off(self):
        [mail_id] = self.queue("a@x.example")
        self.write_job(active=False)
        self._check_job(mail_id, "job_off", "switched off")

    def test_the_job_never_ran(self):
        [mail_id] = self.queue("a@x.example")
        with self.committed() as env:
            env.cr.execute(
                "UPDATE ir_cron_trigger SET call_at = call_at - interval '10 minutes'"
                " WHERE cron_id = %s",
                [env.ref(QUEUE_JOB).id],
            )
        self._check_job(mail_id, "job_unattended", "has not run since")

    def test_the_job_is_overdue(self):
        [mail_id] = self.queue("a@x.example")
        self.reset_jobs()
        at = fields.Datetime.subtract(fields.Datetime.now(), minutes=10)
        self.write_job(nextcall=at)
        self._check_job(mail_id, "job_unattended", "has not run since")

    def test_a_job_at_work_is_not_overdue(self):
        [mail_id] = self.queue("a@x.example")
        at = fields.Datetime.subtract(fields.Datetime.now(), minutes=10)
        self.write_job(nextcall=at)
        with self.committed() as env:
            # as core does while a job runs
            env.ref(QUEUE_JOB).lock_for_update()
            self.assertWhy(mail_id, "now", "It leaves now.")

    def _check_job(self, mail_id, key, words):
        for click in self.assertWhy(mail_id, key, words)["clicks"]:
            self.fail(f"an owner is offered {click}")
        text = self.read_row(mail_id)["why"]
        self.assertIn("Ask your administrator", text)
        for secret in ("scheduled action", "max_cron_threads", "Run Manually"):
            self.assertNotIn(secret, text)
        uid = self.system_id
        reason = self.assertWhy(mail_id, key, words, ["Open Scheduled Action"], uid)
        self.assertIn("scheduled action", reason["text"])
        with self.committed() as env:
            job_id = env.ref(QUEUE_JOB).id
        self.assertEqual(reason["clicks"][0]["action"]["res_id"], job_id)

    def test_a_neutralised_database(self):
        [mail_id] = self.queue("a@x.example")
        self.set_param("database.is_neutralized", "1")
        self.assertWhy(mail_id, "neutralised", "Ask your administrator")
        self.assertNotIn("parameter", self.read_row(mail_id)["why"])
        clicks = ["Open System Parameters"]
        uid = self.system_id
        self.assertWhy(mail_id, "neutralised", "is_neutralized", clicks, uid)

    def test_a_copy_of_a_database(self):
        [mail_id] = self.queue("a@x.example")
        with self.committed() as env:
            uuid = env["ir.config_parameter"].get_param("database.uuid")
        self.addCleanup(self._come_home)
        self.addCleanup(self._set_uuid, uuid)
        self._set_uuid("another one")
        self.assertWhy(mail_id, "copy", "Ask your administrator")
        clicks = ["Send What Waits", "Drop What Waits"]
        uid = self.system_id
        reason = self.assertWhy(mail_id, "copy", "Decide whether", clicks, uid)
        self.click(reason, "Send What Waits", uid)
        # the password was sealed for the other database
        self.assertWhy(mail_id, "now", "It leaves now.")
        self.run_queue()
        clicks = ["Open Email Alias", "Test Connection", "Resume"]
        self.assertWhy(mail_id, "hold", "Enter the password again", clicks)

    def _set_uuid(self, uuid):
        with self.committed() as env:
            env["ir.config_parameter"].set_param("database.uuid", uuid)

    def _come_home(self):
        with self.committed() as env:
            Alias = env["user.email.alias"]
            Alias._write_home(Alias._read_homes()[1])

    def test_all_lanes_are_busy(self):
        with self.committed() as env:
            other_ids = [
                self.create_alias(
                    env, name=f"Other {n}", email_from=f"ada{n}@example.com"
                ).id
                for n in range(2)
            ]
        self.set_param("user_email_alias.lanes", "2")
        [mail_id] = self.queue("a@x.example")
        with self.lanes_at_work(*other_ids):
            self.assertWhy(mail_id, "lanes", "2 email aliases send at this moment")
            self.assertNotIn("parameter", self.read_row(mail_id)["why"])
            clicks = ["Open System Parameters"]
            uid = self.system_id
            self.assertWhy(mail_id, "lanes", "user_email_alias.lanes", clicks, uid)
        self.assertWhy(mail_id, "now", "It leaves now.")
        with self.lanes_at_work(other_ids[0], self.alias_id):
            self.assertWhy(mail_id, "now", "It leaves now.")


@tagged("post_install", "-at_install", "user_email_alias")
class TestWhyMailing(WhyCase):
    """The mailing's own button, for whoever may read the mailing."""

    def setUp(self):
        super().setUp()
        with self.committed(self.user_id) as env:
            self.mailing_id = (
                env["mailing.mailing"]
                .create(
                    {
                        "subject": "News",
                        "body_html": "<p>News</p>",
                        "mailing_model_id": env["ir.model"]._get_id("mailing.list"),
                        "email_alias_id": self.alias_id,
                        "user_id": self.user_id,
                    }
                )
                .id
            )
        self.addCleanup(self._drop_mailing)

    def _drop_mailing(self):
        with self.committed() as env:
            mailing = env["mailing.mailing"].browse(self.mailing_id)
            env["mail.mail"].search([("mailing_id", "=", mailing.id)]).unlink()
            mailing.unlink()

    def set_mailing(self, **values):
        """Let a mailing stand as its own steps would have left it."""
        with self.committed() as env:
            mailing = env["mailing.mailing"].browse(self.mailing_id)
            mailing._write(values)

    def read_mailing(self, uid=None):
        with self.committed(uid or self.user_id) as env:
            return env["mailing.mailing"].browse(self.mailing_id).email_alias_read_why()

    def keys(self, uid=None):
        return [reason["key"] for reason in self.read_mailing(uid)]

    def test_a_draft_a_scheduled_one_and_one_in_the_queue(self):
        self.assertEqual(self.keys(), ["mailing_draft"])
        at = fields.Datetime.add(fields.Datetime.now(), hours=3)
        self.set_mailing(state="in_queue", schedule_type="scheduled", schedule_date=at)
        [reason] = self.read_mailing()
        self.assertEqual(reason["key"], "mailing_scheduled")
        self.assertTrue(reason["at"])
        self.set_mailing(schedule_date=None)
        self.assertEqual(self.keys(), ["mailing_soon"])
        self.write_alias(is_paused=True)
        self.assertEqual(self.keys(), ["paused", "mailing_soon"])

    def test_the_job_of_mailings_is_off(self):
        self.set_mailing(state="in_queue")
        self.write_job(MAILING_JOB, active=False)
        [reason] = self.read_mailing()
        self.assertEqual(reason["key"], "mailing_job_off")
        self.assertIn("Ask your administrator", reason["text"])
        [reason] = self.read_mailing(self.system_id)
        self.assertIn("Activate the scheduled action", reason["text"])

    def test_a_paused_mailing_is_resumed(self):
        [mail_id] = self.queue("a@x.example", mailing_id=self.mailing_id)
        self.set_mailing(state="done")
        with self.committed(self.user_id) as env:
            env["mailing.mailing"].browse(self.mailing_id).action_email_alias_pause()
        reason = self.assertWhy(
            mail_id, "mailing_paused", "mailing is paused", ["Resume Mailing"]
        )
        self.assertEqual(self.keys(), ["mailing_paused"])
        self.click(reason, "Resume Mailing")
        self.run_queue()
        self.assertEqual(self.served(), ["a@x.example"])

    def test_a_colleague_reads_no_word_that_is_not_theirs(self):
        self.queue("a@x.example", mailing_id=self.mailing_id)
        self.set_mailing(state="done")
        words = "535 5.7.8 secret words"
        past = self.now() + 99
        for values in (
            {"state": "hold", "state_message": words},
            {"state": "ok", "backoff_until": past, "backoff_count": 1},
            {"backoff_is_quota": True},
            {"backoff_until": 0, "pause_ms": 99_000, "pause_reason": words},
        ):
            self.write_alias(**values)
            self.log_sent()
            with self.subTest(values=values):
                [reason] = self.read_mailing()
                self.assertIn("secret", reason["text"])
                [reason] = self.read_mailing(self.colleague_id)
                self.assertNotIn("secret", reason["text"])
                self.assertEqual(reason["clicks"], [])

    def test_a_colleague_reads_whom_to_ask(self):
        self.queue("a@x.example", mailing_id=self.mailing_id)
        self.set_mailing(state="done")
        for values in (
            {"is_paused": True},
            {"is_paused": False, "state": "hold"},
            {"state": "ok", "active": False},
        ):
            self.write_alias(**values)
            [reason] = self.read_mailing(self.colleague_id)
            self.assertIn("Ask Ada Lovelace.", reason["text"])
