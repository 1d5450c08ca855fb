# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
{
    "name": "Dark colours by cookie",
    "summary": "Lets screenshots be taken in Odoo's dark colours",
    "version": "19.0.1.0.0",
    "author": "User Email Alias contributors",
    "license": "LGPL-3",
    "category": "Hidden",
    "depends": ["web"],
    "assets": {
        "web.assets_web_dark": [
            (
                "before",
                "web/static/src/scss/primary_variables.scss",
                "user_email_alias_dark/static/src/dark.scss",
            ),
        ],
    },
}
