"""One person's addresses are one person's: for the blacklist and for duplicates."""

from odoo.tests import tagged

from .test_address_owner import ALICE, OwnerCase


@tagged("post_install", "-at_install", "user_email_alias")
class TestBlacklist(OwnerCase):
    def setUp(self):
        super().setUp()
        self.own = self.alice.email_normalized
        self.assertNotEqual(self.own, ALICE)

    def make_leads(self, *emails):
        return self.env["crm.lead"].create(
            [{"name": email, "email_from": email, "type": "lead"} for email in emails]
        )

    def send(self, records):
        """Write a mass mail; return why it goes to whom not, False if it does."""
        composer = self.env["mail.compose.message"].create(
            {
                "composition_mode": "mass_mail",
                "model": records._name,
                "res_ids": repr(records.ids),
                "subject": "News",
                "body": "<p>News</p>",
                "use_exclusion_list": True,
            }
        )
        values = composer._prepare_mail_values(records.ids)
        return {
            record.email_from: values[record.id].get("failure_type")
            for record in records
        }

    def test_who_wants_no_mailings_gets_none_at_any_address(self):
        for listed in (self.own, ALICE):
            with self.subTest(listed=listed):
                savepoint = self.cr.savepoint()
                self.env["mail.blacklist"]._add(listed)
                leads = self.make_leads(self.own, ALICE, "other@lead.example.com")
                self.assertEqual(
                    leads.mapped("is_blacklisted"), [True, True, False], listed
                )
                sent = self.send(leads)
                self.assertEqual(sent.get(self.own), "mail_bl")
                self.assertEqual(sent.get(ALICE), "mail_bl")
                self.assertFalse(sent.get("other@lead.example.com"))
                savepoint.rollback()

    def test_whoever_is_not_listed_gets_them(self):
        self.env["mail.blacklist"]._add("bob@b.example.com")
        leads = self.make_leads(self.own, ALICE, "other@lead.example.com")
        self.assertFalse(any(leads.mapped("is_blacklisted")))
        self.assertFalse(any(self.send(leads).values()))

    def test_an_archived_alias_names_nobody_any_more(self):
        self.alias_alice.active = False
        self.env["mail.blacklist"]._add(self.own)
        leads = self.make_leads(self.own, ALICE)
        self.assertEqual(leads.mapped("is_blacklisted"), [True, False])

    def test_leads_with_two_addresses_of_one_person_are_duplicates(self):
        first, second, other = self.make_leads(
            self.own, ALICE, "other@lead.example.com"
        )
        self.assertIn(second, first.duplicate_lead_ids)
        self.assertIn(first, second.duplicate_lead_ids)
        self.assertEqual(first.duplicate_lead_count, len(first.duplicate_lead_ids) - 1)
        self.assertNotIn(other, first.duplicate_lead_ids)
        self.alias_alice.active = False
        self.env.invalidate_all()
        self.assertNotIn(second, first.duplicate_lead_ids)

    def test_a_lead_with_an_aliass_address_has_its_owner_as_customer(self):
        lead, other = self.make_leads(ALICE, "other@lead.example.com")
        for record in (lead, other):
            record.contact_name = "Somebody"
            record._handle_partner_assignment(create_missing=True)
        self.assertEqual(lead.partner_id, self.alice)
        self.assertFalse(self.contacts_with(ALICE))
        self.assertEqual(other.partner_id.name, "Somebody")
