"""The one way out to a provider: HTTPS, verified, bounded in time and size, silent.

All libraries in use (``requests-oauthlib``, ``google-auth``, ``msal``) speak through a
``requests.Session``. Its transport adapter is therefore the one place for our rules,
whichever library makes the call.

Private certificate authorities: set ``ProviderConfig.ca_bundle``, or the environment
variable ``REQUESTS_CA_BUNDLE`` (HTTPS only) or ``SSL_CERT_FILE`` (which
``ssl.create_default_context`` and so our mail connections honour too). Verification
cannot be turned off.
"""

import io
import json
import logging
import os
from contextlib import contextmanager

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from ..deadline import Deadline
from ..timed_https import get_pool_options
from .errors import PASSING_ERRORS, ProviderMisconfigured, ProviderUnavailable

# A key set or a discovery document takes some 10 kB; nothing we ask for comes near.
MAX_ANSWER = 1024 * 1024

# Loggers that write secrets at level DEBUG, and what they write. Each is filtered on
# itself, so that what other parts of the same library log stays visible.
_LEAKING = (
    # request body (client secret, code), answer (all tokens)
    "requests_oauthlib.oauth2_session",
    # the answer as an extra of the record, error_description included
    "google.auth.transport.requests",
    # authorization code and code verifier
    "msal.token_cache",
    # error_description as it came, which may echo the request
    "msal.application",
)


def _is_above_debug(record):
    """A level set on the logger could be reset by the log configuration; this stays."""
    return record.levelno > logging.DEBUG


for _name in _LEAKING:
    logging.getLogger(_name).addFilter(_is_above_debug)


class Channel(HTTPAdapter):
    """Carry the requests of one conversation with a provider.

    :param ca_bundle: path of the trusted certificates, empty = the usual ones
    :param timeout: seconds for each wait for the other side
    :param Deadline deadline: the end of the whole conversation, None for none
    :param is_json: refuse an answer that is no JSON object before a library sees it
    """

    def __init__(self, ca_bundle="", timeout=10.0, deadline=None, is_json=True):
        self.ca_bundle = ca_bundle
        self.timeout = timeout
        self.deadline = deadline or Deadline()
        self.is_json = is_json
        self.payload = {}
        super().__init__()

    def _wait(self):
        return self.deadline.within(self.timeout)

    def init_poolmanager(self, *args, **kwargs):
        """Extend: the connections keep our time."""
        pools, options = get_pool_options(self._wait)
        super().init_poolmanager(*args, **{**kwargs, **options})
        self.poolmanager.pool_classes_by_scheme = pools

    def proxy_manager_for(self, *args, **kwargs):
        """Extend: those through a proxy as well."""
        pools, options = get_pool_options(self._wait)
        manager = super().proxy_manager_for(*args, **{**kwargs, **options})
        manager.pool_classes_by_scheme = pools
        return manager

    def mount_on(self, session):
        """Make ``session`` use this channel, for HTTPS, and nothing else."""
        session.adapters.clear()
        session.mount("https://", self)
        # Else requests looks for a password in a .netrc file (RFC 9700 2.5: client
        # authentication is ours to choose).
        session.auth = lambda request: request
        return session

    def send(self, request, *args, **kwargs):
        """Replace the caller's timeout and trust by ours, and judge the answer."""
        kwargs.update(
            stream=True, timeout=self.timeout, verify=self._trust(kwargs.get("verify"))
        )
        try:
            response = super().send(request, *args, **kwargs)
            body = response.raw.read(MAX_ANSWER + 1, decode_content=True)
        except requests.exceptions.SSLError:
            raise ProviderUnavailable("tls") from None
        except (requests.RequestException, HTTPError, TimeoutError) as error:
            # Not the text: it can quote the request.
            name = type(error).__name__
            raise ProviderUnavailable("unreachable", detail=name) from None
        except OSError:
            raise ProviderMisconfigured("ca_bundle") from None
        self._judge(response, body)
        response.raw = io.BytesIO(body)
        return response

    def _trust(self, verify):
        bundle = self.ca_bundle or (verify if isinstance(verify, str) else "")
        return bundle or os.environ.get("SSL_CERT_FILE") or True

    def _judge(self, response, body):
        """Raise for an outage at once.

        Left to themselves the libraries would repeat the request, sleeping for seconds
        in between, or take the answer for something else. When to try again is up to
        the caller, who holds a lock meanwhile.
        """
        status = response.status_code
        if len(body) > MAX_ANSWER:
            response.raw.close()
            raise ProviderUnavailable("unreadable", detail="too long")
        # Neither endpoint redirects; following would carry secrets elsewhere
        # (RFC 9700 4.12).
        if status in (408, 429) or status >= 500 or 300 <= status < 400:
            raise ProviderUnavailable("outage", description=f"HTTP {status}")
        if self.is_json:
            self.payload = self._parse(body)
            error = str(self.payload.get("error"))
            if error in PASSING_ERRORS:
                raise ProviderUnavailable("outage", error=error)

    @staticmethod
    def _parse(body):
        try:
            payload = json.loads(body)
        except (ValueError, RecursionError):
            payload = None
        if not isinstance(payload, dict):
            raise ProviderUnavailable("unreadable")
        return payload


@contextmanager
def session_for(config, deadline=None, **options):
    """Open a session of ``requests`` on a new channel; yield both.

    :param Deadline deadline: the end of the whole conversation, None for none
    :raise ProviderUnavailable, ProviderMisconfigured: instead of what requests raises
    """
    channel = Channel(config.ca_bundle, config.timeout, deadline, **options)
    with channel.mount_on(requests.Session()) as session, network_errors():
        yield session, channel


@contextmanager
def network_errors():
    """Translate what ``requests`` raises before or beside the channel."""
    try:
        yield
    except (
        requests.exceptions.InvalidSchema,
        requests.exceptions.InvalidURL,
        requests.exceptions.MissingSchema,
    ):
        raise ProviderMisconfigured("endpoint") from None
    except requests.RequestException as error:
        name = type(error).__name__
        raise ProviderUnavailable("unreachable", detail=name) from None
