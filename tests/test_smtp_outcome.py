import smtplib
import ssl

from odoo.tests import BaseCase, tagged

from ..tools import guard, message, vault
from ..tools.transport.smtp import outcome as outcome
from ..tools.transport.smtp.failure import SmtpFailure
from ..tools.transport.smtp.outcome import classify
from ..tools.transport.smtp.reply import WITHOUT_MAIL, Phase, Reply, sanitise
from ..tools.transport.smtp.wire import WireFault

# What a cell of the matrix stands for: (kind, scope, hold, flag).
LETTERS = {
    "sent": ("sent", "mail", None, None),
    "?": ("uncertain", "mail", None, None),
    "A": ("deferred", "alias", None, None),
    "A+": ("deferred", "alias", None, "throttled"),
    "A24": ("deferred", "alias", None, "quota"),
    "M": ("deferred", "mail", None, None),
    "M+": ("deferred", "mail", None, "throttled"),
    "M/": ("deferred", "mail", None, "split"),
    "R!": ("refused", "recipient", None, None),
    "M!": ("refused", "mail", None, None),
    "pw": ("deferred", "alias", "password", None),
    "off": ("deferred", "alias", "smtp_auth_disabled", None),
    "tls": ("deferred", "alias", "tls", None),
    "from": ("deferred", "alias", "from_refused", None),
    "relay": ("deferred", "alias", "relay_refused", None),
    "acct": ("deferred", "alias", "account", None),
    "full": ("deferred", "alias", "mailbox_full", None),
}
PHASES = ("connect", "tls", "ehlo", "auth", "mail", "rcpt", "data", "body", "dot")

