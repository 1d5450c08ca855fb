from odoo import api, fields, models
from odoo.exceptions import UserError

from ..decorators import of_records
from ..tools.deadline import BUTTON_SECONDS, Deadline
from ..tools.imap import folder as sent_folder
from .user_email_alias_sent_copies import IMAP_ERRORS


class UserEmailAliasSentFolder(models.AbstractModel):
    """The folder that copies go to: found by itself, or chosen by the owner.

    In an incoming server of the database nobody chooses one, nor sees the others.
    """

    _name = "user.email.alias.sent.folder"
    _description = "Email Alias: Sent Folder"

    imap_folder = fields.Char(readonly=True, copy=False)
    imap_folder_name = fields.Char(
        "Sent Folder",
        compute="_compute_imap_folder_name",
        inverse="_inverse_imap_folder_name",
        help="Found by itself. Enter another folder of the mailbox to file copies "
        "there.",
    )

    @api.depends("imap_folder")
    def _compute_imap_folder_name(self):
        for alias in self:
            folder = sent_folder.Folder.from_text(alias.imap_folder or "")
            alias.imap_folder_name = folder.path if folder else False

    def _inverse_imap_folder_name(self):
        for alias in self:
            path = (alias.imap_folder_name or "").strip()
            # sudo: which kind of mailbox it is
            if path and alias.sudo().imap_server_id:
                alias._raise_invalid(
                    "imap_folder_name",
                    self.env._("In this mailbox copies go to its Sent folder."),
                )
            folder = sent_folder.Folder(path).chosen() if path else None
            # sudo: written by the server only
            alias.sudo().imap_folder = folder.as_text() if folder else False

    def _get_imap_folder(self):
        """The Sent folder as it was found last time, or chosen; None if never."""
        folder = sent_folder.Folder.from_text(self.imap_folder or "")
        # sudo: which kind of mailbox it is
        is_chosen = folder and folder.found == sent_folder.CHOSEN
        return None if is_chosen and self.sudo().imap_server_id else folder

    def _remember_folder(self, folder):
        if folder.as_text() != self.imap_folder:
            # sudo: written by the server only
            self.sudo().imap_folder = folder.as_text()

    @of_records
    def action_choose_folder(self):
        """List the folders of the mailbox for the user to choose from."""
        self.ensure_one()
        self._check_owner()
        self._count_attempt()
        # sudo: which kind of mailbox it is
        is_own, known = not self.sudo().imap_server_id, self._get_imap_folder()
        try:
            account = self._get_imap_account__()
            self._let_go()
            with account.open(Deadline(BUTTON_SECONDS)) as connection:
                if is_own:
                    folders = connection.list_folders()
                else:
                    folders = [connection.find_sent_folder(known)]
        except IMAP_ERRORS as failure:
            raise UserError(str(failure)) from None
        return self.env["user.email.alias.folder"]._ask(self, folders)
