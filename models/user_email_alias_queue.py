import logging
import threading
import time

import odoo.tools
from odoo import api, models
from odoo.tools import SQL

from .user_email_alias_lane import Lane

_logger = logging.getLogger(__name__)

# One run of the cron stays open that long, in seconds, so that connections are
# reused; never more than half of the worker's real-time limit.
RUN_SECONDS = 60

# How often the run looks for aliases and one-to-one mails that became due, in
# seconds: the price is one index probe for each alias.
LOOK_SECONDS = 0.25

# A mail due later than this many seconds after the run is left to a trigger, which
# a cron worker may notice up to 69 s late.
TRIGGER_LEAD_SECONDS = 70

# Aliases served at the same time by one run, unless the parameter
# user_email_alias.lanes says otherwise. Each lane holds one database connection.
LANES = 24


class UserEmailAliasQueue(models.AbstractModel):
    """Gives every alias with due mail a lane, in one cron run at a time."""

    _name = "user.email.alias.queue"
    _description = "E-mail Alias Queue"

    @api.model
    def _wake(self):
        """Let a cron worker look at the queue once this transaction is committed."""
        for cron in self._get_crons():
            cron._trigger()

    @api.model
    def _get_crons(self):
        # sudo: waking the queue is part of sending
        return (
            self.env["ir.cron"]
            .sudo()
            .search([("ir_actions_server_id.model_name", "=", self._name)])
        )

    @api.model
    def _is_stopped(self):
        """Whether nothing may leave this database: a test, or a neutralised copy."""
        # sudo: a system parameter
        neutralized = (
            self.env["ir.config_parameter"].sudo().get_param("database.is_neutralized")
        )
        return bool(neutralized) or self.env["ir.mail_server"]._disable_send()

    # ------------------------------------------------------------------
    # The run
    # ------------------------------------------------------------------

    @api.model
    def _cron_process(self):
        """Serve the queue for up to a minute, then hand over to the next run."""
        if self._is_stopped():
            return
        run = _Run(
            self.env.registry, self._get_lane_limit(), self._get_run_seconds()
        )
        run.serve()
        self._wake_at(run.next_due)

    @api.model
    def _get_run_seconds(self):
        config = odoo.tools.config
        limit = config["limit_time_real_cron"]
        if limit < 0:
            limit = config["limit_time_real"]
        return min(RUN_SECONDS, limit / 2) if limit > 0 else RUN_SECONDS

    @api.model
    def _get_lane_limit(self):
        # sudo: a system parameter
        param = self.env["ir.config_parameter"].sudo().get_param("user_email_alias.lanes")
        try:
            return max(1, int(param or LANES))
        except ValueError:
            return LANES

    @api.model
    def _wake_at(self, wait):
        """Trigger the job again ``wait`` seconds from now (None: nothing waits)."""
        if wait is None:
            return
        if wait <= TRIGGER_LEAD_SECONDS:
            self._wake()
            return
        at = self.env.cr.now() + odoo.tools.date_utils.relativedelta(
            seconds=int(wait - TRIGGER_LEAD_SECONDS)
        )
        self._get_crons()[:1]._trigger(at)

    # ------------------------------------------------------------------
    # What is due
    # ------------------------------------------------------------------

    @api.model
    def _get_due(self, horizon):
        """Aliases that have something to do: a mail that is due or an open claim.

        :param horizon: seconds within which the slot of bulk mail must come
        :return: dict alias id -> whether a one-to-one mail is among it
        """
        self.env.cr.execute(
            SQL(
                """
                WITH clock AS (SELECT extract(epoch FROM clock_timestamp()) AS now)
                SELECT alias.id, direct.id IS NOT NULL
                  FROM clock, user_email_alias alias
                  JOIN res_users owner ON owner.id = alias.user_id AND owner.active
             LEFT JOIN LATERAL (
                       SELECT id FROM mail_mail
                        WHERE email_alias_id = alias.id AND state = 'outgoing'
                          AND email_alias_bulk = false AND email_alias_due <= now
                        LIMIT 1) direct ON true
             LEFT JOIN LATERAL (
                       SELECT id FROM mail_mail
                        WHERE email_alias_id = alias.id AND state = 'outgoing'
                          AND email_alias_bulk = true AND email_alias_due <= now
                        LIMIT 1) bulk ON true
             LEFT JOIN LATERAL (
                       SELECT replied_at FROM user_email_alias_delivery
                        WHERE alias_id = alias.id AND is_bulk
                        ORDER BY id DESC LIMIT 1) last ON true
             LEFT JOIN LATERAL (
                       SELECT id FROM user_email_alias_delivery
                        WHERE alias_id = alias.id AND verdict IS NULL
                        LIMIT 1) claim ON true
                 WHERE claim.id IS NOT NULL
                    OR (alias.active AND alias.state != 'hold'
                        AND COALESCE(alias.backoff_until, 0) <= now
                        AND (direct.id IS NOT NULL OR bulk.id IS NOT NULL
                             AND COALESCE(last.replied_at, 0)
                                 + alias.delay_ms / 1000.0 <= now + %s))
                """,
                horizon,
            )
        )
        return dict(self.env.cr.fetchall())

    @api.model
    def _get_next_due(self):
        """Seconds until the first mail becomes due; None if nothing waits."""
        self.env.cr.execute(
            SQL(
                """
                SELECT min(GREATEST(COALESCE(alias.backoff_until, 0),
                                    LEAST(direct.due, GREATEST(bulk.due,
                                        last.replied_at + alias.delay_ms / 1000.0))))
                       - extract(epoch FROM clock_timestamp())
                  FROM user_email_alias alias
                  JOIN res_users owner ON owner.id = alias.user_id AND owner.active
             LEFT JOIN LATERAL (
                       SELECT email_alias_due AS due FROM mail_mail
                        WHERE email_alias_id = alias.id AND state = 'outgoing'
                          AND email_alias_bulk = false
                        ORDER BY email_alias_due LIMIT 1) direct ON true
             LEFT JOIN LATERAL (
                       SELECT email_alias_due AS due FROM mail_mail
                        WHERE email_alias_id = alias.id AND state = 'outgoing'
                          AND email_alias_bulk = true
                        ORDER BY email_alias_due LIMIT 1) bulk ON true
             LEFT JOIN LATERAL (
                       SELECT replied_at FROM user_email_alias_delivery
                        WHERE alias_id = alias.id AND is_bulk
                        ORDER BY id DESC LIMIT 1) last ON true
                 WHERE alias.active AND alias.state != 'hold'
                   AND (direct.due IS NOT NULL OR bulk.due IS NOT NULL)
                """
            )
        )
        wait = self.env.cr.fetchone()[0]
        return None if wait is None else max(0.0, float(wait))


