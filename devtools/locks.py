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
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"· another ./dev is busy with {what}, waiting for it ...")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def attempt(path: Path):
    """Yield whether the lock could be had at once; hold it for the block if so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)
