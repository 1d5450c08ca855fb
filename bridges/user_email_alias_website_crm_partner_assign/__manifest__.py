{
    "name": "User Outgoing Email Aliases: Resellers",
    "summary": "Choose your From when you forward leads to partners",
    "version": "19.0.1.0.0",
    "category": "Productivity/Discuss",
    "author": "User Email Alias contributors",
    "license": "LGPL-3",
    "depends": ["user_email_alias", "website_crm_partner_assign"],
    "data": [
        "security/user_email_alias_website_crm_partner_assign_security.xml",
        "wizards/crm_forward_to_partner_views.xml",
    ],
    "auto_install": True,
}
