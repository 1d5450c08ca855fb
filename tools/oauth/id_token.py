"""Verify an ID token (OpenID Connect Core 1.0, 3.1.3.7).

Done by ourselves and alike for all providers. The standard would let us rely on TLS to
the token endpoint (3.1.3.7 (6)) and the providers' libraries differ in what they check,
from release to release: one verifies the signature without any tolerance for a clock
that is a second off, another verifies nothing at all since its version 1.38.
"""

import hmac

import jwt

from .errors import FlowInvalid

# Seconds two clocks may differ.
LEEWAY = 120

# Longest token that is looked at.
MAX_LENGTH = 32 * 1024

# Longest ``sub`` (OIDC Core 2).
MAX_SUBJECT = 255

_REQUIRED = ["iss", "sub", "aud", "exp", "iat"]


def verify_id_token(id_token, keys, *, client_id, nonce, issuers):
    """Return the claims of ``id_token``, or refuse it.

    :param keys: the provider's key set, a dict as in RFC 7517 5
    :param nonce: what the authorization request carried (OIDC Core 3.1.2.1)
    :param issuers: function of (claims, key as dict) that returns the accepted ``iss``
    :raise FlowInvalid: code ``id_token``; the detail names the failed check
    """
    if not isinstance(id_token, str) or len(id_token) > MAX_LENGTH:
        raise _refused("missing or too long")
    try:
        key = _signing_key(jwt.get_unverified_header(id_token), keys)
        # The algorithm is ours, never the token's: "none" or HS256 with the public
        # key as secret would pass otherwise (RFC 8725 2.1, 3.1).
        claims = jwt.decode(
            id_token,
            jwt.PyJWK(key, algorithm="RS256").key,
            algorithms=["RS256"],
            audience=client_id,
            leeway=LEEWAY,
            options={"require": _REQUIRED},
        )
    except FlowInvalid:
        raise
    except Exception as error:
        # Whatever the library makes of foreign bytes: they are no ID token.
        raise _refused(type(error).__name__) from None
    _check_claims(claims, client_id, nonce)
    if claims["iss"] not in issuers(claims, key):
        raise _refused("issuer")  # 3.1.3.7 (2)
    return claims


def _signing_key(header, keys):
    """Pick the RSA key the token names (RFC 7515 4.1.4); the only one if it names none.

    :raise FlowInvalid: no such key; falling back to others would defeat key revocation
    """
    candidates = [
        key
        for key in keys.get("keys") or []
        if key.get("kty") == "RSA" and key.get("use", "sig") == "sig"
    ]
    if header.get("kid") is not None:
        candidates = [key for key in candidates if key.get("kid") == header["kid"]]
    if len(candidates) != 1:
        raise _refused("signing key")
    return candidates[0]


def _check_claims(claims, client_id, nonce):
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT:
        raise _refused("sub")
    if not subject.isascii() or not subject.isprintable() or not subject.strip():
        raise _refused("sub")
    # 3.1.3.7 (4), (5): a token for several audiences must have been issued to us.
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if several else client_id) != client_id:
        raise _refused("authorized party")
    # 3.1.3.7 (11): a token from another sign-in was injected (RFC 9700 4.5.3.2).
    actual = str(claims.get("nonce") or "")
    if not nonce or not hmac.compare_digest(_octets(actual), _octets(nonce)):
        raise _refused("nonce")


def _octets(text):
    return text.encode(errors="surrogatepass")


def _refused(check):
    return FlowInvalid("id_token", detail=check)
