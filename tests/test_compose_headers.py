"""What the choice of From does to headers, and by the chatter's own route."""

import json

from odoo.tests import tagged

from .common import AliasCommon
from .common_http import PatientHttpCase


@tagged("post_install", "-at_install", "user_email_alias")
class TestHeaders(AliasCommon):
    def send(self, records=None, **values):
        self.open_composer(
            self.user_alice, records or self.lead, **values
        ).action_send_mail()
        mails = self.find_mails(self.alias_alice)
        self.assertTrue(mails)
        return mails

    def test_reply_to_is_odoos_catchall_of_the_record(self):
        for records in (self.lead, self.leads):
            self.mails_before = self.all_mail_ids()
            for mail in self.send(records):
                self.assertIn(f"@{self.alias_domain}>", mail.reply_to)
                self.assertNotIn("alice@a.example.com", mail.reply_to)

    def test_reply_to_bears_the_name_of_the_alias(self):
        self.alias_alice.alias_name = "Alice of Sales"
        for records in (self.lead, self.leads):
            self.mails_before = self.all_mail_ids()
            for mail in self.send(records):
                self.assertIn(f"@{self.alias_domain}>", mail.reply_to)
                self.assertTrue(mail.reply_to.startswith('"Alice of Sales" <'))
        self.alias_alice.alias_name = "A name so long that the header would be folded"
        self.mails_before = self.all_mail_ids()
        for mail in self.send():
            self.assertNotIn("<", mail.reply_to)

    def test_reply_to_asked_for_keeps_its_name(self):
        self.alias_alice.alias_name = "Alice of Sales"
        asked = f'"{self.user_alice.name}" <asked@a.example.com>'
        mails = self.send(self.leads, reply_to_mode="new", reply_to=asked)
        self.assertEqual(set(mails.mapped("reply_to")), {asked})

    def test_reply_to_is_the_from_where_there_is_no_catchall(self):
        self.env["res.company"].search([]).alias_domain_id = False
        contacts = self.customer | self.customer.copy({"email": "d@customer.example"})
        for records in (self.customer, contacts):
            self.mails_before = self.all_mail_ids()
            for mail in self.send(records):
                self.assertEqual(mail.reply_to, '"Alice Adams" <alice@a.example.com>')

    def test_reply_to_of_the_alias_beats_the_catchall(self):
        self.alias_alice.reply_to = "assistant@a.example.com"
        for records in (self.lead, self.leads):
            self.mails_before = self.all_mail_ids()
            for mail in self.send(records):
                self.assertEqual(mail.reply_to, "assistant@a.example.com")

    def test_reply_to_asked_for_in_the_mass_composer_beats_the_alias(self):
        self.alias_alice.reply_to = "assistant@a.example.com"
        mails = self.send(
            self.leads, reply_to_mode="new", reply_to="asked@a.example.com"
        )
        self.assertEqual(set(mails.mapped("reply_to")), {"asked@a.example.com"})

    def test_message_posted_with_an_alias_has_its_headers(self):
        self.alias_alice.reply_to = "assistant@a.example.com"
        message = self.send_message(
            self.user_alice,
            self.lead,
            email_alias_id=self.alias_alice.id,
            email_from="forged@bank.example.com",
        )
        self.assertEqual(message.email_from, '"Alice Adams" <alice@a.example.com>')
        self.assertEqual(message.reply_to, "assistant@a.example.com")
        self.assertEqual(message.author_id, self.user_alice.partner_id)
        self.assertLeavesBy(self.alias_alice, self.find_mails(self.alias_alice), 1)

    def test_hostile_alias_names_are_text(self):
        for name in (
            "{{ 7 * 7 }}",
            "{{ object.env.user.login }}",
            "{{ 1 / 0 }}",
            "{{ object.write({'name': 'evaluated'}) }}",
            "<t t-out='7 * 7'/>",
            'Al" <evil@evil.example>, "x',
            "evil@evil.example, Al",
            "Zoë; (comment) \\",
        ):
            for records in (self.lead, self.leads):
                with self.subTest(name=name, records=len(records)):
                    self.alias_alice.alias_name = name
                    self.mails_before = self.all_mail_ids()
                    mails = self.send(records)
                    self.assertLeavesBy(self.alias_alice, mails)
                    mails.invalidate_recordset()
                    message = self.env["ir.mail_server"]._build_email__(
                        mails[0].email_from, ["x@y.example"], "Subject", "Body"
                    )
                    (sender,) = message["From"].addresses
                    self.assertEqual(sender.addr_spec, "alice@a.example.com")
                    self.assertEqual(sender.display_name, name)
        self.assertNotIn("evaluated", self.leads.mapped("name"))

    def test_braces_in_an_address_are_text(self):
        self.alias_alice.write(
            {"email_from": "{{7*7}}@a.example.com", "reply_to": "{{6*7}}@a.example.com"}
        )
        for records in (self.lead, self.leads):
            self.mails_before = self.all_mail_ids()
            for mail in self.send(records):
                self.assertIn("{{7*7}}@a.example.com", mail.email_from)
                self.assertEqual(mail.reply_to, "{{6*7}}@a.example.com")

    def test_mail_keeps_what_odoo_adds(self):
        mail = self.send(self.lead)
        headers = mail.headers or ""
        self.assertIn("X-Odoo-Objects", headers)
        self.assertIn(f"crm.lead-{self.lead.id}", headers)
        self.assertTrue(mail.message_id)
        self.assertTrue(mail.references)


