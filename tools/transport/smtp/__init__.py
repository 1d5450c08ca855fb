"""Message submission by SMTP (RFC 5321, RFC 6409)."""

from .connection import SmtpConnection, SubmissionResult
from .failure import SmtpFailure
from .greeting import may_greet_again
from .outcome import counts_mails
from .signature import (
    get_doubts,
    group_of,
    is_alike,
    is_at_recipient,
    is_weak,
    leans_to_account,
    needs_other_domains,
    signature_of,
)

__all__ = [
    "SmtpConnection",
    "SmtpFailure",
    "SubmissionResult",
    "counts_mails",
    "get_doubts",
    "group_of",
    "is_alike",
    "is_at_recipient",
    "is_weak",
    "leans_to_account",
    "may_greet_again",
    "needs_other_domains",
    "signature_of",
]
