"""What a provider's answer means for the mail, its recipient and its alias.

One table for all providers: the first row that fits wins. What is in no row is judged
by its status: a client error (4xx) is final for the mail, for the provider says that it
did not take it; a server error (5xx) after all of the request had left is uncertain.

Sources: learn.microsoft.com/graph/errors, .../graph/throttling and
.../exchange/client-developer/web-service-reference/responsecode;
developers.google.com/workspace/gmail/api/guides/handle-errors.
"""

import email.utils
import re
import ssl
import time
from typing import NamedTuple

from ..base import Outcome
from ..smtp.reply import Phase, Reply, sanitise
from .exchange import Answer, Broken

LONGEST_WAIT = 86_400.0  # s; what a provider may ask for at most

SENTENCES = {
    "unreachable": "The provider cannot be reached.",
    "timeout": "The provider did not answer in time.",
    "certificate": "The certificate of the provider's server is not valid, so nothing"
    " was sent to it: ask your administrator.",
    "lost": "The connection to the provider broke off.",
    "unknown_outcome": "The provider has not confirmed the email: it may or may not"
    " have been sent.",
    "sign_in": "The provider refused the sign-in: sign in again.",
    "consent": "The permission to send email is missing: sign in again and grant it, or"
    " ask the administrator of your mailbox.",
    "admin_policy": "A policy of your organisation forbids it: ask the administrator of"
    " your mailbox.",
    "provider": "The provider does not let this application send: ask your"
    " administrator.",
    "mailbox_missing": "This account has no mailbox at the provider, or no licence for"
    " one: ask the administrator of your mailbox.",
    "from_refused": "This account may not send as this From Address: enter an address"
    " that belongs to the account.",
    "suspended": "The provider has blocked this account from sending: ask the provider,"
    " then click Resume.",
    "mailbox_full": "The mailbox of this account is full: the provider sends nothing"
    " until there is room.",
    "throttled": "The provider asks to send more slowly.",
    "quota": "The provider's limit on sent emails is reached for now.",
    "unavailable": "The provider is not available at the moment.",
    "recipient": "The provider refused the recipient.",
    "too_big": "The email is too big for the provider.",
    "unsafe": "The email holds header lines that could be misused: check subject and"
    " names for line breaks.",
    "content": "The provider cannot read the email.",
    "draft": "The email, which is large, could not be put together at the provider.",
    "draft_permission": "The permission that large emails need is missing: sign in"
    " again, or ask your administrator. It is tried again by itself.",
    "recipients": "The provider would send the email to others than those you named, so"
    " it was not sent.",
    "refused": "The provider refused the email.",
    "internal": "The email could not be submitted because of an internal error.",
}

# The same where no person has signed in: nobody can sign in again.
ORGANISATION_SENTENCES = {
    "sign_in": "The provider refused the organisation account: ask your administrator.",
    "consent": "The organisation account may not send for this mailbox: ask your"
    " administrator.",
    "draft_permission": "The application permission that large emails need is missing:"
    " ask your administrator. It is tried again by itself.",
    "mailbox_missing": "This mailbox does not exist at the provider, or has no licence:"
    " ask your administrator.",
    "from_refused": "This mailbox may not send as this From Address: ask your"
    " administrator.",
}


class _Row(NamedTuple):
    """What follows from an answer.

    ``status`` holds beginnings, ``code`` a pattern for the provider's error code or
    reason, ``text`` one for its words; empty fits all.
    """

    kind: str
    scope: str
    reason: str
    status: str = ""
    code: str = ""
    text: str = ""
    flag: str = ""


def _hold(reason, **when):
    return _Row("hold", "alias", reason, **when)


def _wait(reason, flag="", **when):
    return _Row("deferred", "alias", reason, flag=flag, **when)


def _final(scope, reason, **when):
    return _Row("refused", scope, reason, **when)


_TABLE = (
    _hold("sign_in", status="401"),
    _hold("mailbox_full", code="ErrorQuotaExceeded|ErrorMailboxQuota"),
    # How much the account may send.
    _wait("quota", "quota", code="ErrorExceededMessageLimit|ErrorMessageCountLimit"),
    _wait("quota", "quota", status="403 429", code="dailyLimit|quotaExceeded"),
    _wait(
        "quota", "quota", status="403 429", text=r"mail sending|daily (user )?sending"
    ),
    _wait("throttled", "throttled", status="429 509"),
    _wait("throttled", "throttled", status="403", code="rateLimit|RATE_LIMIT"),
    # Who it is, and what it may do.
    _hold("from_refused", code="ErrorSendAsDenied|ErrorSendOnBehalf|delegationDenied"),
    _hold("suspended", code="ErrorMessageSubmissionBlocked|ErrorAccountSuspend"),
    _hold(
        "mailbox_missing",
        code="MailboxNotEnabledForRESTAPI|MailboxNotSupportedForRESTAPI"
        "|ErrorNonExistentMailbox|ErrorInvalidUser|Request_ResourceNotFound"
        "|MailboxMoveInProgress",
    ),
    _hold("mailbox_missing", status="400", text=r"mail service not enabled"),
    _hold("provider", code="accessNotConfigured|SERVICE_DISABLED"),
    _hold("admin_policy", code="domainPolicy|ConditionalAccess|ACCESS_BLOCKED"),
    _hold("consent", status="403"),
    # The mail.
    _final("recipient", "recipient", code="ErrorInvalidRecipients|ErrorRecipient"),
    _final(
        "recipient",
        "recipient",
        status="400",
        text=r"recipient address required|invalid (to|cc|bcc) header",
    ),
    _final("mail", "too_big", status="413"),
    _final("mail", "too_big", code="ErrorMessageSizeExceeded|uploadTooLarge"),
    _final("mail", "content", code="ErrorMimeContent"),
    # Where nothing like it can be asked: the address in the settings.
    _hold("provider", status="3 404 405"),
    _wait("unavailable", status="408 423"),
    _final("mail", "refused", status="4"),
)

