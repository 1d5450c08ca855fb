# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""Odoo's public JSON-RPC interface, as any outside program uses it."""

import itertools
import json
import urllib.request

from .console import DevError

TIMEOUT_SECONDS = 120


class Refused(DevError):
    """Odoo answered with an error; the message is Odoo's own."""


class Client:
    """One user's access to one database."""

    def __init__(self, url: str, database: str, login: str, password: str):
        self.url = url
        self.login = login
        self._numbers = itertools.count(1)
        self._database = database
        self._password = password
        self.uid = self._call("common", "login", database, login, password)
        if not self.uid:
            raise Refused(f"Odoo refuses the login of {login}.")

    def __call__(self, model: str, method: str, *arguments, **keywords):
        """Call a public method of a model."""
        return self._call(
            "object",
            "execute_kw",
            self._database,
            self.uid,
            self._password,
            model,
            method,
            arguments,
            keywords,
        )

    def _call(self, service: str, method: str, *arguments):
        body = {
            "jsonrpc": "2.0",
            "method": "call",
            "id": next(self._numbers),
            "params": {"service": service, "method": method, "args": arguments},
        }
        request = urllib.request.Request(
            f"{self.url}/jsonrpc",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            answer = json.load(response)
        if "error" in answer:
            data = answer["error"].get("data") or {}
            raise Refused(data.get("message") or answer["error"]["message"])
        return answer.get("result")
