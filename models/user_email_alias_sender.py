from odoo import api, models, tools
from odoo.exceptions import AccessError, UserError


class UserEmailAliasSender(models.AbstractModel):
    """Who may send with an alias, and what a message then says of its sender."""

    _name = "user.email.alias.sender"
    _description = "Email Alias: Sender"

    def _check_owner(self):
        """Let only the owner go on; OdooBot acts for code that has checked.

        :raise AccessError: the environment's user does not own every alias
        :raise UserError: or is not an internal user any more
        """
        if self.env.uid == api.SUPERUSER_ID:
            return
        # sudo: the owner decides, whatever may be read
        foreign = self.sudo().filtered(lambda a: a.user_id.id != self.env.uid)
        if foreign:
            raise AccessError(
                self.env._("You can only send with an email alias of your own.")
            )
        self._check_owner_may_send()

    def _check_usable(self):
        """As :meth:`_check_owner`, and the alias is there and filled in."""
        self._check_owner()
        # for OdooBot's sake, who was let on
        self.exists()._check_owner_may_send()
        for alias_sudo in self.sudo():
            if not alias_sudo.exists() or not alias_sudo.active:
                raise UserError(self.env._("This email alias is archived."))
            if not alias_sudo._is_complete():
                raise UserError(
                    self.env._(
                        "The email alias “%s” is not filled in yet: it needs a From "
                        "Address and a mail server.",
                        alias_sudo.display_name,
                    )
                )

    def _get_formatted_from(self):
        """The header From: ``Alias Name <From Address>`` (RFC 5322 3.6.2)."""
        self.ensure_one()
        return tools.formataddr((self.alias_name or "", self.email_from or ""))

    def _get_sender_values(self, keep_reply_to=False):
        """What a message written with the alias says of its sender.

        :param keep_reply_to: another Reply-To was asked for
        :return: values of ``mail.message`` and ``mail.mail``
        """
        values = {"email_from": self._get_formatted_from()}
        if self.reply_to and not keep_reply_to:
            values["reply_to"] = self.reply_to
        return values
