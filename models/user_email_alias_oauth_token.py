import contextlib
import json
import logging
import time

from psycopg2 import errors

from odoo import api, fields, models

from ..exceptions import AliasHold, AliasRetry
from ..sending.lock import REFRESH_LOCK, locked
from ..tools import oauth, vault
from ..tools.deadline import BUTTON_SECONDS, Deadline

_logger = logging.getLogger(__name__)

# How long to wait for another process that renews the same token, in milliseconds:
# it may have to wait for the provider, twice.
REFRESH_TIMEOUT_MS = 60_000

# How long to wait for whoever changes the alias, in milliseconds. It can be the
# caller's own transaction, and then no waiting helps.
ROW_TIMEOUT_MS = 5_000

# How often the row is read anew because somebody changed it meanwhile.
ROW_TRIES = 5


class UserEmailAliasOauthToken(models.AbstractModel):
    """The OAuth token that a sign-in gave: where it may go, and keeping it fresh."""

    _name = "user.email.alias.oauth.token"
    _description = "Email Alias: OAuth Token"

    def _get_target(self, fname):
        """Extend: a sign-in is good for its account, app and servers."""
        if fname == "oauth_secret":
            return self._get_sign_in_target(
                self.provider,
                self.oauth_user,
                self.oauth_server,
                self.is_by_organisation,
                self.oauth_smtp_server,
            )
        if fname == "oauth_pending_secret":
            # which provider it is for is inside
            return self.env["user.email.alias.oauth.settings"]._get_destinations()
        return super()._get_target(fname)

    @api.model
    def _get_sign_in_target(
        self, key, user, server, is_by_organisation=False, smtp_server=""
    ):
        Settings = self.env["user.email.alias.oauth.settings"]
        where = [Settings._get_destination(key, is_by_organisation), user, server]
        kind = ["organisation"] if is_by_organisation else []
        # what is granted for the interface may go there as well
        kind += ["smtp", smtp_server] if smtp_server else []
        return json.dumps([text or "" for text in where] + kind)

    @api.model
    def _hold_moved__(self, key):
        """Hold whoever signed in for another app or address than the settings name.

        What was granted stays closed: it opens again if the settings are put back.
        """
        # sudo: they belong to many users
        aliases_sudo = self.sudo().search(
            [("provider", "=", key), ("oauth_secret", "!=", False)]
        )
        for alias_sudo in aliases_sudo:
            try:
                alias_sudo._read_secret__("oauth_secret")
            except vault.WrongRow:
                message = alias_sudo._get_moved_message()
                alias_sudo._set_hold("provider", message)
                alias_sudo._notify_owner(message)
            except vault.VaultError as error:
                _logger.info("Alias %s: sign-in not read: %s", alias_sudo.id, error)

    def _get_moved_message(self):
        return self.env._(
            "The app or an address of the provider was changed in the settings: what "
            "you permitted is not for the new one. Sign in again."
        )

    # ------------------------------------------------------------------
    # Refresh
    # ------------------------------------------------------------------

    def _get_access_token__(self, is_forced=False, refused_secret=None, deadline=None):
        """An access token that survives the login it is fetched for.

        Refreshed by one process at a time; what the provider rotated is committed at
        once in a transaction of its own, for a rollback would lose the account.

        :param is_forced: fetch a new one even if the old one is good
        :param refused_secret: the token that the mail server did not want
        :param Deadline deadline: the end of what the caller does; a refresh takes no
            longer than a button may
        :return: (token, whether it was fetched just now)
        :raise AliasHold: only a new sign-in, or the administrator, helps
        :raise AliasRetry: a passing outage
        """
        self.ensure_one()
        deadline = (deadline or Deadline()).within(BUTTON_SECONDS)
        try:
            provider = self._get_provider__(deadline)
            if not is_forced and not refused_secret:
                token = self._get_committed_token__(provider)
                if token:
                    return token.access_token_secret, False
            with self._refreshing(deadline) as fresh:
                token = fresh._renew__(provider, is_forced, refused_secret)
            return token.access_token_secret, token.is_refreshed
        except oauth.ConsentDead as error:
            raise AliasHold("sign_in", self._explain(error)) from None
        except oauth.ProviderUnavailable as error:
            raise AliasRetry(str(error)) from None
        except oauth.OAuthError as error:
            if error.code == "client_ended":
                self.env["user.email.alias.secret.end"]._note_ended__(self.provider)
            raise AliasHold("provider", self._ask_administrator(error)) from None
        except vault.WrongRow:
            raise AliasHold("provider", self._get_moved_message()) from None
        except vault.VaultError as error:
            raise AliasHold("vault", self._explain(error)) from None
        except (TimeoutError, errors.LockNotAvailable):
            raise AliasRetry(
                self.env._(
                    "This alias is being changed at the moment. Try again in a minute."
                )
            ) from None

    def _get_provider__(self, deadline):
        """The provider as set up now.

        :param Deadline deadline: the end of all conversations with it
        :raise AliasHold: the administrator has to act
        """
        Settings = self.env["user.email.alias.oauth.settings"]
        try:
            if self.is_by_organisation:
                return Settings._get_organisation__(self.provider, deadline)
            return Settings._get_provider__(self.provider, deadline)
        except vault.VaultError as error:
            raise AliasHold("provider", self._ask_administrator(error)) from None

    def _ask_administrator(self, error):
        return self.env._(
            "%s Ask your administrator to check the sign-in in the settings of Email "
            "Aliases; waiting emails leave by themselves then.",
            error,
        )

    def _get_committed_token__(self, provider):
        """The token another process may have fetched by now, or None if too old."""
        with contextlib.closing(self.env.registry.cursor()) as cr:
            env = api.Environment(cr, api.SUPERUSER_ID, {})
            alias = env[self._name].browse(self.id)
            return provider.cached_token(alias._read_secret__("oauth_secret") or "")

    def _renew__(self, provider, is_forced, refused_secret):
        """Refresh unless somebody else has done it while this process waited.

        The environment's cursor holds the lock on the row.
        """
        tokens = self._read_secret__("oauth_secret") or ""
        if not is_forced:
            token = provider.cached_token(tokens)
            if token and token.access_token_secret != refused_secret:
                return token
        before = time.time()
        token = provider.refresh(tokens)
        self._store_tokens__(token.tokens)
        _logger.info(
            "Alias %s: token refreshed in %.1f s", self.id, time.time() - before
        )
        return token

    @contextlib.contextmanager
    def _refreshing(self, deadline):
        """Yield this alias in a cursor of its own that holds the locks of a refresh.

        The advisory lock comes first and the reading after it, in a new snapshot:
        whoever had to wait sees what the winner has committed. The lock on the row
        keeps everybody else from changing it before the provider's answer is
        committed, which would lose that answer; whoever cannot have it finds out
        before the provider is asked.

        :raise errors.LockNotAvailable: somebody else is at it
        """
        registry = self.env.registry
        timeout_ms = max(1, round(min(deadline.left * 1000, REFRESH_TIMEOUT_MS)))
        with locked(registry, REFRESH_LOCK, self.id, timeout_ms) as env:
            alias = env[self._name].browse(self.id)
            alias._lock_row()
            yield alias
            env.cr.commit()

    def _lock_row(self):
        """Lock the row as it is now, however often it changes meanwhile."""
        for tries_left in reversed(range(ROW_TRIES)):
            try:
                return self._lock_alias(ROW_TIMEOUT_MS)
            except errors.SerializationFailure:
                self.env.cr.rollback()
                if not tries_left:
                    raise

    def _store_tokens__(self, tokens):
        cipher = self._get_vault__().encrypt(tokens, self._get_binding("oauth_secret"))
        # sudo: the columns are written by the server only
        self.sudo().write(
            {"oauth_secret": cipher, "oauth_refreshed_at": fields.Datetime.now()}
        )
        self.env.cr.commit()
