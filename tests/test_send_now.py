"""What is asked to be submitted at once, within the caller's own transaction."""

from psycopg2.errors import SerializationFailure

from odoo.tests import tagged

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
