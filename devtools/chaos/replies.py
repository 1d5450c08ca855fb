# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""Every kind of reply at every phase, with what has to follow from it.

The expectations are written from RFC 5321, RFC 4954 and the providers' pages, not
from the code that is tested.
"""

import time

from .stage import fault

SERVER = "server waits"
"""The alias backs off for a minute, the mail stays queued."""
HOLD = "hold"
"""The alias waits for its user, the mail stays queued."""
QUOTA = "quota"
"""The alias waits for about a day."""
LATER = "later"
"""This mail is tried again, the alias goes on."""
REFUSED = "refused"
"""This mail is given up with the server's words, the alias goes on."""

CASES = (
    ("connect", "421 4.3.2 Service not available", SERVER),
    ("connect", "554 5.7.1 No SMTP service here", SERVER),
    ("ehlo", "421 4.3.2 Closing", SERVER),
    ("ehlo", "451 4.3.0 Try later", SERVER),
    ("auth", "421 4.7.0 Too many logins", SERVER),
    ("auth", "454 4.7.0 Too many login attempts, please try again later", SERVER),
    ("auth", "535 5.7.8 Authentication failed: too many login attempts", SERVER),
    ("auth", "432 4.7.12 A password transition is needed", HOLD),
    ("auth", "454 4.7.0 Temporary authentication failure", SERVER),
    ("auth", "530 5.7.0 Authentication required", HOLD),
    ("auth", "534 5.7.9 Application-specific password required", HOLD),
    ("auth", "535 5.7.8 Credentials invalid", HOLD),
    ("auth", "535 5.7.139 SmtpClientAuthentication is disabled", HOLD),
    ("auth", "538 5.7.11 Encryption required", HOLD),
    ("auth", "550 5.7.30 Basic authentication is not supported", HOLD),
    ("mail", "421 4.3.2 Closing", SERVER),
    ("mail", "450 4.1.8 Sender domain not found", SERVER),
    ("mail", "451 4.3.0 Local error", SERVER),
    ("mail", "451 4.7.1 Slow down", SERVER),
    ("mail", "452 4.3.1 Insufficient storage", LATER),
    ("mail", "454 Throttling failure: Maximum sending rate exceeded", SERVER),
    ("mail", "454 Throttling failure: Daily message quota exceeded", QUOTA),
    ("mail", "530 5.7.0 Authentication required", HOLD),
    ("mail", "550 5.4.5 Daily user sending limit exceeded", QUOTA),
    (
        "mail",
        "550 5.7.60 Client does not have permissions to send as this sender",
        HOLD,
    ),
    ("mail", "552 5.3.4 Message too big", REFUSED),
    ("mail", "552 5.2.2 Mailbox full", HOLD),
    ("mail", "555 Not on this tariff", HOLD),
    ("mail", "553 5.7.1 Sender address rejected: not owned by user", HOLD),
    ("rcpt", "421 4.3.2 Closing", SERVER),
    ("rcpt", "450 4.2.0 Greylisted", LATER),
    ("rcpt", "451 4.3.0 Local error", LATER),
    ("rcpt", "451 4.7.1 Rate limited", SERVER),
    ("rcpt", "452 4.2.2 Mailbox full", LATER),
    ("rcpt", "450 4.1.8 Sender address rejected: Domain not found", SERVER),
    ("rcpt", "450 4.7.1 Client host rejected: cannot find your hostname", SERVER),
    ("rcpt", "454 4.7.1 Relay access denied", SERVER),
    ("rcpt", "550 User has exceeded daily receiving limit", LATER),
    ("rcpt", "450 User receives too many messages", LATER),
    ("rcpt", "550 Account not activated", REFUSED),
    ("rcpt", "550 5.1.1 No such user", REFUSED),
    ("rcpt", "551 5.1.6 User has moved", REFUSED),
    ("rcpt", "552 5.2.2 Mailbox full", REFUSED),
    ("rcpt", "553 5.1.3 Bad address", REFUSED),
    ("rcpt", "554 5.7.1 Rejected by policy", REFUSED),
    ("data", "421 4.3.2 Closing", SERVER),
    ("data", "451 4.3.0 Local error", LATER),
    ("data", "452 4.3.1 Insufficient storage", LATER),
    ("data", "554 5.5.1 No valid recipients", REFUSED),
    ("dot", "421 4.3.2 Closing", SERVER),
    ("dot", "432 4.3.2 Concurrent connections limit exceeded", SERVER),
    ("dot", "450 4.2.1 Try later", LATER),
    ("dot", "451 4.3.0 Local error", LATER),
    ("dot", "451 4.7.0 Slow down", SERVER),
    ("dot", "452 4.3.1 Insufficient storage", LATER),
    ("dot", "550 5.4.5 Daily sending quota exceeded", QUOTA),
    ("dot", "550 5.7.1 Message rejected as spam", REFUSED),
    ("dot", "552 5.3.4 Message too big", REFUSED),
    ("dot", "552 5.2.3 Message too long", REFUSED),
    ("dot", "554 5.6.0 Message content not acceptable", REFUSED),
    ("dot", "554 5.2.0 STOREDRV.Submission.Exception: SubmissionQuotaExceeded", QUOTA),
    # What real servers were seen to say.
    (
        "dot",
        "554 5.7.0 The limit on the number of allowed outgoing messages was exceeded.",
        SERVER,
    ),
    ("dot", "550 Connection frequency limited", SERVER),
    ("dot", "550 send spam mail rejected: exceeded hour limit", SERVER),
    ("dot", "553 Relaying disallowed as anna@example.com", HOLD),
    ("dot", "554 Message rejected: Email address is not verified.", HOLD),
    ("dot", "552 5.7.0 its content presents a potential security issue", REFUSED),
    ("data", "452 4.4.5 Maximum number of messages per session exceeded.", SERVER),
    ("mail", "452 4.5.3 Too many recipients: Too many messages sent", SERVER),
    ("mail", "421 4.4.2 Message submission rate has exceeded the limit", SERVER),
    ("rcpt", "450 4.7.1 Error: too much mail from 203.0.113.9", SERVER),
    ("rcpt", "421 4.7.0 Error: too many errors", SERVER),
    ("rcpt", "554 5.7.1 Client host [203.0.113.9] blocked using a blocklist", HOLD),
)

