"""Message submission by SMTP (RFC 5321, RFC 6409)."""

from .connection import HandOverResult, SmtpConnection
from .failure import SmtpFailure

__all__ = ["HandOverResult", "SmtpConnection", "SmtpFailure"]
