from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..decorators import of_records
from ..tools import oauth, vault
from ..tools.deadline import BUTTON_SECONDS, Deadline

# Who lets an alias send with the organisation's key.
ADMINISTRATOR = "base.group_erp_manager"

# Changing one of these changes for whom the organisation's key sends.
ORGANISATION_FIELDS = frozenset(("email_from", "organisation", "organisation_mailbox"))


class UserEmailAliasOrganisation(models.AbstractModel):
    """An alias that sends with the organisation's key instead of its owner's consent.

    Administrators make it one, and they alone say for which mailbox. In everything else
    it is an ordinary alias of its owner. The mailbox is sealed in the vault like what a
    sign-in has granted: who changes the database sends for nobody else.
    """

    _name = "user.email.alias.organisation"
    _description = "Email Alias: Organisation Account"

    organisation = fields.Selection(
        [(key, account.label) for key, account in oauth.ORGANISATIONS.items()],
        "Organisation Account",
        copy=False,
        groups=ADMINISTRATOR,
        help="Sends with the account of your organisation: the owner has to sign in "
        "nowhere, and only administrators change the From Address.",
    )
    organisation_mailbox = fields.Char(
        "Mailbox",
        copy=False,
        groups=ADMINISTRATOR,
        help="Only if the mailbox has another name at the provider than the From "
        "Address: the user name, or the mailbox that may send as it.",
    )
    is_by_organisation = fields.Boolean(
        compute="_compute_is_by_organisation", compute_sudo=True
    )
    has_organisation = fields.Boolean(
        compute="_compute_has_organisation", groups=ADMINISTRATOR
    )

    @api.depends("organisation")
    def _compute_is_by_organisation(self):
        for alias in self:
            alias.is_by_organisation = bool(alias.organisation)

    @api.depends("organisation")
    def _compute_has_organisation(self):
        Settings = self.env["user.email.alias.oauth.settings"]
        is_on = any(Settings._has_organisation(key) for key in oauth.ORGANISATIONS)
        for alias in self:
            alias.has_organisation = is_on or bool(alias.organisation)

    # ------------------------------------------------------------------
    # Join and leave
    # ------------------------------------------------------------------

    def _check_organisation(self, vals=None):
        """Restrict: for whom the organisation's key sends, administrators decide.

        :param vals: what is about to be written; None: these aliases were just created
        :return: those of the aliases that send with it now
        :raise AccessError: the user is none
        """
        if vals is not None and ORGANISATION_FIELDS.isdisjoint(vals):
            return self.sudo().browse()
        # sudo: the field is for administrators
        joined_sudo = self.sudo().filtered("organisation")
        is_asked = joined_sudo or (vals and vals.get("organisation"))
        if is_asked:
            self._check_organisation_administrator()
        return joined_sudo

    @api.model
    def _check_organisation_administrator(self):
        """Let administrators go on only, whatever rights the code has."""
        if not self.env.user.has_group(ADMINISTRATOR):
            raise AccessError(
                self.env._(
                    "Only an administrator decides who sends with the account of your "
                    "organisation, and from which address."
                )
            )

    def _follow_organisation(self, vals, joined_sudo):
        """Seal for which mailbox the key sends from now on, or forget it.

        :param joined_sudo: those that sent with it before
        """
        if ORGANISATION_FIELDS.isdisjoint(vals):
            return
        # sudo: an administrator is asking, and the columns are closed to everybody
        for alias_sudo in self.sudo():
            if alias_sudo.organisation:
                alias_sudo._join_organisation__()
            elif alias_sudo in joined_sudo:
                alias_sudo._forget_account(
                    self.env._("It sends no more with the account of the organisation.")
                )

    def _join_organisation__(self):
        """Send for this mailbox with the organisation's key.

        :raise ValidationError: this is not possible, in one sentence
        """
        if not self.email_from:
            self._raise_invalid("email_from", self.env._("Enter the address."))
        key = self.organisation
        mailbox = self.organisation_mailbox or self.email_from
        try:
            Settings = self.env["user.email.alias.oauth.settings"]
            provider = Settings._get_organisation__(key, Deadline(BUTTON_SECONDS))
            account = {
                "key": key,
                "identity": False,
                "login": mailbox,
                "email": mailbox,
                "transport": provider.api_transport,
                "server": provider.api_url,
                "tokens": provider.enroll(mailbox),
            }
        except (oauth.OAuthError, vault.VaultError) as error:
            self._raise_invalid("organisation", str(error))
        if mailbox != self.email_from and not provider.lets_send_as_others:
            self._raise_invalid(
                "organisation_mailbox",
                self.env._(
                    "At %s a mailbox sends as its own address only: leave this empty.",
                    provider.label,
                ),
            )
        left = self.provider, self.oauth_identity
        tokens = self._read_tokens__("oauth_secret") if left[1] else None
        self.write(self._get_account_values__(account))
        self._record_event("organisation")
        self._revoke__(*left, tokens, Deadline(BUTTON_SECONDS))

    @of_records
    def action_renew_organisation(self):
        """Seal again what does not open any more: the account was set up anew."""
        self._check_organisation_administrator()
        self.check_access("write")
        # sudo: the secret is closed to everybody
        for alias_sudo in self.sudo().filtered("organisation"):
            alias_sudo._join_organisation__()

    # ------------------------------------------------------------------
    # What a sign-in does differently
    # ------------------------------------------------------------------

    def _check_no_organisation(self):
        """Let nobody sign in, or out, for the organisation.

        :raise UserError: the alias sends with its account
        """
        if self.is_by_organisation:
            raise UserError(
                self.env._(
                    "This alias sends with the account of your organisation: ask an "
                    "administrator to change that."
                )
            )

    def _ask_administrator(self, error):
        """Extend: it is not about signing in."""
        if not self.is_by_organisation:
            return super()._ask_administrator(error)
        return self.env._(
            "%s Ask your administrator to check the organisation account, in the "
            "settings of Email Aliases and at the provider; waiting emails leave by "
            "themselves then.",
            error,
        )

    def _explain(self, error):
        """Extend: there is nothing to sign in to again."""
        if self.is_by_organisation and isinstance(error, vault.VaultError):
            return self._ask_administrator(error)
        return super()._explain(error)

    def _get_moved_message(self):
        """Extend: it is for an administrator to mend."""
        if not self.is_by_organisation:
            return super()._get_moved_message()
        return self.env._(
            "The app or an address of the provider was changed in the settings: an "
            "administrator has to click “Renew” at the organisation account of this "
            "alias."
        )
