"""Where the registration of the app at each provider is kept."""

import dataclasses
import json
import os

from odoo import api, models, tools
from odoo.exceptions import UserError

from ..tools import keys, oauth, vault

PREFIX = "user_email_alias"
CALLBACK = "/user_email_alias/oauth/%s/callback"
SECRET = "client_secret"  # noqa: S105 - the name of the setting

# Where the sign-ins under way wait in the user's session, each popped at first use.
FLOWS = "user_email_alias_flows"

# The sentence that the next page shows.
OUTCOME = "user_email_alias_outcome"

# A parameter has no row of ours: its secret is bound to the name instead.
PARAMETER_MODEL = "ir.config_parameter"


class UserEmailAliasOauthSettings(models.AbstractModel):
    """System parameters ``user_email_alias.<provider>_<setting>``, see
    :class:`..tools.oauth.ProviderConfig` for the settings there are.
    """

    _name = "user.email.alias.oauth.settings"
    _description = "Email Alias Sign-in Settings"

    @api.model
    def _get_vault__(self):
        """The vault with the keys of this installation.

        :raise vault.KeyMissing: there is no usable key
        """
        option = tools.config.get("user_email_alias_keys")
        return vault.Vault(keys.load_keys(option, os.environ, tools.config["data_dir"]))

    @api.model
    def _get_param(self, key, setting):
        return self.env["ir.config_parameter"]._email_alias_get(
            f"{PREFIX}.{key}_{setting}"
        )

    @api.model
    def _get_destination(self, key):
        """Where a provider's secrets may go, as text: the app and all addresses.

        Whoever changes one of these settings gets no secret that was entered, or
        granted, for another place.
        """
        names = oauth.ProviderConfig.get_binding_names()
        return json.dumps([key, *(self._get_param(key, name) for name in names)])

    @api.model
    def _get_destinations(self):
        """The destinations of all providers, as one text."""
        return json.dumps([self._get_destination(key) for key in oauth.PROVIDERS])

    @api.model
    def _get_secret_binding(self, key):
        uuid = self.env["ir.config_parameter"]._email_alias_get("database.uuid")
        target = self._get_destination(key)
        return vault.Binding(uuid, PARAMETER_MODEL, 0, f"{key}_{SECRET}", target)

    @api.model
    def _register__(self, key, values, secret):
        """Enter an app as it is registered at a provider.

        :param values: settings by name; the secret is bound to them, so they come first
        """
        # sudo: the caller is the settings page, which is for administrators
        Params = self.env["ir.config_parameter"].sudo()
        for setting, value in values.items():
            Params.set_param(f"{PREFIX}.{key}_{setting}", value)
        self._set_client_secret__(key, secret)

    @api.model
    def _set_client_secret__(self, key, secret):
        """Encrypt and store a provider's client secret; an empty one forgets it."""
        name = f"{PREFIX}.{key}_{SECRET}"
        # sudo: the caller is the settings page, which is for administrators
        Params = self.env["ir.config_parameter"].sudo()
        self.env["user.email.alias.secret.end"]._forget_end(key)
        if not secret:
            Params._email_alias_set(name, False)
            return
        try:
            cipher = self._get_vault__().encrypt(secret, self._get_secret_binding(key))
        except vault.VaultError as error:
            raise UserError(
                self.env._("The secret cannot be stored safely: %s", error)
            ) from None
        Params._email_alias_set(name, cipher)

    @api.model
    def _is_configured(self, key):
        """Whether the administrator has registered the app at this provider."""
        return bool(
            self._get_param(key, "client_id") and self._has_client_secret__(key)
        )

    @api.model
    def _has_client_secret__(self, key):
        """Whether there is a secret, and it was entered for this app and address."""
        try:
            return bool(self._read_client_secret__(key))
        except vault.WrongRow:
            return False
        except vault.VaultError:
            # whoever uses it is told what is wrong with the key
            return True

    @api.model
    def _read_client_secret__(self, key):
        """Decrypt the client secret; an empty text for none.

        :raise vault.VaultError: it cannot be, or was entered for another destination
        """
        cipher = self._get_param(key, SECRET)
        if not cipher:
            return ""
        return self._get_vault__().decrypt(cipher, self._get_secret_binding(key))

    @api.model
    def _get_redirect_uri(self, key):
        """Exactly what has to be registered at the provider (RFC 9700 4.1)."""
        return self.env["ir.config_parameter"].get_base_url() + CALLBACK % key

    @api.model
    def _get_provider__(self, key, deadline):
        """The provider as the administrator has set it up.

        :param Deadline deadline: the end of all conversations with it
        :raise oauth.OAuthError: something is missing or wrong
        :raise vault.VaultError: the client secret cannot be decrypted
        """
        values = {
            field.name: self._get_param(key, field.name)
            for field in dataclasses.fields(oauth.ProviderConfig)
            if field.name not in (SECRET, "timeout")
        }
        values[SECRET] = self._read_client_secret__(key)
        return oauth.get_provider(key, oauth.ProviderConfig(**values), deadline)
