import contextlib
import logging

from psycopg2 import errors

import odoo.tools
from odoo import api, models
from odoo.tools import SQL

from ..sending.direct import DirectService
from ..sending.jobs import Jobs
from ..sending.lock import open_cursor
from ..sending.run import LANES, RUN_SECONDS, SPARE_CONNECTIONS, Run

_logger = logging.getLogger(__name__)

# A mail due later than this many seconds after the run is left to a trigger, which
# a cron worker may notice up to 69 s late.
TRIGGER_LEAD_SECONDS = 70

# How long the installation of a module waits for the mails in hand, in seconds.
ROOM_SECONDS = 15


class UserEmailAliasQueue(models.AbstractModel):
    """The cron entry of the queue: each job record runs on one worker at a time."""

    _name = "user.email.alias.queue"
    _description = "Email Alias Queue"

    @api.model
    def _trigger_cron(self):
        """Let a cron worker look at the queue once this transaction is committed."""
        for cron in self._get_crons():
            cron._trigger()

    @api.model
    def _serve_soon(self, alias_ids):
        """Serve one-to-one mail from this process if no cron worker is free for it."""
        if not DirectService.is_on() or self._is_stopped():
            return
        registry, seconds = self.env.registry, self._get_run_seconds()
        ids = self.env.cr.postcommit.data.setdefault("user_email_alias.direct", set())
        if not ids:
            self.env.cr.postcommit.add(
                lambda: DirectService.note(registry, ids, seconds)
            )
        ids.update(alias_ids)

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
        """Whether nothing may leave this database: a test, or a copy of a database."""
        return bool(self._get_stop()) or self.env["ir.mail_server"]._disable_send()

    @api.model
    def _get_stop(self):
        """What keeps everything: ``neutralised``, ``copy``, or None."""
        Params = self.env["ir.config_parameter"]
        if Params._email_alias_get("database.is_neutralized"):
            return "neutralised"
        return "copy" if self.env["user.email.alias"]._is_copy() else None

    @api.model
    def _read_jobs(self):
        """How it stands with the jobs of the queue, those switched off included."""
        return Jobs(self.with_context(active_test=False)._get_crons())

    @api.model
    def _make_room(self):
        """Have the jobs end after the mails in hand, and keep them from beginning.

        Core wants all rows of jobs, at once, to install a module; ours is at work
        for as long as there is a campaign. Whoever waits for the row is seen by the
        run, which ends then. The row is written meanwhile, which only a transaction
        that is READ COMMITTED may look past; it ends with core's own commit. In SQL
        because the ORM does not wait for a row.
        """
        crons = self._get_crons()
        if not crons or not self._is_at_work(crons):
            return
        cr = self.env.cr
        # what core would commit as well, a moment later
        cr.commit()
        cr.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
        cr.execute(SQL("SET LOCAL lock_timeout = %s", 1000 * ROOM_SECONDS))
        try:
            cr.execute(
                SQL("SELECT FROM ir_cron WHERE id IN %s FOR UPDATE", tuple(crons.ids)),
                log_exceptions=False,
            )
            cr.execute("SET LOCAL lock_timeout TO DEFAULT")
        except errors.LockNotAvailable:
            # core tells the user to try again later
            cr.rollback()

    @api.model
    def _is_at_work(self, crons):
        with contextlib.closing(open_cursor(self.env.registry)) as cr:
            crons = crons.with_env(crons.env(cr=cr))
            return crons.try_lock_for_update() != crons

    # ------------------------------------------------------------------
    # The run
    # ------------------------------------------------------------------

    @api.model
    def _cron_process(self):
        """Serve the queue for up to a minute, then hand over to the next run."""
        if self._is_stopped():
            return
        self.env["user.email.alias"]._hold_those_left()
        # the run opens cursors of its own
        self.env.cr.commit()  # pylint: disable=invalid-commit
        run = Run(
            self.env.registry,
            self._get_lane_limit(),
            self._get_run_seconds(),
            len(self._get_crons()),
            self._note_progress,
        )
        run.serve()
        self._trigger_cron_in(run.next_due)

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
        wanted = self.env["ir.config_parameter"]._email_alias_get_number(
            "user_email_alias.lanes", LANES
        )
        pool = odoo.tools.config["db_maxconn"] - SPARE_CONNECTIONS
        return max(1, min(wanted, pool))

    @api.model
    def _trigger_cron_in(self, wait):
        """Trigger the job again ``wait`` seconds from now (None: nothing waits)."""
        if wait is None:
            return
        if wait <= TRIGGER_LEAD_SECONDS:
            self._trigger_cron()
            return
        at = self.env.cr.now() + odoo.tools.date_utils.relativedelta(
            seconds=int(wait - TRIGGER_LEAD_SECONDS)
        )
        self._get_crons()[:1]._trigger(at)