# What a server says again and again to a campaign; how many of its emails are sent,
# refused and waiting afterwards, and whether the alias is on hold.
CAMPAIGN = 30
CAMPAIGNS = (
    ("always", {"dot": "550 Versand gesperrt, Vorgang 4711"}, (0, 0, 30, True)),
    ("always", {"data": "554 5.7.1 Command rejected"}, (0, 0, 30, True)),
    ("always", {"rcpt": "550 5.7.1 Sender is not in good standing"}, (0, 0, 30, True)),
    ("always", {"rcpt": "550 5.1.1 No such user"}, (0, 30, 0, False)),
    ("always", {"rcpt": "550 mailbox unavailable"}, (0, 30, 0, False)),
    ("always", {"rcpt": "550 Empfaenger unbekannt"}, (0, 30, 0, False)),
    ("always", {"rcpt": "550 Account locked"}, (0, 30, 0, False)),
    ("always", {"mail": "552 Zugang gesperrt"}, (0, 0, 30, True)),
    ("refuses", ["@leads.", "550 Ziel tot"], (0, 30, 0, False)),
    ("refuses", ["@leads.", "554 This needs a paid plan"], (0, 0, 30, True)),
    ("refuses", ["@", "550 Ziel tot"], (0, 0, 30, True)),
    ("always", {"rcpt": "450 4.7.1 Genug fuer heute"}, (0, 0, 30, False)),
    ("always", {"dot": "451 4.3.0 Local error"}, (0, 0, 30, False)),
    (
        "after",
        [10, "data", "452 4.4.5 Maximum number of messages per session exceeded."],
        (30, 0, 0, False),
    ),
    (
        "after",
        [7, "mail", "452 4.5.3 Too many recipients: Too many messages sent"],
        (30, 0, 0, False),
    ),
    ("after", [5, "rcpt", "421 4.7.0 Error: too many errors"], (30, 0, 0, False)),
    ("after", [5, "dot", "451 Schluss fuer diese Verbindung"], (30, 0, 0, False)),
)

_STATE = """
    SELECT mail.state, mail.failure_reason, alias.state,
           COALESCE(alias.backoff_until, 0) - extract(epoch FROM now()),
           mail.email_alias_due - extract(epoch FROM now())
      FROM mail_mail mail JOIN user_email_alias alias ON alias.id = mail.email_alias_id
     WHERE alias.id = %s AND mail.email_to LIKE 'first-%%'
"""


