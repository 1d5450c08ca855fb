"""Microsoft: login, identity and From are three things."""

import email
from email import policy

from odoo.tests import tagged

from ..tools.deadline import Deadline
from .common_oauth_flow import OAuthFlowCase
from .fake_oauth import ANNA, JANE

SHARED = "team@example.com"


@tagged("post_install", "-at_install", "user_email_alias")
class TestLoginIsNotTheMailbox(OAuthFlowCase):
    flavour = "microsoft"

    def test_from_is_the_mailbox_and_the_login_is_the_upn(self):
        self.assertEqual(self.sign_in(JANE), "Status: OK")
        self.assertEqual(self.alias.email_from, JANE.email)
        self.assertEqual(self.alias.name, JANE.email)
        self.assertEqual(self.alias.oauth_user, JANE.upn)
        self.assertEqual(self.smtp.sessions[-1].login, JANE.upn)
        answer = self.call(self.alias, "action_test_connection")
        self.assertEqual(answer["params"]["message"], "Status: OK")
        self.assertEqual(self.smtp.sessions[-1].login, JANE.upn)
        self.assertFalse(self.smtp.messages)

    def test_from_that_is_typed_first_may_be_either_address(self):
        for typed in (JANE.email.upper(), JANE.upn):
            with self.subTest(typed=typed):
                self.alias = self.create_alias(self.user, name=typed, email_from=typed)
                self.assertEqual(self.sign_in(JANE), "Status: OK")
                self.assertEqual(self.alias.email_from, typed)
                self.assertEqual(self.alias.oauth_user, JANE.upn)
        self.assertFalse(self.smtp.messages)

    def test_account_without_an_address_of_its_own_sends_as_its_upn(self):
        self.idp.knobs.claims = {"email": None}
        self.assertEqual(self.sign_in(JANE), "Status: OK")
        self.assertEqual(self.alias.email_from, JANE.upn)

    def test_renewed_login_uses_the_upn(self):
        self.sign_in(JANE)
        self.alias.sudo()._get_access_token__(is_forced=True)
        self.alias.sudo()._open_connection__(Deadline(20)).close()
        self.assertEqual(self.smtp.sessions[-1].login, JANE.upn)

    def test_other_account_is_its_mailbox(self):
        self.sign_in(ANNA)
        self.assertIn(JANE.upn, self.sign_in(JANE))
        self.alias.action_use_other_account()
        self.assertEqual(self.alias.email_from, JANE.email)
        self.assertEqual(self.alias.oauth_user, JANE.upn)
        self.assertEqual(self.smtp.sessions[-1].login, JANE.upn)


@tagged("post_install", "-at_install", "user_email_alias")
class TestSharedMailbox(OAuthFlowCase):
    flavour = "microsoft"

    def setUp(self):
        super().setUp()
        self.alias.write({"name": "Team", "email_from": SHARED})

    def test_shared_mailbox_is_proved_by_a_message_to_oneself(self):
        self.assertEqual(self.sign_in(JANE), "Status: OK")
        self.assertEqual(self.alias.email_from, SHARED)
        self.assertEqual(self.alias.oauth_user, JANE.upn)
        self.assertTrue(self.alias.is_shared_from)
        (message,) = self.smtp.messages
        self.assertEqual(message.mail_from, SHARED)
        self.assertEqual(message.rcpt_tos, [JANE.email])
        self.assertEqual(message.login, JANE.upn)
        parsed = email.message_from_bytes(message.data, policy=policy.default)
        self.assertEqual(parsed["From"].addresses[0].addr_spec, SHARED)
        self.assertEqual(parsed["Auto-Submitted"], "auto-generated")
        self.assertIn(SHARED, parsed.get_content())

    def test_mailbox_that_the_server_does_not_let_through_is_refused(self):
        for phase, reply in (
            ("mail", "550 5.7.60 SMTP; Client does not have permissions to send as"),
            ("dot", "554 5.2.252 SendAsDenied; not allowed to send as team"),
        ):
            with self.subTest(phase=phase):
                self.smtp.clear()
                self.smtp.on(phase, reply=reply)
                self.assertIn(reply[4:14], self.sign_in(JANE))
                self.assertEqual(self.alias.provider, "smtp")
                self.assertFalse(self.alias.sudo().oauth_secret)
                self.assertEqual(self.alias.email_from, SHARED)
                self.assertFalse(self.smtp.messages)

    def test_mailbox_that_could_not_be_tried_is_not_taken(self):
        self.smtp.on("mail", reply="451 4.3.0 try later")
        self.assertIn("could not be tried", self.sign_in(JANE))
        self.assertFalse(self.alias.sudo().oauth_secret)

    def test_test_connection_proves_it_again(self):
        self.sign_in(JANE)
        self.smtp.clear()
        self.call(self.alias, "action_test_connection")
        self.assertEqual(self.smtp.messages[0].rcpt_tos, [JANE.email])
        self.smtp.on("dot", reply="554 5.2.252 SendAsDenied; no more")
        answer = self.call(self.alias, "action_test_connection")
        self.assertIn("5.2.252", answer["params"]["message"])

    def test_mail_of_a_shared_mailbox_waits_for_the_same_account(self):
        self.sign_in(JANE)
        mail = self.env["mail.mail"].create(
            {"email_to": "x@example.org", "email_alias_id": self.alias.id}
        )
        self.alias.action_disconnect()
        self.assertIn("still wait to leave", self.sign_in(ANNA))
        self.assertFalse(self.alias.sudo().oauth_secret)
        self.assertEqual(self.sign_in(JANE), "Status: OK")
        self.assertEqual(mail.state, "outgoing")

    def test_from_that_is_changed_later_is_proved_by_the_test(self):
        self.alias.email_from = JANE.email
        self.sign_in(JANE)
        self.assertFalse(self.alias.is_shared_from)
        self.alias.email_from = SHARED
        self.assertTrue(self.alias.is_shared_from)
        self.assertEqual(self.alias.state, "draft")
        self.call(self.alias, "action_test_connection")
        self.env.invalidate_all()
        self.assertEqual(self.alias.state, "ok")
        self.assertEqual(self.smtp.messages[0].mail_from, SHARED)


@tagged("post_install", "-at_install", "user_email_alias")
class TestGoogleHasNone(OAuthFlowCase):
    flavour = "google"

    def test_from_of_another_mailbox_is_refused_at_google(self):
        """Gmail would write the account's own address into the From."""
        self.alias.write({"name": "Team", "email_from": SHARED})
        self.assertIn("empty the From Address first", self.sign_in(ANNA))
        self.assertEqual(self.alias.provider, "smtp")
        self.assertFalse(self.smtp.sessions)
