"""Mail of aliases that send through a provider's interface, in the real queue."""

import itertools
from unittest.mock import patch

from odoo.tests import tagged

from ..tools.transport.graph import GraphTransport
from .common_api import FAKES
from .common_api_queue import ApiQueueCase
from .common_oauth_queue import ADA, OAuthQueueCase
from .fake_oauth import MICROSOFT_MAIL

LEADS = [f"lead{number}@example.org" for number in range(4)]


class QueueTests:
    """What holds for every interface."""

    def test_mail_leaves_through_the_interface_and_the_log_says_so(self):
        alias = self.read_alias("transport", "oauth_server", "state", "email_from")
        self.assertEqual(alias["transport"], self.transport)
        self.assertEqual(alias["oauth_server"], self.api.url)
        self.assertEqual((alias["state"], alias["email_from"]), ("ok", ADA.email))
        ids = self.queue(*LEADS, bulk=False)
        self.run_queue()
        self.assertEqual(self.api.served, LEADS)
        self.assertFalse(self.server.messages)
        self.assertEqual({r["state"] for r in self.read_mails(ids, "state")}, {"sent"})
        self.assertEqual(self.api.connections, 2)  # the sign-in's, and the lane's
        with self.committed() as env:
            rows = env["user.email.alias.log"].search(
                [("alias_id", "=", self.alias_id), ("outcome", "=", "sent")]
            )
            self.assertEqual(len(rows), len(LEADS))
            self.assertIn("Accepted by", rows[0].reply)

    def test_pause_lies_between_the_answer_and_the_next_request(self):
        with self.committed() as env:
            env["user.email.alias"].browse(self.alias_id).delay_ms = 300
        self.queue(*LEADS)
        self.run_queue()
        taken = self.api.submissions
        self.assertEqual(len(taken), len(LEADS))
        for before, after in itertools.pairwise(taken):
            self.assertGreaterEqual(after.started_at - before.answered_at, 0.3)

    def test_throttling_widens_the_pause_and_waits_as_long_as_it_was_told(self):
        words = self.api.error("ApplicationThrottled", "Slow down")
        self.api.knobs.answers = [(429, {"Retry-After": "600"}, words)]
        self.queue(*LEADS)
        self.run_queue()
        self.assertFalse(self.api.submissions)
        alias = self.read_alias("backoff_until", "pause_ms", "state", "state_message")
        with self.committed() as env:
            now = env["user.email.alias"].browse(self.alias_id)._now()
        self.assertAlmostEqual(alias["backoff_until"] - now, 600, delta=20)
        self.assertGreater(alias["pause_ms"], 0)
        self.assertEqual(alias["state"], "ok")
        self.assertIn("Slow down", alias["state_message"])

    def test_cut_after_the_body_is_uncertain_and_is_not_sent_again(self):
        self.api.knobs.cut = "after"
        ids = self.queue(*LEADS, bulk=False)
        self.run_queue()
        self.run_queue()
        self.assertEqual(sorted(self.api.served), LEADS)
        with self.committed() as env:
            outcomes = env["user.email.alias.log"].search([("mail_mail_id", "in", ids)])
            self.assertEqual(outcomes.mapped("outcome").count("uncertain"), 1)
            self.assertEqual(len(outcomes), len(LEADS))

    def test_cut_before_the_body_is_sent_again(self):
        self.api.knobs.cut = "middle"
        self.queue(LEADS[0], bulk=False, body_html=f"<p>{'big ' * 200_000}</p>")
        self.run_queue()
        with self.committed() as env:
            env["user.email.alias"].browse(self.alias_id).sudo().backoff_until = 0
        self.run_queue()
        self.assertEqual(self.api.served, LEADS[:1])

    def test_token_refused_while_sending_is_renewed_once(self):
        self.idp.access_tokens.clear()
        self.queue(*LEADS[:2], bulk=False)
        self.run_queue()
        self.assertEqual(self.api.served, LEADS[:2])
        self.assertEqual(self.idp.refreshes, 1)

    def test_withdrawn_consent_holds_the_alias_and_its_mail(self):
        self.idp.revoke_all()
        self.make_stale()
        ids = self.queue(LEADS[0], bulk=False)
        self.run_queue()
        alias = self.read_alias("state", "hold_reason")
        self.assertEqual((alias["state"], alias["hold_reason"]), ("hold", "sign_in"))
        self.assertEqual(self.read_mails(ids, "state")[0]["state"], "outgoing")
        self.assertEqual(self.sign_in(), "Status: OK")
        self.run_queue()
        self.assertEqual(self.api.served, LEADS[:1])

    def test_connection_is_tested_without_sending(self):
        with self.committed(self.user_id) as env:
            alias = env["user.email.alias"].browse(self.alias_id)
            answer = alias.action_test_connection()
            self.assertEqual(answer["params"]["message"], "Status: OK")
        self.assertFalse(self.api.submissions)


