"""Google: a service account with domain-wide delegation sends as each user.

https://developers.google.com/identity/protocols/oauth2/service-account: a signed claim
(RFC 7523 2.1) that names the user gets an access token.
"""

import json

from google.oauth2 import service_account

from .base import as_text
from .errors import ProviderMisconfigured
from .google import GoogleProvider
from .organisation import Organisation
from .tokens import json_text

# What of a key file is kept. It also names addresses; where a claim goes to is for the
# settings to say.
_KEPT = ("type", "client_email", "private_key_id", "private_key")

_CAUSE_BY_ERROR = {"unauthorized_client": "delegation", "access_denied": "delegation"}

# All of these come as invalid_grant.
_CAUSE_BY_TEXT = (("email", "no_mailbox"), ("user id", "no_mailbox"))


class GoogleOrganisation(Organisation, GoogleProvider):
    secret_setting = "organisation_key"  # noqa: S105 - the name of the setting

    @classmethod
    def get_binding_names(cls):
        """Extend: an app that users sign in with has nothing to do with it."""
        return [name for name in super().get_binding_names() if name != "client_id"]

    @classmethod
    def read_key(cls, text):
        """Return the text to keep of a key file.

        :raise ProviderMisconfigured: it is none of a service account
        """
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            raise ProviderMisconfigured("key_unreadable") from None
        kept = {
            name: as_text(found.get(name) if isinstance(found, dict) else None)
            for name in _KEPT
        }
        if kept["type"] != "service_account" or not all(kept.values()):
            raise ProviderMisconfigured("key_other")
        try:
            cls._open_key(kept, "https://localhost")
        except Exception as error:
            # whatever it makes of a key that it cannot load; its text may quote it
            name = type(error).__name__
            raise ProviderMisconfigured("key_other", detail=name) from None
        return json_text(kept)

    @staticmethod
    def _open_key(key, token_url, scopes=()):
        info = {**key, "token_uri": token_url}
        return service_account.Credentials.from_service_account_info(
            info, scopes=scopes
        )

    def _check_config(self):
        """Replace: a service account needs no app."""
        if not self.config.organisation_key:
            raise ProviderMisconfigured("no_key")

    def _acquire(self, mailbox):
        key = json.loads(self.config.organisation_key)
        scopes = self.mail_scopes(self.api_transport)
        credentials = self._open_key(key, self.metadata["token_endpoint"], scopes)
        if mailbox:
            credentials = credentials.with_subject(mailbox)
        return self._run_refresh(credentials)

    def _diagnose(self, answer):
        error, text = answer["error"], answer["error_description"].lower()
        if error in _CAUSE_BY_ERROR:
            return ProviderMisconfigured, _CAUSE_BY_ERROR[error], ""
        found = next((cause for words, cause in _CAUSE_BY_TEXT if words in text), "")
        if error == "invalid_grant" and found:
            return ProviderMisconfigured, found, ""
        return super()._diagnose(answer)
