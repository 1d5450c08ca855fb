"""File copies of sent mail in a mailbox's Sent folder (RFC 9051), each once."""

from .connection import ImapConnection

__all__ = ["ImapConnection"]
