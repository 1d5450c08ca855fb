from odoo import models


class CrmLeadForwardToPartner(models.TransientModel):
    _name = "crm.lead.forward.to.partner"
    _inherit = ["crm.lead.forward.to.partner", "user.email.alias.dialogue"]

    def _email_alias_get_record(self):
        leads = self.assignation_lines.lead_id
        return leads if len(leads) == 1 else None

    def action_forward(self):
        """Extend: the leads are sent by the alias picked, several at its pace."""
        partners = self.assignation_lines.partner_assigned_id
        if self.forward_type == "single":
            partners = self.partner_id
        with self._email_alias_sending(len(partners)) as dialogue:
            return super(CrmLeadForwardToPartner, dialogue).action_forward()
