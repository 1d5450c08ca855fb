# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""How long it takes from the click on Send to the first MAIL FROM."""

import time

from .figure import bounded, figures
from .timing import percentile

ROUNDS = 20
CLICKS = 10
PATIENCE = 60  # s
CAMPAIGN_DELAY = 1.0  # s


@figures("start.p95", "start.p95.busy")
def start(context):
    """One-to-one letters through the web server, by an idle and by a busy alias."""
    rounds = context.count(ROUNDS, 5)
    with context.rig() as rig:
        port = rig.sink.listen()
        [alias] = rig.ask("aliases", ports=[port], delay_ms=int(1000 * CAMPAIGN_DELAY))
        odoo = rig.server(cron_threads=2)
        user = odoo.client(alias["login"])
        letters = _get_letters(rig, user, alias, 2 * rounds)
        idle = [_write(rig, user, *letter) for letter in letters[:rounds]]
        rig.ask("queue", alias_ids=[alias["alias_id"]], count=10_000 // 20)
        rig.sink.wait_for(rounds + 2, PATIENCE)
        busy = [_write(rig, user, *letter) for letter in letters[rounds:]]
    yield bounded(
        "start.p95",
        percentile(idle, 0.95),
        "s",
        1.0,
        detail=f"{rounds} letters, median {percentile(idle, 0.5):.2f} s",
    )
    yield bounded(
        "start.p95.busy",
        percentile(busy, 0.95),
        "s",
        CAMPAIGN_DELAY + 1,
        detail=f"{rounds} letters while the alias sends a campaign with a pause of "
        f"{CAMPAIGN_DELAY:g} s, median {percentile(busy, 0.5):.2f} s",
    )


def _get_letters(rig, user, alias, count: int) -> list[tuple[int, int]]:
    """Return so many leads, and for each the partner that is to be written to."""
    lead_ids = rig.ask("leads", count=count, user_id=alias["user_id"])
    partners = user(
        "res.partner",
        "create",
        [
            {"name": f"Reader {n}", "email": f"reader-{n}@leads.example"}
            for n in range(count)
        ],
    )
    return list(zip(lead_ids, partners, strict=True))


def _write(rig, user, lead_id: int, partner_id: int) -> float:
    """Post one message; return the seconds until its MAIL FROM."""
    [partner] = user("res.partner", "read", [partner_id], ["email"])
    clicked = time.monotonic()
    user(
        "crm.lead",
        "message_post",
        [lead_id],
        body="Good morning",
        message_type="comment",
        subtype_xmlid="mail.mt_comment",
        partner_ids=[partner_id],
        email_alias_id=user("user.email.alias", "search", [])[0],
    )
    while time.monotonic() < clicked + PATIENCE:
        for record in reversed(rig.sink.records()):
            if partner["email"] in record["to"]:
                # the next letter finds the queue's run over again, or not
                time.sleep(0.7)
                return record["mail_at"] - clicked
        time.sleep(0.05)
    return PATIENCE


@figures("start.busy.p95", "start.busy.p95.prefork")
def occupied(context):
    """One-to-one letters while other jobs keep every cron worker."""
    rounds, cron_threads = context.count(ROUNDS, 5), 2
    for name, workers in (("start.busy.p95", 0), ("start.busy.p95.prefork", 2)):
        with context.rig() as rig:
            port = rig.sink.listen()
            [alias] = rig.ask("aliases", ports=[port])
            rig.ask("occupy", count=cron_threads, seconds=600)
            odoo = rig.server(cron_threads=cron_threads, workers=workers)
            user = odoo.client(alias["login"])
            letters = _get_letters(rig, user, alias, rounds)
            rig.ask("wake")
            time.sleep(1)  # the workers begin with what occupies them
            took = [_write(rig, user, *letter) for letter in letters]
        yield bounded(
            name,
            percentile(took, 0.95),
            "s",
            1.5,
            detail=f"{rounds} letters, all {cron_threads} cron workers occupied, "
            f"median {percentile(took, 0.5):.2f} s",
        )


@figures("click.p95")
def click(context):
    """What the user waits for after clicking Send for 100 leads."""
    clicks = context.count(CLICKS, 4)
    with context.rig() as rig:
        port = rig.sink.listen()
        [alias] = rig.ask("aliases", ports=[port], delay_ms=60_000)
        rig.ask("core_server", port=port)
        odoo = rig.server(cron_threads=2)
        user = odoo.client(alias["login"])
        lead_ids = rig.ask("leads", count=100, user_id=alias["user_id"])
        _send_to_all(user, lead_ids, alias["alias_id"])  # warms up
        ours = [_send_to_all(user, lead_ids, alias["alias_id"]) for _ in range(clicks)]
        core = [_send_to_all(user, lead_ids, False) for _ in range(clicks)]
    yield bounded(
        "click.p95",
        percentile(ours, 0.95),
        "s",
        0.5,
        anchor=percentile(core, 0.95),
        detail=f"{clicks} clicks on Send for 100 leads, median "
        f"{percentile(ours, 0.5):.2f} s (anchor: without alias, median "
        f"{percentile(core, 0.5):.2f} s)",
    )


def _send_to_all(user, lead_ids: list[int], alias_id) -> float:
    composer = user(
        "mail.compose.message",
        "create",
        {
            "composition_mode": "mass_mail",
            "model": "crm.lead",
            "res_ids": repr(lead_ids),
            "subject": "An offer",
            "body": "<p>Good morning, we have an offer for you.</p>",
            "email_alias_id": alias_id,
        },
    )
    clicked = time.monotonic()
    user("mail.compose.message", "action_send_mail", [composer])
    return time.monotonic() - clicked
