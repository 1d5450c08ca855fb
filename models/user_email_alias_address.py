import contextlib
from collections import defaultdict

from odoo import api, fields, models, tools
from odoo.tools import SQL, email_normalize

from ..tools import address


class UserEmailAliasAddress(models.AbstractModel):
    """Whose address it is: an alias's is its owner's, wherever Odoo looks for people.

    The sender of an incoming mail can be forged, with an alias's address as with a
    user's own: nothing follows from the one that core does not conclude from the other.
    """

    _name = "user.email.alias.address"
    _description = "Email Alias: Address"

    claimed_at = fields.Datetime(
        readonly=True, copy=False, help="Since when it has this From Address."
    )

    @tools.ormcache()
    def _get_claims(self):
        """Who has an active alias with which address.

        Addresses as core normalises them, international domains in both forms. Whoever
        had the address first comes first. Without aliases this costs no query.

        :return: dict of address -> tuple of (user id, since when)
        """
        # sudo: whose address it is counts for everybody
        aliases = self.sudo().search([("email_from", "!=", False)], order="id")
        claims = {}
        for alias in aliases.sorted(lambda a: a.claimed_at or a.create_date):
            claim = alias.user_id.id, alias.claimed_at or alias.create_date
            for form in _get_forms(alias.email_from):
                claims.setdefault(form, []).append(claim)
        return {form: tuple(found) for form, found in claims.items()}

    @api.model
    def _get_owners(self, emails, is_offer=False):
        """Who the people behind these addresses are.

        What is the address of a user already is left to core: nobody becomes somebody
        else by an alias. So is that of a contact who had it first: anybody may type any
        From Address, a customer's too. Of several owners the first one counts.

        :param emails: addresses as core normalises them; others are nobody's
        :param is_offer: somebody will look at it: whoever had it first does not count
        :return: dict of address -> partner, for addresses of aliases only
        """
        claims = self._get_claims()
        claimed = [email for email in emails if email and email in claims]
        if not claimed:
            return {}
        # sudo: whose address it is counts for everybody
        Users = self.env["res.users"].sudo()
        persons = Users.search([("partner_id.email_normalized", "in", claimed)])
        taken = set(persons.partner_id.mapped("email_normalized"))
        owners, since = {}, {}
        for email in set(claimed) - taken:
            for user_id, moment in claims[email]:
                owner = Users.browse(user_id).exists()
                if owner.active and not owner.share:
                    owners[email] = self.env["res.partner"].browse(owner.partner_id.id)
                    since[email] = moment
                    break
        if owners and not is_offer:
            # sudo: as above
            contacts = self.env["res.partner"].sudo()
            for contact in contacts.search([("email_normalized", "in", list(owners))]):
                if contact.create_date < since[contact.email_normalized]:
                    owners.pop(contact.email_normalized, None)
        return owners

    @api.model
    def _get_twins(self, emails):
        """All addresses of the owners behind these, the one of their user included.

        :param emails: addresses as core normalises them
        :return: dict of address -> set of addresses, for owners of aliases only
        """
        claims = self._get_claims()
        emails = set(filter(None, emails))
        if not claims or not emails:
            return {}
        persons = defaultdict(set)
        for email, partner in self._get_owners(claims).items():
            persons[partner].add(email)
        twins = {}
        for partner, found in persons.items():
            # sudo: whose address it is counts for everybody
            found |= {partner.sudo().email_normalized} - {False}
            twins |= dict.fromkeys(found & emails, found)
        return twins

    @api.model
    def _find_blacklisted(self, emails):
        """Those addresses whose owner is on the blacklist with another one."""
        twins = self._get_twins(emails)
        every = set().union(*twins.values())
        if not every:
            return set()
        # sudo: who is on the blacklist counts for everybody who sends
        rows = self.env["mail.blacklist"].sudo().search([("email", "in", list(every))])
        listed = set(rows.mapped("email"))
        return {email for email, found in twins.items() if found & listed}

    def _claim_address(self, vals):
        """Note since when an alias has its address.

        :return: ``vals``, and the moment if the address is another one
        """
        if "email_from" not in vals:
            return vals
        # without records: a new alias
        if self and all(a.email_from == (vals["email_from"] or False) for a in self):
            return vals
        return {**vals, "claimed_at": self.env.cr.now()}

    @api.model
    def _get_alias_of(self, email_from, partner_id):
        """The alias that a person wrote with, if it can send.

        :param email_from: the sender of an incoming mail
        :param partner_id: who core has found that to be
        """
        email = email_normalize(email_from)
        if not email or email not in self._get_claims():
            return self.browse()
        # sudo: the alias of the person the mail is from
        aliases = self.sudo().search(
            [
                ("user_id.partner_id", "=", partner_id),
                ("user_id.active", "=", True),
                ("user_id.share", "=", False),
            ],
            order="id",
        )
        usable = aliases.filtered(
            lambda a: a._is_complete() and email in _get_forms(a.email_from)
        )
        return usable[:1].sudo(False)

    @api.model
    def _get_past_addresses(self, records):
        """From which addresses conversations were written that are nobody's any more.

        Their alias is archived, deleted or has another address, or its owner left.
        Core takes the sender of a message for somebody else than its author.

        :return: dict of record id -> addresses as core normalises them
        """
        if "message_ids" not in records or not records.ids or not self._was_ever_used():
            return {}
        self.env["mail.message"].flush_model()
        self.env.cr.execute(
            SQL(
                """
                SELECT DISTINCT res_id, email_from
                  FROM mail_message
                 WHERE model = %s AND res_id = ANY(%s)
                   AND (email_alias_id IS NOT NULL OR email_alias_steps IS NOT NULL)
                """,
                records._name,
                records.ids,
            )
        )
        past = defaultdict(set)
        for res_id, email_from in self.env.cr.fetchall():
            past[res_id].add(email_normalize(email_from))
        emails = set().union(*past.values()) - {False}
        # sudo: whose address it is counts for everybody
        persons = (
            self.env["res.users"]
            .sudo()
            .search([("partner_id.email_normalized", "in", list(emails))])
        )
        taken = set(persons.partner_id.mapped("email_normalized"))
        taken |= self._get_owners(emails).keys()
        return {res_id: found & emails - taken for res_id, found in past.items()}

    @api.model
    def _settle_suggested(self, record, suggested, past=()):
        """Replace addresses of aliases by their owners among suggested recipients.

        :param list suggested: dicts as core makes them for ``record``
        :param past: addresses that are nobody's any more
        """
        suggested = [found for found in suggested if found["email"] not in past]
        owners = self._get_owners({found["email"] for found in suggested})
        if not owners:
            return suggested
        absent = self.env.user.partner_id
        if "message_partner_ids" in record:
            absent |= record.message_partner_ids
        known = {found["partner_id"] for found in suggested}
        settled = []
        for found in suggested:
            owner = owners.get(found["email"])
            if not owner or found["partner_id"] == owner.id:
                settled.append(found)
            elif owner not in absent and owner.id not in known:
                known.add(owner.id)
                settled.append(
                    {
                        "email": owner.email_normalized,
                        "name": owner.name,
                        "partner_id": owner.id,
                        "create_values": {},
                    }
                )
        return settled

    # ------------------------------------------------------------------
    # Contacts that were made of an alias's address
    # ------------------------------------------------------------------

    @api.model
    def _find_mistaken_contacts(self):
        """The contacts with an alias's address that are not its owner.

        :return: dict of contact -> the owner's contact
        """
        owners = self._get_owners(self._get_claims(), is_offer=True)
        contacts = (
            self.env["res.partner"]
            .with_context(active_test=False)
            .search([("email_normalized", "in", list(owners))])
        )
        pairs = {contact: owners[contact.email_normalized] for contact in contacts}
        return {contact: owner for contact, owner in pairs.items() if contact != owner}


def _get_forms(mailbox):
    """An address as core normalises it, the domain as typed and in ASCII."""
    forms = {email_normalize(mailbox)}
    with contextlib.suppress(address.AddressError):
        forms.add(email_normalize(address.mailbox_to_ascii(mailbox)))
    return forms - {False}
