"""What an alias's owner reads and hears of copies that are not filed."""

import logging

from odoo.tools import SQL

from ..tools import address, pacing, vault
from ..tools.epoch import to_datetime
from ..tools.imap.failure import ImapFailure

_logger = logging.getLogger(__name__)


def explain(alias, error):
    """Return why the account's copies wait, in words for its owner."""
    if isinstance(error, ImapFailure):
        return str(error)
    if isinstance(error, (address.AddressError, vault.VaultError)):
        return alias._explain(error)
    # Nobody has foreseen it: where it came from, and nothing of what was said.
    trace = error.__traceback__
    while trace.tb_next:
        trace = trace.tb_next
    _logger.error(
        "Copies of alias %s wait: %s in %s, line %s",
        alias.id,
        type(error).__name__,
        trace.tb_frame.f_code.co_filename,
        trace.tb_lineno,
    )
    return alias.env._(
        "An unexpected error, which your administrator finds in the log."
    )


def tell_owner(alias, is_closed):
    """Tell the owner once: about copies that failed, or wait for an hour.

    :param is_closed: an administrator has closed the mailbox, which is no passing
        trouble and told at once
    """
    alias.env.cr.execute(
        SQL(
            """
            SELECT id FROM user_email_alias_log
             WHERE alias_id = %s AND sent_copy_state = 'waiting'
               AND is_sent_copy_told LIMIT 1
            """,
            alias.id,
        )
    )
    was_told = alias.env.cr.fetchone()
    alias.env.cr.execute(
        SQL(
            """
            UPDATE user_email_alias_log
               SET is_sent_copy_told = true
             WHERE alias_id = %s AND is_sent_copy_told IS NOT TRUE
               AND sent_copy_error IS NOT NULL
               AND sent_copy_state IN ('waiting', 'failed')
               AND (sent_copy_state = 'failed' OR sent_copy_first_at <= %s)
            RETURNING sent_copy_state, sent_copy_error
            """,
            alias.id,
            to_datetime(alias._now() - (0.0 if is_closed else pacing.COPY_TELL_AFTER)),
        )
    )
    told = dict(alias.env.cr.fetchall())
    if "failed" in told:
        message = alias.env._(
            "A copy could not be filed in the Sent folder: %s The email itself "
            "was sent.",
            told["failed"],
        )
    elif "waiting" in told and not was_told:
        message = alias.env._(
            "Copies of sent emails wait to be filed: %s The emails themselves were "
            "sent.",
            told["waiting"],
        )
    else:
        return
    alias._notify_owner(message)
