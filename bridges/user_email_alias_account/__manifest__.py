{
    "name": "User Outgoing Email Aliases: Invoicing",
    "summary": "Choose your From when you send invoices",
    "version": "19.0.1.0.0",
    "category": "Productivity/Discuss",
    "author": "User Email Alias contributors",
    "license": "LGPL-3",
    "depends": ["user_email_alias", "account"],
    "data": [
        "security/user_email_alias_account_security.xml",
        "wizards/account_move_send_wizard_views.xml",
        "wizards/account_move_send_batch_wizard_views.xml",
    ],
    "assets": {
        "web.assets_tests": ["user_email_alias_account/static/tests/tours/*.js"],
    },
    "auto_install": True,
}
