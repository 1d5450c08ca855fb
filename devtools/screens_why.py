# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""The screens that say why nothing leaves, and what became of a test mail."""

import json
import time

from . import stack
from .screens import ALIASES, Screen

ASK = (
    "odoo.__WOWL_DEBUG__.root.env.services.orm.call('user.email.alias', 'action_why',"
    " [[{on_hold}]]).then((action) =>"
    " odoo.__WOWL_DEBUG__.root.env.services.action.doAction(action)).then(() => true)"
)
SEND = ASK.replace("action_why", "action_test_mail").replace("on_hold", "alias")
FOUND = {
    "header_from": "Marc Demo <marc@real.example.com>",
    "is_from_kept": False,
    "id_kept_as": "X-Microsoft-Original-Message-ID",
    "kept": ["List-Unsubscribe-Post", "Precedence", "X-Auto-Response-Suppress"],
    "lost": ["List-Unsubscribe"],
    "signers": [],
    "other_signers": ["corp.example.com"],
    "authority": "mx.google.com",
    "results": {"spf": "pass", "dkim": "pass", "dmarc": "fail"},
}


def _queue_some(running: stack.Stack, records: dict) -> None:
    """Let emails wait for different reasons."""
    admin = running.client("admin")
    demo = running.client("demo")
    contacts = admin("res.partner", "search", [("email", "!=", False)], limit=4)
    running.cluster.execute(
        "UPDATE user_email_alias SET state = 'ok', delay_ms = 3600000 WHERE id = %s",
        records["alias"],
        database=running.database,
    )
    for number, contact in enumerate(contacts):
        demo(
            "crm.lead",
            "message_post",
            [records["lead"]],
            body="An offer.",
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            partner_ids=[contact],
            email_alias_id=records["on_hold" if number else "alias"],
        )
    time.sleep(3)


def _keep_test(running: stack.Stack, records: dict) -> None:
    """Leave what a test mail leaves."""
    kept = {
        "state": "arrived",
        "at": time.time() - 3600,
        "token": "X",
        "headers": {},
        "log_id": 1,
        "message_id": "<1@example.com>",
        "header_from": "Marc Demo <marc@example.com>",
        "text": False,
        "unread": False,
        "copies": 2,
        "folder": "INBOX",
        "seconds": 3.2,
        "found": FOUND,
    }
    running.cluster.execute(
        "UPDATE user_email_alias SET test_mail = %s, imap_server = 'imap.example.com'"
        " WHERE id = %s",
        json.dumps(kept),
        records["alias"],
        database=running.database,
    )


SCREENS = (
    Screen(
        "why_dialog",
        f"{ALIASES}/{{on_hold}}",
        ".o_email_alias_why .o_email_alias_reason",
        steps=(("run", ASK),),
        before=_queue_some,
    ),
    Screen(
        "why_list",
        "action-user_email_alias.user_email_alias_waiting_action",
        ".o_data_row, .o_kanban_record",
    ),
    Screen("why_form", f"{ALIASES}/{{on_hold}}", ".o_form_view .o_field_widget"),
    Screen(
        "test_mail_dialog",
        f"{ALIASES}/{{alias}}",
        ".o_email_alias_test_mail[aria-busy=false] li",
        steps=(("run", SEND),),
    ),
    Screen(
        "test_mail_form",
        f"{ALIASES}/{{alias}}",
        ".o_email_alias_checklist",
        steps=(
            (
                "run",
                "document.querySelector('.o_email_alias_checklist').scrollIntoView()",
            ),
        ),
        before=_keep_test,
    ),
)
