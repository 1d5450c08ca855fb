"""The queue's condition in SQL, in one place for picking and for looking ahead."""

from odoo.tools import SQL

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
           AND email_alias_bulk = false AND email_alias_is_paused IS NOT TRUE
         ORDER BY email_alias_due, id LIMIT 1) direct ON true
    LEFT JOIN LATERAL (
        SELECT id, email_alias_due AS due FROM mail_mail
         WHERE email_alias_id = alias.id AND state = 'outgoing'
           AND email_alias_bulk = true AND email_alias_is_paused IS NOT TRUE
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
                                LEAST(direct.due,
                                      CASE WHEN bulk.due IS NOT NULL
                                           THEN GREATEST(bulk.due, %(slot)s) END)))
                   - min(clock.now)
              FROM %(queue)s
             WHERE %(is_open)s
               AND (direct.due IS NOT NULL OR bulk.due IS NOT NULL)
            """,
            queue=QUEUE,
            is_open=IS_OPEN,
            slot=SLOT,
        )
    )
    wait = cr.fetchone()[0]
    return None if wait is None else max(0.0, float(wait))


# The columns of an Account.
ACCOUNT = SQL(
    """alias.id, alias.user_id, alias.alias_name, alias.email_from,
       GREATEST(alias.delay_ms, COALESCE(alias.pause_ms, 0)) / 1000.0::float8,
       COALESCE(alias.pause_ms, 0) > alias.delay_ms,
       alias.state = 'draft' OR COALESCE(alias.backoff_count, 0) > 0,
       COALESCE(alias.daily_limit, 0),
       alias.has_sent_copies AND alias.skip_bulk_copies IS NOT TRUE,
       COALESCE(alias.has_sent_copies, false)"""
)


def get_next(cr, alias_id):
    """Pick an alias's next mail: one-to-one first, then bulk, each by due time.

    In SQL because it is asked for each mail and must stay at index probes.

    :return: (mail id, bulk?, seconds until its slot, *columns of an Account) or None
    """
    cr.execute(
        SQL(
            """
            SELECT CASE WHEN direct.due <= clock.now THEN direct.id
                        ELSE bulk.id END,
                   direct.due <= clock.now IS NOT TRUE,
                   %(slot)s - clock.now,
                   %(account)s
              FROM %(queue)s
             WHERE alias.id = %(alias_id)s AND %(is_open)s
               AND COALESCE(alias.backoff_until, 0) <= clock.now
               AND (direct.due <= clock.now OR bulk.due <= clock.now)
            """,
            queue=QUEUE,
            account=ACCOUNT,
            is_open=IS_OPEN,
            slot=SLOT,
            alias_id=alias_id,
        )
    )
    return cr.fetchone()


def get_next_ids(cr, alias_id, is_bulk, count):
    """Read the ids of the next ``count`` mails that are due, by due time.

    In SQL because the condition is that of the queue's index, word for word.
    """
    cr.execute(
        SQL(
            """
            SELECT id FROM mail_mail
             WHERE email_alias_id = %s AND state = 'outgoing'
               AND email_alias_bulk = %s AND email_alias_is_paused IS NOT TRUE
               AND email_alias_due <= extract(epoch FROM clock_timestamp())
             ORDER BY email_alias_due, id LIMIT %s
            """,
            alias_id,
            is_bulk,
            count,
        )
    )
    return [row[0] for row in cr.fetchall()]


def get_account(cr, alias_id):
    """Read the columns of an Account, or None if the alias may not send.

    In SQL because it is read outside the ORM's cache, as it is now.
    """
    cr.execute(
        SQL(
            """
            SELECT %(account)s FROM user_email_alias alias
             WHERE alias.id = %(alias_id)s AND %(is_open)s
            """,
            account=ACCOUNT,
            is_open=IS_OPEN,
            alias_id=alias_id,
        )
    )
    return cr.fetchone()


def get_limiting_submission(cr, alias_id, daily_limit):
    """Read when the submission that counts against the Daily Limit was answered.

    In SQL because it needs the clock of the database, as it is now.

    :return: (seconds since the epoch, now) or None: the limit is not reached
    """
    cr.execute(
        SQL(
            """
            SELECT replied_at, extract(epoch FROM clock_timestamp())
              FROM user_email_alias_log
             WHERE alias_id = %s AND outcome IN ('sent', 'uncertain')
             ORDER BY claimed_at DESC OFFSET %s LIMIT 1
            """,
            alias_id,
            daily_limit - 1,
        )
    )
    return cr.fetchone()
