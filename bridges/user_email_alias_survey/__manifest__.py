{
    "name": "User Outgoing Email Aliases: Surveys",
    "summary": "Choose your From when you share a survey",
    "version": "19.0.1.0.0",
    "category": "Productivity/Discuss",
    "author": "User Email Alias contributors",
    "license": "LGPL-3",
    "depends": ["user_email_alias", "survey"],
    "data": [
        "security/user_email_alias_survey_security.xml",
        "wizards/survey_invite_views.xml",
    ],
    "assets": {
        "web.assets_tests": ["user_email_alias_survey/static/tests/tours/*.js"],
    },
    "auto_install": True,
}
