"""Whoever changes where the provider is gets neither client secret nor tokens."""

import contextlib
from urllib.parse import urlsplit

from odoo.tests import tagged

from ..exceptions import AliasHold
from ..tools.deadline import Deadline
from .common_oauth_flow import OAuthFlowCase
from .common_oauth_queue import OAuthQueueCase
from .fake_oauth import FakeIdentityProvider


class DestinationTests:
    def setUp(self):
        super().setUp()
        self.evil = self.enterContext(
            FakeIdentityProvider(self.flavour, ca=self.idp.ca)
        )
        self.Params = self.env["ir.config_parameter"]

    def set_param(self, setting, value):
        self.Params.set_param(f"user_email_alias.{self.flavour}_{setting}", value)

    def redirections(self):
        """What an administrator may try, as settings that lead to the evil provider."""
        url, there = self.evil.url, "/.well-known/openid-configuration"
        tenant = "" if self.flavour == "google" else "/common/v2.0"
        yield {"authority": url}
        yield {"discovery_url": f"{url}{tenant}{there}"}
        yield {"issuer": url}
        yield {"client_id": "app of the administrator"}
        yield {"ca_bundle": "/tmp/evil.pem"}
        yield {"revocation_endpoint": f"{url}/revoke"}
        if self.flavour == "google":
            yield {"token_endpoint": f"{url}/token"}

    def assert_got_nothing(self):
        self.assertFalse(
            [path for _method, path in self.evil.requests if "token" in path]
        )
        self.assertFalse([p for _m, p in self.evil.requests if "revoke" in p])

    def test_no_redirection_gets_tokens_or_client_secret(self):
        self.sign_in()
        alias = self.alias.sudo()
        before = {
            name: self.Params.get_param(f"user_email_alias.{self.flavour}_{name}")
            for redirection in self.redirections()
            for name in redirection
        }
        for redirection in self.redirections():
            with self.subTest(redirection):
                for name, value in redirection.items():
                    self.set_param(name, value)
                self.assertEqual(alias.state, "hold")
                self.assertIn("Sign in again", alias.state_message)
                for call in (
                    lambda: alias._get_access_token__(is_forced=True),
                    lambda: alias._open_connection__(Deadline(20)),
                ):
                    with self.assertRaises(AliasHold):
                        call()
                self.press(self.alias, "action_sign_in")
                self.assert_got_nothing()
                for name in redirection:
                    self.set_param(name, before[name])
                # put back: what was permitted is good again, nobody has to sign in
                self.assertEqual(alias.state, "draft")
                alias._get_access_token__(is_forced=True)
        self.set_param("authority", self.evil.url)
        # what else the administrator mends does not let it go on, nor does the job
        self.set_param("prompt", "consent")
        self.assertIn("Sign in again", alias.state_message)
        alias._keep_alive__(Deadline(20))
        self.assertEqual(alias.hold_reason, "provider")
        self.alias.action_disconnect()
        self.assert_got_nothing()

    def press(self, alias, method):
        """The button: a sentence comes back, or the address of a provider."""
        with contextlib.suppress(Exception):
            self.begin(alias)

    def test_sign_in_under_way_is_not_finished_elsewhere(self):
        params = self.idp.visit(self.begin())
        if self.flavour == "google":
            # the issuer stays, only the code would go astray
            self.set_param("token_endpoint", f"{self.evil.url}/token")
        else:
            self.set_param("authority", self.evil.url)
        Settings = self.env["user.email.alias.oauth.settings"]
        Settings._set_client_secret__(self.flavour, "secret of the administrator")
        self.assertIn("Start again", self.come_back(params))
        self.assert_got_nothing()
        self.assert_untouched()

    def test_moved_app_is_said_in_the_settings_and_signs_nobody_in(self):
        self.set_param("client_id", "another")
        settings = self.env["res.config.settings"].create({})
        self.assertFalse(settings[f"email_alias_{self.flavour}_has_secret"])
        missing = settings[f"email_alias_{self.flavour}_missing"]
        self.assertIn("another Client ID or address", missing)
        self.assertFalse(self.alias[f"has_{self.flavour}"])

    def test_client_id_and_secret_are_changed_together(self):
        prefix = f"email_alias_{self.flavour}_client"
        settings = self.env["res.config.settings"].create(
            {f"{prefix}_id": "new app", f"{prefix}_secret": "new secret"}
        )
        settings.execute()
        Settings = self.env["user.email.alias.oauth.settings"]
        self.assertEqual(Settings._read_client_secret__(self.flavour), "new secret")
        self.assertEqual(Settings._get_param(self.flavour, "client_id"), "new app")

    def test_words_and_pace_of_the_provider_may_change(self):
        self.sign_in()
        for name in ("prompt", "mail_scope", "smtp_server", "tenant"):
            self.set_param(name, "consent")
        self.assertEqual(self.alias.state, "ok")
        self.assertTrue(self.alias.sudo()._read_secret__("oauth_secret"))

    def test_parameter_that_is_deleted_is_a_change_too(self):
        self.sign_in()
        self.Params.search(
            [("key", "=", f"user_email_alias.{self.flavour}_authority")]
        ).unlink()
        self.assertEqual(self.alias.state, "hold")
        self.assertNotEqual(urlsplit(self.idp.url).hostname, "accounts.google.com")


@tagged("post_install", "-at_install", "user_email_alias")
class TestGoogleDestination(DestinationTests, OAuthFlowCase):
    flavour = "google"


@tagged("post_install", "-at_install", "user_email_alias")
class TestMicrosoftDestination(DestinationTests, OAuthFlowCase):
    flavour = "microsoft"


@tagged("post_install", "-at_install", "user_email_alias")
class TestRedirectedQueue(OAuthQueueCase):
    """A campaign that waits while somebody redirects the provider."""

    def test_mail_waits_and_leaves_when_the_settings_are_put_back(self):
        ids = self.queue("lead@example.org")
        self.make_stale()
        with FakeIdentityProvider(self.flavour, ca=self.idp.ca) as evil:
            name = f"user_email_alias.{self.flavour}_authority"
            self.set_param(name, evil.url)
            self.run_queue()
            self.assertFalse(evil.requests)
        self.assertEqual(self.read_mails(ids, "state")[0]["state"], "outgoing")
        self.assertIn(
            "Sign in again", self.read_alias("state_message")["state_message"]
        )
        self.set_param(name, self.idp.url)
        self.run_queue()
        self.assertEqual(self.served(), ["lead@example.org"])

    def set_param(self, name, value):
        with self.committed() as env:
            env["ir.config_parameter"].set_param(name, value)
