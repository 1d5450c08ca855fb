"""How a message reaches the provider: one file or package a transport, one seam."""

from .base import Outcome, SubmissionResult, Transport, TransportFailure
from .gmail import GmailTransport
from .graph import GraphTransport
from .smtp.reply import Phase

# The interfaces a sign-in may send through, by the name the alias keeps.
API_TRANSPORTS = {"graph": GraphTransport, "gmail": GmailTransport}

__all__ = [
    "API_TRANSPORTS",
    "Outcome",
    "Phase",
    "SubmissionResult",
    "Transport",
    "TransportFailure",
]
