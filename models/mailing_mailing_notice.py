from odoo import api, fields, models


class MailingMailing(models.Model):
    """A mailing whose last mail was submitted says so, once."""

    _inherit = "mailing.mailing"

    email_alias_is_told = fields.Boolean(readonly=True, copy=False)

    def write(self, vals):
        """Extend: a mailing that goes on is told again when it has ended."""
        if vals.get("state") in ("in_queue", "sending"):
            vals = {**vals, "email_alias_is_told": False}
        result = super().write(vals)
        if vals.get("state") == "done":
            self._email_alias_tell_finished()
        return result

    def _email_alias_tell_finished(self):
        """Tell the responsible user, and keep it in the mailing's chatter."""
        for mailing in self:
            # sudo: the lane and the mailing's job tell whoever is responsible
            mailing_sudo = mailing.sudo()
            if not mailing_sudo.email_alias_id or mailing_sudo.email_alias_is_told:
                continue
            figures = mailing._email_alias_get_figures()
            if mailing_sudo.state != "done" or figures["waiting"]:
                continue
            if not figures["total"]:
                continue
            mailing_sudo.email_alias_is_told = True
            message = self.env._(
                "%(sent)s of %(total)s emails have left as %(from)s.",
                sent=figures["sent"],
                total=figures["total"],
                **{"from": mailing_sudo.email_alias_id.display_name},
            )
            if figures["failed"]:
                message += " " + self.env._("%s were refused.", figures["failed"])
            mailing_sudo._message_log(body=message)
            mailing_sudo.user_id._bus_send(
                "simple_notification",
                {
                    "type": "warning" if figures["failed"] else "success",
                    "title": mailing_sudo.subject,
                    "message": message,
                    "sticky": True,
                },
            )


class MailMail(models.Model):
    _inherit = "mail.mail"

    @api.model
    def _email_alias_sweep(self, alias_id, limit=None):
        """Extend: when nothing of a mailing is left, its user is told.

        Not after each step of a lane that goes on: the figures of a mailing are read
        from all its traces.
        """
        result = super()._email_alias_sweep(alias_id, limit)
        if limit:
            return result
        self.env["mailing.mailing"].search(
            [
                ("email_alias_id", "=", alias_id),
                ("email_alias_is_told", "=", False),
                ("state", "=", "done"),
            ]
        )._email_alias_tell_finished()
        return result
