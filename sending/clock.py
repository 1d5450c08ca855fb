"""The database's clock: should it be set back, nothing waits for its future."""

import logging

from odoo.tools import SQL

_logger = logging.getLogger(__name__)

# A reply may lie that many seconds ahead: what a lane adds after a crash, and what a
# time server corrects.
TOLERANCE_SECONDS = 2.0


def follow_clock(cr):
    """Move what was noted by a clock that has been set back to where it is now.

    The order of submissions stays, and so does the pause after the last one. Mail
    that was due when it was written is due now.
    """
    cr.execute(
        SQL(
            """
            SELECT alias.id, GREATEST(last.claimed_at, last.replied_at) - clock.now
              FROM (SELECT extract(epoch FROM clock_timestamp())::float8 AS now) clock
        CROSS JOIN user_email_alias alias
        CROSS JOIN LATERAL (
                   SELECT claimed_at, replied_at FROM user_email_alias_log
                    WHERE alias_id = alias.id AND is_bulk
                    ORDER BY claimed_at DESC LIMIT 1) last
             WHERE GREATEST(last.claimed_at, last.replied_at) > clock.now + %s
            """,
            TOLERANCE_SECONDS,
        )
    )
    for alias_id, shift in cr.fetchall():
        _logger.warning(
            "The clock of the database was set back: alias %s follows by %.0f s",
            alias_id,
            shift,
        )
        cr.execute(
            SQL(
                """
                UPDATE user_email_alias_log
                   SET claimed_at = claimed_at - CASE WHEN claimed_at > now
                                                      THEN %(shift)s ELSE 0 END,
                       replied_at = replied_at - CASE WHEN replied_at > now
                                                      THEN %(shift)s ELSE 0 END,
                       sent_copy_due = sent_copy_due
                                       - %(shift)s * interval '1 second'
                  FROM extract(epoch FROM clock_timestamp()) now
                 WHERE alias_id = %(alias_id)s
                   AND GREATEST(claimed_at, replied_at) > now
                """,
                shift=shift,
                alias_id=alias_id,
            )
        )
        cr.execute(
            SQL(
                """
                UPDATE mail_mail SET email_alias_due = now
                  FROM extract(epoch FROM clock_timestamp()) now
                 WHERE email_alias_id = %s AND state = 'outgoing'
                   AND email_alias_due > now AND scheduled_date IS NULL
                   AND create_date > clock_timestamp() AT TIME ZONE 'UTC'
                """,
                alias_id,
            )
        )
    _follow_waits(cr)


def _follow_waits(cr):
    """Have nobody wait longer for the next try than when that was put off.

    What was written by the clock that was set back was so later than it is now.
    """
    cr.execute(
        SQL(
            """
            UPDATE user_email_alias
               SET backoff_until = backoff_until
                                   - extract(epoch FROM write_date - utc),
                   write_date = utc
              FROM timezone('UTC', clock_timestamp()) utc
             WHERE write_date > utc + %s * interval '1 second'
               AND backoff_until > extract(epoch FROM clock_timestamp())
            """,
            TOLERANCE_SECONDS,
        )
    )
    # all mail that waits is only read when the latest submission lies ahead
    cr.execute(
        SQL(
            """
            UPDATE mail_mail
               SET email_alias_due = email_alias_due
                                     - extract(epoch FROM write_date - utc),
                   write_date = utc
              FROM timezone('UTC', clock_timestamp()) utc
             WHERE state = 'outgoing' AND email_alias_id IS NOT NULL
               AND email_alias_due > extract(epoch FROM clock_timestamp())
               AND scheduled_date IS NULL
               AND write_date > utc + %(tolerance)s * interval '1 second'
               AND (SELECT GREATEST(claimed_at, replied_at)
                      FROM user_email_alias_log ORDER BY id DESC LIMIT 1)
                   > extract(epoch FROM clock_timestamp()) + %(tolerance)s
            """,
            tolerance=TOLERANCE_SECONDS,
        )
    )
