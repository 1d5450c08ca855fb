import logging

from odoo import api, models

from ..decorators import of_records
from ..tools import oauth, vault
from ..tools.deadline import BUTTON_SECONDS, Deadline

_logger = logging.getLogger(__name__)


class UserEmailAliasSignOut(models.AbstractModel):
    """Leaving a provider, and withdrawing what it has granted."""

    _name = "user.email.alias.sign.out"
    _description = "Email Alias: Sign-out"

    @of_records
    def action_disconnect(self):
        """Forget the account, and withdraw the consent where that is possible."""
        self.ensure_one()
        self._check_owner()
        self._check_no_organisation()
        # sudo: the owner has been checked
        alias_sudo = self.sudo()
        left = alias_sudo.provider, alias_sudo.oauth_identity
        tokens = self._read_tokens__("oauth_secret")
        pending = self._read_pending__()
        # whose it is the From Address does not tell: what waits waits for the same
        kept = left[1] if self.waiting_count and self.is_shared_from else False
        alias_sudo._forget_account(self.env._("You disconnected the account."), kept)
        self._record_event("disconnected")
        deadline = Deadline(BUTTON_SECONDS)
        self._revoke__(*left, tokens, deadline)
        if pending:
            self._revoke__(
                pending["key"], pending["identity"], pending["tokens"], deadline
            )

    def _forget_account(self, reason, kept=False):
        """Forget an account at a provider; what waits, waits for the next one.

        :param reason: the sentence that its owner reads then
        :param kept: the identity that alone may come next
        """
        waiting = self.waiting_count
        self.write(
            {
                "provider": "smtp",
                "oauth_secret": False,
                "oauth_pending_secret": False,
                "oauth_pending_user": False,
                "oauth_identity": kept,
                "oauth_user": False,
                "oauth_mailbox": False,
                "oauth_addresses": False,
                "oauth_permissions": False,
                "oauth_smtp_server": False,
                "has_smtp_road": False,
                "oauth_server": False,
                "transport": "smtp",
            }
        )
        if waiting:
            self._set_hold("sign_in", self.env._("%s Sign in again.", reason))

    def _read_tokens__(self, fname):
        """What is kept in ``fname``, or None when it cannot be read any more."""
        try:
            return self._read_secret__(fname)
        except vault.VaultError as error:
            _logger.info("Alias %s: %s not readable: %s", self.id, fname, error)
            return None

    def _get_consents__(self):
        """What each signed-in alias would have to withdraw: arguments of _revoke__."""
        return [
            (alias.provider, alias.oauth_identity, tokens)
            # sudo: the columns are closed to everybody
            for alias in self.sudo()
            if not alias.organisation
            and (tokens := alias._read_tokens__("oauth_secret"))
        ]

    @api.model
    def _revoke__(self, key, identity, tokens, deadline):
        """Withdraw a consent that no alias uses any more (RFC 7009 2.1).

        A provider may end all that the account has granted to this application, so
        nothing is withdrawn while another alias is signed in with the same account.
        What cannot be withdrawn is forgotten all the same.

        :param Deadline deadline: the end of the conversation
        """
        if not tokens:
            return
        self.env.flush_all()
        # sudo: colleagues may share the account; nothing of them is shown
        shared = self.sudo().with_context(active_test=False)
        if shared.search_count(
            [("oauth_identity", "=", identity), ("oauth_secret", "!=", False)], limit=1
        ):
            return
        try:
            Settings = self.env["user.email.alias.oauth.settings"]
            Settings._get_provider__(key, deadline).revoke(tokens)
        except (oauth.OAuthError, vault.VaultError) as error:
            _logger.info("%s: consent not revoked: %s", key, error)
