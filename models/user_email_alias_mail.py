import json
import time
from datetime import datetime, timezone

from markupsafe import Markup, escape

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from odoo.addons.base.models.ir_mail_server import MailDeliveryException

from ..exceptions import AliasRetry
from ..sending.lane import Lane

# How long a user may have to wait for a mail server, in seconds, and how much of it
# until a lane at work lets their mail in.
SEND_NOW_SECONDS = 45
LET_IN_SECONDS = 30

UNCERTAIN = "email_alias_uncertain"

# Before the Message-ID of a message that only a kept mail has.
KEPT = "kept:"

# A mail that is due so soon, in seconds, has no time to be named.
SOON_SECONDS = 2


class UserEmailAliasMail(models.AbstractModel):
    """What is done with a mail that has an alias, from the queue to its outcome."""

    _name = "user.email.alias.mail"
    _description = "Email Alias: Mail"

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
                if alias_sudo := mailing_sudo.email_alias_id:
                    vals["email_alias_id"] = alias_sudo.id
                    if alias_sudo.reply_to and mailing_sudo.reply_to_mode != "new":
                        vals["reply_to"] = alias_sudo.reply_to

    @api.model
    def _email_alias_is_of_paused(self, vals):
        """A mail of a paused mailing waits with the others."""
        # sudo: whether a mailing is paused is read with the mailing
        mailing_sudo = self.env["mailing.mailing"].sudo().browse(vals.get("mailing_id"))
        return mailing_sudo.email_alias_is_paused

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
        waiting = self.filtered(lambda mail: mail.state == "outgoing")
        if waiting:
            Queue = self.env["user.email.alias.queue"]
            Queue._trigger_cron()
            direct = waiting.filtered(lambda mail: not mail.email_alias_bulk)
            if direct:
                Queue._serve_soon(direct.email_alias_id.ids)

    def _email_alias_requeue(self):
        now = self.env["user.email.alias"]._now()
        for mail in self.filtered(lambda m: m.state == "outgoing"):
            # sudo: whether a mailing is paused is read with the mailing
            mailing_sudo = mail.sudo().mailing_id
            mail.write(
                {
                    "email_alias_due": max(now, to_epoch(mail.scheduled_date)),
                    "email_alias_is_paused": mailing_sudo.email_alias_is_paused,
                }
            )
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

        :raise UserError: nothing could be submitted
        :raise MailDeliveryException: ``raise_exception``, and a mail was not accepted
        """
        if self and self.email_alias_id._is_copy():
            raise UserError(self.email_alias_id._get_copy_message())
        if not self or self.env["user.email.alias.queue"]._is_stopped():
            return
        left, reason = self._email_alias_submit()
        if left == self:
            raise UserError(reason)
        mails = self.exists()
        for mail in mails.filtered(lambda mail: mail.state == "outgoing"):
            mail._email_alias_record_unsent(mail.failure_reason or reason)
        failed = mails.filtered(lambda mail: mail.state == "exception")
        if failed and raise_exception:
            if failed.filtered(lambda mail: mail.failure_type != UNCERTAIN) != self:
                # the exception must not take back what has left, or may have
                self.env.cr.commit()  # pylint: disable=invalid-commit
            raise MailDeliveryException(
                self.env._("Mail Delivery Failed"), failed[0].failure_reason or ""
            )

    def _email_alias_submit(self):
        """Submit each mail as soon as its alias lets it in.

        :return: the mails that were not submitted, and why
        """
        self.email_alias_id._check_owner()
        left, reasons = self.browse(), []
        for alias, mails in self.grouped("email_alias_id").items():
            now = time.monotonic()
            lane = Lane(self.env.registry, alias.id, now, now + SEND_NOW_SECONDS)
            skipped, reason = mails, ""
            try:
                skipped = lane.deliver_now(mails, 1000 * LET_IN_SECONDS)
            except AliasRetry as error:
                reason = f"{alias.display_name}: {error}"
            if skipped:
                left += skipped
                reasons.append(
                    reason
                    or self.env._(
                        "“%s” is paused or on hold: nothing is sent with it now.",
                        alias.display_name,
                    )
                )
        return left, "\n".join(reasons)

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

    def _email_alias_keep(self):
        """Give a waiting mail a message and files of its own, as they are now."""
        self.ensure_one()
        # with OdooBot: nobody writes anything here, it is kept as it was
        mail = self.with_user(api.SUPERUSER_ID)
        shown = mail.mail_message_id
        own = shown.copy(
            {
                "model": False,
                "res_id": False,
                "message_id": KEPT + shown.message_id,
                "email_alias_id": mail.email_alias_id.id,
                "attachment_ids": False,
            }
        )
        place = {"res_model": own._name, "res_id": own.id}
        for attachment in shown.attachment_ids:
            own.attachment_ids += attachment.copy(place)
        mail.write(
            {
                "mail_message_id": own.id,
                "email_alias_message_id": mail.email_alias_message_id.id or shown.id,
            }
        )

    def _email_alias_restore_id(self, built):
        """Let a kept mail leave with the Message-ID it was sent off with.

        Its own message has another one, so that answers find the one in the chatter.

        :param email.message.EmailMessage built: what core has built; changed in place
        """
        message_id = built["Message-Id"] or ""
        if message_id.startswith(KEPT):
            del built["Message-Id"]
            built["Message-Id"] = message_id.removeprefix(KEPT)

    def _email_alias_replace_body(self, old, new):
        """Put the author's new words in the place of the old ones, whoever gets them.

        :param old: body and preview of the message, as core has rendered them
        :raise UserError: they are not found in the mail
        """
        self.ensure_one()
        render = self.env["mail.render.mixin"]._replace_local_links
        (body, preview), (new_body, new_preview) = old, new
        before, after = (str(render(text or "")) for text in (body, new_body))
        html = str(self.body_html or "")
        if not before or before not in html:
            raise UserError(
                self.env._(
                    "The waiting email cannot be changed any more: take it back and "
                    "write it anew."
                )
            )
        html = html.replace(before, after)
        if preview:
            html = html.replace(str(escape(preview)), str(escape(new_preview or "")))
        self.body_html = Markup(html)  # noqa: S704

    def _email_alias_check_in_hand(self):
        """Refuse to change what the mail server may be taking at this moment.

        :raise UserError: one of these mails is being submitted
        """
        # sudo: the log belongs to owners; only whether there is a claim counts
        Log = self.env["user.email.alias.log"].sudo()
        if Log.search_count(
            [("mail_mail_id", "in", self.ids), ("outcome", "=", False)], limit=1
        ):
            raise UserError(
                self.env._(
                    "This email is being sent right now. Look again in a moment."
                )
            )

    # ------------------------------------------------------------------
    # Outcomes
    # ------------------------------------------------------------------

    def _email_alias_record_sent(self, message=None):
        """Do what core does with a mail that was accepted.

        Not deleted here: the lane sweeps many at once.

        :param message: the built message, which spares reading what it knows
        """
        self.ensure_one()
        self._email_alias_notify_author()
        partner_ids = message.partner_ids if message else self.recipient_ids.ids
        self.write({"state": "sent", "failure_type": False, "failure_reason": False})
        self.with_context(email_alias_sweep_later=True)._postprocess_sent_message(
            success_pids=list(self.env["res.partner"].browse(partner_ids)),
            success_emails=[],
        )

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
        if not limit:
            # not after each step of a lane that goes on: the figures of a mailing are
            # read from all its traces
            self.env["mailing.mailing"]._email_alias_notify_finished_of(alias_id)

    def _email_alias_record_refused(self, reply, is_address):
        """Final: show the server's own words.

        :param is_address: the recipient was refused, not the message
        """
        self._email_alias_record_failure(
            "mail_email_invalid" if is_address else "unknown", reply, "refused"
        )

    def _email_alias_record_uncertain(self):
        """Never sent again by itself; the author decides."""
        self._email_alias_record_failure(
            UNCERTAIN,
            self.env._(
                "The connection broke after the email had been submitted. It may "
                "have arrived: please check, then send it again or mark it as sent."
            ),
            "uncertain",
        )

    def _email_alias_record_failure(self, failure_type, reason, outcome):
        """:param outcome: what is said of it below the message"""
        self.ensure_one()
        self._email_alias_notify_author()
        self.write(
            {
                "state": "exception",
                "failure_type": failure_type,
                "failure_reason": reason,
            }
        )
        self.with_context(email_alias_outcome=outcome)._postprocess_sent_message(
            success_pids=[],
            success_emails=[],
            failure_reason=reason,
            failure_type=failure_type,
        )

    def _email_alias_defer(self, wait, reply, pending=None):
        """Try again in ``wait`` seconds; until then the reason is there to read."""
        self.ensure_one()
        self._email_alias_notify_author()
        values = {
            "email_alias_due": self.env["user.email.alias"]._now() + wait,
            "failure_reason": reply,
        }
        if pending is not None:
            values["email_alias_pending"] = json.dumps(pending)
        self.write(values)

    # ------------------------------------------------------------------
    # Shown and told
    # ------------------------------------------------------------------

    def _email_alias_step(self, now):
        """How far this mail has come, when it is not submitted."""
        self.ensure_one()
        if self.state == "cancel":
            return {"state": "cancelled", "reply": self.failure_reason}
        if self.state == "exception":
            is_uncertain = self.failure_type == UNCERTAIN
            state = "uncertain" if is_uncertain else "unsent"
            return {"state": state, "reply": self.failure_reason}
        if self.state == "sent":
            return {"state": "sent"}
        alias = self.email_alias_id
        until = max(self.email_alias_due, alias.backoff_until)
        reply = self.failure_reason
        if alias.state == "hold" or alias.backoff_until > now:
            reply = alias.state_message
        is_copy = alias._is_copy()
        if is_copy:
            reply = alias._get_copy_message()
        if (
            is_copy
            or alias.state == "hold"
            or alias.is_paused
            or self.email_alias_is_paused
            or not alias.active
        ):
            until = 0
        return {
            "state": "waiting",
            "reply": reply,
            "until": _to_datetime(until) if until > now + SOON_SECONDS else False,
        }

    def _email_alias_notify_author(self):
        """Tell when the transaction, log included, is complete.

        A campaign is not told mail by mail: its mailing shows the progress.
        """
        precommit = self.env.cr.precommit
        key = "user_email_alias.outcomes"
        for mail in self:
            if mail.email_alias_bulk or not mail.is_notification:
                continue
            if key not in precommit.data:
                precommit.data[key] = self.env["mail.message"]
                precommit.add(
                    lambda: precommit.data.pop(key)._email_alias_notify_outcome()
                )
            precommit.data[key] |= mail.mail_message_id


def to_epoch(moment):
    """Seconds since the epoch of a naive UTC datetime; 0 for none."""
    return moment.replace(tzinfo=timezone.utc).timestamp() if moment else 0.0


def _to_datetime(moment):
    """Odoo's naive UTC text of seconds since the epoch."""
    at = datetime.fromtimestamp(moment, timezone.utc).replace(tzinfo=None)
    return fields.Datetime.to_string(at)
