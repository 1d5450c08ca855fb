# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
{
    "name": "Microsoft's window, shortened",
    "summary": "Lets a benchmark see hours of Microsoft's byte limit in minutes",
    "version": "19.0.1.0.0",
    "author": "User Email Alias contributors",
    "license": "LGPL-3",
    "category": "Hidden",
    "depends": ["user_email_alias"],
}
