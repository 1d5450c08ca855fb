# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""How exactly the pause between two bulk emails is kept."""

import os

from .figure import Figure, bounded, figures
from .timing import busy_cores, by_sender, gaps, period, service

WARM_UP = 20
"""Emails before the mean is taken: a server that has just started tidies its memory."""

SHORT_RUN_LIMIT = 8
"""Seconds; a run of the queue lasts half of it, so that there are many of them."""

GROUPS = ((20,), (50,), (100,), (250, 1000))
"""Pauses in ms measured at the same time, few enough not to be held up by the CPU."""


@figures("pace.violations")
def violations(context):
    """Two servers take turns in runs of a few seconds; no pause may be too short."""
    short = total = 0
    worst = float("inf")
    count = context.count(300, 20)
    with context.rig() as rig:
        port = rig.sink.listen()
        for _ in range(2):
            rig.server(limit_time_real_cron=SHORT_RUN_LIMIT)
        first = 1
        for group in GROUPS:
            senders = {}
            for delay in group:
                [alias] = rig.ask("aliases", ports=[port], delay_ms=delay, first=first)
                senders[alias["email"]] = (delay, alias["alias_id"])
                first += 1
            rig.sink.clear()
            for _delay, alias_id in senders.values():
                rig.ask("queue", alias_ids=[alias_id], count=count)
            seconds = 120 + 2 * count * max(group) / 1000
            rig.sink.wait_for(count * len(group), seconds, rig.check)
            for sender, records in by_sender(rig.sink.records()).items():
                delay = senders[sender][0]
                found = gaps(records)
                total += len(found)
                short += sum(gap < delay / 1000 for gap in found)
                worst = min(worst, *(1000 * gap - delay for gap in found))
    yield Figure(
        "pace.violations",
        short,
        "gaps",
        "0",
        short == 0,
        detail=f"of {total} gaps; the closest was {worst:.2f} ms above its pause",
    )


@figures("pace.mean", "pace.mean.busy")
def mean(context):
    """The mean distance of two MAIL FROMs beside what it has to be."""
    for name, hogs, limit in (
        ("pace.mean", 0, 1.02),
        ("pace.mean.busy", os.cpu_count(), 1.05),
    ):
        ratios = {}
        for delay, full in ((50, 300), (100, 300), (250, 120), (1000, 60)):
            count = context.count(full, 20)
            with context.rig() as rig:
                port = rig.sink.listen()
                [alias] = rig.ask("aliases", ports=[port], delay_ms=delay)
                rig.server()
                rig.ask("queue", alias_ids=[alias["alias_id"]], count=WARM_UP)
                rig.wait_until_idle(60, rig.check)
                rig.sink.clear()
                with busy_cores(hogs):
                    rig.ask("queue", alias_ids=[alias["alias_id"]], count=count)
                    rig.sink.wait_for(count, 60 + 3 * count * delay / 1000, rig.check)
                records = rig.sink.records()
                ideal = delay / 1000 + service(records)
                ratios[delay] = period(records) / ideal
        shown = ", ".join(f"{delay} ms {ratio:.4f}" for delay, ratio in ratios.items())
        yield bounded(
            name,
            max(ratios.values()),
            "ratio",
            limit,
            detail=f"period / (pause + server time), worst of {shown}",
        )


@figures("pace.utilisation")
def utilisation(context):
    """A long campaign over several runs of the queue."""
    count = context.count(1000, 100)
    with context.rig() as rig:
        port = rig.sink.listen()
        [alias] = rig.ask("aliases", ports=[port], delay_ms=100)
        rig.server()
        rig.ask("queue", alias_ids=[alias["alias_id"]], count=count)
        rig.sink.wait_for(count, 60 + 0.3 * count, rig.check)
        records = rig.sink.records()
    ideal = 0.1 + service(records)
    longest = max(gaps(records))
    yield bounded(
        "pace.utilisation",
        ideal / period(records),
        "ratio",
        0.97,
        least=True,
        anchor=0.50,
        detail=f"{count} mails, pause 100 ms, server time "
        f"{1000 * service(records):.1f} ms; longest pause {longest:.2f} s "
        "(anchor: Odoo's personal servers, by their own limit)",
    )
