from odoo import api, models
from odoo.fields import Domain
from odoo.tools import email_normalize_all

from ..tools import address

# So many of a conversation's latest emails are looked at.
LATEST_MESSAGES = 20


class UserEmailAliasProposal(models.AbstractModel):
    """Which of one's own aliases fits what one is about to write."""

    _name = "user.email.alias.proposal"
    _description = "Email Alias: Proposal"

    @api.model
    def _propose(self, record):
        """The alias a message on ``record`` would be written with.

        The one this conversation used last or the customer wrote to, whichever is
        later; else the user's default.

        :param record: a record with a conversation, which the user may read; or void
        :return: an alias of the user's own that can be used, or void
        """
        if not self._has_own():
            return self.browse()
        default = self._get_default(self.env.user)
        if not record or not record.id or not self.env.user._is_internal():
            return default
        # sudo: one's own aliases
        own = self.sudo().search([("user_id", "=", self.env.uid)])
        own = own.filtered(lambda alias: alias._is_complete())
        if own <= default:
            # with a single one there is nothing to find out
            return default
        return self._find_in_conversation(record, own).sudo(False) or default

    @api.model
    def _find_in_conversation(self, record, own):
        domain = Domain("model", "=", record._name) & Domain("res_id", "=", record.id)
        domain &= Domain("email_alias_id", "in", own.ids) | (
            Domain("message_type", "=", "email")
            & (
                Domain("incoming_email_to", "!=", False)
                | Domain("incoming_email_cc", "!=", False)
            )
        )
        # sudo: of messages on a record the user may read only the alias is shown
        messages = (
            self.env["mail.message"]
            .sudo()
            .search_fetch(
                domain,
                ["email_alias_id", "incoming_email_to", "incoming_email_cc"],
                order="id DESC",
                limit=LATEST_MESSAGES,
            )
        )
        by_address = {_canonical(alias.email_from): alias for alias in reversed(own)}
        for message in messages:
            if message.email_alias_id in own:
                return message.email_alias_id
            written_to = f"{message.incoming_email_to},{message.incoming_email_cc}"
            for found in email_normalize_all(written_to):
                if alias := by_address.get(_canonical(found)):
                    return alias
        return self.browse()


def _canonical(mailbox):
    """Domains outside ASCII arrive in either form."""
    try:
        return address.mailbox_to_ascii(mailbox).casefold()
    except address.AddressError:
        return mailbox.casefold()
