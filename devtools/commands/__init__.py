# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
