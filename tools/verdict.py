"""What a reply or an exception means for the mail, its recipient and its alias.

One table. The enhanced status code (RFC 3463) counts first, then the basic code
(RFC 5321 4.2), then the text: rows are read from the top, the first that fits wins.
"""

import enum
import re
import smtplib
import ssl
import unicodedata
from dataclasses import dataclass, replace
from typing import NamedTuple

MAX_TEXT = 1000  # characters of a server's reply that are kept and shown


class Phase(enum.Enum):
    """How far the conversation with the mail server had come."""

    CONNECT = "connect"
    TLS = "tls"
    EHLO = "ehlo"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"  # between the 354 and the final dot
    DOT = "dot"  # the final dot may have left: the server may own the mail
    RESET = "reset"
    QUIT = "quit"


BEFORE_MAIL = frozenset({Phase.CONNECT, Phase.TLS, Phase.EHLO, Phase.AUTH})

_ENHANCED = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?=\s|$|[:;,-])", re.ASCII)


@dataclass(frozen=True)
class Reply:
    """A server's reply, with its text made safe to show."""

    code: int
    enhanced: str | None
    text: str

    @classmethod
    def parse(cls, code: int, text: bytes | str) -> "Reply":
        """Read a reply whose lines are separated by line breaks.

        An enhanced code of another class than the basic code is no enhanced code
        (RFC 2034 4). It is cut from the beginning of each line (RFC 2034 3).
        """
        if isinstance(text, bytes):
            text = text[: 8 * MAX_TEXT].decode("utf-8", "replace")
        enhanced, lines = None, []
        for line in text[: 8 * MAX_TEXT].splitlines():
            match = _ENHANCED.match(line)
            if match and match[1] == str(code)[:1]:
                enhanced = enhanced or match[0]
                line = line[match.end() :]
            lines.append(line)
        return cls(code, enhanced, sanitise(" ".join(lines)))

    def __str__(self):
        return " ".join(
            str(part) for part in (self.code, self.enhanced, self.text) if part
        )


def sanitise(text: str) -> str:
    """Return text of a stranger on one line, without invisible characters, capped."""
    shown = "".join(
        char if unicodedata.category(char)[0] != "C" else " "
        for char in text[: 8 * MAX_TEXT]
    )
    return " ".join(shown.split())[:MAX_TEXT]


@dataclass(frozen=True)
class Verdict:
    """What the queue has to do.

    ``kind``: ``sent``, ``deferred``, ``refused`` or ``uncertain``.
    ``scope``: whom it concerns: ``mail``, ``alias`` or ``recipient``.
    ``reason``: a key of `SENTENCES`.
    ``hold``: the reason again where the alias must wait for its user, else None.
    ``quota``: the provider's window of 24 h must pass first.
    ``throttled``: the alias should send more slowly for a while.
    ``split``: the same mail may pass with fewer recipients at once.
    ``reply``: the server's own words, if it said anything.
    ``detail``: what a library said, e.g. why a certificate is not valid.
    """

    kind: str
    scope: str
    reason: str
    hold: str | None = None
    quota: bool = False
    throttled: bool = False
    split: bool = False
    reply: Reply | None = None
    detail: str = ""


SENTENCES = {
    "sent": "Sent.",
    "unreachable": "The mail server cannot be reached: check its name and port.",
    "timeout": "The mail server did not answer in time.",
    "lost": "The connection to the mail server broke off.",
    "unknown_outcome": "The connection broke off before the mail server confirmed the"
    " e-mail: it may or may not have been sent.",
    "certificate": "The certificate of the mail server is not valid, so nothing was"
    " sent to it: check the server name, or ask its operator.",
    "tls_failed": "No secure connection to the mail server could be made: check the"
    " port (465 for TLS, 587 for STARTTLS).",
    "starttls_missing": "The mail server does not offer STARTTLS on this port, so"
    " nothing was sent to it: check the port.",
    "protocol": "What answers on this port does not speak SMTP: check server and port.",
    "unavailable": "The mail server is not available at the moment.",
    "throttled": "The mail server asks to send more slowly.",
    "quota": "The provider's limit on sent e-mails is reached for now.",
    "greylisted": "The mail server asks to try again later.",
    "busy": "The mail server could not take the e-mail at the moment.",
    "split": "The mail server takes fewer recipients at once.",
    "password": "The mail server refused user name or password: check both and click"
    " Test Connection.",
    "sign_in": "The provider refused the sign-in: sign in again.",
    "smtp_auth_disabled": "Sending by SMTP is disabled for this mailbox or"
    " organisation: its administrator must enable authenticated SMTP (SMTP AUTH).",
    "auth_missing": "The mail server offers no login that can be used here: check the"
    " port, or leave user name and password empty.",
    "tls": "The mail server demands encryption: untick Disable SSL/TLS.",
    "from_refused": "This account may not send as this From Address: enter an address"
    " that belongs to the account.",
    "relay_refused": "The mail server forwards no mail for this account: check user"
    " name, password and server.",
    "mailbox_full": "The mailbox of this account is full: the provider sends nothing"
    " until there is room.",
    "vault": "The stored password or sign-in cannot be decrypted.",
    "unsafe": "The e-mail holds header lines that could be misused: check subject and"
    " names for line breaks.",
    "smtputf8_missing": "The mail server cannot deliver to addresses with letters"
    " other than English ones before the @.",
    "too_big": "The e-mail is too big for the mail server.",
    "recipient": "The mail server refused the recipient.",
    "refused": "The mail server refused the e-mail.",
    "internal": "The e-mail could not be handed over because of an internal error.",
}

