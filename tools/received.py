"""What became of a message of ours on its way: read from the header that arrived."""

import re
from dataclasses import asdict, dataclass, field
from email import policy
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.parser import BytesHeaderParser
from email.utils import parseaddr

from .imap.arrival import KEPT_IDS

VALUE_LENGTH = 8_000  # of a header value that is looked at
FROM_LENGTH = 1_000  # of From; its parser is slow, and recurses
SHOWN_LENGTH = 200  # of what others wrote and we show
NESTED_COMMENTS = 5
SIGNATURES = 20  # DKIM signatures that are looked at
RESULT_HEADERS = 10  # Authentication-Results that are looked at

# RFC 8058 4: a signature has to cover both.
UNSUBSCRIBE = ("list-unsubscribe", "list-unsubscribe-post")

METHODS = ("spf", "dkim", "dmarc")

# Yahoo's own words for results (RFC 8601 2.7)
RESULTS = {"dkim_pass": "pass", "success": "pass"}

_ESCAPED = re.compile(r"\\.")
_COMMENT = re.compile(r"\([^()]*\)")
_RESULT = re.compile(r"(spf|dkim|dmarc)\s*(?:/\s*\d+\s*)?=\s*([A-Za-z_]+)", re.I)
_METHOD = re.compile(r"[\w-]+\s*(?:/\s*\d+\s*)?=")


@dataclass(frozen=True)
class Verdict:
    """What one header tells; plain values, for JSON.

    :ivar header_from: as it arrived; ``is_from_kept`` whether it is the one sent
    :ivar id_kept_as: the header that holds our Message-ID, empty if none does
    :ivar lost: names of headers that were sent and are gone or changed
    :ivar signers: domains whose DKIM signature covers the headers to unsubscribe
    :ivar other_signers: domains whose signature does not
    :ivar authority: who wrote the topmost Authentication-Results, empty for nobody,
        or if it does not say
    :ivar results: method -> what this one found (RFC 8601 2.7)
    """

    header_from: str = ""
    is_from_kept: bool = False
    id_kept_as: str = ""
    kept: list = field(default_factory=list)
    lost: list = field(default_factory=list)
    signers: list = field(default_factory=list)
    other_signers: list = field(default_factory=list)
    authority: str = ""
    results: dict = field(default_factory=dict)

    def as_dict(self):
        return asdict(self)


def judge(header, message_id, header_from, sent):
    """Compare a header that arrived with what was sent.

    :param bytes header: the whole of it
    :param header_from: as it was sent, decoded
    :param dict sent: further headers, name -> value; ASCII
    :return: a :class:`Verdict`
    """
    arrived = BytesHeaderParser(policy=policy.compat32).parsebytes(header)
    from_text = _get(arrived, "From")
    kept = [name for name, value in sent.items() if _same(arrived, name, value)]
    signers, others = _read_signatures(arrived)
    authority, results = _read_results(arrived)
    return Verdict(
        header_from=_show(_decode(from_text)),
        is_from_kept=_parse_from(from_text) == _parse_from(header_from),
        id_kept_as=_find_id(arrived, message_id),
        kept=kept,
        lost=[name for name in sent if name not in kept],
        signers=signers,
        other_signers=others,
        authority=authority,
        results=results,
    )


def _get(arrived, name):
    return _unfold(arrived.get(name, ""))


def _unfold(value):
    return " ".join(str(value)[:VALUE_LENGTH].split())


def _show(text):
    """Cut what others wrote to what can be shown in a line."""
    return "".join(char for char in text if char.isprintable())[:SHOWN_LENGTH]


def _decode(text):
    try:
        return str(make_header(decode_header(text)))
    except (HeaderParseError, LookupError, ValueError):
        return text


def _parse_from(text):
    """Name and address; what is encoded in a name may look like an address's syntax."""
    try:
        name, mailbox = parseaddr(text[:FROM_LENGTH])
    except RecursionError:
        return text
    local, at, domain = mailbox.rpartition("@")
    return _decode(name).strip(), local + at + domain.lower()


def _find_id(arrived, message_id):
    for name in ("Message-ID", *KEPT_IDS):
        if _get(arrived, name) == message_id.strip():
            return name
    return ""


def _same(arrived, name, value):
    values = arrived.get_all(name, [])
    return any("".join(str(v).split()) == "".join(value.split()) for v in values)


def _read_signatures(arrived):
    """Sort the signers by whether they cover the headers (RFC 6376 3.5, h=)."""
    signers, others = [], []
    for value in arrived.get_all("DKIM-Signature", [])[:SIGNATURES]:
        tags = {}
        for tag in _unfold(value).split(";"):
            name, _equals, content = tag.partition("=")
            tags[name.strip().lower()] = "".join(content.split())
        covered = tags.get("h", "").lower().split(":")
        domain = _show(tags.get("d", "").lower())
        is_good = all(name in covered for name in UNSUBSCRIBE)
        if domain:
            (signers if is_good else others).append(domain)
    return _unique(signers), [d for d in _unique(others) if d not in signers]


def _unique(values):
    return list(dict.fromkeys(values))


def _read_results(arrived):
    """Read the topmost Authentication-Results, which the last server wrote.

    It may have written one for each method; those of others, anybody may have written
    (RFC 8601 5).

    :return: its name, and method -> result
    """
    found = {}
    headers = arrived.get_all("Authentication-Results", [])[:RESULT_HEADERS]
    read = list(map(_read_result_header, headers))
    authority = read[0][0] if read else ""
    for other, parts in read if authority else read[:1]:
        if other != authority:
            break
        for part in parts:
            if told := _RESULT.match(part):
                word = told[2].lower()
                result = RESULTS.get(word, word), "smtp.helo" not in part.lower()
                found.setdefault(told[1].lower(), []).append(result)
    return _show(authority), {name: _choose(told) for name, told in found.items()}


def _read_result_header(value):
    """Return who wrote it, and its parts; Microsoft leaves out the former."""
    text = _ESCAPED.sub("", _unfold(value))
    for _ in range(NESTED_COMMENTS):
        text = _COMMENT.sub(" ", text)
    first, *parts = (part.strip() for part in text.split(";"))
    if _METHOD.match(first):
        return "", [first, *parts]
    return (first.split() or [""])[0], parts


def _choose(results):
    """Return the result of a method that counts.

    :param results: (result, whether it is not about the name in HELO)
    """
    counted = [word for word, counts in results if counts] or [w for w, _ in results]
    # several signatures have a result each: one that passes is enough
    return "pass" if "pass" in counted else counted[-1]
