"""Sign in at an identity provider and keep access to the mailbox.

``base`` is the interface and its rules, one file a provider. A third provider is a
file, a line here, an entry of the alias's ``provider`` field, and its settings.
"""

from .base import Provider
from .config import ProviderConfig
from .consent import Consent, OauthToken
from .errors import (
    SENTENCES,
    ConsentDead,
    ConsentRefused,
    FlowInvalid,
    OAuthError,
    ProviderMisconfigured,
    ProviderUnavailable,
)
from .flows import add_flow, take_flow
from .google import GoogleProvider
from .microsoft import MicrosoftProvider

PROVIDERS = {provider.key: provider for provider in (GoogleProvider, MicrosoftProvider)}

__all__ = [
    "PROVIDERS",
    "SENTENCES",
    "Consent",
    "ConsentDead",
    "ConsentRefused",
    "FlowInvalid",
    "OAuthError",
    "OauthToken",
    "Provider",
    "ProviderConfig",
    "ProviderMisconfigured",
    "ProviderUnavailable",
    "add_flow",
    "get_provider",
    "take_flow",
]


def get_provider(key, config, deadline=None):
    """Return the provider named ``key``, set up as ``config`` says.

    :param Deadline deadline: the end of its conversations, None for none
    :raise KeyError: no such provider
    :raise ProviderMisconfigured: client id or secret is missing
    """
    return PROVIDERS[key](config, deadline)
