import json
import time
from datetime import datetime, timezone

from odoo import fields, models, tools

# Those that say who gets it.
RECIPIENT_FIELDS = frozenset(
    ("contact_list_ids", "mailing_domain", "mailing_filter_id", "mailing_model_id")
)


class UserEmailAliasCounted(models.AbstractModel):
    """A mailing goes to whom its owner counted when they put it in the queue.

    Who comes afterwards is not written to, nor an address that was changed. What
    others do can make the mailing smaller only, and the chatter says so.
    """

    _name = "user.email.alias.counted"
    _description = "Email Alias: Counted Recipients"

    email_alias_counted = fields.Text(
        groups=fields.NO_ACCESS,
        copy=False,
        exportable=False,
        prefetch=False,
        help="When the owner put it in the queue, in seconds since the epoch; id and "
        "address of each recipient then.",
    )

    def _email_alias_count_up(self):
        """Note who the recipients are now."""
        # sudo: nobody reads or writes it; whose mailing it is was checked
        for mailing in self.filtered(lambda m: m.sudo().email_alias_id):
            # a former count does not restrict this one
            mailing.sudo().email_alias_counted = False
            Recipients = self.env[mailing.mailing_model_real]
            found = Recipients.search(mailing._get_recipients_domain(), order="id")
            counted = [time.time(), list(_get_addresses(found).items())]
            mailing.sudo().email_alias_counted = json.dumps(counted)

    def _email_alias_queue_again(self):
        """Note that the owner has just put it in the queue, for whom it was then."""
        # sudo: as above
        for mailing_sudo in self.sudo().filtered("email_alias_counted"):
            _then, addresses = json.loads(mailing_sudo.email_alias_counted)
            mailing_sudo.email_alias_counted = json.dumps([time.time(), addresses])

    def _email_alias_get_counted(self):
        """Whom it goes to.

        :return: dict id -> address, or None: to whom it finds
        """
        self.ensure_one()
        # sudo: nobody reads it
        mailing_sudo = self.sudo()
        if self.state == "draft" or not mailing_sudo.email_alias_id:
            return None
        counted = mailing_sudo.email_alias_counted
        return dict(json.loads(counted)[1]) if counted else None

    def _email_alias_get_moment(self):
        """When its owner wanted it to leave, naive UTC."""
        # sudo: nobody reads it
        counted = self.sudo().email_alias_counted
        queued_at = json.loads(counted)[0] if counted else time.time()
        moments = [
            datetime.fromtimestamp(queued_at, timezone.utc).replace(tzinfo=None),
            self.schedule_date,
        ]
        if self.ab_testing_enabled:
            moments.append(self.ab_testing_schedule_datetime)
        return max(filter(None, moments))

    def _email_alias_filter_counted(self, res_ids):
        """Leave out whose address was changed."""
        counted = self._email_alias_get_counted()
        if counted is None:
            return res_ids
        # sudo: as the job sees them
        records_sudo = self.env[self.mailing_model_real].sudo().browse(res_ids)
        now = _get_addresses(records_sudo)
        return [res_id for res_id in res_ids if now[res_id] == counted.get(res_id)]

    def _email_alias_tell_left_out(self):
        """Say in the chatter how many of those counted got nothing."""
        for mailing in self:
            counted = mailing._email_alias_get_counted()
            if not counted or mailing.ab_testing_enabled:
                continue
            # sudo: figures of a mailing are read with the mailing
            reached = (
                self.env["mailing.trace"]
                .sudo()
                .search_count(
                    [
                        ("mass_mailing_id", "=", mailing.id),
                        ("is_test_trace", "=", False),
                    ]
                )
            )
            if reached < len(counted):
                mailing.sudo()._message_log(
                    body=self.env._(
                        "%(left)s of the %(total)s recipients counted when this was "
                        "put in the queue were left out: they are gone, no longer "
                        "match, or have another address now.",
                        left=len(counted) - reached,
                        total=len(counted),
                    )
                )


def _get_addresses(records):
    """Address by id; where the model has none of its own, those of its contacts."""
    fname = records._mail_get_primary_email_field()
    contacts = records._mail_get_partners()
    found = {}
    for record in records:
        own = fname and (tools.email_normalize(record[fname]) or record[fname])
        emails = [c.email_normalized or c.email or "" for c in contacts[record.id]]
        found[record.id] = own or ", ".join(sorted(emails)) or False
    return found
