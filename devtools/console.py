# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""What the developer reads while something is being prepared."""

import contextlib
import os
import sys
import time
from pathlib import Path


class DevError(Exception):
    """A failure whose message is a sentence for the developer, not a traceback."""


def say(text: str) -> None:
    """Print one line at once, so that parallel steps do not mix within a line."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


@contextlib.contextmanager
def step(text: str):
    """Print when a step begins and how long it took.

    The block may append words to the yielded list; they end up on the last line.
    """
    say(f"· {text} ...")
    began = time.monotonic()
    notes: list[str] = []
    yield notes
    took = time.monotonic() - began
    say(f"✓ {text}: {''.join(f'{note}, ' for note in notes)}{took:.1f} s")


def megabytes(size: int) -> str:
    """Return a size in bytes as people read it."""
    return f"{size / 1e6:.1f} MB"


def tree_size(path: Path) -> int:
    """Return the bytes of all files below a folder, links not followed."""
    total = 0
    for folder, _dirs, files in os.walk(path):
        for name in files:
            total += os.lstat(os.path.join(folder, name)).st_size
    return total
