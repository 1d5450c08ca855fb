{
    "name": "User Outgoing Email Aliases: Fleet",
    "summary": "Choose your From when you write to drivers",
    "version": "19.0.1.0.0",
    "category": "Productivity/Discuss",
    "author": "User Email Alias contributors",
    "license": "LGPL-3",
    "depends": ["user_email_alias", "fleet"],
    "data": [
        "security/user_email_alias_fleet_security.xml",
        "wizards/fleet_vehicle_send_mail_views.xml",
    ],
    "auto_install": True,
}
