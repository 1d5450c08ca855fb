import contextlib

from odoo import api, models

from ..exceptions import AliasHold, AliasRetry
from ..tools import vault
from ..tools.transport import API_TRANSPORTS, Outcome, Phase, TransportFailure
from ..tools.transport.http import ApiAccess


class UserEmailAliasOauthLogin(models.AbstractModel):
    """Opening the transport of a signed-in account with the token that it gave."""

    _name = "user.email.alias.oauth.login"
    _description = "Email Alias: Login with an OAuth Token"

    def _open_connection__(self, deadline):
        """Extend: a provider's account logs in with an access token.

        A token that the server refuses although it looked good is fetched anew once.
        """
        if self.provider == "smtp":
            return super()._open_connection__(deadline)
        self.ensure_one()
        if not self._is_complete():
            raise AliasHold(
                "sign_in", self.env._("The account is not signed in. Sign in again.")
            )
        token_secret, is_new = self._get_access_token__(deadline=deadline)
        try:
            return self._log_in_with__(token_secret, deadline)
        except TransportFailure as failure:
            if failure.outcome.hold != "sign_in" or is_new:
                raise
        new_secret, _is_new = self._get_access_token__(
            refused_secret=token_secret, deadline=deadline
        )
        return self._log_in_with__(new_secret, deadline, token_secret)

    def _log_in_with__(self, token_secret, deadline, *older_secrets):
        account = {
            "key": self.provider,
            "transport": self.transport,
            "server": self.oauth_server,
            "login": self.oauth_user,
            "mailbox": self.oauth_user if self.is_by_organisation else "",
            "permissions": self.oauth_permissions,
        }
        return self._open_account__(
            account,
            deadline,
            token_secret,
            *older_secrets,
            renew=self._renew_refused__,
            open_larger=self._open_smtp_road__ if self.has_smtp_road else None,
        )

    def _open_account__(
        self,
        account,
        deadline,
        token_secret,
        *older_secrets,
        renew=None,
        open_larger=None,
    ):
        """Open the transport of a signed-in account.

        :param account: key of the provider, transport, server, login and permissions;
            with an organisation account also the mailbox
        :param older_secrets: tokens that the server was told before
        :param renew, open_larger: see :class:`ApiAccess`
        :raise TransportFailure: with phase and outcome
        """
        if account["transport"] in API_TRANSPORTS:
            key = account["key"]
            Settings = self.env["user.email.alias.oauth.settings"]
            access = ApiAccess(
                account["server"],
                token_secret,
                renew,
                Settings._get_param(key, "ca_bundle"),
                account.get("mailbox", ""),
                Settings._get_request_bytes(key),
                self._may_draft(account),
                open_larger,
            )
            return API_TRANSPORTS[account["transport"]](access, deadline)
        connection = self._connect_to__(
            account["server"], deadline, token_secret, *older_secrets
        )
        try:
            connection.login_xoauth2(account["login"], token_secret)
        except BaseException:
            connection.close()
            raise
        return connection

    def _renew_refused__(self, token_secret):
        """Another access token instead of one that was refused while sending.

        In a transaction of its own: no other is open while a mail is submitted.

        :raise TransportFailure: there is none
        """
        with contextlib.closing(self.env.registry.cursor()) as cr:
            alias = api.Environment(cr, api.SUPERUSER_ID, {})[self._name].browse(
                self.id
            )
            try:
                return alias._get_access_token__(refused_secret=token_secret)[0]
            except AliasHold as error:
                reason, words = error.reason, str(error)
                outcome = Outcome("deferred", "alias", reason, hold=reason)
            except AliasRetry as error:
                words = str(error)
                outcome = Outcome("deferred", "alias", "unavailable")
        raise TransportFailure(words, phase=Phase.AUTH, outcome=outcome)

    def _test_connection__(self, deadline):
        """Extend: look at the row anew, which a refresh may have written.

        The refresh has a transaction of its own: this one must not hold the row
        before it, and has to begin a new snapshot after it to write the outcome.
        """
        if self.provider == "smtp":
            return super()._test_connection__(deadline)
        self.env.cr.commit()
        try:
            return super()._test_connection__(deadline)
        finally:
            self.env.cr.commit()

    def _explain(self, error):
        """Extend: there is no password to enter again."""
        if self.provider == "smtp" or not isinstance(error, vault.VaultError):
            return super()._explain(error)
        return self.env._(
            "The stored permission to send cannot be used: %s Sign in again, or ask "
            "your administrator for the key.",
            error,
        )
