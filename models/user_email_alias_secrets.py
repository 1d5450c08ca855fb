import logging
from collections import Counter

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..tools import vault

_logger = logging.getLogger(__name__)


class UserEmailAliasSecrets(models.AbstractModel):
    """What an alias keeps in the vault: bound to its row and to where it may go.

    The parts that have a secret say where in ``_get_target``.
    """

    _name = "user.email.alias.secrets"
    _description = "Email Alias: Secrets"

    def _get_vault__(self):
        return self.env["user.email.alias.oauth.settings"]._get_vault__()

    def _get_binding(self, fname):
        uuid = self.env["ir.config_parameter"]._email_alias_get("database.uuid")
        target = self._get_target(fname)
        return vault.Binding(uuid, self._name, self.id, fname, target)

    def _write_secret__(self, fname, secret):
        """Encrypt ``secret`` for this row and field.

        :raise UserError: there is no usable key
        """
        self.ensure_one()
        # sudo: nobody may read or write the column but this method and its twin
        self.sudo()[fname] = self._encrypt__(secret, self._get_binding(fname))

    def _encrypt__(self, secret, binding):
        """The cipher text of a secret that is good for one place only.

        :raise UserError: there is no usable key
        """
        try:
            return self._get_vault__().encrypt(secret, binding)
        except vault.VaultError as error:
            raise UserError(
                self.env._("The password cannot be stored safely: %s", error)
            ) from None

    def _read_secret__(self, fname):
        """Decrypt a secret for the length of a login.

        :return: the secret, or None when none is stored
        :raise vault.VaultError: key missing or wrong, cipher text moved or damaged
        """
        self.ensure_one()
        cipher = self.sudo()[fname]
        if not cipher:
            return None
        return self._get_vault__().decrypt(cipher, self._get_binding(fname))

    def _reencrypt_row__(self):
        """Encrypt what this alias keeps with the key that encrypts now.

        In SQL, as nothing but the cipher text changes.

        :return: Counter of the secrets by what became of them
        :raise psycopg2.errors.LockNotAvailable: somebody else holds the row
        """
        box, counts = self._get_vault__(), Counter()
        columns = self.env["user.email.alias.keys"]._get_columns()
        if not any(
            self[fname] and not box.is_current(self[fname]) for fname in columns
        ):
            return counts
        self._lock_row()
        self.invalidate_recordset()
        for fname in columns:
            token = self[fname]
            if not token or box.is_current(token):
                continue
            try:
                renewed = box.rotate(token, self._get_binding(fname))
            except vault.VaultError as error:
                _logger.info("Alias %s: %s stays closed: %s", self.id, fname, error)
                counts["closed"] += 1
                continue
            counts["done"] += 1
            column = SQL.identifier(fname)
            self.env.cr.execute(
                SQL(
                    "UPDATE user_email_alias SET %s = %s WHERE id = %s",
                    column,
                    renewed,
                    self.id,
                )
            )
        self.invalidate_recordset(columns, flush=False)
        if counts["done"]:
            self._record_event("reencrypted")
        return counts
