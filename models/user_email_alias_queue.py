import contextlib
import ctypes
import gc
import logging
import math
import random
import signal
import sys
import threading
import time

import odoo.tools
from odoo import api, models
from odoo.service.server import CommonServer
from odoo.tools import SQL

from .queue_sql import IS_OPEN, PAUSED_SECONDS, QUEUE, SLOT
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
LANES = 50

# An alias that another run holds is left alone for so many seconds.
TAKEN_SECONDS = 2.0

# Database connections left to everything else in the process.
SPARE_CONNECTIONS = 12

# Address space for a lane's stack, instead of the system's 8 MiB: fifty lanes have to
# fit below Odoo's limit_memory_hard.
LANE_STACK_BYTES = 2 * 1024 * 1024

# A run that has built more than so many bytes of messages gives memory back.
TRIM_BYTES = 10_000_000

# How long a lane may keep the interpreter while others want it, in seconds; Python's
# own 0.005 made 48 lanes of 1 s pause late by 70 ms for each email.
SWITCH_SECONDS = 0.001

# After a run that lasted so many seconds the garbage of the time before is collected:
# the next run may follow at once, and would keep it.
TIDY_SECONDS = 10

# How long a shutdown waits for the mails in hand, in seconds.
SHUTDOWN_SECONDS = 9


class UserEmailAliasQueue(models.AbstractModel):
    """Gives every alias with due mail a lane, in one cron run at a time."""

    _name = "user.email.alias.queue"
    _description = "Email Alias Queue"

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
            self.env.registry,
            self._get_lane_limit(),
            self._get_run_seconds(),
            len(self._get_crons()),
            self._note_progress,
        )
        run.serve()
        self._wake_at(run.next_due)

    @api.model
    def _note_progress(self):
        """Tell core that this job works, whatever becomes of the process.

        Core takes a job whose process was killed three times in a row for one that
        takes too long: it drops the job's triggers and waits for a whole interval.
        """
        progress = self.env["ir.cron.progress"].sudo()
        progress = progress.browse(self.env.context.get("ir_cron_progress_id"))
        # sudo: the job's own row, which core writes as well
        progress.timed_out_counter = 0
        self.env.cr.commit()

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
        param = (
            self.env["ir.config_parameter"].sudo().get_param("user_email_alias.lanes")
        )
        try:
            wanted = int(param or LANES)
        except ValueError:
            _logger.error("user_email_alias.lanes is not a number: %s", param)
            wanted = LANES
        pool = odoo.tools.config["db_maxconn"] - SPARE_CONNECTIONS
        return max(1, min(wanted, pool))

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
                SELECT alias.id, COALESCE(direct.due <= clock.now, false)
                  FROM %(queue)s
             LEFT JOIN LATERAL (
                       SELECT id FROM user_email_alias_delivery
                        WHERE alias_id = alias.id AND verdict IS NULL
                        LIMIT 1) claim ON true
                 WHERE claim.id IS NOT NULL
                    OR (%(is_open)s AND COALESCE(alias.backoff_until, 0) <= clock.now
                        AND (direct.due <= clock.now
                             OR (bulk.due <= clock.now
                                 AND %(slot)s <= clock.now + %(horizon)s)))
                """,
                queue=QUEUE,
                is_open=IS_OPEN,
                slot=SLOT,
                horizon=horizon,
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
                                    LEAST(direct.due, GREATEST(bulk.due, %(slot)s))))
                       - min(clock.now)
                  FROM %(queue)s
                 WHERE %(is_open)s
                   AND (direct.due < %(never)s OR bulk.due < %(never)s)
                """,
                queue=QUEUE,
                is_open=IS_OPEN,
                slot=SLOT,
                never=PAUSED_SECONDS,
            )
        )
        wait = self.env.cr.fetchone()[0]
        return None if wait is None else max(0.0, float(wait))


