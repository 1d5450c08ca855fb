# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""Sending through a provider's interface beside SMTP in the same run.

Both take 200 ms for their answer. The interface keeps one connection open for each
alias and loses no more to HTTPS than a twentieth. What answers is a fake in a process
of its own, in plain Python: its share of the CPU counts against the interface.
"""

import os

from ..rig import cpu
from .figure import Figure, bounded, figures
from .pace import SHORT_RUN_LIMIT
from .timing import busy_cores, by_sender, gaps, period, rate, service

TRANSPORTS = ("graph", "gmail")
SERVER_TIME = 0.2
NO_LIMIT = 10**9
WARM_UP = 20
NEAR = 0.05
"""How far a figure may be from SMTP's."""


def _rig(context, **options):
    return context.rig(sinks=("smtp", "api"), **options)


def _three(rig, delay_ms=0, count=1) -> dict[str, list[dict]]:
    """Return so many aliases for SMTP and for each interface."""
    port = rig.sink.listen(server_time=SERVER_TIME)
    made = {"smtp": rig.ask("aliases", ports=[port] * count, delay_ms=delay_ms)}
    for transport in TRANSPORTS:
        made[transport] = _signed_in(rig, transport, count, delay_ms, len(made) * count)
    return made


def _signed_in(rig, transport, count, delay_ms=0, after=0):
    senders = rig.signed_in(transport, count, delay_ms, first=1 + after)
    rig.sinks["api"].behave(transport, server_time=SERVER_TIME, units_a_minute=NO_LIMIT)
    return senders


def _ids(senders: list[dict]) -> list[int]:
    return [sender["alias_id"] for sender in senders]


def _clear(rig) -> None:
    for sink in rig.sinks.values():
        sink.clear()


def _records(rig) -> dict[str, list[dict]]:
    """Return what arrived by each transport."""
    found = {"smtp": rig.sink.records()}
    for record in rig.sinks["api"].records():
        found.setdefault(record["transport"], []).append(record)
    return found


def _connections(rig) -> int:
    """Return the most connections that an interface has seen since it was cleared."""
    seen = rig.sinks["api"].interfaces()
    return max(interface["connections"] for interface in seen.values())


def _send(rig, made: dict, count: int, seconds: float) -> dict[str, list[dict]]:
    """Let all aliases send so many emails at the same time."""
    _clear(rig)
    ids = [alias_id for senders in made.values() for alias_id in _ids(senders)]
    rig.ask("queue", alias_ids=ids, count=count)
    for kind, transports in (("smtp", ("smtp",)), ("api", TRANSPORTS)):
        wanted = count * sum(len(made.get(transport, ())) for transport in transports)
        rig.sinks[kind].wait_for(wanted, seconds, rig.check)
    found = _records(rig)
    rig.wait_until_idle(60)
    return found


@figures("pace.api.violations")
def violations(context):
    """Two servers take turns in runs of a few seconds; no pause may be too short."""
    count = context.count(100, 20)
    delays = (20, 50, 100, 250)
    with context.rig(sinks=("api",)) as rig:
        senders = {}
        for transport in TRANSPORTS:
            for delay in delays:
                [one] = _signed_in(rig, transport, 1, delay, len(senders))
                senders[one["email"]] = (delay, one["alias_id"])
        for _ in range(2):
            rig.server(limit_time_real_cron=SHORT_RUN_LIMIT)
        rig.sink.clear()
        ids = [alias_id for _, alias_id in senders.values()]
        rig.ask("queue", alias_ids=ids, count=count)
        rig.sink.wait_for(count * len(senders), 120 + 2 * count, rig.check)
        found = {
            sender: gaps(records)
            for sender, records in by_sender(rig.sink.records()).items()
        }
    beyond = [
        gap - senders[sender][0] / 1000
        for sender, each in found.items()
        for gap in each
    ]
    short = sum(one < 0 for one in beyond)
    yield Figure(
        "pace.api.violations",
        short,
        "gaps",
        "0",
        short == 0,
        detail=f"of {len(beyond)} gaps; the closest was {1000 * min(beyond):.2f} ms "
        "above its pause",
    )


@figures("pace.api.mean", "pace.api.mean.busy")
def mean(context):
    """The mean distance of two emails, by what it has to be, beside SMTP's."""
    for name, hogs in (("pace.api.mean", 0), ("pace.api.mean.busy", os.cpu_count())):
        worst, shown, anchor = 0.0, [], 0.0
        for delay, full in ((50, 120), (250, 80), (1000, 40)):
            with _rig(context) as rig:
                made = _three(rig, delay)
                rig.server()
                _send(rig, made, WARM_UP, 120)
                count = context.count(full, 20)
                with busy_cores(hogs):
                    found = _send(
                        rig, made, count, 60 + 3 * count * (delay / 1000 + 0.2)
                    )
            ratio = {
                transport: period(records) / (delay / 1000 + service(records))
                for transport, records in found.items()
            }
            worst = max(worst, *(ratio[t] / ratio["smtp"] for t in TRANSPORTS))
            anchor = max(anchor, ratio["smtp"])
            words = ", ".join(f"{t} {value:.4f}" for t, value in ratio.items())
            shown.append(f"{delay} ms: {words}")
        yield bounded(
            name,
            worst,
            "x",
            1 + NEAR,
            anchor=anchor,
            detail=f"period / (pause + server time) by SMTP's; {'; '.join(shown)}",
        )


@figures("pace.api.utilisation")
def utilisation(context):
    """A long campaign over several runs of the queue, beside SMTP's."""
    count = context.count(500, 100)
    with _rig(context) as rig:
        made = _three(rig, 100)
        rig.server()
        _send(rig, made, WARM_UP, 120)
        found = _send(rig, made, count, 60 + count)
        connections = _connections(rig)
    used = {
        transport: (0.1 + service(records)) / period(records)
        for transport, records in found.items()
    }
    shown = ", ".join(f"{t} {value:.4f}" for t, value in used.items())
    yield bounded(
        "pace.api.utilisation",
        min(used[transport] for transport in TRANSPORTS) / used["smtp"],
        "x",
        1 - NEAR,
        least=True,
        anchor=used["smtp"],
        detail=f"{count} mails, pause 100 ms, by SMTP's; {shown}; {connections} "
        "connections at most",
    )


@figures("throughput.slow.api", "throughput.slow.api.connections")
def slow(context):
    """32 aliases at once: mails a second by SMTP's, and how many connections."""
    aliases, count = 32, context.count(40, 10)
    rates, costs, connections = {}, {}, 0
    with _rig(context) as rig:
        made = _three(rig, count=aliases)
        rig.server()
        for transport, senders in made.items():
            one = {transport: senders}
            _send(rig, one, 2, 120)
            meter = cpu.CpuMeter(rig)
            found = _send(rig, one, count, 300)
            costs[transport] = meter.per_mail(aliases * count)
            rates[transport] = rate(found[transport])
            if transport != "smtp":
                connections = max(connections, _connections(rig))
    shown = ", ".join(f"{t} {value:.1f}" for t, value in rates.items())
    yield bounded(
        "throughput.slow.api",
        min(rates[transport] for transport in TRANSPORTS) / rates["smtp"],
        "x",
        1 - NEAR,
        least=True,
        anchor=rates["smtp"],
        detail=f"mails/s with {aliases} aliases: {shown}; "
        + "; ".join(f"{t}: {cpu.describe(cost)}" for t, cost in costs.items()),
    )
    yield bounded(
        "throughput.slow.api.connections",
        connections / aliases,
        "per alias",
        1,
        detail=f"{connections} connections for {aliases * count} mails",
    )
