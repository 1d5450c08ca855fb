"""SASL mechanisms at a mail server (RFC 4954), one wrong password for each call.

smtplib's own `login` tries the next mechanism after a refusal, which counts as a
further wrong password, and its exceptions can hold the password.
"""

import base64
import binascii
import hmac
import json
import re

from .failure import SmtpFailure, failing_in
from .outcome import Outcome
from .reply import Phase, Reply, sanitise
from .wire import Wire, WireFault

NOT_IMPLEMENTED = (500, 502, 504)  # the mechanism, not the password; RFC 4954 4
_UNKNOWN_MECHANISM = re.compile(
    r"(unknown|unrecogni[sz]ed|unsupported|invalid) auth\w* (mechanism|type|method)"
    r"|(mechanism|authentication (type|method)) (is )?(not|un)\W?"
    r"(supported|recogni[sz]ed|available|known|implemented)",
    re.IGNORECASE,
)
AUTH_TIMEOUT = 30.0  # s for one login; some servers delay a refusal by several


def log_in_password(
    wire: Wire, user: str, password_secret: str, *, is_encrypted: bool
) -> None:
    """Log in with the first mechanism that suits.

    :raises SmtpFailure: phase AUTH
    """
    offered = _mechanisms(wire)
    # Over TLS the simple ones: a server needs the password in clear for CRAM-MD5.
    order = ("PLAIN", "LOGIN", "CRAM-MD5")
    if not is_encrypted:
        order = ("CRAM-MD5", "PLAIN", "LOGIN")
    mechanisms = [name for name in order if name in offered]
    if not mechanisms:
        raise SmtpFailure(Phase.AUTH, cause=WireFault("auth_missing"))
    if "\0" in user or "\0" in password_secret:  # the separator of PLAIN
        raise SmtpFailure(Phase.AUTH, cause=WireFault("password"))
    wire.redact.add(password_secret)
    for mechanism in mechanisms:
        steps = _STEPS[mechanism](_octets(user), _octets(password_secret))
        reply = _converse(wire, mechanism, steps)
        if not _is_unknown(reply):
            break
    if _is_unknown(reply):
        outcome = Outcome(
            "deferred", "alias", "auth_missing", hold="auth_missing", reply=reply
        )
        raise SmtpFailure(Phase.AUTH, reply, outcome=outcome)
    if reply.code != 235:
        raise SmtpFailure(Phase.AUTH, reply)


def log_in_xoauth2(wire: Wire, user: str, token_secret: str) -> None:
    """Log in with an access token.

    A server that refuses answers 334 with the reason as JSON, wants one empty line
    and says 535 then.

    :raises SmtpFailure: phase AUTH, the reason in its text
    """
    if "XOAUTH2" not in _mechanisms(wire):
        raise SmtpFailure(Phase.AUTH, cause=WireFault("auth_missing"))
    if re.search(r"[\x00-\x1f\x7f]", user + token_secret):
        raise SmtpFailure(Phase.AUTH, cause=WireFault("password"), oauth=True)
    reasons = []
    steps = _xoauth2_steps(user, token_secret, reasons)
    wire.redact.add(token_secret)
    reply = _converse(wire, "XOAUTH2", steps)
    if reasons:
        words = wire.redact(_json_words(reasons[0]))
        text = sanitise(f"{reply.text} ({words})")
        reply = Reply(reply.code, reply.enhanced, text)
    if reply.code != 235:
        raise SmtpFailure(Phase.AUTH, reply, oauth=True)


def _is_unknown(reply):
    """Tell whether a server that offers a mechanism does not know it after all.

    No password was wrong then: another mechanism may be tried.
    """
    if reply.code in NOT_IMPLEMENTED or reply.enhanced == "5.7.4":
        return True
    return reply.code >= 500 and bool(_UNKNOWN_MECHANISM.search(reply.text))


def _mechanisms(wire):
    return set(wire.esmtp_features.get("auth", "").upper().split())


def _converse(wire, mechanism, steps):
    """Play the client's steps against the challenges; return the last reply.

    A step is the bytes to send, None for "no initial response".
    """

    def ask(*words):
        code, text = wire.docmd(*words)
        # The challenge is the whole text; the reply, which may be shown, is capped.
        return wire.shown(code, text), _decode(text)

    first = next(steps)
    with failing_in(Phase.AUTH):
        wire.allow(AUTH_TIMEOUT)
        initial = "" if first is None else f" {_encode(first) or '='}"
        reply, challenge = ask("AUTH", mechanism + initial)
        while reply.code == 334:
            try:
                answer = _encode(steps.send(challenge))
            except StopIteration:
                return ask("*")[0]  # one challenge too many; RFC 4954 4
            reply, challenge = ask(answer)
    return reply


def _plain_steps(user, secret):
    credentials = b"\0" + user + b"\0" + secret  # RFC 4616 2
    challenge = yield credentials
    if not challenge:  # a server that ignores the initial response
        yield credentials


def _login_steps(user, secret):
    yield None
    yield user
    yield secret


def _cram_md5_steps(user, secret):
    challenge = yield None
    yield user + b" " + hmac.new(secret, challenge, "md5").hexdigest().encode()


def _xoauth2_steps(user, secret, reasons):
    challenge = yield f"user={user}\x01auth=Bearer {secret}\x01\x01".encode()
    reasons.append(challenge)
    yield b""


_STEPS = {
    "PLAIN": _plain_steps,
    "LOGIN": _login_steps,
    "CRAM-MD5": _cram_md5_steps,
}


def _octets(text):
    return text.encode("utf-8", "surrogatepass")


def _encode(data):
    return base64.b64encode(data).decode("ascii")


def _decode(text):
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        return b""


def _json_words(challenge):
    """Return the reason in a refused XOAUTH2 challenge as plain words."""
    try:
        reason = json.loads(challenge)
        return ", ".join(f"{key}: {value}" for key, value in reason.items())
    except (ValueError, AttributeError, RecursionError):
        return sanitise(challenge.decode("utf-8", "replace"))
