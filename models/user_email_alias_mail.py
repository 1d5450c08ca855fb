import json

from odoo import api, fields, models
from odoo.tools import SQL

from ..tools.epoch import to_epoch


class UserEmailAliasMail(models.AbstractModel):
    """A mail with an alias in the queue: put in, woken, split up, taken out."""

    _name = "user.email.alias.mail"
    _description = "Email Alias: Mail"

    @api.model
    def _email_alias_of_mailing(self, vals_list):
        """Whatever is sent for a mailing leaves by the mailing's alias."""
        for vals in vals_list:
            if vals.get("mailing_id") and "email_alias_id" not in vals:
                # sudo: the alias of a mailing is read with the mailing
                mailing_sudo = (
                    self.env["mailing.mailing"].sudo().browse(vals["mailing_id"])
                )
                if alias_sudo := mailing_sudo.email_alias_id:
                    vals["email_alias_id"] = alias_sudo.id
                    if alias_sudo.reply_to and mailing_sudo.reply_to_mode != "new":
                        vals["reply_to"] = alias_sudo.reply_to

    @api.model
    def _email_alias_of_dialogue(self, vals_list):
        """Whatever a dialogue sends leaves by the alias that was picked in it."""
        picked = self.env["user.email.alias"]._get_picked()
        if picked:
            for vals in vals_list:
                if "email_alias_id" not in vals:
                    vals.update(picked._get_picked_values(vals))

    @api.model
    def _email_alias_is_of_paused(self, vals):
        """A mail of a paused mailing waits with the others."""
        # sudo: whether a mailing is paused is read with the mailing
        mailing_sudo = self.env["mailing.mailing"].sudo().browse(vals.get("mailing_id"))
        return mailing_sudo.email_alias_is_paused

    def _email_alias_wake(self):
        waiting = self.filtered(lambda mail: mail.state == "outgoing")
        if waiting:
            Queue = self.env["user.email.alias.queue"]
            Queue._trigger_cron()
            direct = waiting.filtered(lambda mail: not mail.email_alias_bulk)
            if direct:
                Queue._serve_soon(direct.email_alias_id.ids)

    def _email_alias_requeue(self):
        now = self.env["user.email.alias"]._now()
        for mail in self.filtered(lambda m: m.state == "outgoing"):
            # sudo: whether a mailing is paused is read with the mailing
            mailing_sudo = mail.sudo().mailing_id
            # sudo: what the queue notes is written by it alone
            mail.sudo().write(
                {
                    "email_alias_due": max(now, to_epoch(mail.scheduled_date)),
                    "email_alias_is_paused": mailing_sudo.email_alias_is_paused,
                }
            )
        self._email_alias_wake()

    def _email_alias_cancel(self):
        """Take waiting mail out of the queue for good."""
        waiting = self.filtered(lambda m: m.state == "outgoing")
        waiting.cancel()
        waiting.mailing_trace_ids.set_canceled()
        notifications = self.env["mail.notification"].search(
            [
                ("mail_mail_id", "in", waiting.ids),
                ("notification_status", "not in", ("sent", "canceled")),
            ]
        )
        notifications.write({"notification_status": "canceled"})

    def _email_alias_lock(self):
        """Make sure that what this transaction sees of the mails is still so.

        In SQL because a lane must tell a mail that was changed from one that is busy.

        :raise psycopg2.errors.SerializationFailure: it is not (REPEATABLE READ)
        :raise psycopg2.errors.LockNotAvailable: somebody else is changing one
        """
        self.flush_recordset()
        self.env.cr.execute(
            SQL(
                "SELECT id FROM mail_mail WHERE id IN %s FOR NO KEY UPDATE NOWAIT",
                tuple(self.ids),
            )
        )

    def _email_alias_split(self):
        """Make one mail of each submission, so that a retry repeats nobody.

        Core sends a separate email to the addresses and to each partner of a mail.

        :return: whether anything was split off
        """
        self.ensure_one()
        if not self._email_alias_is_several():
            return False
        partners = self.recipient_ids
        extra = partners if self.email_to or self.email_cc else partners[1:]
        notifications = self.env["mail.notification"].search(
            [("mail_mail_id", "=", self.id), ("res_partner_id", "in", extra.ids)]
        )
        for partner in extra:
            single = self.copy(self._email_alias_single_vals(partner))
            notifications.filtered(
                lambda n, p=partner: n.res_partner_id == p
            ).mail_mail_id = single
        self.recipient_ids -= extra
        self.flush_recordset()
        return True

    def _email_alias_is_several(self):
        """Whether core would send more than one email for this mail."""
        self.ensure_one()
        if self.state != "outgoing":
            return False
        return len(self.recipient_ids) + bool(self.email_to or self.email_cc) > 1

    def _email_alias_single_vals(self, partner):
        vals = {
            "headers": self.headers,
            "email_to": False,
            "email_cc": False,
            "recipient_ids": [fields.Command.set(partner.ids)],
            "email_alias_message_id": self.email_alias_message_id.id,
        }
        if self.is_notification:
            vals["mail_message_id"] = self.mail_message_id.id
        else:
            # a message of its own: deleting this mail must not take the others along
            vals["message_id"] = self.message_id
        return vals

    def _email_alias_get_pending(self):
        self.ensure_one()
        return json.loads(self.email_alias_pending or "[]")
