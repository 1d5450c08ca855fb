from datetime import datetime

import pytz

from odoo import api, fields, models, tools
from odoo.tools import SQL

from ..sending.forecast import DEFAULT_SERVICE_SECONDS, Forecast


class UserEmailAliasPace(models.AbstractModel):
    """How fast bulk mail leaves, and when it will have left."""

    _name = "user.email.alias.pace"
    _description = "Email Alias: Pace"

    delay_ms = fields.Integer(
        "Delay Between Emails (milliseconds)",
        aggregator=None,
        help="The pause after each email of a bulk sending. A provider that allows "
        "30 emails per minute needs at least 2000; 2500 leaves a margin.",
    )
    daily_limit = fields.Integer(
        "Daily Limit",
        aggregator=None,
        help="How many emails may leave within 24 hours; 0 means no limit of ours. "
        "When it is reached the rest waits until it may go on.",
    )
    pause_ms = fields.Integer(
        "Current Pause",
        readonly=True,
        copy=False,
        aggregator=None,
        help="Milliseconds; wider than the delay for a while after the server asked "
        "to send more slowly.",
    )
    pause_reason = fields.Text(readonly=True, copy=False)
    waiting_forecast = fields.Char(compute="_compute_waiting_forecast")

    @api.depends_context("tz", "lang")
    def _compute_waiting_forecast(self):
        for alias in self:
            alias.waiting_forecast = (
                alias._get_forecast(alias.waiting_count).describe_rest(alias)
                if alias.waiting_count
                else False
            )

    def _end_limit_wait(self):
        """Let aliases go on that waited for the Daily Limit they had."""
        # sudo: a wait for the old limit is over
        self.sudo().filtered(lambda a: a.backoff_until and not a.backoff_count).write(
            {"backoff_until": 0, "state_message": False}
        )

    def _get_pause(self):
        """Seconds between a bulk email's reply and the next one's start."""
        self.ensure_one()
        return max(self.delay_ms, self.pause_ms) / 1000.0

    def _get_forecast(self, count):
        """When ``count`` more bulk emails will have left.

        In SQL because it is one statement for each card, by the database's clock.

        :rtype: odoo.addons.user_email_alias.sending.forecast.Forecast
        """
        self.ensure_one()
        self.env.cr.execute(
            SQL(
                """
                SELECT extract(epoch FROM clock_timestamp()),
                       (SELECT avg(replied_at - claimed_at) FROM (
                           SELECT replied_at, claimed_at
                             FROM user_email_alias_log
                            WHERE alias_id = %(id)s AND is_bulk AND outcome = 'sent'
                            ORDER BY id DESC LIMIT 20) last),
                       (SELECT count(*) FROM user_email_alias_log
                         WHERE alias_id = %(id)s AND outcome IN ('sent', 'uncertain')
                           AND replied_at > extract(epoch FROM clock_timestamp())
                                            - 86400)
                """,
                id=self.id or None,
            )
        )
        now, service, sent = self.env.cr.fetchone()
        return Forecast(
            count=count,
            now=float(now),
            period=self._get_pause() + float(service or DEFAULT_SERVICE_SECONDS),
            daily_limit=self.daily_limit,
            sent_today=sent,
            starts_at=max(float(now), self.backoff_until or 0.0),
        )

    def _format_moment(self, moment):
        """A time of the epoch as the owner reads it: time of day, day if not today."""
        self.ensure_one()
        zone = pytz.timezone(self.user_id.tz or "UTC")
        local = datetime.fromtimestamp(moment, zone)
        lang = {"lang_code": self.user_id.lang or self.env.lang}
        if local.date() == datetime.now(zone).date():
            return tools.format_time(
                self.env, local.time(), time_format="short", **lang
            )
        return tools.format_datetime(
            self.env,
            local.astimezone(pytz.utc).replace(tzinfo=None),
            tz=zone.zone,
            dt_format="short",
            **lang,
        )

    @api.model
    def _now(self):
        """The database's clock in seconds since the epoch: one for all hosts."""
        self.env.cr.execute(SQL("SELECT extract(epoch FROM clock_timestamp())"))
        return float(self.env.cr.fetchone()[0])
