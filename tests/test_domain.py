"""Advice on the alias about its From domain, asked of a DNS server on loopback."""

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import AliasCommon
from .fake_dns import FakeDnsServer

DOMAIN = "company.de"
GOOGLE = "v=spf1 include:_spf.google.com ~all"
KEY = "v=DKIM1; k=rsa; p=MIGf"


@tagged("post_install", "-at_install", "user_email_alias")
class TestDomain(AliasCommon):
    def setUp(self):
        super().setUp()
        self.dns = self.enterContext(FakeDnsServer())
        self.env["ir.config_parameter"].set_param(
            "user_email_alias.nameserver", self.dns.nameserver
        )
        self.alias = self.alias_alice.with_user(self.user_alice)
        self.alias.email_from = f"alice@{DOMAIN}"

    def publish(self, **texts):
        """Texts by what stands before the domain; the domain itself is ``own``."""
        for name, text in texts.items():
            before = "" if name == "own" else name.replace("__", ".") + "."
            values = [text] if isinstance(text, str) else text
            self.dns.set(
                f"{before}{DOMAIN}", "TXT", *(f'"{value}"' for value in values)
            )

    def look_up(self, provider="smtp"):
        """Click, and return what the form shows by subject, and the notice."""
        self.alias.sudo().provider = provider
        notice = self.alias.action_check_domain()["params"]
        lines = self.alias.domain_advice or []
        self.levels = {line["text"].partition(": ")[0]: line["level"] for line in lines}
        return dict(line["text"].split(": ", 1) for line in lines), notice

    def test_all_is_well(self):
        self.dns.set(DOMAIN, "MX", "10 mx.company.de.")
        self.publish(own=["x=y", GOOGLE], google___domainkey=KEY)
        self.dns.set("_spf.google.com", "TXT", '"v=spf1 ip4:192.0.2.1 ~all"')
        self.publish(_dmarc="v=DMARC1; p=quarantine")
        found, notice = self.look_up("google")
        self.assertEqual(set(found), {"MX", "SPF", "DKIM", "DMARC"})
        self.assertEqual(set(self.levels.values()), {"good"}, found)
        self.assertEqual(notice["type"], "success")

    def test_what_is_missing_is_named_with_what_to_add(self):
        self.publish(own="v=spf1 include:other.example -all")
        self.dns.set("other.example", "TXT", '"v=spf1 -all"')
        for provider, include in (
            ("google", "include:_spf.google.com"),
            ("microsoft", "include:spf.protection.outlook.com"),
        ):
            found, notice = self.look_up(provider)
            self.assertIn("takes no mail", found["MX"])
            self.assertIn(include, found["SPF"])
            self.assertIn("Switch signing on", found["DKIM"])
            self.assertIn(f"_dmarc.{DOMAIN}", found["DMARC"])
            self.assertEqual(notice["type"], "info")
            self.assertEqual([*self.levels.values()], ["odd"] * 4)

    def test_kinds_of_broken_spf(self):
        bomb = " ".join(f"a:a{number}.example" for number in range(11))
        for text, words in (
            ([], "has no SPF record"),
            (["v=spf1 -all", GOOGLE], "has 2 SPF records"),
            (["v=spf1 +all"], "lets everybody send"),
            ([f"v=spf1 {bomb} -all"], "more than 10 look-ups"),
            (["v=spf1 ip4:192.0.2.1 -all"], "has an SPF record"),
        ):
            with self.subTest(words):
                self.publish(own=text or ["nothing of it"])
                found, _notice = self.look_up()
                self.assertIn(words, found["SPF"])
                self.assertNotIn("DKIM", found)

    def test_a_domain_without_mx_may_take_mail_itself(self):
        self.dns.set(DOMAIN, "A", "192.0.2.1")
        self.assertIn("takes mail", self.look_up()[0]["MX"])
        self.dns.set(DOMAIN, "MX", "0 .")
        self.assertIn("takes no mail", self.look_up()[0]["MX"])

    def test_a_revoked_key_is_none(self):
        self.publish(selector1___domainkey="v=DKIM1; p=", own=GOOGLE)
        self.assertIn("No DKIM key", self.look_up("microsoft")[0]["DKIM"])
        self.publish(selector2___domainkey=KEY)
        self.assertIn("signs mail", self.look_up("microsoft")[0]["DKIM"])

    def test_who_does_not_answer_is_not_blamed(self):
        self.dns.silent = {"TXT", "MX"}
        self.dns.set(DOMAIN, "A", "192.0.2.1")
        found, notice = self.look_up("google")
        self.assertEqual(found, {})
        self.assertIn("Nobody answered", notice["message"])

    def test_words_of_strangers_are_no_html(self):
        self.publish(_dmarc="v=DMARC1; p=<script>alert(1)</script>")
        self.assertIn("“none”", self.look_up()[0]["DMARC"])
        self.assertNotIn("<script", str(self.alias.domain_advice))

    def test_advice_is_for_the_domain_it_was_given_for(self):
        self.look_up()
        self.assertTrue(self.alias.domain_advice)
        self.alias.email_from = "alice@other.de"
        self.assertFalse(self.alias.domain_advice)

    def test_reserved_names_are_not_looked_up(self):
        self.alias.email_from = "alice@mail.example"
        self.alias.action_check_domain()
        self.assertEqual(self.dns.questions, [])

    def test_only_its_owner_asks(self):
        with self.assertRaises(AccessError):
            self.alias_alice.with_user(self.user_bob).action_check_domain()
        self.assertEqual(self.dns.questions, [])

    def test_a_wrong_nameserver_is_the_administrators_matter(self):
        self.env["ir.config_parameter"].set_param(
            "user_email_alias.nameserver", "not one"
        )
        with self.assertLogs("odoo.addons.user_email_alias", "ERROR") as logged:
            self.alias._get_names()
        self.assertIn("user_email_alias.nameserver", logged.output[0])
