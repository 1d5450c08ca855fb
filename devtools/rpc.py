# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""Odoo's interface as the web client uses it: a session, then JSON-RPC calls."""

import http.cookiejar
import itertools
import json
import urllib.request

from .console import DevError

TIMEOUT_SECONDS = 120


class Refused(DevError):
    """Odoo answered with an error; the message is Odoo's own."""


class Client:
    """One user's session in one database."""

    def __init__(self, url: str, database: str, login: str, password: str):
        self.url = url
        self.login = login
        self._numbers = itertools.count(1)
        self._cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(self._cookies)
        )
        session = self._call(
            "/web/session/authenticate",
            {"db": database, "login": login, "password": password},
        )
        self.uid = session["uid"]

    @property
    def session_id(self) -> str:
        """The cookie that a browser would hold."""
        return next(item.value for item in self._cookies if item.name == "session_id")

    def __call__(self, model: str, method: str, *arguments, **keywords):
        """Call a public method of a model."""
        return self._call(
            f"/web/dataset/call_kw/{model}/{method}",
            {"model": model, "method": method, "args": arguments, "kwargs": keywords},
        )

    def visit(self, url: str) -> None:
        """Open a page of this Odoo in the session, as a browser does."""
        with self._opener.open(url, timeout=TIMEOUT_SECONDS) as response:
            response.read()

    def _call(self, path: str, parameters: dict):
        body = {
            "jsonrpc": "2.0",
            "method": "call",
            "id": next(self._numbers),
            "params": parameters,
        }
        request = urllib.request.Request(
            self.url + path,
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with self._opener.open(request, timeout=TIMEOUT_SECONDS) as response:
            answer = json.load(response)
        if "error" in answer:
            data = answer["error"].get("data") or {}
            raise Refused(data.get("message") or answer["error"]["message"])
        return answer.get("result")
