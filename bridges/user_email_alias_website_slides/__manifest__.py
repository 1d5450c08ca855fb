{
    "name": "User Outgoing Email Aliases: eLearning",
    "summary": "Choose your From when you invite to a course",
    "version": "19.0.1.0.0",
    "category": "Productivity/Discuss",
    "author": "User Email Alias contributors",
    "license": "LGPL-3",
    "depends": ["user_email_alias", "website_slides"],
    "data": [
        "security/user_email_alias_website_slides_security.xml",
        "wizards/slide_channel_invite_views.xml",
    ],
    "auto_install": True,
}
