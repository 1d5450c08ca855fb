# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""An Odoo process without cron workers that sets the scene and writes mails.

A program of its own (`python clerk.py CONFIGURATION DATABASE`): one JSON object a
line on standard input, one answer a line on standard output. What it does is
committed, so that the servers' cron workers are woken as by any other process.
"""

import json
import math
import re
import statistics
import sys
import time

from clerk_sign_in import allow, join, provider, sign_in

import odoo.sql_db
from odoo import api
from odoo.modules.registry import Registry
from odoo.tools import config

PASSWORD = "bench-password"
GROUPS = (
    "base.group_user",
    "sales_team.group_sale_salesman",
    "mass_mailing.group_mass_mailing_user",
)
CORE_JOB = "mail.ir_cron_mail_scheduler_action"
QUEUE = "user.email.alias.queue"

# 10 kB, as an ordinary letter has
BODY = (
    "<p>" + "Lorem ipsum dolor sit amet, consetetur sadipscing elitr. " * 180 + "</p>"
)


def prepare(env, jobs=1):
    """Silence everything but the two queues; have as many of our jobs as wanted."""
    env.cr.execute("UPDATE mail_mail SET state = 'cancel' WHERE state = 'outgoing'")
    env.cr.execute("UPDATE ir_mail_server SET active = false")
    ours = env[QUEUE]._get_crons()
    core = env.ref(CORE_JOB)
    env["ir.cron"].search([("id", "not in", (ours + core).ids)]).write(
        {"active": False}
    )
    for _ in range(jobs - len(ours)):
        ours[0].copy({"name": "Email aliases: another worker"})
    env["ir.config_parameter"].set_param(
        "user_email_alias.allowed_targets", "127.0.0.1"
    )
    # an hour without a poll in between: what is measured must be woken
    env.cr.execute("UPDATE ir_cron SET nextcall = now() + interval '1 hour'")


def aliases(env, ports, delay_ms=0, is_admin=False, first=1, password=PASSWORD):
    """Create a user with an alias for each port; return what identifies them."""
    made = []
    for number, port in enumerate(ports, first):
        user = _user(env, number, is_admin)
        alias = (
            env["user.email.alias"]
            .with_user(user)
            .create(
                {
                    "name": "Work",
                    "alias_name": user.name,
                    "email_from": user.email,
                    "smtp_server": f"127.0.0.1:{port}",
                    "disable_tls": True,
                    "smtp_user": user.login,
                    "smtp_password": password,
                    "delay_ms": delay_ms,
                }
            )
        )
        made.append({**_names(alias), "port": port})
    return made


def signed_in(env, key, numbers, ca_bundle, delay_ms=0):
    """The same, each signed in at a provider."""
    made = []
    for number in numbers:
        user = _user(env, number)
        alias = env["user.email.alias"].with_user(user).create({"name": "Work"})
        sign_in(alias, key, ca_bundle)
        # the provider's own pause is not to be measured
        alias.delay_ms = delay_ms
        made.append(_names(alias))
    return made


def joined(env, key, numbers, organisation_key, delay_ms=0):
    """The same, each sending with the organisation's key."""
    allow(env, organisation_key)
    made = []
    for number in numbers:
        user = _user(env, number)
        alias = env["user.email.alias"].with_user(user).create({"name": "Work"})
        join(alias.sudo().with_user(api.SUPERUSER_ID), key)
        alias.delay_ms = delay_ms
        made.append(_names(alias))
    return made


def _user(env, number, is_admin=False):
    groups = [env.ref(name).id for name in GROUPS]
    if is_admin:
        groups.append(env.ref("base.group_system").id)
    login = f"sender{number}"
    return (
        env["res.users"]
        .with_context(no_reset_password=True)
        .create(
            {
                "name": f"Sender {number}",
                "login": login,
                "password": PASSWORD,
                "email": f"{login}@bench.example",
                "notification_type": "inbox",
                "group_ids": [(6, 0, groups)],
            }
        )
    )


def _names(alias):
    return {
        "alias_id": alias.id,
        "user_id": alias.user_id.id,
        "login": alias.user_id.login,
        "email": alias.email_from,
    }


def write_aliases(env, alias_ids, **values):
    env["user.email.alias"].browse(alias_ids).write(values)


