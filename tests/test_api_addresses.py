"""The addresses of a mailbox, as Microsoft Graph lists them, are offered as From."""

from odoo.tests import tagged

from .common_api_queue import ApiQueueCase
from .common_oauth_queue import ADA

PROXIES = [
    "smtp:sales@example.com",
    "X500:/o=Example/ou=Exchange/cn=ada",
    "SIP:ada@example.com",
    f"SMTP:{ADA.email}",
    "smtp:Sales@Example.com",
    "smtp:ada.l@example.com",
]


@tagged("-at_install", "post_install", "user_email_alias_queue")
class TestAddresses(ApiQueueCase):
    flavour, transport = "microsoft", "graph"

    def read_addresses(self):
        lines = self.read_alias("oauth_addresses")["oauth_addresses"] or ""
        return lines.splitlines()

    def test_connection_test_reads_them_anew(self):
        self.assertEqual(self.read_addresses(), [ADA.email])
        self.api.profile["proxyAddresses"] = PROXIES
        with self.committed(self.user_id) as env:
            env["user.email.alias"].browse(self.alias_id).action_test_connection()
        self.assertEqual(
            self.read_addresses(),
            [ADA.email, "sales@example.com", "ada.l@example.com"],
        )

    def test_one_of_them_is_a_from_of_ones_own(self):
        self.api.profile["proxyAddresses"] = PROXIES
        self.api.send_as.add("sales@example.com")
        self.sign_in()
        self.write_alias(email_from="sales@example.com")
        self.assertFalse(self.read_alias("is_shared_from")["is_shared_from"])
        self.queue("lead@example.org", bulk=False)
        self.run_queue()
        self.assertIn(b"<sales@example.com>", self.api.submissions[-1].data)
        # nothing has to be proved by an email to oneself
        self.assertEqual(self.sign_in(), "Status: OK")
        self.assertEqual(len(self.api.submissions), 1)
        self.write_alias(email_from="boss@example.com")
        self.assertTrue(self.read_alias("is_shared_from")["is_shared_from"])

    def test_the_mailboxs_address_wins_over_the_name_one_signs_in_with(self):
        self.api.profile |= {
            "mail": "ada.lovelace@example.com",
            "proxyAddresses": [
                f"smtp:{ADA.email}",
                "SMTP:ada.lovelace@example.com",
            ],
        }
        with self.committed(self.user_id) as env:
            alias = env["user.email.alias"].browse(self.alias_id)
            alias.action_disconnect()
            alias.write({"email_from": False})
        self.assertFalse(self.read_addresses(), "it is not that account's any more")
        self.assertEqual(self.sign_in(), "Status: OK")
        alias = self.read_alias("email_from", "oauth_user", "oauth_mailbox")
        self.assertEqual(alias["email_from"], "ada.lovelace@example.com")
        self.assertEqual(alias["oauth_mailbox"], "ada.lovelace@example.com")
        self.assertEqual(alias["oauth_user"], ADA.email)

    def test_what_is_no_address_is_left_out(self):
        for mail, proxies, expected in (
            (None, None, [ADA.email]),
            (5, "SMTP:x@example.com", [ADA.email]),
            ("", [5, None, {}, "smtp:", "smtp:no address", "SMTP"], [ADA.email]),
            ("a@b.example\r\nBcc: c@d.example", [], [ADA.email]),
            ("x@example.com", ["smtp:<b>@x"], ["x@example.com"]),
        ):
            with self.subTest(mail=mail, proxies=proxies):
                self.api.profile.clear()
                self.sign_in()
                self.api.profile |= {"mail": mail, "proxyAddresses": proxies}
                self.assertEqual(self.sign_in(), "Status: OK")
                self.assertEqual(self.read_addresses() or [ADA.email], expected)

    def test_no_more_are_kept_than_a_menu_holds(self):
        many = [f"smtp:a{number}@example.com" for number in range(10_000)]
        self.api.profile["proxyAddresses"] = many
        self.assertEqual(self.sign_in(), "Status: OK")
        self.assertLessEqual(len(self.read_addresses()), 50)
