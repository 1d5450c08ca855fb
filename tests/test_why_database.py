"""Faults of the whole database: told to administrators, who can click what helps."""

from odoo import fields
from odoo.tests import tagged

from .common_queue import QUEUE_JOB
from .common_why import WhyCase


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

    def test_a_list_that_is_only_read_says_it_as_well(self):
        """Odoo answers what only reads in a transaction that cannot write."""
        [mail_id] = self.queue("a@x.example")
        self.reset_jobs()
        at = fields.Datetime.subtract(fields.Datetime.now(), minutes=10)
        self.write_job(nextcall=at)
        with self.committed(self.user_id) as env:
            env.cr.execute("SET TRANSACTION READ ONLY")
            rows = env["user.email.alias.waiting"].search([("id", "=", mail_id)])
            self.assertIn("has not run since", rows.read(["why"])[0]["why"])

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
        self.reset_jobs()
        self.set_param("database.is_neutralized", False)
        self.assertWhy(mail_id, "now", "It leaves now.")

    def test_a_job_that_looks_at_the_queue_later(self):
        [mail_id] = self.queue("a@x.example")
        self.reset_jobs()
        reason = self.assertWhy(mail_id, "next_run", "looks at the queue", ["Send Now"])
        left = self.read_row(mail_id)["next_at"] - fields.Datetime.now()
        self.assertAlmostEqual(left.total_seconds(), 300, delta=60)
        self.click(reason, "Send Now")
        self.assertWhy(mail_id, "now", "It leaves now.")

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
            self.assertWhy(mail_id, "lanes", "aliases may send at once (2)")
            self.assertNotIn("parameter", self.read_row(mail_id)["why"])
            clicks = ["Open System Parameters"]
            uid = self.system_id
            self.assertWhy(mail_id, "lanes", "user_email_alias.lanes", clicks, uid)
        self.assertWhy(mail_id, "now", "It leaves now.")
        with self.lanes_at_work(other_ids[0], self.alias_id):
            self.assertWhy(mail_id, "now", "It leaves now.")
