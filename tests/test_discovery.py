"""From an address to a proposal: what each source tells, and which one is heard."""

from ..tools.address import ServerAddress
from ..tools.discovery import Known, Mailbox, Row, SignIn, autoconfig
from ..tools.discovery.autoconfig import CENTRAL_HOST
from .common_discovery import (
    ADDRESS,
    AUTOCONFIG,
    DOMAIN,
    WELL_KNOWN,
    DiscoveryCase,
    document,
)
from .fake_web import answer, redirect

PATH_OF_OTHER = "/anywhere/config.xml"

ROW = Row("hoster", frozenset({"hoster.example"}), frozenset({"mx.example"}), "")
SIGN_IN = SignIn(
    "big",
    frozenset({"big.example", "*.big.example"}),
    frozenset({"l.big.example"}),
    frozenset({"smtp.big.example"}),
)


class TestKnown(DiscoveryCase):
    rows = (
        ROW._replace(
            smtp_server="smtp.hoster.example:465", imap_server="imap.hoster.example"
        ),
        ROW._replace(key="big's", domains=frozenset({"big.example"})),
        Row(
            key="ours",
            domains=frozenset({"own.big.example"}),
            mx_domains=frozenset(),
            smtp_server="mail.own.example",
            is_own=True,
        ),
    )
    sign_ins = (SIGN_IN,)

    def test_domain_in_the_table_tells_without_any_look_up(self):
        found = self.search("ann@hoster.example")
        self.assertEqual((found.source, found.row), ("table", "hoster"))
        self.assertEqual(found.smtp, ServerAddress("smtp.hoster.example", 465))
        self.assertEqual(found.imap, ServerAddress("imap.hoster.example", 993))
        self.assertEqual(found.smtp_user, "ann@hoster.example")
        self.assertFalse(self.dns.questions)

    def test_domain_of_a_sign_in_tells_without_any_look_up(self):
        for domain in ("big.example", "team.big.example"):
            with self.subTest(domain=domain):
                found = self.search(f"ann@{domain}")
                self.assertEqual((found.source, found.sign_in), ("sign_in", "big"))
        self.assertEqual(self.search("ann@big.example").row, "big's")
        self.assertFalse(self.dns.questions)

    def test_one_slip_of_a_finger_is_seen(self):
        known = Known(
            (ROW._replace(domains=frozenset({"gmx.net", "*.gmail.com"})),),
            (SIGN_IN._replace(domains=frozenset({"gmail.com", "gmail.it"})),),
        )
        for domain, meant in {
            "gmial.com": "gmail.com",
            "gmai.com": "gmail.com",
            "gmail.co": "gmail.com",
            "gmail.comm": "gmail.com",
            "hmail.com": "gmail.com",
            "ggmail.com": "gmail.com",
            "gmail.com": "",
            "gmial.comm": "",
            "gamli.com": "",
            "gmail.ie": "",
            "gmx.nett": "",
        }.items():
            with self.subTest(domain=domain):
                self.assertEqual(known.find_similar(Mailbox.of(f"a@{domain}")), meant)

    def test_row_of_the_administrator_wins_over_a_sign_in(self):
        found = self.search("ann@own.big.example")
        self.assertEqual((found.source, found.row), ("table", "ours"))
        self.assertEqual(found.smtp.port, 587)

    def test_mail_exchanger_tells_the_sign_in(self):
        self.dns.set(DOMAIN, "MX", "20 mail.other.example.", "5 mx.l.Big.example.")
        found = self.search()
        self.assertEqual((found.source, found.sign_in), ("sign_in", "big"))
        self.assertEqual(found.origin, "mx.l.big.example")

    def test_mail_exchanger_tells_the_row(self):
        self.dns.set(DOMAIN, "MX", "10 eu.mx.example.")
        found = self.search()
        self.assertEqual((found.source, found.row), ("table", "hoster"))
        self.assertEqual(found.smtp_user, ADDRESS)

    def test_name_that_only_ends_alike_is_somebody_else(self):
        self.dns.set(DOMAIN, "MX", "10 evil-mx.example.")
        self.assertIsNone(self.search())
        self.assertIsNone(self.search("ann@evilbig.example"))

    def test_reserve_behind_another_exchanger_does_not_count(self):
        self.dns.set(DOMAIN, "MX", "10 mx.corp.example.", "20 mx.l.big.example.")
        self.assertIsNone(self.search())

    def test_mail_exchanger_is_heard_before_all_others(self):
        self.dns.set(DOMAIN, "MX", "10 eu.mx.example.")
        self.dns.delays["MX"] = 0.5
        self.dns.set(f"_submissions._tcp.{DOMAIN}", "SRV", "0 0 465 a.corp.example.")
        self.publish_document()
        self.assertEqual(self.search().source, "table")

    def test_server_found_otherwise_leads_to_its_sign_in_and_row(self):
        for host, sign_in, row in (
            ("smtp.big.example", "big", None),
            ("smtp.hoster.example", "", "hoster"),
        ):
            with self.subTest(host=host):
                self.dns.set(f"_submissions._tcp.{DOMAIN}", "SRV", f"0 0 465 {host}.")
                found = self.search()
                self.assertEqual((found.source, found.sign_in), ("srv", sign_in))
                self.assertEqual(found.row, row)


