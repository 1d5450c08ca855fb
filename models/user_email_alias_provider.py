from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..tools import address
from ..tools.discovery import Known, Row, SignIn
from ..tools.oauth import PROVIDERS
from ..tools.transport import self_filing
from .user_email_alias_validation import DAILY_LIMIT_MAX, DELAY_MAX_MS

PLACEHOLDERS = ("%EMAILADDRESS%", "%EMAILLOCALPART%", "%EMAILDOMAIN%")
MAX_DOMAINS = 1_000  # of one provider


class UserEmailAliasProvider(models.Model):
    """What is known of a provider before its user has typed more than an address.

    Shipped rows are facts with their source; whoever changes one makes it their own.
    """

    _name = "user.email.alias.provider"
    _description = "Email Alias Provider"
    _order = "is_shipped, name, id"

    name = fields.Char("Provider", required=True)
    active = fields.Boolean(default=True)
    is_shipped = fields.Boolean(
        "Comes with the Add-on",
        readonly=True,
        copy=False,
        help="Your own providers come first, and so does one that you have changed.",
    )
    domains = fields.Char(
        help="The part behind the @ of its addresses, separated by spaces. "
        "*.example.com stands for everything below example.com."
    )
    mx_domains = fields.Char(
        "Mail Exchangers",
        help="For addresses of a domain of one's own: the servers that take mail for "
        "it (MX) are in one of these domains.",
    )
    smtp_server = fields.Char(
        "SMTP Server:Port",
        help="Leave it empty if there is no way to send with a password.",
    )
    imap_server = fields.Char("IMAP Server:Port")
    user_pattern = fields.Char(
        "SMTP User Name",
        required=True,
        default=PLACEHOLDERS[0],
        help="With %EMAILADDRESS%, %EMAILLOCALPART% (before the @) or %EMAILDOMAIN%.",
    )
    imap_user_pattern = fields.Char(
        "IMAP User Name", help="Leave it empty if it is the same as for SMTP."
    )
    delay_ms = fields.Integer(
        "Delay Between Emails (milliseconds)",
        aggregator=None,
        help="What a new alias begins with; its user may change it.",
    )
    daily_limit = fields.Integer(
        aggregator=None, help="What a new alias begins with; 0 means no limit of ours."
    )
    limit_source = fields.Char("Source", help="Where the provider says so.")
    limit_date = fields.Date("As of", help="When it was last looked at.")
    app_password_url = fields.Char(
        "App Password Page",
        help="Where its users make the password to enter here, if their usual one does "
        "not do.",
    )
    note = fields.Char(
        translate=True, help="What its users have to know or to do first."
    )
    refusal = fields.Char(
        "First Refusal",
        help="Words or code of the server's answer to somebody who has not done so.",
    )

    _limits_range = models.Constraint(
        f"CHECK(delay_ms BETWEEN 0 AND {DELAY_MAX_MS}"
        f" AND daily_limit BETWEEN 0 AND {DAILY_LIMIT_MAX})",
        "The Delay Between Emails is at most 3,600,000 milliseconds (one hour), and "
        "neither it nor the Daily Limit is less than 0.",
    )

    def write(self, vals):
        """Extend: what somebody changes is theirs, comes first, and stays so."""
        if not self.env.su:
            self.check_access("write")
            vals = {**vals, "is_shipped": False}
            # sudo: whoever may change the row may keep it from the next upgrade
            data_sudo = self.env["ir.model.data"].sudo()
            data_sudo.search(
                [("model", "=", self._name), ("res_id", "in", self.ids)]
            ).noupdate = True
        return super().write(vals)

    @api.model_create_multi
    def create(self, vals_list):
        """Extend: what somebody makes is theirs."""
        if not self.env.su:
            vals_list = [{**vals, "is_shipped": False} for vals in vals_list]
        return super().create(vals_list)

    @api.constrains("smtp_server", "imap_server")
    def _check_servers(self):
        for provider in self:
            try:
                for server in (provider.smtp_server, provider.imap_server):
                    if server:
                        address.parse_server(server)
            except address.AddressError as error:
                raise ValidationError(str(error)) from None

    @api.constrains("domains", "mx_domains")
    def _check_domains(self):
        for provider in self:
            provider._read_domains("domains")
            provider._read_domains("mx_domains")

    @api.constrains("user_pattern", "imap_user_pattern")
    def _check_patterns(self):
        for provider in self:
            for pattern in (provider.user_pattern, provider.imap_user_pattern or ""):
                rest = pattern
                for placeholder in PLACEHOLDERS:
                    rest = rest.replace(placeholder, "")
                if "%" in rest:
                    raise ValidationError(
                        self.env._(
                            "%s: only %%EMAILADDRESS%%, %%EMAILLOCALPART%% and "
                            "%%EMAILDOMAIN%% stand for something.",
                            pattern,
                        )
                    )

    @api.constrains("app_password_url", "limit_source")
    def _check_links(self):
        for provider in self:
            for url in (provider.app_password_url, provider.limit_source):
                if url and not url.startswith("https://"):
                    raise ValidationError(
                        self.env._("Enter an address that begins with https://.")
                    )

    def _read_domains(self, fname):
        """The domains in a field, as A-labels.

        :raise ValidationError: one of them is none
        """
        words = (self[fname] or "").replace(",", " ").split()
        try:
            if len(words) > MAX_DOMAINS:
                raise address.AddressError("mailbox_domain")
            return frozenset(map(_read_domain, words))
        except address.AddressError:
            raise ValidationError(
                self.env._(
                    "Enter domains such as example.com, separated by spaces; "
                    "*.example.com stands for everything below it."
                )
            ) from None

    @api.model
    def _get_known(self):
        """All providers that are known beforehand, as the look-up wants them."""
        # sudo: what is known of a provider is no secret, its table is not for users
        rows = [provider._get_row() for provider in self.sudo().search([])]
        sign_ins = [
            SignIn(
                key,
                provider.domains,
                provider.mx_domains,
                self_filing.of_key(key).smtp_hosts,
            )
            for key, provider in PROVIDERS.items()
        ]
        return Known(rows, sign_ins)

    def _get_row(self):
        return Row(
            key=self.id,
            domains=self._read_domains("domains"),
            mx_domains=self._read_domains("mx_domains"),
            smtp_server=self.smtp_server or "",
            imap_server=self.imap_server or "",
            user_pattern=self.user_pattern,
            imap_user_pattern=self.imap_user_pattern or "",
            is_own=not self.is_shipped,
        )


def _read_domain(text):
    wildcard = "*." if text.startswith("*.") else ""
    return wildcard + address.host_to_ascii(
        text.removeprefix(wildcard), "mailbox_domain"
    )
