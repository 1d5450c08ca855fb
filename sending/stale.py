"""What has waited for long does not leave before its owner was asked."""

from .queries import get_wait


def hold_if_stale(env, alias_id):
    """Put an alias on hold whose mail has waited too long; commits."""
    wait = get_wait(env.cr, alias_id)
    if wait:
        alias = env["user.email.alias"].browse(alias_id)
        alias._hold_if_stale(*map(float, wait))
    env.cr.commit()
