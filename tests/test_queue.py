"""The queue with its real lanes: what it submits, when, and what becomes of it."""

import contextlib
import gc
import sys
import weakref

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import SQL

from odoo.addons.base.models.ir_mail_server import MailDeliveryException

from ..sending.lock import LANE_LOCK
from ..sending.process import TIDY_SECONDS, Process
from ..sending.queries import PAUSED_SECONDS
from ..sending.run import Run
from .common_queue import PASSWORD, QueueCase

MANY = [f"lead{number}@example.org" for number in range(8)]


@tagged("post_install", "-at_install", "user_email_alias")
class TestPace(QueueCase):
    def test_bulk_mails_keep_the_pause_from_reply_to_next_start(self):
        self.write_alias(delay_ms=120)
        self.server.on("dot", delay=0.03)
        self.queue(*MANY)
        self.run_queue()
        self.assertEqual(self.served(), MANY)
        self.assertGreaterEqual(min(self.gaps()), 0.120)

    def test_pause_is_kept_from_one_run_to_the_next(self):
        self.write_alias(delay_ms=700)
        self.queue(MANY[0])
        self.run_queue()
        self.queue(MANY[1])
        self.run_queue()
        self.assertEqual(self.served(), MANY[:2])
        self.assertGreaterEqual(min(self.gaps()), 0.7)

    def test_pause_is_kept_between_the_recipients_of_one_mail(self):
        self.write_alias(delay_ms=150)
        with self.committed() as env:
            partners = env["res.partner"].create(
                [{"name": address, "email": address} for address in MANY[:3]]
            )
            self.queue("first@example.org", env=env, recipient_ids=partners.ids)
        self.run_queue()
        self.assertCountEqual(self.served(), ["first@example.org", *MANY[:3]])
        self.assertGreaterEqual(min(self.gaps()), 0.150)

    def test_one_to_one_mail_overtakes_a_bulk_sending(self):
        self.write_alias(delay_ms=100)
        self.queue(*MANY)
        self.queue("boss@example.org", bulk=False)
        self.run_queue()
        self.assertEqual(self.served(), ["boss@example.org", *MANY])

    def test_scheduled_mail_waits_for_its_date(self):
        later = fields.Datetime.add(fields.Datetime.now(), hours=1)
        ids = self.queue(MANY[0], scheduled_date=later)
        self.run_queue()
        self.assertFalse(self.server.messages)
        with self.committed() as env:
            env["mail.mail"].browse(ids).write({"scheduled_date": False})
        self.run_queue()
        self.assertEqual(self.served(), [MANY[0]])

    def test_throttling_reply_widens_the_pause_and_success_eases_it(self):
        self.write_alias(delay_ms=100)
        self.server.on("mail", reply="451 4.7.1 slow down", times=1)
        self.queue(*MANY)
        self.run_queue()
        alias = self.read_alias("pause_ms", "pause_reason", "backoff_until")
        self.assertGreater(alias["pause_ms"], 100)
        self.assertIn("slow down", alias["pause_reason"])
        self.assertFalse(self.server.messages)
        with self.committed() as env:
            self.assertGreater(alias["backoff_until"], env["user.email.alias"]._now())
        self.write_alias(backoff_until=0, pause_ms=130)
        self.queue(*[f"more{number}@example.org" for number in range(4)])
        self.run_queue()
        self.assertEqual(len(self.server.messages), 12)
        self.assertGreaterEqual(min(self.gaps()[:9]), 0.130)
        self.assertEqual(self.read_alias("pause_ms")["pause_ms"], 0)

    def test_reached_daily_limit_keeps_the_rest_and_says_until_when(self):
        self.write_alias(daily_limit=3)
        ids = self.queue(*MANY)
        self.run_queue()
        self.assertEqual(self.served(), MANY[:3])
        alias = self.read_alias("backoff_until", "state_message", "state")
        with self.committed() as env:
            now = env["user.email.alias"]._now()
        self.assertAlmostEqual(alias["backoff_until"], now + 86400, delta=60)
        self.assertIn("Daily Limit of 3", alias["state_message"])
        waiting = [m for m in self.read_mails(ids, "state") if m["state"] == "outgoing"]
        self.assertEqual(len(waiting), 5)
        self.write_alias(daily_limit=5)
        self.run_queue()
        self.assertEqual(self.served(), MANY[:5])


