# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""The screens of an organisation account: its settings, and the form of its aliases."""

from . import stack
from .screens import ALIASES, SETTINGS, TO_ALIASES, Screen


def _switch_on(running: stack.Stack, records: dict) -> None:
    """Fill in the settings, and give the salesman an alias."""
    admin = running.client("admin")
    settings = admin(
        "res.config.settings",
        "create",
        {
            "email_alias_google_organisation": True,
            "email_alias_microsoft_organisation": True,
            "email_alias_microsoft_tenant": "55555555-6666-7777-8888-999999999999",
            "email_alias_microsoft_client_id": "00000000-1111-2222-3333-444444444444",
            "email_alias_microsoft_client_secret": "made up for the picture",
        },
    )
    admin("res.config.settings", "execute", [settings])
    records["by_organisation"] = admin(
        "user.email.alias",
        "create",
        {
            "name": "Campaigns",
            "alias_name": "Marc Demo",
            "email_from": "marc@corp.example.com",
            "user_id": admin("res.users", "search", [("login", "=", "demo")])[0],
            "organisation": "microsoft",
        },
    )


SCREENS = (
    Screen(
        "organisation_settings",
        SETTINGS,
        "#email_alias_microsoft_organisation",
        login="admin",
        steps=(TO_ALIASES,),
        before=_switch_on,
    ),
    Screen(
        "organisation_new",
        f"{ALIASES}/new",
        ".o_form_view [name='organisation']",
        login="admin",
    ),
    Screen(
        "organisation_administrator",
        f"{ALIASES}/{{by_organisation}}",
        ".o_form_view [name='by_organisation']",
        login="admin",
    ),
    Screen(
        "organisation_owner",
        f"{ALIASES}/{{by_organisation}}",
        ".o_form_view [name='by_organisation']",
    ),
)