@tagged("-at_install", "post_install", "user_email_alias_queue")
class TestGraphQueue(QueueTests, ApiQueueCase):
    flavour, transport = "microsoft", "graph"

    def test_pause_counts_bytes_in_this_lane_and_in_the_next_one(self):
        most, seconds = window = (15_000_000, 15.0)
        self.enterContext(patch.object(GraphTransport, "window", window))
        body = f"<p>{'big ' * 200_000}</p>"
        self.queue(*LEADS[:2], body_html=body)
        self.run_queue()
        self.queue(LEADS[2], body_html=body)
        self.run_queue()
        self.assertEqual(len(self.api.submissions), 3)
        for before, after in zip(
            self.api.submissions, self.api.submissions[1:], strict=False
        ):
            least = before.size * seconds / most
            self.assertGreater(least, 1)
            self.assertGreaterEqual(after.started_at - before.answered_at, least)

    def test_mailbox_that_is_gone_holds_with_words(self):
        self.api.without_mailbox.add(ADA.email)
        self.queue(LEADS[0], bulk=False)
        self.run_queue()
        alias = self.read_alias("state", "hold_reason", "state_message")
        self.assertEqual(alias["hold_reason"], "mailbox_missing")
        self.assertIn("licence", alias["state_message"])


@tagged("-at_install", "post_install", "user_email_alias_queue")
class TestGmailQueue(QueueTests, ApiQueueCase):
    flavour, transport = "google", "gmail"

    def test_new_alias_gets_the_pause_that_the_quota_asks_for(self):
        self.assertEqual(self.read_alias("delay_ms")["delay_ms"], 1000)


@tagged("-at_install", "post_install", "user_email_alias_queue")
class TestFromSmtpToGraph(OAuthQueueCase):
    """SMTP is closed for the mailbox: one button, and what waits leaves."""

    flavour = "microsoft"

    def test_waiting_mail_leaves_through_the_interface_after_one_button(self):
        self.server.on("auth", reply="535 5.7.139 SmtpClientAuthentication is disabled")
        ids = self.queue(*LEADS, bulk=False)
        self.run_queue()
        alias = self.read_alias("state", "hold_reason", "transport")
        self.assertEqual(alias["hold_reason"], "smtp_auth_disabled")
        self.assertEqual(alias["transport"], "smtp")
        api = self.enterContext(FAKES["graph"](self.idp))
        self.assertEqual(self.idp.mail_scope, MICROSOFT_MAIL)
        self.idp.mail_scope = api.scope = api.get_scope()
        with self.committed() as env:
            env["ir.config_parameter"].set_param(
                "user_email_alias.microsoft_api_url", api.url
            )
        self.assertEqual(self.sign_in(transport="api"), "Status: OK")
        self.run_queue()
        self.assertEqual(api.served, LEADS)
        self.assertEqual({r["state"] for r in self.read_mails(ids, "state")}, {"sent"})

    def test_who_is_signed_in_for_smtp_sends_so_until_the_next_sign_in(self):
        with self.committed() as env:
            env["ir.config_parameter"].set_param(
                "user_email_alias.microsoft_transport", "api"
            )
        self.make_stale()
        self.queue(LEADS[0], bulk=False)
        self.run_queue()
        self.assertEqual(self.served(), LEADS[:1])
        self.assertEqual(self.idp.refreshes, 1)
