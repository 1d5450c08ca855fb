import json
import logging

from odoo import api, fields, models

from ..tools import address, vault

# Changing one of these sends the stored password to another place, so it is
# forgotten unless a new one comes along.
PASSWORD_BOUND_FIELDS = ("smtp_server", "smtp_user", "disable_tls")

# The columns that keep a password, with the fields it is typed into, and all that says
# where one of them is sent: the SMTP password also opens the mailbox that has no login
# of its own.
PASSWORDS = {"smtp_secret": "smtp_password", "imap_secret": "imap_password"}
TARGET_FIELDS = frozenset((*PASSWORD_BOUND_FIELDS, "imap_server", "imap_user"))

_logger = logging.getLogger(__name__)


class UserEmailAliasCredentials(models.AbstractModel):
    """The mail server, the login, and the passwords in the vault, the mailbox's too."""

    _name = "user.email.alias.credentials"
    _description = "Email Alias: Credentials"

    smtp_server = fields.Char(
        "SMTP Server:Port",
        help="For example mail.myserver.com:465. Port 465 is encrypted from the "
        "start, every other port switches to TLS; without a port 587 is used.",
    )
    smtp_user = fields.Char(
        "SMTP User Name",
        help="Often your email address, sometimes only the part before the @. "
        "Your provider's documentation tells.",
    )
    smtp_password = fields.Char(
        "SMTP Password",
        compute="_compute_smtp_password",
        inverse="_inverse_passwords",
        # the form says otherwise; to an import this is no field
        readonly=True,
        copy=False,
        exportable=False,
        help="The password of this mailbox, not the one you log in to Odoo with. "
        "It is stored encrypted and nobody can read it back.",
    )
    smtp_secret = fields.Char(groups=fields.NO_ACCESS, copy=False, exportable=False)
    has_smtp_password = fields.Boolean(compute="_compute_has_passwords")
    imap_password = fields.Char(
        "IMAP Password",
        compute="_compute_imap_password",
        inverse="_inverse_passwords",
        readonly=True,
        copy=False,
        exportable=False,
    )
    imap_secret = fields.Char(groups=fields.NO_ACCESS, copy=False, exportable=False)
    has_imap_password = fields.Boolean(compute="_compute_has_passwords")
    disable_tls = fields.Boolean(
        "Disable SSL/TLS",
        help="Only for a mail server that cannot encrypt. Your password and your "
        "emails are then readable on the way to it.",
    )

    def _compute_smtp_password(self):
        self.smtp_password = False

    def _compute_imap_password(self):
        # apart from the other one, which may just have been typed
        self.imap_password = False

    def _inverse_passwords(self):
        typed = [
            (alias, column, alias[fname])
            for alias in self
            for column, fname in PASSWORDS.items()
        ]
        for alias, column, secret in typed:
            if secret:
                alias._write_secret__(column, secret)
        self.invalidate_recordset(PASSWORDS.values())

    @api.depends(*PASSWORDS)
    def _compute_has_passwords(self):
        # sudo: whether there is a secret is no secret
        for alias, alias_sudo in zip(self, self.sudo(), strict=True):
            alias.has_smtp_password = bool(alias_sudo.smtp_secret)
            alias.has_imap_password = bool(alias_sudo.imap_secret)

    @api.onchange(*PASSWORD_BOUND_FIELDS)
    def _onchange_password_bound(self):
        origin = self._origin
        if origin and origin._forgets_password(
            {fname: self[fname] for fname in PASSWORD_BOUND_FIELDS}
        ):
            self.has_smtp_password = False

    @api.onchange("email_from", "smtp_server")
    def _onchange_propose(self):
        """Propose one's own address as From, and the From as user name, once."""
        if self._origin or not self.smtp_server or self.provider != "smtp":
            return
        mine = self.user_id.email_normalized
        siblings = self.search([("user_id", "=", self.user_id.id)])
        taken = {(alias.email_from or "").lower() for alias in siblings}
        if not self.email_from and mine not in taken:
            self.email_from = mine
        self.smtp_user = self.smtp_user or self.email_from

    @api.onchange("email_from")
    def _onchange_email_from(self):
        """Let a user name that was proposed follow the From Address."""
        if self._origin or not self.smtp_user or not self.email_from:
            return
        if self.smtp_user == self.user_id.email_normalized:
            self.smtp_user = self.email_from

    def _is_complete(self):
        """Whether there is all that a login and a From header need."""
        self.ensure_one()
        return bool(self.email_from and self.smtp_server)

    def _get_target(self, fname):
        """Where a secret may go: whoever changes it behind our back gets nothing."""
        where = [
            _get_host(self.smtp_server),
            self.smtp_user or "",
            _get_host(self.imap_server),
            self.imap_user or "",
            bool(self.disable_tls),
        ]
        return json.dumps(where)

    def _unbind_secrets__(self, vals):
        """Read the passwords that the change of an address leaves valid.

        What code changes as sudo was checked by nobody: there another mailbox gets no
        password, which then has to be entered again.

        :return: list of (alias, column, cipher text, password)
        """
        if TARGET_FIELDS.isdisjoint(vals):
            return []
        kept = []
        # sudo: the columns are closed to everybody
        for alias in self.sudo():
            for fname in PASSWORDS:
                if self.env.su and alias._moves_smtp_password(vals):
                    continue
                try:
                    secret = alias._read_secret__(fname)
                except vault.VaultError as error:
                    _logger.info(
                        "Alias %s: %s stays closed: %s", alias.id, fname, error
                    )
                    continue
                if secret is not None:
                    kept.append((alias, fname, alias[fname], secret))
        return kept

    def _bind_secrets__(self, kept):
        """Encrypt for their new addresses what :meth:`_unbind_secrets__` has read."""
        for alias, fname, cipher, secret in kept:
            if alias[fname] == cipher:
                alias._write_secret__(fname, secret)

    def _forgets_password(self, vals):
        """Whether ``vals`` would send the stored password somewhere else."""
        self.ensure_one()

        def host(text):
            try:
                server = address.parse_server(text or "")
            except address.AddressError:
                return text or ""
            # the owner may try other ports; nobody else sends it to another service
            return server.host if self.is_mine else str(server)

        return (
            (
                "smtp_server" in vals
                and host(vals["smtp_server"]) != host(self.smtp_server)
            )
            or (
                "smtp_user" in vals
                and (vals["smtp_user"] or "") != (self.smtp_user or "")
            )
            or (vals.get("disable_tls") and not self.disable_tls)
        )

    def _forget_passwords(self, vals):
        moved = self.filtered(lambda a: a._forgets_password(vals))
        if moved:
            # sudo: the column is closed to everybody
            moved.sudo().smtp_secret = False


def _get_host(server):
    """The host of ``host:port``: another port is no other server."""
    try:
        return address.parse_server(server).host if server else ""
    except address.AddressError:
        return server
