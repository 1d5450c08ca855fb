from odoo import fields, models

from ..decorators import of_records
from ..tools.pacing import DAY


class UserEmailAliasState(models.AbstractModel):
    """Whether the account works: proved, on hold, paused, backing off."""

    _name = "user.email.alias.state"
    _description = "Email Alias: State"

    state = fields.Selection(
        [("draft", "Not tested"), ("ok", "OK"), ("hold", "On hold")],
        required=True,
        default="draft",
        readonly=True,
        copy=False,
        index=True,
    )
    state_message = fields.Text(readonly=True, copy=False)
    state_at = fields.Datetime(readonly=True, copy=False)
    hold_reason = fields.Char(readonly=True, copy=False)
    backoff_until = fields.Float(
        readonly=True,
        copy=False,
        digits=(17, 6),
        aggregator=None,
        help="Seconds since the epoch; until then nothing is sent with this alias.",
    )
    backoff_count = fields.Integer(readonly=True, copy=False, aggregator=None)
    backoff_is_quota = fields.Boolean(
        readonly=True,
        copy=False,
        help="It waits because the provider's own limit is reached.",
    )
    connection_mails = fields.Integer(
        readonly=True,
        copy=False,
        aggregator=None,
        help="How many emails the mail server takes on one connection, as it said "
        "itself; 0: it has not said.",
    )
    connection_mails_at = fields.Float(
        readonly=True,
        copy=False,
        digits=(17, 6),
        aggregator=None,
        help="Seconds since the epoch; what the server said is forgotten after a day.",
    )
    max_bytes = fields.Integer(
        readonly=True,
        copy=False,
        aggregator=None,
        help="Bytes of one email that the mail server takes, as it said itself; 0: it "
        "has not said.",
    )
    is_paused = fields.Boolean(
        "Paused",
        readonly=True,
        copy=False,
        help="The owner paused the alias; its emails wait.",
    )

    def _wake(self):
        """Have what waits served: bulk mail by the job, one-to-one mail by whoever can.

        Its owner has just acted for it to leave, and watches.
        """
        Queue = self.env["user.email.alias.queue"]
        Queue._trigger_cron()
        Queue._serve_soon(self.ids)

    def _set_verified(self):
        self.sudo().write(
            {
                "state": "ok",
                "state_message": False,
                "state_at": fields.Datetime.now(),
                "hold_reason": False,
                "backoff_until": 0,
                "backoff_count": 0,
            }
        )
        self._wake()

    def _set_hold(self, reason, message):
        """Stop the lane until the owner acts; whatever waits keeps waiting."""
        self.sudo().write(
            {
                "state": "hold",
                "hold_reason": reason,
                "state_message": message,
                "state_at": fields.Datetime.now(),
            }
        )

    def _reset_state(self):
        self.sudo().write(
            {
                "state": "draft",
                "state_message": False,
                "hold_reason": False,
                "backoff_until": 0,
                "backoff_count": 0,
                "connection_mails": 0,
                "max_bytes": 0,
            }
        )
        self._wake()

    def _get_connection_mails(self):
        """How many emails the server takes on one connection; 0: any number."""
        if self.connection_mails and self._now() < self.connection_mails_at + DAY:
            return self.connection_mails
        return 0

    def _set_connection_mails(self, count):
        self.write({"connection_mails": count, "connection_mails_at": self._now()})

    def _notify_owner(self, message):
        """Notify the owner at once, wherever in Odoo they are.

        The badge in the user menu stays until the owner has acted.
        """
        for alias in self:
            alias.user_id._bus_send(
                "user_email_alias/trouble",
                {
                    "alias_id": alias.id,
                    "title": self.env._("Email alias %s", alias.display_name),
                    "message": message,
                },
            )
        self.user_id._email_alias_notify_web_client()

    @of_records
    def action_resume(self):
        """Take the alias off hold; its waiting mail leaves by itself."""
        self._check_owner()
        self._record_event("resumed")
        self._reset_state()

    @of_records
    def action_pause(self):
        """Keep all waiting mail until the owner resumes."""
        self._check_owner()
        # sudo: the state is written by the server only
        self.sudo().is_paused = True
        self._record_event("paused")

    @of_records
    def action_unpause(self):
        self._check_owner()
        # sudo: the state is written by the server only
        self.sudo().is_paused = False
        self._record_event("resumed")
        self._wake()
