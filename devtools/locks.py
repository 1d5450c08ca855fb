# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""Files that keep two `./dev` calls from doing the same work at once."""

import contextlib
import fcntl
import os
from pathlib import Path

from .console import say


@contextlib.contextmanager
def exclusive(path: Path, what: str):
    """Hold a lock that the kernel gives back even when the process is killed."""
    with _tried(path) as (descriptor, is_held):
        if not is_held:
            say(f"· another ./dev is busy with {what}, waiting for it ...")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def attempt(path: Path):
    """Yield whether the lock could be had at once; hold it for the block if so."""
    with _tried(path) as (_descriptor, is_held):
        yield is_held


@contextlib.contextmanager
def _tried(path: Path):
    """Yield the open lock file, and whether the lock could be had at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield descriptor, False
        else:
            yield descriptor, True
    finally:
        os.close(descriptor)
