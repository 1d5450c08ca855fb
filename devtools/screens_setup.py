# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""The screens that set up an alias from an address, and the list of providers."""

from .screens import ALIASES, Screen, register_providers

PROVIDERS = "action-user_email_alias.user_email_alias_provider_action"

_EMAIL = ".modal [name='email'] input"
_TYPE = (
    f'(() => {{ const input = document.querySelector("{_EMAIL}");'
    " input.value = '%s'; for (const kind of ['input', 'change'])"
    " input.dispatchEvent(new Event(kind, { bubbles: true })); })()"
)


def _enter(email: str) -> tuple[tuple[str, str], ...]:
    """Return the steps that enter an address which the list of providers knows."""
    return (
        ("click", ".o-kanban-button-new"),
        ("wait", _EMAIL),
        ("run", _TYPE % email),
        ("click", ".modal button[name='action_continue']"),
    )


SCREENS = (
    Screen(
        "setup_address", ALIASES, _EMAIL, steps=(("click", ".o-kanban-button-new"),)
    ),
    Screen(
        "setup_wrong",
        ALIASES,
        ".modal [name='message']",
        steps=_enter("ann.berg"),
    ),
    Screen(
        "setup_password",
        ALIASES,
        ".modal [name='smtp_password'] input",
        steps=_enter("ann.berg@icloud.com"),
    ),
    Screen(
        "setup_sign_in",
        ALIASES,
        ".modal button[name='action_sign_in']",
        steps=_enter("ann.berg@gmail.com"),
        before=register_providers,
    ),
    Screen("providers", PROVIDERS, ".o_data_row, .o_kanban_record", login="admin"),
    Screen("provider_form", f"{PROVIDERS}/1", ".o_form_view", login="admin"),
)
