"""What is asked to be handed over at once, within the caller's own transaction."""

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
