import urllib.parse

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..tools import oauth, vault
from ..tools.deadline import BUTTON_SECONDS, Deadline

# Where both providers accept a redirect URI without TLS.
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class ResConfigSettings(models.TransientModel):
    """The registration of the app at each provider; its secret is write-only."""

    _inherit = "res.config.settings"

    email_alias_google_client_id = fields.Char(
        "Google Client ID", config_parameter="user_email_alias.google_client_id"
    )
    email_alias_google_client_secret = fields.Char(
        "Google Client Secret",
        compute="_compute_email_alias_secrets",
        inverse="_inverse_email_alias_secrets",
    )
    email_alias_google_has_secret = fields.Boolean(
        compute="_compute_email_alias_secrets"
    )
    email_alias_google_redirect_uri = fields.Char(
        compute="_compute_email_alias_redirect_uris"
    )
    email_alias_google_missing = fields.Char(compute="_compute_email_alias_missing")
    email_alias_google_organisation = fields.Boolean(
        "Google: Organisation Account",
        config_parameter="user_email_alias.google_organisation",
    )
    email_alias_google_organisation_key = fields.Text(
        "Google: Key of the Service Account",
        compute="_compute_email_alias_secrets",
        inverse="_inverse_email_alias_organisation_keys",
    )
    email_alias_google_has_organisation_key = fields.Boolean(
        compute="_compute_email_alias_secrets"
    )
    email_alias_google_organisation_missing = fields.Char(
        compute="_compute_email_alias_organisation_missing"
    )
    email_alias_google_transport = fields.Selection(
        [("api", "Gmail API (recommended)"), ("smtp", "SMTP")],
        "Google: Send Through",
        default="api",
        config_parameter="user_email_alias.google_transport",
        help="For those who sign in from now on; who is signed in sends as before.",
    )
    email_alias_microsoft_client_id = fields.Char(
        "Microsoft Client ID", config_parameter="user_email_alias.microsoft_client_id"
    )
    email_alias_microsoft_client_secret = fields.Char(
        "Microsoft Client Secret",
        compute="_compute_email_alias_secrets",
        inverse="_inverse_email_alias_secrets",
    )
    email_alias_microsoft_has_secret = fields.Boolean(
        compute="_compute_email_alias_secrets"
    )
    email_alias_microsoft_redirect_uri = fields.Char(
        compute="_compute_email_alias_redirect_uris"
    )
    email_alias_microsoft_missing = fields.Char(compute="_compute_email_alias_missing")
    email_alias_microsoft_organisation = fields.Boolean(
        "Microsoft: Organisation Account",
        config_parameter="user_email_alias.microsoft_organisation",
    )
    email_alias_microsoft_organisation_missing = fields.Char(
        compute="_compute_email_alias_organisation_missing"
    )
    email_alias_microsoft_consent_url = fields.Char(
        compute="_compute_email_alias_consent_urls"
    )
    email_alias_microsoft_transport = fields.Selection(
        [("api", "Microsoft Graph (recommended)"), ("smtp", "SMTP")],
        "Microsoft: Send Through",
        default="api",
        config_parameter="user_email_alias.microsoft_transport",
        help="For those who sign in from now on; who is signed in sends as before.",
    )
    email_alias_microsoft_secret_ends = fields.Date(
        "Microsoft: Client Secret Ends On",
        compute="_compute_email_alias_secret_ends",
        inverse="_inverse_email_alias_secret_ends",
        help="Administrators are told 30 days before.",
    )
    email_alias_microsoft_large_attachments = fields.Boolean(
        "Microsoft: Large Attachments",
        config_parameter="user_email_alias.microsoft_large_attachments",
        help="Microsoft Graph takes emails of about 2 MB in one go. Ticked, larger "
        "ones are put together in the sender's Drafts and sent from there, up to "
        "35 MB. This needs the permission Mail.ReadWrite, which lets Odoo read and "
        "change all email of those who sign in: an administrator of Microsoft 365 has "
        "to consent first, else nobody can sign in any more. Who is signed in sends as "
        "before until the next sign-in. Not ticked, large attachments leave as links.",
    )
    email_alias_microsoft_tenant = fields.Char(
        "Tenant",
        config_parameter="user_email_alias.microsoft_tenant",
        help="common: work, school and personal accounts. organizations: work and "
        "school accounts of any organisation. Or the ID of your own directory.",
    )
    email_alias_allowed_targets = fields.Char(
        "Allowed private mail servers",
        config_parameter="user_email_alias.allowed_targets",
        help="Private addresses and unusual ports that users may connect to, for "
        "example 10.0.0.0/8, mail.intern:2525. Everything public is allowed on the "
        "usual mail ports.",
    )

    email_alias_has_own_imap = fields.Boolean(
        "Users may name an IMAP server of their own",
        compute="_compute_email_alias_has_own_imap",
        inverse="_inverse_email_alias_has_own_imap",
    )

    email_alias_central_database = fields.Boolean(
        "Ask Mozilla's database of mail servers",
        config_parameter="user_email_alias.central_database",
    )

    email_alias_keys = fields.Text(
        "Keys of the vault", compute="_compute_email_alias_keys"
    )

    def _compute_email_alias_keys(self):
        lines = self.env["user.email.alias.keys"]._get_key_lines__()
        self.email_alias_keys = "\n".join(lines)

    def _compute_email_alias_secrets(self):
        Settings = self.env["user.email.alias.oauth.settings"]
        for key in oauth.PROVIDERS:
            self[f"email_alias_{key}_client_secret"] = False
            has_secret = Settings._has_client_secret__(key)
            self[f"email_alias_{key}_has_secret"] = has_secret
            if (fname := f"email_alias_{key}_organisation_key") in self._fields:
                self[fname] = False
                has_key = Settings._has_secret__(key, "organisation_key")
                self[f"email_alias_{key}_has_organisation_key"] = has_key

    def _compute_email_alias_secret_ends(self):
        for key, fname in self._get_email_alias_secret_ends().items():
            self[fname] = self.env["user.email.alias.secret.end"]._get_end(key)

    def _inverse_email_alias_secret_ends(self):
        for key, fname in self._get_email_alias_secret_ends().items():
            for settings in self:
                end = settings[fname]
                self.env["user.email.alias.secret.end"]._set_end(key, end)

    @api.model
    def _get_email_alias_secret_ends(self):
        """The providers whose client secrets end, each with its field."""
        fnames = {key: f"email_alias_{key}_secret_ends" for key in oauth.PROVIDERS}
        return {key: name for key, name in fnames.items() if name in self._fields}

    def _compute_email_alias_redirect_uris(self):
        Settings = self.env["user.email.alias.oauth.settings"]
        for key in oauth.PROVIDERS:
            uri = Settings._get_redirect_uri(key)
            self[f"email_alias_{key}_redirect_uri"] = uri

    @api.depends(
        "email_alias_google_client_id",
        "email_alias_google_client_secret",
        "email_alias_microsoft_client_id",
        "email_alias_microsoft_client_secret",
        "email_alias_microsoft_secret_ends",
    )
    def _compute_email_alias_missing(self):
        for settings in self:
            for key in oauth.PROVIDERS:
                missing = settings._get_email_alias_missing(key)
                settings[f"email_alias_{key}_missing"] = missing

    def _get_email_alias_missing(self, key):
        """One sentence about what keeps users from signing in, else nothing."""
        self.ensure_one()
        has_id = self[f"email_alias_{key}_client_id"]
        has_secret = (
            self[f"email_alias_{key}_client_secret"]
            or self[f"email_alias_{key}_has_secret"]
        )
        uri = urllib.parse.urlsplit(self[f"email_alias_{key}_redirect_uri"])
        Settings = self.env["user.email.alias.oauth.settings"]
        is_stored = bool(Settings._get_param(key, "client_secret"))
        if not has_id and not has_secret and not is_stored:
            return self.env._("Not set up yet: users see no button.")
        if not has_id:
            return self.env._("The Client ID is missing: users see no button.")
        if not has_secret and is_stored:
            return self.env._(
                "The Client Secret was entered for another Client ID or address. Enter "
                "it once more, or put those back; until then nobody can sign in."
            )
        if not has_secret:
            return self.env._("The Client Secret is missing: users see no button.")
        if uri.scheme != "https" and uri.hostname not in LOOPBACK:
            return self.env._(
                "The provider accepts no redirect URI without HTTPS. Open Odoo "
                "over HTTPS, or set the system parameter web.base.url."
            )
        fname = self._get_email_alias_secret_ends().get(key)
        if not fname:
            return False
        return self.env["user.email.alias.secret.end"]._get_end_sentence(
            key, self[fname]
        )

    def _compute_email_alias_has_own_imap(self):
        self.email_alias_has_own_imap = self.env[
            "user.email.alias"
        ]._is_own_imap_allowed()

    def _inverse_email_alias_has_own_imap(self):
        for settings in self:
            self.env["user.email.alias"]._allow_own_imap(
                settings.email_alias_has_own_imap
            )

    def _inverse_email_alias_secrets(self):
        Settings = self.env["user.email.alias.oauth.settings"]
        for key in oauth.PROVIDERS:
            fname = f"email_alias_{key}_client_secret"
            for settings in self.filtered(fname):
                names = [
                    name
                    for name in oauth.ProviderConfig.get_binding_names()
                    if f"email_alias_{key}_{name}" in self._fields
                ]
                values = {name: settings[f"email_alias_{key}_{name}"] for name in names}
                Settings._register__(key, values, settings[fname].strip())
            self.invalidate_recordset([fname])

    def _inverse_email_alias_organisation_keys(self):
        Settings = self.env["user.email.alias.oauth.settings"]
        for key, account in oauth.ORGANISATIONS.items():
            fname = f"email_alias_{key}_organisation_key"
            if fname not in self._fields:
                continue
            for settings in self.filtered(fname):
                try:
                    secret = account.read_key(settings[fname])
                except oauth.OAuthError as error:
                    raise ValidationError(str(error)) from None
                Settings._set_secret__(key, "organisation_key", secret)
            self.invalidate_recordset([fname])

    @api.depends(
        "email_alias_google_organisation",
        "email_alias_google_organisation_key",
        "email_alias_microsoft_organisation",
        "email_alias_microsoft_client_id",
        "email_alias_microsoft_client_secret",
        "email_alias_microsoft_tenant",
    )
    def _compute_email_alias_organisation_missing(self):
        for settings in self:
            for key in oauth.ORGANISATIONS:
                missing = settings._get_email_alias_organisation_missing(key)
                settings[f"email_alias_{key}_organisation_missing"] = missing

    def _get_email_alias_organisation_missing(self, key):
        """One sentence about what the organisation account lacks, else nothing."""
        if not self[f"email_alias_{key}_organisation"]:
            return False
        names = ("client_id", "tenant", oauth.ORGANISATIONS[key].secret_setting)
        fnames = {name: f"email_alias_{key}_{name}" for name in names}
        typed = {
            name: self[fname] or ""
            for name, fname in fnames.items()
            if fname in self._fields
        }
        Settings = self.env["user.email.alias.oauth.settings"]
        try:
            Settings._get_organisation__(key, None, {**typed, "organisation": "True"})
        except (oauth.OAuthError, vault.VaultError) as error:
            return str(error)
        return False

    @api.depends("email_alias_microsoft_client_id", "email_alias_microsoft_tenant")
    def _compute_email_alias_consent_urls(self):
        Settings = self.env["user.email.alias.oauth.settings"]
        for settings in self:
            for key in oauth.PROVIDERS:
                fname = f"email_alias_{key}_consent_url"
                if fname in self._fields:
                    settings[fname] = Settings._get_admin_consent_url__(
                        key,
                        client_id=settings[f"email_alias_{key}_client_id"] or "",
                        tenant=settings[f"email_alias_{key}_tenant"] or "",
                    )

    def _get_email_alias_provider(self):
        """The key of the provider named in the context."""
        self.check_access("write")
        key = self.env.context.get("email_alias_provider")
        if key not in oauth.PROVIDERS:
            raise UserError(self.env._("This provider is not known."))
        return key

    def action_email_alias_forget_secret(self):
        """Forget the client secret of the provider named in the context."""
        key = self._get_email_alias_provider()
        self.env["user.email.alias.oauth.settings"]._set_client_secret__(key, "")
        return {"type": "ir.actions.client", "tag": "reload"}

    def action_email_alias_forget_organisation_key(self):
        """Forget the key of the organisation account named in the context."""
        key = self._get_email_alias_provider()
        Settings = self.env["user.email.alias.oauth.settings"]
        Settings._set_secret__(key, "organisation_key", "")
        return {"type": "ir.actions.client", "tag": "reload"}

    def action_email_alias_check_organisation(self):
        """Ask the provider whether it accepts the key of the organisation account."""
        key = self._get_email_alias_provider()
        Alias = self.env["user.email.alias"]
        Alias._count_attempt()
        Settings = self.env["user.email.alias.oauth.settings"]
        try:
            Settings._get_organisation__(key, Deadline(BUTTON_SECONDS)).check()
        except (oauth.OAuthError, vault.VaultError) as error:
            return Alias._get_notification(str(error), "danger")
        message = self.env._(
            "The provider accepts the key. Whether it may send for a mailbox, Test "
            "Connection of an alias with it shows."
        )
        return Alias._get_notification(message, "success")

    def action_email_alias_reencrypt(self):
        """Encrypt every secret with the first key, so that the old ones can retire."""
        self.check_access("write")
        try:
            result = self.env["user.email.alias.keys"]._reencrypt__()
        except vault.VaultError as error:
            raise UserError(str(error)) from None
        message = self.env._(
            "%s secrets were encrypted with the first key.", result.done
        )
        if result.closed:
            message += " " + self.env._(
                "%s stay closed: their key is missing, or they were changed.",
                result.closed,
            )
        if result.busy:
            message += " " + self.env._(
                "%s are in use: try again in a minute.", result.busy
            )
        kind = "warning" if result.closed or result.busy else "success"
        return self.env["user.email.alias"]._get_notification(message, kind)
