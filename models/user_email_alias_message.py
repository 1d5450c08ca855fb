from collections import defaultdict

from psycopg2.extras import Json

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL
from odoo.tools.mail import email_split_tuples

# What is told of a message with several recipients: the first of these that fits.
BY_GRAVITY = ("uncertain", "refused", "unsent", "waiting", "cancelled", "sent")


class UserEmailAliasMessage(models.AbstractModel):
    """What became of a message that was written with an alias."""

    _name = "user.email.alias.message"
    _description = "Email Alias: Message"

    email_alias_steps = fields.Json(
        groups=fields.NO_ACCESS,
        copy=False,
        exportable=False,
        help="What each mail of this message ended in, by the mail's id.",
    )

    def _email_alias_outcomes_to_store(self, store):
        """Portal users and guests are not told."""
        if not store.target.is_internal(self.env):
            return
        user = store.target.get_user(self.env) or self.env.user
        for message_id, outcome in self._email_alias_outcomes(user).items():
            store.add(self.browse(message_id), {"emailAliasOutcome": outcome})

    def _email_alias_remember(self, mail_id, state, reply=""):
        """Keep what one mail of this message ended in as long as the message.

        The mail, its notification and its row in the log go away before.

        :param state: one of ``BY_GRAVITY`` but ``waiting``
        :param reply: why, for the alias's owner
        """
        self.ensure_one()
        step = {str(mail_id): {"state": state, "reply": reply or ""}}
        # not by the ORM: the message is not edited, and its other mails are kept
        self.env.cr.execute(
            SQL(
                """
                UPDATE mail_message
                   SET email_alias_steps =
                       coalesce(email_alias_steps, '{}') || %s::jsonb
                 WHERE id = %s
                """,
                Json(step),
                self.id,
            )
        )
        self.invalidate_recordset(["email_alias_steps"], flush=False)

    def _email_alias_outcomes(self, user):
        """Tell for each message where it left from and how far it has come.

        The number of queries does not depend on the number of messages.

        :param user: who is told; what the server said is for the alias's owner only
        :return: dict of message id -> dict for the web client; messages that no alias
            has sent are not in it
        """
        if not self.env["user.email.alias"]._was_ever_used():
            return {}
        # sudo: which alias a message has is read with the message
        messages_sudo = self.sudo().filtered(
            # the alias may be deleted, what it has sent is not
            lambda m: m.email_alias_id or m.email_alias_steps
        )
        if not messages_sudo:
            return {}
        now = self.env["user.email.alias"]._now()
        # by message and mail: what is known from the log, from the end, by the queue
        steps = defaultdict(dict)
        for message_id, mail_id, step in messages_sudo._email_alias_last_steps():
            steps[message_id][mail_id] = step
        for message in messages_sudo:
            steps[message.id].update(message.email_alias_steps or {})
        for mail in messages_sudo._email_alias_mails():
            shown = mail.email_alias_message_id or mail.mail_message_id
            if mail.state == "outgoing":
                steps[shown.id][str(mail.id)] = mail._email_alias_step(now)
            else:
                steps[shown.id].setdefault(str(mail.id), mail._email_alias_step(now))
        return {
            message.id: message._email_alias_outcome(steps[message.id].values(), user)
            for message in messages_sudo
        }

    def _email_alias_mails(self):
        return self.env["mail.mail"].search_fetch(
            [
                "|",
                ("mail_message_id", "in", self.ids),
                ("email_alias_message_id", "in", self.ids),
                ("email_alias_id", "!=", False),
                ("state", "in", ("outgoing", "sent", "exception", "cancel")),
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

    def _email_alias_last_steps(self):
        """Yield (message id, mail id, step): how each mail's last submission ended."""
        last = {}
        rows = self.env["user.email.alias.log"].search_fetch(
            [("mail_message_id", "in", self.ids), ("outcome", "!=", False)],
            ["mail_message_id", "mail_mail_id", "outcome", "reply"],
            order="id",
        )
        for row in rows:
            last[row.mail_mail_id] = row
        for mail_id, row in last.items():
            if row.outcome != "deferred":
                reply = row.reply if row.outcome != "sent" else ""
                step = {"state": row.outcome, "reply": reply}
                yield row.mail_message_id.id, str(mail_id), step

    def _email_alias_outcome(self, steps, user):
        self.ensure_one()
        alias = self.email_alias_id
        # of a deleted alias the author is left
        owner = alias.user_id.partner_id or self.author_id
        is_mine = owner == user.partner_id
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
