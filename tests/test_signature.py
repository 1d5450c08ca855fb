from odoo.tests import tagged

from .common_http import PatientHttpCase
from .test_chatter import ChatterCase


class SignatureCase(ChatterCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user_alice.signature = "<p>Alice herself</p>"
        cls.alias_alice_2.signature = "<p>The second desk</p>"

    def body_of(self, alias, record=None, **values):
        self.send_message(
            self.user_alice, record or self.lead, email_alias_id=alias.id, **values
        )
        mail = self.env["mail.mail"].search(
            [("email_alias_id", "=", alias.id)], order="id DESC", limit=1
        )
        return mail.body_html


@tagged("post_install", "-at_install", "user_email_alias")
class TestSignature(SignatureCase):
    def test_alias_with_a_signature_signs_with_it(self):
        body = self.body_of(self.alias_alice_2)
        self.assertIn("The second desk", body)
        self.assertNotIn("Alice herself", body)

    def test_alias_without_signature_signs_with_the_users_own(self):
        for signature in (False, "", "<p><br></p>"):
            self.alias_alice.signature = signature
            with self.subTest(signature=signature):
                self.assertIn("Alice herself", self.body_of(self.alias_alice))

    def test_message_that_wants_no_signature_has_none(self):
        body = self.body_of(self.alias_alice_2, email_add_signature=False)
        self.assertNotIn("The second desk", body)
        self.assertNotIn("Alice herself", body)

    def test_script_in_a_signature_is_dropped(self):
        self.alias_alice_2.signature = "<p>Desk</p><script>alert(1)</script>"
        self.assertNotIn("script", self.alias_alice_2.signature)


@tagged("post_install", "-at_install", "user_email_alias", "user_email_alias_tour")
class TestSignatureTour(SignatureCase, PatientHttpCase):
    def test_signature_follows_the_from_in_the_full_composer(self):
        self.start_tour("/odoo", "user_email_alias_signature", login="alice_alias")
        mail = self.env["mail.mail"].search([("body_html", "like", "Signed words")])
        self.assertLeavesBy(self.alias_alice_2, mail, 1)
        self.assertEqual(mail.mail_message_id.body.count("The second desk"), 1)
        self.assertNotIn("Alice herself", mail.body_html)
