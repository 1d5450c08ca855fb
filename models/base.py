from odoo import models


class Base(models.AbstractModel):
    _inherit = "base"

    def _message_get_suggested_recipients_batch(
        self,
        reply_discussion=False,
        reply_message=None,
        no_create=True,
        primary_email=False,
        additional_partners=None,
    ):
        """Extend: an alias's address is its owner's, who is no recipient of their own.

        Core takes the sender of a message for somebody else than its author as soon as
        the address differs.
        """
        Alias = self.env["user.email.alias"]
        past = Alias._get_past_addresses(self)
        banned = sorted(set().union(*past.values()))
        records = self.with_context(email_alias_past=banned) if banned else self
        suggested = super(Base, records)._message_get_suggested_recipients_batch(
            reply_discussion=reply_discussion,
            reply_message=reply_message,
            no_create=no_create,
            primary_email=primary_email,
            additional_partners=additional_partners,
        )
        return {
            record.id: Alias._settle_suggested(
                record, suggested[record.id], past.get(record.id, ())
            )
            for record in self
        }

    def onchange(self, values, field_names, fields_spec):
        """Restrict: a form is told no name of a foreign alias that a default names."""
        result = super().onchange(values, field_names, fields_spec)
        told = result.get("value") or {}
        for fname in told:
            if self._fields[fname].comodel_name == "user.email.alias":
                told[fname] = self._email_alias_get_told(fname, told[fname])
        return result

    def _email_alias_get_told(self, fname, value):
        """What a form is told of an alias: nothing, if it is neither kept nor open."""
        alias_id = value.get("id") if isinstance(value, dict) else value
        if not isinstance(alias_id, int) or alias_id == self._origin[fname].id:
            return value
        alias = self.env["user.email.alias"].browse(alias_id)
        return value if alias.has_access("read") else False
