import json

from odoo import api, fields, models

from ..tools.epoch import to_datetime
from .user_email_alias_rights import NO_RIGHTS

UNCERTAIN = "email_alias_uncertain"

# A mail that is due so soon, in seconds, has no time to be named.
SOON_SECONDS = 2


class UserEmailAliasMailOutcome(models.AbstractModel):
    """What a submission, or the wait for it, makes of a mail; who is told."""

    _name = "user.email.alias.mail.outcome"
    _description = "Email Alias: Outcome of a Mail"

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

    def _email_alias_is_uncertain(self):
        self.ensure_one()
        return self.failure_type == UNCERTAIN

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
            "failure_type": False,
            "failure_reason": reply,
        }
        if pending is not None:
            values["email_alias_pending"] = json.dumps(pending)
        # sudo: what the queue notes is written by it alone
        self.sudo().write(values)

    def _email_alias_step(self, now):
        """How far this mail has come, when it is not submitted."""
        self.ensure_one()
        if self.state == "cancel":
            return {"state": "cancelled", "reply": self.failure_reason}
        if self.state == "exception":
            state = "uncertain" if self._email_alias_is_uncertain() else "refused"
            return {"state": state, "reply": self.failure_reason}
        alias = self.email_alias_id
        until = max(self.email_alias_due, alias.backoff_until)
        reply = alias._get_owner_trouble() or self.failure_reason
        if alias.state == "hold" or alias.backoff_until > now:
            reply = alias.state_message
        if not alias.active:
            reply = self.env._("The email alias is archived.")
        is_copy = alias._is_copy()
        if is_copy:
            reply = alias._get_copy_message()
        if (
            is_copy
            or alias.state == "hold"
            or alias.is_paused
            or self.email_alias_is_paused
            or not alias.active
            or self.failure_type == NO_RIGHTS
        ):
            until = 0
        is_soon = until <= now + SOON_SECONDS
        at = False if is_soon else fields.Datetime.to_string(to_datetime(until))
        return {"state": "waiting", "reply": reply, "until": at}

    def _email_alias_notify_author(self):
        """Tell when the transaction, log included, is complete.

        A campaign is not told mail by mail: its mailing shows the progress.
        """
        precommit = self.env.cr.precommit
        key = "user_email_alias.outcomes"
        for mail in self:
            shown = mail._email_alias_shown_as()
            if mail.email_alias_bulk or not shown:
                continue
            if key not in precommit.data:
                precommit.data[key] = self.env["mail.message"]
                precommit.add(
                    lambda: precommit.data.pop(key)._email_alias_notify_outcome()
                )
            precommit.data[key] |= shown

    def _email_alias_shown_as(self):
        """The message in a chatter that stands for this mail, or void."""
        self.ensure_one()
        message = self.mail_message_id
        if self.email_alias_message_id:
            return self.email_alias_message_id
        is_shown = self.is_notification and message._is_thread_message_visible()
        return message if is_shown else message.browse()