@tagged("post_install", "-at_install", "user_email_alias")
class TestDoor(QueueCase):
    """A mail with an alias leaves by that alias or not at all."""

    def test_headers_and_envelope_are_the_alias(self):
        self.queue(MANY[0], bulk=False)
        self.run_queue()
        message = self.server.messages[0]
        self.assertEqual(message.mail_from, "ada@example.com")
        self.assertEqual(message.login, "ada")
        self.assertTrue(message.is_tls)
        self.assertIn(b'From: "Ada Lovelace" <ada@example.com>\r\n', message.data)

    def test_core_queue_never_sees_our_mail(self):
        ids = self.queue(*MANY)
        with self.committed() as env:
            env["mail.mail"].process_email_queue()
            env["mail.mail"].process_email_queue(email_ids=ids)
        self.assertEqual(
            {mail["state"] for mail in self.read_mails(ids, "state")}, {"outgoing"}
        )
        self.assertFalse(self.server.messages)

    def test_waiting_campaign_starves_no_other_mail(self):
        with self.committed() as env:
            params = env["ir.config_parameter"]
            params.set_param("mail.mail.queue.batch.size", "1")
            other = env["mail.mail"].create(
                {"email_to": "reset@example.org", "body_html": "x"}
            )
        # core takes the newest first
        ours = self.queue(*MANY)
        try:
            with self.committed() as env:
                env["mail.mail"].process_email_queue()
        finally:
            with self.committed() as env:
                env["ir.config_parameter"].set_param(
                    "mail.mail.queue.batch.size", False
                )
        self.assertNotEqual(self.read_mails(other.ids, "state")[0]["state"], "outgoing")
        self.assertEqual(
            {mail["state"] for mail in self.read_mails(ours, "state")}, {"outgoing"}
        )
        with self.committed() as env:
            env["mail.mail"].browse(other.ids).unlink()

    def test_core_send_hands_nothing_over_by_itself(self):
        ids = self.queue(MANY[0])
        with self.committed() as env:
            mail = env["mail.mail"].browse(ids)
            mail.send()
            with self.assertRaises(UserError):
                mail._send(smtp_session=object())
        self.assertEqual(self.read_mails(ids, "state")[0]["state"], "outgoing")
        self.assertFalse(self.server.messages)

    def test_paused_alias_keeps_its_mail(self):
        self.queue(*MANY)
        with self.committed(self.user_id) as env:
            env["user.email.alias"].browse(self.alias_id).action_pause()
        self.run_queue()
        self.assertFalse(self.server.messages)
        with self.committed(self.user_id) as env:
            env["user.email.alias"].browse(self.alias_id).action_unpause()
        self.run_queue()
        self.assertEqual(self.served(), MANY)

    def test_cancelled_mail_never_leaves(self):
        ids = self.queue(*MANY)
        with self.committed(self.user_id) as env:
            alias = env["user.email.alias"].browse(self.alias_id)
            action = alias.action_cancel_waiting()
            wizard = env[action["res_model"]].browse(action["res_id"])
            self.assertEqual(wizard.count, len(MANY))
            wizard.action_cancel_mails()
        self.run_queue()
        self.assertFalse(self.server.messages)
        self.assertEqual(
            {mail["state"] for mail in self.read_mails(ids, "state")}, {"cancel"}
        )

    def test_archived_alias_and_archived_owner_keep_their_mail(self):
        ids = self.queue(MANY[0])
        self.write_alias(active=False)
        self.run_queue()
        self.write_alias(active=True)
        with self.committed() as env:
            env["res.users"].browse(self.user_id).active = False
        self.run_queue()
        self.assertFalse(self.server.messages)
        with self.committed() as env:
            env["res.users"].browse(self.user_id).active = True
        self.run_queue()
        self.assertEqual(self.read_mails(ids, "state")[0]["state"], "sent")

    def test_neutralised_database_sends_nothing(self):
        self.queue(MANY[0])
        with self.committed() as env:
            env["ir.config_parameter"].set_param("database.is_neutralized", "True")
        try:
            self.run_queue()
        finally:
            with self.committed() as env:
                env["ir.config_parameter"].set_param("database.is_neutralized", False)
        self.assertFalse(self.server.sessions)

    def test_untrusted_certificate_gets_no_password(self):
        with self.committed() as env:
            alias = env["user.email.alias"].browse(self.alias_id)
            alias.smtp_server = f"127.0.0.2:{self.server.starttls_port}"
        self.queue(MANY[0])
        self.run_queue()
        commands = [c for session in self.server.sessions for c in session.commands]
        self.assertFalse([c for c in commands if c.upper().startswith("AUTH")])
        self.assertFalse(self.server.messages)


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
            ).write({"email_alias_due": 0})

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