class _Run:
    """One run of the job: starts lanes, wakes them, ends them in time."""

    def __init__(self, registry, lane_limit, seconds):
        self.registry = registry
        self.lane_limit = lane_limit
        self.ends_at = time.monotonic() + seconds
        # a hand-over begun in the last moment ends well before the worker's limit
        self.cut_at = self.ends_at + 0.8 * seconds
        self.next_due = None
        self.lanes = {}

    def serve(self):
        """Return when nothing is due any more or the time is over."""
        try:
            while time.monotonic() < self.ends_at:
                due = self._look()
                self._reap()
                for alias_id, direct in due.items():
                    lane = self.lanes.get(alias_id)
                    if lane is None and len(self.lanes) < self.lane_limit:
                        self._start(alias_id)
                    elif lane is not None and direct:
                        lane.wake.set()
                if not self.lanes:
                    break
                self._rest()
        finally:
            for lane in self.lanes.values():
                lane.stop()
            for lane in self.lanes.values():
                lane.thread.join()
        with self.registry.cursor() as cr:
            self.next_due = api.Environment(cr, api.SUPERUSER_ID, {})[
                "user.email.alias.queue"
            ]._get_next_due()

    def _look(self):
        with self.registry.cursor() as cr:
            env = api.Environment(cr, api.SUPERUSER_ID, {})
            return env["user.email.alias.queue"]._get_due(
                self.ends_at - time.monotonic()
            )

    def _rest(self):
        deadline = min(time.monotonic() + LOOK_SECONDS, self.ends_at)
        while (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, 0.05))
            if all(not lane.thread.is_alive() for lane in self.lanes.values()):
                break

    def _reap(self):
        for alias_id, lane in list(self.lanes.items()):
            if not lane.thread.is_alive():
                del self.lanes[alias_id]

    def _start(self, alias_id):
        lane = Lane(self.registry, alias_id, self.ends_at, self.cut_at)
        parent = threading.current_thread()
        lane.thread = threading.Thread(
            target=lane.run, name=f"user_email_alias.lane.{alias_id}", daemon=True
        )
        lane.thread.dbname = getattr(parent, "dbname", None)
        self.lanes[alias_id] = lane
        lane.thread.start()
