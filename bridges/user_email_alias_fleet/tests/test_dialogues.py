from odoo.tests import tagged

from odoo.addons.user_email_alias.tests.common_dialogue import DialogueCase


@tagged("post_install", "-at_install", "user_email_alias")
class TestDrivers(DialogueCase):
    groups = ("fleet.fleet_group_manager",)
    model = "fleet.vehicle.send.mail"

    def write_to(self, count, **values):
        brand_id = self.create("fleet.vehicle.model.brand", {"name": "Brand"})[0]
        model_id = self.create(
            "fleet.vehicle.model", {"name": "Model", "brand_id": brand_id}
        )[0]
        self.vehicle_ids = self.create(
            "fleet.vehicle",
            *(
                {"model_id": model_id, "driver_id": partner_id}
                for partner_id in self.create_partners(count)
            ),
        )
        self.context = {"default_vehicle_ids": [[6, 0, self.vehicle_ids]]}
        self.assertOffersFrom(self.model, self.context)
        self.press(
            "action_send",
            self.model,
            self.context,
            **{"subject": "Tyres", "body": "<p>Time for winter tyres</p>", **values},
        )

    def _delete_created(self):
        with self.committed() as env:
            logs = env["fleet.vehicle.assignation.log"]
            logs.search([("vehicle_id", "in", self.vehicle_ids)]).unlink()
        super()._delete_created()

    def test_several_drivers_are_written_to_at_the_alias_s_pace(self):
        self.write_to(3)
        self.assertLeaves(*(f"guest{n}@example.org" for n in range(3)))
        for vehicle_id in self.vehicle_ids:
            self.assertOutcome("fleet.vehicle", vehicle_id)

    def test_odoos_own_server_can_be_chosen(self):
        self.write_to(1, email_alias_id=False)
        self.assertNothingLeaves()
