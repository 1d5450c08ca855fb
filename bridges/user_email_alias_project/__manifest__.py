{
    "name": "User Outgoing Email Aliases: Project",
    "summary": "Choose your From when you share a project",
    "version": "19.0.1.0.0",
    "category": "Productivity/Discuss",
    "author": "User Email Alias contributors",
    "license": "LGPL-3",
    "depends": ["user_email_alias_portal", "project"],
    "data": [
        "security/user_email_alias_project_security.xml",
        "wizards/project_share_wizard_views.xml",
    ],
    "auto_install": True,
}
