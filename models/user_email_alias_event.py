from odoo import api, fields, models


class UserEmailAliasEvent(models.Model):
    """The audit log: who did what to an alias, and when; never a value.

    Written by the server only. A row stays when its alias, or its user, is deleted.
    """

    _name = "user.email.alias.event"
    _description = "Email Alias Audit Log"
    _order = "id desc"
    _rec_name = "action"

    alias_id = fields.Many2one(
        "user.email.alias", "Alias", readonly=True, index=True, ondelete="set null"
    )
    alias_number = fields.Integer(
        readonly=True,
        aggregator=None,
        help="Tells the alias from others after it was deleted.",
    )
    owner_id = fields.Many2one(
        "res.users", readonly=True, index=True, ondelete="set null"
    )
    user_id = fields.Many2one(
        "res.users", "By", readonly=True, index=True, ondelete="set null"
    )
    create_date = fields.Datetime("Time", readonly=True, index=True)
    action = fields.Selection(
        [
            ("created", "Created"),
            ("changed", "Changed"),
            ("archived", "Archived"),
            ("unarchived", "Unarchived"),
            ("deleted", "Deleted"),
            ("tested", "Tested"),
            ("signed_in", "Signed in"),
            ("other_account", "Account changed"),
            ("account_kept", "Account kept"),
            ("disconnected", "Disconnected"),
            ("organisation", "Organisation account used"),
            ("paused", "Paused"),
            ("resumed", "Resumed"),
            ("cancelled", "Emails cancelled"),
            ("sent_again", "Email sent again"),
            ("marked_sent", "Email marked as sent"),
            ("reencrypted", "Encrypted with another key"),
        ],
        "What",
        required=True,
        readonly=True,
    )
    field_names = fields.Char(
        "Changed Fields",
        readonly=True,
        help="Technical names, separated by commas.",
    )
    details = fields.Char("Fields", compute="_compute_details")

    @api.depends("field_names")
    @api.depends_context("lang")
    def _compute_details(self):
        labels = self.env["user.email.alias"].sudo().fields_get(attributes=["string"])
        for event in self:
            event.details = ", ".join(
                labels[fname]["string"] if fname in labels else fname
                for fname in (event.field_names or "").split(",")
            )
