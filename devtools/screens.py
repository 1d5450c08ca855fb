# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""The screens of this add-on that `./dev screenshots` takes pictures of.

To add one, add an entry to `SCREENS`. Addresses and JavaScript may name the records
that `prepare` made, in braces.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from . import stack

ALIASES = "action-user_email_alias.user_email_alias_action"
SEND_MESSAGE = ".o-mail-Chatter:has(.o-mail-Message) .o-mail-Chatter-sendMessage"
"""The button, once the conversation is loaded: a click before comes to nothing."""

WIDTHS = {"wide": (1280, 900), "narrow": (400, 860)}
SCHEMES = ("light", "dark")


@dataclass(frozen=True)
class Screen:
    """One screen: who looks at it, where it is, how to get there."""

    name: str
    path: str
    ready: str
    """CSS selector of what must be visible before the picture is taken."""

    login: str = "demo"
    steps: tuple[tuple[str, str], ...] = ()
    """(`click` or `wait`, selector) or (`run`, JavaScript expression), in order."""

    before: Callable[[stack.Stack, dict], None] | None = None
    """Changes the database for this screen and those that follow it."""


def _open_action(action: str, model: str, ids: str) -> tuple[str, str]:
    """Return the step that opens an action as a list's button does."""
    script = (
        "odoo.__WOWL_DEBUG__.root.env.services.action.doAction("
        f"'{action}', {{additionalContext: {{active_model: '{model}', "
        f"active_ids: {ids}, active_id: {ids}[0]}}}}).then(() => true)"
    )
    return "run", script


SETTINGS = "action-base_setup.action_general_configuration"
TO_ALIASES = (
    "run",
    "document.querySelector('#email_aliases, #email_alias_google')?.scrollIntoView()",
)
TO_LAST_OUTCOME = (
    "run",
    (
        "[...document.querySelectorAll('.o_email_alias_outcome')].pop()"
        "?.scrollIntoView({ block: 'end' })"
    ),
)


def register_providers(running: stack.Stack, records: dict) -> None:
    """Fill in the settings as an administrator does who registered both apps."""
    admin = running.client("admin")
    settings = admin(
        "res.config.settings",
        "create",
        {
            "email_alias_google_client_id": "1234.apps.googleusercontent.com",
            "email_alias_google_client_secret": "made up for the picture",
            "email_alias_microsoft_client_id": "00000000-1111-2222-3333-444444444444",
            "email_alias_microsoft_client_secret": "made up for the picture",
            "email_alias_microsoft_large_attachments": True,
        },
    )
    admin("res.config.settings", "execute", [settings])


def _set(running: stack.Stack, records: dict, assignments: str) -> None:
    """Change the alias in the database: its server fields are nobody's to write."""
    running.cluster.execute(
        f"UPDATE user_email_alias SET {assignments} WHERE id = %s",  # noqa: S608
        records["alias"],
        database=running.database,
    )


def _file_copies(running: stack.Stack, records: dict) -> None:
    """Have copies, and trouble with them, as the queue notes it."""
    sender = stack.MAILBOXES[0]
    running.client("demo")(
        "user.email.alias",
        "write",
        [records["alias"]],
        {
            "imap_server": "imap.example.com",
            "smtp_password": running.mail.users[sender],
        },
    )
    _set(running, records, "imap_folder = NULL, state = 'ok'")
    running.cluster.execute(
        "UPDATE user_email_alias_log "
        "SET sent_copy_error = %s, sent_copy_due = '2096-01-01', "
        "sent_copy_state = CASE WHEN id %% 2 = 0 THEN 'waiting' ELSE 'failed' END "
        "WHERE alias_id = %s",
        "The mailbox is full. Delete mail or ask for more room.",
        records["alias"],
        database=running.database,
    )


def _sign_in(running: stack.Stack, records: dict) -> None:
    """Leave an alias as a sign-in leaves it; no provider is asked."""
    _set(
        running,
        records,
        "provider = 'google', oauth_user = email_from, "
        "oauth_secret = 'no cipher text', oauth_identity = 'x'",
    )


def _sign_in_otherwise(running: stack.Stack, records: dict) -> None:
    """Leave the question that follows a sign-in with another account."""
    _set(
        running,
        records,
        "oauth_pending_user = 'else@example.com', "
        "oauth_pending_secret = 'no cipher text'",
    )


