from odoo import models


class IrModuleModule(models.Model):
    _inherit = "ir.module.module"

    def _button_immediate_function(self, function):
        """Extend: the queue makes room; core refuses while a job is at work."""
        self.env["user.email.alias.queue"]._make_room()
        result = super()._button_immediate_function(function)
        # not there any more when it is this add-on that was uninstalled
        if "user.email.alias.queue" in self.env:
            self.env["user.email.alias.queue"]._trigger_cron()
        return result
