import logging

from odoo import api, fields, models

from ..exceptions import AliasHold, AliasRetry
from ..tools import oauth
from ..tools.deadline import Deadline

_logger = logging.getLogger(__name__)

# An account that was idle for this many days is refreshed, well before the 90 days
# after which Microsoft forgets it and the six months of Google.
KEEP_ALIVE_DAYS = 30

# What one account may take of the job's time.
KEEP_ALIVE_SECONDS = 20

# On hold for one of these an account cannot be refreshed before its owner has acted.
LOST = ("sign_in", "vault")


class UserEmailAliasKeepAlive(models.AbstractModel):
    """Accounts that are idle stay signed in, and those that wait go on."""

    _name = "user.email.alias.keep.alive"
    _description = "Email Alias: Keep Alive"

    @api.model
    def _cron_keep_alive(self):
        """Refresh accounts that were idle for long, and tell whose consent died.

        What waits for the administrator is tried again too: the cause may be gone.
        """
        if self._is_copy():
            # a provider that renews refresh tokens would take the original's for stolen
            return
        self.env["user.email.alias.secret.end"]._tell_ends()
        now = fields.Datetime.now()
        limit = fields.Datetime.subtract(now, days=KEEP_ALIVE_DAYS)
        idle = self.search(
            [
                ("provider", "!=", "smtp"),
                ("user_id.active", "=", True),
                "|",
                "&",
                ("state", "=", "hold"),
                ("hold_reason", "=", "provider"),
                "&",
                ("oauth_refreshed_at", "<", limit),
                "|",
                ("state", "!=", "hold"),
                ("hold_reason", "not in", LOST),
            ],
            # whoever takes long, or kills the job, comes last the next time
            order="oauth_tried_at NULLS FIRST, id",
        )
        commit_progress = self.env["ir.cron"]._commit_progress
        left = commit_progress(0, remaining=len(idle))
        for done, alias in enumerate(idle, start=1):
            if left < KEEP_ALIVE_SECONDS:
                break
            alias.oauth_tried_at = now
            self.env.cr.commit()
            alias._keep_alive__(Deadline(KEEP_ALIVE_SECONDS))
            left = commit_progress(1, remaining=len(idle) - done)

    def _keep_alive__(self, deadline):
        try:
            self._get_access_token__(is_forced=True, deadline=deadline)
        except AliasHold as error:
            if self.state != "hold" or self.hold_reason != error.reason:
                self._set_hold(error.reason, str(error))
                self._notify_owner(str(error))
        except AliasRetry as error:
            _logger.info("Alias %s: not refreshed: %s", self.id, error)
        else:
            # a new snapshot: the row has just changed in another transaction
            self.env.cr.commit()
            if self.hold_reason == "provider":
                self._reset_state()

    @api.model
    def _follow_providers(self, names):
        """Let aliases go on that waited for the administrator of their provider.

        :param names: the system parameters that were set
        """
        for key in oauth.PROVIDERS:
            prefix = f"user_email_alias.{key}_"
            if any(name and name.startswith(prefix) for name in names):
                self._release_provider(key)
                self._hold_moved__(key)

    @api.model
    def _release_provider(self, key):
        # sudo: they belong to many users
        released = (
            self.sudo()
            .with_context(active_test=False)
            .search(
                [
                    ("provider", "=", key),
                    ("state", "=", "hold"),
                    ("hold_reason", "=", "provider"),
                ]
            )
        )
        if released:
            released._reset_state()
