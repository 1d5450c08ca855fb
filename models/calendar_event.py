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
        groups="base.group_user",
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

    @api.model_create_multi
    def create(self, vals_list):
        """Restrict: nobody picks for somebody else, nor does a default."""
        return super().create([self._email_alias_kept(vals) for vals in vals_list])

    def _email_alias_kept(self, vals):
        """What may be kept of a new event: one's own, or what its series has."""
        alias = self.env["user.email.alias"].browse(vals.get("email_alias_kept_id"))
        series = self.env["calendar.recurrence"].browse(vals.get("recurrence_id"))
        # sudo: whose alias it is decides, whatever may be read
        is_own = alias.sudo().user_id.id == self.env.uid
        of_series_sudo = series.sudo().base_event_id.email_alias_kept_id
        if self.env.su or is_own or alias.sudo() == of_series_sudo:
            return {**vals, "email_alias_kept_id": alias.id}
        return {**vals, "email_alias_kept_id": False}

    def write(self, vals):
        """Restrict: as :meth:`create`."""
        alias_id = not self.env.su and vals.get("email_alias_kept_id")
        self.env["user.email.alias"].browse(alias_id or [])._check_owner()
        return super().write(vals)

    def onchange(self, values, field_names, fields_spec):
        """Extend: a person has opened the form, and is proposed an alias."""
        person = self.with_context(email_alias_person=True)
        return super(CalendarEvent, person).onchange(values, field_names, fields_spec)
