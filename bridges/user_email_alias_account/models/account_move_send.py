from odoo import api, models
from odoo.exceptions import UserError


class AccountMoveSend(models.AbstractModel):
    _inherit = "account.move.send"

    def _email_alias_get(self, move):
        """The alias that was picked for ``move``, with its owner's consent, or void."""
        if not move.sending_data:
            return self.env["user.email.alias"]
        # sudo: the job sends what its owner put in line
        return move.sudo().email_alias_sending_id.sudo(False)

    @api.model
    def _send_mail(self, move, mail_template, **kwargs):
        """Extend: the invoice leaves by the alias picked, and its owner wrote it."""
        alias = self._email_alias_get(move)
        if not alias:
            return super()._send_mail(move, mail_template, **kwargs)
        # sudo: its owner picked it
        author = alias.sudo().user_id.partner_id
        return super()._send_mail(
            move.with_context(email_alias_bulk=bool(move.sending_data)),
            mail_template,
            **{**kwargs, "author_id": author.id, "email_alias_id": alias.id},
        )

    @api.model
    def _generate_and_send_invoices(
        self,
        moves,
        from_cron=False,
        allow_raising=True,
        allow_fallback_pdf=False,
        **custom_settings,
    ):
        """Restrict: an alias that cannot be used any more stops its invoices only."""
        if from_cron:
            moves -= moves.filtered(self._email_alias_stop)
        return super()._generate_and_send_invoices(
            moves,
            from_cron=from_cron,
            allow_raising=allow_raising,
            allow_fallback_pdf=allow_fallback_pdf,
            **custom_settings,
        )

    def _email_alias_stop(self, move):
        """Take ``move`` out of the line and say why, if its alias cannot be used."""
        try:
            self._email_alias_get(move)._check_usable()
        except UserError as error:
            move.sending_data = False
            move._message_log(body=self.env._("Not sent: %s", error))
            return True
        return False
