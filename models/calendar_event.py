from odoo import api, fields, models


class CalendarEvent(models.Model):
    _inherit = "calendar.event"

    email_alias_id = fields.Many2one(
        "user.email.alias",
        "Email Alias",
        compute="_compute_email_alias_id",
        inverse="_inverse_email_alias_id",
        domain="[('user_id', '=', uid)]",
        help="The email alias your invitations to this event, and your changes of it, "
        "leave by. Without one Odoo's own outgoing mail server sends them.",
    )
    has_email_alias = fields.Boolean(compute="_compute_has_email_alias")
    email_alias_kept_id = fields.Many2one(
        "user.email.alias",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="What was picked last; it counts for its owner only.",
    )

    @api.depends_context("uid")
    def _compute_has_email_alias(self):
        self.has_email_alias = self.env["user.email.alias"]._has_own()

    @api.depends_context("uid", "email_alias_person")
    @api.depends("email_alias_kept_id")
    def _compute_email_alias_id(self):
        """One's own, else what is proposed to a person who plans a new event."""
        Alias = self.env["user.email.alias"]
        is_person = self.env.context.get("email_alias_person")
        for event in self:
            # sudo: whose alias it is decides, whatever may be read
            kept_sudo = event.sudo().email_alias_kept_id
            if kept_sudo.user_id == self.env.user and kept_sudo.active:
                event.email_alias_id = kept_sudo.sudo(False)
            elif is_person and not event._origin:
                event.email_alias_id = Alias._propose(None)
            else:
                event.email_alias_id = False

    def _inverse_email_alias_id(self):
        for event in self:
            event.email_alias_id._check_owner()
            event.email_alias_kept_id = event.email_alias_id

    def onchange(self, values, field_names, fields_spec):
        """Extend: a person has opened the form, and is proposed an alias."""
        person = self.with_context(email_alias_person=True)
        return super(CalendarEvent, person).onchange(values, field_names, fields_spec)
