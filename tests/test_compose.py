"""Which mail goes through an alias, and what recipients see as From and Reply-To."""

import json
from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import HttpCase, tagged

from .common import AliasCommon


@tagged("post_install", "-at_install", "user_email_alias")
class TestChoice(AliasCommon):
    """The composers pick the author's default alias."""

    def test_full_composer_starts_with_the_default_alias(self):
        composer = self.open_composer(self.user_alice, self.lead)
        self.assertEqual(composer.email_alias_id, self.alias_alice)
        self.assertTrue(composer.has_email_alias)
        self.assertEqual(composer.email_from, '"Alice Adams" <alice@a.example.com>')
        self.assertEqual(composer.author_id, self.user_alice.partner_id)

    def test_full_composer_sends_by_the_default_alias(self):
        self.open_composer(self.user_alice, self.lead).action_send_mail()
        mails = self.find_mails(self.alias_alice)
        self.assertLeavesBy(self.alias_alice, mails, count=1, bulk=False)
        self.assertEqual(mails.recipient_ids, self.customer)
        self.assertEqual(mails.mail_message_id.email_alias_id, self.alias_alice)

    def test_another_own_alias_can_be_chosen(self):
        self.open_composer(
            self.user_alice, self.lead, email_alias_id=self.alias_alice_2.id
        ).action_send_mail()
        self.assertLeavesBy(self.alias_alice_2, self.find_mails(self.alias_alice_2), 1)

    def test_reply_to_all_and_forward_leave_by_the_default_alias(self):
        for option in ("reply_all", "forward"):
            with self.subTest(option):
                before = self.find_mails(self.alias_alice)
                # what the message's menu of actions opens
                context = {
                    "default_composition_comment_option": option,
                    "default_subtype_xmlid": "mail.mt_comment",
                }
                composer = self.open_composer(self.user_alice, self.lead, context)
                self.assertEqual(composer.email_alias_id, self.alias_alice)
                composer.action_send_mail()
                mails = self.find_mails(self.alias_alice) - before
                self.assertLeavesBy(self.alias_alice, mails, count=1, bulk=False)

    def test_no_alias_can_be_chosen(self):
        self.open_composer(
            self.user_alice, self.lead, email_alias_id=False
        ).action_send_mail()
        self.assertLeavesAsEver(self.find_mails(), 1)

    def test_user_without_alias_sends_as_ever(self):
        composer = self.open_composer(self.user_manager, self.lead)
        self.assertFalse(composer.email_alias_id)
        self.assertFalse(composer.has_email_alias)
        composer.action_send_mail()
        self.assertLeavesAsEver(self.find_mails())

    def test_archived_default_is_not_picked(self):
        self.alias_bob.active = False
        composer = self.open_composer(self.user_bob, self.lead)
        self.assertFalse(composer.email_alias_id)

    def test_archived_alias_is_refused_with_a_sentence(self):
        composer = self.open_composer(self.user_bob, self.lead)
        self.assertEqual(composer.email_alias_id, self.alias_bob)
        self.alias_bob.active = False
        with self.assertRaisesRegex(UserError, "archived"):
            composer.action_send_mail()

    def test_incomplete_alias_is_refused_with_a_sentence(self):
        composer = self.open_composer(self.user_bob, self.lead)
        self.assertEqual(composer.email_alias_id, self.alias_bob)
        self.alias_bob.smtp_server = False
        with self.assertRaisesRegex(UserError, "not filled in"):
            composer.action_send_mail()

    def test_mass_composer_queues_bulk_mail_by_the_default_alias(self):
        composer = self.open_composer(self.user_alice, self.leads)
        self.assertEqual(composer.email_alias_id, self.alias_alice)
        composer.action_send_mail()
        mails = self.find_mails(self.alias_alice)
        self.assertLeavesBy(self.alias_alice, mails, count=3, bulk=True)

    def test_message_on_each_of_many_records_is_bulk(self):
        template = self.env["mail.template"].create(
            {
                "name": "T",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "subject": "Offer",
                "body_html": "<p>Offer</p>",
                "partner_to": str(self.customer.id),
            }
        )
        self.open_composer(
            self.user_alice,
            self.leads,
            composition_mode="comment",
            template_id=template.id,
        ).action_send_mail()
        mails = self.find_mails(self.alias_alice)
        self.assertLeavesBy(self.alias_alice, mails, count=3, bulk=True)

    def test_mass_composer_without_alias_sends_as_ever(self):
        composer = self.open_composer(self.user_alice, self.leads, email_alias_id=False)
        composer.action_send_mail()
        self.assertLeavesAsEver(self.find_mails(), 3)

    def test_alias_beats_the_server_and_the_from_of_a_template(self):
        server = self.env["ir.mail_server"].search([], limit=1)
        template = self.env["mail.template"].create(
            {
                "name": "T",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "subject": "{{ object.name }}",
                "body_html": "<p>Hi</p>",
                "email_from": "template@example.com",
                "mail_server_id": server.id,
            }
        )
        for records, count in ((self.lead, 1), (self.leads, 3)):
            with self.subTest(count=count):
                self.mails_before = self.all_mail_ids()
                self.open_composer(
                    self.user_alice, records, template_id=template.id
                ).action_send_mail()
                mails = self.find_mails(self.alias_alice)
                self.assertLeavesBy(self.alias_alice, mails, count)

    def test_message_posted_for_later_keeps_its_alias(self):
        later = fields.Datetime.now() + timedelta(hours=1)
        composer = self.open_composer(
            self.user_alice,
            self.lead,
            email_alias_id=self.alias_alice_2.id,
            scheduled_date=later,
        )
        scheduled = composer._action_schedule_message()
        self.assertFalse(self.find_mails(self.alias_alice_2))
        scheduled.with_user(self.user_root)._post_message()
        self.assertLeavesBy(self.alias_alice_2, self.find_mails(self.alias_alice_2), 1)

    def test_message_for_later_with_an_archived_alias_leaves_by_no_door(self):
        later = fields.Datetime.now() + timedelta(hours=1)
        scheduled = self.open_composer(
            self.user_bob, self.lead, scheduled_date=later
        )._action_schedule_message()
        self.alias_bob.active = False
        scheduled.with_user(self.user_root)._post_message(raise_exception=False)
        self.assertFalse(self.find_mails(self.alias_bob))
        warning = self.find_mails()
        self.assertIn("could not be sent", warning.subject)
        self.assertLeavesAsEver(warning)

    def test_notification_for_later_keeps_its_alias(self):
        later = fields.Datetime.now() + timedelta(hours=1)
        message = self.send_message(
            self.user_alice,
            self.lead,
            email_alias_id=self.alias_alice.id,
            scheduled_date=later,
        )
        self.assertFalse(self.find_mails(self.alias_alice))
        self.env["mail.message.schedule"].search(
            [("mail_message_id", "=", message.id)]
        ).with_user(self.user_root).force_send()
        self.assertLeavesBy(self.alias_alice, self.find_mails(self.alias_alice), 1)

    def test_scheduled_mail_is_due_at_its_date(self):
        later = fields.Datetime.now().replace(microsecond=0) + timedelta(hours=1)
        mail = (
            self.env["mail.mail"]
            .with_user(self.user_alice)
            .sudo()
            .create({"email_alias_id": self.alias_alice.id, "scheduled_date": later})
        )
        epoch = (later - fields.Datetime.to_datetime("1970-01-01")).total_seconds()
        self.assertAlmostEqual(mail.email_alias_due, epoch, places=3)