# Exceptions of the connection: the first type that fits names the reason.
_BROKEN = (
    (ssl.SSLCertVerificationError, "certificate"),
    (TimeoutError, "timeout"),
)


def judge(answer: Answer, reply: Reply, code: str) -> Outcome:
    """Return the outcome of an answer that is no success.

    :param reply: the same in words
    :param code: the provider's own code or reason
    """
    wait = _get_wait(answer.headers, reply.text)
    if answer.status >= 500 and answer.status != 509:
        # 503 with Retry-After says that it was not processed (RFC 9110 15.6.4).
        says_no = answer.status == 503 and "Retry-After" in answer.headers
        if answer.phase is Phase.DOT and not says_no:
            return Outcome("uncertain", "mail", "unknown_outcome", reply=reply)
        reason = "throttled" if says_no else "unavailable"
        return Outcome(
            "deferred", "alias", reason, throttled=says_no, wait=wait, reply=reply
        )
    for row in _TABLE:
        if _fits(row, answer.status, code, reply.text):
            break
    else:
        # Neither the success that is documented nor a failure.
        return Outcome("uncertain", "mail", "unknown_outcome", reply=reply)
    hold = row.reason if row.kind == "hold" else None
    kind = "deferred" if hold else row.kind
    flags = dict.fromkeys(row.flag.split(), True)
    return Outcome(
        kind, row.scope, row.reason, hold=hold, wait=wait, reply=reply, **flags
    )


def _fits(row, status, code, text):
    return (
        (not row.status or str(status).startswith(tuple(row.status.split())))
        and (not row.code or bool(re.search(row.code, code, re.IGNORECASE)))
        and (not row.text or bool(re.search(row.text, text, re.IGNORECASE)))
    )


def judge_broken(broken: Broken) -> Outcome:
    """Return the outcome of a request without an answer."""
    if broken.phase is Phase.DOT:
        return Outcome("uncertain", "mail", "unknown_outcome")
    causes = list(_get_causes(broken.cause))
    for types, reason in _BROKEN:
        found = next((cause for cause in causes if isinstance(cause, types)), None)
        if found is not None:
            detail = sanitise(getattr(found, "verify_message", ""))
            return Outcome("deferred", "alias", reason, detail=detail)
    reason = "unreachable" if broken.phase is Phase.CONNECT else "lost"
    return Outcome("deferred", "alias", reason)


def _get_causes(error):
    """Yield an exception and those it wraps; urllib3 and requests hide them deep."""
    seen, left = set(), [error]
    while left:
        error = left.pop()
        if id(error) in seen or not isinstance(error, BaseException):
            continue
        seen.add(id(error))
        yield error
        left += [
            *error.args,
            error.__cause__,
            error.__context__,
            getattr(error, "reason", None),
        ]


def _get_wait(headers, text):
    """Return how many seconds the provider wants us to wait (RFC 9110 10.2.3)."""
    asked = headers.get("Retry-After", "").strip()
    if asked.isdecimal():
        return min(float(asked[:9]), LONGEST_WAIT)
    moment = email.utils.parsedate_tz(asked) if asked else None
    if moment:
        left = email.utils.mktime_tz(moment) - time.time()
        return min(max(left, 0.0), LONGEST_WAIT)
    # Gmail says it in words: "Retry after 2026-01-31T12:00:00.000Z"
    found = re.search(r"retry after (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)", text, re.I)
    if found:
        parts = time.strptime(found[1], "%Y-%m-%dT%H:%M:%S")
        left = email.utils.mktime_tz((*parts[:6], 0, 1, -1, 0)) - time.time()
        return min(max(left, 0.0), LONGEST_WAIT)
    return 0.0


def explain(outcome: Outcome, label: str, whose: str = "person") -> str:
    """Return the English sentence on an outcome, the provider's own words behind it.

    :param whose: the account is a ``person``'s, or the ``organisation``'s
    """
    sentences = ORGANISATION_SENTENCES if whose == "organisation" else {}
    sentence = sentences.get(outcome.reason) or SENTENCES.get(
        outcome.reason, SENTENCES["internal"]
    )
    if outcome.reply and outcome.reply.is_ours:
        return f"{sentence} ({outcome.reply})"
    if outcome.reply:
        return f'{sentence} {label} said: "{outcome.reply}"'
    return f"{sentence} ({outcome.detail})" if outcome.detail else sentence
