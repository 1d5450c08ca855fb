"""Large emails that a provider keeps as drafts until they are sent.

The log knows each draft before it is sent: one that nobody will send is deleted.
"""

import logging

from psycopg2 import errors

from odoo.tools import SQL

from ..tools.transport import TransportFailure

_logger = logging.getLogger(__name__)

# What the log says before the provider has told what it calls the draft.
COMING = "?"

# So many drafts that were left behind are deleted on one connection.
DISCARD_COUNT = 10


class Drafts:
    """The drafts of one alias; owned by the lane that holds the alias."""

    def __init__(self, alias_id, connection):
        self.alias_id = alias_id
        self._connection = connection

    @staticmethod
    def note(env, log_id, draft_id, is_sent):
        """Commit that a draft lies at the provider, or no more.

        In SQL because the claim must still be open, whatever the cache says.

        :param draft_id: empty: it is gone
        :param is_sent: whether the next request sends it
        :raise psycopg2.Error: this is not certain: it must not be sent
        """
        env.cr.execute(
            SQL(
                """
                UPDATE user_email_alias_log SET draft = %s, is_draft_sent = %s
                 WHERE id = %s AND outcome IS NULL RETURNING id
                """,
                draft_id or None,
                is_sent,
                log_id,
            )
        )
        if not env.cr.fetchone():
            raise errors.SerializationFailure("Somebody else has closed the claim.")
        env.cr.commit()

    def discard(self, env):
        """Delete what interrupted submissions have left behind."""
        if not self._connection.keeps_drafts:
            return
        rows = env["user.email.alias.log"].search(
            [
                ("alias_id", "=", self.alias_id),
                ("draft", "!=", False),
                ("outcome", "!=", False),
            ],
            limit=DISCARD_COUNT,
        )
        for row in rows:
            try:
                self._discard(row)
            except TransportFailure as failure:
                _logger.info("Alias %s: a draft stays: %s", self.alias_id, failure)
                if failure.outcome.reason != "draft_permission":
                    # asked again on the next connection
                    break
            row.draft = False
            env.cr.commit()
        env.cr.rollback()

    def _discard(self, row):
        """Delete the draft of one submission.

        What is known by its Message-ID only may be the draft of a later submission,
        which the provider is about to send.

        :raise TransportFailure: it may still be there
        """
        draft_id, message_id = row.draft.removeprefix(COMING), row.message_id or ""
        later = [("message_id", "=", message_id), ("id", ">", row.id)]
        if draft_id or not row.search_count(later, limit=1):
            self._connection.discard(draft_id, message_id)
