# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""PostgreSQL dies and comes back in the middle of a campaign."""

import time

from . import ledger
from .stage import PATIENCE, fault

LANES = 4
DELAY = 0.05
CAMPAIGN = 500


@fault("database", rounds=20)
def restart(stage):
    """PostgreSQL is restarted `-m immediate`; a prefork server lives through it."""
    with stage.rig() as rig:
        port = rig.sink.listen(server_time=0.02)
        senders = rig.ask("aliases", ports=[port] * LANES, delay_ms=int(1000 * DELAY))
        ids = [sender["alias_id"] for sender in senders]
        odoo = rig.server(workers=1, cron_threads=1)
        queued, revived = 0, 0
        for number in range(stage.rounds):
            if rig.waiting() < LANES * 20:
                queued += rig.ask(
                    "queue",
                    alias_ids=ids,
                    count=CAMPAIGN // LANES,
                    prefix=f"campaign{number}",
                )
            if stage.wait_for_sending(rig) >= PATIENCE:
                stage.tell(f"round {number + 1}: nothing was sent, server started anew")
                odoo.kill()
                odoo.start()
                revived += 1
            time.sleep(stage.random.uniform(0.1, 1.0))
            rig.cluster.restart_immediately()
            rig.hire()
        if stage.wait_for_sending(rig) >= PATIENCE and rig.waiting():
            odoo.kill()
            odoo.start()
            revived += 1
        rig.wait_until_idle(240)
        stage.tell(
            f"restarted {stage.rounds} times, the server had to be {revived} times"
        )
        found = ledger.read(rig)
        uncertain = ledger.judge(stage, found, queued, LANES * (stage.rounds + revived))
        ledger.judge_pace(stage, found, DELAY, uncertain)
