"""The whole table: what each answer of a provider's interface means."""

import email.utils
import time

from odoo.tests import BaseCase, tagged

from ..tools.transport.http.exchange import Answer
from ..tools.transport.http.outcome import SENTENCES, explain, judge
from ..tools.transport.smtp.reply import Phase, Reply

SLOWLY = "User-rate limit exceeded."
ENOUGH = "User-rate limit exceeded. (Mail sending)"
NO_MAIL = "Mail service not enabled"
NOBODY = "Recipient address required"

# status, code, words -> kind, scope, hold, flags
MATRIX = (
    (401, "InvalidAuthenticationToken", "", "deferred", "alias", "sign_in", ""),
    (403, "ErrorAccessDenied", "", "deferred", "alias", "consent", ""),
    (403, "ErrorSendAsDenied", "", "deferred", "alias", "from_refused", ""),
    (
        404,
        "MailboxNotEnabledForRESTAPI",
        "",
        "deferred",
        "alias",
        "mailbox_missing",
        "",
    ),
    (
        403,
        "MailboxNotEnabledForRESTAPI",
        "",
        "deferred",
        "alias",
        "mailbox_missing",
        "",
    ),
    (404, "ErrorNonExistentMailbox", "", "deferred", "alias", "mailbox_missing", ""),
    (404, "ResourceNotFound", "", "deferred", "alias", "provider", ""),
    (400, "ErrorInvalidRecipients", "", "refused", "recipient", None, ""),
    (400, "ErrorMessageSizeExceeded", "", "refused", "mail", None, ""),
    (413, "RequestEntityTooLarge", "", "refused", "mail", None, ""),
    (400, "ErrorMimeContentInvalid", "", "refused", "mail", None, ""),
    (429, "ApplicationThrottled", "", "deferred", "alias", None, "throttled"),
    (429, "ErrorExceededMessageLimit", "", "deferred", "alias", None, "quota"),
    (403, "ErrorExceededMessageLimit", "", "deferred", "alias", None, "quota"),
    (507, "ErrorQuotaExceeded", "", "uncertain", "mail", None, ""),
    (403, "ErrorQuotaExceeded", "", "deferred", "alias", "mailbox_full", ""),
    (400, "ErrorQuotaExceeded", "", "deferred", "alias", "mailbox_full", ""),
    (403, "ErrorMessageSubmissionBlocked", "", "deferred", "alias", "suspended", ""),
    (403, "ErrorAccountSuspend", "", "deferred", "alias", "suspended", ""),
    (409, "ErrorIrresolvableConflict", "", "refused", "mail", None, ""),
    (408, "", "", "deferred", "alias", None, ""),
    (500, "ErrorInternalServerError", "", "uncertain", "mail", None, ""),
    (502, "", "", "uncertain", "mail", None, ""),
    (503, "ServiceUnavailable", "", "uncertain", "mail", None, ""),
    (504, "", "", "uncertain", "mail", None, ""),
    (509, "", "", "deferred", "alias", None, "throttled"),
    (403, "userRateLimitExceeded", "", "deferred", "alias", None, "throttled"),
    (403, "rateLimitExceeded", "", "deferred", "alias", None, "throttled"),
    (429, "RATE_LIMIT_EXCEEDED", "", "deferred", "alias", None, "throttled"),
    (429, "rateLimitExceeded", SLOWLY, "deferred", "alias", None, "throttled"),
    (429, "rateLimitExceeded", ENOUGH, "deferred", "alias", None, "quota"),
    (403, "dailyLimitExceeded", "", "deferred", "alias", None, "quota"),
    (403, "quotaExceeded", "", "deferred", "alias", None, "quota"),
    (403, "domainPolicy", "", "deferred", "alias", "admin_policy", ""),
    (403, "accessNotConfigured", "", "deferred", "alias", "provider", ""),
    (403, "SERVICE_DISABLED", "", "deferred", "alias", "provider", ""),
    (403, "insufficientPermissions", "", "deferred", "alias", "consent", ""),
    (403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "", "deferred", "alias", "consent", ""),
    (403, "delegationDenied", "", "deferred", "alias", "from_refused", ""),
    (400, "failedPrecondition", NO_MAIL, "deferred", "alias", "mailbox_missing", ""),
    (400, "invalidArgument", NOBODY, "refused", "recipient", None, ""),
    (400, "invalidArgument", "Invalid To header", "refused", "recipient", None, ""),
    (400, "badRequest", "", "refused", "mail", None, ""),
    (200, "", "", "uncertain", "mail", None, ""),
    (302, "", "", "deferred", "alias", "provider", ""),
)


def ask(status, code="", text="", phase=Phase.DOT, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = Answer(status, headers, {}, phase)
    return judge(answer, Reply(status, None, f"{code} {text}".strip()), code)


@tagged("-at_install", "post_install")
class TestOutcome(BaseCase):
    def test_matrix(self):
        for status, code, text, kind, scope, hold, flags in MATRIX:
            with self.subTest(status=status, code=code, text=text):
                outcome = ask(status, code, text)
                self.assertEqual(
                    (outcome.kind, outcome.scope, outcome.hold), (kind, scope, hold)
                )
                self.assertEqual(outcome.throttled, "throttled" in flags)
                self.assertEqual(outcome.quota, "quota" in flags)
                self.assertIn(outcome.reason, SENTENCES)
                self.assertIn(str(status), explain(outcome, "The provider"))

    def test_server_error_before_the_end_of_the_request_is_tried_again_later(self):
        for status in (500, 502, 503, 504):
            outcome = ask(status, phase=Phase.BODY)
            self.assertEqual((outcome.kind, outcome.scope), ("deferred", "alias"))

    def test_unavailable_that_says_when_to_come_back_was_not_processed(self):
        outcome = ask(503, Retry_After="120")
        self.assertEqual(outcome.kind, "deferred")
        self.assertTrue(outcome.throttled)
        self.assertEqual(outcome.wait, 120.0)

    def test_wait_is_read_in_each_form_and_bounded(self):
        for asked, expected in (
            ("7", 7.0),
            ("0", 0.0),
            ("999999999999", 86_400.0),
            ("-5", 0.0),
            ("soon", 0.0),
            ("", 0.0),
            (email.utils.formatdate(time.time() + 60), 60.0),
            (email.utils.formatdate(time.time() - 60), 0.0),
        ):
            wait = ask(429, Retry_After=asked).wait
            self.assertAlmostEqual(wait, expected, delta=2, msg=asked)
        moment = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() + 90))
        outcome = ask(429, text=f"User-rate limit exceeded. Retry after {moment}")
        self.assertAlmostEqual(outcome.wait, 90.0, delta=2)
