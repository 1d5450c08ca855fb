from odoo import api, fields, models

# How long an attempt counts, in seconds.
ATTEMPT_SECONDS = 60


class UserEmailAliasAttempt(models.Model):
    """One row for each time a user lately made us connect to a server by a button.

    In the database, for all workers and hosts; nobody has rights to it.
    """

    _name = "user.email.alias.attempt"
    _description = "Email Alias Attempt to Connect"
    _log_access = False

    # no Many2one: it is counted beside the transaction that may have made the user
    user = fields.Integer(required=True, index=True, aggregator=None)
    attempted_at = fields.Float(digits=(17, 6), required=True, aggregator=None)

    @api.model
    def _note(self, uid, limit):
        """Note an attempt if it is within the limit; the caller holds the user's lock.

        :return: whether it is
        """
        now = self.env["user.email.alias"]._now()
        self._forget(now, [("user", "=", uid)])
        if self.search_count([("user", "=", uid)], limit=limit) >= limit:
            return False
        self.create({"user": uid, "attempted_at": now})
        return True

    @api.model
    def _forget(self, now, domain):
        """Delete what does not count any more, or never did: the clock was set back."""
        self.search(
            [
                *domain,
                "|",
                ("attempted_at", "<", now - ATTEMPT_SECONDS),
                ("attempted_at", ">", now),
            ]
        ).unlink()

    @api.autovacuum
    def _gc_attempts(self):
        self._forget(self.env["user.email.alias"]._now(), [])
