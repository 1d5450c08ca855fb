from odoo import api, fields, models


class UserEmailAliasCancel(models.TransientModel):
    """Asks before waiting mail is cancelled, and says how much of it there is."""

    _name = "user.email.alias.cancel"
    _description = "Cancel Waiting Emails"

    alias_id = fields.Many2one("user.email.alias", ondelete="cascade")
    mailing_id = fields.Many2one("mailing.mailing", ondelete="cascade")
    count = fields.Integer(compute="_compute_count")

    @api.depends("alias_id", "mailing_id")
    def _compute_count(self):
        for wizard in self:
            wizard.count = len(wizard._get_waiting())

    def _get_waiting(self):
        """The mails in question, as sudo: the queue is technical."""
        self.ensure_one()
        self._check_owner()
        Mail = self.env["mail.mail"].sudo()
        domain = fields.Domain("state", "=", "outgoing")
        # a mailing's mail keeps its alias when the mailing itself has another one now
        domain &= fields.Domain("email_alias_id.user_id", "=", self.env.uid)
        if self.alias_id:
            domain &= fields.Domain("email_alias_id", "=", self.alias_id.id)
        if self.mailing_id:
            domain &= fields.Domain("mailing_id", "=", self.mailing_id.id)
        if not self.alias_id and not self.mailing_id:
            return Mail
        return Mail.search(domain)

    @api.constrains("alias_id", "mailing_id")
    def _check_owner(self):
        """Tell nobody the name of somebody else's alias, either."""
        # sudo: whose alias it is decides, whatever may be read
        (self.alias_id | self.mailing_id.sudo().email_alias_id).sudo(
            False
        )._check_owner()

    @api.model
    def _ask(self, alias=None, mailing=None):
        """Open the question.

        :return: an action
        """
        wizard = self.create(
            {
                "alias_id": alias.id if alias else False,
                "mailing_id": mailing.id if mailing else False,
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Cancel Waiting Emails"),
            "res_model": self._name,
            "res_id": wizard.id,
            "view_mode": "form",
            "target": "new",
        }

    def action_cancel_mails(self):
        """Cancel what has not been submitted yet."""
        self.ensure_one()
        mails = self._get_waiting()
        mails.email_alias_id._record_event("cancelled")
        mails._email_alias_cancel()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "info",
                "message": self.env._("%s emails cancelled.", len(mails)),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }
