from odoo import api, fields, models


class MailMessage(models.Model):
    _inherit = "mail.message"

    email_alias_id = fields.Many2one(
        "user.email.alias",
        "E-mail Alias",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="The address this message left from.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        """Extend: only the owner writes with an alias, and it decides the From."""
        aliases = self.env["user.email.alias"].browse(
            {vals["email_alias_id"] for vals in vals_list if vals.get("email_alias_id")}
        )
        if aliases:
            aliases._check_usable()
            vals_list = [dict(vals) for vals in vals_list]
            for vals in vals_list:
                if vals.get("email_alias_id"):
                    # sudo: one's own alias, just checked
                    alias_sudo = aliases.browse(vals["email_alias_id"]).sudo()
                    vals["email_from"] = alias_sudo._get_formatted_from()
        return super().create(vals_list)

    def write(self, vals):
        """Restrict: nobody moves a message to somebody else's alias."""
        if vals.get("email_alias_id"):
            self.env["user.email.alias"].browse(vals["email_alias_id"])._check_owner()
        return super().write(vals)
