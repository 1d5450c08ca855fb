"""A person, a browser, a mail server: what was pressed is what leaves."""

from odoo.tests import tagged

from .common_browser import BrowserCase


@tagged("post_install", "-at_install", "user_email_alias", "user_email_alias_tour")
class TestBrowser(BrowserCase):
    def test_the_second_message_goes_to_the_customer_alone(self):
        """The alias's address is its owner's: nobody to write to, no new contact."""
        partner_id = self.create_partners(1)[0]
        lead_id = self.create(
            "crm.lead",
            {
                "name": "Fresh lead",
                "type": "opportunity",
                "partner_id": partner_id,
                "user_id": self.user_id,
            },
        )[0]
        self.start_tour(f"/odoo/crm.lead/{lead_id}", "user_email_alias_twice")
        self.assertLeaves("guest0@example.org", "guest0@example.org", is_bulk=False)
        self.assertOutcome("crm.lead", lead_id)
        with self.committed() as env:
            domain = [("email_normalized", "=", "ada@example.com")]
            self.assertFalse(env["res.partner"].search(domain))

    def test_an_invitation_leaves_when_its_event_is_saved(self):
        partner_id = self.create_partners(1)[0]
        self.start_tour("/odoo/calendar.event/new", "user_email_alias_invite")
        with self.committed() as env:
            event = env["calendar.event"].search([("partner_ids", "=", partner_id)])
            self.created.append(("calendar.event", event.ids))
        self.assertLeaves("guest0@example.org")
        self.assertOutcome("calendar.event", event.id)

    def test_an_answer_in_the_inbox_leaves_by_the_alias_of_the_conversation(self):
        customer_id = self.create_partners(1)[0]
        comment = {"message_type": "comment", "subtype_xmlid": "mail.mt_comment"}
        with self.committed(self.user_id) as env:
            second = self.create_alias(env, name="2", email_from="second@example.com")
            env.user.sudo().notification_type = "inbox"
            lead = env["crm.lead"].create({"name": "Lead", "user_id": self.user_id})
            self.created.append(("crm.lead", lead.ids))
            lead.message_subscribe([customer_id, env.user.partner_id.id])
            lead.message_post(body="Hello", email_alias_id=second.id, **comment)
        with self.committed() as env:
            lead.with_env(env).message_post(
                body="A question", author_id=customer_id, **comment
            )
        self.run_queue()
        self.assertEqual(self.served(), ["guest0@example.org"])
        self.server.clear()
        path = "/odoo/discuss?active_id=mail.box_inbox"
        self.start_tour(path, "user_email_alias_inbox")
        self.run_queue()
        self.assertEqual(self.served(), ["guest0@example.org"])
        self.assertEqual(self.server.messages[0].mail_from, "second@example.com")

    def test_the_full_form_of_an_event_has_what_the_short_one_has(self):
        with self.committed(self.user_id) as env:
            self.create_alias(env, name="2", email_from="second@example.com")
        self.start_tour("/odoo/calendar", "user_email_alias_more_options")
