"""Ask a provider for its endpoints and keys (OpenID Connect Discovery 1.0, 3 and 4).

What comes back is foreign data: of the document only what we use is kept, and of that
only what has the right type.
"""

import threading
import time
from urllib.parse import urlsplit

from .channel import session_for
from .errors import ProviderMisconfigured

WELL_KNOWN = "/.well-known/openid-configuration"

# Endpoints change about never; an hour keeps a correction at the provider effective.
METADATA_LIFETIME = 3600.0

_TEXTS = (
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "jwks_uri",
    "revocation_endpoint",
)

_cache = {}
_lock = threading.Lock()


def fetch_metadata(url, config, deadline=None):
    """Return the discovery document at ``url``, from memory when younger than an hour.

    :return: dict of the texts above, empty where there is none or nonsense, of
        ``prompt_values_supported`` (list of text, empty = not said) and
        ``authorization_response_iss_parameter_supported`` (RFC 9207 3)
    :raise ProviderMisconfigured: there is none
    :raise ProviderUnavailable: it cannot be had right now
    """
    key = (url, config.ca_bundle)
    with _lock:
        ends_at, metadata = _cache.get(key, (0.0, None))
    if time.monotonic() < ends_at:
        return metadata
    metadata = _readable(_get_json(url, config, deadline))
    with _lock:
        _cache[key] = (time.monotonic() + METADATA_LIFETIME, metadata)
    return metadata


def _readable(document):
    metadata = {}
    for name in _TEXTS:
        value = document.get(name)
        metadata[name] = value if isinstance(value, str) else ""
    prompts = document.get("prompt_values_supported")
    metadata["prompt_values_supported"] = [
        prompt
        for prompt in (prompts if isinstance(prompts, list) else ())
        if isinstance(prompt, str)
    ]
    name = "authorization_response_iss_parameter_supported"
    metadata[name] = document.get(name) is True
    return metadata


def fetch_keys(url, config, deadline=None):
    """Return the provider's key set (RFC 7517 5), always fresh.

    A sign-in is rare, keys are rolled at any time: not worth a memory.
    """
    return _get_json(url, config, deadline)


def require_https(url):
    """Refuse an endpoint that is not an absolute HTTPS address (RFC 9700 2.6)."""
    if not is_absolute(url, ("https",)):
        raise ProviderMisconfigured("endpoint", address=url)
    return url


def is_absolute(url, schemes):
    """Tell whether ``url`` can be connected to as it stands: no user name, no blanks.

    :param schemes: the schemes that are allowed
    """
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in schemes
            and bool(parts.hostname)
            and parts.username is None
            # its range is checked when it is read
            and parts.port != 0
            and not any(char.isspace() or not char.isprintable() for char in url)
        )
    except (AttributeError, TypeError, ValueError):
        return False


def _get_json(url, config, deadline):
    require_https(url)
    with session_for(config, deadline) as (session, channel):
        response = session.get(url, headers={"Accept": "application/json"})
        if response.status_code != 200:
            raise ProviderMisconfigured("endpoint", address=url)
        return channel.payload
