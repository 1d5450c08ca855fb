# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""Do the main job before your eyes: a mailing that leaves through a user's alias."""

import argparse
import sys
import time
from pathlib import Path

from .. import figures, leads, rpc, sign_in, stack
from ..console import DevError, say, step
from ..paths import DEVTOOLS

SENDER_NAME = "Marc Demo"
SENDER = stack.MAILBOXES[0]
REPLY_TO = "sales@example.com"
TRANSPORTS = ("smtp", "graph", "gmail")
DELAYS_MS = {"smtp": 250, "graph": 250, "gmail": 1000}
"""The usual one of each; Google lets a user send once a second."""
SLACK_SECONDS = 120
"""How much longer than the delays add up to a mailing may take before we give up."""

BODY = """\
<div>
  <p>Dear <t t-out="object.contact_name"/>,</p>
  <p>this mail left through the mailbox of the colleague who wrote it.</p>
  <p><a href="/unsubscribe_from_list">Unsubscribe</a></p>
</div>
"""


def run(arguments: list[str]) -> int:
    """Exit with 0 only if the mail server saw what was ordered."""
    options = _options(arguments)
    people = leads.read(options.leads)
    with stack.running("fresh", transport=options.transport) as running:
        found = _play(running, people, options.delay)
        good = not found.wrong
        if options.no_serve:
            return 0 if good else 1
        say(stack.describe(running))
        return stack.serve(running) or (0 if good else 1)


def _options(arguments: list[str]):
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__)
    parser.add_argument(
        "--no-serve", action="store_true", help="stop after the figures"
    )
    parser.add_argument(
        "--leads",
        type=Path,
        default=DEVTOOLS / "leads.csv",
        metavar="FILE.csv",
        help="your own leads, with the columns name and email",
    )
    parser.add_argument(
        "--delay",
        type=_milliseconds,
        metavar="MS",
        help="the pause after each email in milliseconds (default "
        f"{DELAYS_MS['smtp']}, for gmail {DELAYS_MS['gmail']})",
    )
    parser.add_argument(
        "--transport",
        choices=TRANSPORTS,
        default="smtp",
        help="send through Microsoft Graph or the Gmail API instead of SMTP",
    )
    options = parser.parse_args(arguments)
    if options.delay is None:
        options.delay = DELAYS_MS[options.transport]
    return options


def _milliseconds(text: str) -> int:
    if not text.isdecimal() or int(text) > 3_600_000:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number of milliseconds from 0 to 3600000"
        )
    return int(text)


def _play(running: stack.Stack, people: list, delay_ms: int) -> figures.Figures:
    """Do what a user does, through the public interface; return what came of it."""
    running.allow_mailings("demo")
    demo = running.client("demo")
    with step(f"import {len(people)} leads"):
        ids = _import(demo, people)
    with step("create the email alias and test it"):
        alias = _create_alias(demo, running, delay_ms)
    mailing = _create_mailing(demo, alias, ids)
    demo("mailing.mailing", "action_launch", [mailing])
    say(f"· mailing sent with a delay of {delay_ms} ms:")
    _watch(running, demo, mailing, alias, len(people), delay_ms)
    found = figures.measure(
        running.mail.messages(), [person.address for person in people]
    )
    figures.judge(found, f"{SENDER_NAME} <{SENDER}>", REPLY_TO, delay_ms)
    _report(found)
    url = f"{running.url}/odoo/action-mass_mailing.mailing_mailing_action_mail"
    say(f"  The mailing    {url}/{mailing}")
    return found


def _import(demo: rpc.Client, people: list) -> list[int]:
    result = demo(
        "crm.lead",
        "load",
        ["name", "contact_name", "email_from", "partner_name"],
        [[person.name, person.name, person.email, person.company] for person in people],
    )
    if not result["ids"]:
        raise DevError(f"Odoo refuses the leads: {result['messages'][0]['message']}")
    return result["ids"]


def _create_alias(demo: rpc.Client, running: stack.Stack, delay_ms: int) -> int:
    values = {
        "name": "Sales campaign",
        "alias_name": SENDER_NAME,
        "email_from": SENDER,
        "reply_to": REPLY_TO,
        "is_default": True,
    }
    if not running.mail.provider:
        values |= {
            "smtp_server": f"localhost:{running.mail.starttls_port}",
            "smtp_user": SENDER,
            "smtp_password": running.mail.users[SENDER],
        }
    alias = demo("user.email.alias", "create", values)
    if running.mail.provider:
        sign_in.register_app(running)
        sign_in.sign_in(running, demo, alias, SENDER)
    # the provider may have set a pause of its own
    demo("user.email.alias", "write", [alias], {"delay_ms": delay_ms})
    answer = demo("user.email.alias", "action_test_connection", [alias])
    message = answer["params"]["message"]
    if answer["params"]["type"] != "success":
        raise DevError(f"Test Connection: {message}")
    say(f"  Test Connection: {message}")
    return alias


