{
    "name": "User Outgoing Email Aliases: Recruitment",
    "summary": "Choose your From when you write to applicants or refuse them",
    "version": "19.0.1.0.0",
    "category": "Productivity/Discuss",
    "author": "User Email Alias contributors",
    "license": "LGPL-3",
    "depends": ["user_email_alias", "hr_recruitment"],
    "data": [
        "security/user_email_alias_hr_recruitment_security.xml",
        "wizards/applicant_send_mail_views.xml",
        "wizards/applicant_refuse_reason_views.xml",
    ],
    "assets": {
        "web.assets_tests": ["user_email_alias_hr_recruitment/static/tests/tours/*.js"],
    },
    "auto_install": True,
}
