from odoo import api, models


class MailComposeMessage(models.TransientModel):
    _name = "mail.compose.message"
    _inherit = ["mail.compose.message", "user.email.alias.dialogue"]

    @api.model
    def default_get(self, fields):
        """Restrict: a person's choice is no default for code that runs meanwhile."""
        values = super().default_get(fields)
        if not self.env.context.get("email_alias_person"):
            values.pop("email_alias_id", None)
        return values

    def onchange(self, values, field_names, fields_spec):
        """Extend: the chatter hands over the alias that was chosen there already."""
        composer = self
        if "email_alias_chosen" in self.env.context:
            chosen = self.env.context["email_alias_chosen"]
            composer = self.with_context(default_email_alias_id=chosen)
        return super(MailComposeMessage, composer).onchange(
            values, field_names, fields_spec
        )

    @api.depends_context("uid", "email_alias_person")
    @api.depends(
        "composition_mode", "mass_mailing_id", "model", "res_ids", "subtype_is_log"
    )
    def _compute_email_alias_id(self):
        """A mailing decides for its mails, else what fits the conversation.

        What code sends by itself leaves as it would without this add-on.
        """
        is_person = self.env.context.get("email_alias_person")
        picked = self.env["user.email.alias"]._get_picked()
        for composer in self:
            if composer.mass_mailing_id:
                composer.email_alias_id = composer.mass_mailing_id.email_alias_id
            elif composer.subtype_is_log:
                composer.email_alias_id = False
            elif picked:
                composer.email_alias_id = picked
            elif is_person and not composer.email_alias_id:
                composer.email_alias_id = composer._email_alias_propose()

    def _email_alias_get_record(self):
        if self.model and self.composition_mode == "comment":
            res_ids = self._evaluate_res_ids()
            if len(res_ids) == 1:
                return self.env[self.model].browse(res_ids)
        return None

    def _get_blacklist_record_ids(self, mail_values_dict, recipients_info=None):
        """Extend: who wants no mailings wants none at an alias's address either."""
        found = super()._get_blacklist_record_ids(mail_values_dict, recipients_info)
        if not self.use_exclusion_list or self.composition_mode != "mass_mail":
            return found
        by_record = {
            res_id: set(filter(None, info["mail_to_normalized"]))
            for res_id, info in (recipients_info or {}).items()
        }
        emails = set().union(*by_record.values())
        listed = self.env["user.email.alias"]._find_blacklisted(emails)
        return found | {res_id for res_id, to in by_record.items() if to & listed}

    @api.depends("email_alias_id", "subtype_is_log")
    def _compute_authorship(self):
        """Extend: the alias is the From, its owner the author."""
        super()._compute_authorship()
        for composer in self.filtered("email_alias_id"):
            # sudo: only its owner gets to see what an alias named in a form holds
            alias_sudo = composer.email_alias_id.sudo()
            is_own = alias_sudo.user_id == self.env.user
            if is_own and not composer.subtype_is_log:
                composer.email_from = alias_sudo._get_formatted_from()
                composer.author_id = alias_sudo.user_id.partner_id

    def _render_field(self, field, res_ids, *args, **kwargs):
        """Restrict: the From of an alias is text, whatever it looks like."""
        if field == "email_from" and self.email_alias_id and not self.subtype_is_log:
            self.email_alias_id._check_owner()
            # sudo: one's own alias, or a mailing's, just checked
            email_from = self.email_alias_id.sudo()._get_formatted_from()
            return dict.fromkeys(res_ids, email_from)
        return super()._render_field(field, res_ids, *args, **kwargs)

    def _prepare_mail_values(self, res_ids):
        """Extend: every mail of this composer leaves by its alias."""
        values_all = super()._prepare_mail_values(res_ids)
        alias = self.email_alias_id
        if not alias or self.subtype_is_log:
            return values_all
        alias._check_usable()
        asked = bool(self.reply_to_force_new and self.reply_to)
        # sudo: one's own alias, or a mailing's, just checked
        alias_sudo = alias.sudo()
        own = {
            "email_alias_id": alias.id,
            "mail_server_id": False,
            **alias_sudo._get_sender_values(keep_reply_to=asked),
        }
        if self.composition_mode == "mass_mail":
            own["email_alias_bulk"] = True
        for values in values_all.values():
            if values.get("reply_to") and not asked:
                values["reply_to"] = alias_sudo._name_reply_to(values["reply_to"])
            values.update(own)
        return values_all

    def _action_send_mail_comment(self, res_ids):
        """Extend: one message on each of many records is a bulk sending, too."""
        if self.composition_batch:
            self = self.with_context(email_alias_bulk=True)
        return super()._action_send_mail_comment(res_ids)

    def _prepare_mailing_values(self):
        """Extend: the mailing made of this composer leaves by the same alias."""
        return {
            **super()._prepare_mailing_values(),
            "email_alias_id": self.email_alias_id.id,
        }
