import json

from odoo import fields, models
from odoo.exceptions import UserError

from ..decorators import of_records
from ..tools import oauth, vault
from ..tools.deadline import BUTTON_SECONDS, Deadline


class UserEmailAliasOtherAccount(models.AbstractModel):
    """The owner signed in as another account than before, and is asked."""

    _name = "user.email.alias.other.account"
    _description = "Email Alias: Other Account"

    oauth_pending_secret = fields.Char(
        groups=fields.NO_ACCESS, copy=False, exportable=False
    )
    oauth_pending_user = fields.Char(readonly=True, copy=False)

    def _ask_for_other_account__(self, account):
        """Keep the other account aside until the owner has said yes."""
        self._write_secret__("oauth_pending_secret", json.dumps(account))
        # sudo: written by the server only
        self.sudo().oauth_pending_user = account["login"]
        return self.env._(
            "You signed in as %s, another account than before. Please confirm.",
            account["login"],
        )

    def _read_pending__(self):
        return json.loads(self._read_tokens__("oauth_pending_secret") or "{}")

    @of_records
    def action_use_other_account(self):
        """Yes: this alias is the other account from now on, if a login proves it."""
        self.ensure_one()
        self._check_owner()
        self._check_no_organisation()
        if self.waiting_count:
            raise UserError(
                self.env._(
                    "%s emails still wait to leave as the old account.",
                    self.waiting_count,
                )
            )
        pending = self._read_pending__()
        if not pending:
            raise UserError(self.env._("There is no other account to confirm."))
        self._count_attempt()
        Settings = self.env["user.email.alias.oauth.settings"]
        deadline = Deadline(BUTTON_SECONDS)
        try:
            provider = Settings._get_provider__(pending["key"], deadline)
            token = provider.get_token(pending["tokens"])
        except (oauth.OAuthError, vault.VaultError) as error:
            raise UserError(self._explain_sign_in(error)) from None
        pending["tokens"] = token.tokens
        trouble = self._prove_account__(
            pending, token.access_token_secret, pending["email"], deadline
        )
        # sudo: the owner has been checked
        alias_sudo = self.sudo()
        left = alias_sudo.provider, alias_sudo.oauth_identity
        tokens = self._read_tokens__("oauth_secret")
        values = {
            "email_from": pending["email"],
            "alias_name": self._get_account_name(pending),
        }
        if self.name == self._get_free_name(self.email_from or ""):
            # the sign-in has named it, nobody else
            values["name"] = self._get_free_name(pending["email"])
        alias_sudo.write(values)
        self._record_event("other_account")
        message = self._keep_account__(pending, trouble)
        self._revoke__(*left, tokens, deadline)
        return self._get_notification(
            message, "success" if trouble is None else "warning"
        )

    @of_records
    def action_keep_account(self):
        """No: forget the other account."""
        self.ensure_one()
        self._check_owner()
        pending = self._read_pending__()
        # sudo: the owner has been checked
        self.sudo().write({"oauth_pending_secret": False, "oauth_pending_user": False})
        self._record_event("account_kept")
        if pending:
            self._revoke__(
                pending["key"],
                pending["identity"],
                pending["tokens"],
                Deadline(BUTTON_SECONDS),
            )
