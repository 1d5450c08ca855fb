"""The queue with its real lanes: connections, processes, paused mailings."""

import contextlib
import gc
import sys
import weakref

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import SQL

from odoo.addons.base.models.ir_mail_server import MailDeliveryException

from ..sending.lock import LANE_LOCK
from ..sending.process import TIDY_SECONDS, Process
from ..sending.queries import get_next_due
from ..sending.run import Run
from .common_queue import PASSWORD, QueueCase

MANY = [f"lead{number}@example.org" for number in range(8)]


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
        # the server takes three on a connection, which is remembered
        self.assertEqual(len(self.server.sessions), 3)
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
        self.assertTrue(
            self.read_mails(late, "email_alias_is_paused")[0]["email_alias_is_paused"]
        )
        self.run_queue()
        self.assertEqual(self.served(), [MANY[3]])
        with self.committed(self.user_id) as env:
            env["mailing.mailing"].browse(mailing.id).action_email_alias_resume()
        self.run_queue()
        self.assertEqual(self.served(), [MANY[3], *MANY[:3]])

    def test_retried_mail_follows_a_mailing_that_was_resumed_meanwhile(self):
        with self.committed(self.user_id) as env:
            mailing = env["mailing.mailing"].create(
                {
                    "subject": "Paused",
                    "mailing_model_id": env["ir.model"]._get_id("crm.lead"),
                    "email_alias_id": self.alias_id,
                }
            )
            self.addCleanup(self._remove_mailing, mailing.id)
            ids = self.queue(MANY[0], env=env(su=True), mailing_id=mailing.id)
            mailing.action_email_alias_pause()
        with self.committed() as env:
            env["mail.mail"].browse(ids)._email_alias_cancel()
        with self.committed(self.user_id) as env:
            env["mailing.mailing"].browse(mailing.id).action_email_alias_resume()
        with self.committed() as env:
            env["mail.mail"].browse(ids).write({"state": "outgoing"})
        self.run_queue()
        self.assertEqual(self.served(), [MANY[0]])

    def test_deferred_letter_is_waited_for_with_and_without_paused_bulk_mail(self):
        with self.committed() as env:
            ids = self.queue(MANY[0], env=env, bulk=False)
            now = env["user.email.alias"]._now()
            env["mail.mail"].browse(ids).email_alias_due = now + 300
        with self.committed() as env:
            self.assertAlmostEqual(get_next_due(env.cr), 300, delta=30)
        with self.committed() as env:
            bulk = self.queue(MANY[1], env=env)
            env["mail.mail"].browse(bulk).email_alias_is_paused = True
        with self.committed() as env:
            self.assertAlmostEqual(get_next_due(env.cr), 300, delta=30)

    def _remove_mailing(self, mailing_id):
        with self.committed() as env:
            env["mail.mail"].search([("mailing_id", "=", mailing_id)]).unlink()
            env["mailing.mailing"].browse(mailing_id).unlink()
