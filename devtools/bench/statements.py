# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""SQL statements and commits a mail costs, counted in PostgreSQL's own log."""

import collections
import re
import time

from psycopg2 import sql

from .figure import bounded, figures

_LINE = re.compile(r"^(\w+)\|(\d+)\|LOG:  statement: (.*)")
_BEGIN = ("BEGIN", "SAVEPOINT", "RELEASE", "DISCARD", "SET ")


@figures("statements", "statements.commits")
def statements(context):
    """Only the lane's own connection counts: the one that writes the log."""
    count = context.count(200, 50)
    with context.rig() as rig:
        port = rig.sink.listen()
        [alias] = rig.ask("aliases", ports=[port])
        rig.ask("core_server", port=port)
        rig.cluster.execute(
            sql.SQL("ALTER DATABASE {} SET log_statement = 'all'").format(
                sql.Identifier(rig.database)
            )
        )
        rig.server()
        rig.ask("queue", alias_ids=[alias["alias_id"]], count=20, prefix="warm")
        rig.wait_until_idle(60)
        time.sleep(1)
        start = rig.cluster.log.stat().st_size
        rig.ask("queue", alias_ids=[alias["alias_id"]], count=count)
        rig.wait_until_idle(120)
        time.sleep(1)
        end = rig.cluster.log.stat().st_size
        rig.sink.clear()
        rig.ask("core_queue", count=count)
        rig.sink.wait_for(count, 120)
        time.sleep(1)
        text = rig.cluster.log.read_text(encoding="utf-8", errors="replace")
        data = text.encode("utf-8", "replace")
        ours = _of_connection(
            data[start:end].decode(),
            rig.database,
            "INSERT INTO user_email_alias_log",
        )
        core = _of_connection(data[end:].decode(), rig.database, 'UPDATE "mail_mail"')
    for name, kind, limit in (
        ("statements", "statements", 12),
        ("statements.commits", "commits", 3),
    ):
        yield bounded(
            name,
            ours[kind] / count,
            f"{kind}/mail",
            limit,
            anchor=core[kind] / count,
            detail=ours["often"] if kind == "statements" else "",
        )


def _of_connection(log: str, database: str, mark: str) -> dict:
    """Count what the connections did that issued the marking statement."""
    by_pid = collections.defaultdict(list)
    for line in _joined(log):
        found = _LINE.match(line)
        if found and found[1] == database:
            by_pid[found[2]].append(" ".join(found[3].split()))
    chosen = [
        line
        for lines in by_pid.values()
        if sum(line.startswith(mark) for line in lines) > 10
        for line in lines
    ]
    work = [
        line for line in chosen if not line.startswith((*_BEGIN, "COMMIT", "ROLLBACK"))
    ]
    kinds = collections.Counter(_kind(line) for line in work)
    marks = max(1, sum(line.startswith(mark) for line in chosen))
    often = ", ".join(
        f"{kind} {number / marks:.1f}"
        for kind, number in kinds.most_common(16)
        if number > 0.1 * marks
    )
    return {
        "statements": len(work),
        "commits": sum(line.startswith("COMMIT") for line in chosen),
        "often": often,
    }


def _joined(log: str):
    """Give each message as one line; a statement of several lines is indented."""
    message = ""
    for line in log.splitlines():
        if line.startswith("\t"):
            message += " " + line.strip()
        else:
            yield message
            message = line
    yield message


def _kind(line: str) -> str:
    """Return a statement's verb and table."""
    found = re.match(
        r'(?:SELECT .*? FROM|INSERT INTO|UPDATE|DELETE FROM)\s+"?([\w.]+)', line
    )
    return f"{line.split()[0]} {found[1] if found else '?'}"
