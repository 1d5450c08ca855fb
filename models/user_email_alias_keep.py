from odoo import models

# What recipients would see of a change, while a mail waits.
SEEN_FIELDS = frozenset(
    (
        "attachment_ids",
        "author_id",
        "body",
        "email_from",
        "message_id",
        "model",
        "reply_to",
        "res_id",
        "subject",
    )
)
# A message that is moved elsewhere is not edited by anybody: records were merged.
PLACE_FIELDS = frozenset(("model", "res_id"))


class UserEmailAliasKeep(models.AbstractModel):
    """A message that still waits leaves as it was sent off.

    Its author may edit it, and the new words leave, or delete it, and nothing leaves.
    What anybody else does to it, or an accident such as a merge of records, changes
    only what stands in the chatter.
    """

    _name = "user.email.alias.keep"
    _description = "Email Alias: Keep"

    def _email_alias_waiting(self):
        """The mails with an alias that wait behind these messages, as sudo."""
        # sudo: mail.mail is technical
        Mail = self.env["mail.mail"].sudo()
        if not self.ids or not self.env["user.email.alias"]._is_any():
            return Mail
        return Mail.search(
            [
                "|",
                ("mail_message_id", "in", self.ids),
                ("email_alias_message_id", "in", self.ids),
                ("email_alias_id", "!=", False),
                ("state", "=", "outgoing"),
            ]
        )

    def _email_alias_keep_waiting(self, is_accident=False):
        """Keep what others change; called before the change.

        :param is_accident: not even their author means to change what waits
        :return: the messages whose author changes what waits
        """
        own = self.browse()
        for mail in self._email_alias_waiting():
            shown = mail.email_alias_message_id or mail.mail_message_id
            if not is_accident and mail.email_alias_id.user_id.id == self.env.uid:
                mail._email_alias_check_in_hand()
                own |= shown.sudo(self.env.su)
            elif mail.mail_message_id in self:
                mail._email_alias_keep()
        return own

    def _email_alias_call_off(self):
        """Cancel what waits, in mailboxes and in inboxes.

        :return: the mails that are cancelled now
        """
        mails = self._email_alias_waiting()
        mails._email_alias_cancel()
        # sudo: the schedules of one's own messages
        self.env["mail.message.schedule"].sudo().search(
            [("mail_message_id", "in", self.ids)]
        ).unlink()
        return mails

    def _email_alias_renew(self, before):
        """Put the new words of an edited message into its waiting mails.

        :param before: message id -> its body and preview before the edit
        """
        for message in self:
            if message._filter_empty():
                message._email_alias_call_off()
                continue
            after = message.body, message.preview
            for mail in message._email_alias_waiting():
                mail._email_alias_replace_body(before[message.id], after)
        self._email_alias_notify_outcome()
