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
# Those that say who gets it.
RECIPIENT_FIELDS = frozenset(
    (
        "contact_list_ids",
        "mailing_domain",
        "mailing_filter_id",
        "mailing_model_id",
        "mailing_on_mailing_list",
    )
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
    email_alias_counted = fields.Text(
        groups=fields.NO_ACCESS,
        copy=False,
        exportable=False,
        prefetch=False,
        help="The ids of the recipients when the owner put it in the queue.",
    )

    def _email_alias_count_up(self):
        """Note who the recipients are now: nobody else is written to."""
        # sudo: nobody reads or writes it; whose mailing it is was checked
        for mailing in self.filtered(lambda m: m.sudo().email_alias_id):
            # a former count does not restrict this one
            mailing.sudo().email_alias_counted = False
            Recipients = self.env[mailing.mailing_model_real]
            found = Recipients.search(mailing._get_recipients_domain(), order="id")
            mailing.sudo().email_alias_counted = json.dumps(found.ids)

    def _email_alias_restrict(self, domain):
        """Leave out whoever was not counted."""
        # sudo: nobody reads it
        mailing_sudo = self.sudo()
        counted = mailing_sudo.email_alias_id and mailing_sudo.email_alias_counted
        if not counted or self.state == "draft":
            return domain
        return domain & fields.Domain("id", "in", json.loads(counted))

    def _email_alias_tell_left_out(self):
        """Say in the chatter how many are not there any more, or do not match."""
        for mailing in self:
            # sudo: figures of a mailing are read with the mailing
            mailing_sudo = mailing.sudo()
            if not mailing_sudo.email_alias_id or mailing.ab_testing_enabled:
                continue
            total = len(json.loads(mailing_sudo.email_alias_counted or "[]"))
            traces = self.env["mailing.trace"].sudo()
            reached = traces.search_count(
                [("mass_mailing_id", "=", mailing.id), ("is_test_trace", "=", False)]
            )
            if reached < total:
                mailing_sudo._message_log(
                    body=self.env._(
                        "%(left)s of the %(total)s recipients counted when this was "
                        "put in the queue were left out: they are gone or no longer "
                        "match.",
                        left=total - reached,
                        total=total,
                    )
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