@fault("replies")
def replies(stage):
    """Each reply at its phase; one mail meets it, the next shows who is concerned."""
    with stage.rig() as rig:
        ports = [rig.sink.listen(script={phase: reply}) for phase, reply, _ in CASES]
        senders = rig.ask("aliases", ports=ports)
        ids = [sender["alias_id"] for sender in senders]
        rig.server()
        rig.ask("queue", alias_ids=ids, count=1, prefix="first")
        _settle(rig, len(CASES))
        wrong = 0
        for (phase, reply, wanted), sender in zip(CASES, senders, strict=True):
            found, words = _outcome(rig, sender)
            if found != wanted:
                wrong += 1
                stage.tell(f"{phase} {reply!r}: {found}, expected {wanted} ({words})")
            elif wanted == REFUSED and reply.split(" ", 2)[2] not in (words or ""):
                wrong += 1
                stage.tell(
                    f"{phase} {reply!r}: the server's words are missing: {words}"
                )
        stage.expect(not wrong, f"{len(CASES) - wrong} of {len(CASES)} as expected")
        _time_passes(stage, rig, senders)


@fault("replies.campaign")
def campaigns(stage):
    """The same reply to a whole campaign: nobody pays for what is the account's."""
    with stage.rig() as rig:
        ports = [rig.sink.listen(**{how: what}) for how, what, _ in CAMPAIGNS]
        senders = rig.ask("aliases", ports=ports)
        ids = [sender["alias_id"] for sender in senders]
        rig.server()
        rig.ask("queue", alias_ids=ids, count=CAMPAIGN, prefix="first")
        deadline = time.monotonic() + 60
        found = []
        while time.monotonic() < deadline:
            found = [_count(rig, sender) for sender in senders]
            if found == [wanted for _, _, wanted in CAMPAIGNS]:
                break
            time.sleep(0.5)
        right = 0
        for (how, what, wanted), counted in zip(CAMPAIGNS, found, strict=True):
            right += counted == wanted
            if counted != wanted:
                stage.tell(f"{how} {what}: {counted}, expected {wanted}")
        stage.expect(
            right == len(CAMPAIGNS), f"{right} of {len(CAMPAIGNS)} as expected"
        )


def _count(rig, sender) -> tuple[int, int, int, bool]:
    [row] = rig.sql(
        "SELECT count(*) FILTER (WHERE mail.state = 'sent'),"
        " count(*) FILTER (WHERE mail.state = 'exception'),"
        " count(*) FILTER (WHERE mail.state = 'outgoing'),"
        " bool_or(alias.state = 'hold')"
        " FROM mail_mail mail JOIN user_email_alias alias"
        " ON alias.id = mail.email_alias_id WHERE alias.id = %s",
        sender["alias_id"],
    )
    return row


def _outcome(rig, sender) -> tuple[str, str]:
    [(state, words, alias, backoff, due)] = rig.sql(_STATE, sender["alias_id"])
    if alias == "hold":
        found = HOLD if state == "outgoing" else f"hold, mail {state}"
    elif state == "exception":
        found = REFUSED
    elif state == "sent":
        found = "sent"
    elif backoff > 3600 * 12:
        found = QUOTA
    elif backoff > 0:
        found = SERVER
    elif due > 60:
        found = LATER
    else:
        found = f"{state}, due in {due:.0f} s"
    return found, words


def _time_passes(stage, rig, senders) -> None:
    """After time, and after its user has acted, everything not refused arrives."""
    held = [
        alias_id
        for (alias_id,) in rig.sql(
            "SELECT id FROM user_email_alias WHERE state = 'hold'"
        )
    ]
    rig.ask("write_aliases", alias_ids=held, state="draft")
    rig.hurry()
    deadline = time.monotonic() + 60
    while rig.waiting() and time.monotonic() < deadline:
        time.sleep(0.3)
    rig.wait_until_idle(10)
    wanted = sum(outcome != REFUSED for _, _, outcome in CASES)
    arrived = rig.sink.count()
    stage.expect(
        arrived == wanted, f"{arrived} of {wanted} arrive in the end, once each"
    )


def _settle(rig, count: int) -> None:
    """Wait until every alias has had its try."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        [(tried,)] = rig.sql(
            "SELECT count(*) FROM user_email_alias WHERE state != 'draft' "
            "OR backoff_until > 0 OR id IN "
            "(SELECT alias_id FROM user_email_alias_log WHERE outcome IS NOT NULL)"
        )
        if tried >= count:
            return
        time.sleep(0.2)
