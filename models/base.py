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