# Reply, then the outcome in each phase. CONNECT, TLS and EHLO concern no mail and no
# login; a final reply to AUTH always holds; one to RCPT concerns that recipient.
MATRIX = """
                                    CONNECT TLS EHLO AUTH MAIL RCPT DATA BODY DOT
250 2.0.0 Ok                        A    A    A    A    A    A    A    A    sent
251 will forward                    A    A    A    A    A    A    A    A    sent
354 go ahead                        A    A    A    A    A    A    A    A    ?
421 4.3.2 shutting down             A    A    A    A    A    A    A    A    A
421 bye                             A    A    A    A    A    A    A    A    A
421 4.4.2 idle too long             A    A    A    A    A    A    A    A    A
421 4.7.0 try later                 A+   A    A+   A    A+   A+   A+   A+   A+
421 4.3.0 Too many connections      A+   A    A+   A    A+   A+   A+   A+   A+
432 4.3.2 thread limit exceeded     A+   A    A+   A    A+   A+   A+   A+   A+
450 4.2.0 mailbox busy              A    A    A    A    A    M    M    M    M
450 try later                       A    A    A    A    A    M    M    M    M
450 4.7.1 policy                    A+   A    A+   A+   A+   M+   M+   M+   M+
450 4.2.0 Greylisted, come back     A    A    A    A    M    M    M    M    M
450 Mail send limit exceeded        A+   A    A+   A    A+   A+   A+   A+   A+
451 4.3.0 local error               A    A    A    A    A    M    M    M    M
451 aborted                         A    A    A    A    A    M    M    M    M
451 4.7.0 slower                    A+   A    A+   A+   A+   A+   A+   A+   A+
451 4.7.500 busy                    A+   A    A+   A    A+   A+   A+   A+   A+
451 4.7.1 Greylisting in action     A    A    A    A    M    M    M    M    M
452 4.3.1 disk full                 A    A    A    A    M    M    M    M    M
452 no space                        A    A    A    A    M    M    M    M    M
452 4.5.3 too many recipients       A    A    A    A    M/   M/   M/   M/   M/
452 Too many recipients             A    A    A    A    M/   M/   M/   M/   M/
454 4.7.0 login service down        A+   A    A+   A    A+   A+   A+   A+   A+
454 Throttling failure              A+   A    A+   A    A+   A+   A+   A+   A+
454 Daily message quota exceeded    A24  A24  A24  A24  A24  A24  A24  A24  A24
455 parameters                      A    A    A    A    M    M    M    M    M
499 4.9.9 unknown                   A    A    A    A    M    M    M    M    M
500 what                            A    A    A    pw   acct R!   M!   M!   M!
501 5.5.4 syntax                    A    A    A    pw   from R!   M!   M!   M!
501 5.1.7 bad sender                from from from pw   from from from from from
502 5.5.1 no                        A    A    A    pw   acct R!   M!   M!   M!
503 5.5.1 sequence                  A    A    A    pw   A    R!   M!   M!   M!
504 5.5.4 mechanism                 A    A    A    pw   acct R!   M!   M!   M!
521 no mail here                    A    A    A    pw   acct R!   M!   M!   M!
530 5.7.0 Authentication required   pw   pw   pw   pw   pw   pw   pw   pw   pw
530 5.7.0 Issue a STARTTLS command  tls  tls  tls  tls  tls  tls  tls  tls  tls
530 5.7.57 not authenticated        pw   pw   pw   pw   pw   pw   pw   pw   pw
534 5.7.9 application password      pw   pw   pw   pw   pw   pw   pw   pw   pw
535 5.7.8 invalid                   pw   pw   pw   pw   pw   pw   pw   pw   pw
535 invalid                         pw   pw   pw   pw   pw   pw   pw   pw   pw
535 5.7.139 disabled                off  off  off  off  off  off  off  off  off
538 5.7.11 encryption required      tls  tls  tls  tls  tls  tls  tls  tls  tls
538 encryption required             tls  tls  tls  tls  tls  tls  tls  tls  tls
541 rejected                        A    A    A    pw   acct R!   M!   M!   M!
550 5.7.30 basic auth is over       pw   pw   pw   pw   pw   pw   pw   pw   pw
550 5.7.60 no permission            from from from pw   from from from from from
550 5.4.5 Daily limit exceeded      A24  A24  A24  A24  A24  A24  A24  A24  A24
550 5.7.232 external limit          A24  A24  A24  A    A24  A24  A24  A24  A24
550 Daily sending quota reached     A24  A24  A24  A24  A24  A24  A24  A24  A24
550 rate limit exceeded             A+   A    A+   A    A+   A+   A+   A+   A+
550 5.1.1 no such user              A    A    A    pw   from R!   M!   M!   M!
550 5.1.2 bad domain                A    A    A    pw   from R!   M!   M!   M!
550 5.1.8 bad outbound sender       from from from pw   from from from from from
550 5.7.1 rejected as spam          A    A    A    pw   from R!   M!   M!   M!
550 5.7.1 Relaying denied           A    A    A    pw   relay relay relay relay relay
550 not here                        A    A    A    pw   from R!   M!   M!   M!
551 not local                       A    A    A    pw   from R!   M!   M!   M!
552 5.2.2 mailbox full              A    A    A    pw   full R!   M!   M!   M!
552 5.3.4 too big                   A    A    A    pw   M!   R!   M!   M!   M!
552 too big                         A    A    A    pw   M!   R!   M!   M!   M!
552 too many recipients             A    A    A    pw   M/   M/   M/   M/   M/
550 5.5.3 too many                  A    A    A    pw   M/   M/   M/   M/   M/
550 5.2.3 too long                  A    A    A    pw   M!   R!   M!   M!   M!
553 5.7.1 not yours                 A    A    A    pw   from R!   M!   M!   M!
553 no mailbox                      A    A    A    pw   from R!   M!   M!   M!
553 5.7.1 Sender address rejected   from from from pw   from from from from from
554 5.2.0 limit exceeded            A24  A24  A24  A    A24  A24  A24  A24  A24
554 5.2.0 something else            A    A    A    pw   from R!   M!   M!   M!
554 5.2.0 SendAsDeniedException     from from from pw   from from from from from
554 5.2.252 SendAsDenied            from from from pw   from from from from from
554 5.2.2 STOREDRV.Submission:QuotaExceededException full full full pw full full full full full
554 5.7.1 blocked                   A    A    A    pw   from R!   M!   M!   M!
555 parameters                      A    A    A    pw   acct R!   M!   M!   M!
599 5.9.9 unknown                   A    A    A    pw   acct R!   M!   M!   M!
"""  # noqa: E501


def matrix():
    """Yield (reply, phase, expected letters) for each cell."""
    for line in MATRIX.strip().splitlines()[1:]:
        words = line.split()
        text, cells = words[: -len(PHASES)], words[-len(PHASES) :]
        reply = Reply.parse(int(text[0]), " ".join(text[1:]))
        for phase, letters in zip(PHASES, cells, strict=True):
            yield reply, Phase(phase), letters


