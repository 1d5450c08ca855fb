"""Email that comes in, or is said to: what may go on by an alias."""

from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .test_address_owner import BOB, OwnerCase


class Mailbox:
    """What core reads an incoming server by, with one email in it."""

    def __init__(self, text):
        self.text = text.encode()

    def check_unread_messages(self):
        return 1

    def retrieve_unread_messages(self):
        yield 1, self.text

    def handled_message(self, *args):
        """Nothing is kept."""

    disconnect = handled_message


@tagged("post_install", "-at_install", "user_email_alias")
class TestForgedEmail(OwnerCase):
    def setUp(self):
        super().setUp()
        self.lead.message_subscribe((self.customer | self.bob).ids)
        self.mails_before = self.all_mail_ids()
        self.text = (
            f"From: Bob Brown <{BOB}>\nTo: somebody@customer.example.com\n"
            "Subject: Evil\nMessage-Id: <evil@outside.example.com>\n\nEvil words\n"
        )

    def hand_over(self, user, model):
        """Call what an incoming server's email is handed to, over RPC."""
        self.rpc(
            user,
            self.env[model],
            "message_process",
            "crm.lead",
            self.text,
            thread_id=self.lead.id,
        )

    def test_what_a_user_hands_over_leaves_by_nobodys_alias(self):
        users = (
            self.user_plain,
            self.user_alice,
            self.user_bob,
            self.user_manager,
            self.user_admin,
        )
        for user in users:
            for model in ("mail.thread", "crm.lead", "res.partner"):
                with self.subTest(user=user.login, model=model):
                    savepoint = self.cr.savepoint()
                    self.hand_over(user, model)
                    self.assertLeavesAsEver(self.find_mails())
                    self.assertFalse(self.find_mails(self.alias_bob))
                    savepoint.rollback()

    def test_portal_and_public_hand_nothing_over(self):
        for user in (self.user_portal, self.env.ref("base.public_user")):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.hand_over(user, "mail.thread")

    def test_what_the_button_of_a_server_fetches_goes_on_by_the_alias(self):
        message = self.send_message(self.user_alice, self.lead)
        self.mails_before = self.all_mail_ids()
        text = f"In-Reply-To: {message.message_id}\n{self.text}"
        server = self.env["fetchmail.server"].create(
            {
                "name": "In",
                "server_type": "imap",
                "server": "imap.example.com",
                "user": "in",
                "password": "in",
                "state": "done",
                "object_id": self.env["ir.model"]._get_id("crm.lead"),
            }
        )
        with (
            self.enter_registry_test_mode(),
            patch.object(
                type(server), "_connect__", lambda *args, **kwargs: Mailbox(text)
            ),
            self.registry.cursor() as cr,
        ):
            env = self.env(cr=cr, user=self.user_admin)
            server.with_env(env).fetch_mail()
        self.env.invalidate_all()
        self.assertLeavesBy(self.alias_bob, self.find_mails(self.alias_bob))


@tagged("post_install", "-at_install", "user_email_alias")
class TestClaimedAddress(OwnerCase):
    """Somebody types the address of somebody else as From Address of an alias."""

    def setUp(self):
        super().setUp()
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE res_partner SET create_date = '2020-01-01' WHERE id = %s",
            [self.customer.id],
        )
        self.env.invalidate_all()
        self.lead.write({"partner_id": False, "email_from": self.customer.email})

    def assertCustomerIsThemselves(self):
        email = self.customer.email
        for user in (self.user_alice, self.user_bob, self.user_root):
            self.assertEqual(self.find(email, user=user), self.customer)
            self.assertEqual(self.suggested_emails(user), {email})
        Partner = self.env["res.partner"].with_user(self.user_bob)
        self.assertEqual(Partner.find_or_create(email), self.customer)
        message = self.receive(f"Cleo <{email}>", f"catchall.test@{self.alias_domain}")
        self.assertNotEqual(message.author_id, self.alice)

    def test_a_customer_stays_who_they_are(self):
        self.create_alias(self.user_alice, self.customer.email, name="Mine now")
        self.assertCustomerIsThemselves()

    def test_nor_does_an_old_alias_take_their_address(self):
        alias = self.alias_alice_2
        self.env.cr.execute(
            "UPDATE user_email_alias SET create_date = '2010-01-01', claimed_at = NULL "
            "WHERE id = %s",
            [alias.id],
        )
        alias.invalidate_recordset()
        self.rpc(self.user_alice, alias, "write", {"email_from": self.customer.email})
        self.assertCustomerIsThemselves()
        with self.assertRaises(AccessError):
            self.rpc(
                self.user_alice, alias, "write", {"claimed_at": "2010-01-01 00:00:00"}
            )

    def test_nor_does_it_take_that_of_a_colleagues_alias(self):
        self.env.cr.execute(
            "UPDATE user_email_alias SET claimed_at = '2020-01-01' WHERE id = %s",
            [self.alias_bob.id],
        )
        self.alias_bob.invalidate_recordset()
        self.assertLess(self.alias_alice.id, self.alias_bob.id)
        self.rpc(self.user_alice, self.alias_alice, "write", {"email_from": BOB})
        self.assertEqual(self.find(BOB), self.bob)

    def test_an_administrator_is_still_shown_the_two(self):
        self.create_alias(self.user_alice, self.customer.email, name="Mine, really")
        self.assertEqual(self.customer.email_alias_owner_id, self.alice)
        found = self.env["user.email.alias"]._find_mistaken_contacts()
        self.assertEqual(found[self.customer], self.alice)
