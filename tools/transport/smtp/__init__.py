"""Message submission by SMTP (RFC 5321, RFC 6409)."""

from .connection import SmtpConnection, SubmissionResult
from .failure import SmtpFailure

__all__ = ["SmtpConnection", "SmtpFailure", "SubmissionResult"]