@tagged("post_install", "-at_install", "user_email_alias")
class TestNeverByAlias(AliasCommon):
    """What nobody wrote by hand leaves as ever, though its user has an alias."""

    def setUp(self):
        super().setUp()
        self.template = self.env["mail.template"].create(
            {
                "name": "T",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "subject": "Automatic",
                "body_html": "<p>Automatic</p>",
                "email_from": "{{ user.email_formatted }}",
                "partner_to": str(self.customer.id),
            }
        )

    def test_note_that_mentions_somebody(self):
        self.open_composer(
            self.user_alice,
            self.lead,
            subtype_id=self.env.ref("mail.mt_note").id,
        ).action_send_mail()
        self.assertLeavesAsEver(self.find_mails(), 1)

    def test_note_with_an_alias_named(self):
        self.open_composer(
            self.user_alice,
            self.lead,
            subtype_id=self.env.ref("mail.mt_note").id,
            email_alias_id=self.alias_alice.id,
        ).action_send_mail()
        self.assertLeavesAsEver(self.find_mails(), 1)

    def test_note_with_an_alias_chosen_before_it_became_one(self):
        composer = self.open_composer(self.user_alice, self.lead)
        composer.subtype_id = self.env.ref("mail.mt_note")
        self.assertFalse(composer.email_alias_id)
        composer.partner_ids = self.customer
        composer.action_send_mail()
        self.assertLeavesAsEver(self.find_mails(), 1)

    def test_template_sent_by_code(self):
        self.template.with_user(self.user_alice).send_mail(self.lead.id)
        self.assertLeavesAsEver(self.find_mails(), 1)

    def test_mass_mail_sent_by_code(self):
        self.leads.with_user(self.user_alice).message_mail_with_source(self.template)
        self.assertLeavesAsEver(self.find_mails(), 3)

    def test_message_posted_by_code_with_a_template(self):
        self.lead.with_user(self.user_alice).message_post_with_source(
            self.template, message_type="comment", subtype_xmlid="mail.mt_comment"
        )
        self.assertLeavesAsEver(self.find_mails(), 1)

    def test_message_posted_by_code(self):
        self.send_message(self.user_alice, self.lead)
        self.assertLeavesAsEver(self.find_mails(), 1)

    def test_server_action_that_sends(self):
        for method in ("email", "comment", "note"):
            with self.subTest(method=method):
                self.mails_before = self.all_mail_ids()
                action = self.env["ir.actions.server"].create(
                    {
                        "name": "Send",
                        "model_id": self.env["ir.model"]._get_id("crm.lead"),
                        "state": "mail_post",
                        "mail_post_method": method,
                        "template_id": self.template.id,
                    }
                )
                action.with_user(self.user_alice).sudo().with_context(
                    active_model="crm.lead",
                    active_id=self.lead.id,
                    active_ids=self.lead.ids,
                ).run()
                self.assertLeavesAsEver(self.find_mails(), 1)

    def test_activity_assigned_to_a_colleague(self):
        self.lead.with_user(self.user_alice).activity_schedule(
            "mail.mail_activity_data_todo", user_id=self.user_bob.id
        )
        self.assertLeavesAsEver(self.find_mails())

    def test_lead_assigned_to_a_colleague(self):
        self.lead.with_user(self.user_alice).user_id = self.user_bob
        self.flush_tracking()
        self.assertLeavesAsEver(self.find_mails())

    def test_password_reset_and_invitation(self):
        with self.mock_mail_gateway():
            self.user_bob.with_user(self.user_alice).sudo().action_reset_password()
        self.assertTrue(self._mails, "Odoo sent nothing")
        for mail in self._mails:
            self.assertNotIn("alice@a.example.com", mail["email_from"])

    def test_odoobot(self):
        self.open_composer(self.user_root, self.lead).action_send_mail()
        self.assertLeavesAsEver(self.find_mails())


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
class TestChatterRoute(AliasCommon, HttpCase):
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
