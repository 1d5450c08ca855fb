import contextlib

from odoo import api, fields, models

from ..tools import oauth

# The system parameters: on which day a provider's client secret ends, and of which end
# the administrators were told how many days before.
ENDS = "user_email_alias.secret_ends.%s"
TOLD = "user_email_alias.secret_told.%s"

# Administrators are told so many days before, each time once.
NOTICE_DAYS = (0, 7, 30)


class UserEmailAliasSecretEnd(models.AbstractModel):
    """A client secret that ends takes every sign-in with it: said in good time."""

    _name = "user.email.alias.secret.end"
    _description = "Email Alias: End of a Client Secret"

    @api.model
    def _get_end(self, key):
        """On which day a provider's client secret ends; False: nobody has said."""
        text = self.env["ir.config_parameter"]._email_alias_get(ENDS % key)
        try:
            return fields.Date.to_date(text or False) or False
        except ValueError:
            return False

    @api.model
    def _set_end(self, key, day):
        if day == self._get_end(key):
            return
        # sudo: the callers are the settings page and the daily job
        Params = self.env["ir.config_parameter"].sudo()
        Params._email_alias_set(ENDS % key, day and fields.Date.to_string(day))
        Params._email_alias_set(TOLD % key, False)

    @api.model
    def _forget_end(self, key):
        """Another secret was entered: an end that has passed was not that one's."""
        end = self._get_end(key)
        if end and end <= fields.Date.today():
            self._set_end(key, False)

    @api.model
    def _note_ended__(self, key):
        """Note that the provider says its client secret has ended; commits."""
        with contextlib.closing(self.env.registry.cursor()) as cr:
            other = self.with_env(self.env(cr=cr, su=True))
            end = other._get_end(key)
            if not end or end > fields.Date.today():
                other._set_end(key, fields.Date.today())
                other._tell_ends()
            cr.commit()

    @api.model
    def _get_end_sentence(self, key, day):
        """What an administrator reads about an end that is near, else nothing."""
        left = (day - fields.Date.today()).days if day else NOTICE_DAYS[-1] + 1
        if left > NOTICE_DAYS[-1]:
            return ""
        label = oauth.PROVIDERS[key].label
        if left <= 0:
            return self.env._(
                "The Client Secret for signing in with %s has ended: what its users "
                "send waits. Create a new one at the provider and enter it here, with "
                "the day on which it ends.",
                label,
            )
        return self.env._(
            "The Client Secret for signing in with %(label)s ends on %(day)s; from "
            "then on what its users send waits. Create a new one at the provider and "
            "enter it here, with the day on which it ends.",
            label=label,
            day=fields.Date.to_string(day),
        )

    @api.model
    def _tell_ends(self):
        """Tell every administrator which client secret ends within 30 days."""
        Params = self.env["ir.config_parameter"].sudo()
        Settings = self.env["user.email.alias.oauth.settings"]
        for key in oauth.PROVIDERS:
            end = self._get_end(key)
            if not end or not Settings._get_param(key, "client_id"):
                continue
            left = (end - fields.Date.today()).days
            step = next((days for days in NOTICE_DAYS if left <= days), None)
            told = Params._email_alias_get(TOLD % key)
            if step is None or told == str(step):
                continue
            Params._email_alias_set(TOLD % key, str(step))
            # sudo: who is an administrator
            users_sudo = self.env.ref("base.group_system").sudo().all_user_ids
            users_sudo = users_sudo.filtered(lambda u: u.active and not u.share)
            label = oauth.PROVIDERS[key].label
            # sudo: the daily job writes to administrators
            self.env["mail.thread"].sudo().message_notify(
                partner_ids=users_sudo.partner_id.ids,
                subject=self.env._("Client Secret for signing in with %s", label),
                body=self._get_end_sentence(key, end)
                + " "
                + self.env._("(Settings / General Settings / Email Aliases)"),
            )
