from odoo.tests import tagged

from odoo.addons.user_email_alias.tests.common_dialogue import DialogueCase


@tagged("post_install", "-at_install", "user_email_alias")
class TestForward(DialogueCase):
    model = "crm.lead.forward.to.partner"

    def forward(self, count, **values):
        partner_ids = self.create_partners(count)
        self.lead_ids = self.create(
            "crm.lead",
            *(
                {
                    "name": f"Lead {partner_id}",
                    "user_id": self.user_id,
                    "partner_assigned_id": partner_id,
                }
                for partner_id in partner_ids
            ),
        )
        context = {"active_ids": self.lead_ids}
        self.assertOffersFrom(self.model, context)
        lines = [
            [0, 0, {"lead_id": lead_id, "partner_assigned_id": partner_id}]
            for lead_id, partner_id in zip(self.lead_ids, partner_ids, strict=True)
        ]
        self.press(
            "action_forward",
            self.model,
            context,
            assignation_lines=lines,
            forward_type="single" if count == 1 else "assigned",
            **values,
        )

    def test_one_lead_is_forwarded_by_the_alias(self):
        self.forward(1)
        self.assertLeaves("guest0@example.org")
        self.assertOutcome("crm.lead", self.lead_ids[0])

    def test_several_partners_are_written_to_at_the_alias_s_pace(self):
        self.forward(3)
        self.assertLeaves(*(f"guest{n}@example.org" for n in range(3)))

    def test_odoos_own_server_can_be_chosen(self):
        self.forward(1, email_alias_id=False)
        self.assertNothingLeaves()