_LIMIT = (
    r"(daily|per day|24.?h).{0,40}(limit|quota)|(limit|quota).{0,40}(daily|per day|24.?h)"
    r"|SubmissionQuotaExceeded|RecipientLimitExceeded|message quota exceeded"
)
_RATE = (
    r"\brate.?limit|limit.{0,20}\brate\b|throttl|slow.?down|too many (messages|mails|e-mails)"
    r"|too (fast|quick)|send(ing)? (limit|rate)|rate exceeded"
)
_SENDER = (
    r"send.?as|sender address rejected|not owned by|not allowed to send (as|from)"
    r"|client does not have permissions to send"
)


class _Row(NamedTuple):
    """One row of the table: the conditions that must all hold, then what follows.

    ``codes`` and ``enhanced`` are matched from the first character on: ``"5"`` is any
    5yz, ``"4.7."`` any 4.7.x; a full code is compared as a whole.
    """

    kind: str  # "hold" = deferred, and the alias waits for its user
    scope: str
    reason: str
    enhanced: tuple = ()
    codes: tuple = ()
    phases: tuple = ()
    text: str = ""
    flags: tuple = ()


_TABLE = (
    _Row("sent", "mail", "sent", codes=("2",), phases=(Phase.DOT,)),
    # Texts and codes that say more than their basic code.
    _Row("hold", "alias", "smtp_auth_disabled", enhanced=("5.7.139",)),
    _Row("hold", "alias", "password", enhanced=("5.7.30",)),
    _Row("hold", "alias", "password", codes=("432",), phases=(Phase.AUTH,)),
    _Row("hold", "alias", "mailbox_full", codes=("5",), text=r"STOREDRV.{0,80}: ?QuotaExceeded"),
    _Row("hold", "alias", "from_refused", enhanced=("5.7.60", "5.2.252", "5.1.7", "5.1.8")),
    _Row("hold", "alias", "from_refused", codes=("5",), text=_SENDER),
    _Row("hold", "alias", "relay_refused", codes=("5",), phases=(Phase.MAIL, Phase.RCPT),
         text=r"relay.{0,40}(denied|not permitted|prohibited|refused)|unable to relay"),
    _Row("deferred", "alias", "quota", enhanced=("5.4.5", "5.7.232", "5.7.233"), flags=("quota",)),
    _Row("deferred", "alias", "quota", codes=("4", "5"), text=_LIMIT, flags=("quota",)),
    _Row("deferred", "alias", "quota", enhanced=("5.2.0",), text=r"limit|quota|exceed", flags=("quota",)),
    _Row("deferred", "mail", "split", enhanced=("4.5.3", "5.5.3"), flags=("split",)),
    _Row("deferred", "mail", "split", codes=("452", "552"), text=r"too many recipients", flags=("split",)),
    # Logins.
    _Row("hold", "alias", "tls", codes=("530",), text=r"STARTTLS|TLS required"),
    _Row("hold", "alias", "tls", codes=("538",)),
    _Row("refused", "mail", "too_big", enhanced=("5.3.4", "5.2.3")),
    _Row("hold", "alias", "password", codes=("530", "534", "535")),
    _Row("hold", "alias", "password", codes=("5",), phases=(Phase.AUTH,)),
    # The server as a whole, or the alias's pace.
    _Row("deferred", "alias", "starttls_missing", codes=("4", "5"), phases=(Phase.TLS,)),
    _Row("deferred", "alias", "throttled", codes=("4",), phases=(Phase.AUTH,),
         text=_RATE + r"|too many", flags=("throttled",)),
    # 454 to AUTH: a failure of the login service, RFC 4954 6.
    _Row("deferred", "alias", "unavailable", codes=("454",), phases=(Phase.AUTH,)),
    _Row("deferred", "alias", "throttled", codes=("432", "454"), flags=("throttled",)),
    _Row("deferred", "mail", "greylisted", codes=("4",), text=r"gr[ae]y.?list"),
    _Row("deferred", "alias", "throttled", codes=("421", "451"), enhanced=("4.7.",), flags=("throttled",)),
    _Row("deferred", "mail", "throttled", codes=("450",), enhanced=("4.7.",), flags=("throttled",)),
    _Row("deferred", "alias", "throttled", codes=("4", "5"), text=_RATE, flags=("throttled",)),
    _Row("deferred", "alias", "unavailable", codes=("421",)),
    _Row("deferred", "alias", "unavailable", codes=("4", "5"),
         phases=(Phase.CONNECT, Phase.EHLO, Phase.AUTH, Phase.RESET, Phase.QUIT)),
    # The sender, the recipient, the mail.
    # MAIL FROM is the same for each e-mail of an alias: no single mail is to blame.
    _Row("hold", "alias", "from_refused", codes=("501", "550", "551", "553", "554"),
         phases=(Phase.MAIL,)),
    _Row("refused", "recipient", "recipient", codes=("5",), phases=(Phase.RCPT,)),
    _Row("refused", "mail", "too_big", codes=("552",)),
    _Row("deferred", "mail", "busy", codes=("4",)),
    _Row("refused", "mail", "refused", codes=("5",)),
)  # fmt: skip


