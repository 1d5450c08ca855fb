"""The queue with its real lanes: what becomes of a mail after each reply."""

from odoo.tests import tagged
from odoo.tools import SQL

from .common_queue import QueueCase

MANY = [f"lead{number}@example.org" for number in range(8)]


@tagged("post_install", "-at_install", "user_email_alias")
class TestOutcomes(QueueCase):
    def test_temporary_refusal_of_a_mail_is_retried_and_the_rest_goes_on(self):
        self.server.on("rcpt", reply="450 4.2.0 greylisted", match="lead1@", times=1)
        ids = self.queue(*MANY[:3])
        self.run_queue()
        self.assertEqual(self.served(), [MANY[0], MANY[2]])
        late = self.read_mails(ids[1:2], "state", "failure_reason", "email_alias_due")[
            0
        ]
        self.assertEqual(late["state"], "outgoing")
        self.assertIn("greylisted", late["failure_reason"])
        with self.committed() as env:
            now = env["user.email.alias"]._now()
            self.assertAlmostEqual(late["email_alias_due"], now + 300, delta=30)
            env["mail.mail"].browse(ids[1]).email_alias_due = now
        self.run_queue()
        self.assertEqual(self.served(), [MANY[0], MANY[2], MANY[1]])

    def test_refused_recipient_is_final_with_the_servers_words(self):
        self.server.on("rcpt", reply="550 5.1.1 no such person", match="lead0@")
        ids = self.queue(*MANY[:2])
        self.run_queue()
        mail = self.read_mails(ids[:1], "state", "failure_type", "failure_reason")[0]
        self.assertEqual(mail["state"], "exception")
        self.assertEqual(mail["failure_type"], "mail_email_invalid")
        self.assertIn("no such person", mail["failure_reason"])
        self.assertEqual(self.served(), [MANY[1]])
        self.assertEqual(
            [row["outcome"] for row in self.read_log()], ["refused", "sent"]
        )

    def test_refused_login_holds_the_alias_and_loses_nothing(self):
        self.server.users["ada"] = "changed at the provider"
        ids = self.queue(*MANY)
        self.run_queue()
        self.run_queue()
        alias = self.read_alias("state", "hold_reason", "state_message")
        self.assertEqual((alias["state"], alias["hold_reason"]), ("hold", "password"))
        logins = [
            command
            for session in self.server.sessions
            for command in session.commands
            if command.upper().startswith("AUTH")
        ]
        self.assertEqual(len(logins), 1, "a wrong password is tried once")
        (notice,) = self.read_notices()
        self.assertEqual(notice["alias_id"], self.alias_id)
        self.assertIn("password", notice["message"])
        self.assertEqual(
            {mail["state"] for mail in self.read_mails(ids, "state")}, {"outgoing"}
        )
        with self.committed(self.user_id) as env:
            env["user.email.alias"].browse(
                self.alias_id
            ).smtp_password = "changed at the provider"
        self.run_queue()
        self.assertEqual(self.served(), MANY)
        self.assertEqual(self.read_alias("state")["state"], "ok")

    def test_core_hears_that_a_job_works_before_it_ends(self):
        def counted(*recipients):
            self.queue(*recipients)
            with self.committed() as env:
                progress = env["ir.cron.progress"].create(
                    {
                        "cron_id": env.ref("user_email_alias.ir_cron_process").id,
                        "timed_out_counter": 3,
                    }
                )
                env.cr.commit()
                queue = env["user.email.alias.queue"]
                queue.with_context(ir_cron_progress_id=progress.id)._cron_process()
                # what survives if the process is killed now
                env.cr.rollback()
                env.invalidate_all()
                count = progress.timed_out_counter
                progress.unlink()
                return count

        self.assertEqual(counted(), 3, "nothing was done yet")
        self.write_alias(delay_ms=200)
        self.assertEqual(counted(*MANY[:3]), 0)

    def test_many_uncertain_emails_make_one_notice(self):
        self.server.on("dot", drop=True, accept=True, times=3)
        self.queue(*MANY)
        self.run_queue()
        self.assertEqual(
            [row["outcome"] for row in self.read_log()].count("uncertain"), 3
        )
        (notice,) = self.read_notices()
        self.assertIn("uncertain", notice["message"])

    def test_lost_key_holds_the_alias_and_leaves_the_cipher_text(self):
        self.queue(MANY[0])
        with self.committed() as env:
            env.cr.execute(
                SQL(
                    "UPDATE user_email_alias SET smtp_secret = %s WHERE id = %s "
                    "RETURNING smtp_secret",
                    "v1:000000000000:gAAAAABother",
                    self.alias_id,
                )
            )
        self.run_queue()
        alias = self.read_alias("state", "hold_reason", "smtp_secret")
        self.assertEqual((alias["state"], alias["hold_reason"]), ("hold", "vault"))
        self.assertEqual(alias["smtp_secret"], "v1:000000000000:gAAAAABother")
        self.assertFalse(self.server.sessions)

    def test_unavailable_server_backs_the_alias_off(self):
        self.server.on("connect", reply="421 4.3.2 try later", times=1)
        ids = self.queue(*MANY)
        self.run_queue()
        alias = self.read_alias("state", "backoff_until", "backoff_count")
        self.assertEqual((alias["state"], alias["backoff_count"]), ("draft", 1))
        self.assertEqual(
            {mail["state"] for mail in self.read_mails(ids, "state")}, {"outgoing"}
        )
        self.run_queue()
        self.assertEqual(len(self.server.sessions), 1)
        self.write_alias(backoff_until=0)
        self.run_queue()
        self.assertEqual(self.served(), MANY)
        self.assertEqual(self.read_alias("backoff_count")["backoff_count"], 0)

    def test_link_lost_after_the_dot_is_uncertain_and_never_repeated(self):
        self.server.on("dot", drop=True, accept=True, match="", times=1)
        ids = self.queue(*MANY[:3])
        self.run_queue()
        self.run_queue()
        self.assertEqual(self.served(), MANY[:3])
        mail = self.read_mails(ids[:1], "state", "failure_type")[0]
        self.assertEqual(mail["state"], "exception")
        self.assertEqual(mail["failure_type"], "email_alias_uncertain")
        self.assertEqual(self.read_log()[0]["outcome"], "uncertain")

    def test_link_lost_before_the_dot_is_tried_again(self):
        self.server.on("body", drop=True, after_bytes=50_000, times=1)
        long_text = "<p>%s</p>" % ("Hello, this is long. " * 500_000)
        ids = self.queue(MANY[0], body_html=long_text)
        self.run_queue()
        self.assertEqual(self.read_mails(ids, "state")[0]["state"], "outgoing")
        self.write_alias(backoff_until=0)
        self.run_queue()
        self.assertEqual(self.served(), [MANY[0]])

    def test_author_decides_what_is_uncertain(self):
        self.server.on("dot", drop=True, times=2)
        ids = self.queue(*MANY[:2])
        self.run_queue()
        first, second = self.read_log()
        with self.committed(self.user_id) as env:
            Log = env["user.email.alias.log"]
            Log.browse(first["id"]).action_mark_sent()
            Log.browse(second["id"]).action_send_again()
        self.run_queue()
        self.assertEqual(self.served(), [MANY[1]])
        self.assertEqual(
            [mail["state"] for mail in self.read_mails(ids, "state")], ["sent", "sent"]
        )

    def test_retry_repeats_nobody_who_was_served(self):
        self.server.on("rcpt", reply="450 4.2.1 busy", match="lead2@", times=1)
        with self.committed() as env:
            partners = env["res.partner"].create(
                [{"name": address, "email": address} for address in MANY[:3]]
            )
            self.queue(False, bulk=False, env=env, recipient_ids=partners.ids)
        self.run_queue()
        self.assertCountEqual(self.served(), MANY[:2])
        self._make_due()
        self.run_queue()
        self.assertCountEqual(self.served(), MANY[:3])

    def test_retry_repeats_nobody_of_a_shared_to_line(self):
        self.server.on("rcpt", reply="450 4.2.1 busy", match="lead1@", times=1)
        self.server.on("rcpt", reply="550 5.1.1 unknown", match="lead2@")
        ids = self.queue(", ".join(MANY[:3]), bulk=False)
        self.run_queue()
        self.assertEqual(self.served(), MANY[:1])
        self._make_due()
        self.run_queue()
        self.assertEqual(self.served(), MANY[:2])
        self.assertEqual(self.read_mails(ids, "state")[0]["state"], "sent")
        self.assertIn(MANY[2], self.read_log()[0]["refused_recipients"])

    def _make_due(self):
        with self.committed() as env:
            env["mail.mail"].search(
                [("email_alias_id", "=", self.alias_id), ("state", "=", "outgoing")]
            ).write({"email_alias_due": env["user.email.alias"]._now()})

    def test_sender_not_allowed_holds_the_alias(self):
        self.server.on("mail", reply="550 5.7.60 not allowed to send as")
        ids = self.queue(MANY[0])
        self.run_queue()
        alias = self.read_alias("state", "hold_reason")
        self.assertEqual(alias["state"], "hold")
        self.assertEqual(alias["hold_reason"], "from_refused")
        self.assertEqual(self.read_mails(ids, "state")[0]["state"], "outgoing")

    def test_used_up_quota_waits_for_the_next_day(self):
        self.server.on("mail", reply="550 5.4.5 Daily sending quota exceeded")
        self.queue(MANY[0])
        self.run_queue()
        alias = self.read_alias("state", "backoff_until")
        self.assertNotEqual(alias["state"], "hold")
        with self.committed() as env:
            wait = alias["backoff_until"] - env["user.email.alias"]._now()
        self.assertGreater(wait, 20 * 3600)
