import json

from odoo import fields, models, tools

# What the owner of an alias agrees to when a mailing is put in the queue.
SEALED_FIELDS = (
    "email_alias_id",
    "user_id",
    "subject",
    "preview",
    "body_html",
    "email_from",
    "reply_to",
    "reply_to_mode",
    "mailing_type",
    "mailing_model_id",
    "mailing_domain",
    "contact_list_ids",
    "use_exclusion_list",
    "keep_archives",
    "schedule_date",
    "ab_testing_enabled",
)
# What the server alone writes: no change of what was agreed to.
SEAL_FIELDS = frozenset(("email_alias_seal", "email_alias_counted"))
# Those of an A/B test: how many get it, and who of them all gets the winner.
SEALED_TEST_FIELDS = (
    "campaign_id",
    "ab_testing_pc",
    "ab_testing_winner_selection",
    "ab_testing_schedule_datetime",
)


class UserEmailAliasSeal(models.AbstractModel):
    """A mailing leaves as its alias's owner put it in the queue, or not at all.

    The job that sends mailings, and the one that sends the winner of an A/B test, run
    as OdooBot: they carry the owner's consent, they do not replace it.
    """

    _name = "user.email.alias.seal"
    _description = "Email Alias: Seal"

    email_alias_seal = fields.Char(
        groups=fields.NO_ACCESS,
        copy=False,
        exportable=False,
        help="Computed from all that the owner has put in the queue.",
    )

    def _email_alias_seal_up(self):
        """Keep what the mailing is now: its alias's owner has agreed to it."""
        # sudo: nobody reads or writes a seal; whose mailing it is was checked
        sealed_sudo = self.sudo().filtered("email_alias_id")
        # what is read again later is what the database has
        sealed_sudo.flush_recordset()
        sealed_sudo.invalidate_recordset()
        for mailing_sudo in sealed_sudo:
            mailing_sudo.email_alias_seal = mailing_sudo._email_alias_compute_seal()

    def _email_alias_is_sealed(self):
        """Whether the mailing is what its alias's owner put in the queue."""
        self.ensure_one()
        # sudo: nobody reads a seal
        mailing_sudo = self.sudo()
        return not mailing_sudo.email_alias_id or tools.consteq(
            mailing_sudo.email_alias_seal or "",
            mailing_sudo._email_alias_compute_seal(),
        )

    def _email_alias_compute_seal(self):
        """An HMAC: it fits no other mailing, and nobody can compute it outside."""
        self.ensure_one()
        names = SEALED_FIELDS
        if self.ab_testing_enabled:
            names += SEALED_TEST_FIELDS
        values = [self[name] for name in names]
        return compute_seal(self, [*values, self.email_alias_counted])


def compute_seal(record, values):
    """An HMAC of what a record will send: it fits no other record.

    :param values: records, or what text tells apart; the files are added
    """
    content = [
        sorted(value.ids) if isinstance(value, models.BaseModel) else value
        for value in values
    ]
    content += record.attachment_ids.sorted("id").mapped(
        lambda file: f"{file.id} {file.name} {file.mimetype} {file.checksum}"
    )
    message = json.dumps([record._name, record.id, list(map(str, content))])
    return tools.hmac(record.env(su=True), "user_email_alias.seal", message)
