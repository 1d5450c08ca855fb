# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""Large emails are drafts before they are sent: killed at any of the steps."""

import time

from . import kill, ledger
from .stage import fault

LANES = 4  # the last one with the organisation's key
MAILS = 12  # of each lane
MEGABYTES = 3.3  # attached: more than one request takes
SERVER_TIME = 0.05
REQUEST_BYTES = "400000"
"""What a request takes is set lower than usual, so that files go piece by piece too."""


@fault("api.drafts", rounds=20)
def drafts(stage):
    """kill -9 of the cron worker while drafts are made, given files and sent."""
    with stage.rig(sinks=("api",), modules=("user_email_alias_haste",)) as rig:
        settings = {
            "large_attachments": "True",
            "request_bytes": REQUEST_BYTES,
        }
        senders = rig.signed_in("graph", LANES - 1, **settings)
        rig.sink.behave("graph", server_time=SERVER_TIME)
        senders += rig.signed_in(
            "graph", 1, first=LANES, by_organisation=True, **settings
        )
        rig.sink.clear()
        ids = [sender["alias_id"] for sender in senders]
        files = [rig.ask("attachment", megabytes=size) for size in (MEGABYTES, 0.5)]
        queued = rig.ask(
            "queue",
            alias_ids=ids,
            count=MAILS,
            bulk=False,
            attachment_ids=[[4, file] for file in files],
        )
        odoo = rig.server(workers=1, cron_threads=1)
        kills, most = 0, 0
        while kills < stage.rounds and rig.waiting() > LANES:
            stage.wait_for_sending(rig)
            time.sleep(stage.random.uniform(0, 0.4))
            kill.cron_worker(odoo).kill()
            kills += 1
            most = max(most, rig.sink.interfaces()["graph"]["drafts"])
        deadline = time.monotonic() + 240
        while rig.waiting() and time.monotonic() < deadline:
            time.sleep(1)
            rig.hurry()
        rig.wait_until_idle(60)
        found = ledger.read(rig)
        ledger.judge(stage, found, queued, LANES * kills)
        seen = rig.sink.interfaces()["graph"]
        stage.tell(f"killed {kills} times; steps: {seen['steps']}")
        stage.expect(most > 0, f"a kill left drafts behind ({most} at most)")
        [(known,)] = rig.sql(
            "SELECT count(*) FROM user_email_alias_log WHERE draft IS NOT NULL"
        )
        stage.expect(
            not known and not seen["drafts"],
            f"no draft is left ({seen['drafts']}; {known} of them known)",
        )