@tagged("-at_install", "post_install")
class TestReplies(BaseCase):
    def check(self, result, letters):
        kind, scope, hold, flag = LETTERS[letters]
        self.assertEqual((result.kind, result.scope, result.hold), (kind, scope, hold))
        for name in ("quota", "throttled", "split"):
            self.assertEqual(getattr(result, name), name == flag, name)
        self.assertIn(result.reason, outcome.SENTENCES)

    def test_every_reply_in_every_phase(self):
        cells = 0
        for reply, phase, letters in matrix():
            with self.subTest(reply=str(reply), phase=phase.value):
                result = classify(phase, reply)
                self.check(result, letters)
                self.assertEqual(result.reply, reply)
            cells += 1
        self.assertGreater(cells, 600)

    def test_consent_instead_of_password_changes_the_hold_only(self):
        for reply, phase, letters in matrix():
            with self.subTest(reply=str(reply), phase=phase.value):
                plain = classify(phase, reply)
                oauth = classify(phase, reply, oauth=True)
                if letters == "pw":
                    self.assertEqual((oauth.hold, oauth.reason), ("sign_in",) * 2)
                else:
                    self.assertEqual(oauth, plain)

    def test_outside_a_transaction_no_mail_is_meant(self):
        for code in (*range(200, 260), *range(400, 600)):
            for phase in WITHOUT_MAIL:
                with self.subTest(code=code, phase=phase.value):
                    result = classify(phase, Reply.parse(code, "x"))
                    self.assertEqual((result.kind, result.scope), ("deferred", "alias"))

    def test_at_mail_from_no_recipient_is_meant(self):
        for code in range(400, 600):
            for text in ("x", "5.2.2 mailbox full", "5.1.1 no such user", "storage"):
                result = classify(Phase.MAIL, Reply.parse(code, text))
                with self.subTest(code=code, text=text):
                    self.assertNotEqual(result.kind, "refused")
                    self.assertNotEqual(result.reason, "recipient")
        for text in ("5.3.4 Message too big", "5.2.3 too long", "size 9 exceeds 5"):
            result = classify(Phase.MAIL, Reply.parse(552, text))
            self.assertEqual((result.kind, result.reason), ("refused", "too_big"))

    def test_only_a_success_after_the_dot_is_sent(self):
        for code in range(200, 600):
            for phase in Phase:
                with self.subTest(code=code, phase=phase.value):
                    result = classify(phase, Reply.parse(code, ""))
                    is_sent = phase is Phase.DOT and code < 300
                    self.assertEqual(result.kind == "sent", is_sent)

    def test_a_reply_decides_even_after_the_dot(self):
        for code in range(400, 600):
            result = classify(Phase.DOT, Reply.parse(code, "x"))
            self.assertNotEqual(result.kind, "uncertain", code)

    def test_an_enhanced_code_of_another_class_is_none(self):
        for code, text, enhanced in (
            (550, b"5.1.1 no", "5.1.1"),
            (450, b"5.1.1 no", None),
            (550, b"4.7.1 no", None),
            (250, b"2.0.0 Ok", "2.0.0"),
            (354, b"3.0.0 go", None),
            (550, b"5.1.1", "5.1.1"),
            (550, b"5.1.10: no", "5.1.10"),
            (550, b"5.1 no", None),
            (550, b"5.1.1.1 no", None),
            (550, b"5.1.1000 no", None),
            (550, b"no 5.1.1", None),
            (550, "５.1.1 no", None),
        ):
            with self.subTest(code=code, text=text):
                self.assertEqual(Reply.parse(code, text).enhanced, enhanced)

    def test_lines_become_one_without_repeated_codes(self):
        reply = Reply.parse(550, b"5.7.1 not today,\r\n5.7.1  ask\tagain\n5.7.1 \xff")
        self.assertEqual(str(reply), "550 5.7.1 not today, ask again \ufffd")

    def test_what_is_shown_is_harmless(self):
        reply = Reply.parse(550, "a\x00b\x1b[31m\u202ec\u2028d\u200be\x85f\ud800 <b>")
        self.assertEqual(reply.text, "a b [31m c d e f <b>")
        self.assertEqual(len(Reply.parse(550, b"x" * 1_000_000).text), 1000)
        self.assertEqual(len(sanitise("x y " * 1_000_000)), 1000)


