"""Ask a provider for its endpoints and keys (OpenID Connect Discovery 1.0, 3 and 4)."""

import threading
import time
from urllib.parse import urlsplit

from .channel import session_for
from .errors import ProviderMisconfigured

WELL_KNOWN = "/.well-known/openid-configuration"

# Endpoints change about never; an hour keeps a correction at the provider effective.
METADATA_LIFETIME = 3600.0

_cache = {}
_lock = threading.Lock()


def fetch_metadata(url, config):
    """Return the discovery document at ``url``, from memory when younger than an hour.

    :raise ProviderMisconfigured: there is none
    :raise ProviderUnavailable: it cannot be had right now
    """
    key = (url, config.ca_bundle)
    with _lock:
        deadline, metadata = _cache.get(key, (0.0, None))
    if time.monotonic() < deadline:
        return metadata
    metadata = _get_json(url, config)
    with _lock:
        _cache[key] = (time.monotonic() + METADATA_LIFETIME, metadata)
    return metadata


def fetch_keys(url, config):
    """Return the provider's key set (RFC 7517 5), always fresh.

    A sign-in is rare, keys are rolled at any time: not worth a memory.
    """
    return _get_json(url, config)


def require_https(url):
    """Refuse an endpoint that is not an absolute HTTPS address (RFC 9700 2.6)."""
    parts = urlsplit(str(url))
    if parts.scheme != "https" or not parts.hostname or parts.username is not None:
        raise ProviderMisconfigured("endpoint", description=url)
    return url


def _get_json(url, config):
    require_https(url)
    with session_for(config) as (session, channel):
        response = session.get(url, headers={"Accept": "application/json"})
        if response.status_code != 200:
            raise ProviderMisconfigured("endpoint", description=url)
        return channel.payload
