"""What a mail server said, and how far the conversation had come."""

import enum
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

MAX_TEXT = 1000  # characters of a server's reply that are kept and shown


class Phase(enum.Enum):
    """How far the conversation with the mail server had come."""

    CONNECT = "connect"
    TLS = "tls"
    EHLO = "ehlo"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"  # between the 354 and the final dot
    DOT = "dot"  # the final dot may have left: the server may own the mail
    RESET = "reset"
    QUIT = "quit"


# Outside a mail transaction: no single mail can be meant.
WITHOUT_MAIL = frozenset(
    {Phase.CONNECT, Phase.TLS, Phase.EHLO, Phase.AUTH, Phase.RESET, Phase.QUIT}
)

_ENHANCED = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?=\s|$|[:;,-])", re.ASCII)


@dataclass(frozen=True)
class Reply:
    """A server's reply, with its text made safe to show.

    ``is_ours``: the server never saw what we refuse in its place.
    """

    code: int
    enhanced: str | None
    text: str
    is_ours: bool = False

    @classmethod
    def parse(
        cls, code: int, text: bytes | str, redact: Callable[[str], str] = str
    ) -> "Reply":
        """Read a reply whose lines are separated by line breaks.

        An enhanced code of another class than the basic code is no enhanced code
        (RFC 2034 4). It is cut from the beginning of each line (RFC 2034 3).

        :param redact: what of the whole text may be shown
        """
        if isinstance(text, bytes):
            text = text.decode("utf-8", "replace")
        enhanced, lines = None, []
        for line in text.splitlines():
            match = _ENHANCED.match(line)
            if match and match[1] == str(code)[:1]:
                enhanced = enhanced or match[0]
                line = line[match.end() :]
            lines.append(line)
        return cls(code, enhanced, sanitise(redact(" ".join(lines))))

    def __str__(self):
        if self.is_ours:
            return self.text
        parts = (self.code, self.enhanced, self.text)
        return " ".join(str(part) for part in parts if part)


def sanitise(text: str) -> str:
    """Return text of a stranger on one line, without invisible characters, capped."""
    shown = "".join(
        char if unicodedata.category(char)[0] != "C" else " "
        for char in text[: 8 * MAX_TEXT]
    )
    return " ".join(shown.split())[:MAX_TEXT]
