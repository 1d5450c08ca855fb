from odoo import api, fields, models


class UserEmailAliasDefault(models.AbstractModel):
    """At most one alias of a user is flagged and picked as From."""

    _name = "user.email.alias.default"
    _description = "Email Alias: Default"

    is_default = fields.Boolean(
        "Make Default",
        copy=False,
        help="This alias is picked as From unless you choose another one.",
    )

    @api.model
    def _default_of(self, user_id):
        """The flagged alias of a user, complete or not (void if none)."""
        # sudo: administrators create aliases for others
        return self.sudo().search(
            [("user_id", "=", user_id), ("is_default", "=", True)], limit=1
        )

    @api.model
    def _next_default(self, user):
        candidates = self.sudo().search([("user_id", "=", user.id)], order="id")
        return (candidates.filtered(lambda a: a._is_complete()) or candidates)[:1]

    def _reassign_default(self):
        for user in self.user_id:
            self._next_default(user)._set_default(True)

    def _set_default(self, value):
        if self:
            super().write({"is_default": value})
            # the unique index must see this before the next flag is set
            self.flush_recordset(["is_default"])

    @api.model
    def _get_default(self, user):
        """The alias picked as From for ``user``: flagged and complete, or void.

        Whoever has none costs no query; OdooBot asks before the table is there.
        """
        if not user or user.id == api.SUPERUSER_ID or not self._has_any(user.id):
            return self.browse()
        if user._is_public() or user.share or not user.active:
            return self.browse()
        alias = self._default_of(user.id)
        return alias.sudo(False) if alias and alias._is_complete() else self.browse()

    @api.model
    def _assign_defaults(self, vals_list):
        """Flag the first alias of a user, and no second one of the same call.

        Changes ``vals_list`` in place.
        """
        users_with_default = set()
        for vals in vals_list:
            user_id = vals["user_id"]
            if not vals["active"] or user_id in users_with_default:
                vals["is_default"] = False
                continue
            default = self._default_of(user_id)
            if vals.get("is_default"):
                default._set_default(False)
            elif "is_default" not in vals or not default:
                vals["is_default"] = not default
            if vals["is_default"]:
                users_with_default.add(user_id)
