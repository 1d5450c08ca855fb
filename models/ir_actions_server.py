from odoo import models


class IrActionsServer(models.Model):
    _inherit = "ir.actions.server"

    def run(self):
        """Restrict: what code does by itself is nothing a person has picked."""
        # jobs are server actions, too; rules run inside what a person does
        action = self.with_context(email_alias_person=False, email_alias_is_code=True)
        action = self.env["user.email.alias"]._forget_picked(action)
        return super(IrActionsServer, action).run()
