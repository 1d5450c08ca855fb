"""What people reported of mail in Odoo and OCA, played with aliases.

odoo/odoo 53837 (in test_address_owner.py), 167746, 24808, 38410; OCA/mail 268.
"""

from odoo.tests import tagged

from .common import AliasCommon
from .common_queue import QueueCase


@tagged("post_install", "-at_install", "user_email_alias")
class TestReports(AliasCommon):
    def test_contact_with_two_addresses_gets_a_mailing_once(self):
        self.customer.email = "cleo@customer.example.com; second@customer.example.com"
        self.leads.write({"partner_id": self.customer.id, "email_from": False})
        self.leads.email_from = self.customer.email
        mailing = self.create_mailing(self.user_alice)
        mailing.action_put_in_queue()
        self.run_mailing_cron()
        mails = self.find_mails(self.alias_alice, mailing_id=mailing.id)
        waiting = mails.filtered(lambda mail: mail.state == "outgoing")
        self.assertEqual(len(waiting), 1)

    def test_customer_who_was_taken_out_of_to_gets_nothing(self):
        self.lead.partner_id = self.customer
        other = self.env["res.partner"].create({"name": "O", "email": "o@example.org"})
        composer = self.open_composer(
            self.user_alice, self.lead, partner_ids=self.customer.ids
        )
        composer.partner_ids = other
        composer.action_send_mail()
        mails = self.find_mails(self.alias_alice)
        self.assertEqual(mails.recipient_ids, other)

    def test_portal_user_s_words_leave_as_their_own(self):
        self.lead.message_subscribe((self.customer | self.user_bob.partner_id).ids)
        author = self.user_portal.partner_id
        self.send_message(
            self.user_alice, self.lead, email_alias_id=self.alias_alice.id
        )
        self.mails_before = self.all_mail_ids()
        self.lead.with_user(self.user_portal).sudo().message_post(
            body="Hello",
            author_id=author.id,
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            partner_ids=self.customer.ids,
        )
        mails = self.find_mails()
        self.assertLeavesAsEver(mails)
        self.assertEqual(set(mails.mapped("email_from")), {author.email_formatted})
        self.assertFalse(self.find_mails(self.alias_alice))


@tagged("post_install", "-at_install", "user_email_alias")
class TestRetry(QueueCase):
    def test_whoever_is_in_copy_is_served_once_though_it_is_sent_again(self):
        self.server.on("rcpt", reply="451 4.3.0 busy", match="copy@", times=1)
        (mail_id,) = self.queue("bob@example.org", email_cc="copy@example.org")
        self.run_queue()
        with self.committed() as env:
            env["mail.mail"].browse(mail_id).with_user(self.user_id).sudo().write(
                {"state": "outgoing", "scheduled_date": False}
            )
        self.run_queue()
        self.assertEqual(sorted(self.served()), ["bob@example.org", "copy@example.org"])
