"""What an administrator may enter wrongly for an interface: one sentence each."""

from odoo.tests import tagged

from .common_api_queue import ApiQueueCase
from .common_oauth_queue import ADA

LEAD = "lead@example.org"


class BadInput:
    """Nothing is lost and nothing is sent elsewhere."""

    def set_param(self, name, value):
        with self.committed() as env:
            env["ir.config_parameter"].set_param(
                f"user_email_alias.{self.flavour}_{name}", value
            )

    def begin(self):
        """Return what whoever clicks Sign In is told, None = off to the provider."""
        with self.committed(self.user_id) as env:
            alias = env["user.email.alias"].browse(self.alias_id)
            try:
                alias._begin_sign_in__(self.flavour)
            except Exception as error:
                return alias._explain_sign_in(error)
        return None

    def assert_sentence(self, text, *words):
        self.assertTrue(text)
        self.assertTrue(text[0].isupper() and text.rstrip()[-1] in '.)"', text)
        self.assertNotIn("Traceback", text)
        self.assertLess(len(text), 400)
        for word in words:
            self.assertIn(word, text)

    def test_address_that_is_no_https_url_is_said_and_nothing_leaves(self):
        for url in (
            "http://graph.example.com",
            "graph.example.com",
            "https://",
            "ftp://x.example",
            "javascript:alert(1)",
            "https://user:pass@x.example",
            "https://exa mple",
        ):
            with self.subTest(url=url):
                self.set_param("api_url", url)
                self.assert_sentence(self.begin(), "administrator")
        self.set_param("api_url", self.api.url)
        self.queue(LEAD, bulk=False)
        self.run_queue()
        self.assertEqual(self.api.served, [LEAD])

    def test_signed_in_aliases_keep_the_address_they_were_granted_for(self):
        self.set_param("api_url", "https://elsewhere.example")
        self.queue(LEAD, bulk=False)
        self.run_queue()
        self.assertEqual(self.api.served, [LEAD])

    def test_address_where_something_else_answers_holds_with_words(self):
        words = self.api.error("ResourceNotFound", "Not found.")
        for status in (302, 404, 405):
            self.api.knobs.answers = [
                (status, {"Location": "https://x.example"}, words)
            ]
            ids = self.queue(LEAD, bulk=False)
            self.run_queue()
            alias = self.read_alias("state", "hold_reason", "state_message")
            self.assertEqual(
                (alias["state"], alias["hold_reason"]), ("hold", "provider")
            )
            self.assert_sentence(alias["state_message"], "administrator", str(status))
            self.assertEqual(self.read_mails(ids, "state")[0]["state"], "outgoing")
            with self.committed(self.user_id) as env:
                env["user.email.alias"].browse(self.alias_id).action_resume()
            self.run_queue()
        self.assertEqual(self.api.served, [LEAD] * 3)

    def test_revoked_consent_is_said_by_the_test_of_the_connection(self):
        self.idp.revoke_all()
        self.make_stale()
        with self.committed(self.user_id) as env:
            alias = env["user.email.alias"].browse(self.alias_id)
            said = alias.action_test_connection()["params"]
        self.assertEqual(said["type"], "danger")
        self.assert_sentence(said["message"], "ign in again")


@tagged("-at_install", "post_install", "user_email_alias_queue")
class TestGraphInput(BadInput, ApiQueueCase):
    flavour, transport = "microsoft", "graph"

    def test_wrong_tenant_is_said(self):
        self.idp.unknown_tenants = {"nowhere.example"}
        for tenant in ("nowhere.example", "https://x", "a/b", "..", "x" * 300, "a b"):
            with self.subTest(tenant=tenant):
                self.set_param("tenant", tenant)
                self.assert_sentence(self.begin(), "administrator")

    def test_mailbox_without_licence_and_foreign_from_are_said_by_the_test(self):
        self.api.without_mailbox.add(ADA.email)
        with self.committed(self.user_id) as env:
            alias = env["user.email.alias"].browse(self.alias_id)
            said = alias.action_test_connection()["params"]["message"]
        self.assert_sentence(said, "licence")
        self.api.without_mailbox.clear()
        self.write_alias(email_from="boss@example.com")
        with self.committed(self.user_id) as env:
            alias = env["user.email.alias"].browse(self.alias_id)
            said = alias.action_test_connection()["params"]["message"]
        self.assert_sentence(said, "From Address")
        self.assertFalse(self.api.submissions)


@tagged("-at_install", "post_install", "user_email_alias_queue")
class TestGmailInput(BadInput, ApiQueueCase):
    flavour, transport = "google", "gmail"
