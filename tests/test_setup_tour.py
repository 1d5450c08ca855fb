"""A person sets up an alias in the browser, from the address on."""

from odoo.tests import tagged

from .common_discovery import DOMAIN
from .common_setup import LOCAL, SRV, TABLE, SetupServers
from .fake_dns import FakeDnsServer
from .test_oauth_tour import OAuthTourCase
from .test_tours import TourCase

CARDS = "/odoo/email-aliases"


@tagged("post_install", "-at_install", "user_email_alias", "user_email_alias_tour")
class TestSetupTours(SetupServers, TourCase):
    def setUp(self):
        super().setUp()
        self.start_servers()

    def run_tour(self, name):
        self.start_tour(
            CARDS, f"user_email_alias_setup_{name}", login=self.user_tess.login
        )
        self.env.invalidate_all()
        return self.env["user.email.alias"].search(
            [("user_id", "=", self.user_tess.id)]
        )

    def assertSetUp(self, alias, domain):
        self.assertEqual(len(alias), 1)
        self.assertEqual(alias.email_from, f"{LOCAL}@{domain}")
        self.assertEqual(alias.state, "ok")
        self.assertTrue(alias.is_default)
        self.assertEqual(self.smtp.sessions[-1].login, f"{LOCAL}@{domain}")

    def test_provider_of_the_table(self):
        alias = self.run_tour("table")
        self.assertSetUp(alias, TABLE)
        self.assertEqual((alias.delay_ms, alias.daily_limit), (1500, 300))

    def test_services_in_the_dns(self):
        self.assertSetUp(self.run_tour("srv"), SRV)

    def test_document_of_the_domain(self):
        self.assertSetUp(self.run_tour("autoconfig"), DOMAIN)
        self.assertTrue(self.web.requests)

    def test_cancelled_after_a_wrong_password(self):
        self.assertFalse(self.run_tour("cancelled"))

    def test_nothing_found(self):
        self.assertFalse(self.run_tour("nothing"))
        self.assertTrue(self.dns.questions)


class SignInTourCase(OAuthTourCase):
    mx = ""

    def check_setup(self):
        dns = self.enterContext(FakeDnsServer())
        dns.set("example.com", "MX", f"10 {self.mx}.")
        params = self.env["ir.config_parameter"]
        params.set_param("user_email_alias.nameserver", dns.nameserver)
        alias = self.run_tour(f"setup_{self.flavour}", "[value=allow]")
        self.assertEqual(len(alias), 1)
        self.assertEqual(alias.provider, self.flavour)
        self.assertEqual(alias.state, "ok")
        self.assertIn(("example.com", "MX"), dns.questions)


@tagged("post_install", "-at_install", "user_email_alias", "user_email_alias_tour")
class TestGoogleSetup(SignInTourCase):
    flavour = "google"
    mx = "aspmx.l.google.com"

    def test_address_leads_to_the_button_and_nothing_else(self):
        self.check_setup()


@tagged("post_install", "-at_install", "user_email_alias", "user_email_alias_tour")
class TestMicrosoftSetup(SignInTourCase):
    flavour = "microsoft"
    mx = "example-com.mail.protection.outlook.com"

    def test_address_leads_to_the_button_and_nothing_else(self):
        self.check_setup()
