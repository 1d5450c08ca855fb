from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools.epoch import to_datetime, to_epoch

# How long rows are kept unless the parameter user_email_alias.log_days says otherwise.
LOG_DAYS = 180


class UserEmailAliasLog(models.Model):
    """The log: one row for each submission of one message to the mail server.

    A row without outcome is a claim: committed before the submission, closed after
    it. The bulk row that was answered last gives the alias its next slot.
    """

    _name = "user.email.alias.log"
    _description = "Email Alias Sending Log"
    _order = "id desc"
    _rec_name = "message_id"

    alias_id = fields.Many2one(
        "user.email.alias", "Alias", required=True, index=True, ondelete="cascade"
    )
    user_id = fields.Many2one(related="alias_id.user_id", store=True, index=True)
    mail_mail_id = fields.Integer(
        "Mail ID", index=True, aggregator=None, help="The mail may be gone already."
    )
    mail_message_id = fields.Many2one(
        "mail.message", "Message", index="btree_not_null", ondelete="set null"
    )
    message_id = fields.Char("Message-ID")
    model = fields.Char("Document Model")
    res_id = fields.Many2oneReference("Document ID", model_field="model")
    is_bulk = fields.Boolean("Bulk")
    recipients = fields.Char("To")
    email_from = fields.Char("From")
    subject = fields.Char()
    claimed_at = fields.Float(digits=(17, 6), aggregator=None)
    replied_at = fields.Float(
        digits=(17, 6),
        aggregator=None,
        index=True,
        help="Seconds since the epoch by the database's clock, when the server's "
        "reply was recorded.",
    )
    rest_ms = fields.Integer(
        aggregator=None,
        help="Milliseconds after which the provider takes the next bulk email, "
        "whatever the alias's own pause.",
    )
    load = fields.Integer(
        aggregator=None,
        help="Bytes of the provider's window that it took; empty: there is no window.",
    )
    draft = fields.Char(
        groups=fields.NO_ACCESS,
        help="What the provider calls a draft of it that may lie there unsent.",
    )
    is_draft_sent = fields.Boolean(
        groups=fields.NO_ACCESS, help="The provider was asked to send the draft."
    )
    replied_on = fields.Datetime(
        "Time", compute="_compute_replied_on", search="_search_replied_on"
    )
    outcome = fields.Selection(
        [
            ("sent", "Sent"),
            ("deferred", "Try later"),
            ("refused", "Refused"),
            ("uncertain", "Uncertain"),
        ],
        help="What the submission ended in. Empty: the message is in hand right now.",
    )
    scope = fields.Selection(
        [("mail", "Mail"), ("alias", "Alias"), ("recipient", "Recipient")]
    )
    reply = fields.Text("Server's reply")
    refused_recipients = fields.Text("Refused recipients")
    signature = fields.Char(
        help="What the same refusal of another email would share with this one; empty "
        "where the refusal is about its recipient, or has been dealt with."
    )
    is_put_back = fields.Boolean(
        "Waits again",
        help="It was about the account: the email went back to the queue.",
    )

    # the Sent copy hangs on the submission it is a copy of
    sent_copy_state = fields.Selection(
        [("waiting", "Waiting"), ("filed", "In the Sent folder"), ("failed", "Failed")],
        "Sent Copy",
    )
    sent_copy_error = fields.Char("Why the copy failed")
    sent_copy_due = fields.Datetime()
    sent_copy_first_at = fields.Datetime()
    sent_copy_attempts = fields.Integer(
        aggregator=None, help="Tries since the mailbox works no more, else 0."
    )
    is_sent_copy_told = fields.Boolean(help="Whether its owner knows of the trouble.")
    # the compressed bytes, until they are filed
    sent_copy = fields.Binary(
        "Bytes to file", attachment=False, groups=fields.NO_ACCESS, help="Compressed."
    )

    _copy_waiting = models.Index(
        "(alias_id, sent_copy_due) WHERE sent_copy_state = 'waiting'"
    )
    _copy_trouble = models.Index(
        "(alias_id) WHERE sent_copy_state IN ('waiting', 'failed')"
    )

    _open = models.Index("(alias_id) WHERE outcome IS NULL")
    _last_bulk = models.Index("(alias_id, claimed_at) WHERE is_bulk")
    _done = models.Index(
        "(alias_id, claimed_at) WHERE outcome IN ('sent', 'uncertain')"
    )
    _trouble = models.Index(
        "(alias_id, claimed_at) WHERE outcome = 'deferred' AND scope = 'alias'"
    )
    _window = models.Index("(alias_id, claimed_at) WHERE load IS NOT NULL")
    _draft = models.Index("(alias_id) WHERE draft IS NOT NULL")
    _same = models.Index("(alias_id, claimed_at) WHERE signature IS NOT NULL")
    _uncertain = models.Index("(alias_id) WHERE outcome = 'uncertain'")

    @api.depends("replied_at")
    def _compute_replied_on(self):
        for row in self:
            at = row.replied_at and to_datetime(row.replied_at).replace(microsecond=0)
            row.replied_on = at or False

    def _search_replied_on(self, operator, value):
        if operator == "in":
            return Domain.OR(map(self._get_second, value))
        if operator not in ("<", "<=", ">", ">="):
            return NotImplemented
        at = to_epoch(fields.Datetime.to_datetime(value))
        # a number that is not there would count as 0
        return Domain("replied_at", operator, at) & Domain("replied_at", "!=", False)

    @api.model
    def _get_second(self, moment):
        """The domain of the rows of one second; without a moment, of the claims."""
        at = to_epoch(fields.Datetime.to_datetime(moment))
        if not at:
            return Domain("replied_at", "=", False)
        return Domain("replied_at", ">=", at) & Domain("replied_at", "<", at + 1)

    def _field_to_sql(self, alias, field_expr, query=None):
        """Extend: the log is sorted and grouped by the time people read."""
        if field_expr != "replied_on":
            return super()._field_to_sql(alias, field_expr, query)
        replied_at = self._field_to_sql(alias, "replied_at", query)
        return SQL("to_timestamp(%s) AT TIME ZONE 'UTC'", replied_at)

    # ------------------------------------------------------------------
    # Actions on what is uncertain
    # ------------------------------------------------------------------

    def _check_own_uncertain(self):
        self.check_access("read")
        if self.env.uid != api.SUPERUSER_ID and any(
            row.user_id != self.env.user for row in self
        ):
            raise AccessError(self.env._("Only the alias's owner decides this."))
        if any(row.outcome != "uncertain" for row in self):
            raise UserError(self.env._("This email is not uncertain any more."))

    def action_send_again(self):
        """Queue the mail once more: its author knows that it did not arrive."""
        self._check_own_uncertain()
        self.alias_id._record_event("sent_again")
        # sudo: the queue is technical, the owner has just been checked
        for row in self.sudo():
            mail = self.env["mail.mail"].sudo().browse(row.mail_mail_id).exists()
            if not mail:
                raise UserError(
                    self.env._("This email is not there any more to be sent again.")
                )
            row.write({"outcome": "deferred", "scope": "mail"})
            mail.mark_outgoing()

    def action_mark_sent(self):
        """Close the question: its author knows that it arrived."""
        self._check_own_uncertain()
        self.alias_id._record_event("marked_sent")
        # sudo: the queue is technical, the owner has just been checked
        for row in self.sudo():
            row.outcome = "sent"
            if row.mail_message_id:
                row.mail_message_id._email_alias_remember(row.mail_mail_id, "sent")
            mail = self.env["mail.mail"].sudo().browse(row.mail_mail_id).exists()
            if mail:
                mail._email_alias_record_sent()
                mail._email_alias_sweep(row.alias_id.id)

    def action_retry_copy(self):
        """File failed copies once more."""
        self.check_access("read")
        self.alias_id._check_owner()
        # sudo: the owner has been checked
        rows_sudo = self.sudo().filtered(lambda r: r.sent_copy_state == "failed")
        for row in rows_sudo:
            if not row.sent_copy:
                raise UserError(self.env._("The text of this email is gone."))
        rows_sudo.write({"sent_copy_state": "waiting", "sent_copy_error": False})
        rows_sudo.alias_id._retry_copies()

    def action_open_document(self):
        self.ensure_one()
        if not self.model or not self.res_id:
            raise UserError(self.env._("This email belongs to no document."))
        return {
            "type": "ir.actions.act_window",
            "res_model": self.model,
            "res_id": self.res_id,
            "views": [[False, "form"]],
        }

    @api.autovacuum
    def _gc_logs(self):
        """Forget old rows, except those that someone still has to decide on."""
        days = self.env["ir.config_parameter"]._email_alias_get_number(
            "user_email_alias.log_days", LOG_DAYS
        )
        if not days:
            return
        limit = fields.Datetime.subtract(fields.Datetime.now(), days=days)
        self.search(
            [("replied_on", "<", limit), ("outcome", "!=", "uncertain")], limit=10_000
        ).unlink()
