from odoo import fields, models

from ..decorators import of_records


class UserEmailAliasFigures(models.AbstractModel):
    """How many emails wait, are uncertain, have left; and where to see them."""

    _name = "user.email.alias.figures"
    _description = "Email Alias: Figures"

    waiting_count = fields.Integer("Waiting", compute="_compute_counts")
    uncertain_count = fields.Integer("Uncertain", compute="_compute_counts")
    sent_today_count = fields.Integer("Sent today", compute="_compute_counts")

    def _compute_counts(self):
        waiting = dict(
            # sudo: figures about one's own queue; mail.mail is for administrators
            self.env["mail.mail"]
            .sudo()
            ._read_group(
                [("email_alias_id", "in", self.ids), ("state", "=", "outgoing")],
                ["email_alias_id"],
                ["__count"],
            )
        )
        Log = self.env["user.email.alias.log"]
        uncertain = dict(
            Log._read_group(
                [("alias_id", "in", self.ids), ("outcome", "=", "uncertain")],
                ["alias_id"],
                ["__count"],
            )
        )
        today = fields.Datetime.context_timestamp(self, fields.Datetime.now())
        today = today.replace(hour=0, minute=0, second=0, microsecond=0)
        sent = dict(
            Log._read_group(
                [
                    ("alias_id", "in", self.ids),
                    ("outcome", "=", "sent"),
                    ("replied_at", ">=", today.timestamp()),
                ],
                ["alias_id"],
                ["__count"],
            )
        )
        for alias in self:
            alias.waiting_count = waiting.get(alias.sudo(), 0)
            alias.uncertain_count = uncertain.get(alias, 0)
            alias.sent_today_count = sent.get(alias, 0)

    @of_records
    def action_cancel_waiting(self):
        """Ask first: how many emails would never leave."""
        self.ensure_one()
        self._check_owner()
        return self.env["user.email.alias.cancel"]._ask(alias=self)

    @of_records
    def action_view_log(self):
        """Open the log of what was submitted with this alias."""
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "user_email_alias.user_email_alias_log_action"
        )
        action["domain"] = [("alias_id", "=", self.id)]
        return action

    @of_records
    def action_view_waiting(self):
        """Open what has not left yet."""
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "user_email_alias.user_email_alias_waiting_action"
        )
        action["domain"] = [("alias_id", "=", self.id)]
        return action

    @of_records
    def action_view_uncertain(self):
        """Open what the owner has to decide on."""
        action = self.action_view_log()
        action["context"] = {"search_default_uncertain": 1}
        return action
