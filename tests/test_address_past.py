"""What was an alias's address once is still nobody else in the conversations it led."""

from odoo.tests import tagged

from .test_address_owner import ALICE, OwnerCase


@tagged("post_install", "-at_install", "user_email_alias")
class TestPastAddress(OwnerCase):
    def setUp(self):
        super().setUp()
        message = self.send_message(
            self.user_alice, self.lead, email_alias_id=self.alias_alice.id
        )
        self.first = message
        mail = self.env["mail.mail"].search([("mail_message_id", "=", message.id)])
        mail._postprocess_sent_message(self.customer, [])
        mail.write({"state": "sent"})

    def archive(self):
        self.alias_alice.active = False

    def change(self):
        self.alias_alice.email_from = "new@a.example.com"

    def delete(self):
        self.alias_alice.sudo().unlink()

    def leave(self):
        self.user_alice.active = False

    def check_after(self, *ends):
        """It is proposed to nobody, and no contact is made of it."""
        for end in ends:
            with self.subTest(end.__name__):
                end()
                for user in (self.user_alice | self.user_bob).filtered("active"):
                    self.assertNotIn(ALICE, self.suggested_emails(user))
                self.assertIn(self.customer.email, self.suggested_emails(self.user_bob))
                self.assertFalse(self.contacts_with(ALICE))

    def test_nobody_is_proposed_to_write_to_it(self):
        # the alias with this address goes step by step
        self.check_after(self.archive, self.delete)

    def test_an_address_that_was_changed(self):
        self.check_after(self.change)

    def test_an_owner_who_left(self):
        self.check_after(self.leave)

    def test_a_customer_who_replies_to_all_changes_nothing(self):
        self.archive()
        self.answer(self.first, self.customer.email_formatted, extra=f"Cc: {ALICE}\n")
        self.check_after(self.delete)

    def test_whose_address_in_odoo_it_is_comes_first(self):
        """A user whose own address it is now is proposed as ever."""
        self.alias_alice.active = False
        self.bob.email = ALICE
        found = [found["partner_id"] for found in self.suggest(self.user_manager)]
        self.assertIn(self.bob.id, found)

    def test_in_other_conversations_it_is_an_address_like_any(self):
        self.alias_alice.active = False
        self.leads[1].email_from = ALICE
        self.assertIn(ALICE, self.suggested_emails(self.user_bob, self.leads[1]))
