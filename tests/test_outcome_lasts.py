"""What became of a message is known as long as the message, whatever is cleaned up."""

from odoo.tests import tagged

from odoo.addons.mail.tools.discuss import Store

from .common_queue import QueueCase


@tagged("post_install", "-at_install", "user_email_alias")
class TestOutcomeLasts(QueueCase):
    def setUp(self):
        super().setUp()
        with self.committed() as env:
            self.colleague_id = self._create_user(env, "queue_bob").id
            self.customer_id, self.bare_id, self.odd_id = (
                env["res.partner"]
                .create(
                    [
                        {"name": "Cleo Customer", "email": "cleo@example.org"},
                        {"name": "Bare Bert"},
                        {"name": "Odd Olga", "email": "olga at home"},
                    ]
                )
                .ids
            )
            lead = env["crm.lead"].create({"name": "Lasting", "user_id": False})
            self.lead_id = lead.id
        self.addCleanup(self._remove_records)

    def _remove_records(self):
        with self.committed() as env:
            lead = env["crm.lead"].browse(self.lead_id)
            env["mail.mail"].search([("res_id", "=", lead.id)]).unlink()
            lead.unlink()
            ids = [self.customer_id, self.bare_id, self.odd_id]
            env["res.partner"].browse(ids).unlink()

    def post(self, *partner_ids):
        with self.committed(self.user_id) as env:
            lead = env["crm.lead"].browse(self.lead_id)
            message = lead.message_post(
                body="Good morning",
                message_type="comment",
                subtype_xmlid="mail.mt_comment",
                partner_ids=partner_ids or [self.customer_id],
                email_alias_id=self.alias_id,
            )
            return message.id

    def see(self, message_id, uid=None):
        with self.committed(uid or self.user_id) as env:
            store = Store().add(env["mail.message"].browse(message_id))
            return store.get_result()["mail.message"][0]["emailAliasOutcome"]

    def clean_up(self, message_id):
        """Delete what core, its jobs and administrators delete in the end."""
        with self.committed() as env:
            domain = [("mail_message_id", "=", message_id)]
            for model in ("mail.mail", "user.email.alias.log", "mail.notification"):
                env[model].search(domain).unlink()

    def assertLasts(self, message_id, state, reply=""):
        for moment in ("at once", "after the clean-ups"):
            with self.subTest(state=state, moment=moment):
                outcome = self.see(message_id)
                self.assertEqual(outcome["state"], state)
                self.assertIn(reply, outcome["reply"])
                colleague = self.see(message_id, self.colleague_id)
                self.assertEqual(colleague["state"], state)
                self.assertFalse(colleague["reply"])
            self.clean_up(message_id)

    def test_sent(self):
        message_id = self.post()
        self.run_queue()
        self.assertEqual(self.served(), ["cleo@example.org"])
        self.assertLasts(message_id, "sent")

    def test_refused(self):
        self.server.on("rcpt", reply="550 5.1.1 no such user", match="cleo@")
        message_id = self.post()
        self.run_queue()
        self.assertLasts(message_id, "refused", "550 5.1.1 no such user")

    def test_uncertain(self):
        self.server.on("dot", drop=True, accept=True)
        message_id = self.post()
        self.run_queue()
        self.assertLasts(message_id, "uncertain", "please check")

    def test_uncertain_and_then_decided(self):
        self.server.on("dot", drop=True, accept=True)
        message_id = self.post()
        self.run_queue()
        with self.committed(self.user_id) as env:
            env["mail.message"].browse(message_id).action_email_alias_mark_sent()
        self.assertLasts(message_id, "sent")

    def test_taken_back(self):
        message_id = self.post()
        with self.committed(self.user_id) as env:
            env["mail.message"].browse(message_id).action_email_alias_take_back()
        self.assertLasts(message_id, "cancelled")

    def test_cancelled_by_an_administrator(self):
        message_id = self.post()
        with self.committed() as env:
            env["mail.mail"].search([("mail_message_id", "=", message_id)]).cancel()
        self.assertLasts(message_id, "cancelled")

    def test_contact_without_an_address_was_not_sent_to(self):
        message_id = self.post(self.bare_id)
        self.run_queue()
        self.assertFalse(self.server.sessions)
        self.assertLasts(message_id, "unsent", "Bare Bert has no email address.")

    def test_contact_with_a_wrong_address_was_not_sent_to(self):
        message_id = self.post(self.odd_id)
        self.run_queue()
        self.assertLasts(
            message_id, "unsent", "Odd Olga has no valid email address: “olga at home”."
        )

    def test_gravest_of_several_recipients_lasts(self):
        message_id = self.post(self.customer_id, self.bare_id)
        self.run_queue()
        self.assertEqual(self.served(), ["cleo@example.org"])
        self.assertLasts(message_id, "unsent", "Bare Bert has no email address.")

    def test_corrected_and_sent_again_is_sent(self):
        message_id = self.post(self.bare_id)
        with self.committed() as env:
            mail = env["mail.mail"].search([("mail_message_id", "=", message_id)])
            mail.auto_delete = False
        self.run_queue()
        self.assertEqual(self.see(message_id)["state"], "unsent")
        with self.committed() as env:
            env["res.partner"].browse(self.bare_id).email = "bert@example.org"
            mail.with_env(env).mark_outgoing()
        self.assertEqual(self.see(message_id)["state"], "waiting")
        self.run_queue()
        self.assertEqual(self.served(), ["bert@example.org"])
        self.assertLasts(message_id, "sent")

    def test_notification_says_whose_address_is_missing(self):
        message_id = self.post(self.bare_id)
        self.run_queue()
        with self.committed() as env:
            notification = env["mail.notification"].search(
                [("mail_message_id", "=", message_id)]
            )
            self.assertEqual(notification.notification_status, "exception")
            self.assertIn("Bare Bert", notification.failure_reason)

    def test_outlives_the_alias(self):
        message_id = self.post()
        self.run_queue()
        with self.committed(self.user_id) as env:
            env["user.email.alias"].browse(self.alias_id).unlink()
        outcome = self.see(message_id)
        self.assertEqual(outcome["state"], "sent")
        self.assertEqual(outcome["from"], "Ada Lovelace <ada@example.com>")
        self.assertTrue(outcome["is_mine"])
        self.assertFalse(self.see(message_id, self.colleague_id)["is_mine"])

    def test_words_of_the_server_are_read_by_nobody_else(self):
        self.server.on("rcpt", reply="550 5.1.1 no such user", match="cleo@")
        message_id = self.post()
        self.run_queue()
        for uid in (self.user_id, self.colleague_id):
            with self.committed(uid) as env:
                message = env["mail.message"].browse(message_id)
                self.assertNotIn("email_alias_steps", message.fields_get())
                self.assertNotIn("email_alias_steps", message.read()[0])
