from odoo import api, fields, models

from ..tools import address
from ..tools.transport import self_filing


class UserEmailAliasSelfFiling(models.AbstractModel):
    """Providers that keep a copy of each mail by themselves: not ours to stop."""

    _name = "user.email.alias.self.filing"
    _description = "Email Alias: Copies the Provider Keeps"

    self_filing = fields.Char(
        "Who Keeps Copies",
        compute="_compute_self_filing",
        help="A sentence, where the provider keeps copies by itself.",
    )
    skip_bulk_copies = fields.Boolean(
        "No Copies of Bulk Mail",
        compute="_compute_skip_bulk_copies",
        store=True,
        readonly=False,
        help="Mailings and mass mails leave no copies in the Sent folder.",
    )

    @api.depends("provider", "smtp_server")
    def _compute_self_filing(self):
        for alias in self:
            found = alias._get_self_filing()
            alias.self_filing = found and alias.env._(
                "%(provider)s keeps a copy of each email in “%(folder)s” by itself, "
                "bulk mail included. Odoo cannot switch that off.",
                provider=found.label,
                folder=found.folder,
            )

    @api.depends("provider", "smtp_server")
    def _compute_skip_bulk_copies(self):
        """Promise nothing that is not ours to keep."""
        for alias in self:
            is_ours = not alias._get_self_filing()
            alias.skip_bulk_copies = is_ours and alias.skip_bulk_copies

    def _get_self_filing(self):
        """The provider that keeps copies of what this alias submits, or None."""
        self.ensure_one()
        found = self_filing.of_key(self.provider)
        if found or self.provider != "smtp":
            return found
        try:
            host = address.parse_server(self.smtp_server or "").host
        except address.AddressError:
            return None
        return self_filing.of_smtp_host(host)
