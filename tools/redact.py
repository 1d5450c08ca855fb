"""Keep secrets out of what is logged and out of what a server's words show.

At DEBUG level ``odoo.service.model`` writes the parameters of every call of a client,
a password that somebody has just typed into a form among them. The access log writes
the address of every request, and an identity provider sends its code in an address.
A server may repeat what it was told, in any of its replies.
"""

import base64
import html
import logging
import quopri
import re
import unicodedata
import urllib.parse

RPC_LOGGER = "odoo.service.model"
ACCESS_LOGGER = "werkzeug"

WITHHELD = "***"
SHORT = 4  # characters; a shorter secret cannot be told from ordinary words
CHUNK = 8  # characters of a longer secret that betray a part of it

_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|(.))", re.IGNORECASE)
# Characters of letters and symbols that show nothing.
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")


class Blotter:
    """Withholds a text in which somebody repeats a secret, however it is written.

    The whole text goes: stars in the place of a secret would show where it stands,
    and that it stands there. A secret of less than ``SHORT`` characters is in almost
    every text, so that showing some of them would spell it: then nothing is shown.
    """

    def __init__(self, *secrets: str):
        self._folded, self._exact, self._hides_all = [], [], False
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Withhold this secret too; an empty one is none."""
        squeezed = _squeeze(secret)
        if len(squeezed) < SHORT:
            self._hides_all = self._hides_all or bool(secret)
            return
        octets = secret.encode("utf-8", "surrogatepass")
        folded = {squeezed, squeezed[::-1], octets.hex(), octets[::-1].hex()}
        folded |= {"".join(map(str, octets)), _squeeze(octets.decode("latin-1"))}
        # what is left of it where a reader knew its alphabet no more
        folded |= {_letters(squeezed), _letters(re.sub(r"[^ -~]", "", secret))}
        starts = range(0, len(squeezed) - CHUNK + 1, CHUNK)
        if len(squeezed) >= 2 * CHUNK:
            folded |= {squeezed[start : start + CHUNK] for start in starts}
        folded |= {form[::-1] for form in folded}
        self._folded += sorted(form for form in folded if len(form) >= SHORT)
        self._exact += _base64_cores(octets) + _base64_cores(octets[::-1])

    def is_told(self, text: str) -> bool:
        """Tell whether the text repeats a secret that is long enough to be seen."""
        if not self._folded:
            return False
        return any(self._shows(view) for view in _views(text))

    def __call__(self, text: str) -> str:
        """Return the text, or stars in its place."""
        if text and (self._hides_all or self.is_told(text)):
            return WITHHELD
        return text

    def _shows(self, view):
        squeezed = _squeeze(view)
        letters = _letters(squeezed)
        if any(form in squeezed or form in letters for form in self._folded):
            return True
        packed = re.sub(r"[^A-Za-z0-9+/]", "", view.translate(_FROM_URL_SAFE))
        return any(form in packed for form in self._exact)


_FROM_URL_SAFE = str.maketrans("-_", "+/")


def _squeeze(text):
    """Return what a reader sees, without spaces, accents and case."""
    text = text.casefold()
    if text.isascii():
        return re.sub(r"[\x00-\x20\x7f]", "", text)
    return "".join(
        char
        for char in unicodedata.normalize("NFKD", text).casefold()
        if unicodedata.category(char)[0] not in "CMZ" and char not in _BLANK
    )


def _letters(squeezed):
    return "".join(filter(str.isalnum, squeezed))


def _base64_cores(octets):
    """Return what base64 makes of the octets, whatever stands before and behind."""
    cores = []
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + octets).decode()
        cores.append(encoded[-(-before * 8 // 6) : (before + len(octets)) * 8 // 6])
    return [core for core in cores if len(core) >= SHORT]


def _views(text):
    """Yield the text as it is, and as whoever undoes its escapes reads it."""
    yield text
    if "%" in text:
        yield urllib.parse.unquote(text)
    if "&" in text:
        yield html.unescape(text)
    if "=" in text:
        octets = quopri.decodestring(text.encode("utf-8", "replace"))
        yield octets.decode("utf-8", "replace")
    if "\\" in text:
        yield _ESCAPE.sub(_unescape, text)
    if "0x" in text.lower():
        yield re.sub("0x", "", text, flags=re.IGNORECASE)


def _unescape(match):
    code = match[1] or match[2]
    return chr(int(code, 16)) if code else match[3]


class ParametersFilter(logging.Filter):
    """Withhold the parameters of a call that names one of the fields.

    :param fnames: names of fields whose values are secret
    """

    def __init__(self, fnames):
        super().__init__()
        self._fnames = frozenset(fnames)

    def filter(self, record):
        text = record.getMessage()
        if any(fname in text for fname in self._fnames):
            record.msg, record.args = f"{text.partition('(')[0]}(withheld)", ()
        return True


def withhold_parameters(fnames):
    """Let no log show the parameters of a call that names one of the fields."""
    logging.getLogger(RPC_LOGGER).addFilter(ParametersFilter(fnames))


class QueryFilter(logging.Filter):
    """Withhold the query of requests below an address.

    :param start: how the path starts, for example ``/sign_in/``
    """

    def __init__(self, start):
        super().__init__()
        self._start = start
        self._query = re.compile(rf"({re.escape(start)}[^\s?]*)\?[^\s\"']*")

    def filter(self, record):
        text = record.getMessage()
        if self._start in text:
            record.msg, record.args = self._query.sub(r"\1?(withheld)", text), ()
        return True


def withhold_query(start):
    """Let the access log show no query of a request below ``start``."""
    logging.getLogger(ACCESS_LOGGER).addFilter(QueryFilter(start))
