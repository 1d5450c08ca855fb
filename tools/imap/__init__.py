"""File copies of sent mail in a mailbox's Sent folder (RFC 9051), each once."""

from .account import ImapAccount
from .connection import ImapConnection

__all__ = ["ImapAccount", "ImapConnection"]
