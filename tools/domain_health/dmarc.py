"""The DMARC policy of a domain: found by walking up the DNS (RFC 9989 4.10)."""

import re
from typing import NamedTuple

MAX_STEPS = 8  # questions of one walk, RFC 9989 4.10
POLICIES = ("none", "quarantine", "reject")

_VERSION = re.compile(r"v\s*=\s*DMARC1\s*(?:;|\Z)")


class Dmarc(NamedTuple):
    """The record that counts: where it stands and what it asks receivers for.

    ``policy`` is the one for the domain that was asked for, which may be a subdomain.
    """

    domain: str
    policy: str
    tags: dict


def read_dmarc(domain, ask):
    """Return the policy of a domain, False if it has none, None if nobody answered.

    The record at the domain itself counts, else the one at its organisational domain.

    :param ask: from a name to the list of its texts, None if nobody answered
    """
    found, is_answered = [], True
    for name in walk(domain):
        texts = ask(f"_dmarc.{name}")
        is_answered = is_answered and texts is not None
        tags = _read_record(texts or ())
        if tags is None:
            continue
        if name == domain:
            return Dmarc(name, _get_policy(tags, ("p",)), tags)
        found.append((name, tags))
        if tags.get("psd") in ("y", "n"):
            break
    if not found:
        return False if is_answered else None
    name, tags = _get_organisational(found, domain)
    # of a name that does not exist `np` would count; nobody sends from one
    return Dmarc(name, _get_policy(tags, ("sp", "p")), tags)


def walk(domain):
    """The names a walk asks at, the domain itself first."""
    labels = domain.lower().rstrip(".").split(".")
    names = [labels]
    if len(labels) > MAX_STEPS:
        labels = labels[-(MAX_STEPS - 1) :]
        names.append(labels)
    while len(labels) > 1:
        labels = labels[1:]
        names.append(labels)
    return [".".join(parts) for parts in names]


def _get_organisational(found, domain):
    """The record of the organisational domain (RFC 9989 4.10.2).

    :param found: (name, tags) of the records above a domain, the longest name first
    """
    for name, tags in found:
        if tags.get("psd") == "n":
            return name, tags
    name, tags = found[-1]
    if tags.get("psd") == "y" and len(found) > 1:
        # the domain one label below the public suffix, if it speaks for itself
        below = domain.split(".")[-(name.count(".") + 2) :]
        for other, other_tags in found[:-1]:
            if other == ".".join(below):
                return other, other_tags
    return name, tags


def _read_record(texts):
    """The tags of the only record there may be, else None (RFC 9989 4.10)."""
    records = [text for text in texts if _VERSION.match(text)]
    if len(records) != 1:
        return None
    pairs = (part.partition("=") for part in records[0].split(";"))
    return {name.strip().lower(): value.strip().lower() for name, _, value in pairs}


def _get_policy(tags, names):
    """The first policy that is one; a record without any asks for nothing."""
    for name in names:
        if tags.get(name) in POLICIES:
            policy = tags[name]
            # in test mode the next milder one is wished (RFC 9989 4.7)
            if tags.get("t") == "y" and policy != "none":
                return POLICIES[POLICIES.index(policy) - 1]
            return policy
    return "none"
