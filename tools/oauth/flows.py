"""The sign-ins under way in one session: each tab has a flow of its own.

A flow is found by its ``state`` (RFC 6749 10.12) and leaves the session when it is
used. An answer with another ``state`` touches none: neither a stale tab nor somebody
else's link can end a sign-in.
"""

import time

# Seconds between begin and finish. RFC 6749 4.1.2 gives a code ten minutes at most.
FLOW_LIFETIME = 600

# Most sign-ins one session has under way; the oldest gives way.
MAX_FLOWS = 5


def add_flow(flows, flow):
    """Return the session's flows with one more, without those long over.

    :param flows: dict of flows by state, None = none yet
    """
    oldest = time.time() - 2 * FLOW_LIFETIME
    kept = [f for f in (flows or {}).values() if f["created_at"] > oldest]
    kept.sort(key=lambda f: f["created_at"])
    return {f["state"]: f for f in [*kept, flow][-MAX_FLOWS:]}


def take_flow(flows, state):
    """Return (flow with this state or None, the flows that are left)."""
    left = dict(flows or {})
    return left.pop(state, None), left
