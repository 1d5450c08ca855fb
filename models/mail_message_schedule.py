from odoo import api, fields, models
from odoo.exceptions import AccessError


class MailMessageSchedule(models.Model):
    _inherit = "mail.message.schedule"

    email_alias_is_queued = fields.Boolean(
        readonly=True,
        copy=False,
        help="The emails of the message wait in the queue of an email alias already.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        """Extend: remember whose emails wait already, even if the alias goes."""
        vals_list = [{**vals, "email_alias_is_queued": False} for vals in vals_list]
        schedules = super().create(vals_list)
        # sudo: written by the server only
        queued_sudo = schedules.sudo().filtered("mail_message_id.email_alias_id")
        queued_sudo.email_alias_is_queued = True
        return schedules

    def write(self, vals):
        """Extend: the author sends the emails at another time.

        Restrict: what waits in a queue of ours is sent by nothing else.
        """
        if not self.env.su and "email_alias_is_queued" in vals:
            raise AccessError(
                self.env._("What the queue notes on a message is written by it alone.")
            )
        result = super().write(vals)
        if "scheduled_datetime" in vals:
            self._email_alias_put_off(vals["scheduled_datetime"])
        return result

    def _send_notifications(self, default_notify_kwargs=None):
        """Restrict to inboxes where the emails wait in a queue of ours."""
        self._email_alias_put_off(False)
        queued = self.filtered(
            lambda s: s.email_alias_is_queued or s.mail_message_id.email_alias_id
        )
        context = {"email_alias_queued_ids": queued.mail_message_id.ids}
        return super(
            MailMessageSchedule, self.with_context(**context)
        )._send_notifications(default_notify_kwargs=default_notify_kwargs)

    def _email_alias_put_off(self, moment):
        """Let emails leave at another time, if it is their author who says so.

        :param moment: naive UTC; False: at once
        """
        mails = self.mail_message_id._email_alias_waiting()
        own = mails.filtered(lambda m: m.email_alias_id.user_id.id == self.env.uid)
        own.write({"scheduled_date": moment})
