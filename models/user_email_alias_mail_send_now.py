import time

from odoo import models
from odoo.exceptions import UserError

from odoo.addons.base.models.ir_mail_server import MailDeliveryException

from ..exceptions import AliasRetry
from ..sending.lane import Lane

# How long a user may have to wait for a mail server, in seconds, and how much of it
# until a lane at work lets their mail in.
SEND_NOW_SECONDS = 45
LET_IN_SECONDS = 30


class UserEmailAliasMailSendNow(models.AbstractModel):
    """A mail whose sender waits for the outcome."""

    _name = "user.email.alias.mail.send.now"
    _description = "Email Alias: Send Now"

    def _email_alias_send_now(self, raise_exception):
        """Submit within the caller's transaction and know the outcome.

        :raise UserError: nothing could be submitted
        :raise MailDeliveryException: ``raise_exception``, and a mail was not accepted
        """
        if self and self.email_alias_id._is_copy():
            raise UserError(self.email_alias_id._get_copy_message())
        if not self or self.env["user.email.alias.queue"]._is_stopped():
            return
        left, reason = self._email_alias_submit()
        if left == self:
            raise UserError(reason)
        mails = self.exists()
        for mail in mails.filtered(lambda mail: mail.state == "outgoing"):
            mail._email_alias_record_unsent(mail.failure_reason or reason)
        failed = mails.filtered(lambda mail: mail.state == "exception")
        if failed and raise_exception:
            if (
                failed.filtered(lambda mail: not mail._email_alias_is_uncertain())
                != self
            ):
                # the exception must not take back what has left, or may have
                self.env.cr.commit()  # pylint: disable=invalid-commit
            raise MailDeliveryException(
                self.env._("Mail Delivery Failed"), failed[0].failure_reason or ""
            )

    def _email_alias_submit(self):
        """Submit each mail as soon as its alias lets it in.

        :return: the mails that were not submitted, and why
        """
        self.email_alias_id._check_owner()
        left, reasons = self.browse(), []
        for alias, mails in self.grouped("email_alias_id").items():
            now = time.monotonic()
            lane = Lane(self.env.registry, alias.id, now, now + SEND_NOW_SECONDS)
            skipped, reason = mails, ""
            try:
                skipped = lane.deliver_now(mails, 1000 * LET_IN_SECONDS)
            except AliasRetry as error:
                reason = f"{alias.display_name}: {error}"
            if skipped:
                left += skipped
                reasons.append(
                    reason
                    or self.env._(
                        "“%s” is paused or on hold: nothing is sent with it now.",
                        alias.display_name,
                    )
                )
        return left, "\n".join(reasons)
