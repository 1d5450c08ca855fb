"""Mail of aliases that send with the organisation's key, in the real queue."""

from odoo.tests import tagged

from ..tools import oauth
from .common_api_queue import ApiQueueCase
from .common_oauth_queue import ADA, BEN
from .fake_oauth_organisation import OWN_TENANT, make_service_key

SALES = "sales@example.com"
LEADS = [f"lead{number}@example.org" for number in range(3)]


class OrganisationQueueTests:
    """What holds at every provider."""

    def configure(self, settings):
        super().configure(settings)
        settings |= {"organisation": "True", "tenant": OWN_TENANT}

    def sign_in(self, *_args, **_options):
        """Nobody does: an administrator joins the alias."""
        with self.committed() as env:
            key = oauth.ORGANISATIONS["google"].read_key(make_service_key())
            Settings = env["user.email.alias.oauth.settings"]
            Settings._set_secret__("google", "organisation_key", key)
            self.join(env, name="Work", email_from=ADA.email)
        return "Status: OK"

    def join(self, env, **values):
        env["user.email.alias"].browse(self.alias_id).write(
            {"organisation": self.flavour, **values}
        )

    def assert_waits(self, ids, reason, words):
        self.assertEqual(
            {r["state"] for r in self.read_mails(ids, "state")}, {"outgoing"}
        )
        alias = self.read_alias("state", "hold_reason", "state_message")
        self.assertEqual((alias["state"], alias["hold_reason"]), ("hold", reason))
        self.assertIn(words, alias["state_message"])
        self.assertIn("administrator", alias["state_message"])
        self.assertNotIn("Sign in again", alias["state_message"])

    def test_mail_leaves_and_the_log_says_so(self):
        ids = self.queue(*LEADS, bulk=False)
        self.run_queue()
        self.assertEqual(self.api.served, LEADS)
        self.assertEqual({s.account for s in self.api.submissions}, {ADA.email})
        self.assertEqual({r["state"] for r in self.read_mails(ids, "state")}, {"sent"})
        self.assertFalse(self.server.messages)
        with self.committed() as env:
            rows = env["user.email.alias.log"].search(
                [("alias_id", "=", self.alias_id), ("outcome", "=", "sent")]
            )
            self.assertEqual(len(rows), len(LEADS))
            self.assertIn("Accepted by", rows[0].reply)

    def test_a_forged_sender_leaves_as_the_aliases_own(self):
        forged = {"email_from": "Boss <boss@example.com>", "headers": "{}"}
        self.queue(*LEADS, bulk=False, **forged)
        self.run_queue()
        self.assertEqual(self.api.served, LEADS)
        for item in self.api.submissions:
            self.assertEqual(item.account, ADA.email)
            self.assertNotIn(b"boss@", item.data)

    def test_the_token_is_kept_for_the_next_lane(self):
        for lead in LEADS:
            self.queue(lead, bulk=False)
            self.run_queue()
        paths = [p for _m, p in self.idp.requests if p.endswith("/token")]
        self.assertEqual((len(paths), self.api.served), (1, LEADS))

    def test_token_refused_while_sending_is_renewed_once(self):
        self.queue(LEADS[0], bulk=False)
        self.run_queue()
        self.idp.access_tokens.clear()
        self.queue(LEADS[1], bulk=False)
        self.run_queue()
        self.assertEqual(self.api.served, LEADS[:2])

    def test_owner_tests_the_connection_and_nothing_is_sent(self):
        with self.committed(self.user_id) as env:
            alias = env["user.email.alias"].browse(self.alias_id)
            answer = alias.action_test_connection()
            self.assertEqual(answer["params"]["message"], "Status: OK")
        self.assertFalse(self.api.submissions)

    def test_switched_off_it_holds_and_switched_on_it_goes_on(self):
        name = f"user_email_alias.{self.flavour}_organisation"
        with self.committed() as env:
            env["ir.config_parameter"].set_param(name, False)
        ids = self.queue(LEADS[0], bulk=False)
        self.run_queue()
        self.assert_waits(ids, "provider", "switched off")
        with self.committed() as env:
            env["ir.config_parameter"].set_param(name, "True")
        self.run_queue()
        self.assertEqual(self.api.served, LEADS[:1])

    def test_another_mailbox_is_an_administrators_to_choose(self):
        with self.committed() as env:
            self.join(env, email_from=BEN.email)
        self.queue(LEADS[0], bulk=False)
        self.run_queue()
        self.assertEqual([s.account for s in self.api.submissions], [BEN.email])

    def test_key_is_encrypted_anew_with_the_others(self):
        with self.committed() as env:
            tokens = env["user.email.alias.keys"]._get_client_secrets()
            self.assertTrue(tokens)
            result = env["user.email.alias.keys"]._reencrypt__()
            self.assertFalse(result.closed)
        self.queue(LEADS[0], bulk=False)
        self.run_queue()
        self.assertEqual(self.api.served, LEADS[:1])

    def test_deleted_alias_withdraws_nothing_at_the_provider(self):
        with self.committed() as env:
            env["user.email.alias"].browse(self.alias_id).unlink()
        self.assertFalse([p for _m, p in self.idp.requests if p.endswith("/revoke")])


