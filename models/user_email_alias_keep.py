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
        if not self.ids:
            return Mail
        return Mail.search(
            [
                ("mail_message_id", "in", self.ids),
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
            if not is_accident and mail.email_alias_id.user_id.id == self.env.uid:
                own |= mail.mail_message_id.sudo(self.env.su)
            else:
                mail._email_alias_keep()
        return own

    def _email_alias_renew(self):
        """Make the waiting mails of an edited message anew, with its new words."""
        for message in self:
            mails = message._email_alias_waiting()
            if message._filter_empty():
                mails._email_alias_cancel()
                continue
            written = mails.filtered("is_notification")
            (mails - written).body_html = message.body
            if written and message.model and message.res_id:
                message._email_alias_notify_anew(written)
        self._email_alias_notify_outcome()

    def _email_alias_notify_anew(self, mails):
        """Let core write the notifications once more that have not left."""
        thread = self.env[self.model].browse(self.res_id)
        partner_ids = set(mails.recipient_ids.ids)
        notifications = self.env["mail.notification"].sudo()
        notifications = notifications.search([("mail_mail_id", "in", mails.ids)])
        is_bulk = any(mails.mapped("email_alias_bulk"))
        due = max(mails.mapped("email_alias_due"), default=0)
        notifications.unlink()
        mails.with_context(email_alias_replaced=True).unlink()
        recipients = [
            data
            for data in thread._notify_get_recipients(self)
            if data["id"] in partner_ids
        ]
        thread.with_context(email_alias_bulk=is_bulk)._notify_thread_by_email(
            self, [{**data, "notif": "email"} for data in recipients], force_send=False
        )
        if is_bulk:
            self._email_alias_waiting().email_alias_due = due
