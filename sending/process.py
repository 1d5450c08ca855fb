"""What the runs of one process share: its end, and how its threads take turns."""

import atexit
import contextlib
import gc
import signal
import sys
import threading
import time

from odoo.service.server import CommonServer, Worker

# How long a lane may keep the interpreter while others want it, in seconds; Python's
# own 0.005 made 48 lanes of 1 s pause late by 70 ms for each email.
SWITCH_SECONDS = 0.001

# After a run that lasted this long, in seconds, the garbage of the time before is
# collected: the next run may follow at once, and would keep it.
TIDY_SECONDS = 10

# How long a shutdown waits for the mails in hand, in seconds.
SHUTDOWN_SECONDS = 9

# How long a prefork worker that has ended waits for them, in seconds: nobody else is
# kept waiting, and its master is patient for limit_time_real.
WORKER_SECONDS = 50


class Process:
    """Counts the runs and lanes under way in this process."""

    _runs = 0
    _lock = threading.Condition()
    _is_registered = False
    _switch_interval = 0.0
    _frozen_at = 0.0

    @staticmethod
    def get_owner():
        """Odoo's server or worker object of this process, if there is one."""
        return getattr(signal.getsignal(signal.SIGINT), "__self__", None)

    @classmethod
    def is_ending(cls):
        """Whether Odoo shuts down: its server object owns the handler of SIGINT."""
        owner = cls.get_owner()
        return (
            not getattr(owner, "alive", True)
            or getattr(owner, "quit_signals_received", 0) > 0
        )

    @classmethod
    @contextlib.contextmanager
    def watching(cls):
        """Count a run or a lane; the process waits for it when it ends.

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
                # the threaded server closes all connections when it has stopped
                CommonServer.on_stop(cls.wait)
                # a prefork worker has no such step
                atexit.register(cls._wait_in_worker)
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
    def wait(cls, seconds=SHUTDOWN_SECONDS):
        """Wait for the mails in hand."""
        with cls._lock:
            cls._lock.wait_for(lambda: not cls._runs, seconds)

    @classmethod
    def _wait_in_worker(cls):
        if isinstance(cls.get_owner(), Worker):
            cls.wait(WORKER_SECONDS)
