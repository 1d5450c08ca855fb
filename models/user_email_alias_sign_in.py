import logging

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.http import request
from odoo.tools import SQL

from ..decorators import of_records
from ..tools import address, oauth, vault
from ..tools.deadline import BUTTON_SECONDS, Deadline
from ..tools.transport import API_TRANSPORTS, TransportFailure
from .user_email_alias_oauth_settings import FLOWS

_logger = logging.getLogger(__name__)


class UserEmailAliasSignIn(models.AbstractModel):
    """Signing in at an identity provider, and changing the account."""

    _name = "user.email.alias.sign.in"
    _description = "Email Alias: Sign-in"

    oauth_secret = fields.Char(groups=fields.NO_ACCESS, copy=False, exportable=False)
    oauth_identity = fields.Char(groups=fields.NO_ACCESS, copy=False, exportable=False)
    oauth_user = fields.Char("Signed in as", readonly=True, copy=False)
    oauth_server = fields.Char(readonly=True, copy=False)
    transport = fields.Selection(
        [
            ("smtp", "SMTP"),
            ("graph", "Microsoft Graph"),
            ("gmail", "Gmail API"),
        ],
        "Sends through",
        required=True,
        default="smtp",
        readonly=True,
        copy=False,
    )
    oauth_refreshed_at = fields.Datetime(readonly=True, copy=False)
    oauth_tried_at = fields.Datetime(readonly=True, copy=False)
    is_signed_in = fields.Boolean(compute="_compute_is_signed_in")
    has_google = fields.Boolean(compute="_compute_has_providers")
    has_microsoft = fields.Boolean(compute="_compute_has_providers")

    @api.depends("oauth_secret")
    def _compute_is_signed_in(self):
        for alias in self:
            # sudo: whether there is a secret is no secret
            alias.is_signed_in = bool(alias.sudo().oauth_secret)

    def _compute_has_providers(self):
        Settings = self.env["user.email.alias.oauth.settings"]
        for key in oauth.PROVIDERS:
            self[f"has_{key}"] = Settings._is_configured(key)

    def _is_complete(self):
        """Extend: with a provider nothing but a From Address and a consent counts."""
        if self.provider == "smtp":
            return super()._is_complete()
        return bool(self.email_from and self.sudo().oauth_secret)

    def _forgets_password(self, vals):
        """Extend: the password goes once the account is a provider's."""
        return super()._forgets_password(vals) if self.provider == "smtp" else False

    # ------------------------------------------------------------------
    # Sign in
    # ------------------------------------------------------------------

    @of_records
    def action_sign_in(self):
        """Leave for the provider named in the context; the form is saved by now.

        The flow starts here and not behind an address of its own: what changes an
        alias must not be set off by a link on another site.
        """
        self.ensure_one()
        self._check_owner()
        self._check_no_organisation()
        key = self.env.context.get("email_alias_provider")
        if key not in oauth.PROVIDERS:
            raise UserError(self.env._("This provider is not known."))
        if not self.env["user.email.alias.oauth.settings"]._is_configured(key):
            raise UserError(
                self.env._(
                    "Signing in with %s is not set up yet: ask your administrator.",
                    oauth.PROVIDERS[key].label,
                )
            )
        if not request:
            raise UserError(self.env._("Signing in needs your browser."))
        self._count_attempt()
        try:
            url = self._leave_for_provider__(
                key, transport=self._get_wanted_transport()
            )
        except (oauth.OAuthError, vault.VaultError) as error:
            raise UserError(self._explain_sign_in(error)) from None
        return {"type": "ir.actions.act_url", "url": url, "target": "self"}

    def _get_wanted_transport(self):
        """What the button asks for, see ``Provider.begin``; empty = what is usual."""
        return "api" if self.env.context.get("email_alias_by_api") else ""

    def _leave_for_provider__(self, key, asks_consent=False, transport=""):
        """Begin a sign-in in the session of the request.

        :param asks_consent, transport: see ``Provider.begin``
        :return: address to send the browser to
        """
        url, flow = self._begin_sign_in__(key, asks_consent, transport)
        flow["alias_id"] = self.id
        request.session[FLOWS] = oauth.add_flow(request.session.get(FLOWS), flow)
        return url

    def _explain_sign_in(self, error):
        """Say who can mend what a provider, or the registration there, is about."""
        if not isinstance(error, oauth.ProviderMisconfigured):
            return str(error)
        return self.env._(
            "%s Ask your administrator to check the sign-in in the settings of Email "
            "Aliases.",
            error,
        )

    def _get_oauth_binding(self):
        """What a sign-in is bound to: user, alias, and where its code may go."""
        self.ensure_one()
        Settings = self.env["user.email.alias.oauth.settings"]
        place = {"db": self.env.cr.dbname, "to": Settings._get_destinations()}
        return {"uid": self.env.uid, "alias_id": self.id, **place}

    def _begin_sign_in__(self, key, asks_consent=False, transport=""):
        """Start at the provider.

        :param asks_consent, transport: see ``Provider.begin``
        :return: (address to send the browser to, flow for the session)
        """
        self._check_owner()
        Settings = self.env["user.email.alias.oauth.settings"]
        provider = Settings._get_provider__(key, Deadline(BUTTON_SECONDS))
        return provider.begin(
            Settings._get_redirect_uri(key),
            login_hint=self.oauth_user or self.email_from or self._get_login_hint(),
            bound_to=self._get_oauth_binding(),
            asks_consent=asks_consent,
            transport=transport,
        )

    def _get_login_hint(self):
        """The address of a mailbox that is set up, until the sign-in fills it in."""
        hint = self.env.context.get("email_alias_login_hint")
        try:
            return address.parse_mailbox(hint if isinstance(hint, str) else "")
        except address.AddressError:
            return ""

    def _finish_sign_in__(self, key, flow, params):
        """Check the provider's answer, prove it by a login, and keep it.

        Commits: provider and mail server may take their time, and no lock is held
        meanwhile. The code serves only once, so what is written at the end is written
        into a row that is locked in a new snapshot, else it could have to be repeated.

        :return: the sentence for the user
        :raise oauth.OAuthError, UserError: nothing was changed
        :raise psycopg2.errors.LockNotAvailable: somebody else is at the alias
        """
        self._check_owner()
        self._check_no_organisation()
        Settings = self.env["user.email.alias.oauth.settings"]
        deadline = Deadline(BUTTON_SECONDS)
        provider = Settings._get_provider__(key, deadline)
        binding, before = self._get_oauth_binding(), self._get_account_as_is()
        self.env.cr.commit()
        consent = provider.finish(flow, params, bound_to=binding)
        identity = f"{key}:{consent.identity}"
        known, email_from, _is_by_organisation = before
        account = {
            "key": key,
            "identity": identity,
            "login": consent.login,
            "email": consent.email,
            "name": consent.name,
            "transport": consent.transport,
            "server": consent.server,
            "permissions": consent.permissions,
        }
        self._check_account(key, identity, known, account)
        token = provider.get_token(consent.tokens)
        account["tokens"] = token.tokens
        is_other = bool(known and known != identity)
        sender = consent.email if is_other else email_from or consent.email
        trouble = self._prove_account__(
            account, token.access_token_secret, sender, deadline
        )
        if not known:
            self._check_shared_from(account, trouble)
        self.env.cr.commit()
        self._lock_row()
        if self._get_account_as_is() != before:
            raise UserError(
                self.env._("The alias was changed meanwhile. Sign in again.")
            )
        with self.env.cr.savepoint():
            if is_other:
                return self._ask_for_other_account__(account)
            return self._keep_account__(account, trouble)

    def _get_account_as_is(self):
        """What a sign-in is judged by: identity, From Address, kind of account."""
        # sudo: the identity is closed to everybody
        return self.sudo().oauth_identity, self.email_from, self.is_by_organisation

    def _lock_alias(self, timeout_ms):
        """Let nobody else change the row until the transaction ends.

        In SQL because the ORM does not wait for a row.

        :param timeout_ms: how long to wait for others, in milliseconds
        """
        self.env.cr.execute(SQL("SET LOCAL lock_timeout = %s", timeout_ms))
        self.env.cr.execute(
            SQL(
                "SELECT id FROM user_email_alias WHERE id = %s FOR NO KEY UPDATE",
                self.id,
            ),
            log_exceptions=False,
        )
        self.env.cr.execute(SQL("SET LOCAL lock_timeout = DEFAULT"))

    def _prove_account__(self, account, token_secret, sender, deadline):
        """Log in as the claimed mailbox: the login counts, not the claim.

        :param sender: the From Address that the account has to be allowed to use
        :param Deadline deadline: the end of the whole sign-in
        :return: None, or the trouble that has nothing to do with the account
        :raise UserError: this account cannot send as this mailbox
        """
        try:
            connection = self._open_account__(account, deadline, token_secret)
            try:
                connection.check_sender(address.mailbox_to_ascii(sender))
                own = self._note_addresses(account, connection)
                if sender == self.email_from and self._is_shared(account["key"], *own):
                    self._send_proof__(connection, sender, account["email"])
            finally:
                connection.close()
        except address.AddressError as error:
            raise UserError(
                self.env._(
                    "The provider's mail server in the settings cannot be used: %s Ask "
                    "your administrator.",
                    error,
                )
            ) from None
        except TransportFailure as failure:
            if failure.outcome.hold in (None, "smtp_auth_disabled"):
                return failure
            raise UserError(
                self.env._(
                    "The mail server did not accept the account %(account)s: %(words)s",
                    account=account["login"],
                    words=failure,
                )
            ) from None
        return None

    def _keep_account__(self, account, trouble=None):
        """Store what a finished sign-in brought.

        :param trouble: why a mail would not leave right now, None when it would
        :return: the sentence for the user
        """
        values = self._get_account_values__(account)
        if not self.email_from:
            values["email_from"] = account["email"]
        if not self.alias_name:
            values["alias_name"] = self._get_account_name(account)
        if not self.name:
            values["name"] = self._get_free_name(account["email"])
        # sudo: written by the server only, after all checks
        self.sudo().write(values)
        self._record_event("signed_in")
        if trouble is None:
            self._set_verified()
            return self.env._("Status: OK")
        if trouble.outcome.hold:
            self._set_hold(trouble.outcome.hold, str(trouble))
        else:
            self.sudo().state_message = str(trouble)
        return self.env._(
            "You are signed in, but sending does not work yet: %s", trouble
        )

    def _get_account_values__(self, account):
        """What the server keeps of an account at a provider, its secret encrypted."""
        values = {
            "provider": account["key"],
            "oauth_identity": account["identity"],
            "oauth_user": account["login"],
            "oauth_mailbox": account["email"],
            "oauth_addresses": account.get("addresses"),
            "transport": account["transport"],
            "oauth_server": account["server"],
            "oauth_permissions": account.get("permissions"),
            **self._get_smtp_road(account),
            "oauth_refreshed_at": fields.Datetime.now(),
            "oauth_pending_secret": False,
            "oauth_pending_user": False,
            "smtp_secret": False,
        }
        preset = getattr(API_TRANSPORTS.get(account["transport"]), "preset_delay_ms", 0)
        if preset and not self.delay_ms:
            values["delay_ms"] = preset
        target = self._get_sign_in_target(
            values["provider"],
            values["oauth_user"],
            values["oauth_server"],
            self.is_by_organisation,
            values["oauth_smtp_server"],
        )
        binding = self._get_binding("oauth_secret")._replace(target=target)
        values["oauth_secret"] = self._encrypt__(account["tokens"], binding)
        return values

    def _get_account_name(self, account):
        """The person's name; the user's if no header could bear it."""
        try:
            address.check_display_name(account["name"])
        except address.AddressError:
            return self.user_id.name
        return account["name"] or self.user_id.name

    def _get_free_name(self, wanted):
        taken = {
            name.casefold()
            for name in self.with_context(active_test=False)
            .search([("user_id", "=", self.user_id.id), ("id", "!=", self.id)])
            .filtered("name")
            .mapped("name")
        }
        name, number = wanted, 2
        while name.casefold() in taken:
            name, number = f"{wanted} ({number})", number + 1
        return name

    @api.model
    def _check_callback_user(self, alias_id):
        """The alias of a sign-in, once it is its owner who comes back.

        :raise AccessError: there is none, or it is somebody else's
        """
        alias = self.browse(alias_id).exists()
        if not alias:
            raise AccessError(self.env._("This email alias does not exist any more."))
        alias._check_owner()
        return alias
