# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""What it costs to pick the next mail when very many wait."""

from ..console import step
from .figure import Figure, figures

MANY = 1_000_000
FEW = 1_000
OTHERS = 50
"""Other aliases, over which half of the waiting mails and the log are spread."""

_MESSAGES = """
    INSERT INTO mail_message (id, subject, message_type, date, email_from, create_uid,
                              create_date, message_id)
    SELECT number, 'Letter ' || number, 'email_outgoing', now(), 'x@bench.example', 1,
           now(), 'bench-' || number
      FROM generate_series(%(start)s, %(start)s + %(count)s - 1) number
"""
_MAILS = """
    INSERT INTO mail_mail (mail_message_id, state, email_to, email_alias_id,
                           email_alias_bulk, email_alias_due, create_uid, create_date)
    SELECT number, 'outgoing', 'lead-' || number || '@leads.example',
           (%(ids)s::int[])[1 + number %% %(width)s], true,
           extract(epoch FROM now()) - 1e6 + number, 1, now()
      FROM generate_series(%(start)s, %(start)s + %(count)s - 1) number
"""
_LOG = """
    INSERT INTO user_email_alias_log
           (alias_id, user_id, is_bulk, outcome, claimed_at, replied_at,
            create_uid, create_date)
    SELECT a.id, a.user_id, true, 'sent', 1, 1, 1, now()
      FROM generate_series(1, %(count)s) number
      JOIN user_email_alias a ON a.id = (%(ids)s::int[])[1 + number %% %(width)s]
"""


@figures("pick.growth")
def growth(context):
    """The cost of Lane._choose with a million waiting by the cost with a thousand."""
    many = context.count(MANY, 20_000)
    with context.rig() as rig:
        port = rig.sink.listen()
        senders = rig.ask("aliases", ports=[port] * (OTHERS + 2))
        chosen, fresh, *others = [sender["alias_id"] for sender in senders]
        with step(f"insert {FEW} mails"):
            _insert(rig, FEW, [chosen])
        few = rig.ask("pick", alias_id=chosen, times=500)
        with step(f"insert {many} mails and as many lines of the log"):
            _insert(rig, many // 2, [chosen])
            _insert(rig, many // 2 - 10, others)
            rig.sql(_LOG % {**_sql([chosen, *others]), "count": many})
            # an alias that never sent anything: nothing to find in a big log
            _insert(rig, 10, [fresh])
            rig.sql("ANALYZE mail_mail")
            rig.sql("ANALYZE user_email_alias_log")
        plenty = rig.ask("pick", alias_id=chosen, times=500)
        new = rig.ask("pick", alias_id=fresh, times=200)
    big = {"mail_mail", "mail_message", "user_email_alias_log"}
    scans = big & {*few["sequential"], *plenty["sequential"], *new["sequential"]}
    worst = max(plenty["ms"], new["ms"])
    ratio = worst / few["ms"]
    yield Figure(
        "pick.growth",
        ratio,
        "ratio",
        "<= 1.3",
        ratio <= 1.3 and not scans,
        detail=f"{few['ms']:.2f} ms with {FEW} waiting, {plenty['ms']:.2f} ms with "
        f"{many} ({new['ms']:.2f} ms for an alias that never sent); sequential scans: "
        f"{', '.join(sorted(scans)) or 'none'}",
    )


def _sql(ids: list[int]) -> dict:
    return {"ids": f"'{{{','.join(map(str, ids))}}}'", "width": len(ids)}


def _insert(rig, count: int, ids: list[int]) -> None:
    [(last,)] = rig.sql("SELECT COALESCE(max(id), 0) FROM mail_message")
    values = {**_sql(ids), "start": last + 1, "count": count}
    rig.sql(_MESSAGES % values)
    rig.sql(_MAILS % values)
    rig.sql("SELECT setval('mail_message_id_seq', %s)" % (last + count))
