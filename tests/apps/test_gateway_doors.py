"""Addresses of Odoo that only some people may write to: an alias's owner is one."""

from odoo.tests import tagged

from ..test_address_owner import ALICE, OwnerCase


@tagged("post_install", "-at_install", "user_email_alias")
class TestDoors(OwnerCase):
    def setUp(self):
        super().setUp()
        self.mails_before = self.all_mail_ids()

    def send_to(self, address, email_from=f"Alice <{ALICE}>"):
        return self.receive(email_from, address, "Through the door")

    def create_door(self):
        return self.env["mail.alias"].create(
            {
                "alias_name": "staff.test",
                "alias_model_id": self.env["ir.model"]._get_id("crm.lead"),
                "alias_contact": "employees",
            }
        )

    def test_employees_are_known_by_their_aliases(self):
        self.env["hr.employee"].create({"name": "Alice", "user_id": self.user_alice.id})
        message = self.send_to(self.create_door().alias_full_name)
        self.assertEqual(message.author_id, self.alice)
        self.assertEqual(message.model, "crm.lead")
        self.assertFalse(self.find_mails())

    def test_whoever_is_no_employee_stays_outside(self):
        address = self.create_door().alias_full_name
        for email_from in (f"Alice <{ALICE}>", self.customer.email_formatted):
            self.assertFalse(self.send_to(address, email_from))
        bounces = self.find_mails()
        self.assertEqual(len(bounces), 2)

    def create_group(self, **values):
        return self.env["mail.group"].create(
            {
                "name": "Knots",
                "access_mode": "members",
                "alias_name": "knots.test",
                **values,
            }
        )

    def test_members_of_a_group_are_known_by_their_aliases(self):
        member = (0, 0, {"partner_id": self.alice.id, "email": self.alice.email})
        other = (0, 0, {"email": "other@example.org"})
        group = self.create_group(member_ids=[member, other])
        self.send_to(group.alias_id.alias_full_name)
        message = group.mail_group_message_ids.mail_message_id
        self.assertEqual(message.author_id, self.alice)
        self.assertFalse(message.email_alias_id)
        self.assertEqual(self.find_mails().mapped("email_to"), ["other@example.org"])
        self.assertFalse(self.find_mails(self.alias_alice))

    def test_whoever_is_no_member_stays_outside(self):
        group = self.create_group()
        self.send_to(group.alias_id.alias_full_name)
        self.assertFalse(group.mail_group_message_ids)
        self.assertTrue(self.find_mails())
