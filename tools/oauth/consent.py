"""What a provider gives: a consent once, an access token ever again."""

import math
import time
from dataclasses import dataclass, field

# Longest lifetime that is believed, in seconds. Long-lived tokens end after 28 hours.
MAX_LIFETIME = 7 * 24 * 3600


@dataclass(frozen=True)
class Consent:
    """What a finished sign-in brought.

    :param identity: stable name of the account; compare this, never the address
    :param login: what the account is called at the mail server's login
    :param email: the account's address as the provider claims it: a proposal, which a
        login at the mail server has to prove
    :param transport: ``smtp`` or a name of ``transport.API_TRANSPORTS``
    :param server: where this account submits its mail: ``host:port``, or the address of
        the provider's interface
    :param permissions: those for email that were granted, in short, by spaces
    :param expires_at: when the access token inside ``tokens`` ends, in epoch seconds
    """

    identity: str
    login: str
    email: str
    name: str
    transport: str
    server: str
    expires_at: float
    tokens: str = field(repr=False)
    permissions: str = ""


@dataclass(frozen=True)
class OauthToken:
    """An access token, and the tokens to keep from now on.

    :param is_refreshed: ``tokens`` differs from what was given: commit it before use,
        as the refresh token in it may have replaced a dead one (RFC 9700 4.14.2)
    """

    expires_at: float
    is_refreshed: bool
    access_token_secret: str = field(repr=False)
    tokens: str = field(repr=False)


def lifetime_of(payload):
    """Return how long the access token of a token response lives, in seconds.

    Absent or odd ``expires_in`` (only RECOMMENDED, RFC 6749 5.1) counts as none: the
    token serves for the login at hand and is fetched anew for the next.
    """
    try:
        lifetime = float(payload.get("expires_in") or 0)
    except (OverflowError, TypeError, ValueError):
        lifetime = 0.0
    return min(max(lifetime, 0.0), MAX_LIFETIME) if math.isfinite(lifetime) else 0.0


def expiry(payload):
    """Return when the access token of a token response ends, in epoch seconds."""
    return time.time() + lifetime_of(payload)
