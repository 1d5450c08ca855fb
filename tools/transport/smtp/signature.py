"""What makes two refusals the same, and which are about a recipient."""

import re

from ..base import SubmissionResult
from . import words
from .failure import SmtpFailure
from .reply import Phase, Reply

MAX_SIGNATURE = 200  # characters
# Begins the signature of a refusal whose words speak for a dead recipient.
WEAK = "~"

# What is different in each of two replies that say the same: addresses, host names and
# links, whatever holds a digit, long words that are no words of a language.
_PARTICULAR = re.compile(
    r"<[^>]*>|\[[^\]]*\]|\S+@\S+|\S+://\S+"
    r"|\b(?:[\w-]+\.)+[a-z]{2,}\b"
    r"|[\w.:/+=#-]*\d[\w.:/+=#-]*|\b[\w=+/-]{24,}",
    re.IGNORECASE,
)
_MIXED = re.compile(r"\b(?=\w*[a-z][A-Z])(?=\w*[A-Z]{2}|\w*[A-Z][a-z]+[A-Z])\w{8,}\b")
_ADDRESS_REJECTED = re.compile(r"recipient address rejected", re.IGNORECASE)

# Outcomes that are the message's own, however many messages are too big.
_OF_THE_MESSAGE = frozenset(("too_big", "smtputf8_missing", "unsafe", "greylisted"))


def signature_of(failure: SmtpFailure, recipients: list[str]) -> str | None:
    """Return what the same refusal of another mail would share with this one.

    Phase, codes and text without what is particular to a mail: that a recipient is
    named does not say that they are meant. None where the refusal is about the
    recipients or about this message: then repetition means nothing.

    :param recipients: whom the message was for
    """
    reply, outcome = failure.reply, failure.outcome
    if reply is None or reply.is_ours or outcome.kind not in ("refused", "deferred"):
        return None
    if outcome.scope == "alias" or outcome.reason in _OF_THE_MESSAGE:
        return None
    if failure.phase is not Phase.MAIL and is_about_recipient(reply):
        return None
    naming = _naming(recipients)
    is_named = failure.phase is Phase.RCPT or naming.search(reply.text.lower())
    text = _PARTICULAR.sub(" ", _MIXED.sub(" ", reply.text)).lower()
    text = naming.sub(" ", text)
    text = " ".join(re.findall(r"\w+", text))
    parts = (failure.phase.value, str(reply.code), reply.enhanced or "", text)
    # of a recipient who is not named it is said before the message, or hardly ever
    mark = WEAK if is_named and _is_out_of_use(reply) else ""
    return mark + " ".join(filter(None, parts))[:MAX_SIGNATURE]


def get_doubts(result: SubmissionResult) -> dict[str, SmtpFailure]:
    """Return whom a message did not reach for a reason that may be the account's.

    Others of its recipients got it, which says nothing: they may be the same each time.
    """
    replies = {**result.refused, **result.deferred}
    failures = {
        who: SmtpFailure(Phase.RCPT, reply, recipient=who)
        for who, reply in replies.items()
    }
    return {
        who: failure
        for who, failure in failures.items()
        if signature_of(failure, [who])
    }


def is_about_recipient(reply: Reply) -> bool:
    """Tell whether a refusal is about one of the recipients, as most are.

    Addressing, mailbox and routing status (RFC 3463 3.2, 3.3, 3.5) and a domain that
    takes no mail (RFC 7504), but those of the sender; else the text. A policy (x.7.y)
    may name the recipient and mean the sender.
    """
    _, subject, detail = (reply.enhanced or "..").split(".")
    if (subject, detail) == ("1", "1") or subject == "4" or reply.code == 556:
        return True
    if words.BY_RECIPIENT.search(reply.text):
        return True
    if words.ABOUT_ACCOUNT.search(reply.text):
        return False
    # "other status" of an address (x.1.0, x.2.0) does not say whose
    if subject in ("1", "2") and detail != "0":
        return (subject, detail) not in (("1", "7"), ("1", "8"))
    if words.ABOUT_SENDER.search(reply.text):
        return False
    # Postfix names the recipient's address whatever it refuses
    return bool(words.RECIPIENT.search(_ADDRESS_REJECTED.sub(" ", reply.text)))


def _is_out_of_use(reply):
    is_ours = words.ABOUT_ACCOUNT.search(reply.text)
    return not is_ours and bool(words.OUT_OF_USE.search(reply.text))


def leans_to_account(reply: Reply) -> bool:
    """Tell whether a refusal speaks of what only an account can have or lack.

    A policy (x.7.y) is one for senders, RFC 3463 3.8.
    """
    is_policy = (reply.enhanced or "..").split(".")[1] == "7"
    found = (words.LEANS_TO_ACCOUNT, words.ABOUT_ACCOUNT, words.ABOUT_SENDER)
    return is_policy or any(pattern.search(reply.text) for pattern in found)


def _naming(recipients):
    """Return a pattern for the recipients' addresses and names, in lower case."""
    names = {
        name
        for address in map(str.lower, recipients)
        for name in (address, address.partition("@")[0])
        if len(name) >= words.SHORTEST_NAME
    }
    longest_first = sorted(map(re.escape, names), key=len, reverse=True)
    return re.compile(
        rf"(?<![\w.+-])(?:{'|'.join(longest_first) or '(?!)'})(?![\w+@-])"
    )


def _codes_of(signature):
    """Return phase, basic code and enhanced code."""
    phase, code, rest = (f"{signature.lstrip(WEAK)}  ").split(" ", 2)
    enhanced = re.match(r"[45]\.\d+\.\d+", rest)
    return phase, code, enhanced[0] if enhanced else ""


def is_weak(signature: str) -> bool:
    """Tell whether the words speak for a recipient whose account is out of use."""
    return signature.startswith(WEAK)


def is_at_recipient(signature: str) -> bool:
    """Tell whether it is a refusal at RCPT."""
    return _codes_of(signature)[0] == Phase.RCPT.value


def is_alike(signature: str, other: str) -> bool:
    """Tell whether two refusals differ by their words at most."""
    return _codes_of(signature) == _codes_of(other)


def group_of(signature: str) -> tuple[str, str]:
    """Return phase and class of the code: what may be counted whatever the words."""
    phase, code, _enhanced = _codes_of(signature)
    return phase, code[:1]


def needs_other_domains(signature: str) -> bool:
    """Tell whether one domain's server may be behind it: a refusal at RCPT.

    Not a policy (x.7.y): a server tells that to a sender, whoever is written to.
    """
    phase, _code, enhanced = _codes_of(signature)
    return phase == Phase.RCPT.value and enhanced[1:4] != ".7."
