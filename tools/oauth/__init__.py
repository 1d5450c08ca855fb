"""Sign in at an identity provider and keep access to the mailbox.

``base`` is the interface and its rules, one file a provider, another for the account
that an organisation has there. A third provider is these files, their lines here, an
entry of the alias's ``provider`` field, and its settings.
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
from .google_organisation import GoogleOrganisation
from .microsoft import MicrosoftProvider
from .microsoft_organisation import MicrosoftOrganisation

PROVIDERS = {provider.key: provider for provider in (GoogleProvider, MicrosoftProvider)}

# The same providers, where the organisation has a key for all its mailboxes.
ORGANISATIONS = {
    account.key: account for account in (GoogleOrganisation, MicrosoftOrganisation)
}

__all__ = [
    "ORGANISATIONS",
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
    "get_organisation",
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


def get_organisation(key, config, deadline=None):
    """Return the organisation account at the provider named ``key``.

    :raise KeyError: no such provider
    :raise ProviderMisconfigured: it is switched off, or something is missing
    """
    if config.organisation != "True":
        raise ProviderMisconfigured("organisation_off")
    return ORGANISATIONS[key](config, deadline)
