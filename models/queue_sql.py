"""The queue's condition in SQL, in one place for picking and for looking ahead."""

from odoo.tools import SQL

# A paused mailing's mails are due that many seconds later than they would be, which
# keeps them out of the way without a further condition on a million rows.
PAUSED_SECONDS = 10_000_000_000

# An alias with its first one-to-one mail, its first bulk mail and its last bulk
# hand-over; each is one probe of an index. The last one is ordered by a column that no
# other index offers, lest the planner walks the whole journal backwards by its id.
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
        SELECT replied_at FROM user_email_alias_delivery
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
