"""The queue's condition in SQL, in one place for picking and for looking ahead."""

from odoo.tools import SQL

# A paused mailing's mails are due that many seconds later than they would be, which
# keeps them out of the way without a further condition on a million rows.
PAUSED_SECONDS = 10_000_000_000

# An alias with its first one-to-one mail, its first bulk mail and its last bulk
# submission; each is one probe of an index. The last one is ordered by a column that no
# other index offers, lest the planner walks the whole log backwards by its id.
QUEUE = SQL(
    """
    (SELECT extract(epoch FROM clock_timestamp())::float8 AS now) clock
    CROSS JOIN user_email_alias alias
    JOIN res_users owner ON owner.id = alias.user_id AND owner.active
    LEFT JOIN LATERAL (
        SELECT id, email_alias_due AS due FROM mail_mail
         WHERE email_alias_id = alias.id AND state = 'outgoing'
           AND email_alias_bulk = false
         ORDER BY email_alias_due, id LIMIT 1) direct ON true
    LEFT JOIN LATERAL (
        SELECT id, email_alias_due AS due FROM mail_mail
         WHERE email_alias_id = alias.id AND state = 'outgoing'
           AND email_alias_bulk = true
         ORDER BY email_alias_due, id LIMIT 1) bulk ON true
    LEFT JOIN LATERAL (
        SELECT replied_at FROM user_email_alias_log
         WHERE alias_id = alias.id AND is_bulk
         ORDER BY claimed_at DESC LIMIT 1) last ON true
    """
)

# Whether the alias may send at all.
IS_OPEN = SQL(
    "(alias.active AND alias.state != 'hold' AND alias.is_paused IS NOT TRUE)"
)

# When the next bulk email may start, in seconds since the epoch.
SLOT = SQL(
    """(COALESCE(last.replied_at, 0)
        + GREATEST(alias.delay_ms, COALESCE(alias.pause_ms, 0)) / 1000.0)::float8"""
)


def get_due(cr, horizon):
    """Find the aliases that have something to do: mail that is due or an open claim.

    In SQL because it is asked four times a second and must stay at index probes.

    :param horizon: seconds within which the slot of bulk mail must come
    :return: dict alias id -> whether a one-to-one mail is among it
    """
    cr.execute(
        SQL(
            """
            SELECT alias.id, COALESCE(direct.due <= clock.now, false)
              FROM %(queue)s
         LEFT JOIN LATERAL (
                   SELECT id FROM user_email_alias_log
                    WHERE alias_id = alias.id AND outcome IS NULL
                    LIMIT 1) claim ON true
             WHERE claim.id IS NOT NULL
                OR (%(is_open)s AND COALESCE(alias.backoff_until, 0) <= clock.now
                    AND (direct.due <= clock.now
                         OR (bulk.due <= clock.now
                             AND %(slot)s <= clock.now + %(horizon)s)))
            """,
            queue=QUEUE,
            is_open=IS_OPEN,
            slot=SLOT,
            horizon=horizon,
        )
    )
    return dict(cr.fetchall())


def get_next_due(cr):
    """Return the seconds until the first mail becomes due; None if nothing waits."""
    cr.execute(
        SQL(
            """
            SELECT min(GREATEST(COALESCE(alias.backoff_until, 0),
                                LEAST(direct.due, GREATEST(bulk.due, %(slot)s))))
                   - min(clock.now)
              FROM %(queue)s
             WHERE %(is_open)s
               AND (direct.due < %(never)s OR bulk.due < %(never)s)
            """,
            queue=QUEUE,
            is_open=IS_OPEN,
            slot=SLOT,
            never=PAUSED_SECONDS,
        )
    )
    wait = cr.fetchone()[0]
    return None if wait is None else max(0.0, float(wait))
