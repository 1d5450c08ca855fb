"""What has waited for long does not leave before its owner was asked."""

from .queries import get_wait


def hold_if_stale(env, alias_id):
    """Put an alias on hold whose mail has waited too long; commits.

    :return: whether it is on hold now
    """
    wait = get_wait(env.cr, alias_id)
    alias = env["user.email.alias"].browse(alias_id)
    is_held = bool(wait) and alias._hold_if_stale(*map(float, wait))
    env.cr.commit()
    return is_held
