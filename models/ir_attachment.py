import re

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
            self._email_alias_keep_files()
        return super().write(vals)

    def unlink(self):
        """Extend: as :meth:`write`."""
        self._email_alias_keep_files()
        return super().unlink()

    def _email_alias_keep_files(self):
        """Give waiting mail copies of these files; refuse it for scheduled messages.

        And for pictures of a mailing: recipients load them when they read it.

        :raise AccessError: the file is of somebody else's scheduled message, or in
            what a mailing with somebody else's alias says
        """
        self._email_alias_messages()._email_alias_keep_waiting()
        # sudo: where a file belongs decides, whatever may be read
        scheduled = self.sudo().filtered(
            lambda file: file.res_model == "mail.scheduled.message"
        )
        if scheduled:
            Scheduled = self.env["mail.scheduled.message"]
            messages = Scheduled.browse(scheduled.mapped("res_id")).exists()
            messages._email_alias_check_author()

        if not self.env.su:
            # a draft is for everybody to edit
            self._email_alias_find_mailings()._check_email_alias_change(
                {"body_html": 1}
            )

    def _email_alias_find_mailings(self):
        """The mailings in whose text these files are."""
        # sudo: where a file belongs decides, whatever may be read
        files_sudo = self.sudo().filtered(lambda f: f.res_model == "mailing.mailing")
        mailings_sudo = self.env["mailing.mailing"].sudo()
        for file_sudo in files_sudo:
            mailing_sudo = mailings_sudo.browse(file_sudo.res_id).exists()
            if re.search(rf"/{file_sudo.id}\b", mailing_sudo.body_html or ""):
                mailings_sudo |= mailing_sudo
        return mailings_sudo.sudo(False)

    def _email_alias_messages(self):
        """The messages written with an alias that these files are attached to."""
        Message = self.env["mail.message"].sudo()
        if not self.ids:
            return Message
        return Message.search(
            [("attachment_ids", "in", self.ids), ("email_alias_id", "!=", False)]
        )
