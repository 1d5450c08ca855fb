"""What a reply or an exception means for the mail, its recipient and its alias.

One table. The enhanced status code (RFC 3463) counts first, then the basic code
(RFC 5321 4.2), then the text: rows are read from the top, the first that fits wins.
"""

import re
import smtplib
import ssl
from dataclasses import replace
from typing import NamedTuple

from ..base import Outcome
from . import words
from .reply import WITHOUT_MAIL, Phase, Reply, sanitise

__all__ = ["SENTENCES", "Outcome", "Phase", "Reply", "classify", "explain", "sanitise"]


SENTENCES = {
    "sent": "Sent.",
    "unreachable": "The mail server cannot be reached: check its name and port.",
    "timeout": "The mail server did not answer in time.",
    "lost": "The connection to the mail server broke off.",
    "unknown_outcome": "The connection broke off before the mail server confirmed the"
    " email: it may or may not have been sent.",
    "certificate": "The certificate of the mail server is not valid, so nothing was"
    " sent to it: check the server name, or ask its operator.",
    "tls_failed": "No secure connection to the mail server could be made: check the"
    " port (465 for TLS, 587 for STARTTLS).",
    "starttls_missing": "The mail server does not offer STARTTLS on this port, so"
    " nothing was sent to it: check the port.",
    "protocol": "What answers on this port does not speak SMTP: check server and port.",
    "unavailable": "The mail server is not available at the moment.",
    "throttled": "The mail server asks to send more slowly.",
    "rate": "The mail server limits how many emails may be sent in a while.",
    "session": "The mail server takes no more emails on one connection.",
    "pipelining": "The mail server lost commands that were sent in one go; from now on"
    " they are sent one after the other.",
    "quota": "The provider's limit on sent emails is reached for now.",
    "login_limit": "The mail server takes no more logins for now; it is tried again by"
    " itself.",
    "recipient_limit": "The recipient takes no more emails for now; it is tried again"
    " by itself.",
    "greylisted": "The mail server asks to try again later.",
    "busy": "The mail server could not take the email at the moment.",
    "split": "The mail server takes fewer recipients at once.",
    "password": "The mail server refused user name or password: check both and click"
    " Test Connection.",
    "sign_in": "The provider refused the sign-in: sign in again.",
    "smtp_auth_disabled": "Sending by SMTP is disabled for this mailbox or"
    " organisation: its administrator must enable authenticated SMTP (SMTP AUTH).",
    "auth_missing": "The mail server offers no login that can be used here: check the"
    " port, or leave user name and password empty.",
    "login_missing": "The mail server takes no mail without a login: enter user name"
    " and password.",
    "tls": "The mail server demands encryption: untick Disable SSL/TLS.",
    "from_refused": "This account may not send as this From Address: enter an address"
    " that belongs to the account.",
    "ehlo_name": "The mail server does not accept the name by which this server"
    " greets it: the administrator must set the system parameter"
    " user_email_alias.ehlo_name to the server's full name.",
    "from_later": "The mail server does not take this From Address for now; it is tried"
    " again by itself. If this stays, check the address.",
    "client_later": "The mail server takes nothing from the address of this Odoo server"
    " for now; it is tried again by itself. If this stays, ask your administrator.",
    "relay_later": "The mail server forwards no mail for this account for now; it is"
    " tried again by itself. If this stays, check user name, password and server.",
    "account": "The mail server takes no email from this account: do what it says, then"
    " click Resume.",
    "own_address": "The mail server refuses mail to the alias's own From Address:"
    " answers would not arrive, so check the address.",
    "unverified": "The provider sends only what it has verified: have the From"
    " Address, its domain or the account verified there, then click Test Connection.",
    "suspended": "The provider has blocked this account from sending: ask the"
    " provider, then click Resume.",
    "client_blocked": "The mail server takes nothing from the address of this Odoo"
    " server: ask your administrator, then click Resume.",
    "relay_refused": "The mail server forwards no mail for this account: check user"
    " name, password and server.",
    "mailbox_full": "The mailbox of this account is full: the provider sends nothing"
    " until there is room.",
    "vault": "The stored password or sign-in cannot be decrypted.",
    "unsafe": "The email holds header lines that could be misused: check subject and"
    " names for line breaks.",
    "smtputf8_missing": "The mail server cannot deliver to addresses with letters"
    " other than English ones before the @.",
    "too_big": "The email is too big for the mail server.",
    "content": "The mail server refused the content of the email.",
    "recipient": "The mail server refused the recipient.",
    "refused": "The mail server refused the email.",
    "internal": "The email could not be submitted because of an internal error.",
}

