from odoo import models
from odoo.tools import email_normalize_all


class UserEmailAliasEnded(models.AbstractModel):
    """What a mail ended in: its message knows it when the mail is gone."""

    _name = "user.email.alias.ended"
    _description = "Email Alias: What a Mail Ended in"

    def _email_alias_record_unsent(self, reason):
        """Final, and no server was asked."""
        self._email_alias_record_failure("unknown", reason, "unsent")

    def _email_alias_remember(self, state, reply=""):
        """Let the message know what this mail ended in.

        A message that goes with its mail reads a success from the mail.
        """
        for mail in self:
            if mail.is_notification or state != "sent":
                shown = mail.email_alias_message_id or mail.mail_message_id
                shown._email_alias_remember(mail.id, state, reply)

    def _email_alias_get_lack(self):
        """Whose address is missing or wrong, for a mail that core does not send."""
        self.ensure_one()
        sentences = [
            self.env._("“%s” is no email address.", text)
            for text in (self.email_to, self.email_cc)
            if (text or "").strip() and not email_normalize_all(text)
        ]
        for partner in self.recipient_ids:
            if not (partner.email or "").strip():
                sentences.append(
                    self.env._("%s has no email address.", partner.display_name)
                )
            elif not email_normalize_all(partner.email):
                sentences.append(
                    self.env._(
                        "%(name)s has no valid email address: “%(email)s”.",
                        name=partner.display_name,
                        email=partner.email,
                    )
                )
        return " ".join(sentences) or self.env._("It has no recipient.")
