from odoo import api, fields, models

from ..tools.imap import folder as sent_folder
from ..tools.imap.folder_names import rank

# Folders that are offered; a mailbox may have a hundred thousand.
OFFERED = 500


class UserEmailAliasFolder(models.TransientModel):
    """Offers the folders of a mailbox to file sent mail in."""

    _name = "user.email.alias.folder"
    _description = "Choose the Sent Folder"

    alias_id = fields.Many2one("user.email.alias", required=True, ondelete="cascade")
    line_ids = fields.One2many("user.email.alias.folder.line", "wizard_id")
    line_id = fields.Many2one(
        "user.email.alias.folder.line",
        "Sent Folder",
        domain="[('wizard_id', '=', id)]",
    )
    is_cut = fields.Boolean(readonly=True, help="The mailbox has more folders.")
    name = fields.Char("Another Folder", help="Its full name, as it is in the mailbox.")

    @api.constrains("alias_id")
    def _check_owner(self):
        """Tell nobody the name of somebody else's alias, either."""
        self.alias_id._check_owner()

    @api.model
    def _ask(self, alias, folders):
        """Open the choice: what looks like a Sent folder, then what lies near the top.

        :param folders: what the mailbox's server listed
        :return: an action
        """
        offered = sorted(folders, key=_get_place)[:OFFERED]
        wizard = self.create(
            {
                "alias_id": alias.id,
                "is_cut": len(folders) > len(offered),
                "line_ids": [
                    fields.Command.create(
                        {"name": folder.path, "folder": folder.as_text()}
                    )
                    for folder in sorted(offered, key=lambda folder: folder.path)
                ],
            }
        )
        wizard.line_id = wizard.line_ids.filtered(
            lambda line: line.name == alias.imap_folder_name
        )[:1]
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Choose the Sent Folder"),
            "res_model": self._name,
            "res_id": wizard.id,
            "view_mode": "form",
            "target": "new",
        }

    def action_apply(self):
        """File copies in this folder from now on."""
        self.ensure_one()
        self._check_owner()
        if self.name:
            self.alias_id.imap_folder_name = self.name
            return
        # sudo: which kind of mailbox it is; that of the database has one folder for us
        if self.alias_id.sudo().imap_server_id:
            return
        self.alias_id._record_event("changed", ["imap_folder_name"])
        folder = sent_folder.Folder.from_text(self.line_id.folder or "")
        # sudo: written by the server only
        self.alias_id.sudo().imap_folder = (
            folder.chosen().as_text() if folder else False
        )


def _get_place(folder):
    """Sort by how likely one wants this folder."""
    is_likely = rank(folder.path, folder.delimiter, [""]) is not None
    depth = folder.path.count(folder.delimiter) if folder.delimiter else 0
    return not (is_likely or "\\sent" in folder.flags), depth, folder.path


class UserEmailAliasFolderLine(models.TransientModel):
    _name = "user.email.alias.folder.line"
    _description = "Folder of a Mailbox"

    wizard_id = fields.Many2one(
        "user.email.alias.folder", ondelete="cascade", index=True
    )
    name = fields.Char(readonly=True)
    folder = fields.Char(readonly=True)