class _Run:
    """One run of the job: starts lanes, wakes them, ends them in time."""

    def __init__(
        self, registry, lane_limit, seconds, job_count=1, note_progress=lambda: None
    ):
        self.registry = registry
        self.note_progress = note_progress
        self.has_progress = False
        self.lane_limit = lane_limit
        self.job_count = max(1, job_count)
        self.ends_at = time.monotonic() + seconds
        # a hand-over begun in the last moment ends well before the worker's limit
        self.cut_at = self.ends_at + 0.8 * seconds
        self.next_due = None
        self.lanes = {}
        # aliases another run holds -> monotonic time until which we leave them to it
        self.taken = {}
        self.is_first_look = True
        self.built_bytes = 0
        self._cpu_ends_at = time.process_time() + _get_cpu_seconds()

    def serve(self):
        """Return when nothing is due any more or the time is over."""
        is_idle = False
        try:
            with _Process.watching():
                while not is_idle and not self._is_over():
                    due = self._look()
                    self._reap()
                    self._assign(due)
                    is_idle = not self.lanes
                    self._rest()
                self._stop()
        finally:
            self._stop()
        if is_idle and self.taken:
            # the run that holds the rest looks after it, and after what comes later
            return
        with self.registry.cursor() as cr:
            self.next_due = api.Environment(cr, api.SUPERUSER_ID, {})[
                "user.email.alias.queue"
            ]._get_next_due()

    def _is_over(self):
        return (
            time.monotonic() >= self.ends_at
            or time.process_time() >= self._cpu_ends_at
            or _Process.is_near()
        )

    def _assign(self, due):
        now = time.monotonic()
        self.taken = {key: end for key, end in self.taken.items() if end > now}
        free = [key for key in due if key not in self.lanes and key not in self.taken]
        # several jobs wake at once: each begins somewhere else, and with its share
        random.shuffle(free)
        room = self.lane_limit - len(self.lanes)
        if self.is_first_look:
            room = min(room, math.ceil(len(free) / self.job_count))
            self.is_first_look = False
        for alias_id in free[: max(0, room)]:
            self._start(alias_id)
        for alias_id, lane in self.lanes.items():
            if due.get(alias_id):
                lane.wake.set()
            lane.is_crowded = len(free) > room

    def _stop(self):
        for lane in self.lanes.values():
            lane.stop()
        for lane in self.lanes.values():
            lane.thread.join()
        self._reap()
        if self.built_bytes > TRIM_BYTES:
            self.built_bytes = 0
            _trim_memory()

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
            if not self.has_progress and self._has_delivered():
                self.has_progress = True
                self.note_progress()
            if all(not lane.thread.is_alive() for lane in self.lanes.values()):
                break

    def _has_delivered(self):
        return any(lane.has_delivered for lane in self.lanes.values())

    def _reap(self):
        for alias_id, lane in list(self.lanes.items()):
            if not lane.thread.is_alive():
                self.built_bytes += lane.built_bytes
                del self.lanes[alias_id]
                if lane.is_locked_out:
                    self.taken[alias_id] = time.monotonic() + TAKEN_SECONDS

    def _start(self, alias_id):
        lane = Lane(self.registry, alias_id, self.ends_at, self.cut_at)
        parent = threading.current_thread()
        lane.thread = threading.Thread(
            target=lane.run, name=f"user_email_alias.lane.{alias_id}", daemon=True
        )
        lane.thread.dbname = getattr(parent, "dbname", None)
        previous = threading.stack_size(LANE_STACK_BYTES)
        try:
            lane.thread.start()
        except RuntimeError as error:
            # limit_memory_hard bounds the address space; the next look tries again
            _logger.warning("No lane for alias %s: %s", alias_id, error)
        else:
            self.lanes[alias_id] = lane
        finally:
            threading.stack_size(previous)


def _trim_memory():
    """Give back what the C library keeps of each lane's big messages (malloc_trim(3)).

    Only glibc has the function, and needs it: it keeps a heap for each thread.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)


def _get_cpu_seconds():
    """CPU time a run may use: half of what a prefork worker is killed for."""
    limit = odoo.tools.config["limit_time_cpu"]
    return limit / 2 if limit > 0 else float("inf")


class _Process:
    """What the runs of one process share: its end, and how its threads take turns."""

    _runs = 0
    _lock = threading.Condition()
    _is_registered = False
    _switch_interval = 0.0
    _frozen_at = 0.0

    @staticmethod
    def is_near():
        """Ask Odoo's server object, which owns the handler of SIGINT."""
        owner = getattr(signal.getsignal(signal.SIGINT), "__self__", None)
        return (
            not getattr(owner, "alive", True)
            or getattr(owner, "quit_signals_received", 0) > 0
        )

    @classmethod
    @contextlib.contextmanager
    def watching(cls):
        """Count a run; the threaded server waits for it when it ends.

        While one is under way threads change places more often: a lane needs the
        interpreter a dozen times for a mail, each time but for a moment. And what
        was there before is left out of garbage collections: Odoo's models alone made
        one take 80 ms, by which a mail left late.
        """
        with cls._lock:
            cls._runs += 1
            if cls._runs == 1:
                cls._switch_interval = sys.getswitchinterval()
                sys.setswitchinterval(min(cls._switch_interval, SWITCH_SECONDS))
                gc.freeze()
                cls._frozen_at = time.monotonic()
            if not cls._is_registered:
                CommonServer.on_stop(cls.wait)
                cls._is_registered = True
        try:
            yield
        finally:
            with cls._lock:
                cls._runs -= 1
                if not cls._runs:
                    sys.setswitchinterval(cls._switch_interval)
                    gc.unfreeze()
                    if time.monotonic() - cls._frozen_at >= TIDY_SECONDS:
                        gc.collect()
                cls._lock.notify_all()

    @classmethod
    def wait(cls):
        """Wait for the mails in hand."""
        with cls._lock:
            cls._lock.wait_for(lambda: not cls._runs, SHUTDOWN_SECONDS)
