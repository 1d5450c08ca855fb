from markupsafe import Markup, escape

from odoo import api, models
from odoo.exceptions import UserError

# Before the Message-ID of a message that only a kept mail has.
KEPT = "kept:"


class UserEmailAliasMailKept(models.AbstractModel):
    """A waiting mail whose message is changed: only its author changes what leaves."""

    _name = "user.email.alias.mail.kept"
    _description = "Email Alias: Kept Mail"

    def _email_alias_keep(self):
        """Give a waiting mail a message and files of its own, as they are now."""
        self.ensure_one()
        # with OdooBot: nobody writes anything here, it is kept as it was
        mail = self.with_user(api.SUPERUSER_ID)
        shown = mail.mail_message_id
        own = shown.copy(
            {
                "model": False,
                "res_id": False,
                "message_id": KEPT + shown.message_id,
                "email_alias_id": mail.email_alias_id.id,
                "attachment_ids": False,
            }
        )
        place = {"res_model": own._name, "res_id": own.id}
        for attachment in shown.attachment_ids:
            own.attachment_ids += attachment.copy(place)
        mail.write(
            {
                "mail_message_id": own.id,
                "email_alias_message_id": mail.email_alias_message_id.id or shown.id,
            }
        )

    def _email_alias_restore_id(self, built):
        """Let a kept mail leave with the Message-ID it was sent off with.

        Its own message has another one, so that answers find the one in the chatter.

        :param email.message.EmailMessage built: what core has built; changed in place
        """
        message_id = built["Message-Id"] or ""
        if message_id.startswith(KEPT):
            del built["Message-Id"]
            built["Message-Id"] = message_id.removeprefix(KEPT)

    def _email_alias_replace_body(self, old, new):
        """Put the author's new words in the place of the old ones, whoever gets them.

        :param old: body and preview of the message, as core has rendered them
        :raise UserError: they are not found in the mail
        """
        self.ensure_one()
        render = self.env["mail.render.mixin"]._replace_local_links
        (body, preview), (new_body, new_preview) = old, new
        before, after = (str(render(text or "")) for text in (body, new_body))
        html = str(self.body_html or "")
        if not before or before not in html:
            raise UserError(
                self.env._(
                    "The waiting email cannot be changed any more: take it back and "
                    "write it anew."
                )
            )
        html = html.replace(before, after)
        if preview:
            html = html.replace(str(escape(preview)), str(escape(new_preview or "")))
        self.body_html = Markup(html)  # noqa: S704

    def _email_alias_check_in_hand(self):
        """Refuse to change what the mail server may be taking at this moment.

        :raise UserError: one of these mails is being submitted
        """
        # sudo: the log belongs to owners; only whether there is a claim counts
        Log = self.env["user.email.alias.log"].sudo()
        if Log.search_count(
            [("mail_mail_id", "in", self.ids), ("outcome", "=", False)], limit=1
        ):
            raise UserError(
                self.env._(
                    "This email is being sent right now. Look again in a moment."
                )
            )
