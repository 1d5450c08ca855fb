"""What can go wrong with the copy of a sent mail, in words for the mail's owner.

A failure of the copy never says anything about the mail itself, which has gone.
"""

import contextlib
import imaplib
import re
import ssl

from imapclient.exceptions import ProtocolError

from ..guard import UNREACHABLE as UNREACHABLE_SENTENCE

UNREACHABLE = "unreachable"  # no connection, or not to a mail server
TLS = "tls"  # no encryption, or a certificate that proves nothing
LOGIN = "login"  # the server does not let this account in
FOLDER = "folder"  # the folder is not there or cannot be opened
QUOTA = "quota"  # the mailbox is full
REFUSED = "refused"  # the server does not want this command or this message
LOST = "lost"  # the connection ended, or the server stopped to answer

SENTENCES = {
    UNREACHABLE: UNREACHABLE_SENTENCE,
    TLS: "No safe connection to the IMAP server. The password was not sent.",
    LOGIN: "The IMAP server does not accept this sign-in.",
    FOLDER: "The folder for sent mail cannot be opened. Choose another folder.",
    QUOTA: "The mailbox is full. Delete mail or ask for more room.",
    REFUSED: "The IMAP server refuses to store the copy.",
    LOST: "The connection to the IMAP server was lost.",
}
NOT_NOW = "The IMAP server takes no copy at the moment. It is tried again by itself."

REPLY_LIMIT = 300  # characters of a server's reply that we keep

# RFC 5530 3, RFC 7889, RFC 4469, RFC 3501 7.1, RFC 9051 7.1
_CODE_KINDS = {
    "OVERQUOTA": QUOTA,
    "TRYCREATE": FOLDER,
    "NONEXISTENT": FOLDER,
    "AUTHENTICATIONFAILED": LOGIN,
    "AUTHORIZATIONFAILED": LOGIN,
    "EXPIRED": LOGIN,
    "PRIVACYREQUIRED": TLS,
}
_PASSING_CODES = {"UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG"}
_FINAL_CODES = {"NOPERM", "CANNOT", "TOOBIG", "BADCHARSET", "UNKNOWN-CTE"}
_PASSING_TEXT = re.compile(
    r"too many|simultaneous|temporar|try again|rate.?limit|throttl|unavailable"
    r"|not connected",
    re.IGNORECASE,
)
_ROOM = r"(storage|disk|space|mail.?box|account)"
_QUOTA_TEXT = re.compile(
    rf"quota|\b{_ROOM}\b.{{0,30}}\b(full|limit|allocation|exceeded)"
    rf"|\bexceed\w*.{{0,30}}\b{_ROOM}"
    r"|\b(not enough|insufficient|no|out of)\b.{0,20}\b(space|storage|room)\b",
    re.IGNORECASE,
)
NONSENSE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    ProtocolError,
    RecursionError,
    TypeError,
    ValueError,
)
_RESPONSE_CODE = re.compile(r"\s*\[([A-Za-z0-9-]+)")


class ImapFailure(Exception):
    """A step of filing a copy failed.

    :param str kind: one of the constants above
    :param str sentence: what happened and what to do, without the server's words
    :param str reply: what the server said; made printable and cut here
    :param bool retryable: whether the same try may succeed later by itself
    :param bool unsure: the message may have been stored all the same. The next try
        looks for it, and should leave the server a minute to finish first.
    """

    def __init__(self, kind, sentence=None, reply="", *, retryable, unsure=False):
        self.kind = kind
        self.sentence = sentence or SENTENCES[kind]
        self.reply = printable(reply)
        self.retryable = retryable
        self.unsure = unsure
        super().__init__(self.kind, self.sentence, self.reply)

    def __str__(self):
        if not self.reply:
            return self.sentence
        return f"{self.sentence} The server said: “{self.reply}”"

    @property
    def is_fatal(self):
        """Tell whether the connection is of no use any more."""
        return self.kind in (UNREACHABLE, TLS, LOGIN, LOST)


