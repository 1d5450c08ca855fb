"""A mail that gets its alias into trouble each time must not stop all behind it.

What a server says of one mail may read as if it were about the account: a connection
that ends at its contents, a word like "limit" or "blocked". The alias then waits or is
on hold, as if no mail could leave, and the same mail is the first one again. So the
others go first the next time. When they have left, it was the mail: it waits by itself,
and is given up after five days like any other.
"""

from odoo.tools import SQL

from ..tools.pacing import DAY

# Trouble that is older is forgotten.
MEMORY_DAYS = 5
# The others have so many seconds, and a pause, before the mail is tried again.
HEAD_START_SECONDS = 5.0

# The alias's last trouble at a submission, unless something has left since.
LAST_TROUBLE = SQL(
    """
    SELECT mail_mail_id, claimed_at, is_put_back FROM user_email_alias_log
     WHERE alias_id = alias.id AND outcome = 'deferred' AND scope = 'alias'
     ORDER BY claimed_at DESC LIMIT 1
    """
)
LAST_SENT = SQL(
    """
    SELECT claimed_at FROM user_email_alias_log
     WHERE alias_id = alias.id AND outcome IN ('sent', 'uncertain')
     ORDER BY claimed_at DESC LIMIT 1
    """
)


def let_others_pass(env, alias_id):
    """Let other mail that is due go before the one the alias last had trouble with;
    commits.

    In SQL because each lane begins with it, and it must stay at index probes.
    """
    env.cr.execute(
        SQL(
            """
            UPDATE mail_mail mail
               SET email_alias_due = clock.now + %(head_start)s
                   + GREATEST(alias.delay_ms, COALESCE(alias.pause_ms, 0)) / 1000.0
              FROM (SELECT extract(epoch FROM clock_timestamp())::float8 AS now) clock
        CROSS JOIN user_email_alias alias
        CROSS JOIN LATERAL (%(last_trouble)s) trouble
         LEFT JOIN LATERAL (%(last_sent)s) sent ON true
             WHERE alias.id = %(alias_id)s AND mail.id = trouble.mail_mail_id
               AND trouble.is_put_back IS NOT TRUE
               AND trouble.claimed_at > clock.now - %(memory)s
               AND trouble.claimed_at > COALESCE(sent.claimed_at, 0)
               AND mail.email_alias_id = alias.id AND mail.state = 'outgoing'
               AND mail.email_alias_due <= clock.now
               AND EXISTS (
                   SELECT FROM mail_mail other
                    WHERE other.email_alias_id = alias.id AND other.id != mail.id
                      AND other.state = 'outgoing'
                      AND other.email_alias_bulk IN (true, false)
                      AND other.email_alias_is_paused IS NOT TRUE
                      AND other.email_alias_due <= clock.now)
            """,
            head_start=HEAD_START_SECONDS,
            memory=MEMORY_DAYS * DAY,
            last_trouble=LAST_TROUBLE,
            last_sent=LAST_SENT,
            alias_id=alias_id,
        )
    )
    env["mail.mail"].invalidate_model(["email_alias_due"])
    env.cr.commit()


def is_its_own(cr, alias_id, mail_id):
    """Tell whether trouble at a mail is this mail's: it had been in the way before, and
    others have left since.

    In SQL because it is three probes of indexes.
    """
    cr.execute(
        SQL(
            """
            SELECT sent.claimed_at > trouble.claimed_at
              FROM user_email_alias alias
        CROSS JOIN LATERAL (%(last_trouble)s) trouble
        CROSS JOIN LATERAL (%(last_sent)s) sent
             WHERE alias.id = %(alias_id)s
               AND EXISTS (
                   SELECT FROM user_email_alias_log
                    WHERE mail_mail_id = %(mail_id)s AND alias_id = alias.id
                      AND outcome = 'deferred' AND scope = 'alias'
                      AND claimed_at > sent.claimed_at - %(memory)s)
            """,
            last_trouble=LAST_TROUBLE,
            last_sent=LAST_SENT,
            alias_id=alias_id,
            mail_id=mail_id,
            memory=MEMORY_DAYS * DAY,
        )
    )
    row = cr.fetchone()
    return bool(row and row[0])