@tagged("post_install", "-at_install", "user_email_alias")
class TestChatterRoute(AliasCommon, PatientHttpCase):
    """What the chatter's "Send message" and "Log note" post."""

    def post(self, user, record=None, context=None, **post_data):
        record = record or self.lead
        self.authenticate(user.login, user.login)
        params = {
            "thread_model": record._name,
            "thread_id": record.id,
            "post_data": {
                "body": "Good morning",
                "message_type": "comment",
                "subtype_xmlid": "mail.mt_comment",
                "partner_ids": self.customer.ids,
                **post_data,
            },
        }
        if context is not None:
            params["context"] = context
        response = self.url_open(
            "/mail/message/post",
            data=json.dumps({"id": 0, "jsonrpc": "2.0", "params": params}),
            headers={"Content-Type": "application/json"},
        )
        return response.json()

    def test_send_message_goes_by_the_default_alias(self):
        reply = self.post(self.user_alice)
        self.assertNotIn("error", reply)
        mails = self.find_mails(self.alias_alice)
        self.assertLeavesBy(self.alias_alice, mails, count=1, bulk=False)

    def test_another_own_alias_can_be_named(self):
        self.post(self.user_alice, email_alias_id=self.alias_alice_2.id)
        self.assertLeavesBy(self.alias_alice_2, self.find_mails(self.alias_alice_2), 1)

    def test_what_is_no_alias_is_refused_with_a_sentence(self):
        for value in ([1], {"id": 1}, "abc", True, 1.5, "-1", [[6, 0, [1]]]):
            with self.subTest(value=value):
                error = self.post(self.user_alice, email_alias_id=value)["error"]
                self.assertEqual(error["data"]["name"], "odoo.exceptions.UserError")
                self.assertFalse(self.find_mails())

    def test_no_alias_can_be_named(self):
        self.post(self.user_alice, email_alias_id=False)
        self.assertLeavesAsEver(self.find_mails(), 1)

    def test_note_goes_as_ever(self):
        self.post(self.user_alice, subtype_xmlid="mail.mt_note")
        self.assertLeavesAsEver(self.find_mails(), 1)

    def test_note_with_an_alias_named_goes_as_ever(self):
        self.post(
            self.user_alice,
            subtype_xmlid="mail.mt_note",
            email_alias_id=self.alias_alice.id,
        )
        self.assertLeavesAsEver(self.find_mails(), 1)

    def test_user_without_alias_goes_as_ever(self):
        self.post(self.user_manager)
        self.assertLeavesAsEver(self.find_mails())

    def test_somebody_elses_alias_posts_nothing(self):
        messages = self.lead.message_ids
        for named in (
            {"email_alias_id": self.alias_bob.id},
            {"email_alias_id": str(self.alias_bob.id)},
            {"email_alias_id": [self.alias_bob.id]},
            {"email_alias_id": 10**9},
            {"email_alias_id": "x"},
        ):
            with self.subTest(named=named), self.assertLogs("odoo.http"):
                reply = self.post(self.user_alice, **named)
                self.assertIn("error", reply)
        self.env.invalidate_all()
        self.assertEqual(self.lead.message_ids, messages)
        self.assertFalse(self.find_mails(self.alias_bob))

    def test_context_of_the_browser_names_no_alias(self):
        self.post(
            self.user_manager, context={"default_email_alias_id": self.alias_bob.id}
        )
        self.assertLeavesAsEver(self.find_mails())

    def test_portal_user_names_no_alias(self):
        partner = self.user_portal.partner_id
        self.lead.message_subscribe(partner.ids)
        self.post(self.user_portal, record=partner, email_alias_id=self.alias_bob.id)
        self.assertFalse(self.find_mails(self.alias_bob))
