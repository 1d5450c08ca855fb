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
rate 550 5.7.1 Your mail limit has been reached.
rate 550 Number recipients per hour exceeded
rate 450 only 5 recipients per 5 minutes allowed
rate 451 4.5.3 Too many recipients in the last hour
rate 450 4.7.1 <lead3@firm.example>: Recipient address rejected: Policy Rejection- Quota Exceeded
rate 550 5.7.1 <anna@example.com>: Sender address rejected: Number messages per hour exceeded
quota 451 Authentication failed: Maximum credits exceeded
login_missing! 550 5.7.1 SMTP AUTH is required before sending
login_missing! 553 5.7.1 <anna@example.com>: Sender address rejected: not logged in
client_blocked! 550 that IP address is not allowed to send
client_blocked! 550 5.7.1 [203.0.113.9] The IP you're using to send mail is not authorized to send email directly to our servers.
suspended! 554 5.7.0 Message rejected: Sending paused for this account. For more information, please check the inbox
suspended! 550 5.7.502 Access denied, banned sender
from_later 421 Domain x.mailgun.org is not allowed to send: Please activate your Mailgun account
""".strip().splitlines()  # noqa: E501

# About a recipient, however often it is said.
GONE = """
550 5.1.1 xyzzy
550 5.2.1 xyzzy
550 no such user
550 Unknown user
550 Requested action not taken: mailbox unavailable
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
550 <lead3@firm.example>... xyzzy
554 delivery to <lead3@firm.example> needs a paid plan
550 <lead3@firm.example> External recipients are not enabled
550 Ihr Konto ist gesperrt
550 5.7.1 Command rejected
550 Administrative prohibition
554 5.7.1 <lead3@firm.example>: Recipient address rejected: Access denied
550 Requested action not taken: mailbox unavailable Reject due to policy restrictions
550 5.7.26 Unauthenticated email is not accepted due to domain's DMARC policy
550 Ihre Versandgrenze ist erreicht
550 rejected as spam
550 5.1.0 cNkj1y0022zrrQM01NkjaD policy violation, see https://support.example/kb/a4081
550 5.1.0 <anna@example.com> sender rejected
550 5.2.0 Naruszenie zasad
550 Request failed; Mailbox unavailable
554 5.7.9 Message not accepted for policy reasons. See https://postmaster.example/error-codes
""".strip().splitlines()


# One recipient's trouble, told at RCPT, in words that elsewhere mean the account.
THEIRS = """
deferred 450 lead3 receives too many messages
deferred 450 <lead3@firm.example> is receiving mail at a rate we do not accept
deferred 550 User has exceeded daily receiving limit
deferred 552 user has exceeded his message quota
deferred 452 Too many messages for this recipient
deferred 450 Recipient has exceeded the hourly limit of messages
deferred 421 4.7.1 Messages to lead3@firm.example deferred due to excessive volume.
deferred 452 4.5.3 Recipient limit per session exceeded
refused 550 The address <lead3@firm.example> is not verified
refused 550 Account not activated
refused 550 This mailbox has not been confirmed yet
refused 550 User lead3 is inactive
""".strip().splitlines()

# An account is out of use, in words that a recipient's is refused with.
OUT_OF_USE = """
550 Account locked
550 5.7.1 Recipient is disabled
550 Ce compte n'est plus actif
550 Cuenta deshabilitada
550 Conta desativada
550 La casella è stata disattivata
550 Konto gesperrt
550 Dit account is geblokkeerd
550 Konto zostało zablokowane
550 Ящик заблокирован
550 user is locked
550 该用户已停用
""".strip().splitlines()

# More that is the recipient's for certain.
GONE += """
550 all relevant MX records point to non-existent hosts
550 retry timeout exceeded
550 Recipient has blocked the sender
550 Mail is rejected by recipients
550 Mailbox not found. http://service.exmail.qq.com/cgi-bin/help?no=1000728
550 5.1.1 The email account that you tried to reach does not exist.
550 5.2.1 The email account that you tried to reach is inactive.
552 5.2.2 The email account that you tried to reach is over quota
554 5.7.1 <lead3@firm.example>: Recipient address rejected: User unknown in table
554 delivery error: dd This user doesn't have a yahoo.com account (lead3@firm.example)
550 5.4.1 Recipient address rejected: Access denied. AS(201806281)
550 Requested action not taken: mailbox unavailable For explanation visit https://postmaster.gmx.net
550 Benutzer nicht bekannt/User unknown
550 5.1.1 user unknown (UCE)
550 5.1.0 Address rejected lead3@firm.example
550 5.1.0 lead3@firm.example... User unknown
550 5.2.0 Mailbox not found
""".strip().splitlines()

# Limits and blocks of senders, as providers word them: phase, reason, reply.
PROVIDERS = """
rcpt rate 550 Requested action not taken: mailbox unavailable Failure sending mail. Try again later
rcpt rate 450 4.3.2 Please wait to send more emails, or contact support for a rate limit increase.
dot quota 554 User anna@example.com has exceeded its 24-hour sending limit. Messages to 25 recipients out of 25 allowed
data quota 550 5.7.1 <DATA>: Data command rejected: only 10 messages per day
dot rate 550 Sender frequency limited. http://service.exmail.qq.com/cgi-bin/help?no=1000723
rcpt rate 550 Domain frequency limited
rcpt rate 550 Ip frequency limited
mail rate 421 HL:IFC 163 smtp8,DMCowA
rcpt session 451 MI:DMC 163 smtp4,DtGowEBp
rcpt session 450 RP:CCL 163 smtp1
mail quota 554 MI:STC 163 smtp10
dot quota 550 5.4.5 Daily user sending limit exceeded. For more information on Gmail sending limits go to
dot quota 554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException
rcpt quota 550 5.7.233 Tenant exceeded external recipient rate
dot rate 451 4.7.650 The mail server has been temporarily rate limited due to IP reputation
rcpt client_blocked 550 5.7.1 Unfortunately, messages from [203.0.113.9] weren't sent. Part of their network is on our block list (S3140).
connect client_blocked 554-gmx.net Nemesis ESMTP Service not available IP address is block listed
rcpt client_later 450 4.7.1 Client host rejected: cannot find your hostname, [203.0.113.9]
rcpt client_later 450 4.7.25 Client host rejected: cannot find your reverse hostname
rcpt relay_later 454 4.7.1 <lead3@firm.example>: Relay access denied
rcpt from_later 450 4.1.8 <anna@example.com>: Sender address rejected: Domain not found
mail from_later 451 4.1.8 Domain of sender address anna@example.com does not resolve
mail from_refused 550 The from address does not match a verified Sender Identity
rcpt from_refused 553 5.7.1 Sender is not allowed to relay emails
dot unverified 554 5.7.1 Your sender address is not verified
mail suspended 550 5.7.1 Your account has been suspended due to abuse
dot rate 550 5.7.1 Hourly sending quota exceeded for user anna
dot quota 552 5.7.0 Number of 'daily' messages exceeded the limit
mail rate 451 4.7.1 Too many mails sent with this account, slow down
""".strip().splitlines()  # noqa: E501

# What is a limit of logins, whatever code it comes with.
LOGIN_LIMITS = """
454 4.7.0 Too many login attempts, please try again later.
421 4.7.0 Too many logins
535 5.7.8 Error: authentication failed: too many login attempts
535 Authentication rate limit exceeded
535 5.7.0 Temporary authentication failure, try again later
535 Login temporarily blocked, try again in 10 minutes
550 Please wait, login frequency limited
451 Requested mail action not taken: too much fail authentication
432 4.3.2 Concurrent connections limit exceeded
525 5.7.13 Too many sessions of this user
""".strip().splitlines()

# A wrong password, whatever else is offered as a reason.
WRONG_LOGINS = """
535 5.7.8 Username and Password not accepted. For more information, go to
534 5.7.14 Please log in via your web browser and then try again.
535 Login fail. Account is abnormal, service is not open, password is incorrect, login frequency limited, or system is busy.
535 5.7.0 Invalid login or password
535 5.7.139 Authentication unsuccessful, the user credentials were incorrect.
535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6
432 4.7.12 A password transition is needed
""".strip().splitlines()  # noqa: E501


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
