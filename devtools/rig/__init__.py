# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""What `./dev bench` and `./dev chaos` are played on.

A PostgreSQL of its own, a mail sink or the providers' interfaces in a process of their
own, real Odoo servers with their own cron workers, and a clerk: one more Odoo process
that writes the mails.
"""
