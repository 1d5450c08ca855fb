# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""The provider revokes the password in the middle of a campaign."""

import time

from . import ledger
from .stage import fault

MAILS = 60
QUIET = 5
"""Seconds in which a second login would be seen."""


@fault("password", rounds=2)
def revoked(stage):
    """The password is revoked; later its user enters the new one."""
    with stage.rig() as rig:
        port = rig.sink.listen(password="bench-password")
        [sender] = rig.ask("aliases", ports=[port], delay_ms=20)
        odoo = rig.server()
        user = odoo.client(sender["login"])
        queued = 0
        for number in range(stage.rounds):
            queued += rig.ask(
                "queue",
                alias_ids=[sender["alias_id"]],
                count=MAILS,
                prefix=f"round{number}",
            )
            rig.sink.wait_for(number * MAILS + MAILS // 3, 60, rig.check)
            before = sum(session["logins"] for session in rig.sink.sessions())
            secret = f"new-password-{number}"
            # the provider ends the session, and refuses the next
            rig.sink.behave(port, password=secret, script={"mail": "421 4.7.0 Bye"})
            _wait_for_hold(rig, sender)
            time.sleep(QUIET)
            logins = sum(s["logins"] for s in rig.sink.sessions()) - before
            stage.expect(logins == 1, f"one login was tried during the hold ({logins})")
            [(failed,)] = rig.sql(
                "SELECT count(*) FROM mail_mail "
                "WHERE state = 'exception' AND email_alias_id IS NOT NULL"
            )
            stage.expect(not failed, f"no mail has failed ({failed})")
            user(
                "user.email.alias",
                "write",
                [sender["alias_id"]],
                {"smtp_password": secret},
            )
            rig.wait_until_idle(60)
        ledger.judge(stage, ledger.read(rig), queued, 0)


def _wait_for_hold(rig, sender) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        [(state,)] = rig.sql(
            "SELECT state FROM user_email_alias WHERE id = %s", sender["alias_id"]
        )
        if state == "hold":
            return
        # an alias that was thrown out waits for a minute before it logs in again
        rig.hurry()
        time.sleep(0.5)
    raise TimeoutError("the alias was never put on hold")
