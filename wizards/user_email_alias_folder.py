from odoo import api, fields, models

from ..tools.imap import folder as sent_folder


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

    @api.constrains("alias_id")
    def _check_owner(self):
        """Tell nobody the name of somebody else's alias, either."""
        self.alias_id._check_owner()

    @api.model
    def _ask(self, alias, folders):
        """Open the choice.

        :param folders: what the mailbox's server listed
        :return: an action
        """
        wizard = self.create(
            {
                "alias_id": alias.id,
                "line_ids": [
                    fields.Command.create(
                        {"name": folder.path, "folder": folder.as_text()}
                    )
                    for folder in folders
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
        folder = sent_folder.Folder.from_text(self.line_id.folder or "")
        # sudo: written by the server only
        self.alias_id.sudo().imap_folder = (
            folder.chosen().as_text() if folder else False
        )


class UserEmailAliasFolderLine(models.TransientModel):
    _name = "user.email.alias.folder.line"
    _description = "Folder of a Mailbox"

    wizard_id = fields.Many2one(
        "user.email.alias.folder", ondelete="cascade", index=True
    )
    name = fields.Char(readonly=True)
    folder = fields.Char(readonly=True)
