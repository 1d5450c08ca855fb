from odoo import api, models, tools


class UserEmailAliasPresence(models.AbstractModel):
    """Whether a user has an alias at all, without asking the database each time.

    For whoever has none, Odoo costs what it costs without this add-on.
    """

    _name = "user.email.alias.presence"
    _description = "Email Alias: Presence"

    @api.model
    def _has_own(self):
        """Whether the user has an alias to choose; if not, all looks as ever."""
        return self._has_any(self.env.uid)

    @tools.ormcache("user_id")
    def _has_any(self, user_id):
        # sudo: whether somebody has an alias is all that is told
        domain = [("user_id", "=", user_id), ("active", "=", True)]
        return bool(self.sudo().search_count(domain, limit=1))

    @tools.ormcache()
    def _was_ever_used(self):
        """Whether there was an alias once: what it has sent outlives it."""
        self.env.cr.execute("SELECT is_called FROM user_email_alias_id_seq")
        return self.env.cr.fetchone()[0]

    @api.model
    @tools.ormcache()
    def _is_any(self):
        """Whether anybody has an alias, archived ones included."""
        # sudo: whether there is one at all
        found = self.sudo().with_context(active_test=False)
        return bool(found.search_count([], limit=1))

    @api.model
    def _forget_presence(self):
        """Ask the database anew: an alias came, went or was archived."""
        self.env.registry.clear_cache()
