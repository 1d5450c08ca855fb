from odoo import models


class FleetVehicleSendMail(models.TransientModel):
    _name = "fleet.vehicle.send.mail"
    _inherit = ["fleet.vehicle.send.mail", "user.email.alias.dialogue"]

    def _email_alias_get_record(self):
        return self.vehicle_ids if len(self.vehicle_ids) == 1 else None

    def action_send(self):
        """Extend: the emails leave by the alias picked."""
        with self._email_alias_sending(len(self.vehicle_ids.driver_id)) as dialogue:
            return super(FleetVehicleSendMail, dialogue).action_send()
