"""Why a mailing does not leave, for its owner and for whoever else reads it."""

from odoo import fields
from odoo.tests import tagged

from .common_queue import MAILING_JOB
from .common_why import WhyCase


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
            mail_id, "mailing_paused", "mailing “News” is paused", ["Resume Mailing"]
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