@tagged("-at_install", "post_install")
class TestExceptions(BaseCase):
    BROKEN = (
        (ConnectionResetError(), "lost"),
        (BrokenPipeError(), "lost"),
        (EOFError(), "lost"),
        (OSError(113, "No route to host"), "lost"),
        (smtplib.SMTPServerDisconnected("closed"), "lost"),
        (TimeoutError("timed out"), "timeout"),
        (guard.Unreachable("refused", 25), "unreachable"),
        (ssl.SSLEOFError(8, "EOF"), "tls_failed"),
        (ssl.SSLError(1, "wrong version number"), "tls_failed"),
        (WireFault("starttls_missing"), "starttls_missing"),
        (WireFault("protocol"), "protocol"),
    )

    def test_a_broken_link_is_uncertain_only_after_the_dot(self):
        for error, reason in self.BROKEN:
            for phase in Phase:
                with self.subTest(error=error, phase=phase.value):
                    result = classify(phase, error)
                    if phase is Phase.DOT:
                        expected = ("uncertain", "mail", None, "unknown_outcome")
                    else:
                        if reason == "tls_failed" and phase not in (
                            Phase.CONNECT,
                            Phase.TLS,
                        ):
                            reason = "lost"
                        expected = ("deferred", "alias", None, reason)
                    self.assertEqual(
                        (result.kind, result.scope, result.hold, result.reason),
                        expected,
                    )
                    self.assertFalse(result.quota or result.throttled or result.split)

    def test_a_bad_certificate_says_why(self):
        error = ssl.SSLCertVerificationError(1, "failed")
        error.verify_message = "certificate has expired"
        result = classify(Phase.TLS, error)
        self.assertEqual((result.kind, result.scope), ("deferred", "alias"))
        self.assertEqual(result.reason, "certificate")
        self.assertIn("certificate has expired", outcome.explain(result))

    def test_faults_of_our_own_side(self):
        for error, expected in (
            (vault.KeyMissing("no key"), ("deferred", "alias", "vault")),
            (vault.WrongKey("other"), ("deferred", "alias", "vault")),
            (vault.WrongRow("moved"), ("deferred", "alias", "vault")),
            (WireFault("auth_missing"), ("deferred", "alias", "auth_missing")),
            (WireFault("password"), ("deferred", "alias", "password")),
            (message.UnsafeMessage("x"), ("refused", "mail", None)),
            (WireFault("smtputf8_missing"), ("refused", "mail", None)),
        ):
            for phase in (Phase.CONNECT, Phase.AUTH, Phase.MAIL, Phase.BODY):
                with self.subTest(error=error, phase=phase.value):
                    result = classify(phase, error)
                    self.assertEqual((result.kind, result.scope, result.hold), expected)

    def test_an_unknown_exception_is_tried_again(self):
        for phase in Phase:
            with self.subTest(phase=phase.value):
                result = classify(phase, KeyError("x"))
                if phase is Phase.DOT:
                    self.assertEqual(result.kind, "uncertain")
                else:
                    self.assertEqual(result.kind, "deferred")
                    is_alias = phase in WITHOUT_MAIL
                    self.assertEqual(result.scope, "alias" if is_alias else "mail")

    def test_a_failure_keeps_its_outcome(self):
        failure = SmtpFailure(Phase.AUTH, Reply.parse(535, "5.7.8 no"), oauth=True)
        for phase in Phase:
            self.assertIs(classify(phase, failure), failure.outcome)

    def test_an_exception_can_ask_for_a_hold(self):
        error = RuntimeError("the consent was withdrawn")
        error.hold = "sign_in"
        result = classify(Phase.AUTH, error)
        self.assertEqual((result.hold, result.kind), ("sign_in", "deferred"))
        self.assertIn("withdrawn", outcome.explain(result))

    def test_smtplib_exceptions_count_as_their_reply(self):
        error = smtplib.SMTPSenderRefused(550, b"5.7.60 no", "a@b.example")
        self.assertEqual(classify(Phase.MAIL, error).hold, "from_refused")

    def test_every_reason_is_a_sentence_and_quotes_the_server(self):
        for reason, sentence in outcome.SENTENCES.items():
            with self.subTest(reason=reason):
                self.assertRegex(sentence, r"^[A-Z].*\.$")
        shown = outcome.explain(classify(Phase.RCPT, Reply.parse(550, "5.1.1 no")))
        self.assertIn('"550 5.1.1 no"', shown)
