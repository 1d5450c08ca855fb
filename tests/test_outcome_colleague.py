"""What a colleague is told of what one has sent, by the pages their browser loads."""

import requests

import odoo
from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tests.common import HOST

from .common_browser import BrowserCase

REFUSAL = "550 5.1.1 guest0 unknown at hq-relay-7"
SECRET = "hq-relay-7"


@tagged("post_install", "-at_install", "user_email_alias")
class TestColleague(BrowserCase):
    """Bob may read the lead that Ada has written on, and nothing besides."""

    def setUp(self):
        super().setUp()
        with self.committed() as env:
            bob = self._create_user(env, "queue_bob")
            marketing = env.ref("mass_mailing.group_mass_mailing_user")
            bob.group_ids -= marketing
            self.bob_id = bob.id
        self.partner_id = self.create_partners(1)[0]
        self.lead_id = self.create("crm.lead", {"name": "Lead", "user_id": False})[0]

    def post(self):
        with self.committed(self.user_id) as env:
            lead = env["crm.lead"].sudo().browse(self.lead_id)
            return lead.message_post(
                body="Good morning",
                message_type="comment",
                subtype_xmlid="mail.mt_comment",
                partner_ids=[self.partner_id],
                email_alias_id=self.alias_id,
            ).id

    def load(self, message_id, uid):
        """What the browser gets for a message when its record is opened anew."""
        home = f"http://{HOST}:{odoo.tools.config['http_port']}"
        params = {"thread_model": "crm.lead", "thread_id": self.lead_id}
        answer = requests.post(
            f"{home}/mail/thread/messages",
            json={"params": params},
            cookies={"session_id": self._sign_in(uid)},
            timeout=60,
        )
        self.text = answer.text
        found = answer.json()["result"]["data"]["mail.message"]
        [message] = [values for values in found if values["id"] == message_id]
        return message["emailAliasOutcome"]

    def clean_up(self, message_id):
        """Delete what core, its jobs and administrators delete in the end."""
        with self.committed() as env:
            domain = [("mail_message_id", "=", message_id)]
            for model in ("mail.mail", "user.email.alias.log", "mail.notification"):
                env[model].search(domain).unlink()

    def assertIsTold(self, message_id, state):
        for moment in ("at once", "after the clean-ups"):
            with self.subTest(state=state, moment=moment):
                outcome = self.load(message_id, self.bob_id)
                self.assertEqual(outcome["state"], state)
                self.assertEqual(outcome["from"], "Ada Lovelace <ada@example.com>")
                self.assertFalse(outcome["is_mine"])
                self.assertNotIn(SECRET, self.text)
            self.clean_up(message_id)

    def test_that_it_was_sent(self):
        message_id = self.post()
        self.run_queue()
        self.assertEqual(self.served(), ["guest0@example.org"])
        self.assertIsTold(message_id, "sent")

    def test_that_it_was_refused_and_not_why(self):
        self.server.on("rcpt", reply=REFUSAL)
        message_id = self.post()
        self.run_queue()
        self.load(message_id, self.user_id)
        self.assertIn(SECRET, self.text, "its author is told")
        self.assertIsTold(message_id, "refused")

    def test_that_it_waits_and_not_why(self):
        self.server.on("mail", reply=f"451 4.7.1 wait for {SECRET}")
        message_id = self.post()
        self.run_queue()
        self.assertEqual(self.load(message_id, self.bob_id)["state"], "waiting")
        self.assertNotIn(SECRET, self.text)

    def test_that_nobody_knows(self):
        self.server.on("dot", drop=True, accept=True)
        message_id = self.post()
        self.run_queue()
        self.assertIsTold(message_id, "uncertain")

    def test_that_a_contact_has_no_address(self):
        with self.committed() as env:
            env["res.partner"].browse(self.partner_id).email = False
        message_id = self.post()
        self.run_queue()
        self.assertFalse(self.server.sessions)
        self.assertIsTold(message_id, "unsent")

    def test_words_of_the_server_are_in_nothing_they_may_read(self):
        self.server.on("rcpt", reply=REFUSAL)
        message_id = self.post()
        self.run_queue()
        domain = [("mail_message_id", "=", message_id)]
        for model in ("mail.notification", "mail.mail", "user.email.alias.log"):
            with self.subTest(model=model):
                try:
                    found = self.call(model, "search_read", domain, uid=self.bob_id)
                except AccessError:
                    continue
                self.assertNotIn(SECRET, str(found))
        with self.committed() as env:
            notification = env["mail.notification"].search(domain)
            self.assertEqual(notification.notification_status, "exception")
            self.assertIn("below the message", notification.failure_reason)
        found = self.call("mail.message", "read", [message_id], uid=self.bob_id)
        self.assertNotIn(SECRET, str(found))
