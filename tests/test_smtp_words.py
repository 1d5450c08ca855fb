"""Texts of real servers: whom they concern, and which refusals are the same."""

from odoo.tests import BaseCase, tagged

from ..tools.transport.smtp import (
    is_weak,
    leans_to_account,
    needs_other_domains,
    outcome,
    signature_of,
)
from ..tools.transport.smtp.failure import SmtpFailure
from ..tools.transport.smtp.outcome import classify
from ..tools.transport.smtp.reply import Phase, Reply
from .smtp_texts import (
    ACCOUNT,
    GONE,
    LOGIN_LIMITS,
    OUT_OF_USE,
    PROVIDERS,
    THEIRS,
    UNKNOWN,
    WRONG_LOGINS,
)

LEAD = "lead3@firm.example"
ENVELOPE = (Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.DOT)


def parse(line):
    return Reply.parse(int(line[:3]), line[4:])


def signature(line, phase=Phase.DOT, recipient=LEAD):
    return signature_of(SmtpFailure(phase, parse(line)), [recipient])


@tagged("-at_install", "post_install")
class TestWords(BaseCase):
    def test_what_is_said_of_the_account_concerns_the_alias_at_every_phase(self):
        for line in ACCOUNT:
            reason, reply = line.split(" ", 1)
            for phase in ENVELOPE:
                with self.subTest(reply=reply, phase=phase.value):
                    result = classify(phase, parse(reply))
                    self.assertEqual((result.kind, result.scope), ("deferred", "alias"))
                    self.assertEqual(result.reason, reason.rstrip("!"))
                    self.assertEqual(bool(result.hold), reason.endswith("!"))
                    self.assertEqual(result.session, reason == "session")

    def test_what_is_said_of_a_recipient_is_final_and_never_counted(self):
        for line in GONE:
            for phase in (Phase.RCPT, Phase.DOT):
                with self.subTest(reply=line, phase=phase.value):
                    self.assertEqual(classify(phase, parse(line)).kind, "refused")
                    self.assertIsNone(signature(line, phase))

    def test_trouble_of_one_recipient_is_not_the_accounts(self):
        for line in THEIRS:
            kind, reply = line.split(" ", 1)
            with self.subTest(reply=reply):
                failure = SmtpFailure(Phase.RCPT, parse(reply), recipient=LEAD)
                self.assertEqual(failure.outcome.kind, kind)
                self.assertNotEqual(failure.outcome.scope, "alias")

    def test_a_recipient_is_not_named_by_what_stands_before_any_refusal(self):
        reply = "450 4.7.1 <lead3@firm.example>: Too many messages from your address"
        failure = SmtpFailure(Phase.RCPT, parse(reply), recipient=LEAD)
        self.assertEqual(failure.outcome.scope, "alias")

    def test_an_account_out_of_use_is_weak_evidence(self):
        for line in OUT_OF_USE:
            with self.subTest(reply=line):
                self.assertEqual(classify(Phase.RCPT, parse(line)).kind, "refused")
                self.assertTrue(is_weak(signature(line, Phase.RCPT)))
                self.assertFalse(is_weak(signature(line, Phase.DOT)))
                named = f"{line} <{LEAD}>"
                self.assertTrue(is_weak(signature(named, Phase.DOT)))
        for line in UNKNOWN:
            with self.subTest(reply=line):
                self.assertFalse(is_weak(signature(line)))

    def test_words_of_providers(self):
        for line in PROVIDERS:
            phase, reason, reply = line.split(" ", 2)
            with self.subTest(reply=reply, phase=phase):
                failure = SmtpFailure(Phase(phase), parse(reply), recipient=LEAD)
                result = failure.outcome
                self.assertEqual((result.kind, result.scope), ("deferred", "alias"))
                self.assertEqual(result.reason, reason)

    def test_limits_of_logins_are_no_wrong_password(self):
        for line in LOGIN_LIMITS:
            with self.subTest(reply=line):
                result = classify(Phase.AUTH, parse(line))
                self.assertEqual((result.kind, result.scope), ("deferred", "alias"))
                self.assertIsNone(result.hold)
                self.assertEqual(result.reason, "login_limit")
        for line in WRONG_LOGINS:
            with self.subTest(reply=line):
                self.assertEqual(classify(Phase.AUTH, parse(line)).hold, "password")

    def test_access_denied_without_a_login_asks_for_one_only_as_a_policy(self):
        for line, expected in (
            ("550 5.4.1 Recipient address rejected: Access denied", False),
            ("550 5.1.10 access denied", False),
            ("550 Access denied", False),
            ("554 5.7.1 Recipient address rejected: Access denied", True),
            ("550 5.7.0 Authentication needed", True),
            ("550 Please log in", True),
        ):
            with self.subTest(reply=line):
                self.assertIs(outcome.asks_for_login(parse(line)), expected)

    def test_words_lean_to_the_account_or_say_nothing(self):
        for line, expected in (
            ("554 delivery to <a@b.example> needs a paid plan", True),
            ("550 External recipients are not enabled", True),
            ("550 5.7.1 no", True),
            ("550 Tarif ohne Versand", True),
            ("550 xyzzy", False),
            ("550 host lookup did not complete", False),
            ("550 Ce compte n'est plus actif", False),
        ):
            with self.subTest(reply=line):
                self.assertIs(leans_to_account(parse(line)), expected)

    def test_what_nobody_knows_is_counted(self):
        for line in UNKNOWN:
            with self.subTest(reply=line):
                self.assertEqual(classify(Phase.DOT, parse(line)).kind, "refused")
                self.assertTrue(signature(line))

    def test_the_account_is_not_taken_for_a_recipient(self):
        for line in (
            "550 Your account does not exist any more, call support",
            "550 5.2.1 Your account has been disabled for outgoing mail",
            "550 5.1.0 invalid from",
            "550 mailbox unavailable: Versand gesperrt",
            "550 billing account expired",
        ):
            for phase in (Phase.RCPT, Phase.DOT):
                with self.subTest(line=line, phase=phase):
                    failure = SmtpFailure(phase, parse(line))
                    is_counted = signature_of(failure, ["bob@example.org"])
                    self.assertTrue(is_counted or failure.outcome.scope == "alias")

    def test_a_domain_without_mail_is_the_recipients(self):
        for line in (
            "550 5.4.310 DNS domain firm.example does not exist",
            "550 5.4.6 too many hops",
            "556 Domain does not accept mail",
            "550 5.1.1 The account that you tried to reach does not exist",
        ):
            with self.subTest(line=line):
                failure = SmtpFailure(Phase.RCPT, parse(line))
                self.assertIsNone(signature_of(failure, ["bob@firm.example"]))

    def test_words_do_not_mislead(self):
        for line, reason in (
            ("552 5.7.0 This content presents a potential security issue", "content"),
            ("552 5.3.4 Message too big", "too_big"),
            ("552 exceeded storage allocation", "too_big"),
            ("552 We do not like it", "refused"),
        ):
            with self.subTest(reply=line):
                self.assertEqual(classify(Phase.DOT, parse(line)).reason, reason)

    def test_refusals_differ_by_words_and_not_by_particulars(self):
        one = signature("554 5.7.0 Nr. 4711: gesperrt (AB12) <a@b.example> b.example")
        two = signature("554 5.7.0 Nr. 12: gesperrt (C3) <c@d.example> mx.d.example")
        self.assertEqual(one, two)
        for other in (
            "554 5.7.0 erlaubt",
            "550 5.7.0 Nr. gesperrt",
            "554 Nr. gesperrt",
        ):
            self.assertNotEqual(one, signature(other))
        self.assertNotEqual(one, signature("554 5.7.0 Nr. 1: gesperrt", Phase.DATA))

    def test_a_policy_that_names_the_recipient_is_the_same_for_the_next(self):
        one = signature(
            "550 5.7.1 <anna@a.example> anna: no", recipient="anna@a.example"
        )
        two = signature(
            "550 5.7.1 <bert@b.example> bert: no", recipient="bert@b.example"
        )
        self.assertEqual(one, two)
        self.assertTrue(one)

    def test_only_an_unexplained_refusal_at_rcpt_may_be_the_domains(self):
        for line, phase, expected in (
            ("550 no thanks", Phase.RCPT, True),
            ("550 5.7.1 no thanks", Phase.RCPT, False),
            ("550 no thanks", Phase.DOT, False),
        ):
            with self.subTest(reply=line, phase=phase.value):
                self.assertIs(needs_other_domains(signature(line, phase)), expected)

    def test_count_of_a_connection_is_learnt_from_its_count_only(self):
        for line, expected in (
            ("452 4.4.5 Maximum number of messages per session exceeded.", True),
            ("421 4.7.0 Error: too many errors", False),
            ("421 Too many concurrent connections from your host", False),
            ("451 4.3.0 local error", False),
        ):
            with self.subTest(reply=line):
                found = outcome.counts_mails(classify(Phase.DATA, parse(line)))
                self.assertIs(found, expected)
