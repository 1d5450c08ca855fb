"""One run of the queue's job: which alias gets a lane, and until when."""

import ctypes
import logging
import math
import random
import threading
import time

import odoo.tools

from .lane import Lane
from .process import Process
from .queries import get_due, get_next_due

_logger = logging.getLogger(__name__)

# How often the run looks for aliases and one-to-one mails that became due, in
# seconds: the price is one index probe for each alias.
LOOK_SECONDS = 0.25

# An alias that another run holds is left alone for this time.
TAKEN_SECONDS = 2.0

# Address space for a lane's stack, instead of the system's 8 MiB: fifty lanes have to
# fit below Odoo's limit_memory_hard.
LANE_STACK_BYTES = 2 * 1024 * 1024

# A run that has built more bytes of messages than this gives memory back.
TRIM_BYTES = 10_000_000


class Run:
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
        # a submission begun in the last moment ends well before the worker's limit
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
            with Process.watching():
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
            self.next_due = get_next_due(cr)

    def _is_over(self):
        return (
            time.monotonic() >= self.ends_at
            or time.process_time() >= self._cpu_ends_at
            or Process.is_ending()
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
            return get_due(cr, self.ends_at - time.monotonic())

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
