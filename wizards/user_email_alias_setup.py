from odoo import api, fields, models

from ..exceptions import NoSuchDomain
from ..tools import address, oauth
from ..tools.transport import self_filing

# What a new alias takes over from what was found, besides its password.
FOUND_FIELDS = ("smtp_server", "smtp_user", "delay_ms", "daily_limit")
IMAP_FIELDS = ("imap_server", "imap_user")


class UserEmailAliasSetup(models.TransientModel):
    """A new alias from an address: what is found, a password, and the proof."""

    _name = "user.email.alias.setup"
    _description = "New Email Alias"

    step = fields.Selection(
        [
            ("address", "Address"),
            ("sign_in", "Sign In"),
            ("password", "Password"),
            ("nothing", "By Hand"),
        ],
        required=True,
        default="address",
        readonly=True,
    )
    email = fields.Char("Your Email Address")
    message = fields.Char(readonly=True)
    found = fields.Char(readonly=True)
    sign_in = fields.Char(readonly=True)
    missing_sign_in = fields.Char(readonly=True)
    note = fields.Char(readonly=True)
    refusal = fields.Char(readonly=True)
    app_password_url = fields.Char("Make an App Password", readonly=True)
    smtp_server = fields.Char("SMTP Server:Port", readonly=True)
    smtp_user = fields.Char("SMTP User Name", readonly=True)
    smtp_password = fields.Char(
        "SMTP Password",
        compute="_compute_smtp_password",
        inverse="_inverse_smtp_password",
        exportable=False,
    )
    imap_server = fields.Char("IMAP Server", readonly=True)
    imap_user = fields.Char("IMAP User Name", readonly=True)
    delay_ms = fields.Integer("Delay Between Emails (milliseconds)", readonly=True)
    daily_limit = fields.Integer(readonly=True)
    limit_source = fields.Char("Source", readonly=True)
    alias_id = fields.Many2one("user.email.alias", readonly=True, ondelete="set null")

    def _compute_smtp_password(self):
        self.smtp_password = False

    def _inverse_smtp_password(self):
        """Keep the password where it is encrypted: it makes the alias."""
        for setup in self:
            if setup.smtp_password and setup.step == "password":
                setup._keep_alias(setup.smtp_password)
        self.invalidate_recordset(["smtp_password"])

    @api.constrains("alias_id")
    def _check_owner(self):
        self.alias_id._check_owner()

    # ------------------------------------------------------------------
    # Buttons
    # ------------------------------------------------------------------

    def action_continue(self):
        """Look up the mail server of the address, and show what was found."""
        self.ensure_one()
        try:
            email = address.parse_mailbox(address.tidy_mailbox(self.email))
        except address.AddressError as error:
            return self._show(message=str(error))
        if email != self.alias_id.email_from:
            self._give_up_alias()
        self.email, domain = email, email.rpartition("@")[2]
        Alias = self.env["user.email.alias"]
        meant = self._ask_whether_meant(Alias._find_similar(email))
        try:
            found = Alias._discover__(email)
        except NoSuchDomain:
            message = self.env._(
                "There is no domain %s: check the part behind the @.", domain
            )
            return self._show(message=f"{message} {meant}".strip())
        if not found:
            message = self.env._(
                "Nothing is known of the mail server of %s: fill in the rest by hand.",
                domain,
            )
            if meant:
                return self._show(message=f"{meant} {message}")
            return self._notify(message, "info", self._get_form())
        values = self._get_values(found)
        if meant and found.source not in ("table", "sign_in"):
            warning = self.env._("Else whoever runs %s gets your password.", domain)
            values["message"] = f"{meant} {warning}"
        return self._show(**values)

    def action_back(self):
        """Ask for another address."""
        self.ensure_one()
        return self._show(step="address", message=False)

    def action_cancel(self):
        """Leave nothing behind of what did not work."""
        self.ensure_one()
        self._give_up_alias()
        return {"type": "ir.actions.act_window_close"}

    def action_by_hand(self):
        """Open the full form, with what is known already."""
        self.ensure_one()
        return self._get_form()

    def action_sign_in(self):
        """Leave for the provider, with an alias that the sign-in fills in."""
        self.ensure_one()
        alias = self.env["user.email.alias"].create({})
        return alias.with_context(
            email_alias_provider=self.sign_in, email_alias_login_hint=self.email
        ).action_sign_in()

    def action_test_connection(self):
        """Prove the account; if it works, the alias is done."""
        self.ensure_one()
        if not self.alias_id:
            return self._show(message=self.env._("Enter the password first."))
        message, kind = self.alias_id._try_account__()
        if kind == "success":
            return self._notify(message, kind, self._get_form())
        # the hint alone is not enough: the server's words tell the two apart
        if self.note and self.refusal and self.refusal in message:
            message = f"{message} {self.note}"
        return self._show(message=message)

    # ------------------------------------------------------------------
    # What is found, and what becomes of it
    # ------------------------------------------------------------------

    def _ask_whether_meant(self, domain):
        return self.env._("Did you mean %s?", domain) if domain else ""

    def _get_values(self, found):
        """What a proposal fills in, and which step it leads to."""
        # sudo: users know nothing of the table but the row that is about them
        row_sudo = self.env["user.email.alias.provider"].sudo().browse(found.row or [])
        sign_in = found.sign_in
        Settings = self.env["user.email.alias.oauth.settings"]
        is_registered = bool(sign_in) and Settings._is_configured(sign_in)
        missing = oauth.PROVIDERS[sign_in].label if sign_in else False
        step = "password" if found.smtp else "nothing"
        return {
            "step": "sign_in" if is_registered else step,
            "message": False,
            "found": self._describe(found, row_sudo),
            "sign_in": sign_in,
            "missing_sign_in": False if is_registered else missing,
            "smtp_server": found.smtp and str(found.smtp),
            "smtp_user": found.smtp_user,
            "imap_server": self._get_imap_server(found),
            "imap_user": found.imap_user,
            **{
                fname: row_sudo[fname]
                for fname in (
                    "note",
                    "refusal",
                    "app_password_url",
                    "delay_ms",
                    "daily_limit",
                    "limit_source",
                )
            },
        }

    def _get_imap_server(self, found):
        """Where copies are filed; nowhere if the provider does so by itself."""
        is_allowed = self.env["user.email.alias"]._is_own_imap_allowed()
        if found.imap and is_allowed and not self_filing.of_smtp_host(found.smtp.host):
            return str(found.imap)
        return False

    def _describe(self, found, row):
        """Say in one sentence what was found, and where."""
        names = {
            "domain": self.email.rpartition("@")[2],
            "origin": found.origin,
            "provider": row.name or "",
        }
        if found.sign_in:
            names["provider"] = oauth.PROVIDERS[found.sign_in].label
        if found.source in ("table", "sign_in"):
            if found.origin:
                return self.env._(
                    "Mail for %(domain)s goes to %(provider)s, says the DNS "
                    "(%(origin)s).",
                    **names,
                )
            return self.env._(
                "%(domain)s is in Odoo's list of providers: %(provider)s.", **names
            )
        if found.source == "srv":
            return self.env._("%(domain)s names its mail servers in the DNS.", **names)
        if found.source == "central":
            return self.env._(
                "Mozilla's database (%(origin)s) has the mail servers of %(domain)s.",
                **names,
            )
        return self.env._(
            "%(domain)s publishes its mail servers at https://%(origin)s.", **names
        )

    def _give_up_alias(self):
        """Delete what was begun, unless it works or has been used."""
        begun, self.alias_id = self.alias_id, False
        if begun.state == "draft" and not begun._is_referenced():
            begun.unlink()

    def _keep_alias(self, password):
        """Make the alias, or enter another password."""
        if self.alias_id:
            self.alias_id.smtp_password = password
            if self.alias_id.imap_user:
                self.alias_id.imap_password = password
            return
        vals = {fname: self[fname] for fname in FOUND_FIELDS}
        if self.imap_server:
            vals.update({fname: self[fname] for fname in IMAP_FIELDS})
            if self.imap_user:
                vals["imap_password"] = password
        Alias = self.env["user.email.alias"]
        self.alias_id = Alias.create(
            {
                **vals,
                "name": self._get_free_name(),
                "email_from": self.email,
                "smtp_password": password,
            }
        )

    def _get_free_name(self):
        new = self.env["user.email.alias"].new({"user_id": self.env.uid})
        return new._get_free_name(self.email)

    # ------------------------------------------------------------------
    # Screens
    # ------------------------------------------------------------------

    def _show(self, **values):
        """Show this dialogue, with other values in it."""
        self.write(values)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New Email Alias"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "new",
        }

    def _get_form(self):
        """The full form of the alias, or of a new one with what was found."""
        defaults = {}
        if self.email and not self.alias_id:
            defaults = {
                "default_name": self._get_free_name(),
                "default_email_from": self.email,
            }
            if self.smtp_server and self.step == "password":
                fnames = (*FOUND_FIELDS, *IMAP_FIELDS)
                defaults.update({f"default_{f}": self[f] for f in fnames})
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("My Email Aliases"),
            "res_model": "user.email.alias",
            "res_id": self.alias_id.id,
            "views": [(False, "form")],
            "target": "current",
            "context": defaults,
        }

    @api.model
    def _notify(self, message, kind, then):
        """A notice for the screen, which goes on with this action."""
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {"type": kind, "message": message, "next": then},
        }
