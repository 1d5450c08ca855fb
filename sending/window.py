"""What a provider lets one mailbox submit within some minutes, counted in bytes.

Bulk mail is spread evenly over that time, see ``Transport.get_rest``; here nothing may
exceed it, whatever kind of mail it is, and whichever alias or host has sent before.
"""

from odoo.tools import SQL

from ..exceptions import AliasRetry

# Of what is free an alias may use this part before the log is looked at again.
STEP = 0.1

# A submission takes no longer than this, in seconds.
LONGEST_SECONDS = 3600


class Window:
    """Counts for one lane; owned by it.

    :param connection: knows how much the provider takes within which time
    :ivar taken: bytes in use at the last look, and what this lane has sent since
    """

    def __init__(self, alias_id, connection):
        self.alias_id = alias_id
        self._connection = connection
        self.taken = 0
        # bytes that may be used without another look
        self._free = 0

    def has_room(self, env, size, is_own):
        """Tell whether a message may leave now; if not, the alias waits.

        :param size: of the message, in bytes
        :param is_own: else somebody waits for the outcome, and is told
        :raise AliasRetry: that somebody has to come again
        """
        most, seconds = self._connection.window
        if not most:
            return True
        load = self._connection.get_load(size)
        if load > self._free:
            free_at, now = self._look(env, most, seconds, load)
            if free_at > now:
                self._wait(env, free_at, is_own)
                return False
        self._free -= load
        self.taken += load
        return True

    def get_rest(self, message):
        """Seconds that the provider wants between this bulk email and the next.

        One-to-one mail leaves at once while there is room.
        """
        if not message.is_bulk:
            return 0.0
        return self._connection.get_rest(message.size, self.taken)

    def _look(self, env, most, seconds, load):
        """Find out when so many bytes have room.

        In SQL because it adds up what all aliases of the mailbox have submitted: what
        has begun counts until its time is over since the answer, newest first.

        :return: (seconds since the epoch, now)
        """
        env.cr.execute(
            SQL(
                """
                WITH clock AS (
                    SELECT extract(epoch FROM clock_timestamp())::float8 AS now
                ), aliases AS (
                    SELECT other.id FROM user_email_alias alias
                      JOIN user_email_alias other
                        ON other.id = alias.id
                        OR (other.oauth_mailbox = alias.oauth_mailbox
                            AND other.provider = alias.provider)
                     WHERE alias.id = %(alias_id)s
                ), taken AS (
                    SELECT COALESCE(replied_at, now) AS ended_at,
                           sum(load) OVER (
                               ORDER BY COALESCE(replied_at, now) DESC, log.id DESC
                           ) AS total
                      FROM clock, aliases
                      JOIN user_email_alias_log log ON log.alias_id = aliases.id
                     WHERE log.load IS NOT NULL
                       AND log.claimed_at > now - %(seconds)s - %(longest)s
                       AND COALESCE(replied_at, now) > now - %(seconds)s
                )
                SELECT now,
                       (SELECT max(ended_at) FROM taken
                         WHERE total + %(load)s > %(most)s),
                       (SELECT max(total) FROM taken),
                       (SELECT count(*) FROM aliases)
                  FROM clock
                """,
                alias_id=self.alias_id,
                seconds=seconds,
                longest=LONGEST_SECONDS,
                load=load,
                most=most,
            )
        )
        now, last_in_the_way, total, alias_count = env.cr.fetchone()
        self.taken = int(total or 0)
        left = most - self.taken
        # others use it as well, unseen until the next look
        self._free = max(load, int(min(left, most * STEP)) if alias_count == 1 else 0)
        return (last_in_the_way or -seconds) + seconds, now

    def _wait(self, env, free_at, is_own):
        """Let the alias wait until enough has left the window."""
        self._free = 0
        env.cr.rollback()
        alias = env["user.email.alias"].browse(self.alias_id)
        message = env._(
            "The provider takes no more from this mailbox within a few minutes; the "
            "next email leaves at %s.",
            alias._format_moment(free_at),
        )
        if not is_own:
            raise AliasRetry(message)
        # the count has the next success take the words away
        alias.write(
            {"backoff_until": free_at, "backoff_count": 1, "state_message": message}
        )
        env.cr.commit()
