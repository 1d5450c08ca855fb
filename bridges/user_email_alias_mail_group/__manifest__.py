{
    "name": "User Outgoing Email Aliases: Mail Groups",
    "summary": "Choose your From when you reject a message of a mail group",
    "version": "19.0.1.0.0",
    "category": "Productivity/Discuss",
    "author": "User Email Alias contributors",
    "license": "LGPL-3",
    "depends": ["user_email_alias", "mail_group"],
    "data": [
        "security/user_email_alias_mail_group_security.xml",
        "wizards/mail_group_message_reject_views.xml",
    ],
    "auto_install": True,
}
