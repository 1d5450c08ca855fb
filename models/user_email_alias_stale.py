from odoo import api, fields, models, tools
from odoo.exceptions import UserError

from ..decorators import of_records
from ..tools import pacing
from .user_email_alias_owner import OWNER_GONE

# The reason of a hold: what waits may be out of date.
STALE = "stale"

# Days, unless the parameter says otherwise.
STALE_DAYS = 7
STALE_DAYS_PARAM = "user_email_alias.stale_days"


class UserEmailAliasStale(models.AbstractModel):
    """What has waited for long does not leave by itself: its owner is asked.

    An alias that works through a long campaign sends all the time; one that was on
    hold, paused or archived for days has a queue that nobody may still want.
    """

    _name = "user.email.alias.stale"
    _description = "Email Alias: Stale Mail"

    released_at = fields.Float(
        readonly=True,
        copy=False,
        digits=(17, 6),
        aggregator=None,
        help="Seconds since the epoch: when its owner last said that what waits may "
        "leave, however old it is.",
    )

    can_drop = fields.Boolean(compute="_compute_can_drop")

    @api.depends_context("uid")
    @api.depends("state", "hold_reason", "user_id")
    def _compute_can_drop(self):
        """Administrators drop what waits for an owner who has left."""
        is_administrator = self.env.user.has_group("base.group_erp_manager")
        for alias in self:
            reason = alias.hold_reason if alias.state == "hold" else False
            is_own = alias.user_id == self.env.user
            alias.can_drop = (reason == STALE and is_own) or (
                reason == OWNER_GONE and (is_own or is_administrator)
            )

    @api.model
    def _get_stale_seconds(self):
        """How long mail may wait while nothing is sent; 0: for ever."""
        text = self.env["ir.config_parameter"]._email_alias_get(STALE_DAYS_PARAM)
        try:
            days = float(text) if text else STALE_DAYS
        except ValueError:
            days = STALE_DAYS
        return max(0.0, days) * pacing.DAY

    @api.model
    def _check_not_stale(self, moment):
        """Refuse what should have left long ago.

        :param moment: when, naive UTC
        :raise UserError: it is too long ago
        """
        limit = self._get_stale_seconds()
        age = (fields.Datetime.now() - moment).total_seconds()
        if limit and age > limit:
            raise UserError(
                self.env._(
                    "It should have left at %s and may be out of date. Look at it, "
                    "then send it.",
                    tools.format_datetime(self.env, moment),
                )
            )

    def _hold_if_stale(self, first_due, last_at):
        """Ask before what has waited for long leaves.

        :param first_due: seconds since the epoch, when the oldest mail became due
        :param last_at: when the alias last submitted a mail
        """
        self.ensure_one()
        limit = self._get_stale_seconds()
        since = max(first_due, last_at, self.released_at)
        if not limit or self._now() - since <= limit:
            return
        sentence = self.env._(
            "%(count)s emails have waited since %(time)s or longer and may be out of "
            "date. Send what waits, or drop it.",
            count=f"{self.waiting_count:,}",
            time=self._format_moment(since),
        )
        self._set_hold(STALE, sentence)
        self._notify_owner(sentence)

    @of_records
    def action_send_stale(self):
        """Let go what waits, however old."""
        self._check_owner()
        self._check_stale(STALE)
        self._record_event("resumed")
        # sudo: the state is written by the server only
        self.sudo().released_at = self._now()
        self._reset_state()

    @of_records
    def action_drop_stale(self):
        """Cancel what waits, for good."""
        self.ensure_one()
        self._check_stale(STALE, OWNER_GONE)
        if not self.can_drop:
            self._check_owner()
        self._record_event("cancelled")
        # sudo: the queue is technical; who asks was checked
        Mail = self.env["mail.mail"].sudo()
        mails = Mail.search(
            [("email_alias_id", "=", self.id), ("state", "=", "outgoing")]
        )
        mails._email_alias_check_in_hand()
        mails._email_alias_cancel()
        self._reset_state()

    def _check_stale(self, *reasons):
        self.check_access("read")
        if any(a.state != "hold" or a.hold_reason not in reasons for a in self):
            raise UserError(self.env._("This has been decided already."))
