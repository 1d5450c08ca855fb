from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

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
        help="Seconds since the epoch by the database's clock, when the server's "
        "reply was recorded.",
    )
    replied_on = fields.Datetime("Time", index=True)
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
        help="The refusal was about the account: the email went back to the queue.",
    )

    # the Sent copy hangs on the submission it is a copy of
    sent_copy_state = fields.Selection(
        [("waiting", "Waiting"), ("filed", "In the Sent folder"), ("failed", "Failed")],
        "Sent Copy",
    )
    sent_copy_error = fields.Char("Why the copy failed")
    sent_copy_due = fields.Float(digits=(17, 6), aggregator=None)
    sent_copy_first_at = fields.Float(digits=(17, 6), aggregator=None)
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
    _same = models.Index("(alias_id, claimed_at) WHERE signature IS NOT NULL")
    _uncertain = models.Index("(alias_id) WHERE outcome = 'uncertain'")

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
        Params = self.env["ir.config_parameter"]
        days = int(Params._email_alias_get("user_email_alias.log_days") or LOG_DAYS)
        if days <= 0:
            return
        limit = fields.Datetime.subtract(fields.Datetime.now(), days=days)
        self.search(
            [("replied_on", "<", limit), ("outcome", "!=", "uncertain")], limit=10_000
        ).unlink()
