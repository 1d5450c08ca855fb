"""Aliases that send through a provider's interface, in the real queue."""

from .common_api import FAKES
from .common_oauth_queue import OAuthQueueCase


class ApiQueueCase(OAuthQueueCase):
    """The alias of `OAuthQueueCase`, signed in for the interface."""

    transport = None

    def configure(self, settings):
        self.api = self.enterContext(FAKES[self.transport](self.idp))
        settings |= {"transport": "api", "api_url": self.api.url}
        self.idp.mail_scope = self.api.scope = self.api.get_scope()
