"""An alias's address is its owner's, wherever Odoo turns an address into somebody."""

import ast

from odoo.tests import tagged

from odoo.addons.mail.tools.discuss import Store

from .common import AliasCommon
from .common_http import PatientHttpCase

ALICE = "alice@a.example.com"
BOB = "bob@b.example.com"


class OwnerCase(AliasCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.alice = cls.user_alice.partner_id
        cls.bob = cls.user_bob.partner_id
        cls.lead.partner_id = cls.customer

    def find(self, *emails, user=None, **options):
        thread = self.env["mail.thread"].with_user(user or self.user_alice)
        return thread._partner_find_from_emails_single(list(emails), **options)

    def contacts_with(self, *emails):
        return self.env["res.partner"].search([("email_normalized", "in", emails)])

    def suggest(self, user, record=None, **options):
        record = (record or self.lead).with_user(user)
        return record._message_get_suggested_recipients(
            reply_discussion=True, no_create=False, **options
        )

    def suggested_emails(self, user, record=None):
        return {found["email"] for found in self.suggest(user, record)}

    def receive(self, email_from, to, subject="From outside", extra="", body="Words"):
        """An email that comes in at the gateway; return the message made of it."""
        known = self.env["mail.message"].search([])
        self.env["mail.thread"].with_user(self.user_root).message_process(
            "crm.lead",
            f"From: {email_from}\nTo: {to}\nSubject: {subject}\n"
            f"Message-Id: <{subject.replace(' ', '')}@outside.example.com>\n"
            f"{extra}\n{body}\n",
        )
        messages = self.env["mail.message"].search([("message_type", "=", "email")])
        return messages - known

    def answer(self, message, email_from=f"Alice <{ALICE}>", **values):
        """What somebody answers to a notification in a mail program."""
        extra = f"In-Reply-To: {message.message_id}\n{values.pop('extra', '')}"
        to = f"catchall.test@{self.alias_domain}"
        return self.receive(email_from, to, "Re Offer", extra=extra, **values)


@tagged("post_install", "-at_install", "user_email_alias")
class TestAddressOwner(OwnerCase):
    def test_address_of_an_alias_finds_its_owner(self):
        for email in (
            ALICE,
            "ALICE@A.example.COM",
            f'"Somebody Else" <{ALICE}>',
            "alice@other.example.com",
        ):
            for user in (self.user_alice, self.user_bob, self.user_root):
                with self.subTest(email=email, user=user.login):
                    self.assertEqual(self.find(email, user=user), self.alice)
        self.assertFalse(self.contacts_with(ALICE))

    def test_every_way_to_a_contact_leads_to_the_owner(self):
        Partner = self.env["res.partner"].with_user(self.user_bob)
        self.assertEqual(Partner.find_or_create(f"X <{ALICE}>"), self.alice)
        self.assertEqual(Partner.name_create(f"X <{ALICE}>")[0], self.alice.id)
        found = Partner._find_or_create_from_emails(
            [self.customer.email, ALICE, "new@a.example.com", BOB]
        )
        self.assertEqual(found[:2], [self.customer, self.alice])
        self.assertEqual(found[2].email, "new@a.example.com")
        self.assertEqual(found[3], self.bob)
        thread = self.env["mail.thread"].with_user(self.user_bob)
        self.assertEqual(
            thread._mail_find_partner_from_emails([ALICE, self.customer.email]),
            [self.alice, self.customer],
        )
        self.assertEqual(
            thread._mail_find_user_for_gateway(f"A <{ALICE}>"), self.user_alice
        )
        self.assertFalse(self.contacts_with(ALICE, BOB))

    def test_owner_whom_the_caller_does_not_want_is_nobody(self):
        found = self.find(
            ALICE, filter_found=lambda partner: not partner.user_ids, no_create=False
        )
        self.assertFalse(found)
        self.assertFalse(self.contacts_with(ALICE))

    def test_banned_address_stays_banned(self):
        found = self.env["res.partner"]._find_or_create_from_emails(
            [ALICE], ban_emails=[ALICE]
        )
        self.assertEqual(found, [self.env["res.partner"]])

    def test_plus_address_is_another_address_as_for_users(self):
        self.assertFalse(self.find("alice+x@a.example.com", no_create=True))

    def test_international_domain_is_one_in_both_forms(self):
        self.alias_alice_2.email_from = "alice@bücher.example.com"
        for email in ("alice@bücher.example.com", "alice@xn--bcher-kva.example.com"):
            with self.subTest(email=email):
                self.assertEqual(self.find(email), self.alice)

    def test_alias_that_is_archived_or_changed_names_nobody(self):
        self.alias_alice.email_from = "alice@new.example.com"
        self.assertEqual(self.find("alice@new.example.com"), self.alice)
        self.assertFalse(self.find(ALICE, no_create=True))
        self.alias_alice.active = False
        self.assertFalse(self.find("alice@new.example.com", no_create=True))

    def test_user_who_left_owns_no_address(self):
        self.user_bob.active = False
        self.assertFalse(self.find(BOB, no_create=True))

    def test_oldest_alias_says_whose_address_it_is(self):
        self.create_alias(self.user_bob, ALICE, name="Shared")
        self.assertEqual(self.find(ALICE, user=self.user_bob), self.alice)
        self.alias_alice.active = False
        self.assertEqual(self.find(ALICE), self.bob)
        self.alias_alice.active = True
        self.assertEqual(self.find(ALICE), self.alice)

    def test_nobody_becomes_somebody_else_by_an_alias(self):
        self.create_alias(self.user_bob, self.user_plain.email, name="Wishful")
        for user in (self.user_bob, self.user_alice):
            self.assertEqual(
                self.find(self.user_plain.email, user=user), self.user_plain.partner_id
            )

    def test_installation_without_aliases_pays_nothing(self):
        aliases = self.env["user.email.alias"].sudo()
        aliases.with_context(active_test=False).search([]).unlink()
        Alias = self.env["user.email.alias"]
        Alias._get_owners([ALICE])
        self.env.flush_all()
        self.env.invalidate_all()
        with self.assertQueryCount(0):
            self.assertFalse(Alias._get_owners([ALICE, "x@example.org"]))
            self.assertFalse(Alias._get_alias_of(ALICE, self.alice.id))

    def test_other_addresses_cost_no_query(self):
        Alias = self.env["user.email.alias"]
        Alias._get_owners([ALICE])
        self.env.flush_all()
        self.env.invalidate_all()
        with self.assertQueryCount(0):
            self.assertFalse(Alias._get_owners(["x@example.org", "", False]))


@tagged("post_install", "-at_install", "user_email_alias")
class TestSuggestedRecipients(OwnerCase):
    def write(self, **values):
        return self.send_message(
            self.user_alice, self.lead, email_alias_id=self.alias_alice.id, **values
        )

    def test_second_message_goes_to_the_customer_alone(self):
        before = self.env["res.partner"].search([])
        self.write()
        for user in (self.user_alice, self.user_bob):
            with self.subTest(user=user.login):
                self.assertNotIn(ALICE, self.suggested_emails(user))
                partner_ids = [found["partner_id"] for found in self.suggest(user)]
                self.assertEqual(partner_ids, self.customer.ids)
        self.assertEqual(self.env["res.partner"].search([]), before)

    def test_reply_to_all_of_the_customer_proposes_no_alias(self):
        message = self.write()
        self.answer(
            message,
            self.customer.email_formatted,
            extra=f"Cc: {ALICE}, third@customer.example.com\n",
        )
        emails = self.suggested_emails(self.user_alice)
        self.assertEqual(emails, {self.customer.email, "third@customer.example.com"})
        self.assertFalse(self.contacts_with(ALICE))

    def test_colleague_who_was_written_to_at_an_alias_is_proposed(self):
        message = self.write()
        self.answer(message, self.customer.email_formatted, extra=f"Cc: {BOB}\n")
        found = {f["partner_id"]: f["email"] for f in self.suggest(self.user_alice)}
        self.assertEqual(found[self.bob.id], self.bob.email)
        self.assertNotIn(BOB, found.values())

    def test_contact_made_of_an_alias_is_not_proposed(self):
        mistaken = self.env["res.partner"].create({"name": "A", "email": ALICE})
        self.write(partner_ids=(mistaken | self.customer).ids)
        found = [found["partner_id"] for found in self.suggest(self.user_alice)]
        self.assertEqual(found, self.customer.ids)

    def test_default_recipients_of_a_record_make_no_contact(self):
        self.lead.write({"partner_id": False, "email_from": ALICE})
        template = self.env["mail.template"].create(
            {
                "name": "To",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "use_default_to": True,
                "subject": "x",
            }
        )
        composer = self.open_composer(
            self.user_bob,
            self.lead,
            template_id=template.id,
            partner_ids=False,
            composition_mode="comment",
        )
        composer.action_send_mail()
        self.assertFalse(self.contacts_with(ALICE))


@tagged("post_install", "-at_install", "user_email_alias")
class TestGateway(OwnerCase):
    def write(self):
        message = self.send_message(
            self.user_bob, self.lead, email_alias_id=self.alias_bob.id
        )
        self.lead.message_subscribe((self.customer | self.alice).ids)
        self.mails_before = self.all_mail_ids()
        return message

    def test_answer_in_ones_own_mail_program_goes_on_by_the_alias(self):
        message = self.answer(self.write())
        self.assertEqual(message.author_id, self.alice)
        self.assertEqual(message.email_alias_id, self.alias_alice)
        mails = self.find_mails(self.alias_alice)
        self.assertLeavesBy(self.alias_alice, mails, bulk=False)
        self.assertIn(self.customer, mails.recipient_ids)
        self.assertNotIn(self.alice, mails.recipient_ids)
        self.assertFalse(self.find_mails())
        self.assertFalse(self.contacts_with(ALICE))

    def test_answer_from_the_own_address_of_odoo_leaves_as_ever(self):
        message = self.answer(self.write(), self.user_alice.email_formatted)
        self.assertEqual(message.author_id, self.alice)
        self.assertFalse(message.email_alias_id)
        self.assertLeavesAsEver(self.find_mails())

    def test_own_address_of_odoo_that_is_an_alias_goes_on_by_it(self):
        self.alice.email = ALICE
        message = self.answer(self.write())
        self.assertEqual(message.author_id, self.alice)
        self.assertEqual(message.email_alias_id, self.alias_alice)

    def test_claimed_address_of_a_colleague_takes_no_alias(self):
        self.create_alias(self.user_bob, self.user_alice.email, name="Wishful")
        message = self.answer(self.write(), self.user_alice.email_formatted)
        self.assertEqual(message.author_id, self.alice)
        self.assertFalse(message.email_alias_id)

    def test_second_owner_of_an_address_takes_the_first_ones_place_in_nothing(self):
        self.create_alias(self.user_bob, ALICE, name="Shared")
        message = self.answer(self.write())
        self.assertEqual(message.author_id, self.alice)
        self.assertEqual(message.email_alias_id, self.alias_alice)

    def test_answer_of_a_program_takes_no_alias(self):
        message = self.answer(self.write(), extra="Auto-Submitted: auto-replied\n")
        self.assertEqual(message.author_id, self.alice)
        self.assertFalse(message.email_alias_id)

    def test_answer_to_a_note_stays_among_colleagues(self):
        note = self.lead.with_user(self.user_bob).message_post(
            body="Look", partner_ids=self.alice.ids, subtype_xmlid="mail.mt_note"
        )
        message = self.answer(note)
        self.assertEqual(message.author_id, self.alice)
        self.assertFalse(message.email_alias_id)

    def test_alias_that_cannot_send_takes_no_mail(self):
        self.alias_alice.write({"smtp_server": False})
        self.assertFalse(self.alias_alice._is_complete())
        message = self.answer(self.write())
        self.assertEqual(message.author_id, self.alice)
        self.assertFalse(message.email_alias_id)

    def test_record_of_an_email_from_an_alias_is_its_owners(self):
        alias = self.env["mail.alias"].create(
            {
                "alias_name": "leads.test",
                "alias_model_id": self.env["ir.model"]._get_id("crm.lead"),
                "alias_contact": "everyone",
            }
        )
        message = self.receive(f"A <{ALICE}>", alias.alias_full_name, "New lead")
        lead = self.env["crm.lead"].browse(message.res_id)
        self.assertEqual(lead.name, "New lead")
        self.assertEqual(message.author_id, self.alice)
        self.assertEqual(lead.create_uid, self.user_alice)
        self.assertEqual(lead.partner_id, self.alice)
        self.assertEqual(self.alice.email, "alice_alias@users.example.com")
        self.assertFalse(self.contacts_with(ALICE))

    def test_whom_an_email_reached_at_an_alias_gets_it_once(self):
        message = self.write()
        self.answer(message, self.customer.email_formatted, extra=f"Cc: {ALICE}\n")
        mails = self.env["mail.mail"].search([("id", "not in", self.mails_before)])
        self.assertNotIn(self.alice, mails.recipient_ids)
        self.assertIn(self.bob, mails.recipient_ids)


@tagged("post_install", "-at_install", "user_email_alias")
class TestMistakenContacts(OwnerCase):
    def setUp(self):
        super().setUp()
        self.mistaken = self.env["res.partner"].create({"name": "A", "email": ALICE})

    def listed(self):
        action = self.env.ref("user_email_alias.res_partner_action_email_alias")
        Partner = self.env["res.partner"].with_user(self.user_manager)
        return Partner.search(ast.literal_eval(action.domain))

    def test_contacts_made_of_aliases_are_listed_with_their_owner(self):
        self.assertEqual(self.listed(), self.mistaken)
        self.assertEqual(self.mistaken.email_alias_owner_id, self.alice)
        self.assertFalse(self.alice.email_alias_owner_id)
        self.assertFalse(self.customer.email_alias_owner_id)
        Partner = self.env["res.partner"]
        for domain, contact, is_found in (
            ([("email_alias_owner_id", "=", self.alice.id)], self.mistaken, True),
            ([("email_alias_owner_id", "=", self.bob.id)], self.mistaken, False),
            ([("email_alias_owner_id", "=", False)], self.mistaken, False),
            ([("email_alias_owner_id", "=", False)], self.customer, True),
        ):
            self.assertEqual(contact in Partner.search(domain), is_found, domain)
        self.alice.email = ALICE
        self.assertFalse(self.listed())

    def test_merge_makes_one_of_contact_and_owner(self):
        self.lead.partner_id = self.mistaken
        action = self.mistaken.with_user(self.user_manager).action_email_alias_merge()
        wizard = self.env[action["res_model"]].browse(action["res_id"])
        self.assertEqual(wizard.dst_partner_id, self.alice)
        self.assertEqual(wizard.partner_ids, self.alice | self.mistaken)
        wizard.with_user(self.user_manager).action_merge()
        self.assertFalse(self.mistaken.exists())
        self.assertEqual(self.lead.partner_id, self.alice)
        self.assertEqual(self.alice.email, "alice_alias@users.example.com")
        self.assertFalse(self.listed())


@tagged("post_install", "-at_install", "user_email_alias")
class TestChatterTwice(OwnerCase, PatientHttpCase):
    def ask(self, route, **params):
        return self.make_jsonrpc_request(route, params)

    def test_send_message_twice_reaches_the_customer_only(self):
        self.authenticate("alice_alias", "alice_alias")
        for number in range(2):
            thread = {"thread_model": "crm.lead", "thread_id": self.lead.id}
            data = self.ask(
                "/mail/data",
                fetch_params=[
                    ["mail.thread", {**thread, "request_list": ["suggestedRecipients"]}]
                ],
            )
            found = data["mail.thread"][0]["suggestedRecipients"]
            strangers = [f["email"] for f in found if not f["partner_id"]]
            self.ask(
                "/mail/message/post",
                **thread,
                post_data={
                    "body": f"Words {number}",
                    "message_type": "comment",
                    "subtype_xmlid": "mail.mt_comment",
                    "partner_ids": [f["partner_id"] for f in found if f["partner_id"]],
                    "partner_emails": strangers,
                    "email_alias_id": self.alias_alice.id,
                },
            )
        mails = self.find_mails(self.alias_alice)
        self.assertEqual(mails.recipient_ids, self.customer)
        self.assertEqual(len(mails), 2)
        self.assertFalse(self.contacts_with(ALICE))

    def test_address_typed_as_recipient_is_the_owner(self):
        self.authenticate("bob_alias", "bob_alias")
        found = self.ask(
            "/mail/partner/from_email",
            thread_model="crm.lead",
            thread_id=self.lead.id,
            emails=[f"Alice <{ALICE}>"],
        )
        self.assertEqual([f["id"] for f in found], self.alice.ids)
        store = Store().add(self.alice.with_user(self.user_bob)).get_result()
        self.assertNotIn(ALICE, str(store))
