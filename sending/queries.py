"""The queue's condition in SQL, in one place for picking and for looking ahead."""

from odoo.tools import SQL

from .clock import TOLERANCE_SECONDS
from .lock import LANE_LOCK

# The first mail of an alias in the index of the queue, but one.
_FIRST = """
    SELECT id, email_alias_due AS due FROM mail_mail
     WHERE email_alias_id = alias.id AND state = 'outgoing'
       AND email_alias_bulk = %s AND email_alias_is_paused IS NOT TRUE
       AND id IS DISTINCT FROM %s
     ORDER BY email_alias_due, id LIMIT 1
"""

# The mails of an alias that are due, in their order: the queue's index, word for word.
DUE_IDS = """
    SELECT id FROM mail_mail
     WHERE email_alias_id = %s AND state = 'outgoing'
       AND email_alias_bulk = %s AND email_alias_is_paused IS NOT TRUE
       AND email_alias_due <= extract(epoch FROM clock_timestamp())
     ORDER BY email_alias_due, id LIMIT %s
"""


def _get_queue(but=None):
    """An alias with its first one-to-one mail, its first bulk mail and its last bulk
    submission; each is one probe of an index.

    :param but: id of a mail that is left out
    """
    return SQL(
        """
        (SELECT extract(epoch FROM clock_timestamp())::float8 AS now) clock
        CROSS JOIN user_email_alias alias
        LEFT JOIN LATERAL (%(direct)s) direct ON true
        LEFT JOIN LATERAL (%(bulk)s) bulk ON true
        LEFT JOIN LATERAL (
            -- by a column that no other index offers, lest the planner walks the whole
            -- log backwards by its id
            SELECT replied_at, rest_ms FROM user_email_alias_log
             WHERE alias_id = alias.id AND is_bulk
             ORDER BY claimed_at DESC LIMIT 1) last ON true
        """,
        direct=SQL(_FIRST, False, but),
        bulk=SQL(_FIRST, True, but),
    )


QUEUE = _get_queue()

# Whether the owner is archived or no internal user any more.
IS_OWNER_GONE = SQL(
    """EXISTS (SELECT FROM res_users owner
                WHERE owner.id = alias.user_id
                  AND (owner.active IS NOT TRUE OR owner.share))"""
)

# What keeps an alias from sending at all, each by its name.
BARS = {
    "owner": IS_OWNER_GONE,
    "archived": SQL("alias.active IS NOT TRUE"),
    "hold": SQL("alias.state = 'hold'"),
    "paused": SQL("alias.is_paused IS TRUE"),
}

# Whether the alias may send at all.
IS_OPEN = SQL("NOT (%s)", SQL(" OR ").join(reversed(BARS.values())))

# Whether an alias in trouble has waited long enough, and has something to send.
IS_RIPE = SQL(
    """(%s AND COALESCE(alias.backoff_until, 0) <= clock.now
        AND (direct.due <= clock.now OR bulk.due <= clock.now))""",
    IS_OPEN,
)

# Its next mail, where it is ripe: one-to-one mail first.
NEXT_ID = SQL("CASE WHEN direct.due <= clock.now THEN direct.id ELSE bulk.id END")

# When the next bulk email may start, in seconds since the epoch: never further ahead
# than the pause, should the clock of the database have been set back.
SLOT = SQL(
    """(LEAST(COALESCE(last.replied_at, 0), clock.now + %s)
        + GREATEST(alias.delay_ms, COALESCE(alias.pause_ms, 0),
                   COALESCE(last.rest_ms, 0)) / 1000.0)::float8""",
    TOLERANCE_SECONDS,
)


def get_due(cr, horizon, direct_of=None):
    """Find the aliases that have something to do: mail that is due or an open claim.

    In SQL because it is asked four times a second and must stay at index probes.

    :param horizon: seconds within which the slot of bulk mail must come
    :param direct_of: ids of aliases; only their one-to-one mail is looked for
    :return: dict alias id -> (user id, whether a one-to-one mail is among it)
    """
    if direct_of is not None:
        scope = SQL("alias.id = ANY(%s) AND direct.due <= clock.now", list(direct_of))
    else:
        scope = SQL("true")
    cr.execute(
        SQL(
            """
            SELECT alias.id, alias.user_id,
                   COALESCE(direct.due <= clock.now, false)
              FROM %(queue)s
         LEFT JOIN LATERAL (
                   SELECT id FROM user_email_alias_log
                    WHERE alias_id = alias.id AND outcome IS NULL
                    LIMIT 1) claim ON true
             WHERE %(scope)s
               AND (claim.id IS NOT NULL
                    OR (%(is_open)s AND COALESCE(alias.backoff_until, 0) <= clock.now
                        AND (direct.due <= clock.now
                             OR (bulk.due <= clock.now
                                 AND %(slot)s <= clock.now + %(horizon)s))))
            """,
            queue=QUEUE,
            is_open=IS_OPEN,
            slot=SLOT,
            horizon=horizon,
            scope=scope,
        )
    )
    return {row[0]: row[1:] for row in cr.fetchall()}