def _create_mailing(demo: rpc.Client, alias: int, ids: list[int]) -> int:
    [model] = demo("ir.model", "search", [("model", "=", "crm.lead")])
    return demo(
        "mailing.mailing",
        "create",
        {
            "subject": "A mail at the sender's own pace",
            "mailing_model_id": model,
            "mailing_domain": repr([("id", "in", ids)]),
            "email_alias_id": alias,
            "body_arch": BODY,
            "body_html": BODY,
        },
    )


def _watch(
    running: stack.Stack,
    demo: rpc.Client,
    mailing: int,
    alias: int,
    total: int,
    delay_ms: int,
) -> None:
    """Show progress until nothing of the mailing waits any more."""
    began = time.monotonic()
    deadline = began + total * (delay_ms / 1000 + 0.2) + SLACK_SECONDS
    shown = None
    while True:
        running.odoo.check()
        running.mail.child.check()
        groups = demo(
            "mailing.trace",
            "formatted_read_group",
            [("mass_mailing_id", "=", mailing)],
            ["trace_status"],
            ["__count"],
        )
        counts = {group["trace_status"]: group["__count"] for group in groups}
        [state] = demo("mailing.mailing", "read", [mailing], ["state"])
        [account] = demo(
            "user.email.alias", "read", [alias], ["state", "state_message"]
        )
        waiting = sum(counts.get(status, 0) for status in ("outgoing", "process"))
        done = sum(counts.values()) - waiting
        seconds = time.monotonic() - began
        shown = _show(done, total, seconds, shown)
        if state["state"] == "done" and not waiting:
            break
        if account["state"] == "hold":
            raise DevError(f"the alias is on hold: {account['state_message']}")
        if time.monotonic() > deadline:
            raise DevError(
                f"gave up after {seconds:.0f} s: the mailing is {state['state']}, its "
                f"mails are {counts} {_reasons(running)}; see {running.odoo.log}"
            )
        time.sleep(0.5)
    sys.stderr.write("\n")
    failed = {key: n for key, n in counts.items() if key not in ("sent", "open")}
    if failed:
        say(f"  not sent: {failed}")


def _reasons(running: stack.Stack) -> str:
    """Return what the mails that wait or failed say about it, as far as they do."""
    mails = running.client("admin")(
        "mail.mail",
        "search_read",
        [("failure_reason", "!=", False)],
        ["failure_reason"],
        limit=100,
    )
    return "; ".join(sorted({mail["failure_reason"] for mail in mails}))


def _show(done: int, total: int, seconds: float, shown: int | None) -> int:
    """Draw the progress on one line of a terminal, or a line for each tenth."""
    width = 40
    text = f"{done:>6} of {total} mails, {seconds:5.1f} s"
    if sys.stderr.isatty():
        bar = ("█" * (width * done // total)).ljust(width, "░")
        sys.stderr.write(f"\r  {bar}{text}")
        sys.stderr.flush()
        return done
    tenth = 10 * done // total
    if tenth != shown:
        say(f"  {text}")
    return tenth


def _report(found: figures.Figures) -> None:
    def milliseconds(seconds: float | None) -> str:
        return "-" if seconds is None else f"{seconds * 1000:.1f} ms"

    say("\nWhat the mail server saw:")
    for label, value in (
        ("Mails", found.mails),
        ("From", _values(found.senders)),
        ("Envelope sender", _values(found.envelope_senders)),
        ("Reply-To", _values(found.reply_tos)),
        ("Smallest gap", milliseconds(found.smallest_gap)),
        ("Mean gap", milliseconds(found.mean_gap)),
        ("Its own time", f"{milliseconds(found.service)} for a mail"),
        ("Lost", len(found.lost)),
        ("Doubled", len(found.doubled)),
    ):
        print(f"  {label:16} {value}")
    print("  Outcome          " + ("as ordered" if not found.wrong else "WRONG"))
    for sentence in found.wrong:
        print(f"    - {sentence}")


def _values(counter) -> str:
    return ", ".join(f"{value} ({count})" for value, count in counter.most_common(3))
