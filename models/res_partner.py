from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import parse_contact_from_email

from .user_email_alias_recipient import ADDRESS_FIELDS


class ResPartner(models.Model):
    _name = "res.partner"
    _inherit = ["res.partner", "user.email.alias.recipient"]

    email_alias_owner_id = fields.Many2one(
        "res.partner",
        "Owner of the Email Alias",
        compute="_compute_email_alias_owner_id",
        search="_search_email_alias_owner_id",
        groups="base.group_user",
        help="The user whose alias has this contact's address.",
    )

    @api.depends("email_normalized")
    def _compute_email_alias_owner_id(self):
        owners = self.env["user.email.alias"]._get_owners(
            self.mapped("email_normalized"), is_offer=True
        )
        for partner in self:
            owner = owners.get(partner.email_normalized, self.browse())
            partner.email_alias_owner_id = owner - partner

    def _search_email_alias_owner_id(self, operator, value):
        # core does not ask for the groups of what has a search of its own
        self._check_field_access(self._fields["email_alias_owner_id"], "read")
        if operator != "in":
            return NotImplemented
        owners = self.env["user.email.alias"]._find_mistaken_contacts()
        found = Domain("id", "in", [c.id for c, o in owners.items() if o.id in value])
        if False in value:
            found |= Domain("id", "not in", [contact.id for contact in owners])
        return found

    def write(self, vals):
        """Extend: what waits leaves to the address it was sent off to."""
        if vals.keys().isdisjoint(ADDRESS_FIELDS):
            return super().write(vals)
        self._email_alias_keep_addresses(vals)
        scheduled = self._email_alias_find_own_scheduled(vals)
        result = super().write(vals)
        scheduled._email_alias_seal_up()
        return result

    def unlink(self):
        """Extend: as :meth:`write`."""
        self._email_alias_keep_addresses()
        return super().unlink()

    @api.model
    def name_create(self, name):
        """Extend: no contact is made of an alias's address."""
        if owner := self._email_alias_find_owner(name):
            return owner.id, owner.display_name
        return super().name_create(name)

    @api.model
    def find_or_create(self, email, assert_valid_email=False):
        """Extend: an alias's address is its owner's."""
        if owner := self._email_alias_find_owner(email):
            return owner
        return super().find_or_create(email, assert_valid_email=assert_valid_email)

    @api.model
    def _email_alias_find_owner(self, email):
        """The owner of the alias with this address, if the user may see them."""
        _name, normalized = parse_contact_from_email(email)
        owners = self.env["user.email.alias"]._get_owners([normalized])
        return self.search([("id", "in", [o.id for o in owners.values()])])

    @api.model
    def _find_or_create_from_emails(
        self,
        emails,
        ban_emails=None,
        filter_found=None,
        additional_values=None,
        no_create=False,
        sort_key=None,
        sort_reverse=True,
    ):
        """Extend: an alias's address is its owner's, and no contact is made of it."""
        if past := self.env.context.get("email_alias_past"):
            ban_emails = [*(ban_emails or ()), *past]
        normalized = [parse_contact_from_email(email)[1] for email in emails]
        owners = self.env["user.email.alias"]._get_owners(
            set(normalized) - set(ban_emails or ())
        )
        found = super()._find_or_create_from_emails(
            [e for e, key in zip(emails, normalized, strict=True) if key not in owners],
            ban_emails=ban_emails,
            filter_found=filter_found,
            additional_values=additional_values,
            no_create=no_create,
            sort_key=sort_key,
            sort_reverse=sort_reverse,
        )
        if not owners:
            return found
        # as core: whom the rules hide from the user is not found
        seen = self.search([("id", "in", [o.id for o in owners.values()])])
        if filter_found:
            seen = seen.filtered(filter_found)
        rest = iter(found)
        return [
            seen & owners[key] if key in owners else next(rest) for key in normalized
        ]

    def action_email_alias_merge(self):
        """Open core's merge of this contact into the user it really is."""
        self.ensure_one()
        pair = self | self.email_alias_owner_id
        wizard = (
            self.env["base.partner.merge.automatic.wizard"]
            .with_context(active_model=self._name, active_ids=pair.ids)
            .create({"dst_partner_id": self.email_alias_owner_id.id})
        )
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "base.action_partner_merge"
        )
        return {**action, "res_id": wizard.id}