class ServerRefusal(imaplib.IMAP4.error):
    """A tagged NO or BAD (RFC 3501 7.1.2, 7.1.3).

    :param str status: ``NO`` or ``BAD``
    :param text: the rest of the reply, with its response code
    :param redact: what of the text may be shown
    """

    def __init__(self, status, text, redact=str):
        if isinstance(text, bytes):
            text = text.decode("utf-8", "replace")
        code = _RESPONSE_CODE.match(text or "")
        self.status = status
        self.text = redact(text or "")
        self.code = code.group(1).upper() if code else ""
        super().__init__(self.text)


def printable(reply):
    """Return a server's words on one line, cut, without control characters."""
    if isinstance(reply, bytes):
        reply = reply.decode("utf-8", "replace")
    reply = reply[: 20 * REPLY_LIMIT]
    reply = "".join(char if char.isprintable() else " " for char in reply)
    reply = " ".join(reply.split())
    return reply if len(reply) <= REPLY_LIMIT else reply[: REPLY_LIMIT - 1] + "…"


def refusal_failure(refusal, stage):
    """Return the failure behind a NO or BAD.

    :param ServerRefusal refusal: what the server replied
    :param str stage: the kind that fits when the reply does not say more
    """
    kind = _CODE_KINDS.get(refusal.code, stage)
    is_untold = stage in (FOLDER, REFUSED) and refusal.code not in _CODE_KINDS
    if is_untold and _QUOTA_TEXT.search(refusal.text[:1000]):
        kind = QUOTA
    passing = bool(
        refusal.code in _PASSING_CODES or _PASSING_TEXT.search(refusal.text[:1000])
    )
    sentence = NOT_NOW if passing and kind in (FOLDER, REFUSED) else None
    if kind in (LOGIN, TLS):
        retryable = passing
    else:
        # The folder is looked for again and made at the next try; most servers give
        # no reason with NO, so only what is final by its code or by BAD is final.
        final = refusal.status == "BAD" or refusal.code in _FINAL_CODES
        retryable = passing or not final
    return ImapFailure(kind, sentence, refusal.text, retryable=retryable)


def _connection_failure(error, stage):
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = f"{SENTENCES[TLS]} Its certificate: {error.verify_message}"
        return ImapFailure(TLS, printable(reason), retryable=True)
    if stage == TLS and not isinstance(error, TimeoutError):
        return ImapFailure(TLS, retryable=True)
    if stage in (TLS, UNREACHABLE):
        # Whatever answers there: nothing of it is shown, this is no port scanner.
        return ImapFailure(UNREACHABLE, retryable=True)
    if isinstance(error, TimeoutError):
        sentence = "The IMAP server does not answer in time."
        return ImapFailure(LOST, sentence, retryable=True)
    reply = str(error) if isinstance(error, imaplib.IMAP4.abort) else ""
    return ImapFailure(LOST, reply=reply, retryable=True)


@contextlib.contextmanager
def plain_words(stage):
    """Turn all that an IMAP connection can raise into an ImapFailure.

    The original exception is not chained: it may hold what was sent.

    :param str stage: the kind to assume, e.g. ``LOGIN`` around a login
    """
    try:
        yield
        return
    except ImapFailure:
        raise
    except ServerRefusal as refusal:
        failure = refusal_failure(refusal, stage)
    except (imaplib.IMAP4.abort, OSError, EOFError) as error:
        failure = _connection_failure(error, stage)
    except NONSENSE:
        # A parser met what no standard allows; nobody knows where the next reply is.
        if stage in (UNREACHABLE, TLS):
            failure = ImapFailure(stage, retryable=True)
        else:
            sentence = "The IMAP server's answer makes no sense."
            failure = ImapFailure(LOST, sentence, retryable=True)
    except imaplib.IMAP4.error as error:
        if stage in (UNREACHABLE, TLS):
            failure = ImapFailure(stage, retryable=True)
        else:
            failure = ImapFailure(stage, reply=str(error), retryable=False)
    raise failure from None
