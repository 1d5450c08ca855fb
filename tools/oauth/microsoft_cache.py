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
        if _shorten(wanted) in map(_shorten, str(entry.get("target")).split())
    ]
    newest = max(entries, key=lambda e: int(e.get("expires_on", 0)), default={})
    return newest.get("secret")


def get_refresh_secret(content):
    """Return the newest refresh token, or an empty text."""
    entries = _get_entries(content, "RefreshToken")
    newest = max(
        entries, key=lambda e: int(e.get("last_modification_time", 0)), default={}
    )
    return newest.get("secret") or ""


def _shorten(scope):
    return scope.rpartition("/")[2].lower()


def _get_entries(content, kind):
    """Return the entries of one kind."""
    try:
        return list(json.loads(content["cache"]).get(kind, {}).values())
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ConsentDead("unknown", detail="stored tokens not readable") from None
