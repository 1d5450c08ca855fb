# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""Arithmetic over what the sink has noted. Times are seconds."""

import contextlib
import itertools
import math
import subprocess
import sys


def by_sender(records: list[dict]) -> dict[str, list[dict]]:
    """Group what came in by envelope sender."""
    grouped: dict[str, list[dict]] = {}
    for record in records:
        grouped.setdefault(record["from"], []).append(record)
    return grouped


def gaps(records: list[dict]) -> list[float]:
    """Return the pauses: from each reply to the next MAIL FROM."""
    return [
        later["mail_at"] - earlier["reply_at"]
        for earlier, later in itertools.pairwise(records)
    ]


def service(records: list[dict]) -> float:
    """Return the mean time from MAIL FROM to the final reply."""
    return sum(r["reply_at"] - r["mail_at"] for r in records) / len(records)


def period(records: list[dict]) -> float:
    """Return the mean time from one MAIL FROM to the next."""
    return (records[-1]["mail_at"] - records[0]["mail_at"]) / (len(records) - 1)


def rate(records: list[dict]) -> float:
    """Return mails a second, from the first MAIL FROM to the last reply."""
    records = sorted(records, key=lambda r: r["mail_at"])
    last = max(r["reply_at"] for r in records)
    return len(records) / (last - records[0]["mail_at"])


def percentile(values: list[float], share: float) -> float:
    """Return the nearest-rank percentile."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


@contextlib.contextmanager
def busy_cores(count: int):
    """Keep so many cores busy for the block."""
    hogs = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"])
        for _ in range(count)
    ]
    try:
        yield
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()
