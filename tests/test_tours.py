import email
import os
import tempfile
from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.base.models.ir_mail_server import IrMail_Server

from .common import AliasCommon
from .common_http import PatientHttpCase
from .fake_ca import make_ca
from .fake_smtp import FakeSmtpServer


class TourCase(AliasCommon, PatientHttpCase):
    """A browser, and a mail server that the aliases really talk to."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        ca = make_ca(folder.name)
        trust = patch.dict(os.environ, {"SSL_CERT_FILE": ca.bundle})
        trust.start()
        cls.addClassCleanup(trust.stop)
        cls.server = FakeSmtpServer({"alice": "secret"}, ca=ca).start()
        cls.addClassCleanup(cls.server.stop)
        cls.env["ir.config_parameter"].set_param(
            "user_email_alias.allowed_targets",
            f"localhost:{cls.server.starttls_port}",
        )
        cls.user_tess = cls.create_user("tess_alias", "Tess Tour")
        cls.tour_lead = (
            cls.env["crm.lead"]
            .with_user(cls.user_tess)
            .create(
                {
                    "name": "Tour lead",
                    "type": "opportunity",
                    "user_id": cls.user_tess.id,
                    "partner_id": cls.customer.id,
                }
            )
        )

    def submit(self, mails):
        """Let the lane of the mails' alias hand them to the mail server."""
        stopped = patch.object(
            IrMail_Server, "_disable_send", classmethod(lambda cls: False)
        )
        with stopped:
            mails.send(raise_exception=True)


@tagged("post_install", "-at_install", "user_email_alias", "user_email_alias_tour")
class TestTours(TourCase):
    def test_create_an_alias_test_it_and_send_with_it(self):
        self.start_tour(
            f"/odoo?port={self.server.starttls_port}",
            "user_email_alias_create_test_send",
            login=self.user_tess.login,
        )
        alias = self.env["user.email.alias"].search(
            [("user_id", "=", self.user_tess.id)]
        )
        self.assertEqual(alias.email_from, "alice@tour.example.com")
        self.assertEqual(alias.state, "ok")
        self.assertTrue(alias.is_default)
        self.assertNotIn("secret", alias.sudo().smtp_secret)
        self.assertFalse(self.server.messages, "a test of the connection sends nothing")
        mails = self.find_mails(alias)
        self.assertLeavesBy(alias, mails, count=1, bulk=False)
        self.submit(mails)
        self.assertEqual(len(self.server.messages), 1)
        received = self.server.messages[0]
        self.assertEqual(received.mail_from, "alice@tour.example.com")
        self.assertEqual(received.rcpt_tos, [self.customer.email])
        self.assertEqual(received.login, "alice")
        self.assertTrue(received.is_tls)
        message = email.message_from_bytes(received.data)
        self.assertEqual(message["From"], '"Alice Tour" <alice@tour.example.com>')
        self.assertEqual(message["Subject"], "Tour subject")

    def test_mass_composer_and_mailing_offer_the_aliases(self):
        self.leads.write({"type": "opportunity"})
        self.start_tour("/odoo", "user_email_alias_mass", login="alice_alias")
        mails = self.find_mails(self.alias_alice_2)
        self.assertLeavesBy(self.alias_alice_2, mails, 3, bulk=True)
        self.start_tour("/odoo", "user_email_alias_mailing", login="alice_alias")
        mailing = self.env["mailing.mailing"].search(
            [("subject", "=", "News of the tour")]
        )
        self.assertEqual(mailing.email_alias_id, self.alias_alice_2)
        self.assertEqual(mailing.user_id, self.user_alice)
