"""What people reported of other set-up assistants and DNS checks, played with ours.

Reports: nextcloud/mail 2265, 9221; thunderbird/mailstrom 60; YunoHost/issues 1707;
stalwartlabs/stalwart 1042, 1537; mustang-im/mustang 474; shukiv/jabali-panel 1064;
thunderbird/thunderbird-accounts 943; Mailu/Mailu 4075; pimalaya/himalaya 722;
davidhuser/mxmap 13; sdgathman/pyspf 31; suitenumerique/messages 782;
postalsys/mailauth 125; hardenize/hardenize-public 19; domainaware/checkdmarc 20, 134,
143; T13nn3s/Invoke-SpfDkimDmarc 33; globalcyberalliance/domain-security-scanner 36;
cisagov/trustymail 116; blacklanternsecurity/baddns 707.
"""

from odoo.tests import BaseCase, tagged

from ..tools.deadline import Deadline
from ..tools.discovery import SignIn
from ..tools.domain_health import examine
from ..tools.domain_health.dmarc import read_dmarc
from ..tools.domain_health.spf import read_spf
from .common_discovery import (
    ADDRESS,
    AUTOCONFIG,
    DOMAIN,
    WELL_KNOWN,
    DiscoveryCase,
    document,
)
from .fake_web import answer

OFFICE = "spf.protection.outlook.com"
LOGIN_PAGE = answer("<!DOCTYPE html><html><body>Log in</body></html>", "text/html")
MICROSOFT = SignIn(
    "microsoft",
    frozenset({"outlook.example"}),
    frozenset({"protection.outlook.example"}),
    frozenset({"smtp.office.example"}),
)


class TestPublished(DiscoveryCase):
    sign_ins = (MICROSOFT,)

    def find_user(self, user):
        self.publish_document(user=user)
        return self.search().smtp_user

    def test_user_names_by_pattern(self):
        # nextcloud/mail 9221, thunderbird/mailstrom 60
        self.assertEqual(self.find_user("%EMAILLOCALPART%"), "ann.berg")
        found = self.find_user("%EMAILLOCALPART%@login.example")
        self.assertEqual(found, "ann.berg@login.example")

    def test_login_of_whoever_was_asked_for_is_nobody_elses(self):
        # YunoHost 1707: a server that knows the login of each address answers with it
        self.assertEqual(self.find_user("camille"), ADDRESS)
        self.assertEqual(self.find_user("root@login.example"), ADDRESS)
        self.assertEqual(self.find_user(""), ADDRESS)

    def test_every_place_is_asked_for_an_address(self):
        # stalwart 1042 and 1537: 400 without one
        self.publish(LOGIN_PAGE)
        self.publish(answer(document()), DOMAIN, WELL_KNOWN)
        self.assertEqual(self.search().origin, DOMAIN)
        asked = dict(self.web.requests)
        for host in (AUTOCONFIG, DOMAIN):
            self.assertIn("?emailaddress=postmaster%40", asked[host])

    def test_plus_and_subdomain_stay_what_they_are(self):
        # mustang 474: the parent's servers for an address below it, because of a plus
        below = f"lists.{DOMAIN}"
        self.publish_document()
        self.dns.set(f"_submissions._tcp.{DOMAIN}", "SRV", "0 0 465 smtp.corp.example.")
        self.assertIsNone(self.search(f"ann+b@{below}"))
        found = self.search(f"ann+b@{DOMAIN}")
        self.assertEqual(found.smtp_user, f"ann+b@{DOMAIN}")

    def test_web_page_for_everything_hides_nothing(self):
        # jabali-panel 1064: a login page at the first place; thunderbird-accounts 943:
        # *.corp.example is a web site
        self.publish(LOGIN_PAGE)
        self.publish(LOGIN_PAGE, DOMAIN, WELL_KNOWN)
        self.assertIsNone(self.search())
        self.publish(answer(document()), DOMAIN, WELL_KNOWN)
        self.assertEqual(self.search().origin, DOMAIN)

    def test_placeholder_as_id_of_the_provider(self):
        # Mailu 4075
        text = document().replace('id="corp.example"', 'id="%EMAILDOMAIN%"')
        self.publish(answer(text.replace("<domain>corp", "<domain>%EMAILDOMAIN%")))
        self.assertEqual(self.search().smtp.host, "smtp.corp.example")

    def test_mark_and_letters_of_any_case(self):
        text = document(tls="ssl").replace('type="smtp"', 'type="SMTP"')
        self.publish(answer(b"\xef\xbb\xbf" + text.encode()))
        self.assertEqual(self.search().smtp.host, "smtp.corp.example")

    def test_password_is_taken_where_a_sign_in_is_preferred(self):
        login = "OAuth2</authentication><authentication>password-cleartext"
        self.publish_document(login=login)
        self.assertEqual(self.search().smtp.host, "smtp.corp.example")

    def test_exchanger_of_another_domain_is_not_asked_for_settings(self):
        # nextcloud/mail 2265: autoconfig.<domain of the MX>
        self.dns.set(DOMAIN, "MX", "10 mx.other.example.")
        self.publish(
            answer(document(smtp="x.other.example")), "autoconfig.other.example"
        )
        self.assertIsNone(self.search())
        self.publish_document()
        self.assertEqual(self.search().smtp.host, "smtp.corp.example")

    def test_services_beside_others_that_are_of_no_use(self):
        # himalaya 722: POP and the web stand there as well
        for service, host in (
            ("_pop3s", "pop"),
            ("_imaps", "imap"),
            ("_submissions", "smtp"),
            ("_autodiscover", "autodiscover"),
        ):
            name = f"{service}._tcp.{DOMAIN}"
            self.dns.set(name, "SRV", f"0 0 465 {host}.hoster.example.")
        self.dns.set(f"_imaps._tcp.{DOMAIN}", "SRV", "0 1 993 imap.hoster.example.")
        found = self.search()
        self.assertEqual(str(found.smtp), "smtp.hoster.example:465")
        self.assertEqual(str(found.imap), "imap.hoster.example:993")

    def test_gateway_before_a_provider_proposes_nobody(self):
        # mxmap 13: Proofpoint takes the mail, the mailboxes are at Microsoft
        self.dns.set(DOMAIN, "MX", "10 mx1.corp.iphmx.example.")
        self.assertIsNone(self.search())
        # unless the domain says more
        self.dns.set(
            f"_submission._tcp.{DOMAIN}", "SRV", "0 0 587 smtp.office.example."
        )
        self.assertEqual(self.search().sign_in, "microsoft")


