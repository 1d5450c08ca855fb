import contextlib
import itertools
import logging
from collections import Counter
from typing import NamedTuple

from psycopg2 import errors

from odoo import api, fields, models
from odoo.tools import SQL

from ..tools import oauth, vault
from .user_email_alias_oauth_settings import SECRET, SECRETS

_logger = logging.getLogger(__name__)


class Reencrypted(NamedTuple):
    """How many secrets got the first key, stay closed, or were in use by others."""

    done: int = 0
    closed: int = 0
    busy: int = 0


class UserEmailAliasKeys(models.AbstractModel):
    """The keys of the vault in use: what each one still opens, and how it retires."""

    _name = "user.email.alias.keys"
    _description = "Email Alias Keys"

    @api.model
    def _get_columns(self):
        """The columns of an alias that hold cipher text."""
        return [
            name
            for name, field in self.env["user.email.alias"]._fields.items()
            if field.store
            and field.groups == fields.NO_ACCESS
            and name.endswith("_secret")
        ]

    @api.model
    def _count_by_key__(self):
        """Count the secrets that were encrypted with each key.

        :return: list of (key id, place among our keys from 0 or None, count): our keys
            first, also those of no secret, then those that are missing
        :raise vault.KeyMissing: there is no usable key
        """
        ours = self.env["user.email.alias.oauth.settings"]._get_vault__().key_ids
        counts = Counter(
            token.split(":")[1] if token.count(":") == 2 else "-"
            for token in [*self._get_alias_tokens(), *self._get_client_secrets()]
        )
        missing = sorted(counts.keys() - set(ours))
        return [
            *((key, place, counts[key]) for place, key in enumerate(ours)),
            *((key, None, counts[key]) for key in missing),
        ]

    @api.model
    def _get_alias_tokens(self):
        self.env["user.email.alias"].flush_model()
        columns = SQL(", ").join(map(SQL.identifier, self._get_columns()))
        self.env.cr.execute(SQL("SELECT %s FROM user_email_alias", columns))
        return [token for row in self.env.cr.fetchall() for token in row if token]

    @api.model
    def _get_client_secrets(self):
        Settings = self.env["user.email.alias.oauth.settings"]
        return [
            token
            for key, setting in itertools.product(oauth.PROVIDERS, SECRETS)
            if (token := Settings._get_param(key, setting))
        ]

    @api.model
    def _reencrypt__(self):
        """Encrypt everything with the first key, whatever is being sent meanwhile.

        Each alias is a transaction of its own, of milliseconds. One that somebody else
        holds for long is left as it is: whatever renews its secret uses the first key.

        :return: a Reencrypted
        """
        total = Counter()
        with contextlib.closing(self.env.registry.cursor()) as cr:
            # sudo: secrets of all users; none of them is shown
            env = api.Environment(cr, self.env.uid, {}, su=True)
            Aliases = env["user.email.alias"]
            cr.execute("SELECT id FROM user_email_alias ORDER BY id")
            ids = [id_ for (id_,) in cr.fetchall()]
            cr.commit()
            for alias_id in ids:
                try:
                    env.invalidate_all()
                    alias = Aliases.browse(alias_id).exists()
                    total.update(alias._reencrypt_row__())
                    cr.commit()
                except (errors.LockNotAvailable, errors.SerializationFailure):
                    cr.rollback()
                    total["busy"] += 1
            total.update(env[self._name]._reencrypt_client_secrets__())
            cr.commit()
        # other processes remember parameters
        self.env.registry.signal_changes()
        result = Reencrypted(**total)
        _logger.info("User %s: secrets encrypted anew: %s", self.env.uid, result)
        return result

    @api.model
    def _bind_unbound__(self):
        """Bind to their destination what an older version did not bind.

        Called when the add-on is installed or updated; does nothing once it was done.
        """
        Settings = self.env["user.email.alias.oauth.settings"]
        # sudo: the add-on's own update
        Aliases = self.env["user.email.alias"].sudo().with_context(active_test=False)
        for alias in Aliases.search([("provider", "!=", "smtp")]):
            for fname in ("oauth_secret", "oauth_pending_secret"):
                secret = self._read_unbound__(alias[fname], alias._get_binding(fname))
                if secret is not None:
                    alias._write_secret__(fname, secret)
        for key in oauth.PROVIDERS:
            token, binding = (
                Settings._get_param(key, SECRET),
                Settings._get_secret_binding(key),
            )
            secret = self._read_unbound__(token, binding)
            if secret is not None:
                Settings._set_client_secret__(key, secret)

    @api.model
    def _read_unbound__(self, token, binding):
        """Decrypt what is good for any destination; None if it is good for one."""
        if not token:
            return None
        try:
            box = self.env["user.email.alias.oauth.settings"]._get_vault__()
            return box.decrypt(token, binding._replace(target=""))
        except vault.VaultError:
            return None

    @api.model
    def _reencrypt_client_secrets__(self):
        Settings = self.env["user.email.alias.oauth.settings"]
        box, counts = Settings._get_vault__(), Counter()
        for key, setting in itertools.product(oauth.PROVIDERS, SECRETS):
            token = Settings._get_param(key, setting)
            if not token or box.is_current(token):
                continue
            try:
                secret = Settings._read_secret__(key, setting)
                Settings._set_secret__(key, setting, secret)
                counts["done"] += 1
            except vault.VaultError as error:
                _logger.warning("%s: %s stays closed: %s", key, setting, error)
                counts["closed"] += 1
        return counts

    @api.model
    def _get_key_lines__(self):
        """One sentence for each key, for an administrator."""
        try:
            counted = self._count_by_key__()
        except vault.KeyMissing as error:
            return [str(error)]
        return [self._get_key_line(*line) for line in counted]

    @api.model
    def _get_key_line(self, key, place, count):
        if place is None:
            return self.env._(
                "Key %(key)s is missing: %(count)s secrets need it.",
                key=key,
                count=count,
            )
        if place == 0:
            return self.env._(
                "Key %(key)s encrypts: it opens %(count)s secrets.",
                key=key,
                count=count,
            )
        if count:
            return self.env._(
                "Key %(key)s is an old one: it still opens %(count)s secrets.",
                key=key,
                count=count,
            )
        return self.env._(
            "Key %(key)s is an old one and opens nothing any more: remove it.", key=key
        )
