from odoo import api, fields, models
from odoo.tools import is_html_empty

# How long an alias may stay empty before it is taken for forgotten.
ABANDONED_DAYS = 1

# What the server, or the form by itself, fills in.
NOT_TYPED = frozenset(
    (
        *models.MAGIC_COLUMNS,
        "active",
        "alias_name",
        "is_default",
        "is_default_wanted",
        "key",
        "user_id",
    )
)


class UserEmailAliasAbandoned(models.AbstractModel):
    """A sign-in saves the form first; if nobody finishes it, an empty alias stays.

    It goes away, unless somebody typed something into it or it has to do with a mail.
    """

    _name = "user.email.alias.abandoned"
    _description = "Email Alias: Abandoned"

    @api.autovacuum
    def _gc_abandoned(self):
        if self._abstract:
            # the job calls this method of the model and of its part alike
            return
        # sudo: they belong to many users
        limit = fields.Datetime.subtract(fields.Datetime.now(), days=ABANDONED_DAYS)
        old = self.sudo().search(
            [
                ("provider", "=", "smtp"),
                ("name", "=", False),
                ("email_from", "=", False),
                ("write_date", "<", limit),
            ]
        )
        old._remove_abandoned()

    def _remove_abandoned(self):
        """Delete those of these aliases that are empty.

        :return: whether nothing is left of them
        """
        # sudo: what its owner began; only the server finds out that it was given up
        abandoned_sudo = self.sudo().filtered(lambda a: a._is_blank())
        abandoned_sudo.unlink()
        return len(abandoned_sudo) == len(self)

    def _is_blank(self):
        """Whether nobody typed anything and nothing was ever done with the alias."""
        self.ensure_one()
        typed, secrets = self._get_typed_fields()
        defaults = self.with_user(self.user_id).default_get(typed)
        names = {False, self.user_id.name, self.create_uid.name}
        return (
            self.provider == "smtp"
            and (self.alias_name or False) in names
            and not any(self[fname] for fname in secrets)
            and all(self._is_as_given(fname, defaults.get(fname)) for fname in typed)
            and not self._is_referenced()
        )

    @api.model
    def _get_typed_fields(self):
        """The names of what users fill in, and of what keeps a secret."""
        stored = {n: f for n, f in self._fields.items() if f.store}
        closed = {n for n, f in stored.items() if f.groups == fields.NO_ACCESS}
        secrets = closed - NOT_TYPED
        skipped = NOT_TYPED | self._get_server_fields() | closed
        return [fname for fname in stored if fname not in skipped], secrets

    def _is_as_given(self, fname, default):
        field, value = self._fields[fname], self[fname]
        if field.type == "html":
            return is_html_empty(value)
        if field.relational:
            return value.ids == self.env[field.comodel_name].browse(default or ()).ids
        return (value or False) == (default or False)

    def _is_referenced(self):
        """Whether a mail, a mailing, the log or whatever else names the alias."""
        return any(
            # sudo: whoever it belongs to
            model.sudo()
            .with_context(active_test=False)
            .search_count([(field.name, "in", self.ids)], limit=1)
            for model in self.env.values()
            if model._name != "user.email.alias.event"
            and not model._abstract
            and not model._transient
            and model._auto
            for field in model._fields.values()
            if field.type == "many2one"
            and field.store
            and field.comodel_name == self._name
        )
