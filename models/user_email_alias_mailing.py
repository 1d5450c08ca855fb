from odoo import api, fields, models
from odoo.tools import SQL

from ..decorators import of_records


class UserEmailAliasMailing(models.AbstractModel):
    """How far a mailing is that leaves by an alias; pause, resume, and its end."""

    _name = "user.email.alias.mailing"
    _description = "Email Alias: Mailing"

    email_alias_is_paused = fields.Boolean("Paused", readonly=True, copy=False)
    email_alias_forecast = fields.Char(compute="_compute_email_alias_forecast")
    email_alias_waiting = fields.Integer(compute="_compute_email_alias_progress")
    email_alias_progress = fields.Char(compute="_compute_email_alias_progress")
    email_alias_is_notified = fields.Boolean(readonly=True, copy=False)

    @api.depends_context("tz", "lang")
    @api.depends("email_alias_id", "mailing_domain", "contact_list_ids", "state")
    def _compute_email_alias_forecast(self):
        """What the alias's pace means for this mailing, before it is sent."""
        for mailing in self:
            # the pace of a mailing's alias is read with the mailing
            alias_sudo = mailing._email_alias_shown()
            mailing.email_alias_forecast = False
            if alias_sudo and mailing.state == "draft" and mailing.mailing_model_id:
                count = mailing._email_alias_count_recipients()
                if count:
                    ahead = alias_sudo.waiting_count
                    mailing.email_alias_forecast = alias_sudo._get_forecast(
                        count + ahead
                    ).describe(alias_sudo)

    def _email_alias_count_recipients(self):
        """How many would get the mailing; 0 if the user may not read who they are."""
        self.ensure_one()
        recipients = self.env[self.mailing_model_real]
        if not recipients.has_access("read"):
            return 0
        return recipients.search_count(self._get_recipients_domain())

    def _email_alias_count_mails(self, condition):
        """How many emails of these mailings an alias has, of those that are so."""
        # sudo: the queue is technical; only their number is told
        return (
            self.env["mail.mail"]
            .sudo()
            .search_count(
                [
                    ("mailing_id", "in", self.ids),
                    ("email_alias_id", "!=", False),
                    *condition,
                ]
            )
        )

    @api.depends_context("tz", "lang")
    @api.depends("email_alias_id", "state")
    def _compute_email_alias_progress(self):
        for mailing in self:
            figures = mailing._email_alias_get_figures()
            mailing.email_alias_waiting = figures["waiting"]
            mailing.email_alias_progress = figures["text"]

    def _email_alias_get_figures(self):
        """How far the mailing is, from its traces: it is "done" long before.

        :return: dict of total, waiting, sent, failed, percent, paused, text
        """
        self.ensure_one()
        # sudo: the figures of a mailing are read with the mailing
        alias_sudo = self.sudo().email_alias_id
        counts = {}
        if alias_sudo and isinstance(self.id, int):
            counts = dict(
                self.env["mailing.trace"]
                .sudo()
                ._read_group(
                    [("mass_mailing_id", "=", self.id)], ["trace_status"], ["__count"]
                )
            )
        cancelled = counts.pop("cancel", 0)
        waiting = counts.get("outgoing", 0) + counts.get("process", 0)
        failed = counts.get("error", 0)
        total = sum(counts.values())
        text = False
        if waiting:
            text = alias_sudo._get_forecast(waiting).describe_rest(alias_sudo)
            if self.email_alias_is_paused:
                text = self.env._("%s waiting, paused", f"{waiting:,}")
        return {
            "total": total,
            "waiting": waiting,
            "sent": total - waiting - failed,
            "failed": failed,
            "cancelled": cancelled,
            "percent": round(100 * (total - waiting) / total) if total else 0,
            "paused": self.email_alias_is_paused,
            "text": text,
        }

    @of_records
    def email_alias_read_progress(self):
        """What the progress bar of the form asks for while it runs."""
        self.ensure_one()
        self.check_access("read")
        return self._email_alias_get_figures()

    @of_records
    def action_email_alias_why(self):
        """Open the answer to why the mailing does not leave."""
        self.ensure_one()
        self.check_access("read")
        Alias = self.env["user.email.alias"]
        return Alias._open_why(self, "email_alias_read_why")

    @of_records
    def email_alias_read_why(self):
        """Return why the mailing does not leave, to whoever may read it."""
        self.ensure_one()
        self.check_access("read")
        return self.env["user.email.alias"]._tell_why_of_mailing(self)

    @of_records
    def action_email_alias_pause(self):
        """Keep the mailing's waiting mail; others of the alias go on."""
        self._email_alias_shift(True)

    @of_records
    def action_email_alias_resume(self):
        self._email_alias_shift(False)

    def _email_alias_shift(self, is_paused):
        """Move the waiting mail out of the queue's way, or back."""
        for mailing in self:
            # sudo: whose alias it is decides, whatever may be read
            mailing.sudo().email_alias_id.sudo(False)._check_owner()
            if mailing.email_alias_is_paused == is_paused:
                continue
            # sudo: written by these two actions only
            mailing.sudo().email_alias_is_paused = is_paused
            mailing.flush_recordset(["email_alias_is_paused"])
            # in SQL: one statement, however many of a campaign wait
            self.env.cr.execute(
                SQL(
                    """
                    UPDATE mail_mail
                       SET email_alias_is_paused = %s,
                           -- to go on is to be asked for what may have waited long
                           email_alias_due = GREATEST(email_alias_due, %s)
                     WHERE mailing_id = %s AND state = 'outgoing'
                       AND email_alias_id = %s
                    """,
                    is_paused,
                    0 if is_paused else self.env["user.email.alias"]._now(),
                    mailing.id,
                    mailing.sudo().email_alias_id.id or None,
                )
            )
            self.env["mail.mail"].invalidate_model(
                ["email_alias_due", "email_alias_is_paused"]
            )
        self.env["user.email.alias.queue"]._trigger_cron()

    @of_records
    def action_email_alias_cancel(self):
        """Ask first: how many emails would never leave."""
        self.ensure_one()
        return self.env["user.email.alias.cancel"]._ask(mailing=self)

    def _email_alias_shown(self):
        """The alias as sudo, if its From is for this user to see; or void.

        A form may name any alias before anything is saved, and so checked.
        """
        self.ensure_one()
        # sudo: the From of a mailing is read with the mailing
        alias_sudo = self.sudo().email_alias_id
        stored_sudo = self._origin.sudo().email_alias_id
        is_known = alias_sudo._origin == stored_sudo
        # not env.su: stored fields are computed as such for everybody
        uids = (alias_sudo.user_id.id, api.SUPERUSER_ID)
        return alias_sudo if is_known or self.env.uid in uids else alias_sudo.browse()

    @api.model
    def _email_alias_notify_finished_of(self, alias_id):
        """Tell of an alias's mailings of which nothing is left."""
        self.search(
            [
                ("email_alias_id", "=", alias_id),
                ("email_alias_is_notified", "=", False),
                ("state", "=", "done"),
            ]
        )._email_alias_notify_finished()

    def _email_alias_notify_finished(self):
        """Tell the responsible user, and keep it in the mailing's chatter."""
        for mailing in self:
            # sudo: the lane and the mailing's job tell whoever is responsible
            mailing_sudo = mailing.sudo()
            if not mailing_sudo.email_alias_id or mailing_sudo.email_alias_is_notified:
                continue
            figures = mailing._email_alias_get_figures()
            if mailing_sudo.state != "done" or figures["waiting"]:
                continue
            if not figures["total"]:
                continue
            mailing_sudo.email_alias_is_notified = True
            message = self.env._(
                "%(sent)s of %(total)s emails have left as %(from)s.",
                sent=figures["sent"],
                total=figures["total"],
                **{"from": mailing_sudo.email_alias_id.display_name},
            )
            if figures["failed"]:
                # by a server, or by us before any was asked: each trace says which
                message += " " + self.env._(
                    "%s have failed; the mailing's list of them says why.",
                    figures["failed"],
                )
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
