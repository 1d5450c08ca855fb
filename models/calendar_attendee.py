from odoo import models


class CalendarAttendee(models.Model):
    _inherit = "calendar.attendee"

    def _notify_attendees(self, mail_template, notify_author=False, force_send=False):
        """Extend: one's invitations and changes leave by the alias one picked."""
        options = {"notify_author": notify_author, "force_send": force_send}
        if not self or self.env.context.get("email_alias_is_code"):
            return super()._notify_attendees(mail_template, **options)
        for alias, group in self.grouped(lambda a: a.event_id.email_alias_id).items():
            written_to = group.filtered(
                lambda a: a.email and a._should_notify_attendee(notify_author)
            )
            with alias._follow_up(group.event_id):
                picked = alias._pick_for(group, is_bulk=len(written_to) > 1)
                result = super(CalendarAttendee, picked)._notify_attendees(
                    mail_template, **options
                )
        return result
