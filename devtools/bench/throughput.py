# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""Mails a second when neither the pause nor the mail server holds anything up."""

from ..rig import cpu
from .figure import bounded, figures, versus_core
from .timing import rate

LANES = 8


@figures("throughput.fast", "throughput.fast.two")
def fast(context):
    """One worker against Odoo's own queue, then two workers against one.

    Two against one with an alias for each: many aliases in one worker use the
    database beside Python and so fill two cores by themselves.
    """
    count = context.count(100, 20)
    with context.rig(jobs=2) as rig:
        port = rig.sink.listen()
        senders = rig.ask("aliases", ports=[port] * LANES)
        ids = [sender["alias_id"] for sender in senders]
        rig.ask("core_server", port=port)
        rig.server(cron_threads=1)
        rig.ask("queue", alias_ids=ids, count=5)  # warms up
        rig.wait_until_idle(60)
        single = _ours(rig, ids[:1], count * 4, "single")
        meter = cpu.CpuMeter(rig)
        one = _ours(rig, ids, count, "one")
        cost = meter.per_mail(count * LANES)
        rig.sink.clear()
        rig.ask("core_queue", count=count * 4)
        rig.sink.wait_for(count * 4, 240, rig.check)
        core = rate(rig.sink.records())
        rig.server(cron_threads=1)
        rig.ask("queue", alias_ids=ids, count=5, prefix="warm")
        rig.wait_until_idle(60)
        meter = cpu.CpuMeter(rig)
        two = _ours(rig, ids[:2], count * 4, "two")
        cost_of_two = meter.per_mail(2 * count * 4)
        many = _ours(rig, ids, 2 * count, "many")
    yield versus_core(
        "throughput.fast",
        single,
        core,
        1.0,
        f"{single:.1f} mails/s with one alias, {one:.1f} with {LANES}, Odoo's "
        f"own {core:.1f}; {cpu.describe(cost)}",
    )
    yield bounded(
        "throughput.fast.two",
        two / single,
        "x",
        1.8,
        least=True,
        detail=f"{two:.1f} mails/s with two servers and an alias for each, "
        f"{single:.1f} with one; with {LANES} aliases {many:.1f} and {one:.1f}; "
        f"{cpu.describe(cost_of_two)}",
    )


@figures("throughput.rtt")
def round_trip(context):
    """A mail server that is 50 ms away: what counts is how often it is asked."""
    count = context.count(100, 30)
    with context.rig() as rig:
        port = rig.sink.listen(round_trip=0.05)
        senders = rig.ask("aliases", ports=[port])
        rig.ask("core_server", port=port)
        rig.server(cron_threads=1)
        ours = _ours(rig, [senders[0]["alias_id"]], count, "far")
        rig.sink.clear()
        rig.ask("core_queue", count=count)
        rig.sink.wait_for(count, 240, rig.check)
        core = rate(rig.sink.records())
    yield versus_core(
        "throughput.rtt",
        ours,
        core,
        1.8,
        f"{ours:.1f} mails/s with one alias, Odoo's own {core:.1f}",
    )


def _ours(rig, alias_ids: list[int], count: int, prefix: str) -> float:
    rig.sink.clear()
    rig.ask("queue", alias_ids=alias_ids, count=count, prefix=prefix)
    rig.sink.wait_for(count * len(alias_ids), 300, rig.check)
    records = rig.sink.records()
    rig.wait_until_idle(20)
    return rate(records)
