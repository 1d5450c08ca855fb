"""What makes two refusals the same, and which are about a recipient."""

import re

from . import words
from .failure import SmtpFailure
from .reply import Phase

MAX_SIGNATURE = 200  # characters
SHORTEST_NAME = 4  # characters of a local part that is no word by chance

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

    Phase, codes and text without what is particular to a mail. None where the refusal
    is about the recipients or about this message: then repetition means nothing.

    :param recipients: whom the message was for
    """
    reply, outcome = failure.reply, failure.outcome
    if reply is None or reply.is_ours or outcome.kind not in ("refused", "deferred"):
        return None
    if outcome.scope == "alias" or outcome.reason in _OF_THE_MESSAGE:
        return None
    if is_about_recipient(reply, recipients):
        return None
    text = _PARTICULAR.sub(" ", _MIXED.sub(" ", reply.text)).lower()
    text = _naming(recipients).sub(" ", text)
    text = " ".join(re.findall(r"\w+", text))
    parts = (failure.phase.value, str(reply.code), reply.enhanced or "", text)
    return " ".join(filter(None, parts))[:MAX_SIGNATURE]


def is_about_recipient(reply, recipients: list[str]) -> bool:
    """Tell whether a refusal is about one of the recipients, as most are.

    Addressing, mailbox and routing status (RFC 3463 3.2, 3.3, 3.5) and a domain that
    takes no mail (RFC 7504), but those of the sender; else the text. A policy (x.7.y)
    may name the recipient and mean the sender.
    """
    _, subject, detail = (reply.enhanced or "..").split(".")
    if (subject, detail) == ("1", "1") or subject == "4" or reply.code == 556:
        return True
    if words.ABOUT_ACCOUNT.search(reply.text):
        return False
    if subject in ("1", "2"):
        return (subject, detail) not in (("1", "7"), ("1", "8"))
    if words.ABOUT_SENDER.search(reply.text):
        return False
    if subject == "7":
        # Postfix names the recipient's address whatever it refuses
        return bool(words.RECIPIENT.search(_ADDRESS_REJECTED.sub(" ", reply.text)))
    return bool(words.RECIPIENT.search(reply.text)) or bool(
        _naming(recipients).search(reply.text.lower())
    )


def _naming(recipients):
    """Return a pattern for the recipients' addresses and names, in lower case."""
    names = {
        name
        for address in map(str.lower, recipients)
        for name in (address, address.partition("@")[0])
        if len(name) >= SHORTEST_NAME
    }
    longest_first = sorted(map(re.escape, names), key=len, reverse=True)
    return re.compile(
        rf"(?<![\w.+-])(?:{'|'.join(longest_first) or '(?!)'})(?![\w+@-])"
    )


def needs_other_domains(signature: str) -> bool:
    """Tell whether one domain's server may be behind it: a refusal at RCPT.

    Not a policy (x.7.y): a server tells that to a sender, whoever is written to.
    """
    phase, _code, rest = (f"{signature}  ").split(" ", 2)
    return phase == Phase.RCPT.value and not re.match(r"[45]\.7\.", rest)