class TestServices(DiscoveryCase):
    def offer(self, service, *records):
        self.dns.set(f"{service}._tcp.{DOMAIN}", "SRV", *records)

    def test_submission_and_imap_of_the_domain(self):
        self.offer("_submissions", "0 1 465 smtp.corp.example.")
        self.offer("_imaps", "0 1 993 imap.corp.example.")
        found = self.search()
        self.assertEqual(found.source, "srv")
        self.assertEqual(str(found.smtp), "smtp.corp.example:465")
        self.assertEqual(str(found.imap), "imap.corp.example:993")
        self.assertEqual(found.smtp_user, ADDRESS)
        self.assertEqual(found.origin, DOMAIN)

    def test_tls_from_the_start_is_preferred(self):
        self.offer("_submission", "0 1 587 starttls.corp.example.")
        self.assertEqual(str(self.search().smtp), "starttls.corp.example:587")
        self.offer("_submissions", "9 1 465 smtp.corp.example.")
        self.assertEqual(str(self.search().smtp), "smtp.corp.example:465")

    def test_priority_comes_before_weight(self):
        self.offer(
            "_submissions",
            "10 99 465 c.corp.example.",
            "5 1 465 b.corp.example.",
            "5 7 465 a.corp.example.",
        )
        self.assertEqual(str(self.search().smtp), "a.corp.example:465")

    def test_dot_as_target_offers_nothing(self):
        self.offer("_submissions", "0 0 0 .")
        self.assertIsNone(self.search())
        self.offer("_submission", "0 1 587 smtp.corp.example.")
        self.assertEqual(str(self.search().smtp), "smtp.corp.example:587")
        self.offer("_imaps", "0 0 0 .")
        self.assertIsNone(self.search().imap)

    def test_server_whose_tls_we_would_begin_otherwise_is_passed_over(self):
        self.offer("_submissions", "0 1 587 a.corp.example.", "1 1 465 b.corp.example.")
        self.assertEqual(str(self.search().smtp), "b.corp.example:465")

    def test_server_inside_the_network_is_not_proposed(self):
        self.offer("_submissions", "0 1 465 smtp.corp.example.")
        self.dns.set("smtp.corp.example", "A", "10.0.0.7")
        self.assertIsNone(self.search())
        self.dns.set("smtp.corp.example", "A", "93.184.215.14")
        self.offer("_imaps", "0 1 993 imap.corp.example.")
        self.dns.set("imap.corp.example", "A", "127.0.0.2")
        found = self.search()
        self.assertTrue(found.smtp)
        self.assertIsNone(found.imap)

    def test_services_are_heard_before_what_is_published(self):
        self.offer("_submissions", "0 1 465 smtp.corp.example.")
        self.publish_document(smtp="web.corp.example")
        self.assertEqual(self.search().source, "srv")

    def test_silence_of_one_record_does_not_hide_the_others(self):
        self.dns.silent.add("MX")
        self.offer("_submissions", "0 1 465 smtp.corp.example.")
        self.assertEqual(self.search().source, "srv")

    def test_no_resolver_finds_nothing(self):
        self.dns.silent.update(("MX", "SRV", "A", "AAAA"))
        self.assertIsNone(self.search())


