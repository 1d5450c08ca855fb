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

# All settings that are kept in the vault.
SECRETS = (SECRET, "organisation_key")

# Where the sign-ins under way wait in the user's session, each popped at first use.
FLOWS = "user_email_alias_flows"

# No parameter makes an email of this size, in bytes, too large for one request.
LEAST_REQUEST_BYTES = 100_000

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
    def _get_request_bytes(self, key):
        """Bytes of an email that goes in one request; 0: as is known of the provider.

        What is no sensible number counts as none.
        """
        text = self._get_param(key, "request_bytes")
        is_number = text.isascii() and text.isdecimal() and len(text) < 10
        return int(text) if is_number and int(text) >= LEAST_REQUEST_BYTES else 0

    @api.model
    def _wants_large_attachments(self, key):
        """Whether the administrator wants larger emails sent by way of Drafts."""
        return self._get_param(key, "large_attachments") == "True"

    @api.model
    def _get_destination(self, key, is_organisation=False):
        """Where a provider's secrets may go, as text: the app and all addresses.

        Whoever changes one of these settings gets no secret that was entered, or
        granted, for another place.
        """
        kinds = oauth.ORGANISATIONS if is_organisation else oauth.PROVIDERS
        # an alias without a provider keeps nothing for one
        names = kinds.get(key, oauth.Provider).get_binding_names()
        return json.dumps([key, *(self._get_param(key, name) for name in names)])

    @api.model
    def _get_destinations(self):
        """The destinations of all providers, as one text."""
        return json.dumps([self._get_destination(key) for key in oauth.PROVIDERS])

    @api.model
    def _get_secret_binding(self, key, setting=SECRET):
        uuid = self.env["ir.config_parameter"]._email_alias_get("database.uuid")
        target = self._get_destination(key, setting != SECRET)
        return vault.Binding(uuid, PARAMETER_MODEL, 0, f"{key}_{setting}", target)

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
        self.env["user.email.alias.secret.end"]._forget_end(key)
        self._set_secret__(key, SECRET, secret)

    @api.model
    def _set_secret__(self, key, setting, secret):
        name = f"{PREFIX}.{key}_{setting}"
        # sudo: the caller is the settings page, which is for administrators
        Params = self.env["ir.config_parameter"].sudo()
        if not secret:
            Params._email_alias_set(name, False)
            return
        try:
            binding = self._get_secret_binding(key, setting)
            cipher = self._get_vault__().encrypt(secret, binding)
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
        return self._has_secret__(key, SECRET)

    @api.model
    def _has_secret__(self, key, setting):
        """Whether there is a secret, and it was entered for this app and address."""
        try:
            return bool(self._read_secret__(key, setting))
        except vault.WrongRow:
            return False
        except vault.VaultError:
            # whoever uses it is told what is wrong with the key
            return True

    @api.model
    def _read_client_secret__(self, key):
        return self._read_secret__(key, SECRET)

    @api.model
    def _read_secret__(self, key, setting):
        """Decrypt a secret of the settings; an empty text for none.

        :raise vault.VaultError: it cannot be, or was entered for another destination
        """
        cipher = self._get_param(key, setting)
        if not cipher:
            return ""
        binding = self._get_secret_binding(key, setting)
        return self._get_vault__().decrypt(cipher, binding)

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
        config = self._get_config__(key, oauth.PROVIDERS[key].secret_setting)
        return oauth.get_provider(key, config, deadline)

    @api.model
    def _get_organisation__(self, key, deadline, typed=None):
        """The organisation account at a provider, as the administrator has set it up.

        :param Deadline deadline: the end of all conversations with it
        :param typed: settings, and their secrets, that are not stored yet
        :raise oauth.OAuthError: something is missing or wrong
        :raise vault.VaultError: its key cannot be decrypted
        """
        setting = oauth.ORGANISATIONS[key].secret_setting
        # an empty secret stays the one that is stored
        typed = {n: v for n, v in (typed or {}).items() if v or n != setting}
        config = self._get_config__(key, "" if setting in typed else setting)
        config = dataclasses.replace(config, **typed)
        return oauth.get_organisation(key, config, deadline)

    @api.model
    def _get_admin_consent_url__(self, key, **typed):
        """Where an administrator of a provider consents for all users; may be empty.

        :param typed: settings that are not stored yet
        """
        config = dataclasses.replace(self._get_config__(key), **typed)
        redirect_uri = self._get_redirect_uri(key)
        return oauth.PROVIDERS[key].get_admin_consent_url(config, redirect_uri)

    @api.model
    def _has_organisation(self, key):
        """Whether the administrator has switched the organisation account on."""
        return self._get_param(key, "organisation") == "True"

    @api.model
    def _get_config__(self, key, secret_setting=""):
        """The settings of a provider, with one of its secrets in clear, or none.

        :raise vault.VaultError: it cannot be decrypted
        """
        values = {
            field.name: self._get_param(key, field.name)
            for field in dataclasses.fields(oauth.ProviderConfig)
            if field.name not in (*SECRETS, "timeout")
        }
        values[SECRET] = ""
        if secret_setting:
            values[secret_setting] = self._read_secret__(key, secret_setting)
        return oauth.ProviderConfig(**values)