_ENVELOPE = (Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.BODY, Phase.DOT)
_RECIPIENT = _ENVELOPE[1:]
_AUTH, _MAIL, _RCPT = (Phase.AUTH,), (Phase.MAIL,), (Phase.RCPT,)
_NOBODY = "5.1.1 5.1.2 5.1.3 5.1.6 5.1.10 5.2.1 5.2.2"


class _Row(NamedTuple):
    """One row of the table: the conditions that must all hold, then what follows.

    Several codes are separated by spaces. A basic code fits from its first digit on
    (``5`` is any 5yz), an enhanced one that ends in a dot likewise (``4.7.``).
    """

    kind: str  # "hold": deferred, and the alias waits for its user
    scope: str
    reason: str
    enhanced: str = ""
    code: str = ""
    phase: tuple = ()
    text: str = ""
    flag: str = ""


def _hold(reason, **when):
    return _Row("hold", "alias", reason, **when)


def _later(scope, reason, **when):
    return _Row("deferred", scope, reason, **when)


def _final(scope, reason, **when):
    return _Row("refused", scope, reason, **when)


_TABLE = (
    _Row("sent", "mail", "sent", code="2", phase=(Phase.DOT,)),
    # The login. Repeating a refused one locks accounts.
    _hold("password", enhanced="5.7.139", text=words.WRONG_LOGIN),
    _hold("smtp_auth_disabled", enhanced="5.7.139"),
    _later("alias", "quota", code="4 5", phase=_AUTH, text=words.DAILY, flag="quota"),
    _later("alias", "login_limit", code="4 5", text=words.LOGIN_LIMIT, phase=_AUTH),
    _hold("password", enhanced="5.7.30 5.7.57 5.7.8"),
    _hold("tls", enhanced="5.7.11"),
    _hold("tls", code="538"),
    _hold("tls", code="530", text=r"STARTTLS|TLS required"),
    _hold("password", code="530 534 535"),
    _hold("password", code="432", phase=_AUTH),  # 4.7.12, RFC 4954 6
    _hold("password", code="5", phase=_AUTH),
    # The recipient, whatever its server adds on limits and mailboxes.
    _hold("mailbox_full", code="5", text=words.OWN_MAILBOX),
    _final("mail", "recipient", enhanced=_NOBODY, phase=_RECIPIENT),
    _later("mail", "busy", enhanced="4.1.1 4.1.2 4.1.3 4.2.1 4.2.2", phase=_RECIPIENT),
    _later("mail", "greylisted", code="4", text=words.GREYLIST),
    _later("mail", "recipient_limit", code="4 5", text=words.THEIR_LIMIT, phase=_RCPT),
    _final("mail", "recipient", code="5", text=words.THEIR_STATE, phase=_RCPT),
    # The account: who it is, what it may send as, and how much.
    _hold("ehlo_name", code="4 5", text=words.EHLO_NAME),
    _hold("from_refused", enhanced="5.7.60 5.2.252 5.1.7 5.1.8"),
    _hold("from_refused", code="5", text=words.SENDER),
    _hold("unverified", code="5", text=words.UNVERIFIED, phase=_ENVELOPE),
    _later("mail", "split", code="4 5", text=words.PER_MESSAGE, flag="split"),
    _later("alias", "quota", enhanced="5.4.5 5.7.232 5.7.233 5.7.705", flag="quota"),
    _later("alias", "quota", code="4 5", text=words.DAILY, flag="quota"),
    _later(
        "alias", "quota", enhanced="5.2.0", text=r"limit|quota|exceed", flag="quota"
    ),
    _hold("suspended", enhanced="5.7.501 5.7.502 5.7.503", phase=_ENVELOPE),
    _hold("suspended", code="5", text=words.SUSPENDED, phase=_ENVELOPE),
    _hold("client_blocked", code="5", text=words.CLIENT),
    _hold("relay_refused", code="5", text=words.RELAY, phase=_ENVELOPE),
    _hold("login_missing", code="5", text=words.LOGIN, phase=_ENVELOPE),
    _later(
        "alias",
        "session",
        code="4 5",
        text=words.SESSION,
        phase=_ENVELOPE,
        flag="throttled session",
    ),
    _later("mail", "split", enhanced="4.5.3 5.5.3", text=words.NOT_RATE, flag="split"),
    _later("mail", "split", code="452 552", text=words.SPLIT, flag="split"),
    _final("mail", "too_big", enhanced="5.3.4 5.2.3"),
    _final("mail", "too_big", code="552", text=words.SIZE, phase=_MAIL),
    # The server as a whole, or the pace.
    _later("alias", "starttls_missing", code="4 5", phase=(Phase.TLS,)),
    _later("alias", "rate", code="4 5", text=words.RATE, flag="throttled"),
    _later("alias", "from_later", enhanced="4.1.7 4.1.8"),
    _later("alias", "from_later", code="4", text=words.SENDER),
    _later("alias", "client_later", code="4", text=words.CLIENT),
    _later("alias", "relay_later", code="4", text=words.RELAY, phase=_ENVELOPE),
    # 454 to AUTH is a failure of the login service, RFC 4954 6.
    _later("alias", "unavailable", code="454", phase=_AUTH),
    _later("alias", "throttled", code="432 454", flag="throttled"),
    _later("alias", "throttled", code="421 451", enhanced="4.7.", flag="throttled"),
    _later(
        "alias", "throttled", code="450", enhanced="4.7.", phase=_MAIL, flag="throttled"
    ),
    _later("mail", "throttled", code="450", enhanced="4.7.", flag="throttled"),
    _later("alias", "unavailable", code="421"),
    # The sender. MAIL FROM is the same for each email of an alias, but for the size:
    # no single mail is to blame.
    _later("alias", "unavailable", code="450 451 503", phase=_MAIL),
    _later("alias", "unavailable", code="5", text=words.LATER, phase=_MAIL),
    _hold("mailbox_full", code="552", text=words.FULL, phase=_MAIL),
    _hold("account", code="5", text=words.ABOUT_ACCOUNT.pattern, phase=_MAIL),
    _hold("from_refused", code="501 525 550 551 553 554", phase=_MAIL),
    _hold("account", code="5", phase=_MAIL),
    # The recipient, the mail.
    _later("mail", "busy", code="5", text=words.LATER, phase=_ENVELOPE),
    _final("recipient", "recipient", code="5", phase=_RCPT),
    _final("mail", "content", enhanced="5.7. 5.6.", code="552"),
    _final("mail", "too_big", code="552", text=words.TOO_BIG),
    _later("mail", "busy", code="4"),
    _final("mail", "refused", code="5"),
)


