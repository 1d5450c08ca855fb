"""A browser signs in through the provider's own page."""

from unittest.mock import patch

from odoo.tests import common, tagged

from .common_oauth_flow import OAuthFlowCase
from .fake_oauth import ANNA


class TrustingBrowser(common.ChromeBrowser):
    """Takes the fake provider's certificate, and lets its page through."""

    def _spawn_chrome(self, cmd):
        *switches, url = cmd
        return super()._spawn_chrome([*switches, "--ignore-certificate-errors", url])

    def _handle_request_paused(self, **params):
        if params["request"]["url"].startswith(self.test_case.idp.url):
            request_id = {"requestId": params["requestId"]}
            self._websocket_send("Fetch.continueRequest", params=request_id)
        else:
            super()._handle_request_paused(**params)


class OAuthTourCase(OAuthFlowCase):
    def setUp(self):
        super().setUp()
        self.enterContext(patch.object(common, "ChromeBrowser", TrustingBrowser))
        self.alias.unlink()

    def run_tour(self, name, button):
        """Let the person press ``button`` on the provider's page."""
        self.idp.knobs.page_script = f"document.querySelector('{button}').click()"
        self.start_tour(
            "/odoo/email-aliases", f"user_email_alias_{name}", login=self.user.login
        )
        self.env.invalidate_all()
        return self.env["user.email.alias"].search([("user_id", "=", self.user.id)])

    def check_sign_in(self):
        alias = self.run_tour(f"sign_in_{self.flavour}", "[value=allow]")
        self.assertEqual(len(alias), 1)
        self.assertEqual(alias.email_from, ANNA.email)
        self.assertEqual(alias.provider, self.flavour)
        self.assertEqual(alias.state, "ok")
        self.assertTrue(alias.is_default)
        self.assertEqual(self.smtp.sessions[-1].login, ANNA.email)


@tagged("post_install", "-at_install", "user_email_alias", "user_email_alias_tour")
class TestGoogleTour(OAuthTourCase):
    flavour = "google"

    def test_empty_alias_signs_in_on_the_providers_page(self):
        self.check_sign_in()

    def test_cancelled_on_the_providers_page_leaves_nothing(self):
        self.assertFalse(self.run_tour("sign_in_cancelled", "[value=cancel]"))


@tagged("post_install", "-at_install", "user_email_alias", "user_email_alias_tour")
class TestMicrosoftTour(OAuthTourCase):
    flavour = "microsoft"

    def test_empty_alias_signs_in_on_the_providers_page(self):
        self.check_sign_in()