@tagged("post_install", "-at_install", "user_email_alias")
class TestSpf(BaseCase):
    def advise(self, *texts, **more):
        """The reason that is given of corp.example, whose mail leaves by Microsoft."""
        zone = {DOMAIN: list(texts), OFFICE: ["v=spf1 ip4:192.0.2.0/24 -all"]}
        zone.update(more)

        class Zone:
            def get_texts(self, name, deadline):
                return zone.get(name.replace(".", "__"), zone.get(name, []))

            def takes_mail(self, domain, deadline):
                return True

        advice = examine(DOMAIN, "microsoft", Zone(), Deadline(1))
        return next(a.reason for a in advice if a.subject == "SPF")

    def test_redirect_beside_all_is_none(self):
        # pyspf 31, suitenumerique/messages 782; RFC 7208 5.1
        self.assertEqual(self.advise(f"v=spf1 redirect={OFFICE} -all"), "spf_mailer")
        self.assertEqual(self.advise(f"v=spf1 -all redirect={OFFICE}"), "spf_mailer")
        self.assertEqual(self.advise(f"v=spf1 redirect={OFFICE}"), "spf_ok")
        self.assertEqual(self.advise(f"v=spf1 -all include:{OFFICE}"), "spf_mailer")

    def test_everybody_may_send_by_a_detour(self):
        found = self.advise(
            "v=spf1 include:open.example -all", open__example=["v=spf1 +all"]
        )
        self.assertEqual(found, "spf_all")
        found = self.advise(
            "v=spf1 redirect=open.example", open__example=["v=spf1 all"]
        )
        self.assertEqual(found, "spf_all")

    def test_what_depends_on_the_message_is_not_called_missing(self):
        # mailauth 125: services that keep all of a record behind a macro
        record = "v=spf1 include:%{ir}.%{v}.%{d}.spf.has.pphosted.example ~all"
        self.assertEqual(self.advise(record), "spf_found")
        self.assertEqual(self.advise(f"{record[:-4]}include:{OFFICE} ~all"), "spf_ok")
        nested = self.advise("v=spf1 include:_spf.x -all", _spf__x=[record])
        self.assertEqual(nested, "spf_found")

    def test_included_domain_without_a_record_breaks_it_for_all(self):
        # hardenize-public 19; RFC 7208 5.2
        record = f"v=spf1 include:{OFFICE} include:gone.example -all"
        self.assertEqual(self.advise(record), "spf_broken")
        self.assertEqual(self.advise(record, gone__example=["x"]), "spf_broken")
        good = self.advise(record, gone__example=["v=spf1 -all"])
        self.assertEqual(good, "spf_ok")
        self.assertEqual(self.advise(record, gone__example=None), "spf_ok")

    def test_one_domain_twice_is_no_loop_and_counts_twice(self):
        # checkdmarc 20
        record = f"v=spf1 mx include:a.example include:a.example include:{OFFICE} -all"
        zone = {DOMAIN: [record], "a.example": ["v=spf1 a mx -all"]}
        spf = read_spf(DOMAIN, lambda name: zone.get(name, ["v=spf1 -all"]))
        self.assertEqual(spf.lookups, 8)
        self.assertEqual(self.advise(record, a__example=["v=spf1 a -all"]), "spf_ok")

    def test_record_behind_a_redirect_is_not_a_second_one(self):
        # Invoke-SpfDkimDmarc 33, checkdmarc 143
        far = "sub.corp.hosted.msp.example"
        found = self.advise(
            f"v=spf1 redirect={far}", **{far: [f"v=spf1 include:{OFFICE} -all"]}
        )
        self.assertEqual(found, "spf_ok")

    def test_equals_sign_includes_nobody(self):
        # checkdmarc 134
        self.assertEqual(self.advise(f"v=spf1 include={OFFICE} -all"), "spf_mailer")


@tagged("post_install", "-at_install", "user_email_alias")
class TestDmarc(BaseCase):
    def read(self, domain, **zone):
        names = {name.replace("__", "."): texts for name, texts in zone.items()}
        return read_dmarc(domain, lambda name: names.get(name, []))

    def test_record_in_the_wrong_place_is_none(self):
        # domain-security-scanner 36
        self.assertIs(self.read("a.example", a__example=["v=DMARC1; p=reject"]), False)

    def test_policy_for_subdomains_is_the_organisations(self):
        # baddns 707; trustymail 116: at a subdomain itself it says nothing of it
        texts = ["v=DMARC1; p=reject; sp=none"]
        found = self.read("mail.corp.example", _dmarc__corp__example=texts)
        self.assertEqual((found.domain, found.policy), (DOMAIN, "none"))
        found = self.read("mail.corp.example", _dmarc__mail__corp__example=texts)
        self.assertEqual(found.policy, "reject")
