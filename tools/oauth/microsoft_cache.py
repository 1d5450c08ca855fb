"""What ``msal`` keeps in its serialised cache."""

import json

from .errors import ConsentDead


def get_access_secret(content, wanted):
    """Return the newest access token for a permission, or None.

    :param content: the kept tokens
    :param wanted: the permission, its interface's address before it or not
    """
    entries = [
        entry
        for entry in _get_entries(content, "AccessToken")
        if _is_for(entry, wanted)
    ]
    newest = max(entries, key=lambda e: int(e.get("expires_on", 0)), default={})
    return newest.get("secret")


def drop_access(content, wanted):
    """Return the cache without access tokens for a permission: a new one replaces them.

    The library keeps one for each set of scopes that a provider names, and two of the
    same second cannot be told apart.
    """
    cache = json.loads(content["cache"])
    tokens = cache.get("AccessToken", {})
    cache["AccessToken"] = {
        key: entry for key, entry in tokens.items() if not _is_for(entry, wanted)
    }
    return json.dumps(cache)


def get_refresh_secret(content):
    """Return the newest refresh token, or an empty text."""
    entries = _get_entries(content, "RefreshToken")
    newest = max(
        entries, key=lambda e: int(e.get("last_modification_time", 0)), default={}
    )
    return newest.get("secret") or ""


def _is_for(entry, wanted):
    return _shorten(wanted) in map(_shorten, str(entry.get("target")).split())


def _shorten(scope):
    return scope.rpartition("/")[2].lower()


def _get_entries(content, kind):
    """Return the entries of one kind."""
    try:
        return list(json.loads(content["cache"]).get(kind, {}).values())
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ConsentDead("unknown", detail="stored tokens not readable") from None
