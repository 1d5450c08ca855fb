"""One HTTPS connection on the level of requests: deadline, caps, and how far it came.

``requests`` knows the protocol, proxies and certificates. What it does not tell is
whether the last byte of a request had left when something broke: that decides between
"try later" and "nobody knows".
"""

import json
import os
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from ...deadline import Deadline
from ...timed_https import get_pool_options
from ..base import sleep_until
from ..smtp.reply import Phase

MAX_ANSWER = 256 * 1024  # bytes
IDLE_SECONDS = 20.0  # after that a server may be about to close: begin a new one


class Broken(Exception):
    """The conversation ended without an answer, in this phase."""

    def __init__(self, phase: Phase, cause: BaseException):
        super().__init__(type(cause).__name__)
        self.phase = phase
        self.cause = cause


@dataclass(frozen=True)
class Answer:
    """What the provider answered.

    ``data`` is the answer's JSON object, empty where it is none. ``phase``: whether all
    of the request had left.
    """

    status: int
    headers: dict
    data: dict
    phase: Phase


@dataclass
class _Progress:
    """How far the request at hand has come; written by the connection itself."""

    not_before: float = 0.0
    phase: Phase = Phase.CONNECT

    def begin(self):
        """Be called with an open connection, before the first byte of the request."""
        sleep_until(self.not_before)
        self.phase = Phase.BODY

    def end(self):
        """Be called after the last byte."""
        self.phase = Phase.DOT


class Exchange(HTTPAdapter):
    """Ask one provider, one request at a time, on one connection that is kept.

    :param Deadline deadline: the end of all that follows until another one is set
    :param ca_bundle: path of the trusted certificates, empty = the usual ones
    """

    def __init__(self, deadline: Deadline, ca_bundle: str = ""):
        self.deadline = deadline
        self._ca_bundle = ca_bundle or os.environ.get("SSL_CERT_FILE") or True
        self._progress = _Progress()
        self._used_at = time.monotonic()
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)
        # address up to the path: what the environment says of proxies and certificates
        self._surroundings = {}

    def init_poolmanager(self, *args, **kwargs):
        """Extend: the connections keep our time and tell how far they are."""
        pools, options = get_pool_options(lambda: self.deadline, self._watched)
        super().init_poolmanager(*args, **{**kwargs, **options})
        self.poolmanager.pool_classes_by_scheme = pools

    def proxy_manager_for(self, *args, **kwargs):
        """Extend: those through a proxy as well."""
        pools, options = get_pool_options(lambda: self.deadline, self._watched)
        manager = super().proxy_manager_for(*args, **{**kwargs, **options})
        manager.pool_classes_by_scheme = pools
        return manager

    def _watched(self, connection_class):
        exchange = self

        class WatchedConnection(connection_class):
            def request(self, *args, **kwargs):
                """Extend: the connection stands; mark the first and the last byte."""
                progress = exchange._progress
                progress.begin()
                super().request(*args, **kwargs)
                progress.end()

        return WatchedConnection

    def ask(
        self,
        method: str,
        url: str,
        headers: dict,
        body: bytes = b"",
        not_before: float = 0.0,
    ) -> Answer:
        """Send one request and read its answer, once.

        :param not_before: ``time.monotonic()`` before which the first byte must not
            leave
        :raises Broken: there is no answer
        """
        if time.monotonic() - self._used_at > IDLE_SECONDS:
            self.drop()
        progress = self._progress = _Progress(not_before)
        try:
            answer = self._ask(method, url, headers, body, progress)
        except (requests.RequestException, HTTPError, OSError) as error:
            self.drop()
            raise Broken(progress.phase, error) from None
        self._used_at = time.monotonic()
        return answer

    def _ask(self, method, url, headers, body, progress):
        request = requests.PreparedRequest()
        headers = {"Accept": "application/json", **headers}
        request.prepare(method, url, headers=headers, data=body or None)
        if not request.url.startswith("https://"):
            raise requests.exceptions.InvalidSchema("not https")
        surroundings = self._get_surroundings(request.url)
        with self.send(request, timeout=self.deadline.left, **surroundings) as response:
            text = response.raw.read(MAX_ANSWER + 1, decode_content=True)
        if len(text) > MAX_ANSWER:
            self.drop()
            text = b""
        return Answer(
            status=response.status_code,
            headers=response.headers,
            data=_parse(text),
            phase=progress.phase,
        )

    def _get_surroundings(self, url):
        """Return how to send a request there; asked for once, as it takes a while.

        A session of ``requests`` would ask for each, follow redirects, keep cookies and
        look for a password in a .netrc file.
        """
        parts = urlsplit(url)
        place = (parts.scheme, parts.netloc)
        if place not in self._surroundings:
            with requests.Session() as session:
                self._surroundings[place] = session.merge_environment_settings(
                    url, {}, True, self._ca_bundle, None
                )
        return self._surroundings[place]

    def drop(self):
        """Close the connection; the next request begins a new one."""
        self.poolmanager.clear()
        for manager in self.proxy_manager.values():
            manager.clear()


def _parse(text):
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}
