"""What is asked to be submitted at once, within the caller's own transaction."""

import contextlib
import itertools
import threading
import time
from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.base.models.ir_mail_server import MailDeliveryException

from ..models import user_email_alias_mail_send_now
from .common_queue import QueueCase


@tagged("post_install", "-at_install", "user_email_alias")
class TestSendNow(QueueCase):
    def send(self, ids, context=None, **kwargs):
        with self.committed(self.user_id) as env:
            mails = env["mail.mail"].sudo().with_context(**(context or {}))
            mails.browse(ids).send(**kwargs)

    def test_one_to_one_mail_is_handed_over_at_once(self):
        for context, kwargs in (
            ({"mailing_test_mail": True}, {}),
            ({}, {"raise_exception": True}),
        ):
            self.server.clear()
            self.send(self.queue("a@example.org", bulk=False), context, **kwargs)
            self.assertEqual(self.served(), ["a@example.org"])

    def test_bulk_mail_keeps_its_pace_whoever_asks(self):
        self.write_alias(delay_ms=150)
        ids = self.queue("a@example.org", "b@example.org", "c@example.org")
        self.send(ids, {"mailing_test_mail": True})
        self.send(ids, raise_exception=True)
        self.assertFalse(self.server.messages)
        self.run_queue()
        self.assertEqual(len(self.served()), 3)
        self.assertGreaterEqual(min(self.gaps()), 0.150)

    def test_mail_that_a_lane_has_served_meanwhile_is_not_served_again(self):
        for auto_delete in (False, True):
            self.server.clear()
            ids = self.queue("a@example.org", bulk=False, auto_delete=auto_delete)
            with self.committed(self.user_id) as env:
                mail = env["mail.mail"].sudo().browse(ids)
                self.assertEqual(mail.state, "outgoing")
                self.run_queue()
                with (
                    self.subTest(auto_delete=auto_delete),
                    self.assertRaises(SerializationFailure),
                ):
                    mail.send(raise_exception=True)
                env.cr.rollback()
            self.assertEqual(self.served(), ["a@example.org"])

    @contextlib.contextmanager
    def running_queue(self, count=1):
        """Have the job at work in a thread of its own, past its first submissions."""
        thread = threading.Thread(target=self.run_queue)
        thread.start()
        try:
            self.server.wait_for(count)
            yield
        finally:
            thread.join(60)
        self.assertFalse(thread.is_alive())

    def test_mail_in_the_middle_of_a_campaign_is_let_in_and_the_pause_holds(self):
        self.write_alias(delay_ms=400)
        bulk = [f"lead{number}@example.org" for number in range(8)]
        self.queue(*bulk)
        with self.running_queue(2):
            for number in range(4):
                with self.committed(self.user_id) as env:
                    [new] = self.queue(f"now{number}@example.org", bulk=False, env=env)
                    mail = env["mail.mail"].sudo().browse(new)
                    mail.with_context(mailing_test_mail=True).send()
                    self.assertEqual(mail.state, "sent")
        self.assertCountEqual(
            self.served(), [*bulk, *(f"now{number}@example.org" for number in range(4))]
        )
        paced = [m for m in self.server.messages if m.rcpt_tos[0] in bulk]
        gaps = [
            later.started_monotonic - earlier.replied_monotonic
            for earlier, later in itertools.pairwise(paced)
        ]
        self.assertGreaterEqual(min(gaps), 0.400)
        self.assertLess(
            self.served().index("now0@example.org"), 11, "it overtook the campaign"
        )

    def test_mail_in_hand_that_takes_long_is_waited_for_and_no_longer(self):
        self.server.on("rcpt", delay=6, match="slow@", times=1)
        self.queue("first@example.org")
        self.queue("slow@example.org")
        with self.running_queue(1), self.committed(self.user_id) as env:
            self.wait_until(lambda: "rcpt TO:<slow@example.org>" in self.said())
            [new] = self.queue("now@example.org", bulk=False, env=env)
            mail = env["mail.mail"].sudo().browse(new)
            with self.patch_seconds(1), self.assertRaisesRegex(UserError, "moment"):
                mail.send(raise_exception=True)
            mail.send(raise_exception=True)
        self.assertEqual(self.served()[1:], ["slow@example.org", "now@example.org"])

    def test_second_mail_that_fails_does_not_take_back_the_first(self):
        for is_new in (False, True):
            self.server.clear()
            self.server.on("rcpt", reply="550 5.1.1 no such person", match="bad@")
            wanted = ("good@example.org", "bad@example.org")
            ids = [] if is_new else self.queue(*wanted, bulk=False)
            with (
                self.subTest(is_new=is_new),
                contextlib.suppress(MailDeliveryException),
                self.committed(self.user_id) as env,
            ):
                ids = ids or self.queue(*wanted, bulk=False, env=env)
                env["mail.mail"].sudo().browse(ids).send(raise_exception=True)
            self.run_queue()
            self.assertEqual(self.served(), ["good@example.org"])
            self.assertEqual(
                [mail["state"] for mail in self.read_mails(ids, "state")],
                ["sent", "exception"],
            )

    def test_caller_that_fails_afterwards_does_not_have_the_mail_sent_again(self):
        for drop, state in ((None, "sent"), ("dot", "exception")):
            self.server.clear()
            if drop:
                self.server.on("dot", drop=True, accept=True, times=1)
            ids = self.queue("a@example.org", bulk=False)
            with self.subTest(state=state), self.committed(self.user_id) as env:
                mail = env["mail.mail"].sudo().browse(ids)
                mail.with_context(mailing_test_mail=True).send()
                env.cr.rollback()
            self.run_queue()
            self.assertEqual(self.served(), ["a@example.org"])
            self.assertEqual(self.read_mails(ids, "state")[0]["state"], state)

    def test_mail_whose_sender_has_not_committed_yet_is_left_alone(self):
        ids = self.queue("a@example.org", bulk=False)
        with self.committed(self.user_id) as env:
            env["mail.mail"].sudo().browse(ids).send(raise_exception=True)
            thread = threading.Thread(target=self.run_queue)
            thread.start()
            time.sleep(1)
        thread.join(30)
        self.assertEqual(self.served(), ["a@example.org"])
        self.assertEqual(self.read_mails(ids, "state")[0]["state"], "sent")

    def said(self):
        """What the mail server was told, command by command."""
        return [line for session in self.server.sessions for line in session.commands]

    def patch_seconds(self, seconds):
        return patch.object(user_email_alias_mail_send_now, "LET_IN_SECONDS", seconds)