def classify(
    phase: Phase, cause, *, oauth: bool = False, recipient: str = ""
) -> Outcome:
    """Return the outcome on a reply or an exception.

    :param cause: a `Reply`, or an exception. One that carries a ``outcome`` keeps
        it; one that carries a ``hold`` (a reason) puts the alias on hold.
    :param oauth: the alias logs in with a provider's consent, not with a password
    :param recipient: whom a reply to RCPT was given for
    """
    if isinstance(cause, smtplib.SMTPResponseException):
        cause = Reply.parse(cause.smtp_code, cause.smtp_error)
    if isinstance(cause, Reply):
        outcome = _from_reply(phase, cause, recipient)
    else:
        outcome = _from_exception(phase, cause)
    if oauth and outcome.hold == "password":
        outcome = replace(outcome, reason="sign_in", hold="sign_in")
    return outcome


def _from_reply(phase, reply, recipient=""):
    text = words.name_addressee(reply.text, recipient) if recipient else reply.text
    for row in _TABLE:
        if _fits(row, phase, reply, text):
            return _apply(row, phase, reply)
    # Neither 2yz, 4yz nor 5yz, or a success where none could be.
    if phase is Phase.DOT:
        return Outcome("uncertain", "mail", "unknown_outcome", reply=reply)
    return Outcome("deferred", "alias", "protocol", reply=reply)


def _fits(row, phase, reply, text):
    return (
        (not row.phase or phase in row.phase)
        and (not row.code or str(reply.code).startswith(tuple(row.code.split())))
        and (not row.enhanced or _has_enhanced(reply, row.enhanced.split()))
        and (not row.text or bool(re.search(row.text, text, re.IGNORECASE)))
    )