def get_waiting(cr):
    """Find who waits for us: at a lane's lock, or at a row or the table of jobs.

    In SQL because PostgreSQL alone knows who waits, on whichever host.

    :return: (ids of the aliases whose lock is waited for, whether a job is)
    """
    cr.execute(
        SQL(
            """
            SELECT CASE locktype WHEN 'advisory' THEN objid::int8 END
              FROM pg_locks
             WHERE database = (SELECT oid FROM pg_database
                                WHERE datname = current_database())
               AND CASE locktype
                   WHEN 'advisory' THEN classid = %s AND objsubid = 2 AND NOT granted
                   WHEN 'relation' THEN relation = 'ir_cron'::regclass AND NOT granted
                   -- held by whoever waits for a row of the table
                   WHEN 'tuple' THEN relation = 'ir_cron'::regclass AND pid IN (
                        SELECT pid FROM pg_locks WHERE NOT granted)
                   ELSE false END
            """,
            LANE_LOCK,
        )
    )
    found = {row[0] for row in cr.fetchall()}
    return found - {None}, None in found


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
       COALESCE(alias.has_sent_copies, false),
       COALESCE(alias.max_bytes, 0), COALESCE(alias.reply_to, '')"""
)


def get_next(cr, alias_id, but=None):
    """Pick an alias's next mail: one-to-one first, then bulk, each by due time.

    In SQL because it is asked for each mail and must stay at index probes.

    :param but: id of a mail that is left out
    :return: (mail id, bulk?, seconds until its slot, whether the clock was set back,
        *columns of an Account) or None
    """
    cr.execute(
        SQL(
            """
            SELECT %(next_id)s,
                   direct.due <= clock.now IS NOT TRUE,
                   %(slot)s - clock.now,
                   COALESCE(last.replied_at, 0) > clock.now + %(ahead)s,
                   %(account)s
              FROM %(queue)s
             WHERE alias.id = %(alias_id)s AND %(is_ripe)s
            """,
            queue=_get_queue(but),
            account=ACCOUNT,
            next_id=NEXT_ID,
            is_ripe=IS_RIPE,
            slot=SLOT,
            ahead=TOLERANCE_SECONDS / 2,
            alias_id=alias_id,
        )
    )
    return cr.fetchone()


def get_next_ids(cr, alias_id, is_bulk, count):
    """Read the ids of the next ``count`` mails that are due, by due time.

    In SQL because the condition is that of the queue's index, word for word.
    """
    cr.execute(SQL(DUE_IDS, alias_id, is_bulk, count))
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


def get_wait(cr, alias_id):
    """Read how long an alias that may send has had something to send.

    In SQL because it must stay at index probes, however much waits.

    :return: (when its oldest mail became due, when it last sent one or 0; both in
        seconds since the epoch), or None if nothing is due
    """
    cr.execute(
        SQL(
            """
            SELECT LEAST(direct.due, bulk.due),
                   COALESCE((SELECT claimed_at FROM user_email_alias_log
                              WHERE alias_id = alias.id
                                AND outcome IN ('sent', 'uncertain')
                              ORDER BY claimed_at DESC LIMIT 1), 0)
              FROM %(queue)s
             WHERE alias.id = %(alias_id)s AND %(is_open)s
               AND LEAST(direct.due, bulk.due) <= clock.now
            """,
            queue=QUEUE,
            is_open=IS_OPEN,
            alias_id=alias_id,
        )
    )
    return cr.fetchone()


# The submission of an alias that counts against its Daily Limit: so many came after it.
LIMITING = """
    SELECT replied_at FROM user_email_alias_log
     WHERE alias_id = %s AND outcome IN ('sent', 'uncertain')
     ORDER BY claimed_at DESC OFFSET %s LIMIT 1
"""


def get_limiting_submission(cr, alias_id, daily_limit):
    """Read when the submission that counts against the Daily Limit was answered.

    In SQL because it needs the clock of the database, as it is now.

    :return: (seconds since the epoch, now) or None: the limit is not reached
    """
    cr.execute(
        SQL(
            "SELECT replied_at, extract(epoch FROM clock_timestamp()) FROM (%s) log",
            SQL(LIMITING, alias_id, daily_limit - 1),
        )
    )
    return cr.fetchone()
