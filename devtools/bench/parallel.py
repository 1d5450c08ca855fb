# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""Many aliases at once, healthy and broken ones."""

from .figure import bounded, figures, versus_core
from .timing import by_sender, period, rate, service


@figures("parallel.utilisation")
def utilisation(context):
    """The worst of 48 aliases, each from its own first MAIL FROM to its last."""
    aliases, delay, server_time, count = 48, 1.0, 0.2, 15
    with context.rig() as rig:
        port = rig.sink.listen(server_time=server_time)
        senders = rig.ask("aliases", ports=[port] * aliases, delay_ms=int(1000 * delay))
        rig.server()
        rig.ask("queue", alias_ids=[s["alias_id"] for s in senders], count=count)
        rig.sink.wait_for(aliases * count, 180, rig.check)
        grouped = by_sender(rig.sink.records())
    begun = min(records[0]["mail_at"] for records in grouped.values())
    ideal = (count - 1) * (delay + server_time)
    last = max(records[-1]["mail_at"] for records in grouped.values())
    own = min(ideal / ((count - 1) * period(records)) for records in grouped.values())
    yield bounded(
        "parallel.utilisation",
        own,
        "ratio",
        0.93,
        least=True,
        detail=f"{aliases} aliases, {count} mails each; from the very first MAIL FROM "
        f"of all to the last {last - begun:.1f} s, ideal {ideal:.1f} s, ratio "
        f"{ideal / (last - begun):.3f}",
    )


@figures("throughput.slow")
def slow(context):
    """A server that takes 200 ms: waiting for it must not add up."""
    aliases, count, core_count = 32, context.count(20, 5), context.count(60, 20)
    with context.rig() as rig:
        port = rig.sink.listen(server_time=0.2)
        senders = rig.ask("aliases", ports=[port] * aliases)
        rig.ask("core_server", port=port)
        rig.server()
        rig.ask("queue", alias_ids=[s["alias_id"] for s in senders], count=count)
        rig.sink.wait_for(aliases * count, 180, rig.check)
        ours = rate(rig.sink.records())
        rig.wait_until_idle(20)
        rig.sink.clear()
        rig.ask("core_queue", count=core_count)
        rig.sink.wait_for(core_count, 180, rig.check)
        core = rate(rig.sink.records())
    yield versus_core(
        "throughput.slow",
        ours,
        core,
        12,
        f"{ours:.1f} mails/s with {aliases} aliases, Odoo's own {core:.1f}",
    )


@figures("throughput.heavy")
def heavy(context):
    """Many aliases with 1 MB attached: lanes that share the CPU must not starve."""
    aliases, count, core_count = 24, context.count(10, 4), context.count(100, 20)
    with context.rig() as rig:
        port = rig.sink.listen()
        senders = rig.ask("aliases", ports=[port] * aliases)
        attachment = rig.ask("attachment", megabytes=1)
        rig.ask("core_server", port=port)
        rig.server()
        rig.ask("core_queue", count=core_count, attachment_ids=[attachment])
        rig.sink.wait_for(core_count, 180, rig.check)
        core = rate(rig.sink.records())
        rig.sink.clear()
        rig.ask(
            "queue",
            alias_ids=[s["alias_id"] for s in senders],
            count=count,
            attachment_ids=[attachment],
        )
        rig.sink.wait_for(aliases * count, 60 + 3 * aliases * count / core, rig.check)
        ours = rate(rig.sink.records())
    yield versus_core(
        "throughput.heavy",
        ours,
        core,
        2.0,
        f"{ours:.1f} mails/s with {aliases} aliases, Odoo's own {core:.1f}",
    )


@figures("isolation")
def isolation(context):
    """A silent, a resetting and a refusing server beside 17 good ones."""
    good, delay, count = 17, 1.0, context.count(30, 10)
    with context.rig() as rig:
        port = rig.sink.listen()
        bad = [
            rig.sink.listen(silent="connect"),
            rig.sink.listen(reset="mail"),
            rig.sink.listen(password="another"),
        ]
        senders = rig.ask(
            "aliases", ports=[*bad, *[port] * good], delay_ms=int(1000 * delay)
        )
        rig.server()
        rig.ask("queue", alias_ids=[s["alias_id"] for s in senders], count=count)
        rig.sink.wait_for(good * count, 120 + 2 * count * delay, rig.check)
        grouped = by_sender(rig.sink.records())
    ratios = [
        period(records) / (delay + service(records)) for records in grouped.values()
    ]
    yield bounded(
        "isolation",
        sum(ratios) / len(ratios),
        "ratio",
        1.05,
        detail=f"mean of {good} good aliases, the worst {max(ratios):.4f}",
    )
