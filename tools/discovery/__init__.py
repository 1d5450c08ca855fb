"""From an email address to its mail server, before anybody has typed a password.

What is found is a proposal. The look-ups tell others the domain of the address; its
local part never leaves.
"""

from .known import Known, Row, SignIn
from .names import Names
from .proposal import Mailbox, Proposal
from .search import SEARCH_SECONDS, Sources, search

__all__ = (
    "SEARCH_SECONDS",
    "Known",
    "Mailbox",
    "Names",
    "Proposal",
    "Row",
    "SignIn",
    "Sources",
    "search",
)
