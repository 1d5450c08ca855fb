"""Mail of signed-in aliases: it leaves, it waits for its owner, it leaves again."""

from odoo.tests import tagged

from .common_oauth_queue import ADA, OAuthQueueCase

LEADS = [f"lead{number}@example.org" for number in range(3)]


class SendingTests:
    def test_mail_leaves_by_the_account_that_signed_in(self):
        ids = self.queue(*LEADS)
        self.run_queue()
        self.assertEqual(self.served(), LEADS)
        self.assertEqual({m.login for m in self.server.messages}, {ADA.email})
        self.assertTrue(all(m.is_tls for m in self.server.messages))
        self.assertIn(b"From: ", self.server.messages[0].data)
        self.assertEqual(self.server.messages[0].mail_from, ADA.email)
        self.assertEqual({r["state"] for r in self.read_mails(ids, "state")}, {"sent"})

    def test_stale_token_is_renewed_before_the_login(self):
        self.make_stale()
        self.queue(LEADS[0])
        self.run_queue()
        self.assertEqual(self.served(), LEADS[:1])
        self.assertEqual(self.idp.refreshes, 1)

    def test_token_the_server_refuses_is_renewed_once(self):
        self.idp.access_tokens.clear()
        self.queue(LEADS[0])
        self.run_queue()
        self.assertEqual(self.served(), LEADS[:1])
        self.assertEqual(self.idp.refreshes, 1)
        self.assertEqual(self.read_alias("state")["state"], "ok")

    def test_connection_is_tested_although_the_token_is_renewed_meanwhile(self):
        for lifetime in (3600, 120, 60, 1):
            self.idp.knobs.expires_in = lifetime
            self.make_stale()
            refreshes = self.idp.refreshes
            with self.subTest(lifetime=lifetime), self.committed(self.user_id) as env:
                alias = env["user.email.alias"].browse(self.alias_id)
                # the form was saved in the same transaction
                alias.delay_ms = lifetime
                answer = alias.action_test_connection()
                self.assertEqual(answer["params"]["message"], "Status: OK")
            self.assertEqual(self.idp.refreshes, refreshes + 1)
            alias = self.read_alias("state", "delay_ms")
            self.assertEqual(alias["state"], "ok")
            self.assertEqual(alias["delay_ms"], lifetime)

    def test_connection_that_fails_after_a_renewal_says_why(self):
        self.make_stale()
        self.server.on("mail", reply="550 5.7.60 not allowed to send as this sender")
        with self.committed(self.user_id) as env:
            alias = env["user.email.alias"].browse(self.alias_id)
            alias.action_test_connection()
        self.assertIn("not allowed", self.read_alias("state_message")["state_message"])

    def test_revoked_consent_holds_and_signing_in_again_lets_the_mail_leave(self):
        ids = self.queue(*LEADS)
        self.idp.revoke_all()
        self.run_queue()
        self.run_queue()
        alias = self.read_alias("state", "hold_reason", "state_message")
        self.assertEqual(alias["state"], "hold")
        self.assertEqual(alias["hold_reason"], "sign_in")
        self.assertIn("Sign in again", alias["state_message"])
        self.assertIn("invalid_grant", alias["state_message"])
        self.assertFalse(self.served())
        self.assertEqual(
            {r["state"] for r in self.read_mails(ids, "state")}, {"outgoing"}
        )
        # asked once, not with every run of the queue
        self.assertEqual(self.idp.refused_refreshes, 1)
        with self.committed() as env:
            triggers = env["ir.cron.trigger"].search_count([])
        self.assertEqual(self.sign_in(), "Status: OK")
        with self.committed() as env:
            self.assertGreater(env["ir.cron.trigger"].search_count([]), triggers)
        self.run_queue()
        self.assertEqual(self.served(), LEADS)

    def test_outage_of_the_provider_holds_nothing(self):
        self.make_stale()
        ids = self.queue(LEADS[0])
        self.idp.knobs.refresh_answer = (503, b"")
        self.run_queue()
        alias = self.read_alias("state", "backoff_count", "state_message")
        self.assertNotEqual(alias["state"], "hold")
        self.assertEqual(alias["backoff_count"], 1)
        self.assertIn("Try again later", alias["state_message"])
        self.idp.knobs.refresh_answer = None
        self.write_alias(backoff_until=0)
        self.run_queue()
        self.assertEqual(self.served(), LEADS[:1])
        self.assertEqual(self.read_mails(ids, "state")[0]["state"], "sent")
        self.assertEqual(self.read_alias("state")["state"], "ok")

    def test_new_client_secret_lets_the_mail_leave(self):
        self.make_stale()
        self.queue(LEADS[0])
        self.set_client_secret("expired")
        self.run_queue()
        alias = self.read_alias("state", "hold_reason", "state_message")
        self.assertEqual(alias["hold_reason"], "provider")
        self.assertIn("administrator", alias["state_message"])
        self.assertFalse(self.served())
        self.set_client_secret(self.idp.client_secret)
        self.run_queue()
        self.assertEqual(self.served(), LEADS[:1])

    def set_client_secret(self, secret):
        with self.committed() as env:
            Settings = env["user.email.alias.oauth.settings"]
            Settings._set_client_secret__(self.flavour, secret)

    def test_tenant_without_smtp_auth_is_a_hold_for_its_administrator(self):
        self.server.on(
            "auth",
            reply="535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication "
            "is disabled for the Tenant.",
        )
        self.queue(LEADS[0])
        self.run_queue()
        alias = self.read_alias("state", "hold_reason", "state_message")
        self.assertEqual(alias["hold_reason"], "smtp_auth_disabled")
        self.assertIn("administrator", alias["state_message"])


@tagged("post_install", "-at_install", "user_email_alias")
class TestGoogleSending(SendingTests, OAuthQueueCase):
    flavour = "google"


@tagged("post_install", "-at_install", "user_email_alias")
class TestMicrosoftSending(SendingTests, OAuthQueueCase):
    flavour = "microsoft"
