import json

from odoo import api, fields, models

from odoo.addons.mail.tools.discuss import Store


class MailScheduledMessage(models.Model):
    _inherit = "mail.scheduled.message"

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
        for message in self:
            alias_id = message._get_email_alias_parameters().get("email_alias_id")
            # sudo: an alias that is gone is none
            alias_sudo = self.env["user.email.alias"].sudo().browse(alias_id or [])
            message.email_alias_id = alias_sudo.exists().sudo(False)

    def _inverse_email_alias_id(self):
        for message in self:
            alias = message.email_alias_id
            parameters = message._get_email_alias_parameters()
            for fname in ("email_alias_id", "email_from", "reply_to"):
                parameters.pop(fname, None)
            if alias:
                alias._check_usable()
                parameters["email_alias_id"] = alias.id
                # sudo: one's own alias, just checked
                parameters.update(alias.sudo()._get_sender_values())
            message.notification_parameters = json.dumps(parameters)

    def write(self, vals):
        """Restrict: the alias named for later is one's own already now."""
        result = super().write(vals)
        if "notification_parameters" in vals and not self.env.su:
            # sudo: whose alias it is decides, whatever may be read
            self.sudo().email_alias_id.sudo(False)._check_owner()
        return result

    def post_message(self):
        """Restrict: only the owner of the alias sends it before its time."""
        # sudo: whose alias it is decides, whatever may be read
        self.sudo().email_alias_id.sudo(False)._check_owner()
        return super().post_message()

    @api.model_create_multi
    def create(self, vals_list):
        """Restrict: the alias named for later is one's own already now."""
        messages = super().create(vals_list)
        # sudo: whose alias it is decides, whatever may be read
        messages.sudo().email_alias_id.sudo(False)._check_owner()
        return messages

    def _get_email_alias_parameters(self):
        self.ensure_one()
        try:
            parameters = json.loads(self.notification_parameters or "{}")
        except ValueError:
            parameters = {}
        return parameters if isinstance(parameters, dict) else {}

    def _notification_parameters_whitelist(self):
        """Extend: the alias chosen in the composer is remembered until the date."""
        return super()._notification_parameters_whitelist() | {"email_alias_id"}

    def _to_store_defaults(self, target):
        """Extend: the chatter shows whom the message will be from."""
        attribute = Store.Attr("emailAliasFrom", lambda m: m._email_alias_from())
        return [*super()._to_store_defaults(target), attribute]

    def _email_alias_from(self):
        # sudo: the From of a message is read with the message
        return self.sudo().email_alias_id.display_name
