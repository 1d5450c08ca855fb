from odoo import models


class ProjectShareWizard(models.TransientModel):
    _inherit = "project.share.wizard"

    def _email_alias_count(self):
        """Extend: collaborators are invited one by one."""
        return len(self.collaborator_ids.filtered("send_invitation"))
