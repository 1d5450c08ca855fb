from collections import Counter

from odoo import models

# A change of one of these is told to the owner's browser.
WEB_CLIENT_FIELDS = frozenset(
    (
        "active",
        "alias_name",
        "email_from",
        "is_default",
        "name",
        "signature",
        "smtp_server",
        "state",
        "state_message",
    )
)


class UserEmailAliasWebClient(models.AbstractModel):
    """What the owner's browser knows of the aliases, without asking for it.

    The list comes with the page and, when something changes, over the bus: no screen
    asks the server who the user can write as.
    """

    _name = "user.email.alias.web.client"
    _description = "Email Alias: Web Client"

    def _follow_in_web_client(self, vals):
        """Let the owner's composers follow a change of ``vals``."""
        if not WEB_CLIENT_FIELDS.isdisjoint(vals):
            self.user_id._email_alias_notify_web_client()

    def _get_web_client_data(self):
        """One dict for each alias; nothing in it is a secret."""
        uncertain = Counter()
        for alias, is_bulk, count in self.env["user.email.alias.log"]._read_group(
            [("alias_id", "in", self.ids), ("outcome", "=", "uncertain")],
            ["alias_id", "is_bulk"],
            ["__count"],
        ):
            uncertain[alias] += count
            uncertain[alias, True] += count if is_bulk else 0
        return [
            {
                "id": alias.id,
                "name": alias.name or "",
                "alias_name": alias.alias_name or "",
                "email_from": alias.email_from or "",
                "display_name": alias.display_name,
                "signature": alias._get_signature(),
                "is_default": alias.is_default,
                "is_complete": alias._is_complete(),
                "state": alias.state,
                "state_message": alias.state_message or "",
                "uncertain_count": uncertain[alias],
                "uncertain_bulk_count": uncertain[alias, True],
            }
            for alias in self
        ]
