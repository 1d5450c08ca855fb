"""Microsoft: the application itself sends, with the application permission Mail.Send.

Client credentials (RFC 6749 4.4), with the same app as the sign-in. For which mailboxes
is for Exchange to say, not for the token.
"""

from .errors import ProviderMisconfigured
from .microsoft import MicrosoftProvider
from .organisation import Organisation

# What names no directory of one's own.
_SHARED_TENANTS = ("common", "consumers", "organizations")


class MicrosoftOrganisation(Organisation, MicrosoftProvider):
    def __init__(self, config, deadline=None):
        super().__init__(config, deadline)
        if self.tenant in _SHARED_TENANTS:
            raise ProviderMisconfigured("own_tenant")

    def _acquire(self, mailbox):
        with self._session() as (session, channel):
            application = self._application(session)
            channel.payload = {}
            # all that was granted to the application: no other scope is possible
            result = application.acquire_token_for_client([f"{self.api_url}/.default"])
            payload = channel.payload
        if "access_token" not in result:
            raise self._failure(payload)
        return payload
