# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""Who uses the CPU while mails leave: what bounds a rate on this machine."""

import contextlib
import os

import psutil

PARTS = ("Odoo", "PostgreSQL", "the sink")


class CpuMeter:
    """CPU seconds of each part of a rig from its making on."""

    def __init__(self, rig):
        postmaster = int((rig.cluster.data / "postmaster.pid").read_text().split()[0])
        self._pids = {
            "Odoo": [odoo.pid for odoo in rig.servers],
            "PostgreSQL": [postmaster],
            "the sink": [sink.child.process.pid for sink in rig.sinks.values()],
        }
        self._begun = self._read()

    def _read(self) -> dict[str, float]:
        return {part: sum(map(_used, pids)) for part, pids in self._pids.items()}

    def per_mail(self, count: int) -> dict[str, float]:
        """Return CPU milliseconds of each part for one of so many mails."""
        now = self._read()
        return {part: 1000 * (now[part] - self._begun[part]) / count for part in PARTS}


def _used(pid: int) -> float:
    """Return the CPU seconds of a process and of all it has started."""
    total = 0.0
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = one.cpu_times()
                total += times.user + times.system
        times = process.cpu_times()
        total += times.children_user + times.children_system
    return total


def bound(per_mail: dict[str, float]) -> float:
    """Return the rate at which this machine's cores are all busy, in mails/s."""
    return 1000 * (os.cpu_count() or 1) / sum(per_mail.values())


def describe(per_mail: dict[str, float]) -> str:
    """Say what one mail costs, and what the machine can do at most."""
    parts = ", ".join(f"{part} {value:.1f}" for part, value in per_mail.items())
    return (
        f"CPU ms a mail: {parts}; {os.cpu_count()} cores are busy at "
        f"{bound(per_mail):.0f} mails/s"
    )
