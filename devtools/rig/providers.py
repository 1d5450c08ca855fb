# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""The providers' interfaces for sending, with their identity providers, over TLS.

A program of its own, so that it can be measured: `python -m devtools.rig.providers
SOCKET`. What answers are the tests' fakes. It obeys one JSON object a line on the Unix
socket; an interface has these behaviours:

``server_time``     seconds before a submission is answered;
``cuts``            what happens to the next submissions in turn, empty for nothing: cut
                    ``before``, in the ``middle`` of, or ``after`` the body, after the
                    first bytes of the ``answer``; ``refuse``: after the body, and the
                    message is dropped;
``big_cuts``        the same for those of BIG_BYTES and more: a smaller one is in the
                    kernel's buffers, its last byte included, before it can be cut
                    (half a megabyte was seen to be);
``storm``           [status, seconds, wait]: for so long each submission gets this
                    status and is told to wait so many seconds;
``units_a_minute``, ``window_seconds``  the provider's own limits.
"""

import collections
import contextlib
import json
import signal
import socketserver
import sys
import time
from pathlib import Path

from .. import fakes

BIG_BYTES = 1_500_000


class Planned:
    """Mixed into a fake interface: it does what was planned."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.cuts_planned, self.big_cuts_planned = [], []
        self.storm_status, self.storm_until, self.storm_wait = 0, 0.0, 0
        # account: time.monotonic() before which it was told to keep quiet
        self.told = {}
        self.throttled = self.impatient = 0

    def plan(self, server_time=None, cuts=None, big_cuts=None, storm=None, **limits):
        with self.lock:
            if server_time is not None:
                self.knobs.delay = server_time
            if cuts is not None:
                self.cuts_planned = cuts
            if big_cuts is not None:
                self.big_cuts_planned = big_cuts
            if storm:
                self.storm_status, seconds, self.storm_wait = storm
                self.storm_until = time.monotonic() + seconds
            for name, value in limits.items():
                setattr(self, name, value)

    def take_cut(self, size):
        with self.lock:
            big = size >= BIG_BYTES
            planned = self.big_cuts_planned if big else self.cuts_planned
            return planned.pop(0) if planned else ""

    def takes(self, cut):
        return cut != "refuse"

    def take_answer(self, account):
        now = time.monotonic()
        with self.lock:
            self.impatient += now < self.told.get(account.email, 0.0)
            if now >= self.storm_until:
                return None
            self.throttled += 1
            self.told[account.email] = now + self.storm_wait
        words = self.error("userRateLimitExceeded", "Too many requests.")
        return self.storm_status, {"Retry-After": str(self.storm_wait)}, words


class Providers:
    """All interfaces that were opened, and what they took."""

    def __init__(self, exits):
        self._exits = exits
        self._interfaces = {}

    def open(self, transport, emails):
        """Have an interface where these accounts may sign in; return its settings."""
        state = fakes.load("fake_oauth_state")
        accounts = [
            state.Account(email, name, email, oid=f"oid-{name}")
            for email in emails
            for name in (email.partition("@")[0],)
        ]
        if transport not in self._interfaces:
            self._interfaces[transport] = self._start(transport, accounts)
        key, api = self._interfaces[transport]
        idp = api.identity_provider
        idp.accounts.update({account.email: account for account in accounts})
        organisation = fakes.load("fake_oauth_organisation")
        return {
            "key": key,
            "ca_bundle": idp.ca_file.name,
            "organisation_key": organisation.make_service_key(),
            "settings": idp.settings(
                transport="api",
                api_url=api.url,
                organisation="True",
                tenant=organisation.OWN_TENANT,
            ),
        }

    def _start(self, transport, accounts):
        key, kind = fakes.load_interfaces()[transport]
        idp = fakes.load("fake_oauth").FakeIdentityProvider(key, accounts=accounts)
        self._exits.enter_context(idp)
        api = self._exits.enter_context(type("Rigged", (Planned, kind), {})(idp))
        idp.mail_scope = api.scope = api.get_scope()
        idp.application_permissions = ("Mail.Send", "Mail.ReadWrite")
        return key, api

    def allow(self, transport, redirect_uri):
        self._interfaces[transport][1].identity_provider.redirect_uris.add(redirect_uri)

    def behave(self, transport, **behaviour):
        self._interfaces[transport][1].plan(**behaviour)

    def _get_cut_off(self):
        return {
            who
            for _key, api in self._interfaces.values()
            for _where, named in api.cuts
            for who in named
        }

    def count(self):
        taken = {
            who
            for _key, api in self._interfaces.values()
            for item in api.submissions[:]
            for who in item.recipients
        }
        return len(taken - self._get_cut_off())

    def records(self, start=0):
        cut_off = self._get_cut_off()
        found = [
            {
                "transport": transport,
                "from": item.account,
                "to": item.recipients,
                "mail_at": item.started_at,
                "dot_at": item.received_at,
                "reply_at": None
                if cut_off.intersection(item.recipients)
                else item.answered_at,
                "size": item.size,
            }
            for transport, (_key, api) in self._interfaces.items()
            for item in api.submissions[:]
        ]
        return sorted(found, key=lambda record: record["mail_at"])[start:]

    def interfaces(self):
        """Return what else there is to know of each interface."""
        return {
            transport: {
                "connections": api.connections,
                "most_at_once": max(api.most_at_once.values(), default=0),
                "cuts": [list(cut) for cut in api.cuts],
                "planned": len(api.cuts_planned) + len(api.big_cuts_planned),
                "throttled": api.throttled,
                "impatient": api.impatient,
                "drafts": len(getattr(api, "drafts", ())),
                "steps": collections.Counter(getattr(api, "steps", ())),
            }
            for transport, (_key, api) in self._interfaces.items()
        }

    def clear(self):
        for _key, api in self._interfaces.values():
            with api.lock:
                api.submissions.clear()
                api.cuts.clear()
                api.most_at_once.clear()
                api.connections = 0


def main(path: Path) -> None:
    """Obey one client until it goes; SIGTERM removes what lies in temporary files."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with contextlib.ExitStack() as exits:
        providers = Providers(exits)

        class Client(socketserver.StreamRequestHandler):
            def handle(self):
                for line in self.rfile:
                    request = json.loads(line)
                    answer = getattr(providers, request.pop("verb"))(**request)
                    self.wfile.write(json.dumps(answer).encode() + b"\n")

        with socketserver.UnixStreamServer(str(path), Client) as server:
            server.handle_request()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