def _sign_in_for_shared(running: stack.Stack, records: dict) -> None:
    """Leave an alias of a shared mailbox as a sign-in leaves it."""
    _set(
        running,
        records,
        "provider = 'microsoft', transport = 'graph', "
        "oauth_user = 'upn4711@corp.example.com', "
        "oauth_mailbox = 'marc.demo@corp.example.com', oauth_pending_user = NULL, "
        "oauth_secret = 'no cipher text', oauth_identity = 'x'",
    )


def _write_to_nobody(running: stack.Stack, records: dict) -> None:
    """Send a message to a contact without an address."""
    contact = running.client("admin")("res.partner", "create", {"name": "Bare Bert"})
    demo = running.client("demo")
    _write(demo, records["lead"], records["alias"], "To Bert.", contact)
    time.sleep(5)


def _make_contact_of_alias(running: stack.Stack, records: dict) -> None:
    """Have a contact with an alias's address, as there are from earlier days."""
    contact = {"name": "Marc D.", "email": stack.MAILBOXES[0]}
    running.client("admin")("res.partner", "create", contact)


SCREENS = (
    Screen("alias_cards", ALIASES, ".o_kanban_record:not(.o_kanban_ghost)"),
    Screen("alias_form", f"{ALIASES}/{{alias}}", ".o_form_view .o_field_widget"),
    Screen("alias_form_on_hold", f"{ALIASES}/{{on_hold}}", ".o_form_view"),
    Screen("alias_new", f"{ALIASES}/new", ".o_form_view .o_field_widget"),
    Screen("alias_cards_empty", ALIASES, ".o_view_nocontent", login="admin"),
    Screen(
        "composer",
        "crm/{lead}",
        ".modal .o_mail_composer_form_view, .modal .o_form_view",
        steps=(
            ("click", SEND_MESSAGE),
            ("click", "[name='open-full-composer']"),
        ),
    ),
    Screen(
        "chatter_from",
        "crm/{lead}",
        ".o_email_alias_menu .o_email_alias_option, .o_email_alias_option",
        steps=(
            ("click", SEND_MESSAGE),
            ("click", ".o-mail-Chatter .o_email_alias_select"),
        ),
    ),
    Screen(
        "chatter_outcome",
        "crm/{lead}",
        ".o_email_alias_outcome",
        steps=(TO_LAST_OUTCOME,),
    ),
    Screen(
        "chatter_unsent",
        "crm/{lead}",
        ".o_email_alias_outcome[data-state=unsent]",
        steps=(("click", ".o_email_alias_outcome[data-state=unsent]"),),
        before=_write_to_nobody,
    ),
    Screen(
        "messaging_menu",
        ALIASES,
        ".o-mail-NotificationItem",
        steps=(("click", ".o_menu_systray i[aria-label='Messages']"),),
    ),
    Screen(
        "composer_mass",
        "crm",
        ".modal .o_form_view",
        steps=(_open_action("crm.action_lead_mass_mail", "crm.lead", "{leads}"),),
    ),
    Screen(
        "mailing_form",
        "action-mass_mailing.mailing_mailing_action_mail/{mailing}",
        ".o_form_view .o_field_widget",
    ),
    Screen(
        "mailing_form_new",
        "action-mass_mailing.mailing_mailing_action_mail/new",
        ".o_form_view .o_field_widget",
    ),
    Screen("preferences", "action-base.action_res_users_my/{demo}", ".o_form_view"),
    Screen(
        "user_menu",
        ALIASES,
        ".o-dropdown--menu .dropdown-item, .o_burger_menu .o_burger_menu_username",
        steps=(("click", ".o_user_menu button, .o_navbar .o_burger_menu_avatar"),),
    ),
    Screen(
        "admin_list",
        "action-user_email_alias.user_email_alias_action_all",
        ".o_data_row, .o_kanban_record",
        login="admin",
    ),
    Screen(
        "log",
        "action-user_email_alias.user_email_alias_log_action",
        ".o_data_row, .o_kanban_record",
        login="admin",
    ),
    Screen(
        "audit",
        "action-user_email_alias.user_email_alias_event_action",
        ".o_data_row, .o_kanban_record",
    ),
    Screen(
        "copies_form",
        f"{ALIASES}/{{alias}}",
        ".o_form_view [name='imap_server']",
        before=_file_copies,
    ),
    Screen("copies_cards", ALIASES, ".o_kanban_record:not(.o_kanban_ghost)"),
    Screen(
        "copies_log",
        "action-user_email_alias.user_email_alias_log_action",
        ".o_data_row, .o_kanban_record",
    ),
    Screen(
        "settings_empty",
        SETTINGS,
        "#email_alias_google",
        login="admin",
        steps=(TO_ALIASES,),
    ),
    Screen(
        "settings_filled",
        SETTINGS,
        "#email_alias_google",
        login="admin",
        steps=(TO_ALIASES,),
        before=register_providers,
    ),
    Screen(
        "sign_in_new",
        f"{ALIASES}/new",
        ".o_form_view [name='sign_in'] button",
    ),
    Screen(
        "sign_in_done",
        f"{ALIASES}/{{alias}}",
        ".o_form_view [name='sign_in']",
        before=_sign_in,
    ),
    Screen(
        "sign_in_other",
        f"{ALIASES}/{{alias}}",
        ".o_form_view [name='other_account']",
        before=_sign_in_otherwise,
    ),
    Screen(
        "sign_in_shared",
        f"{ALIASES}/{{alias}}",
        ".o_form_view [name='shared_from']",
        before=_sign_in_for_shared,
    ),
    Screen(
        "contacts_to_merge",
        "action-user_email_alias.res_partner_action_email_alias",
        ".o_data_row, .o_kanban_record",
        login="admin",
        before=_make_contact_of_alias,
    ),
)


