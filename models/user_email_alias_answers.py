from odoo import models, tools

# Core folds no Reply-To (RFC 5322 2.1.1: 78 characters, the header's name included).
REPLY_TO_LENGTH = 68


class UserEmailAliasAnswers(models.AbstractModel):
    """Whom answers to a message seem to go to."""

    _name = "user.email.alias.answers"
    _description = "Email Alias: Answers"

    def _name_reply_to(self, reply_to):
        """Put the Alias Name in the place of the owner's in a Reply-To of core's.

        :return: without a name if the header would be folded, as core does
        """
        self.ensure_one()
        name, mailbox = next(iter(tools.mail.email_split_tuples(reply_to)), ("", ""))
        if not self.alias_name or name != self.user_id.name:
            return reply_to
        named = tools.formataddr((self.alias_name, mailbox))
        return named if len(named) <= REPLY_TO_LENGTH else mailbox
