"""Sign in at an identity provider and keep access to the mailbox.

``base`` is the interface and its rules, one file a provider; a third provider is a
third file and a line here.
"""

from .base import Provider
from .config import ProviderConfig
from .consent import Access, Consent
from .errors import (
    SENTENCES,
    ConsentDead,
    ConsentRefused,
    FlowInvalid,
    OAuthError,
    ProviderMisconfigured,
    ProviderUnavailable,
)
from .google import GoogleProvider
from .microsoft import MicrosoftProvider

PROVIDERS = {provider.key: provider for provider in (GoogleProvider, MicrosoftProvider)}

__all__ = [
    "PROVIDERS",
    "SENTENCES",
    "Access",
    "Consent",
    "ConsentDead",
    "ConsentRefused",
    "FlowInvalid",
    "OAuthError",
    "Provider",
    "ProviderConfig",
    "ProviderMisconfigured",
    "ProviderUnavailable",
    "get_provider",
]


def get_provider(key, config):
    """Return the provider named ``key``, set up as ``config`` says.

    :raise KeyError: no such provider
    :raise ProviderMisconfigured: client id or secret is missing
    """
    return PROVIDERS[key](config)
