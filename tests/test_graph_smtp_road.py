"""What is too large for Microsoft Graph leaves by SMTP where that was proved before."""

import os

from odoo.tests import tagged

from .common_api import FAKES
from .common_drafts import MEGABYTE
from .common_oauth_queue import OAuthQueueCase
from .fake_oauth import MICROSOFT_MAIL

LEAD = "lead@example.org"


@tagged("-at_install", "post_install", "user_email_alias_queue")
class TestSmtpRoad(OAuthQueueCase):
    flavour = "microsoft"

    def setUp(self):
        super().setUp()
        self.server.check_token = self.is_token_for_smtp
        self.api = self.enterContext(FAKES["graph"](self.idp))
        self.idp.mail_scope = self.api.scope = self.api.get_scope()
        self.set_param("api_url", self.api.url)

    def is_token_for_smtp(self, user, token):
        account = self.idp.get_account(token, MICROSOFT_MAIL)
        return bool(account) and account.login == user

    def set_param(self, name, value):
        with self.committed() as env:
            env["ir.config_parameter"].set_param(
                f"user_email_alias.microsoft_{name}", value
            )

    def queue_large(self, recipient=LEAD, **values):
        with self.committed() as env:
            file = env["ir.attachment"].create(
                {"name": "plan.pdf", "raw": os.urandom(4 * MEGABYTE), **values}
            )
            self.addCleanup(self._unlink, "ir.attachment", file.id)
        return self.queue(recipient, bulk=False, attachment_ids=[(4, file.id)])

    def _unlink(self, model, record_id):
        with self.committed() as env:
            env[model].browse(record_id).exists().unlink()

    def go_on(self):
        with self.committed() as env:
            env["user.email.alias"].browse(self.alias_id).sudo().backoff_until = 0
        self.run_queue()

    def test_large_one_leaves_by_smtp_and_small_ones_by_the_interface(self):
        self.assertEqual(self.sign_in(transport="api"), "Status: OK")
        alias = self.read_alias("has_smtp_road", "large_attachments", "transport")
        self.assertTrue(alias["has_smtp_road"])
        self.assertEqual(alias["transport"], "graph")
        self.assertIn("through SMTP", alias["large_attachments"])
        self.queue("a@example.org", bulk=False)
        ids = self.queue_large()
        self.queue("b@example.org", bulk=False)
        self.run_queue()
        self.assertEqual(self.api.served, ["a@example.org", "b@example.org"])
        self.assertEqual(self.served(), [LEAD])
        self.assertEqual(self.read_mails(ids, "state")[0]["state"], "sent")
        # the interface's own token is still the one that is used
        self.queue("c@example.org", bulk=False)
        self.run_queue()
        self.assertEqual(self.api.served[-1], "c@example.org")

    def test_it_is_chosen_before_the_large_attachments_of_drafts(self):
        self.set_param("large_attachments", "True")
        self.assertEqual(self.sign_in(transport="api"), "Status: OK")
        self.queue_large()
        self.run_queue()
        self.assertEqual((self.served(), self.api.steps), ([LEAD], []))

    def test_closed_meanwhile_large_ones_are_drafts(self):
        self.set_param("large_attachments", "True")
        self._close_meanwhile()
        self.assertIn("send", self.api.steps)

    def test_closed_meanwhile_large_ones_leave_with_links(self):
        self._close_meanwhile()
        self.assertFalse(self.api.steps)

    def _close_meanwhile(self):
        self.assertEqual(self.sign_in(transport="api"), "Status: OK")
        with self.committed() as env:
            partner = env["res.partner"].create({"name": "Lead"})
            self.addCleanup(self._unlink, "res.partner", partner.id)
        text = "535 5.7.139 SmtpClientAuthentication is disabled"
        self.server.on("auth", reply=text)
        self.queue_large(res_model="res.partner", res_id=partner.id)
        self.run_queue()
        self.assertEqual(self.api.served, [LEAD])
        self.assertFalse(self.server.messages)
        alias = self.read_alias("has_smtp_road", "state")
        self.assertEqual((alias["has_smtp_road"], alias["state"]), (False, "ok"))
        # found out before the claim
        self.assertEqual([row["outcome"] for row in self.read_log()], ["sent"])

    def test_consent_for_smtp_that_was_withdrawn_closes_it(self):
        self.assertEqual(self.sign_in(transport="api"), "Status: OK")
        self.idp.grants[0].is_live = False
        with self.committed() as env:
            partner = env["res.partner"].create({"name": "Lead"})
            self.addCleanup(self._unlink, "res.partner", partner.id)
        self.queue_large(res_model="res.partner", res_id=partner.id)
        self.run_queue()
        self.assertEqual(self.api.served, [LEAD])
        self.assertFalse(self.read_alias("has_smtp_road")["has_smtp_road"])

    def test_server_that_is_down_for_a_moment_is_waited_for(self):
        self.assertEqual(self.sign_in(transport="api"), "Status: OK")
        self.server.on("auth", reply="454 4.7.0 temporary failure", times=1)
        ids = self.queue_large()
        self.run_queue()
        self.assertFalse(self.server.messages or self.api.submissions)
        self.assertEqual(self.read_mails(ids, "state")[0]["state"], "outgoing")
        self.go_on()
        self.assertEqual(self.served(), [LEAD])

    def test_who_has_never_sent_by_smtp_has_no_such_way(self):
        with self.committed(self.user_id) as env:
            env["user.email.alias"].browse(self.alias_id).action_disconnect()
        self.assertEqual(self.sign_in(transport="api"), "Status: OK")
        self.assertFalse(self.read_alias("has_smtp_road")["has_smtp_road"])

    def test_mail_server_that_is_put_into_the_database_gets_no_token(self):
        self.assertEqual(self.sign_in(transport="api"), "Status: OK")
        with self.committed() as env:
            env.cr.execute(
                "UPDATE user_email_alias SET oauth_smtp_server = 'evil.example:587' "
                "WHERE id = %s",
                (self.alias_id,),
            )
        ids = self.queue_large()
        self.run_queue()
        self.assertEqual(self.read_alias("state")["state"], "hold")
        self.assertEqual(self.read_mails(ids, "state")[0]["state"], "outgoing")
        self.assertFalse(self.idp.refreshes)
