# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""What a long campaign with an attachment leaves behind in the server's memory."""

import time

import psutil

from .figure import bounded, figures

WARM_UP = 50


@figures("memory.growth")
def growth(context):
    """Resident memory after many mails with 1 MB attached, less that after a few."""
    count = context.count(2000, 200)
    with context.rig() as rig:
        port = rig.sink.listen()
        [alias] = rig.ask("aliases", ports=[port])
        attachment = rig.ask("attachment", megabytes=1)
        odoo = rig.server()
        process = psutil.Process(odoo.pid)
        sizes = []
        for number, prefix in ((WARM_UP, "warm"), (count, "main")):
            rig.ask(
                "queue",
                alias_ids=[alias["alias_id"]],
                count=number,
                prefix=prefix,
                attachment_ids=[attachment],
            )
            rig.wait_until_idle(60 + 0.5 * number, rig.check)
            time.sleep(1)  # the run of the queue ends
            sizes.append(process.memory_info().rss / 1e6)
    yield bounded(
        "memory.growth",
        sizes[1] - sizes[0],
        "MB",
        20,
        detail=f"{sizes[0]:.0f} MB after {WARM_UP} mails, {sizes[1]:.0f} MB after "
        f"{count} more",
    )