def queue(env, alias_ids, count, prefix="lead", bulk=True, start=1, **values):
    """Let every alias have so many mails waiting; return the number of all."""
    for alias in env["user.email.alias"].browse(alias_ids):
        env["mail.mail"].with_user(alias.user_id).sudo().create(
            [
                {
                    **_mail(f"{prefix}-{alias.id}-{number}"),
                    "email_alias_id": alias.id,
                    "email_alias_bulk": bulk,
                    **values,
                }
                for number in range(start, start + count)
            ]
        )
    return count * len(alias_ids)


def _mail(name):
    return {
        "subject": f"Letter {name}",
        "body_html": BODY,
        "email_to": f"{name}@leads.example",
        "auto_delete": False,
    }


def attachment(env, megabytes):
    """Create an attachment that compresses badly, as pictures do; return its id."""
    data = bytes(range(256)) * math.ceil(4096 * megabytes)
    record = env["ir.attachment"].create({"name": "catalogue.bin", "raw": data})
    return record.id


def core_server(env, port):
    """Let Odoo's own queue use the sink."""
    server = env["ir.mail_server"].create(
        {
            "name": "Sink",
            "smtp_host": "127.0.0.1",
            "smtp_port": port,
            "smtp_encryption": "none",
        }
    )
    return server.id


def core_queue(env, count, prefix="core", **values):
    """Let mails without alias wait and wake Odoo's own queue."""
    env["mail.mail"].create(
        [
            {
                **_mail(f"{prefix}-{number}"),
                "email_from": "office@bench.example",
                **values,
            }
            for number in range(1, count + 1)
        ]
    )
    env.ref(CORE_JOB)._trigger()
    return count


def leads(env, count, user_id):
    """Create leads to write to; return their ids."""
    return (
        env["crm.lead"]
        .create(
            [
                {
                    "name": f"Lead {number}",
                    "user_id": user_id,
                    "email_from": f"click-{number}@leads.example",
                    "contact_name": f"Contact {number}",
                }
                for number in range(count)
            ]
        )
        .ids
    )


def wake(env):
    env[QUEUE]._trigger_cron()


def occupy(env, count, seconds):
    """Have jobs of somebody else that keep so many cron workers busy."""
    model = env["ir.model"]._get_id("res.partner")
    env["ir.cron"].create(
        [
            {
                "name": f"Something that takes long ({number})",
                "model_id": model,
                "state": "code",
                "code": f"env.cr.execute('SELECT pg_sleep({int(seconds)})')",
                "interval_type": "months",
                "priority": 0,
            }
            for number in range(count)
        ]
    )


def pick(env, alias_id, times):
    """Return the median cost of picking the next mail, in ms, and its plan."""
    from odoo.addons.user_email_alias.sending.lane import Lane

    lane = Lane(env.registry, alias_id, 0, 0)
    statements = []
    execute = odoo.sql_db.Cursor.execute

    def listening(self, query, *args, **kwargs):
        statements.append((query, args))
        return execute(self, query, *args, **kwargs)

    odoo.sql_db.Cursor.execute = listening
    try:
        lane._choose(env)
    finally:
        odoo.sql_db.Cursor.execute = execute
    query, args = statements[-1]
    took = []
    for _ in range(times):
        began = time.perf_counter()
        lane._choose(env)
        took.append(time.perf_counter() - began)
        env.cr.rollback()
    code = getattr(query, "code", query)
    params = getattr(query, "params", None) or (args[0] if args else None)
    env.cr.execute(f"EXPLAIN (ANALYZE, BUFFERS) {code}", params)
    plan = [row[0] for row in env.cr.fetchall()]
    scanned = re.findall(r"Seq Scan on (\w+)", "\n".join(plan))
    return {
        "ms": 1000 * statistics.median(took),
        "plan": plan,
        "sequential": scanned,
    }


VERBS = {
    function.__name__: function
    for function in (
        prepare,
        aliases,
        provider,
        signed_in,
        joined,
        write_aliases,
        queue,
        attachment,
        core_server,
        core_queue,
        leads,
        wake,
        occupy,
        pick,
    )
}


def main(configuration, database):
    config.parse_config(["--config", configuration, "--no-http"])
    registry = Registry(database)
    answer({"result": "ready"})
    for line in sys.stdin:
        request = json.loads(line)
        try:
            # what other processes changed
            registry = registry.check_signaling()
            with registry.cursor() as cr:
                env = api.Environment(cr, api.SUPERUSER_ID, {})
                result = VERBS[request["verb"]](env, **request["what"])
            registry.signal_changes()
            answer({"result": result})
        except Exception as error:
            answer({"error": f"{type(error).__name__}: {error}"})


def answer(what):
    sys.__stdout__.write(json.dumps(what) + "\n")
    sys.__stdout__.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
