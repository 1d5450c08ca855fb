# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""Signing in at the sandbox's provider, as administrators and users do it."""

import requests

from .console import DevError
from .rpc import Client
from .stack import Stack

TIMEOUT_SECONDS = 30


def register_app(stack: Stack) -> None:
    """Enter the app in the settings, and the settings' redirect URI at the provider."""
    admin = stack.client("admin")
    key, settings = stack.mail.provider["key"], dict(stack.mail.provider["settings"])
    names = ("client_id", "client_secret", "transport")
    fields = {f"email_alias_{key}_{name}": settings.pop(name) for name in names}
    # no page has a field for where another provider than the real one is
    for name, value in settings.items():
        parameter = f"user_email_alias.{key}_{name}"
        admin("ir.config_parameter", "set_param", parameter, value)
    page = admin("res.config.settings", "create", fields)
    admin("res.config.settings", "execute", [page])
    uri = f"email_alias_{key}_redirect_uri"
    [shown] = admin("res.config.settings", "read", [page], [uri])
    stack.mail.register(shown[uri])


def sign_in(stack: Stack, user: Client, alias: int, email: str) -> None:
    """Press the alias's button, choose the account on the provider's page, come back.

    :raise DevError: the alias does not send through the provider afterwards
    """
    key = stack.mail.provider["key"]
    action = user(
        "user.email.alias",
        "action_sign_in",
        [alias],
        context={"email_alias_provider": key},
    )
    with requests.Session() as browser:
        # no proxy is asked for this machine
        browser.trust_env = False
        answer = browser.post(
            action["url"],
            data={"account": email, "decision": "allow", "mail": "on"},
            verify=str(stack.mail.bundle),
            allow_redirects=False,
            timeout=TIMEOUT_SECONDS,
        )
    if answer.status_code != 303:
        raise DevError(f"the provider's page says {answer.status_code}: {answer.text}")
    user.visit(answer.headers["Location"])
    fields = ["state", "transport", "state_message"]
    [found] = user("user.email.alias", "read", [alias], fields)
    if found["state"] != "ok" or found["transport"] == "smtp":
        raise DevError(f"signing in has not worked: {found}")
