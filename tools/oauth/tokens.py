"""What is kept of a consent: using it for an access token, and withdrawing it."""

import json
import logging
import time

from .consent import OauthToken, expiry, lifetime_of
from .errors import ConsentDead, OAuthError
from .failure import Failures

_logger = logging.getLogger(__name__)

# Seconds an access token must still be good for: connect, TLS, login, and a clock
# that is a minute off. One that lives less than twice as long need only have half of
# its life before it, else a token of five minutes would be stale from the start.
MIN_LIFETIME = 300.0

# Seconds below which no token is tried, whatever it was given.
LEAST_LIFETIME = 15.0


class Tokens(Failures):
    """The part of a provider that needs no person.

    ``tokens`` is one opaque string that only its provider reads.
    """

    # -- use ---------------------------------------------------------------------

    def get_token(self, tokens, min_lifetime=None):
        """Return an access token that lives long enough for a login.

        :param min_lifetime: seconds it must still live, None = by its own lifetime

        The caller holds a lock on the row ``tokens`` was read from: where refresh
        tokens rotate, two refreshes at once kill the account (RFC 9700 4.14.2).
        """
        return self.cached_token(tokens, min_lifetime) or self.refresh(tokens)

    def cached_token(self, tokens, min_lifetime=None):
        """Return the access token at hand if it lives that long, else None.

        No network, and so no lock.
        """
        content = self._unpack(tokens)
        with self._own_errors():
            secret, expires_at = self._cached_access(content)
            if min_lifetime is None:
                half = content.get("lifetime", 2 * MIN_LIFETIME) / 2
                min_lifetime = max(min(MIN_LIFETIME, half), LEAST_LIFETIME)
        if secret and expires_at - time.time() >= min_lifetime:
            return OauthToken(expires_at, False, secret, tokens)
        return None

    def refresh(self, tokens):
        """Fetch a new access token now (RFC 6749 6).

        :raise ConsentDead: only a new sign-in helps
        :raise ProviderUnavailable: try again later, with the same ``tokens``
        """
        with self._own_errors():
            return self._refresh(self._unpack(tokens))

    def refresh_for(self, tokens, transport):
        """Fetch an access token for another way to send than the account's own.

        :return: an ``OauthToken``; its ``tokens`` still give the account's own
        :raise ConsentDead: this was not granted, or no more
        :raise ProviderUnavailable: try again later, with the same ``tokens``
        """
        with self._own_errors():
            return self._refresh_for(self._unpack(tokens), transport)

    def revoke(self, tokens):
        """Withdraw the consent at the provider (RFC 7009), as far as that is possible.

        Providers may end *all* tokens this application has for the account, those of
        other aliases with the same identity included.

        :return: whether the provider confirmed it; never raises ``OAuthError``
        """
        try:
            with self._own_errors():
                return self._revoke(self._refresh_secret(self._unpack(tokens)))
        except OAuthError as error:
            _logger.info("%s: consent not revoked: %r", self.label, error)
            return False

    def _revoke(self, token_secret):
        endpoint = self.metadata["revocation_endpoint"]
        if not endpoint or not token_secret:
            return False
        form = {
            "token": token_secret,
            "token_type_hint": "refresh_token",
            "client_id": self.config.client_id,
            "client_secret": self.config.client_secret,
        }
        with self._session(is_json=False) as (session, _channel):
            return session.post(endpoint, data=form).status_code == 200

    # -- tokens ------------------------------------------------------------------

    def _pack(self, payload, **content):
        """Return the text to keep of a token response (RFC 6749 5.1)."""
        return json_text(
            {
                "provider": self.key,
                "expires_at": expiry(payload),
                "lifetime": lifetime_of(payload),
                **content,
            }
        )

    def _unpack(self, tokens):
        """Read what ``_pack`` wrote, and nothing that another provider wrote."""
        try:
            content = json.loads(tokens)
            owner = content.pop("provider")
        except (AttributeError, KeyError, TypeError, ValueError):
            owner = None
        if owner != self.key:
            raise ConsentDead("unknown", detail="stored tokens not readable")
        # what was granted before there was a choice
        content.setdefault("transport", "smtp")
        return content

    # -- what a provider implements ------------------------------------------------

    def _refresh(self, content):
        """Return an ``OauthToken`` for the unpacked tokens, over the network."""
        raise NotImplementedError

    def _refresh_for(self, content, transport):
        """Return an ``OauthToken`` for another transport, if that was granted."""
        raise ConsentDead("revoked", detail=transport)

    def _cached_access(self, content):
        """Return (access token or None, its end in epoch seconds), without network."""
        raise NotImplementedError

    def _refresh_secret(self, content):
        """Return the refresh token, or an empty string."""
        raise NotImplementedError


def json_text(value):
    """Return the same text for the same data."""
    return json.dumps(value, sort_keys=True)
