"""Which advice follows for a domain and the provider its mail leaves through."""

from typing import NamedTuple

from .dmarc import read_dmarc
from .mailers import MAILERS
from .spf import MAX_LOOKUPS, read_spf

SENTENCES = {
    "mx_ok": "{domain} takes mail, so answers and reports of failed emails can arrive.",
    "mx_missing": "{domain} takes no mail: answers to this address and reports of"
    " failed emails get lost. Whoever looks after the domain adds an MX record.",
    "spf_ok": "The SPF record of {domain} names {mailer}.",
    "spf_found": "{domain} has an SPF record. Whether it names your mail server, the"
    " test email shows.",
    "spf_missing": "{domain} has no SPF record: receivers cannot see that {mailer} may"
    " send for it, and may treat its mail as spam. Add a TXT record such as"
    " “v=spf1 include:{include} ~all”.",
    "spf_none": "{domain} has no SPF record: receivers cannot see who may send for it,"
    " and may treat its mail as spam. Your provider's pages say what to add.",
    "spf_several": "{domain} has {count} SPF records, and receivers then use none of"
    " them: make one of them.",
    "spf_broken": "The SPF record of {domain} names {broken}, which has none that"
    " counts, and receivers then use none of it: take “{broken}” out.",
    "spf_mailer": "The SPF record of {domain} does not name {mailer}: add"
    " “include:{include}” to it.",
    "spf_lookups": "The SPF record of {domain} needs more than {limit} look-ups, and"
    " receivers stop there: take out what is not used any more.",
    "spf_all": "The SPF record of {domain} lets everybody send for it: end it with"
    " “~all” or “-all”.",
    "dkim_ok": "{mailer} signs mail of {domain} with a key of the domain (DKIM).",
    "dkim_missing": "No DKIM key of {mailer} was found for {domain} under its usual"
    " name. Switch signing on at {mailer}, unless you have chosen another name.",
    "dmarc_ok": "{where} has a DMARC policy (“{policy}”).",
    "dmarc_missing": "{domain} has no DMARC policy, which large receivers ask for when"
    " much mail comes from a domain. Start with a TXT record at _dmarc.{domain}:"
    " “v=DMARC1; p=none”.",
}


class Advice(NamedTuple):
    """One finding: about what, whether there is something to do, and the sentence.

    ``subject`` is ``MX``, ``SPF``, ``DKIM`` or ``DMARC``; ``reason`` a key of
    `SENTENCES`.
    """

    subject: str
    reason: str
    is_ok: bool
    sentence: str


def examine(domain, provider, names, deadline):
    """Look at what a domain says of itself; what nobody answers is left out.

    :param domain: the part behind the @, as A-labels
    :param provider: a key of `MAILERS`, or empty
    :param names: `discovery.Names`
    :param Deadline deadline: the end of all questions
    :return: list of `Advice`, at most one for each subject
    """
    answers = {}

    def ask(name):
        if name not in answers:
            answers[name] = names.get_texts(name, deadline)
        return answers[name]

    mailer = MAILERS.get(provider)
    found = (
        ("MX", _examine_mx(names.takes_mail(domain, deadline))),
        ("SPF", _examine_spf(read_spf(domain, ask), mailer)),
        ("DKIM", _examine_dkim(domain, mailer, ask)),
        ("DMARC", _examine_dmarc(read_dmarc(domain, ask))),
    )
    values = {
        "domain": domain,
        "mailer": mailer and mailer.label,
        "include": mailer and mailer.spf,
        "limit": MAX_LOOKUPS,
    }
    return [
        Advice(
            subject,
            reason,
            reason.endswith(("_ok", "_found")),
            SENTENCES[reason].format(**values, **more),
        )
        for subject, (reason, more) in found
        if reason
    ]


NOTHING = ("", {})


def _examine_mx(takes_mail):
    if takes_mail is None:
        return NOTHING
    return ("mx_ok" if takes_mail else "mx_missing"), {}


def _examine_spf(spf, mailer):
    if spf is None:
        return NOTHING
    if not spf.count:
        return ("spf_missing" if mailer else "spf_none"), {}
    if spf.count > 1:
        return "spf_several", {"count": spf.count}
    if spf.lets_all:
        return "spf_all", {}
    if spf.lookups > MAX_LOOKUPS:
        return "spf_lookups", {}
    if spf.broken:
        return "spf_broken", {"broken": spf.broken}
    if mailer and mailer.spf in spf.included:
        return "spf_ok", {}
    return ("spf_mailer" if mailer and not spf.is_open else "spf_found"), {}


def _examine_dkim(domain, mailer, ask):
    if not mailer:
        return NOTHING
    answers = [ask(f"{name}._domainkey.{domain}") for name in mailer.selectors]
    if any(_has_key(text) for texts in answers for text in texts or ()):
        return "dkim_ok", {}
    return NOTHING if None in answers else ("dkim_missing", {})


def _has_key(text):
    """Whether a text is a key that was not revoked (RFC 6376 3.6.1)."""
    tags = dict(part.strip().partition("=")[::2] for part in text.split(";"))
    return bool(tags.get("p", "").strip())


def _examine_dmarc(dmarc):
    if dmarc is None:
        return NOTHING
    if not dmarc:
        return "dmarc_missing", {}
    return "dmarc_ok", {"where": dmarc.domain, "policy": dmarc.policy}
