from odoo import models

from ..decorators import of_records


class UserEmailAliasAudit(models.AbstractModel):
    """Recording what people do to an alias, see ``user.email.alias.event``."""

    _name = "user.email.alias.audit"
    _description = "Email Alias: Audit"

    def _record_event(self, action, field_names=()):
        """Note who does what to these aliases.

        :param action: a key of the event's selection
        :param field_names: of the fields that get another value
        """
        # sudo: written by the server only, whoever acts
        self.env["user.email.alias.event"].sudo().create(
            [
                {
                    "alias_id": alias.id,
                    "alias_number": alias.id,
                    "owner_id": alias.user_id.id,
                    "user_id": self.env.uid,
                    "action": action,
                    "field_names": ",".join(sorted(field_names)) or False,
                }
                # sudo: whose alias it is
                for alias in self.sudo()
            ]
        )

    def _record_change(self, vals):
        """Note which fields ``vals`` change; what the server keeps track of is none."""
        names = vals.keys() - self._get_server_fields() - {"active"}
        if "active" in vals:
            self._record_event("unarchived" if vals["active"] else "archived")
        if names:
            self._record_event("changed", names)

    @of_records
    def action_view_events(self):
        """Open what people did to this alias."""
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "user_email_alias.user_email_alias_event_action"
        )
        action["domain"] = [("alias_id", "=", self.id)]
        return action