def _has_enhanced(reply, wanted):
    enhanced = reply.enhanced or ""
    return any(
        enhanced.startswith(item) if item.endswith(".") else enhanced == item
        for item in wanted
    )


def _apply(row, phase, reply):
    """Return the row's outcome, narrowed to what the phase can concern."""
    kind, scope, reason, hold = row.kind, row.scope, row.reason, None
    flag = row.flag
    if kind == "hold":
        kind, hold = "deferred", reason
    elif phase in WITHOUT_MAIL and scope != "alias":
        kind, scope, reason = "deferred", "alias", "unavailable"
        flag = "throttled" if flag == "throttled" else ""
    elif phase is Phase.RCPT and kind == "refused":
        scope = "recipient"
    flags = dict.fromkeys(flag.split(), True)
    return Outcome(kind, scope, reason, hold=hold, reply=reply, **flags)


# What our own side finds wrong; an exception names it in its attribute ``fault``.
_FAULTS = {
    "unreachable": ("deferred", "alias"),
    "starttls_missing": ("deferred", "alias"),
    "protocol": ("deferred", "alias"),
    "auth_missing": ("hold", "alias"),
    "password": ("hold", "alias"),
    "unsafe": ("refused", "mail"),
    "smtputf8_missing": ("refused", "mail"),
}

# Exceptions of the connection: the first type that fits names the reason.
_BROKEN_CONNECTION = (
    (ssl.SSLCertVerificationError, "certificate"),
    (TimeoutError, "timeout"),
    (ssl.SSLError, "tls_failed"),
    ((OSError, EOFError, smtplib.SMTPServerDisconnected), "lost"),
)


def _from_exception(phase, error):
    known = getattr(error, "outcome", None)
    if isinstance(known, Outcome):
        return known
    hold = getattr(error, "hold", None)
    if hold:
        detail = sanitise(str(error))
        return Outcome("deferred", "alias", hold, hold=hold, detail=detail)
    if phase is Phase.DOT:
        return Outcome("uncertain", "mail", "unknown_outcome")
    fault = getattr(error, "fault", None)
    if fault in _FAULTS:
        kind, scope = _FAULTS[fault]
        if kind == "hold":
            return Outcome("deferred", scope, fault, hold=fault)
        return Outcome(kind, scope, fault, detail=getattr(error, "hint", ""))
    for types, reason in _BROKEN_CONNECTION:
        if isinstance(error, types):
            return _broken_connection(phase, reason, error)
    detail = f"{type(error).__name__}: {sanitise(str(error))}"
    scope = "alias" if phase in WITHOUT_MAIL else "mail"
    return Outcome("deferred", scope, "internal", detail=detail)


def _broken_connection(phase, reason, error):
    """After the handshake an error of the TLS layer only means a cut connection."""
    detail = ""
    if reason in ("certificate", "tls_failed"):
        if phase not in (Phase.CONNECT, Phase.TLS):
            reason = "lost"
        elif reason == "certificate":
            detail = sanitise(error.verify_message or "")
    return Outcome("deferred", "alias", reason, detail=detail)


def counts_mails(outcome: Outcome) -> bool:
    """Tell whether a refused connection says how many emails it takes.

    Not if it minds errors, or other connections.
    """
    if not outcome.session or not outcome.reply:
        return False
    return not re.search(words.ERRORS, outcome.reply.text, re.IGNORECASE)


def asks_for_login(reply: Reply) -> bool:
    """Tell whether a refusal without a login may be for want of one.

    Not if it is about addresses (x.1, x.2, x.4): "access denied" says Exchange of a
    recipient it does not know.
    """
    subject = (reply.enhanced or "..").split(".")[1]
    if subject in ("1", "2", "4"):
        return False
    pattern = words.ASKS_FOR_LOGIN + (r"|access denied" if subject == "7" else "")
    return bool(re.search(pattern, reply.text, re.IGNORECASE))


def explain(outcome: Outcome) -> str:
    """Return the English sentence on an outcome, the server's own words behind it."""
    sentence = SENTENCES.get(outcome.reason, SENTENCES["internal"])
    if outcome.reply and outcome.reply.is_ours:
        return f"{sentence} ({outcome.reply})"
    if outcome.reply:
        return f'{sentence} The mail server said: "{outcome.reply}"'
    return f"{sentence} ({outcome.detail})" if outcome.detail else sentence