def classify(phase: Phase, outcome, *, oauth: bool = False) -> Verdict:
    """Return the verdict on a reply or an exception.

    :param outcome: a `Reply`, or an exception. One that carries a ``verdict`` keeps
        it; one that carries a ``hold`` (a reason) puts the alias on hold.
    :param oauth: the alias logs in with a provider's consent, not with a password
    """
    if isinstance(outcome, smtplib.SMTPResponseException):
        outcome = Reply.parse(outcome.smtp_code, outcome.smtp_error)
    if isinstance(outcome, Reply):
        verdict = _from_reply(phase, outcome)
    else:
        verdict = _from_exception(phase, outcome)
    if oauth and verdict.hold == "password":
        verdict = replace(verdict, reason="sign_in", hold="sign_in")
    return verdict


def _from_reply(phase, reply):
    for row in _TABLE:
        if _fits(row, phase, reply):
            return _apply(row, phase, reply)
    # Neither 2yz, 4yz nor 5yz, or a success where none could be.
    if phase is Phase.DOT:
        return Verdict("uncertain", "mail", "unknown_outcome", reply=reply)
    return Verdict("deferred", "alias", "protocol", reply=reply)


def _fits(row, phase, reply):
    code, enhanced = str(reply.code), reply.enhanced or ""
    return (
        (not row.phases or phase in row.phases)
        and (not row.codes or code.startswith(row.codes))
        and (not row.enhanced or _has_enhanced(row.enhanced, enhanced))
        and (not row.text or bool(re.search(row.text, reply.text, re.IGNORECASE)))
    )


def _has_enhanced(wanted, enhanced):
    return any(
        enhanced.startswith(item) if item.endswith(".") else enhanced == item
        for item in wanted
    )


def _apply(row, phase, reply):
    is_hold = row.kind == "hold"
    # A final reply to RCPT concerns that recipient and nobody else.
    is_recipient = phase is Phase.RCPT and row.kind == "refused"
    return Verdict(
        kind="deferred" if is_hold else row.kind,
        scope="recipient" if is_recipient else row.scope,
        reason=row.reason,
        hold=row.reason if is_hold else None,
        reply=reply,
        **dict.fromkeys(row.flags, True),
    )


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
    known = getattr(error, "verdict", None)
    if isinstance(known, Verdict):
        return known
    hold = getattr(error, "hold", None)
    if hold:
        detail = sanitise(str(error))
        return Verdict("deferred", "alias", hold, hold=hold, detail=detail)
    if phase is Phase.DOT:
        return Verdict("uncertain", "mail", "unknown_outcome")
    fault = getattr(error, "fault", None)
    if fault in _FAULTS:
        kind, scope = _FAULTS[fault]
        if kind == "hold":
            return Verdict("deferred", scope, fault, hold=fault)
        return Verdict(kind, scope, fault)
    for types, reason in _BROKEN_CONNECTION:
        if isinstance(error, types):
            return _broken_connection(phase, reason, error)
    detail = f"{type(error).__name__}: {sanitise(str(error))}"
    scope = "alias" if phase in BEFORE_MAIL else "mail"
    return Verdict("deferred", scope, "internal", detail=detail)


def _broken_connection(phase, reason, error):
    """After the handshake an error of the TLS layer only means a cut connection."""
    detail = ""
    if reason in ("certificate", "tls_failed"):
        if phase not in (Phase.CONNECT, Phase.TLS):
            reason = "lost"
        elif reason == "certificate":
            detail = sanitise(error.verify_message or "")
    return Verdict("deferred", "alias", reason, detail=detail)


def explain(verdict: Verdict) -> str:
    """Return the English sentence on a verdict, the server's own words behind it."""
    sentence = SENTENCES.get(verdict.reason, SENTENCES["internal"])
    if verdict.reply:
        return f'{sentence} The mail server said: "{verdict.reply}"'
    return f"{sentence} ({verdict.detail})" if verdict.detail else sentence
