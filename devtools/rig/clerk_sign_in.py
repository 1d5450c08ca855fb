# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""What the clerk knows of identity providers: register the app, sign aliases in."""

from urllib.parse import parse_qsl, urlsplit

import requests

SERVICE_ACCOUNT = "google"


def provider(env, key, settings):
    """Register the app at a provider; return the address it has to send people to."""
    Settings = env["user.email.alias.oauth.settings"]
    settings = dict(settings)
    secret = settings.pop("client_secret")
    Settings._register__(key, settings, secret)
    return Settings._get_redirect_uri(key)


def sign_in(alias, key, ca_bundle):
    """Sign an empty alias in as its owner would, and check that it may send.

    :param alias: of its owner's environment; its account is the owner's address
    """
    url, flow = alias._begin_sign_in__(key)
    answer = requests.post(
        url,
        data={"account": alias.user_id.email, "decision": "allow", "mail": "on"},
        verify=ca_bundle,
        allow_redirects=False,
        timeout=10,
    )
    answer.raise_for_status()
    params = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
    said = alias._finish_sign_in__(key, flow, params)
    if said != "Status: OK":
        raise ValueError(said)


def allow(env, organisation_key):
    """Enter the key of the service account, which only one provider has."""
    env["res.config.settings"].create(
        {f"email_alias_{SERVICE_ACCOUNT}_organisation_key": organisation_key}
    )


def join(alias, key):
    """Have an alias send with the organisation's key, as an administrator does.

    :param alias: of an administrator's environment
    """
    owner = alias.user_id
    alias.write(
        {"organisation": key, "email_from": owner.email, "alias_name": owner.name}
    )
    said = alias.with_user(owner).action_test_connection()["params"]["message"]
    if said != "Status: OK":
        raise ValueError(said)
