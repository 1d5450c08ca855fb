{
    "name": "User Outgoing Email Aliases: Portal",
    "summary": "Choose your From when you share a document or invite to the portal",
    "version": "19.0.1.0.0",
    "category": "Productivity/Discuss",
    "author": "User Email Alias contributors",
    "license": "LGPL-3",
    "depends": ["user_email_alias", "portal"],
    "data": [
        "security/user_email_alias_portal_security.xml",
        "wizards/portal_share_views.xml",
        "wizards/portal_wizard_views.xml",
    ],
    "auto_install": True,
}
