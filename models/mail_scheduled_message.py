import json

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.mail.tools.discuss import Store

# No caller from outside can put this into a context.
POSTED = object()


class MailScheduledMessage(models.Model):
    _name = "mail.scheduled.message"
    _inherit = ["mail.scheduled.message", "user.email.alias.scheduled"]

    email_alias_id = fields.Many2one(
        "user.email.alias",
        "Email Alias",
        compute="_compute_email_alias_id",
        inverse="_inverse_email_alias_id",
        domain="[('user_id', '=', uid)]",
        help="The email alias this message will leave by.",
    )
    has_email_alias = fields.Boolean(compute="_compute_has_email_alias")

    @api.depends_context("uid")
    def _compute_has_email_alias(self):
        """Whether there is a From to show, or to choose for its author."""
        has_own = self.env["user.email.alias"]._has_own()
        for message in self:
            is_own = not message.id or message.create_uid == self.env.user
            message.has_email_alias = (
                bool(message.email_alias_id) or (has_own and is_own)
            ) and not message.is_note

    @api.depends("notification_parameters")
    def _compute_email_alias_id(self):
        Alias = self.env["user.email.alias"]
        for message in self:
            key = message._email_alias_get_parameters().get("email_alias_key")
            message.email_alias_id = Alias._find_by_key(key)

    def _inverse_email_alias_id(self):
        for message in self:
            alias = message.email_alias_id
            parameters = message._email_alias_get_parameters()
            for fname in ("email_alias_key", "email_from", "reply_to"):
                parameters.pop(fname, None)
            if alias:
                alias._check_usable()
                parameters["email_alias_id"] = alias.id
                # sudo: one's own alias, just checked
                parameters.update(alias.sudo()._get_sender_values())
            message.notification_parameters = json.dumps(parameters)

    @api.model_create_multi
    def create(self, vals_list):
        """Restrict: the alias named for later is one's own already now."""
        messages = super().create([self._email_alias_with_key(v) for v in vals_list])
        messages._email_alias_check_author()
        messages._email_alias_seal_up()
        return messages

    def write(self, vals):
        """Restrict: only its author changes what will leave by their alias."""
        if vals.keys() <= {"email_alias_seal"}:
            return super().write(vals)
        self._email_alias_check_author()
        vals = self._email_alias_with_key(vals)
        if self.env.uid != api.SUPERUSER_ID:
            vals = {**vals, "email_alias_failure": False}
        result = super().write(vals)
        self._email_alias_seal_up()
        return result

    def unlink(self):
        """Restrict: only its author cancels what would leave by their alias."""
        if self.env.context.get("email_alias_posted") is not POSTED:
            self._email_alias_check_author()
            if self.env.su:
                self._email_alias_follow_record()
        return super().unlink()

    def post_message(self):
        """Restrict: only the owner of the alias sends it before its time."""
        # as this user, before anything is in the cache where core finds it unasked
        self.fetch(["create_uid"])
        self._email_alias_check_author()
        # whoever presses the button has it before their eyes
        self._email_alias_seal_up()
        return super().post_message()

    def _post_message(self, raise_exception=True):
        """Restrict: what is not as its author scheduled it is set aside.

        :raise UserError: ``raise_exception``, and one of them cannot be posted
        """
        reasons = self._email_alias_find_unpostable(is_job=not raise_exception)
        if reasons and raise_exception:
            raise UserError("\n".join(reasons.values()))
        aside = self.browse([message.id for message in reasons])
        ready = (self - aside).with_context(email_alias_posted=POSTED)
        result = super(MailScheduledMessage, ready)._post_message(raise_exception)
        for message, reason in reasons.items():
            message._email_alias_set_aside(reason)
        return result

    def _notification_parameters_whitelist(self):
        """Extend: the alias chosen in the composer is remembered until the date."""
        return super()._notification_parameters_whitelist() | {"email_alias_key"}

    def _to_store_defaults(self, target):
        """Extend: the chatter shows whom the message will be from, or why not."""
        return [
            *super()._to_store_defaults(target),
            Store.Attr("emailAliasFrom", lambda m: m._email_alias_from()),
            Store.Attr("emailAliasFailure", lambda m: m.email_alias_failure or ""),
        ]

    def _email_alias_from(self):
        # sudo: the From of a message is read with the message
        return self.sudo().email_alias_id.display_name
