"""One run of the queue's job: which alias gets a lane, and until when."""

import collections
import ctypes
import logging
import math
import random
import threading
import time

import odoo.tools

from .clock import follow_clock
from .lane import Lane
from .lock import open_cursor
from .process import Process
from .queries import get_due, get_next_due, get_waiting

_logger = logging.getLogger(__name__)

# One run of the cron stays open that long, in seconds, so that connections are
# reused; never more than half of the worker's real-time limit.
RUN_SECONDS = 60

# Aliases served at the same time by one run, unless the parameter
# user_email_alias.lanes says otherwise. Each lane holds one database connection.
LANES = 50

# Database connections left to everything else in the process: those of the job (4) and
# of another one (4), of the bus, those a lane needs for a moment beside its own (see
# lock.py), and what users do meanwhile.
SPARE_CONNECTIONS = 14

# How often the run looks for aliases and one-to-one mails that became due, in
# seconds: the price is one index probe for each alias.
LOOK_SECONDS = 0.25

# An alias that another run holds is left alone for this time.
TAKEN_SECONDS = 2.0

# A lane that broke is not started again for that long, in seconds: doubled each time.
BROKEN_SECONDS = 1.0
BROKEN_SECONDS_LONGEST = 64.0

# However many aliases one user has, they leave about this part of the free lanes (one
# in so many) to others, and the last free lane to somebody who has none.
OTHERS_SHARE = 4

# Bulk mail leaves one lane in so many to one-to-one mail.
DIRECT_SHARE = 25

# Address space for a lane's stack, instead of the system's 8 MiB: fifty lanes have to
# fit below Odoo's limit_memory_hard.
LANE_STACK_BYTES = 2 * 1024 * 1024

# How long, as a part of the run, it serves the others while somebody's mail takes
# longer than the run; what is begun then has the rest until `cut_at`.
OUTLAST_SHARE = 0.3

# What is in hand when a run ends is answered within this time, in seconds, as a rule.
USUAL_SECONDS = 1.0

# A run that has built more bytes of messages than this gives memory back.
TRIM_BYTES = 10_000_000


