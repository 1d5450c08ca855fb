from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .user_email_alias_why import LOOK_AT


class UserEmailAliasWaiting(models.Model):
    """The queue as its owner sees it: mail that has not left, and why.

    ``mail.mail`` itself is for administrators.
    """

    _name = "user.email.alias.waiting"
    _description = "Email Alias Queue"
    _auto = False
    _order = "is_bulk, due_at, id"
    _rec_name = "subject"

    alias_id = fields.Many2one("user.email.alias", "Alias", readonly=True)
    user_id = fields.Many2one("res.users", "Owner", readonly=True)
    mailing_id = fields.Many2one("mailing.mailing", "Mailing", readonly=True)
    mail_message_id = fields.Many2one("mail.message", readonly=True)
    subject = fields.Char(readonly=True)
    recipients = fields.Char("To", readonly=True)
    is_bulk = fields.Boolean("Bulk", readonly=True)
    is_paused = fields.Boolean("Paused", readonly=True)
    due_at = fields.Datetime("Next at", readonly=True)
    state = fields.Selection(
        [("outgoing", "Waiting"), ("exception", "Failed"), ("cancel", "Cancelled")],
        readonly=True,
    )
    failure_reason = fields.Text("Server's Words", readonly=True)
    why = fields.Char(compute="_compute_why")
    next_at = fields.Datetime("When Next", compute="_compute_why")

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT mail.id, mail.email_alias_id AS alias_id, alias.user_id,
                   mail.mailing_id, mail.mail_message_id, message.subject,
                   mail.email_alias_bulk AS is_bulk, mail.state, mail.failure_reason,
                   mail.email_alias_is_paused AS is_paused,
                   CASE WHEN mail.email_alias_is_paused IS NOT TRUE
                        THEN to_timestamp(mail.email_alias_due) AT TIME ZONE 'UTC'
                   END AS due_at,
                   concat_ws(', ', mail.email_to, (
                       SELECT string_agg(partner.email, ', ')
                         FROM mail_mail_res_partner_rel rel
                         JOIN res_partner partner ON partner.id = rel.res_partner_id
                        WHERE rel.mail_mail_id = mail.id)) AS recipients
              FROM mail_mail mail
              JOIN user_email_alias alias ON alias.id = mail.email_alias_id
              JOIN mail_message message ON message.id = mail.mail_message_id
             WHERE mail.state IN ('outgoing', 'exception', 'cancel')
            """
        )

    @api.depends_context("uid", "lang")
    @api.depends("state", "is_paused", "due_at", "failure_reason")
    def _compute_why(self):
        explained = self.env["user.email.alias"]._explain_mails(self.ids)
        for row in self:
            row.why, row.next_at = explained.get(row.id, (False, False))

    def action_why(self):
        """Open the reasons of these mails; without any, of what is on the screen."""
        rows = self or self.search(
            Domain("state", "=", "outgoing")
            & Domain(self.env.context.get("active_domain") or []),
            limit=LOOK_AT,
        )
        rows.check_access("read")
        return self.env["user.email.alias"]._open_why(rows)

    def read_why(self):
        """Return the reasons of these mails."""
        rows = self[:LOOK_AT]
        rows.check_access("read")
        return self.env["user.email.alias"]._tell_why(rows.ids)

    def _get_mails(self):
        """The mails behind these rows, as sudo, once it is their owner who asks."""
        self.check_access("read")
        self.alias_id._check_owner()
        # sudo: the queue is technical, the owner has just been checked
        return self.env["mail.mail"].sudo().browse(self.ids).exists()

    def action_cancel(self):
        """Take these mails out of the queue."""
        mails = self._get_mails()
        mails.email_alias_id._record_event("cancelled")
        mails._email_alias_cancel()

    def action_retry(self):
        """Queue failed or cancelled mail again, and let delayed mail go at once."""
        mails = self._get_mails()
        mails.mark_outgoing()
        mails.mailing_trace_ids.write(
            {"trace_status": "outgoing", "failure_type": False}
        )
