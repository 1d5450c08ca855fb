from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..sending.message import BUILDING, Capture, is_provisional
from ..tools.epoch import to_epoch
from ..tools.header.mailboxes import as_literal_names
from .mail_message import leave_no_default
from .user_email_alias_mail_kept import KEPT
from .user_email_alias_mail_outcome import UNCERTAIN
from .user_email_alias_rights import NO_RIGHTS

# What recipients get to see, and who they are; the rest is on the message.
CONTENT_FIELDS = frozenset(
    (
        "body_html",
        "email_cc",
        "email_to",
        "headers",
        "mail_message_id",
        "mailing_id",
        "recipient_ids",
        "references",
        "scheduled_date",
    )
)
# Written by the queue alone: when a mail leaves, and to whom of its recipients.
QUEUE_FIELDS = frozenset(
    (
        "email_alias_bulk",
        "email_alias_due",
        "email_alias_is_paused",
        "email_alias_message_id",
        "email_alias_pending",
    )
)

# Why core does not send a mail: whom it is for has no address.
WITHOUT_ADDRESS = ("mail_email_invalid", "mail_email_missing")


class MailMail(models.Model):
    _name = "mail.mail"
    _inherit = [
        "mail.mail",
        "user.email.alias.mail",
        "user.email.alias.mail.kept",
        "user.email.alias.mail.outcome",
        "user.email.alias.mail.send.now",
        "user.email.alias.ended",
        "user.email.alias.rights",
    ]

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
    email_alias_is_paused = fields.Boolean(
        "Paused",
        readonly=True,
        copy=False,
        help="The mailing is paused: out of the queue's index until it goes on.",
    )
    email_alias_pending = fields.Text(
        readonly=True,
        copy=False,
        help="The recipients that are left, when some have been served already.",
    )
    email_alias_message_id = fields.Many2one(
        "mail.message",
        "Written as",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        help="The message in the chatter, when the mail had to get one of its own.",
    )
    failure_type = fields.Selection(
        selection_add=[
            (UNCERTAIN, "Uncertain: the server's answer was never read"),
            (NO_RIGHTS, "The author may not read the record any more"),
        ]
    )

    _email_alias_queue = models.Index(
        "(email_alias_id, email_alias_bulk, email_alias_due, id) "
        "WHERE state = 'outgoing' AND email_alias_id IS NOT NULL "
        "AND email_alias_is_paused IS NOT TRUE"
    )
    _email_alias_rights = models.Index(
        f"(email_alias_id) WHERE failure_type = '{NO_RIGHTS}'"
    )

    # ------------------------------------------------------------------
    # Hooks of core
    # ------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """Extend: only the owner sends with an alias; its mail enters our queue.

        An alias is named outright, by a mailing, or by a dialogue: no default of a
        context or a user counts.
        """
        vals_list = [dict(vals) for vals in vals_list]
        self._check_email_alias_queue_fields(vals_list)
        self._email_alias_of_mailing(vals_list)
        self._email_alias_of_dialogue(vals_list)
        for vals in vals_list:
            vals.setdefault("email_alias_id", False)
        aliases = self.env["user.email.alias"].browse(
            {vals["email_alias_id"] for vals in vals_list if vals.get("email_alias_id")}
        )
        if not aliases:
            return super().create(vals_list)
        aliases._check_owner()
        aliases._settle_in()
        now = self.env["user.email.alias"]._now()
        # sudo: the names of one's own aliases
        for vals in vals_list:
            alias_sudo = aliases.browse(vals.get("email_alias_id")).sudo()
            if alias_sudo:
                leave_no_default(vals, CONTENT_FIELDS)
                vals["email_from"] = alias_sudo._get_formatted_from()
                vals["mail_server_id"] = False
                vals["email_alias_due"] = now
                vals["email_alias_is_paused"] = self._email_alias_is_of_paused(vals)
                vals["email_alias_bulk"] = bool(vals.get("email_alias_bulk"))
        mails = super().create(vals_list)
        ours = mails.filtered("email_alias_id")
        for mail in ours:
            if mail.scheduled_date:
                mail.email_alias_due = to_epoch(mail.scheduled_date)
            if not mail.is_notification or not mail.mail_message_id.email_alias_id:
                mail.mail_message_id.email_alias_id = mail.email_alias_id
        ours._email_alias_wake()
        return mails

    def write(self, vals):
        """Extend: an alias stays; whatever is put back in line is due anew.

        Only the owner changes what the mail says, whom it goes to, or its state; an
        administrator may cancel it. While a mail is built nothing is written about its
        failure.
        """
        if is_provisional(self, vals):
            return True
        self._check_email_alias_queue_fields([vals])
        alias_id = vals.get("email_alias_id")
        if "email_alias_id" in vals and any(
            mail.email_alias_id.id != alias_id
            and (mail.state != "sent" or alias_id or not self.env.su)
            for mail in self
        ):
            raise UserError(
                self.env._("A mail keeps the email alias it was written with.")
            )
        puts_back = vals.get("state", "cancel") != "cancel"
        if not self.env.su and (puts_back or not CONTENT_FIELDS.isdisjoint(vals)):
            self.email_alias_id._check_owner()
        result = super().write(vals)
        if vals.get("state") == "outgoing" or "scheduled_date" in vals:
            self.filtered("email_alias_id")._email_alias_requeue()
        elif vals.get("state") == "cancel":
            self.filtered("email_alias_id")._email_alias_remember("cancelled")
        return result

    def _check_email_alias_queue_fields(self, vals_list):
        if not self.env.su and any(QUEUE_FIELDS & vals.keys() for vals in vals_list):
            raise AccessError(
                self.env._("What the queue notes on an email is written by it alone.")
            )

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

    def _prepare_outgoing_list(self, mail_server=False, doc_to_followers=None):
        """Extend for aliases: a partner's name is a name, whatever it looks like."""
        emails = super()._prepare_outgoing_list(
            mail_server=mail_server, doc_to_followers=doc_to_followers
        )
        if BUILDING in self.env.context:
            for values in emails:
                if values["partner_id"]:
                    values["email_to"] = list(map(as_literal_names, values["email_to"]))
        return emails

    def _postprocess_sent_message(
        self, success_pids, success_emails, failure_reason=False, failure_type=None
    ):
        """Extend: the message remembers what became of it; core deletes the mail.

        What core itself refuses no server has seen: it says whose address is missing.
        """
        ours = self.filtered("email_alias_id")
        outcome = self.env.context.get("email_alias_outcome")
        for mail in ours:
            if failure_type in WITHOUT_ADDRESS and not outcome:
                failure_reason = mail._email_alias_get_lack()
            state = outcome or ("unsent" if failure_type else "sent")
            mail._email_alias_remember(state, failure_reason or "")
        if ours and outcome:
            # every employee may read the notification
            failure_reason = self.env._(
                "What the mail server said is below the message, for whoever wrote it."
            )
        return super()._postprocess_sent_message(
            success_pids,
            success_emails,
            failure_reason=failure_reason,
            failure_type=failure_type,
        )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_email_alias_waiting(self):
        """Restrict: what waits is cancelled, so that somebody knows of it."""
        if not self.env.su and any(
            mail.email_alias_id and mail.state == "outgoing" for mail in self
        ):
            raise UserError(
                self.env._("This email waits to be sent: cancel it instead.")
            )

    def unlink(self):
        """Extend: a lane deletes what it sent many at a time."""
        if self.env.context.get("email_alias_sweep_later"):
            return super(
                MailMail, self.filtered(lambda m: not m.email_alias_id)
            ).unlink()
        own = self.mail_message_id.filtered(
            lambda message: (message.message_id or "").startswith(KEPT)
        )
        result = super().unlink()
        # sudo: nobody else knows these messages
        own.sudo().exists().unlink()
        return result