@tagged("post_install", "-at_install", "user_email_alias")
class TestConnections(QueueCase):
    def test_one_connection_and_one_login_serve_many_mails(self):
        self.queue(*MANY)
        self.run_queue()
        self.assertEqual(len(self.server.sessions), 1)

    def test_connection_the_server_has_enough_of_is_replaced(self):
        self.server.on("mail", reply="421 too many messages", skip=3, times=1)
        self.queue(*MANY)
        self.run_queue()
        self.assertEqual(self.served(), MANY)
        self.assertEqual(len(self.server.sessions), 2)
        self.assertEqual(self.read_alias("backoff_count")["backoff_count"], 0)

    def test_a_second_lane_finds_the_alias_taken(self):
        self.queue(MANY[0])
        with contextlib.closing(self.registry.cursor()) as cr:
            cr.execute(SQL("SELECT pg_advisory_lock(%s, %s)", LANE_LOCK, self.alias_id))
            run = Run(self.registry, 4, 5.0)
            run.serve()
            self.assertFalse(self.server.sessions)
            self.assertIsNone(run.next_due, "the holder looks after the rest")
            cr.execute(
                SQL("SELECT pg_advisory_unlock(%s, %s)", LANE_LOCK, self.alias_id)
            )
        self.run_queue()
        self.assertEqual(self.served(), [MANY[0]])

    def test_claim_of_a_dead_lane_is_uncertain_and_the_rest_goes_on(self):
        ids = self.queue(*MANY[:3])
        with self.committed() as env:
            env["user.email.alias.log"].create(
                {
                    "alias_id": self.alias_id,
                    "mail_mail_id": ids[0],
                    "is_bulk": True,
                    "recipients": MANY[0],
                }
            )
        self.run_queue()
        self.run_queue()
        self.assertEqual(self.served(), MANY[1:3])
        self.assertEqual(
            [mail["state"] for mail in self.read_mails(ids, "state")],
            ["exception", "sent", "sent"],
        )

    def test_a_silent_server_does_not_delay_another_alias(self):
        with self.committed() as env:
            other = self.create_alias(env, name="Other", email_from="b@example.com")
            slow, self.alias_id = self.alias_id, other.id
        self.server.on("mail", delay=1.5, match="ada@")
        with self.committed() as env:
            env["mail.mail"].with_user(self.user_id).sudo().create(
                {
                    "subject": "Slow",
                    "email_to": "slow@example.org",
                    "email_alias_id": slow,
                }
            )
        self.queue(*MANY)
        self.run_queue()
        self.assertEqual(self.served(), [*MANY, "slow@example.org"])

    def test_sending_now_tells_the_outcome(self):
        with self.committed(self.user_id) as env:
            mail = (
                env["mail.mail"]
                .sudo()
                .create(
                    {
                        "subject": "Now",
                        "email_to": MANY[0],
                        "email_alias_id": self.alias_id,
                    }
                )
            )
            mail.send(raise_exception=True)
            self.assertEqual(mail.state, "sent")
            self.server.on("rcpt", reply="550 5.1.1 no such person")
            with self.assertRaises(MailDeliveryException):
                mail.copy({"email_to": MANY[1], "state": "outgoing"}).send(
                    raise_exception=True
                )
        self.assertEqual(self.served(), [MANY[0]])

    def test_test_connection_says_ok_and_proves_the_alias(self):
        with self.committed(self.user_id) as env:
            alias = env["user.email.alias"].browse(self.alias_id)
            self.assertEqual(alias.state, "draft")
            result = alias.action_test_connection()
            self.assertEqual(result["params"]["message"], "Status: OK")
            self.assertEqual(alias.state, "ok")
            alias.smtp_password = PASSWORD + "x"
            self.assertEqual(alias.state, "draft")
            result = alias.action_test_connection()
            self.assertNotEqual(result["params"]["message"], "Status: OK")
            self.assertNotIn(PASSWORD, str(result))


@tagged("post_install", "-at_install", "user_email_alias")
class TestProcess(QueueCase):
    def test_the_last_run_gives_the_process_back_as_it_was(self):
        before = (gc.get_freeze_count(), sys.getswitchinterval())
        with Process.watching():
            with Process.watching():
                self.assertGreater(gc.get_freeze_count(), 10_000)
                self.assertLess(sys.getswitchinterval(), before[1])
            self.assertGreater(gc.get_freeze_count(), 10_000)
        self.assertEqual((gc.get_freeze_count(), sys.getswitchinterval()), before)

    def test_garbage_of_a_long_run_is_collected(self):
        with Process.watching():
            Process._frozen_at -= TIDY_SECONDS
            circle = UserError("circle")
            circle.itself = circle
            alive = weakref.ref(circle)
            del circle
            gc.freeze()
        self.assertIsNone(alive())


@tagged("post_install", "-at_install", "user_email_alias")
class TestMailingPause(QueueCase):
    def test_paused_mailing_waits_while_others_go_on(self):
        with self.committed(self.user_id) as env:
            mailing = env["mailing.mailing"].create(
                {
                    "subject": "News",
                    "mailing_model_id": env["ir.model"]._get_id("res.partner"),
                    "email_alias_id": self.alias_id,
                }
            )
            self.addCleanup(self._remove_mailing, mailing.id)
            self.queue(*MANY[:2], env=env(su=True), mailing_id=mailing.id)
            self.queue(MANY[3], env=env(su=True))
            mailing.action_email_alias_pause()
            late = self.queue(MANY[2], env=env(su=True), mailing_id=mailing.id)
        self.assertGreater(
            self.read_mails(late, "email_alias_due")[0]["email_alias_due"],
            PAUSED_SECONDS,
        )
        self.run_queue()
        self.assertEqual(self.served(), [MANY[3]])
        with self.committed(self.user_id) as env:
            env["mailing.mailing"].browse(mailing.id).action_email_alias_resume()
        self.run_queue()
        self.assertEqual(self.served(), [MANY[3], *MANY[:3]])

    def _remove_mailing(self, mailing_id):
        with self.committed() as env:
            env["mail.mail"].search([("mailing_id", "=", mailing_id)]).unlink()
            env["mailing.mailing"].browse(mailing_id).unlink()
