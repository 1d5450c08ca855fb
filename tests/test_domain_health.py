"""Advice about a From domain, from what the DNS says of it."""

from odoo.tests import BaseCase, tagged

from ..tools.domain_health.dmarc import read_dmarc, walk
from ..tools.domain_health.spf import read_spf


def zone(**texts):
    """Answers by name; dots are written as two underscores, None is no answer."""
    answers = {name.replace("__", "."): text for name, text in texts.items()}
    return lambda name: answers.get(name, [])


@tagged("post_install", "-at_install", "user_email_alias")
class TestSpf(BaseCase):
    def test_only_a_single_record_counts(self):
        other = "google-site-verification=x"
        for texts, count in (
            ([], 0),
            ([other], 0),
            (["v=spf10 -all"], 0),
            (["v=spf1"], 1),
            ([other, "V=SPF1 mx -all"], 1),
            (["v=spf1 mx -all", "v=spf1 -all"], 2),
        ):
            with self.subTest(texts=texts):
                self.assertEqual(
                    read_spf("a.example", {"a.example": texts}.get)[0], count
                )
        self.assertIsNone(read_spf("a.example", {}.get))

    def test_what_is_included_is_found_at_any_depth(self):
        ask = zone(
            a__example=["v=spf1 include:_spf.b.example ?INCLUDE:C.example. -all"],
            _spf__b__example=["v=spf1 redirect=_spf.google.com"],
            c__example=["v=spf1 ip4:192.0.2.1 exists:%{i}.d.example a:e.example/28"],
        )
        spf = read_spf("a.example", ask)
        self.assertEqual(
            spf.included, {"_spf.b.example", "c.example", "_spf.google.com"}
        )
        self.assertEqual(spf.lookups, 5)
        self.assertFalse(spf.lets_all)

    def test_everybody_may_send(self):
        for term, lets_all in (
            ("all", 1),
            ("+ALL", 1),
            ("~all", 0),
            ("ip4:1.2.3.4", 0),
        ):
            with self.subTest(term=term):
                spf = read_spf("a.example", zone(a__example=[f"v=spf1 {term}"]))
                self.assertEqual(spf.lets_all, bool(lets_all))

    def test_a_loop_and_a_bomb_end(self):
        asked = []

        def ask(name):
            asked.append(name)
            number = int(name.split(".")[0])
            terms = [f"include:{2 * number + side}.example" for side in (0, 1)]
            return [f"v=spf1 {' '.join(terms * 5)}"]

        self.assertGreater(read_spf("1.example", ask).lookups, 10)
        self.assertLess(len(asked), 15)
        spf = read_spf("a.example", zone(a__example=["v=spf1 include:a.example"]))
        self.assertEqual(spf.included, {"a.example"})


@tagged("post_install", "-at_install", "user_email_alias")
class TestDmarc(BaseCase):
    def test_a_walk_asks_eight_times_at_most(self):
        self.assertEqual(walk("a.example.com"), ["a.example.com", "example.com", "com"])
        names = walk("a.b.c.d.e.f.g.h.i.j.mail.example.com")
        self.assertEqual(len(names), 8)
        self.assertEqual(names[1], "g.h.i.j.mail.example.com")
        self.assertEqual(names[-1], "com")

    def assert_policy(self, domain, where, policy, **texts):
        dmarc = read_dmarc(domain, zone(**texts))
        self.assertEqual((dmarc.domain, dmarc.policy), (where, policy))

    def test_the_domains_own_record_comes_first(self):
        self.assert_policy(
            "a.b.example",
            "a.b.example",
            "none",
            _dmarc__a__b__example=["v=DMARC1;p=none"],
            _dmarc__b__example=["v=DMARC1;p=reject"],
        )

    def test_a_subdomain_has_the_policy_of_its_organisation(self):
        texts = {"_dmarc__b__example": ["v=DMARC1; p=reject; sp=quarantine"]}
        self.assert_policy("x.a.b.example", "b.example", "quarantine", **texts)
        self.assert_policy("b.example", "b.example", "reject", **texts)

    def test_boundaries_are_respected(self):
        texts = {
            "_dmarc__example": ["v=DMARC1; p=reject; psd=y"],
            "_dmarc__b__example": ["v=DMARC1; p=quarantine"],
            "_dmarc__a__b__example": ["v=DMARC1; p=none; psd=n"],
        }
        self.assert_policy("x.a.b.example", "a.b.example", "none", **texts)
        self.assert_policy("x.c.b.example", "b.example", "quarantine", **texts)
        # nobody below the public suffix speaks for itself: its own record counts
        self.assert_policy("x.z.example", "example", "reject", **texts)

    def test_test_mode_asks_for_the_milder_policy(self):
        for policy, milder in (
            ("reject", "quarantine"),
            ("quarantine", "none"),
            ("none", "none"),
        ):
            record = f"v = DMARC1 ; P={policy.upper()} ; t=y; unknown=1; pct=5"
            self.assert_policy(
                "a.example", "a.example", milder, _dmarc__a__example=[record]
            )

    def test_no_record_no_answer_and_several_records(self):
        self.assertIs(read_dmarc("a.example", zone()), False)
        self.assertIsNone(read_dmarc("a.example", {}.get))
        several = ["v=DMARC1; p=none", "v=DMARC1; p=reject"]
        self.assertIs(read_dmarc("a.example", zone(_dmarc__a__example=several)), False)
        wrong = ["v=DMARC12; p=reject", "p=reject; v=DMARC1"]
        self.assertIs(read_dmarc("a.example", zone(_dmarc__a__example=wrong)), False)
