{
    "name": "User Outgoing Email Aliases",
    "summary": "Each user writes from their own mailboxes, at each mailbox's own pace",
    "version": "19.0.1.0.0",
    "category": "Productivity/Discuss",
    "author": "User Email Alias contributors",
    "license": "LGPL-3",
    "depends": ["mail", "crm", "mass_mailing"],
    "external_dependencies": {
        "python": [
            "cryptography",
            "google-auth",
            "google-auth-oauthlib",
            "imapclient",
            "msal",
        ]
    },
    "data": [
        "security/ir.model.access.csv",
        "security/user_email_alias_security.xml",
        "data/ir_cron_data.xml",
        "views/user_email_alias_log_views.xml",
        "views/user_email_alias_waiting_views.xml",
        "views/res_partner_views.xml",
        "views/user_email_alias_views.xml",
        "views/fetchmail_server_views.xml",
        "views/res_config_settings_views.xml",
        "views/res_users_views.xml",
        "views/mailing_mailing_views.xml",
        "views/mail_mail_views.xml",
        "views/mail_scheduled_message_views.xml",
        "wizards/mail_compose_message_views.xml",
        "wizards/user_email_alias_cancel_views.xml",
        "wizards/user_email_alias_folder_views.xml",
        "views/user_email_alias_menus.xml",
    ],
    "assets": {
        "web.assets_backend": [
            "user_email_alias/static/src/**/*",
        ],
        "web.assets_tests": [
            "user_email_alias/static/tests/tours/**/*",
        ],
    },
    "uninstall_hook": "uninstall_hook",
}
