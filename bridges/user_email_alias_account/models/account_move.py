from odoo import fields, models


class AccountMove(models.Model):
    _inherit = "account.move"

    email_alias_sending_id = fields.Many2one(
        "user.email.alias",
        groups=fields.NO_ACCESS,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        help="What whoever sent many invoices at once picked for this one.",
    )

    def write(self, vals):
        """Extend: the alias is for what its owner put in line, for nothing else."""
        result = super().write(vals)
        if "sending_data" in vals:
            # sudo: written by the server only
            kept_sudo = self.sudo().filtered("email_alias_sending_id")
            kept_sudo.email_alias_sending_id = False
        return result
