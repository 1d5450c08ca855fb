from odoo import api, fields, models

# What decides whether an alias can send, and so may hold the flag.
ABILITY_FIELDS = frozenset(
    ("active", "email_from", "oauth_secret", "provider", "smtp_server")
)


class UserEmailAliasDefault(models.AbstractModel):
    """At most one alias of a user is flagged and picked as From.

    One that cannot send never holds the flag: nothing would be picked, and mail would
    leave by the database's own servers.
    """

    _name = "user.email.alias.default"
    _description = "Email Alias: Default"

    is_default = fields.Boolean(
        "Make Default",
        copy=False,
        help="This alias is picked as From unless you choose another one.",
    )
    is_default_wanted = fields.Boolean(
        readonly=True,
        copy=False,
        help="The flag was asked for before the alias could send.",
    )

    def _can_be_default(self):
        self.ensure_one()
        return self.active and self._is_complete()

    @api.model
    def _default_of(self, user_id):
        """The flagged alias of a user (void if none)."""
        # sudo: administrators create aliases for others
        return self.sudo().search(
            [("user_id", "=", user_id), ("is_default", "=", True)], limit=1
        )

    @api.model
    def _next_default(self, user):
        candidates = self.sudo().search([("user_id", "=", user.id)], order="id")
        return candidates.filtered(lambda a: a._can_be_default())[:1]

    def _reassign_default(self):
        """Give the flag of each owner who has none to an alias that can send."""
        for user in self.user_id:
            if not self._default_of(user.id):
                self._next_default(user)._set_default(True)

    def _set_default(self, value):
        if self:
            super().write({"is_default": value, "is_default_wanted": False})
            # the unique index must see this before the next flag is set
            self.flush_recordset(["is_default"])

    def _claim_default(self):
        """Take the flag from whichever alias of the owner holds it."""
        self.ensure_one()
        (self._default_of(self.user_id.id) - self)._set_default(False)
        self._set_default(True)

    def _follow_default(self, able_before, wish):
        """Let the flag follow who can send now, and what was asked for.

        :param able_before: those of these aliases that could hold it before
        :param wish: whether the flag was asked for, None when nobody did
        """
        able = self.filtered(lambda a: a._can_be_default())
        if wish:
            self.ensure_one()
            # an archived alias is refused; one that cannot send yet has to wait
            if able or not self.active:
                self._claim_default()
            else:
                super().write({"is_default_wanted": True})
        elif wish is not None:
            self._set_default(False)
        (self - able).filtered("is_default")._set_default(False)
        for alias in able.filtered("is_default_wanted"):
            alias._claim_default()
        ((able - able_before) | (able_before - able))._reassign_default()

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
        """Flag the first alias of a user that can send, and no second one.

        Changes ``vals_list`` in place.
        """
        users_with_default = set()
        for vals in vals_list:
            user_id = vals["user_id"]
            is_wanted, vals["is_default"] = vals.get("is_default"), False
            if not vals["active"] or user_id in users_with_default:
                continue
            if not self.new(vals)._is_complete():
                vals["is_default_wanted"] = bool(is_wanted)
                continue
            default = self._default_of(user_id)
            if is_wanted:
                default._set_default(False)
            vals["is_default"] = bool(is_wanted or not default)
            if vals["is_default"]:
                users_with_default.add(user_id)
