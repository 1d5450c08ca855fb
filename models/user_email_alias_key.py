import uuid

from odoo import api, fields, models
from odoo.exceptions import UserError


class UserEmailAliasKey(models.AbstractModel):
    """Names the alias in what outlives it.

    Text that is stored elsewhere is still there when the add-on was uninstalled and
    installed anew; an id then names somebody else's alias, a key names none.
    """

    _name = "user.email.alias.key"
    _description = "Email Alias: Key"

    key = fields.Char(
        compute="_compute_key",
        store=True,
        copy=False,
        exportable=False,
        groups=fields.NO_ACCESS,
    )

    _key_uniq = models.UniqueIndex("(key)")

    @api.depends("user_id")
    def _compute_key(self):
        """Once: an alias stays with its user."""
        for alias in self:
            alias.key = str(uuid.uuid4())

    @api.model
    def _find_by_key(self, key):
        """The alias of that key, or none; an archived one counts."""
        if not key or not isinstance(key, str):
            return self.browse()
        # sudo: nobody reads a key
        found_sudo = self.sudo().with_context(active_test=False)
        return found_sudo.search([("key", "=", key)]).with_env(self.env)

    @api.model
    def _get_by_key(self, key):
        """As :meth:`_find_by_key`.

        :raise UserError: there is no such alias any more
        """
        alias = self._find_by_key(key)
        if not alias:
            raise UserError(
                self.env._(
                    "The email alias this was written with is not there any more: "
                    "choose another From."
                )
            )
        return alias
