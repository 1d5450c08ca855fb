from odoo import api, fields, models
from odoo.fields import Command


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
    email_alias_kept_ids = fields.Many2many(
        "user.email.alias",
        "calendar_event_user_email_alias_rel",
        groups=fields.NO_ACCESS,
        copy=False,
        exportable=False,
        help="What each of those who plan the event picked last; it counts for them.",
    )

    @api.depends_context("uid")
    def _compute_has_email_alias(self):
        self.has_email_alias = self.env["user.email.alias"]._has_own()

    @api.depends_context("uid", "email_alias_person")
    @api.depends("email_alias_kept_ids")
    def _compute_email_alias_id(self):
        """One's own, else what is proposed to a person who plans a new event."""
        Alias = self.env["user.email.alias"]
        is_person = self.env.context.get("email_alias_person")
        for event in self:
            if kept := event._email_alias_kept().filtered("active"):
                event.email_alias_id = kept[:1]
            elif is_person and not event._origin:
                event.email_alias_id = Alias._propose(None)
            else:
                event.email_alias_id = False

    def _email_alias_kept(self):
        """What the user has picked for this event before; nobody else's choice."""
        # sudo: one's own alias, whatever may be read
        event_sudo = self.sudo().with_context(active_test=False)
        kept_sudo = event_sudo.email_alias_kept_ids
        return kept_sudo.filtered(lambda a: a.user_id == self.env.user).sudo(False)

    def _inverse_email_alias_id(self):
        """Keep one's own choice, beside those of others."""
        for event in self:
            event.email_alias_id._check_owner()
            # sudo: one's own choice, just checked
            event.sudo().email_alias_kept_ids = [
                *map(Command.unlink, event._email_alias_kept().ids),
                *map(Command.link, event.email_alias_id.ids),
            ]

    @api.model_create_multi
    def create(self, vals_list):
        """Extend: a new event of a series keeps what was picked for the series."""
        events = super().create(vals_list)
        # sudo: it counts for whoever has picked it, and the series is one event to them
        for series_sudo, group_sudo in events.sudo().grouped("recurrence_id").items():
            base_sudo = series_sudo.base_event_id.with_context(active_test=False)
            if kept_sudo := base_sudo.email_alias_kept_ids:
                links = [Command.link(alias_sudo.id) for alias_sudo in kept_sudo]
                group_sudo.email_alias_kept_ids = links
        return events

    def copy_data(self, default=None):
        """Extend: a duplicate keeps what whoever makes it has picked."""
        vals_list = super().copy_data(default)
        for event, vals in zip(self, vals_list, strict=True):
            if event.email_alias_id:
                vals.setdefault("email_alias_id", event.email_alias_id.id)
        return vals_list

    @api.model
    def default_get(self, fields):
        """Restrict: an administrator's default picks for nobody."""
        kept = {"email_alias_id", "email_alias_kept_ids"}
        named = {name for name in kept if f"default_{name}" in self.env.context}
        return super().default_get([f for f in fields if f not in kept - named])

    def onchange(self, values, field_names, fields_spec):
        """Extend: a person has opened the form, and is proposed an alias.

        The full form takes over what was picked in the short one.
        """
        person = self.with_context(email_alias_person=True)
        if "email_alias_chosen" in self.env.context:
            chosen = self.env.context["email_alias_chosen"]
            person = person.with_context(default_email_alias_id=chosen)
        return super(CalendarEvent, person).onchange(values, field_names, fields_spec)
