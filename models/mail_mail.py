import json
import time
from datetime import timezone

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.base.models.ir_mail_server import MailDeliveryException

from ..sending.lane import Lane
from ..sending.message import Capture
from ..sending.queries import PAUSED_SECONDS

UTC = timezone.utc

# How long a user may have to wait for a mail server, in seconds.
SEND_NOW_SECONDS = 45

UNCERTAIN = "email_alias_uncertain"


def _epoch(moment):
    """Seconds since the epoch of a naive UTC datetime; 0 for none."""
    return moment.replace(tzinfo=UTC).timestamp() if moment else 0.0


# What recipients get to see, and who they are; the rest is on the message.
CONTENT_FIELDS = frozenset(
    ("body_html", "email_cc", "email_to", "headers", "recipient_ids", "references")
)


class MailMail(models.Model):
    _inherit = "mail.mail"

    # On the mail itself, not by way of its message: the queue picks by index.
    email_alias_id = fields.Many2one(
        "user.email.alias",
        "Email Alias",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        help="This mail is submitted by this alias or not at all.",
    )
    email_alias_bulk = fields.Boolean(
        "Bulk", readonly=True, help="Paced by the alias's delay."
    )
    email_alias_due = fields.Float(
        "Due",
        readonly=True,
        copy=False,
        digits=(17, 6),
        aggregator=None,
        help="Seconds since the epoch; not submitted before.",
    )
    email_alias_pending = fields.Text(
        readonly=True,
        copy=False,
        help="The recipients that are left, when some have been served already.",
    )
    failure_type = fields.Selection(
        selection_add=[(UNCERTAIN, "Uncertain: the server's answer was never read")]
    )

    _email_alias_queue = models.Index(
        "(email_alias_id, email_alias_bulk, email_alias_due, id) "
        "WHERE state = 'outgoing' AND email_alias_id IS NOT NULL"
    )

    # ------------------------------------------------------------------
    # Hooks of core
    # ------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """Extend: only the owner sends with an alias; its mail enters our queue.

        An alias is named outright: no default of a context or a user counts.
        """
        vals_list = [dict(vals) for vals in vals_list]
        self._email_alias_of_mailing(vals_list)
        for vals in vals_list:
            vals.setdefault("email_alias_id", False)
        aliases = self.env["user.email.alias"].browse(
            {vals["email_alias_id"] for vals in vals_list if vals.get("email_alias_id")}
        )
        if not aliases:
            return super().create(vals_list)
        aliases._check_owner()
        now = self.env["user.email.alias"]._now()
        # sudo: the names of one's own aliases
        for vals in vals_list:
            alias_sudo = aliases.browse(vals.get("email_alias_id")).sudo()
            if alias_sudo:
                vals["email_from"] = alias_sudo._get_formatted_from()
                vals["mail_server_id"] = False
                vals["email_alias_due"] = now + self._email_alias_delay_of(vals)
                vals["email_alias_bulk"] = bool(vals.get("email_alias_bulk"))
        mails = super().create(vals_list)
        ours = mails.filtered("email_alias_id")
        for mail in ours:
            if mail.scheduled_date:
                mail.email_alias_due = _epoch(mail.scheduled_date)
            if not mail.is_notification or not mail.mail_message_id.email_alias_id:
                mail.mail_message_id.email_alias_id = mail.email_alias_id
        ours._email_alias_wake()
        return mails

    def write(self, vals):
        """Extend: an alias stays; whatever is put back in line is due anew.

        Only the owner changes what the mail says or whom it goes to.
        """
        alias_id = vals.get("email_alias_id")
        if "email_alias_id" in vals and any(
            mail.email_alias_id.id != alias_id and (mail.state != "sent" or alias_id)
            for mail in self
        ):
            raise UserError(
                self.env._("A mail keeps the email alias it was written with.")
            )
        if not self.env.su and not CONTENT_FIELDS.isdisjoint(vals):
            self.email_alias_id._check_owner()
        result = super().write(vals)
        if vals.get("state") == "outgoing" or "scheduled_date" in vals:
            self.filtered("email_alias_id")._email_alias_requeue()
        return result

    def send(self, auto_commit=False, raise_exception=False, post_send_callback=None):
        """Restrict to mail without alias; ours waits for its lane.

        With ``raise_exception``, and for the test of a mailing, the caller wants the
        outcome: the mail is submitted at once.
        """
        ours = self.filtered("email_alias_id")
        result = super(MailMail, self - ours).send(
            auto_commit=auto_commit,
            raise_exception=raise_exception,
            post_send_callback=post_send_callback,
        )
        if raise_exception or self.env.context.get("mailing_test_mail"):
            # whoever asks for it: bulk mail keeps its pace
            direct = ours.filtered(lambda mail: not mail.email_alias_bulk)
            direct._email_alias_send_now(raise_exception)
            ours -= direct
        ours._email_alias_wake()
        return result

    @api.model
    def process_email_queue(self, email_ids=(), batch_size=1000):
        """Restrict to mail without alias, else it starves all other mail."""
        filters = list(self.env.context.get("filters") or [])
        others = self.with_context(filters=[*filters, ("email_alias_id", "=", False)])
        return super(MailMail, others).process_email_queue(
            email_ids=email_ids, batch_size=batch_size
        )

    def _send(
        self,
        auto_commit=False,
        raise_exception=False,
        smtp_session=None,
        alias_domain_id=False,
        mail_server=False,
        post_send_callback=None,
    ):
        """Restrict: a mail with an alias has no way past its lane."""
        if not isinstance(smtp_session, Capture) and self.email_alias_id:
            raise UserError(
                self.env._("A mail with an email alias leaves by that alias only.")
            )
        return super()._send(
            auto_commit=auto_commit,
            raise_exception=raise_exception,
            smtp_session=smtp_session,
            alias_domain_id=alias_domain_id,
            mail_server=mail_server,
            post_send_callback=post_send_callback,
        )

    # ------------------------------------------------------------------
    # Queue
    # ------------------------------------------------------------------

    @api.model
    def _email_alias_of_mailing(self, vals_list):
        """Whatever is sent for a mailing leaves by the mailing's alias."""
        for vals in vals_list:
            if vals.get("mailing_id") and "email_alias_id" not in vals:
                # sudo: the alias of a mailing is read with the mailing
                mailing_sudo = (
                    self.env["mailing.mailing"].sudo().browse(vals["mailing_id"])
                )
                if mailing_sudo.email_alias_id:
                    vals["email_alias_id"] = mailing_sudo.email_alias_id.id

    @api.model
    def _email_alias_delay_of(self, vals):
        """A mail of a paused mailing waits with the others."""
        # sudo: whether a mailing is paused is read with the mailing
        mailing_sudo = self.env["mailing.mailing"].sudo().browse(vals.get("mailing_id"))
        return PAUSED_SECONDS if mailing_sudo.email_alias_is_paused else 0.0

    def _email_alias_cancel(self):
        """Take waiting mail out of the queue for good."""
        waiting = self.filtered(lambda m: m.state == "outgoing")
        waiting.cancel()
        waiting.mailing_trace_ids.set_canceled()
        notifications = self.env["mail.notification"].search(
            [
                ("mail_mail_id", "in", waiting.ids),
                ("notification_status", "not in", ("sent", "canceled")),
            ]
        )
        notifications.write({"notification_status": "canceled"})

    def _email_alias_wake(self):
        if any(mail.state == "outgoing" for mail in self):
            self.env["user.email.alias.queue"]._trigger_cron()

    def _email_alias_requeue(self):
        now = self.env["user.email.alias"]._now()
        for mail in self.filtered(lambda m: m.state == "outgoing"):
            mail.email_alias_due = max(now, _epoch(mail.scheduled_date))
        self._email_alias_wake()

    def _email_alias_lock(self):
        """Make sure that what this transaction sees of the mails is still so.

        :raise psycopg2.errors.SerializationFailure: it is not (REPEATABLE READ)
        :raise psycopg2.errors.LockNotAvailable: somebody else is changing one
        """
        self.flush_recordset()
        self.env.cr.execute(
            SQL(
                "SELECT id FROM mail_mail WHERE id IN %s FOR NO KEY UPDATE NOWAIT",
                tuple(self.ids),
            )
        )

    def _email_alias_send_now(self, raise_exception):
        """Submit within the caller's transaction and know the outcome.

        :raise UserError: a lane is at work for the alias
        :raise MailDeliveryException: ``raise_exception``, and a mail was not accepted
        """
        if not self or self.env["user.email.alias.queue"]._is_stopped():
            return
        for alias, mails in self.grouped("email_alias_id").items():
            alias._check_owner()
            now = time.monotonic()
            lane = Lane(self.env.registry, alias.id, now, now + SEND_NOW_SECONDS)
            if lane.deliver_now(mails):
                raise UserError(
                    self.env._(
                        "“%s” is sending or on hold right now. Try again in a moment.",
                        alias.display_name,
                    )
                )
        for mail in self.exists():
            if mail.state == "outgoing":
                mail._email_alias_record_refused(mail.failure_reason, False)
            if mail.state == "exception" and raise_exception:
                raise MailDeliveryException(
                    self.env._("Mail Delivery Failed"), mail.failure_reason or ""
                )

    def _email_alias_split(self):
        """Make one mail of each submission, so that a retry repeats nobody.

        Core sends a separate email to the addresses and to each partner of a mail.

        :return: whether anything was split off
        """
        self.ensure_one()
        if not self._email_alias_is_several():
            return False
        partners = self.recipient_ids
        extra = partners if self.email_to or self.email_cc else partners[1:]
        notifications = self.env["mail.notification"].search(
            [("mail_mail_id", "=", self.id), ("res_partner_id", "in", extra.ids)]
        )
        for partner in extra:
            single = self.copy(self._email_alias_single_vals(partner))
            notifications.filtered(
                lambda n, p=partner: n.res_partner_id == p
            ).mail_mail_id = single
        self.recipient_ids -= extra
        self.flush_recordset()
        return True

    def _email_alias_is_several(self):
        """Whether core would send more than one email for this mail."""
        self.ensure_one()
        if self.state != "outgoing":
            return False
        return len(self.recipient_ids) + bool(self.email_to or self.email_cc) > 1

    def _email_alias_single_vals(self, partner):
        vals = {
            "headers": self.headers,
            "email_to": False,
            "email_cc": False,
            "recipient_ids": [fields.Command.set(partner.ids)],
        }
        if self.is_notification:
            vals["mail_message_id"] = self.mail_message_id.id
        else:
            # a message of its own: deleting this mail must not take the others along
            vals["message_id"] = self.message_id
        return vals

    def _email_alias_get_pending(self):
        self.ensure_one()
        return json.loads(self.email_alias_pending or "[]")

    # ------------------------------------------------------------------
    # Outcomes
    # ------------------------------------------------------------------

    def _email_alias_record_sent(self, message=None):
        """Do what core does with a mail that was accepted.

        Not deleted here: the lane sweeps many at once.

        :param message: the built message, which spares reading what it knows
        """
        self.ensure_one()
        partner_ids = message.partner_ids if message else self.recipient_ids.ids
        self.write({"state": "sent", "failure_type": False, "failure_reason": False})
        self.with_context(email_alias_sweep_later=True)._postprocess_sent_message(
            success_pids=list(self.env["res.partner"].browse(partner_ids)),
            success_emails=[],
        )

    def unlink(self):
        """Extend: a lane deletes what it sent many at a time."""
        if self.env.context.get("email_alias_sweep_later"):
            return super(
                MailMail, self.filtered(lambda m: not m.email_alias_id)
            ).unlink()
        return super().unlink()

    @api.model
    def _email_alias_sweep(self, alias_id, limit=None):
        """Delete the sent mails of an alias that are not to be kept."""
        self.search(
            [
                ("email_alias_id", "=", alias_id),
                ("state", "=", "sent"),
                ("auto_delete", "=", True),
            ],
            limit=limit,
        ).unlink()

    def _email_alias_record_refused(self, words, is_address):
        """Final: show the server's own words.

        :param is_address: the recipient was refused, not the message
        """
        self._email_alias_record_failure(
            "mail_email_invalid" if is_address else "unknown", words
        )

    def _email_alias_record_uncertain(self):
        """Never sent again by itself; the author decides."""
        self._email_alias_record_failure(
            UNCERTAIN,
            self.env._(
                "The connection broke after the email had been submitted. It may "
                "have arrived: please check, then send it again or mark it as sent."
            ),
        )

    def _email_alias_record_failure(self, failure_type, reason):
        self.ensure_one()
        self.write(
            {
                "state": "exception",
                "failure_type": failure_type,
                "failure_reason": reason,
            }
        )
        self._postprocess_sent_message(
            success_pids=[],
            success_emails=[],
            failure_reason=reason,
            failure_type=failure_type,
        )

    def _email_alias_defer(self, wait, words, pending=None):
        """Try again in ``wait`` seconds; until then the reason is there to read."""
        self.ensure_one()
        values = {
            "email_alias_due": self.env["user.email.alias"]._now() + wait,
            "failure_reason": words,
        }
        if pending is not None:
            values["email_alias_pending"] = json.dumps(pending)
        self.write(values)

    @api.model
    def _email_alias_waiting_domain(self):
        return Domain("email_alias_id", "!=", False) & Domain("state", "=", "outgoing")
