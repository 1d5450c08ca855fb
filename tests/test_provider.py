"""The table of providers: what ships is usable, what administrators write wins."""

from collections import Counter

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import TransactionCase, new_test_user, tagged

from ..tools import address
from ..tools.deadline import Deadline
from ..tools.discovery import Names, Sources, search
from ..tools.discovery.proposal import imap_of, smtp_of
from ..tools.guard import FREE_PORTS, Guard
from ..tools.imap.connection import IMPLICIT_TLS_PORTS


@tagged("post_install", "-at_install", "user_email_alias")
class TestProvider(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Provider = cls.env["user.email.alias.provider"]
        cls.shipped = cls.Provider.search([("is_shipped", "=", True)])
        cls.admin = new_test_user(
            cls.env, "provider_admin", "base.group_user,base.group_erp_manager"
        )

    def find(self, email):
        known = self.Provider._get_known()
        sources = Sources(known, Names("127.0.0.1:1"), Guard(), Guard())
        return search(email, sources, Deadline(0.01))

    def test_many_of_the_large_ones_are_known(self):
        self.assertGreaterEqual(len(self.shipped), 40)

    def test_what_ships_can_be_connected_to(self):
        for provider in self.shipped.filtered("smtp_server"):
            with self.subTest(provider.name):
                smtp = address.parse_server(provider.smtp_server)
                self.assertIn(smtp.port, FREE_PORTS)
                smtp_of(smtp.host, smtp.port, smtp.port == 465)
                if provider.imap_server:
                    imap = address.parse_server(provider.imap_server)
                    self.assertIn(imap.port, FREE_PORTS)
                    imap_of(imap.host, imap.port, imap.port in IMPLICIT_TLS_PORTS)

    def test_what_ships_says_where_its_limits_are_from(self):
        for provider in self.shipped:
            with self.subTest(provider.name):
                has_limit = bool(provider.delay_ms or provider.daily_limit)
                self.assertEqual(bool(provider.limit_source), has_limit)
                self.assertEqual(bool(provider.limit_date), has_limit)

    def test_no_domain_ships_twice(self):
        for fname in ("domains", "mx_domains"):
            found = Counter(
                domain for row in self.shipped for domain in row._read_domains(fname)
            )
            self.assertEqual(max(found.values()), 1, found.most_common(3))

    def test_each_is_found_and_without_server_says_why(self):
        for provider in self.shipped:
            if not provider.smtp_server:
                self.assertTrue(provider.note, provider.name)
            for domain in provider._read_domains("domains"):
                found = self.find(f"ann@{domain.replace('*', 'x')}")
                self.assertEqual(found.row, provider.id, domain)

    def test_row_of_the_administrator_wins(self):
        before = self.find("ann@gmx.de")
        own = self.Provider.with_user(self.admin).create(
            {"name": "Ours", "domains": "GMX.de", "smtp_server": "relay.example:465"}
        )
        found = self.find("ann@gmx.de")
        self.assertEqual(found.row, own.id)
        self.assertNotEqual(before.row, own.id)

    def test_row_that_an_administrator_changes_is_theirs(self):
        provider = self.env.ref("user_email_alias.provider_gmail")
        provider.with_user(self.admin).smtp_server = "relay.example:465"
        self.assertFalse(provider.is_shipped)
        kept = self.env["ir.model.data"].search(
            [("model", "=", provider._name), ("noupdate", "=", True)]
        )
        self.assertEqual(kept.mapped("res_id"), provider.ids, "others are updated")
        found = self.find("ann@gmail.com")
        self.assertEqual(found.smtp.host, "relay.example")
        self.assertFalse(found.sign_in)

    def test_nobody_passes_a_row_off_as_shipped(self):
        own = self.Provider.with_user(self.admin).create(
            {"name": "Ours", "is_shipped": True}
        )
        self.assertFalse(own.is_shipped)
        own.is_shipped = True
        self.assertFalse(own.is_shipped)

    def test_what_is_no_fact_is_refused(self):
        for vals in (
            {"smtp_server": "https://mail.example.com/in"},
            {"imap_server": "imap.example.com:0"},
            {"domains": "a@example.com"},
            {"domains": "*"},
            {"mx_domains": "mx example..com"},
            {"user_pattern": "%REALNAME%"},
            {"app_password_url": "javascript:alert(1)"},
            {"limit_source": "http://example.com"},
        ):
            with self.subTest(vals), self.assertRaises(ValidationError):
                self.Provider.with_user(self.admin).create({"name": "x", **vals})

    def test_users_cannot_change_the_table(self):
        user = new_test_user(self.env, "provider_user")
        with self.assertRaises(AccessError):
            self.Provider.with_user(user).create({"name": "Mine"})
        with self.assertRaises(AccessError):
            self.shipped[0].with_user(user).name = "Mine"