def prepare(running: stack.Stack) -> dict:
    """Fill the database so that the screens have something to show."""
    demo = running.client("demo")
    running.allow_mailings("demo")
    sender = stack.MAILBOXES[0]
    account = {
        "alias_name": "Marc Demo",
        "email_from": sender,
        "smtp_server": f"localhost:{running.mail.starttls_port}",
        "smtp_user": sender,
        "smtp_password": running.mail.users[sender],
        "delay_ms": 250,
    }
    alias = demo(
        "user.email.alias",
        "create",
        {**account, "name": "Sales campaign", "is_default": True},
    )
    on_hold = demo(
        "user.email.alias",
        "create",
        {
            **account,
            "name": "Old mailbox",
            "smtp_password": "a password of long ago",
            "delay_ms": 2500,
        },
    )
    demo(
        "user.email.alias",
        "create",
        {
            "name": "Recruiting, with a description long enough to be cut",
            "alias_name": "Marc Demo (Recruiting)",
            "email_from": "jobs@bücher.example",
            "smtp_server": "mail.bücher.example:465",
        },
    )
    demo("user.email.alias", "action_test_connection", [alias])
    demo("user.email.alias", "action_test_connection", [on_hold])
    leads = demo(
        "crm.lead",
        "search",
        [("email_from", "!=", False), ("user_id", "=", demo.uid)],
        limit=5,
    )
    mailing = _mailing(demo, alias, leads)
    _wait_for_mails(running, len(leads))
    _write(demo, leads[0], alias, "A first word by email.")
    _write(demo, leads[0], on_hold, "A second one, from the old mailbox.")
    return {
        "alias": alias,
        "on_hold": on_hold,
        "lead": leads[0],
        "leads": leads,
        "mailing": mailing,
        "demo": demo.uid,
    }


def _write(demo, lead: int, alias: int, text: str, partner: int = 0) -> None:
    """Send a message from a lead's chatter, to anybody or to this contact."""
    if not partner:
        [partner] = demo("res.partner", "search", [("email", "!=", False)], limit=1)
    demo(
        "crm.lead",
        "message_post",
        [lead],
        body=text,
        message_type="comment",
        subtype_xmlid="mail.mt_comment",
        partner_ids=[partner],
        email_alias_id=alias,
    )


def _mailing(demo, alias: int, leads: list[int]) -> int:
    [model] = demo("ir.model", "search", [("model", "=", "crm.lead")])
    mailing = demo(
        "mailing.mailing",
        "create",
        {
            "subject": "News from the sales team",
            "mailing_model_id": model,
            "mailing_domain": repr([("id", "in", leads)]),
            "email_alias_id": alias,
            "body_arch": "<p>Hello!</p>",
            "body_html": "<p>Hello!</p>",
        },
    )
    demo("mailing.mailing", "action_launch", [mailing])
    return mailing


def _wait_for_mails(running: stack.Stack, count: int, seconds: float = 20) -> None:
    """Wait for the mailing to leave; screens are shown whatever came of it."""
    deadline = time.monotonic() + seconds
    while len(running.mail.messages()) < count and time.monotonic() < deadline:
        time.sleep(0.2)
