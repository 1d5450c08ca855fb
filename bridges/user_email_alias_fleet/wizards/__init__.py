from . import fleet_vehicle_send_mail
