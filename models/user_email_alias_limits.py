from psycopg2 import errors

from odoo import api, models
from odoo.exceptions import UserError, ValidationError

from ..sending.lock import ATTEMPT_LOCK, locked
from .user_email_alias_attempt import ATTEMPT_SECONDS

# How many aliases a user may have that are not archived, unless the parameter
# user_email_alias.aliases_per_user says otherwise.
ALIASES_PER_USER = 100

# How often a user may make us connect to a server in a minute, unless the parameter
# user_email_alias.attempts_per_minute says otherwise.
ATTEMPTS_PER_MINUTE = 10

# How long to wait for another request of the same user that is counted just now.
COUNT_TIMEOUT_MS = 5_000


class UserEmailAliasLimits(models.AbstractModel):
    """How much one user may have and do, so that there is something left for others."""

    _name = "user.email.alias.limits"
    _description = "Email Alias: Limits"

    @api.constrains("active", "user_id")
    def _check_count(self):
        """Restrict how many aliases a user has, whoever makes them but OdooBot."""
        limit = self.env["ir.config_parameter"]._email_alias_get_number(
            "user_email_alias.aliases_per_user", ALIASES_PER_USER
        )
        if not limit or self.env.uid == api.SUPERUSER_ID:
            return
        # sudo: only their number counts
        counts = self.sudo()._read_group(
            [("user_id", "in", self.user_id.ids), ("active", "=", True)],
            ["user_id"],
            ["__count"],
        )
        if any(count > limit for _user, count in counts):
            raise ValidationError(
                self.env._(
                    "A user has at most %s email aliases: archive or delete one first.",
                    limit,
                )
            )

    def _count_attempt(self):
        """Count that this user makes us connect somewhere; call it before connecting.

        In a transaction of its own: what fails afterwards has been an attempt, too.

        :raise UserError: too many within a minute
        """
        limit = self.env["ir.config_parameter"]._email_alias_get_number(
            "user_email_alias.attempts_per_minute", ATTEMPTS_PER_MINUTE
        )
        if not limit:
            return
        uid = self.env.uid
        try:
            with locked(self.env.registry, ATTEMPT_LOCK, uid, COUNT_TIMEOUT_MS) as env:
                is_free = env["user.email.alias.attempt"]._note(uid, limit)
                env.cr.commit()
        except errors.LockNotAvailable:
            is_free = False
        if not is_free:
            raise UserError(
                self.env._(
                    "You have asked mail servers %(count)s times within %(seconds)s "
                    "seconds. Wait a moment, then try again.",
                    count=limit,
                    seconds=ATTEMPT_SECONDS,
                )
            )
