# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""Mails a second when all of them carry the same megabyte."""

from ..rig import cpu
from .figure import figures, versus_core
from .timing import rate

MEGABYTES = 1
MAILS = 100


@figures("throughput.heavy.one")
def heavy(context):
    """One alias without pause against Odoo's own queue, one worker each."""
    count = context.count(MAILS, 20)
    with context.rig() as rig:
        port = rig.sink.listen()
        [sender] = rig.ask("aliases", ports=[port])
        rig.ask("core_server", port=port)
        file = rig.ask("attachment", megabytes=MEGABYTES)
        values = {"attachment_ids": [[4, file]]}
        rig.server(cron_threads=1)
        rig.ask("queue", alias_ids=[sender["alias_id"]], count=5, **values)
        rig.wait_until_idle(60)
        rig.sink.clear()
        meter = cpu.CpuMeter(rig)
        rig.ask("queue", alias_ids=[sender["alias_id"]], count=count, **values)
        rig.sink.wait_for(count, 300, rig.check)
        ours = rate(rig.sink.records())
        rig.wait_until_idle(20)
        cost = meter.per_mail(count)
        rig.sink.clear()
        rig.ask("core_queue", count=count, **values)
        rig.sink.wait_for(count, 300, rig.check)
        core = rate(rig.sink.records())
    yield versus_core(
        "throughput.heavy.one",
        ours,
        core,
        2.0,
        f"{ours:.1f} mails/s with {MEGABYTES} MB each, Odoo's own "
        f"{core:.1f}; {cpu.describe(cost)}",
    )
