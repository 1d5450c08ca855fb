"""One-to-one mail that no cron worker took: the process that wrote it serves it."""

import logging
import threading
import time

import psycopg2

from odoo import api
from odoo.modules import module
from odoo.service.server import CommonServer, Worker

from .lane import Lane
from .lock import open_cursor
from .process import Process
from .queries import get_due
from .run import Run

_logger = logging.getLogger(__name__)

# How long cron workers have, in seconds, to take a one-to-one mail.
PATIENCE_SECONDS = 0.6

# Aliases served at the same time beside what cron workers do, and what one user leaves
# of them to others: see OTHERS_SHARE.
LANES = 8
OTHERS_SHARE = 2


class DirectRun(Run):
    """A run for the one-to-one mail of some aliases, until all of it has left.

    Whoever holds an alias serves its one-to-one mail first, so it is only watched then.
    Lanes whose mail takes longer than the run are left to the next one: nobody who
    writes meanwhile waits for them.

    :param take_more: returns the ids of aliases to look after from now on
    :param lanes: alias id -> lane, of the run before
    """

    others_share = OTHERS_SHARE

    def __init__(self, registry, seconds, take_more, lanes):
        super().__init__(registry, LANES, seconds)
        self.take_more = take_more
        self.lanes.update(lanes)
        self.alias_ids = set()

    def _is_idle(self, due):
        return not self.lanes and not due

    def _get_due(self, cr):
        self.alias_ids |= self.take_more()
        return get_due(cr, 0.0, direct_of=self.alias_ids)

    def _create_lane(self, alias_id):
        return Lane(self.registry, alias_id, self.ends_at, self.cut_at, is_direct=True)

    def _follow_clock(self):
        """Leave that to the job."""

    def _outlast(self):
        """Leave that to the next run."""

    def _wait_for_lanes(self):
        """Leave them to the next run; the process itself waits for them."""


class DirectService:
    """The thread of one database in this process, and what it has to look after."""

    is_on_in_tests = False
    _lock = threading.Lock()
    _services = {}

    @classmethod
    def is_on(cls):
        """Whether this process serves: a server of HTTP requests, or its jobs.

        Not a cron worker of several databases: after each job it closes all
        connections, ours included.
        """
        if module.current_test:
            return cls.is_on_in_tests
        owner = Process.get_owner()
        if not isinstance(owner, CommonServer | Worker):
            return False
        return getattr(owner, "db_count", 0) <= 1

    @classmethod
    def note(cls, registry, alias_ids, run_seconds):
        """Look after these aliases; their one-to-one mail has just been committed."""
        with cls._lock:
            service = cls._services.get(registry.db_name)
            if not service:
                service = cls(registry, run_seconds)
                service._start()
            for alias_id in alias_ids:
                service._noted.setdefault(alias_id, time.monotonic())

    def __init__(self, registry, run_seconds):
        self.registry = registry
        self.run_seconds = run_seconds
        # alias id -> monotonic time of its mail
        self._noted = {}
        # alias id -> lane that the last run has left
        self._lanes = {}

    def _start(self):
        name = self.registry.db_name
        thread = threading.Thread(
            target=self._serve, name=f"user_email_alias.direct.{name}", daemon=True
        )
        thread.dbname = name
        try:
            thread.start()
        except RuntimeError as error:
            _logger.warning("One-to-one mail is left to the job: %s", error)
        else:
            self._services[name] = self

    def _serve(self):
        while not self._is_done():
            time.sleep(PATIENCE_SECONDS / 4)
            alias_ids = self._take()
            if not alias_ids and not self._lanes:
                continue
            try:
                self._serve_aliases(alias_ids)
            except psycopg2.Error as error:
                _logger.warning("One-to-one mail is left to the job: %s", error)
            except Exception:
                _logger.exception("One-to-one mail is left to the job")

    def _is_done(self):
        with self._lock:
            if (self._noted or self._lanes) and not Process.is_ending():
                return False
            del self._services[self.registry.db_name]
            return True

    def _take(self):
        """The aliases whose mail has waited long enough for a cron worker."""
        limit = time.monotonic() - PATIENCE_SECONDS
        with self._lock:
            ids = {alias_id for alias_id, at in self._noted.items() if at <= limit}
            for alias_id in ids:
                del self._noted[alias_id]
        return ids

    def _serve_aliases(self, alias_ids):
        with open_cursor(self.registry) as cr:
            if not self._lanes and not get_due(cr, 0.0, direct_of=alias_ids):
                return
        run = DirectRun(self.registry, self.run_seconds, self._take, self._lanes)
        run.alias_ids |= alias_ids
        try:
            run.serve()
        finally:
            self._lanes = run.lanes
        if not Process.is_ending() and time.monotonic() >= run.ends_at:
            self.note(self.registry, run.alias_ids, self.run_seconds)
        # a job that found an alias taken relies on us for what comes later
        with open_cursor(self.registry) as cr:
            env = api.Environment(cr, api.SUPERUSER_ID, {})
            env["user.email.alias.queue"]._trigger_cron_in(run.next_due)
