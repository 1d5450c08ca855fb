from odoo import api, models


class CrmLead(models.Model):
    _inherit = "crm.lead"

    @api.depends(
        "email_domain_criterion", "email_normalized", "partner_id", "phone_sanitized"
    )
    def _compute_potential_lead_duplicates(self):
        """Extend: leads with the addresses of one person are duplicates, too."""
        super()._compute_potential_lead_duplicates()
        twins = self.env["user.email.alias"]._get_twins(self.mapped("email_normalized"))
        if not twins:
            return
        for lead in self:
            others = twins.get(lead.email_normalized, set()) - {lead.email_normalized}
            found = self.with_context(active_test=False).search(
                [
                    ("email_normalized", "in", list(others)),
                    ("id", "!=", lead._origin.id),
                ]
            )
            if found:
                lead.duplicate_lead_ids |= found
                lead.duplicate_lead_count = len(lead.duplicate_lead_ids - lead)

    def _create_customer(self, with_parent=None):
        """Extend: no contact is made of an alias's address, it is its owner's."""
        email = self.email_normalized
        owner = self.env["user.email.alias"]._get_owners([email]).get(email)
        return owner or super()._create_customer(with_parent=with_parent)
