import json

from odoo import api, fields, models

from ..decorators import of_records
from ..tools import address, domain_health
from ..tools.deadline import Deadline

# How long the look-ups may take, in seconds; what is not answered by then is left out.
LOOK_UP_SECONDS = 4

# Nobody can register a name below these (RFC 2606, RFC 6761, RFC 7686).
RESERVED = ("example", "invalid", "localhost", "local", "onion", "test")


class UserEmailAliasDomain(models.AbstractModel):
    """What the DNS says of the From domain: advice, which never keeps mail back.

    Looked up when an alias has proved itself for the first time with a domain, so that
    it is read before the first bulk mail, and by a button.
    """

    _name = "user.email.alias.domain"
    _description = "Email Alias: From Domain"

    domain_findings = fields.Text(readonly=True, copy=False)
    domain_checked = fields.Char(
        "Checked Domain", readonly=True, copy=False, help="What was looked up last."
    )
    domain_checked_at = fields.Datetime(readonly=True, copy=False)
    domain_advice = fields.Json("From Domain", compute="_compute_domain_advice")

    @api.depends("domain_findings", "domain_checked", "email_from")
    def _compute_domain_advice(self):
        for alias in self:
            found = []
            if alias.domain_checked and alias.domain_checked == alias._get_domain():
                found = json.loads(alias.domain_findings or "[]")
            alias.domain_advice = [
                {"level": "good" if is_ok else "odd", "text": f"{subject}: {sentence}"}
                for subject, is_ok, sentence in found
            ]

    def _get_domain(self):
        """The domain of the From Address as A-labels; empty for none."""
        self.ensure_one()
        try:
            return address.mailbox_to_ascii(self.email_from or "").rpartition("@")[2]
        except address.AddressError:
            return ""

    def _look_up_domain(self, deadline):
        """Keep what the DNS says of the From domain; commits before it is asked.

        :param Deadline deadline: the end of all look-ups
        """
        self.ensure_one()
        domain = self._get_domain()
        if not domain or domain.rpartition(".")[2] in RESERVED:
            return
        mailer, names = self._get_mailer(), self._get_names()
        self._let_go()
        found = domain_health.examine(domain, mailer, names, deadline)
        # sudo: written by the server only
        self.sudo().write(
            {
                "domain_findings": json.dumps(
                    [(item.subject, item.is_ok, item.sentence) for item in found]
                ),
                "domain_checked": domain,
                "domain_checked_at": fields.Datetime.now(),
            }
        )

    def _look_up_domain_once(self, deadline):
        """Look the domain up unless that was done; no transaction may be under way.

        :param Deadline deadline: the end of what the caller does
        """
        if self.domain_checked != self._get_domain():
            self._look_up_domain(deadline.within(LOOK_UP_SECONDS))

    def _get_mailer(self):
        """The provider the mail leaves through, as :mod:`domain_health` names it."""
        return self.provider if self.provider in domain_health.MAILERS else ""

    @of_records
    def action_check_domain(self):
        """Look the From domain up, and show what could be mended."""
        self.ensure_one()
        self._check_owner()
        self._count_attempt()
        self._look_up_domain(Deadline(LOOK_UP_SECONDS))
        if not self.domain_advice:
            message, kind = self.env._("Nobody answered about this domain."), "warning"
        elif any(line["level"] != "good" for line in self.domain_advice):
            message, kind = self.env._("Something could be mended: see below."), "info"
        else:
            message, kind = self.env._("Nothing to mend was found."), "success"
        return self._get_notification(message, kind)

    def _test_connection__(self, deadline):
        """Extend: once the alias works, look its domain up for the first time."""
        message = super()._test_connection__(deadline)
        self._look_up_domain_once(deadline)
        return message
