import logging

from odoo import api, models
from odoo.tools import str2bool

from ..exceptions import NoSuchDomain
from ..tools import address, discovery, guard
from ..tools.deadline import Deadline

_logger = logging.getLogger(__name__)

# System parameters: a DNS server to ask in place of the machine's, and whether Mozilla
# may be asked, which learns the domain.
NAMESERVER = "user_email_alias.nameserver"
CENTRAL = "user_email_alias.central_database"


class UserEmailAliasDiscovery(models.AbstractModel):
    """Finding the mail server of an address that a user wants to set up."""

    _name = "user.email.alias.discovery"
    _description = "Email Alias: Discovery"

    @api.model
    def _discover__(self, email):
        """Look up the mail server of an address; commits before it asks anybody.

        :param email: as ``parse_mailbox`` returns it
        :return: a :class:`Proposal`, or None
        :raise NoSuchDomain: the DNS is certain of that
        """
        self._count_attempt()
        sources = self._get_sources()
        self._let_go()
        deadline = Deadline(discovery.SEARCH_SECONDS)
        try:
            found = discovery.search(email, sources, deadline)
            domain = discovery.Mailbox.of(email).domain
        except address.AddressError:
            return None
        if not found and sources.names.is_missing(domain, deadline):
            raise NoSuchDomain(domain)
        _logger.info("Mail server of a new alias: %s", found.source if found else "?")
        return found

    @api.model
    def _find_similar(self, email):
        """The domain of a large provider that was perhaps meant; empty for none."""
        try:
            mailbox = discovery.Mailbox.of(email)
        except address.AddressError:
            return ""
        known = self.env["user.email.alias.provider"]._get_known()
        return known.find_similar(mailbox)

    @api.model
    def _get_sources(self):
        Params = self.env["ir.config_parameter"]
        names = self._get_names()
        allowed = Params._email_alias_get("user_email_alias.allowed_targets")
        # a stranger's domain chooses what is asked for by HTTPS: who may be sent mail
        # to inside the network may not be asked for pages
        try:
            guard.Guard(allowed)
        except ValueError:
            allowed = ""
        return discovery.Sources(
            known=self.env["user.email.alias.provider"]._get_known(),
            names=names,
            web=guard.Guard(f"{allowed} *:443", names.get_addresses, needs_port=True),
            mail=self._get_guard(),
            has_central=str2bool(Params._email_alias_get(CENTRAL) or "False", False),
        )

    @api.model
    def _get_names(self):
        """Who is asked about names: the machine's resolver, or the administrator's."""
        server = self.env["ir.config_parameter"]._email_alias_get(NAMESERVER)
        try:
            return discovery.Names(server)
        except ValueError as error:
            _logger.error("%s: %s", NAMESERVER, error)
            return discovery.Names()
