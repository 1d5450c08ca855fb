from odoo import models

# What a file holds, and how recipients see it.
CONTENT_FIELDS = frozenset(
    ("datas", "db_datas", "mimetype", "name", "raw", "store_fname", "type", "url")
)


class IrAttachment(models.Model):
    _inherit = "ir.attachment"

    def write(self, vals):
        """Extend: a waiting mail keeps the files it was sent off with."""
        if not CONTENT_FIELDS.isdisjoint(vals):
            self._email_alias_messages()._email_alias_keep_waiting()
        return super().write(vals)

    def unlink(self):
        """Extend: as :meth:`write`."""
        self._email_alias_messages()._email_alias_keep_waiting()
        return super().unlink()

    def _email_alias_messages(self):
        """The messages written with an alias that these files are attached to."""
        Message = self.env["mail.message"].sudo()
        if not self.ids:
            return Message
        return Message.search(
            [("attachment_ids", "in", self.ids), ("email_alias_id", "!=", False)]
        )
