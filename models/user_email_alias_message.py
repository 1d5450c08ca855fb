from collections import defaultdict

from odoo import models
from odoo.exceptions import UserError
from odoo.tools.mail import email_split_tuples

# What is told of a message with several recipients: the first of these that fits.
BY_GRAVITY = ("uncertain", "refused", "waiting", "cancelled", "sent")


class UserEmailAliasMessage(models.AbstractModel):
    """What became of a message that was written with an alias."""

    _name = "user.email.alias.message"
    _description = "Email Alias: Message"

    def _email_alias_outcomes_to_store(self, store):
        """Portal users and guests are not told."""
        if not store.target.is_internal(self.env):
            return
        user = store.target.get_user(self.env) or self.env.user
        for message_id, outcome in self._email_alias_outcomes(user).items():
            store.add(self.browse(message_id), {"emailAliasOutcome": outcome})

    def _email_alias_outcomes(self, user):
        """Tell for each message where it left from and how far it has come.

        The number of queries does not depend on the number of messages.

        :param user: who is told; what the server said is for the alias's owner only
        :return: dict of message id -> dict for the web client; messages without
            alias are not in it
        """
        # sudo: which alias a message has is read with the message
        messages_sudo = self.sudo().filtered("email_alias_id")
        if not messages_sudo:
            return {}
        now = self.env["user.email.alias"]._now()
        steps = defaultdict(list)
        mails_sudo = messages_sudo._email_alias_mails()
        for mail in mails_sudo:
            shown = mail.email_alias_message_id or mail.mail_message_id
            steps[shown.id].append(mail._email_alias_step(now))
        waiting = set(mails_sudo.filtered(lambda m: m.state == "outgoing").ids)
        for message_id, step in messages_sudo._email_alias_last_steps(waiting):
            steps[message_id].append(step)
        return {
            message.id: message._email_alias_outcome(steps[message.id], user)
            for message in messages_sudo
        }

    def _email_alias_mails(self):
        return self.env["mail.mail"].search_fetch(
            [
                "|",
                ("mail_message_id", "in", self.ids),
                ("email_alias_message_id", "in", self.ids),
                ("email_alias_id", "!=", False),
                ("state", "in", ("outgoing", "exception", "cancel")),
            ],
            [
                "mail_message_id",
                "email_alias_message_id",
                "state",
                "email_alias_due",
                "email_alias_is_paused",
                "failure_reason",
                "failure_type",
            ],
        )

    def _email_alias_last_steps(self, waiting):
        """Yield (message id, step) of what each mail's last submission ended in.

        :param waiting: ids of mails that are in the queue again
        """
        last = {}
        rows = self.env["user.email.alias.log"].search_fetch(
            [("mail_message_id", "in", self.ids), ("outcome", "!=", False)],
            ["mail_message_id", "mail_mail_id", "outcome", "reply"],
            order="id",
        )
        for row in rows:
            last[row.mail_mail_id] = row
        for mail_id, row in last.items():
            if mail_id not in waiting and row.outcome != "deferred":
                reply = row.reply if row.outcome != "sent" else ""
                yield row.mail_message_id.id, {"state": row.outcome, "reply": reply}

    def _email_alias_outcome(self, steps, user):
        self.ensure_one()
        alias = self.email_alias_id
        is_mine = alias.user_id == user
        state = next(
            (kind for kind in BY_GRAVITY if any(s["state"] == kind for s in steps)), ""
        )
        step = next((s for s in steps if s["state"] == state), {})
        name, mailbox = (email_split_tuples(self.email_from) or [("", "")])[0]
        return {
            "alias_id": alias.id,
            "is_mine": is_mine,
            "from": f"{name} <{mailbox}>" if name else mailbox,
            "state": state,
            "until": step.get("until") or False,
            "reply": (step.get("reply") or "") if is_mine else "",
        }

    # ------------------------------------------------------------------
    # Buttons below the message
    # ------------------------------------------------------------------

    def action_email_alias_send_again(self):
        """Send once more what its author knows not to have arrived."""
        self._email_alias_uncertain().action_send_again()
        self._email_alias_notify_outcome()

    def action_email_alias_mark_sent(self):
        """Close what its author knows to have arrived."""
        self._email_alias_uncertain().action_mark_sent()
        self._email_alias_notify_outcome()

    def action_email_alias_take_back(self):
        """Cancel what has not left yet; only its author does."""
        self.check_access("read")
        mails = self._email_alias_waiting()
        mails.email_alias_id.sudo(False)._check_owner()
        if not mails:
            raise UserError(self.env._("This email is not waiting any more."))
        mails._email_alias_check_in_hand()
        mails.email_alias_id._record_event("cancelled")
        self._email_alias_call_off()
        self._email_alias_notify_outcome()

    def _email_alias_uncertain(self):
        self.check_access("read")
        # sudo: whose alias it is decides, whatever may be read
        self.sudo().email_alias_id.sudo(False)._check_owner()
        rows = self.env["user.email.alias.log"].search(
            [("mail_message_id", "in", self.ids), ("outcome", "=", "uncertain")]
        )
        if not rows:
            raise UserError(self.env._("This email is not uncertain any more."))
        return rows

    def _email_alias_notify_outcome(self):
        """Let whoever wrote these messages see how far they have come."""
        for message in self.exists():
            # sudo: the message goes to its author
            if message.sudo()._is_thread_message():
                message.sudo()._notify_message_notification_update()