class Run:
    """One run of the job: starts lanes, wakes them, ends them in time."""

    others_share = OTHERS_SHARE

    def __init__(
        self, registry, lane_limit, seconds, job_count=1, note_progress=lambda: None
    ):
        self.registry = registry
        self.note_progress = note_progress
        self.has_progress = False
        self.lane_limit = lane_limit
        self.job_count = max(1, job_count)
        self.seconds = seconds
        self.ends_at = time.monotonic() + seconds
        # a submission begun in the last moment ends well before the worker's limit
        self.cut_at = self.ends_at + 0.8 * seconds
        self.next_due = None
        self.lanes = {}
        # aliases another run holds -> monotonic time until which we leave them to it
        self.taken = {}
        # aliases whose lane broke -> the same, and how often it did
        self.put_off = {}
        self.broken = collections.Counter()
        self.is_first_look = True
        self.built_bytes = 0
        # a change of the jobs, as an installation makes it, waits for this one
        self._is_room_wanted = False
        self._cpu_ends_at = time.process_time() + _get_cpu_seconds()

    def serve(self):
        """Return when nothing is due any more or the time is over."""
        is_idle = False
        try:
            with Process.watching():
                self._follow_clock()
                while not is_idle and not self._is_over():
                    due = self._look()
                    self._reap()
                    self._assign(due)
                    is_idle = self._is_idle(due)
                    self._rest()
                if not is_idle:
                    self._outlast()
                self._stop()
        finally:
            self._stop()
        if is_idle and self.taken:
            # the run that holds the rest looks after it, and after what comes later
            return
        self.next_due = self._get_next_due()

    def _outlast(self):
        """Serve the others while somebody's mail takes longer than the run.

        Users whose mails do so have to wait for the next run.
        """
        for lane in self.lanes.values():
            lane.stop()
        until = time.monotonic() + USUAL_SECONDS
        for lane in self.lanes.values():
            lane.thread.join(max(0.0, until - time.monotonic()))
        self._reap()
        slow = list(self.lanes.values())
        users = {lane.user_id for lane in slow}
        self.ends_at += OUTLAST_SHARE * self.seconds
        while any(lane.thread.is_alive() for lane in slow) and not self._is_over():
            due = {key: row for key, row in self._look().items() if row[0] not in users}
            self._reap()
            self._assign(due)
            self._rest()

    def _is_idle(self, due):
        return not self.lanes and not self.put_off

    def _is_over(self):
        return (
            self._is_room_wanted
            or time.monotonic() >= self.ends_at
            or time.process_time() >= self._cpu_ends_at
            or Process.is_ending()
        )

    def _assign(self, due):
        now = time.monotonic()
        self.taken = {key: end for key, end in self.taken.items() if end > now}
        self.put_off = {key: end for key, end in self.put_off.items() if end > now}
        free = [key for key in due if not self._is_left_alone(key)]
        if self.is_first_look:
            self.is_first_look = False
            count = math.ceil(len(free) / self.job_count)
        else:
            count = len(free)
        left = self._start_by_turn(free, due, count)
        # a lane makes room for those it keeps from having one
        crowd = {due[alias_id][0] for alias_id in left}
        is_full = any(self._has_share(due[alias_id][0]) for alias_id in left)
        for alias_id, lane in self.lanes.items():
            if due.get(alias_id, (None, False))[1]:
                lane.wake.set()
            lane.is_crowded = is_full or lane.user_id in crowd

    def _is_left_alone(self, alias_id):
        return any(alias_id in each for each in (self.lanes, self.taken, self.put_off))

    def _start_by_turn(self, free, due, count):
        """Start lanes: one-to-one mail first, then user by user, then by alias.

        :param due: alias id -> (user id, whether a one-to-one mail is due)
        :param count: lanes to start at most; other jobs take theirs
        :return: the ids of those that found no lane
        """
        # several jobs wake at once: each begins somewhere else, and with its share
        random.shuffle(free)
        turns = collections.Counter(lane.user_id for lane in self.lanes.values())
        ranks = {}
        for alias_id in sorted(free, key=lambda alias_id: not due[alias_id][1]):
            user_id, is_direct = due[alias_id]
            ranks[alias_id] = (not is_direct, turns[user_id])
            turns[user_id] += 1
        left = []
        for alias_id in sorted(ranks, key=ranks.get):
            user_id, is_direct = due[alias_id]
            if not self._has_room(is_direct) or not self._has_share(user_id):
                left.append(alias_id)
            elif count > 0:
                count -= 1
                self._start(alias_id, user_id)
        return left

    def _has_room(self, is_direct):
        return len(self.lanes) < get_room(self.lane_limit, is_direct)

    def _has_share(self, user_id):
        """Whether a user may have one lane more, if there is one at all."""
        own = sum(lane.user_id == user_id for lane in self.lanes.values())
        free = self.lane_limit - len(self.lanes)
        return not own or own < (self.others_share - 1) * (free - 1)

    def _stop(self):
        for lane in self.lanes.values():
            lane.stop()
        self._wait_for_lanes()
        self._reap()
        if self.built_bytes > TRIM_BYTES:
            self.built_bytes = 0
            _trim_memory()

    def _wait_for_lanes(self):
        for lane in self.lanes.values():
            lane.thread.join()

    def _follow_clock(self):
        with open_cursor(self.registry) as cr:
            follow_clock(cr)

    def _look(self):
        with open_cursor(self.registry) as cr:
            wanted, self._is_room_wanted = get_waiting(cr)
            due = self._get_due(cr)
        for alias_id in wanted.intersection(self.lanes):
            self.lanes[alias_id].let_others_in()
        return due

    def _get_due(self, cr):
        return get_due(cr, self.ends_at - time.monotonic())

    def _get_next_due(self):
        with open_cursor(self.registry) as cr:
            return get_next_due(cr)

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
                elif lane.is_broken:
                    wait = BROKEN_SECONDS * 2 ** self.broken[alias_id]
                    self.broken[alias_id] += 1
                    wait = min(wait, BROKEN_SECONDS_LONGEST)
                    self.put_off[alias_id] = time.monotonic() + wait
                else:
                    del self.broken[alias_id]

    def _create_lane(self, alias_id):
        return Lane(self.registry, alias_id, self.ends_at, self.cut_at)

    def _start(self, alias_id, user_id):
        lane = self._create_lane(alias_id)
        lane.user_id = user_id
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


def get_room(lane_limit, is_direct):
    """Return how many of the lanes may be at work for another one to start."""
    kept = 0
    if not is_direct and lane_limit > OTHERS_SHARE - 1:
        kept = math.ceil(lane_limit / DIRECT_SHARE)
    return lane_limit - kept


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
