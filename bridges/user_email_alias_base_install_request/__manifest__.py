{
    "name": "User Outgoing Email Aliases: Module Requests",
    "summary": "Choose your From when you ask for a module",
    "version": "19.0.1.0.0",
    "category": "Productivity/Discuss",
    "author": "User Email Alias contributors",
    "license": "LGPL-3",
    "depends": ["user_email_alias", "base_install_request"],
    "data": [
        "security/user_email_alias_base_install_request_security.xml",
        "wizards/base_module_install_request_views.xml",
    ],
    "auto_install": True,
}