class TestPublished(DiscoveryCase):
    def test_document_of_the_domain(self):
        self.publish_document(user="%EMAILLOCALPART%")
        found = self.search()
        self.assertEqual((found.source, found.origin), ("autoconfig", AUTOCONFIG))
        self.assertEqual(str(found.smtp), "smtp.corp.example:465")
        self.assertEqual(str(found.imap), "imap.corp.example:993")
        self.assertEqual((found.smtp_user, found.imap_user), ("ann.berg", ADDRESS))

    def test_well_known_path_of_the_domain(self):
        self.publish(answer(document()), DOMAIN, WELL_KNOWN)
        found = self.search()
        self.assertEqual((found.source, found.origin), ("autoconfig", DOMAIN))
        self.assertFalse(found.imap_user, "it is the one for SMTP")

    def test_local_part_is_not_sent_and_the_answer_is_the_users(self):
        self.publish_document(user=f"postmaster@{DOMAIN}")
        self.assertEqual(self.search().smtp_user, ADDRESS)
        self.publish_document(user="postmaster")
        self.assertEqual(self.search().smtp_user, "ann.berg")
        asked = " ".join(target for _host, target in self.web.requests)
        self.assertIn(f"emailaddress=postmaster%40{DOMAIN}", asked)
        names = " ".join(name for name, _kind in self.dns.questions)
        self.assertNotIn("ann", asked + names)

    def test_placeholders_in_host_and_user(self):
        self.publish_document(
            smtp="smtp.%EMAILDOMAIN%", user="%EMAILLOCALPART%.%EMAILDOMAIN%"
        )
        found = self.search()
        self.assertEqual(found.smtp.host, "smtp.corp.example")
        self.assertEqual(found.smtp_user, "ann.berg.corp.example")

    def test_first_server_that_can_be_used_is_taken(self):
        text = document(port=587)
        good = document(smtp="good.corp.example").partition("<outgoingServer")[2]
        text = text.replace("</emailProvider>", f"<outgoingServer{good}")
        text = text.partition("</emailProvider>")[0] + "</emailProvider></clientConfig>"
        self.publish(answer(text))
        self.assertEqual(self.search().smtp.host, "good.corp.example")

    def test_redirect_to_another_public_host_is_followed(self):
        self.publish(redirect(f"https://other.example{PATH_OF_OTHER}"))
        self.publish(answer(document()), "other.example", PATH_OF_OTHER)
        self.assertEqual(self.search().origin, "other.example")

    def test_domain_in_other_letters_is_asked_for_by_its_a_labels(self):
        self.search("ann@bücher.example")
        self.assertIn(("xn--bcher-kva.example", "MX"), self.dns.questions)

    def test_central_database_is_asked_only_if_switched_on_and_others_fail(self):
        self.publish(answer(document()), CENTRAL_HOST, f"/v1.1/{DOMAIN}")
        self.assertIsNone(self.search())
        self.assertNotIn((CENTRAL_HOST, "A"), self.dns.questions)
        found = self.search(has_central=True)
        self.assertEqual((found.source, found.origin), ("central", CENTRAL_HOST))
        self.publish_document()
        asked = len(self.web.requests)
        self.assertEqual(self.search(has_central=True).source, "autoconfig")
        self.assertNotIn(
            CENTRAL_HOST, [host for host, _target in self.web.requests[asked:]]
        )

    def test_certificate_of_another_name_is_refused(self):
        self.publish(answer(document()), "autoconfig.third.example")
        self.assertIsNone(self.search("ann@third.example"))
        self.assertTrue(self.web.connections)
        self.assertFalse(self.web.requests)

    def test_answer_up_to_the_limit_is_read(self):
        text = document()
        self.publish(answer(text + " " * (autoconfig.MAX_BYTES - len(text))))
        self.assertTrue(self.search())
        self.publish(answer(text + " " * (autoconfig.MAX_BYTES - len(text) + 1)))
        self.assertIsNone(self.search())
