"""Message submission through a provider's own interface, over HTTPS."""

from .connection import ApiAccess, ApiTransport
from .failure import ApiFailure

__all__ = ["ApiAccess", "ApiFailure", "ApiTransport"]
