"""Addresses a user types: a mail server with its port, a mailbox, a display name.

Every parser caps the length first, then refuses control characters, and only then
looks at the structure, so that hostile text costs linear time.
"""

from .errors import REASONS, AddressError
from .host import host_to_ascii
from .mailbox import mailbox_to_ascii, parse_mailbox, tidy_mailbox
from .name import MAX_NAME_LENGTH, check_display_name
from .server import (
    DEFAULT_PORT,
    IMAP_PORT,
    IMPLICIT_TLS_PORTS,
    ServerAddress,
    parse_server,
    tidy_server,
)

__all__ = [
    "DEFAULT_PORT",
    "IMAP_PORT",
    "IMPLICIT_TLS_PORTS",
    "MAX_NAME_LENGTH",
    "REASONS",
    "AddressError",
    "ServerAddress",
    "check_display_name",
    "host_to_ascii",
    "mailbox_to_ascii",
    "parse_mailbox",
    "parse_server",
    "tidy_mailbox",
    "tidy_server",
]
