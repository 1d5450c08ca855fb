"""Texts of real servers: whom they concern, and which refusals are the same."""

from odoo.tests import BaseCase, tagged

from ..tools.transport.smtp import needs_other_domains, outcome, signature_of
from ..tools.transport.smtp.failure import SmtpFailure
from ..tools.transport.smtp.outcome import classify
from ..tools.transport.smtp.reply import Phase, Reply

LEAD = "lead3@firm.example"
ENVELOPE = (Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.DOT)

# The account is meant, wherever it is said: reply, reason, hold?
ACCOUNT = """
rate 554 5.7.0 Your message could not be sent. The limit on the number of allowed outgoing messages was exceeded. Try again later.
rate 550 Connection frequency limited
rate 550 send spam mail rejected: exceeded hour limit
rate 550 5.7.1 Too many messages sent in the last hour
rate 550 Domain example.com has exceeded the max defers and failures per hour (5/5 (100%)) allowed.
rate 421 4.4.2 Message submission rate for this client has exceeded the configured limit
rate 450 4.7.1 Error: too much mail from 203.0.113.9
rate 550 Quota exceeded for outgoing mail
quota 554 You have reached your limit of 500 messages per day
session 452 4.4.5 Maximum number of messages per session exceeded.
session 452 4.5.3 Too many recipients: Too many messages sent
session 421 4.7.0 Error: too many errors
from_refused! 553 Relaying disallowed as anna@example.com
from_refused! 550 Verification failed for <anna@example.com> No Such User Here Sender verify failed
unverified! 554 Message rejected: Email address is not verified. The following identities failed the check in region EU-CENTRAL-1: anna@example.com
suspended! 550 Outgoing mail from "anna@example.com" has been suspended.
client_blocked! 554 5.7.1 Service unavailable; Client host [203.0.113.9] blocked using zen.spamhaus.org
client_blocked! 550 5.7.1 Your IP 203.0.113.9 is blacklisted
relay_refused! 554 5.7.1 <lead3@firm.example>: Relay access denied
relay_refused! 553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)
login_missing! 550 Please turn on SMTP Authentication in your mail client
ehlo_name! 450 4.7.1 <odoo>: Helo command rejected: Host not found
ehlo_name! 504 5.5.2 <192.168.1.10>: Helo command rejected: need fully-qualified hostname
""".strip().splitlines()  # noqa: E501

# About a recipient, however often it is said.
GONE = """
550 5.1.1 xyzzy
550 5.2.1 xyzzy
550 no such user
550 Unknown user
550 Requested action not taken: mailbox unavailable
550 <lead3@firm.example>... xyzzy
550 5.4.1 Recipient address rejected: Access denied. [AM0]
550 5.7.1 user unknown
550 Unrouteable address
550 unknown local part lead3
554 delivery error: dd This user doesn't have a yahoo.com account
550 This account does not exist
552 Mailbox full
550 The user you write to is over quota
550 Empfänger unbekannt
550 Adresse existiert nicht
550 Destinataire inconnu
550 El usuario no existe
550 Usuário não encontrado
550 Utente sconosciuto
550 Gebruiker onbekend
550 Nieznany użytkownik
550 Нет такого пользователя
550 用户不存在
550 Kullanıcı bulunamadı
""".strip().splitlines()

# Nobody knows: the breaker counts them.
UNKNOWN = """
550 5.7.1 Command rejected
550 Administrative prohibition
554 5.7.1 <lead3@firm.example>: Recipient address rejected: Access denied
550 Requested action not taken: mailbox unavailable Reject due to policy restrictions
550 5.7.26 Unauthenticated email is not accepted due to domain's DMARC policy
550 Ihre Versandgrenze ist erreicht
550 rejected as spam
""".strip().splitlines()


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