@tagged("-at_install", "post_install", "user_email_alias_queue")
class TestGraphOrganisationQueue(OrganisationQueueTests, ApiQueueCase):
    flavour, transport = "microsoft", "graph"

    def test_secret_that_is_revoked_holds_and_goes_on_once_it_is_mended(self):
        right, self.idp.client_secret = self.idp.client_secret, "new one"
        ids = self.queue(LEADS[0], bulk=False)
        self.run_queue()
        self.assert_waits(ids, "provider", "does not know this application")
        self.idp.client_secret = right
        with self.committed() as env:
            Settings = env["user.email.alias.oauth.settings"]
            Settings._set_client_secret__(self.flavour, right)
        self.run_queue()
        self.assertEqual(self.api.served, LEADS[:1])

    def test_mailbox_without_licence_and_outside_of_the_scope_hold(self):
        ids = self.queue(LEADS[0], bulk=False)
        for closed, reason, words in (
            (self.api.without_mailbox, "mailbox_missing", "licence"),
            (
                self.api.closed_to_applications,
                "consent",
                "may not send for this mailbox",
            ),
        ):
            closed.add(ADA.email)
            self.run_queue()
            self.assert_waits(ids, reason, words)
            closed.clear()
            with self.committed(self.user_id) as env:
                env["user.email.alias"].browse(self.alias_id).action_resume()
        self.run_queue()
        self.assertEqual(self.api.served, LEADS[:1])

    def test_from_that_the_mailbox_may_not_use_holds(self):
        with self.committed() as env:
            self.join(
                env, email_from="sales@example.com", organisation_mailbox=ADA.email
            )
        ids = self.queue(LEADS[0], bulk=False)
        self.run_queue()
        self.assert_waits(ids, "from_refused", "may not send as this From Address")
        self.api.send_as.add(SALES)
        with self.committed(self.user_id) as env:
            env["user.email.alias"].browse(self.alias_id).action_resume()
        self.run_queue()
        self.assertEqual(self.api.served, LEADS[:1])


@tagged("-at_install", "post_install", "user_email_alias_queue")
class TestGmailOrganisationQueue(OrganisationQueueTests, ApiQueueCase):
    flavour, transport = "google", "gmail"

    def test_key_that_is_revoked_holds_and_another_one_goes_on(self):
        self.idp.is_key_revoked = True
        ids = self.queue(LEADS[0], bulk=False)
        self.run_queue()
        self.assert_waits(ids, "provider", "key is revoked")
        self.idp.is_key_revoked = False
        with self.committed() as env:
            env["res.config.settings"].create(
                {"email_alias_google_organisation_key": make_service_key()}
            )
        self.run_queue()
        self.assertEqual(self.api.served, LEADS[:1])

    def test_delegation_and_mailbox_that_are_missing_hold(self):
        self.idp.delegated = frozenset()
        ids = self.queue(LEADS[0], bulk=False)
        self.run_queue()
        self.assert_waits(ids, "provider", "domain-wide delegation")
        self.idp.delegated = type(self.idp).delegated
        self.idp.accounts.pop(ADA.email)
        with self.committed() as env:
            env["user.email.alias"].browse(self.alias_id).action_resume()
        self.run_queue()
        self.assert_waits(ids, "provider", "no such mailbox")
