"""A mail that gets its alias into trouble each time must not stop all behind it.

What a server says of one mail may read as if it were about the account: a connection
that ends at its contents, a word like "limit" or "blocked". The alias then waits or is
on hold, as if no mail could leave, and the same mail is the first one again. So
another one goes first the next time. When that one has left, it was the mail: it waits
by itself, and is given up after five days like any other.
"""

from odoo.tools import SQL

from ..tools.pacing import DAY

# Trouble that is older is forgotten.
MEMORY_DAYS = 5
LAST_TROUBLE = SQL(
    """
    SELECT mail_mail_id, claimed_at FROM user_email_alias_log
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


def find(cr, alias_id):
    """Find the mail at which the alias had its last trouble, nothing having left since.

    In SQL because each lane begins with it, and it is two probes of indexes.

    :return: its id, or None
    """
    cr.execute(
        SQL(
            """
            SELECT trouble.mail_mail_id
              FROM user_email_alias alias
        CROSS JOIN LATERAL (%(last_trouble)s) trouble
         LEFT JOIN LATERAL (%(last_sent)s) sent ON true
             WHERE alias.id = %(alias_id)s
               AND trouble.claimed_at > COALESCE(sent.claimed_at, 0)
               AND trouble.claimed_at
                   > extract(epoch FROM clock_timestamp()) - %(memory)s
            """,
            memory=MEMORY_DAYS * DAY,
            last_trouble=LAST_TROUBLE,
            last_sent=LAST_SENT,
            alias_id=alias_id,
        )
    )
    row = cr.fetchone()
    return row and row[0]


def is_its_own(cr, alias_id, mail_id):
    """Tell whether trouble at a mail is this mail's: it had been in the way before, and
    others have left since without trouble.

    In SQL because it is three probes of indexes.
    """
    cr.execute(
        SQL(
            """
            SELECT sent.claimed_at
              FROM user_email_alias alias
        CROSS JOIN LATERAL (%(last_sent)s) sent
             WHERE alias.id = %(alias_id)s
               AND EXISTS (
                   SELECT FROM user_email_alias_log
                    WHERE mail_mail_id = %(mail_id)s AND alias_id = alias.id
                      AND outcome = 'deferred' AND scope = 'alias'
                      AND claimed_at < sent.claimed_at
                      AND claimed_at > sent.claimed_at - %(memory)s)
               AND NOT EXISTS (
                   SELECT FROM user_email_alias_log
                    WHERE alias_id = alias.id AND mail_mail_id != %(mail_id)s
                      AND outcome = 'deferred' AND scope = 'alias'
                      AND claimed_at > sent.claimed_at)
            """,
            last_sent=LAST_SENT,
            alias_id=alias_id,
            mail_id=mail_id,
            memory=MEMORY_DAYS * DAY,
        )
    )
    return bool(cr.fetchone())
