from odoo import api, fields, models


class ResUsers(models.Model):
    _inherit = "res.users"

    email_alias_ids = fields.One2many(
        "user.email.alias", "user_id", "Email Aliases", copy=False
    )
    email_alias_count = fields.Integer(compute="_compute_email_alias_count")

    @property
    def SELF_READABLE_FIELDS(self):
        """Extend: everybody sees how many aliases they have."""
        return [*super().SELF_READABLE_FIELDS, "email_alias_count"]

    @api.depends("email_alias_ids")
    def _compute_email_alias_count(self):
        counts = dict(
            # sudo: a number about the users one may read
            self.env["user.email.alias"]
            .sudo()
            ._read_group([("user_id", "in", self.ids)], ["user_id"], ["__count"])
        )
        for user in self:
            user.email_alias_count = counts.get(user, 0)

    def action_open_email_aliases(self):
        """Open one's own alias cards from My Preferences."""
        return self.env["user.email.alias"].action_open_mine()

    def _email_alias_web_client_data(self):
        """What this user's browser knows of their aliases."""
        self.ensure_one()
        # sudo: one's own aliases, told to nobody else; OdooBot may be the one to tell
        return (
            self.env["user.email.alias"]
            .sudo()
            .search([("user_id", "=", self.id)])
            ._get_web_client_data()
        )

    def _email_alias_notify_web_client(self):
        for user in self:
            user._bus_send(
                "user_email_alias/changed",
                {"aliases": user._email_alias_web_client_data()},
            )

    def unlink(self):
        """Extend: aliases go with their user, unless mail still waits in them."""
        self.check_access("unlink")
        # sudo: whoever may delete a user may delete what belongs to them
        self.env["user.email.alias"].with_context(active_test=False).sudo().search(
            [("user_id", "in", self.ids)]
        ).unlink()
        return super().unlink()
