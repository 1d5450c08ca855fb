import contextlib
import json
import logging
import time

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL, email_normalize

from ..tools import address, oauth, smtp, vault
from .alias_errors import AliasHold, AliasRetry

_logger = logging.getLogger(__name__)

# First key of the advisory lock around a refresh; the alias id is the second.
REFRESH_LOCK_CLASS = 0x55454132

# An account that was idle for so many days is refreshed, well before the 90 days
# after which Microsoft forgets it and the six months of Google.
KEEP_ALIVE_DAYS = 30

# What the row of the alias may be locked for by somebody else, in milliseconds.
LOCK_TIMEOUT_MS = 10_000


class UserEmailAlias(models.Model):
    """Signing in at an identity provider, and keeping access."""

    _inherit = "user.email.alias"

    oauth_secret = fields.Char(groups=fields.NO_ACCESS, copy=False, exportable=False)
    oauth_pending_secret = fields.Char(
        groups=fields.NO_ACCESS, copy=False, exportable=False
    )
    oauth_identity = fields.Char(groups=fields.NO_ACCESS, copy=False, exportable=False)
    oauth_user = fields.Char("Signed in as", readonly=True, copy=False)
    oauth_pending_user = fields.Char(readonly=True, copy=False)
    oauth_server = fields.Char(readonly=True, copy=False)
    oauth_refreshed_at = fields.Datetime(readonly=True, copy=False)
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

    def _get_server_fields(self):
        """Extend: nobody fakes a sign-in."""
        return super()._get_server_fields() | {
            "oauth_identity",
            "oauth_pending_secret",
            "oauth_pending_user",
            "oauth_refreshed_at",
            "oauth_secret",
            "oauth_server",
            "oauth_user",
        }

    def _is_complete(self):
        """Extend: with a provider nothing but a From Address and a consent counts."""
        if self.provider == "smtp":
            return super()._is_complete()
        return bool(self.email_from and self.sudo().oauth_secret)

    # ------------------------------------------------------------------
    # Sign in
    # ------------------------------------------------------------------

    def action_sign_in(self):
        """Leave for the provider named in the context; the form is saved by now."""
        self.ensure_one()
        self._check_owner()
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
        return {
            "type": "ir.actions.act_url",
            "url": f"/user_email_alias/oauth/{key}/begin?alias_id={self.id}",
            "target": "self",
        }

    def _get_oauth_binding(self):
        """What a sign-in is bound to: one user and one of their aliases."""
        self.ensure_one()
        return {"uid": self.env.uid, "alias_id": self.id, "db": self.env.cr.dbname}

    def _begin_sign_in__(self, key):
        """Start at the provider.

        :return: (address to send the browser to, flow for the session)
        """
        self._check_owner()
        Settings = self.env["user.email.alias.oauth.settings"]
        return Settings._get_provider__(key).begin(
            Settings._get_redirect_uri(key),
            login_hint=self.oauth_user or self.email_from or "",
            bound_to=self._get_oauth_binding(),
        )

    def _finish_sign_in__(self, key, flow, params):
        """Check the provider's answer, prove it by a login, and keep it.

        :return: the sentence for the user
        :raise oauth.OAuthError, UserError: nothing was changed
        """
        self._check_owner()
        provider = self.env["user.email.alias.oauth.settings"]._get_provider__(key)
        consent = provider.finish(flow, params, bound_to=self._get_oauth_binding())
        identity = f"{key}:{consent.identity}"
        # sudo: the identity is closed to everybody
        known = self.sudo().oauth_identity
        self._check_account(identity, known, consent)
        access = provider.access(consent.tokens)
        trouble = self._prove_consent__(consent, access.access_token_secret)
        if known and known != identity:
            return self._ask_for_other_account__(key, identity, consent, access)
        return self._keep_consent__(
            key,
            {
                "identity": identity,
                "email": consent.email,
                "name": consent.name,
                "server": consent.smtp_server,
                "tokens": access.tokens,
            },
            trouble,
        )

    def _check_account(self, identity, known, consent):
        """Refuse an account that does not belong to this alias."""
        if known and known != identity and self.waiting_count:
            raise UserError(
                self.env._(
                    "You signed in as %(new)s, but %(count)s e-mails still wait to leave "
                    "as %(old)s. Sign in with that account, or cancel them first.",
                    new=consent.email,
                    count=self.waiting_count,
                    old=self.email_from,
                )
            )
        if not known and self.email_from and not self._is_own_address(consent.email):
            raise UserError(
                self.env._(
                    "You signed in as %(new)s, but the From Address of this alias is "
                    "%(old)s. Choose that account when you sign in, or empty the From "
                    "Address first.",
                    new=consent.email,
                    old=self.email_from,
                )
            )

    def _is_own_address(self, email):
        return email_normalize(email) == email_normalize(self.email_from)

    def _prove_consent__(self, consent, token_secret):
        """Log in as the claimed mailbox: the login counts, not the claim.

        :return: None, or the trouble that has nothing to do with the account
        :raise UserError: this account cannot send as this mailbox
        """
        try:
            connection = self._connect_to__(consent.smtp_server)
            try:
                connection.login_xoauth2(consent.email, token_secret)
                connection.check_sender(address.mailbox_to_ascii(consent.email))
            finally:
                connection.close()
        except smtp.SmtpFailure as failure:
            if failure.verdict.hold in (None, "smtp_auth_disabled"):
                return failure
            raise UserError(
                self.env._(
                    "The mail server did not accept the account %(account)s: %(words)s",
                    account=consent.email,
                    words=failure,
                )
            ) from None
        return None

    def _keep_consent__(self, key, consent, trouble=None):
        """Store what a finished sign-in brought."""
        self._write_secret__("oauth_secret", consent["tokens"])
        values = {
            "provider": key,
            "oauth_identity": consent["identity"],
            "oauth_user": consent["email"],
            "oauth_server": consent["server"],
            "oauth_refreshed_at": fields.Datetime.now(),
            "oauth_pending_secret": False,
            "oauth_pending_user": False,
            "smtp_secret": False,
        }
        if not self.email_from:
            values["email_from"] = consent["email"]
        if not self.alias_name:
            values["alias_name"] = consent["name"] or self.user_id.name
        if not self.name:
            values["name"] = self._get_free_name(consent["email"])
        # sudo: written by the server only, after all checks
        self.sudo().write(values)
        if trouble is None:
            self._set_ok()
            return self.env._("Status: OK")
        if trouble.verdict.hold:
            self._set_hold(trouble.verdict.hold, str(trouble))
        else:
            self.sudo().state_message = str(trouble)
        return self.env._(
            "You are signed in, but sending does not work yet: %s", trouble
        )

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

    # ------------------------------------------------------------------
    # Another account
    # ------------------------------------------------------------------

    def _ask_for_other_account__(self, key, identity, consent, access):
        """Keep the other account aside until the owner has said yes."""
        self._write_secret__(
            "oauth_pending_secret",
            json.dumps(
                {
                    "key": key,
                    "identity": identity,
                    "email": consent.email,
                    "name": consent.name,
                    "server": consent.smtp_server,
                    "tokens": access.tokens,
                }
            ),
        )
        # sudo: written by the server only
        self.sudo().oauth_pending_user = consent.email
        return self.env._(
            "You signed in as %s, another account than before. Please confirm.",
            consent.email,
        )

    def action_use_other_account(self):
        """Yes: from now on this alias is the other account."""
        self.ensure_one()
        self._check_owner()
        if self.waiting_count:
            raise UserError(
                self.env._(
                    "%s e-mails still wait to leave as the old account.",
                    self.waiting_count,
                )
            )
        # sudo: the owner has been checked
        alias_sudo = self.sudo()
        pending = json.loads(alias_sudo._read_secret__("oauth_pending_secret") or "{}")
        if not pending:
            raise UserError(self.env._("There is no other account to confirm."))
        alias_sudo.email_from = pending["email"]
        alias_sudo.alias_name = pending["name"] or alias_sudo.alias_name
        self._keep_consent__(pending["key"], pending)

    def action_keep_account(self):
        """No: forget the other account."""
        self.ensure_one()
        self._check_owner()
        # sudo: the owner has been checked
        self.sudo().write({"oauth_pending_secret": False, "oauth_pending_user": False})

    def action_disconnect(self):
        """Withdraw the consent where that is possible, and forget it."""
        self.ensure_one()
        self._check_owner()
        try:
            tokens = self._read_secret__("oauth_secret")
            if tokens:
                Settings = self.env["user.email.alias.oauth.settings"]
                Settings._get_provider__(self.provider).revoke(tokens)
        except (oauth.OAuthError, vault.VaultError) as error:
            # what cannot be revoked is forgotten all the same
            _logger.info("Alias %s: consent not revoked: %s", self.id, error)
        waiting = self.waiting_count
        # sudo: the owner has been checked
        self.sudo().write(
            {
                "provider": "smtp",
                "oauth_secret": False,
                "oauth_pending_secret": False,
                "oauth_pending_user": False,
                "oauth_identity": False,
                "oauth_user": False,
                "oauth_server": False,
            }
        )
        if waiting:
            self._set_hold(
                "sign_in",
                self.env._("You disconnected the account. Sign in again."),
            )

    # ------------------------------------------------------------------
    # Use
    # ------------------------------------------------------------------

    def _open_connection__(self):
        """Extend: a provider's account logs in with an access token.

        A token that the server refuses although it looked good is fetched anew once.
        """
        if self.provider == "smtp":
            return super()._open_connection__()
        self.ensure_one()
        if not self._is_complete():
            raise AliasHold(
                "sign_in", self.env._("The account is not signed in. Sign in again.")
            )
        token_secret, is_new = self._get_access_token__()
        try:
            return self._log_in_with__(token_secret)
        except smtp.SmtpFailure as failure:
            if failure.verdict.hold != "sign_in" or is_new:
                raise
        return self._log_in_with__(self._get_access_token__(is_forced=True)[0])

    def _log_in_with__(self, token_secret):
        connection = self._connect_to__(self.oauth_server)
        try:
            connection.login_xoauth2(self.oauth_user, token_secret)
        except BaseException:
            connection.close()
            raise
        return connection

    def _get_access_token__(self, is_forced=False):
        """An access token that survives the login it is fetched for.

        Refreshed by one process at a time; what the provider rotated is committed at
        once in a transaction of its own, for a rollback would lose the account.

        :return: (token, whether it was fetched just now)
        :raise AliasHold: only a new sign-in helps
        :raise AliasRetry: a passing outage
        """
        self.ensure_one()
        Settings = self.env["user.email.alias.oauth.settings"]
        try:
            provider = Settings._get_provider__(self.provider)
            with self._refreshing() as fresh:
                tokens = fresh._read_secret__("oauth_secret") or ""
                before = time.time()
                access = (
                    provider.refresh(tokens) if is_forced else provider.access(tokens)
                )
                if access.is_refreshed:
                    fresh._store_tokens__(access.tokens)
                    _logger.info(
                        "Alias %s: access refreshed in %.1f s",
                        self.id,
                        time.time() - before,
                    )
            return access.access_token_secret, access.is_refreshed
        except oauth.ConsentDead as error:
            raise AliasHold("sign_in", str(error)) from None
        except oauth.ProviderUnavailable as error:
            raise AliasRetry(str(error)) from None
        except oauth.OAuthError as error:
            raise AliasHold("provider", str(error)) from None
        except vault.VaultError as error:
            raise AliasHold("vault", self._explain(error)) from None

    @contextlib.contextmanager
    def _refreshing(self):
        """Yield this alias in a cursor of its own that holds the refresh lock.

        The lock comes first and the reading after it, in a new snapshot: whoever had
        to wait sees what the winner has committed.
        """
        key = SQL("%s, %s", REFRESH_LOCK_CLASS, self.id)
        with contextlib.closing(self.env.registry.cursor()) as cr:
            cr.execute(SQL("SELECT pg_advisory_lock(%s)", key))
            cr.commit()
            try:
                cr.execute(SQL("SET LOCAL lock_timeout = %s", LOCK_TIMEOUT_MS))
                env = api.Environment(cr, api.SUPERUSER_ID, {})
                yield env[self._name].browse(self.id)
                cr.commit()
            finally:
                if not cr.connection.closed:
                    cr.rollback()
                    cr.execute(SQL("SELECT pg_advisory_unlock(%s)", key))
                    cr.commit()

    def _store_tokens__(self, tokens):
        cipher = self._get_vault__().encrypt(tokens, self._get_binding("oauth_secret"))
        self.env.cr.execute(
            SQL(
                """
                UPDATE user_email_alias
                   SET oauth_secret = %s,
                       oauth_refreshed_at = clock_timestamp() AT TIME ZONE 'UTC'
                 WHERE id = %s
                """,
                cipher,
                self.id,
            )
        )
        self.env.cr.commit()

    @api.model
    def _cron_keep_alive(self):
        """Refresh accounts that were idle for long, and tell whose consent died."""
        limit = fields.Datetime.subtract(fields.Datetime.now(), days=KEEP_ALIVE_DAYS)
        idle = self.search(
            [
                ("provider", "!=", "smtp"),
                ("state", "!=", "hold"),
                ("oauth_refreshed_at", "<", limit),
            ]
        )
        for done, alias in enumerate(idle, start=1):
            try:
                alias._get_access_token__(is_forced=True)
            except AliasHold as error:
                alias._set_hold(error.reason, str(error))
                alias._tell_owner(str(error))
            except AliasRetry as error:
                _logger.info("Alias %s: not refreshed: %s", alias.id, error)
            self.env["ir.cron"]._commit_progress(1, remaining=len(idle) - done)

    def _forgets_password(self, vals):
        """Extend: the password goes once the account is a provider's."""
        return super()._forgets_password(vals) if self.provider == "smtp" else False

    @api.model
    def _check_callback_user(self, alias_id):
        """The alias of a sign-in, once it is its owner who comes back.

        :raise AccessError: there is none, or it is somebody else's
        """
        alias = self.browse(alias_id).exists()
        if not alias:
            raise AccessError(self.env._("This e-mail alias does not exist any more."))
        alias._check_owner()
        return alias
