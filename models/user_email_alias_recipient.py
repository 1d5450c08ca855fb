from odoo import api, models, tools
from odoo.fields import Command

# What recipients are addressed by.
ADDRESS_FIELDS = ("email", "name")


class UserEmailAliasRecipient(models.AbstractModel):
    """A contact that mail waits for: it leaves to the address it was sent off to.

    Its author may correct the address. What anybody else does, or an accident such as
    a merge, keeps no mail from leaving and sends none elsewhere.
    """

    _name = "user.email.alias.recipient"
    _description = "Email Alias: Recipient"

    def _email_alias_keep_addresses(self, vals=None):
        """Let waiting mail name the addresses itself; called before the change.

        :param vals: what is written; None: the contacts go
        """
        if vals is None:
            changed = self
        else:
            changed = self.filtered(
                lambda p: any(
                    fname in vals and (vals[fname] or False) != (p[fname] or False)
                    for fname in ADDRESS_FIELDS
                )
            )
        if not changed.ids or not self.env["user.email.alias"]._is_any():
            return
        is_correction = vals is not None and (
            "email" not in vals or bool(tools.email_normalize(vals["email"]))
        )
        states = ["outgoing"]
        if vals is None:
            # what failed may be sent once more, to a contact that is there to correct
            states.append("exception")
        for mail in changed._email_alias_find_waiting(is_correction, states):
            mail._email_alias_split()
        for mail in changed._email_alias_find_waiting(is_correction, states):
            if len(mail.recipient_ids) == 1:
                mail.recipient_ids._email_alias_write_address(mail)

    def _email_alias_find_waiting(self, is_correction, states):
        """The mails to keep, as OdooBot: nobody writes anything here.

        :param is_correction: those whose author makes this change are not to be kept
        """
        mails = (
            self.env["mail.mail"]
            .with_user(api.SUPERUSER_ID)
            .search(
                [
                    ("recipient_ids", "in", self.ids),
                    ("email_alias_id", "!=", False),
                    ("state", "in", states),
                ]
            )
        )
        return mails.filtered(
            lambda m: not is_correction or m.email_alias_id.user_id.id != self.env.uid
        )

    def _email_alias_find_own_scheduled(self, vals):
        """Scheduled messages to these whose author corrects a contact.

        :return: those that are as their author scheduled them
        """
        Scheduled = self.env["mail.scheduled.message"]
        if "email" not in vals or not self.env["user.email.alias"]._has_own():
            return Scheduled
        # sudo: one's own, whatever record they wait on
        found_sudo = Scheduled.sudo().search(
            [("partner_ids", "in", self.ids), ("create_uid", "=", self.env.uid)]
        )
        return found_sudo._email_alias_written().filtered(
            lambda s: s._email_alias_is_sealed()
        )

    def _email_alias_write_address(self, mail):
        """Write on a mail whom it goes to, in the place of its one contact."""
        self.ensure_one()
        addresses = tools.email_normalize_all(self.email)
        if addresses:
            named = [tools.formataddr((self.name or "", each)) for each in addresses]
            mail.write(
                {"email_to": ", ".join(named), "recipient_ids": [Command.clear()]}
            )
