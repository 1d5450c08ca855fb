"""The result of a test mail as a short list: what is well, and what to change."""

from odoo import tools

from ..tools.epoch import to_datetime

GOOD, ODD, BAD, PLAIN = "good", "odd", "bad", "plain"

# From so many seconds on it is worth a word that a mail took long.
SLOW_SECONDS = 60


class Checklist:
    """Tells what is kept of an alias's test mail.

    :param alias: its owner reads it, or an administrator
    :param kept: what ``user.email.alias.test.mail`` keeps
    """

    def __init__(self, alias, kept):
        self.env = alias.env
        self.alias = alias
        self.kept = kept

    def get_lines(self):
        """Return a list of dicts: ``level`` (see the constants), ``text``."""
        if self.kept["state"] not in ("sent", "arrived", "missing"):
            return [self._line(BAD, self._tell_failure())]
        lines = [self._line(GOOD, self._tell_sent())]
        if self.kept.get("unread"):
            return [*lines, self._line(PLAIN, self.kept["unread"])]
        if self.kept["state"] == "sent":
            text = self.env._("Whether it has arrived is not known yet: look again.")
            return [*lines, self._line(PLAIN, text)]
        lines.append(self._get_arrival())
        if self.kept["state"] == "arrived":
            found = self.kept["found"]
            lines += [
                self._get_from(found),
                self._get_id(found),
                self._get_headers(found),
                self._get_signature(found),
                self._get_results(found),
            ]
        return [*lines, *self._get_copies()]

    @staticmethod
    def _line(level, text):
        return {"level": level, "text": text}

    def _tell_failure(self):
        if self.kept["state"] == "uncertain":
            return self.env._(
                "Whether it was sent is uncertain: the connection broke. Look at the "
                "mailbox."
            )
        return self.env._("Not sent. %s", self.kept.get("text") or "")

    def _tell_sent(self):
        return self.env._(
            "The mail server took it at %s.",
            tools.format_datetime(
                self.env, to_datetime(self.kept["at"]), dt_format="short"
            ),
        )

    def _get_arrival(self):
        if self.kept["state"] == "missing":
            return self._line(
                ODD,
                self.env._("It has not arrived yet: look again in a minute or two."),
            )
        seconds = max(1, round(self.kept["seconds"]))
        folder = self.kept["folder"]
        if folder.upper() != "INBOX":
            return self._line(
                BAD,
                self.env._(
                    "It arrived after %(seconds)s s, but in the folder “%(folder)s”: "
                    "the provider takes it for spam.",
                    seconds=seconds,
                    folder=folder,
                ),
            )
        level = ODD if seconds > SLOW_SECONDS else GOOD
        return self._line(level, self.env._("It arrived after %s s.", seconds))

    def _get_from(self, found):
        if found["is_from_kept"]:
            text = self.env._("From is as it was sent: %s", found["header_from"])
            return self._line(GOOD, text)
        return self._line(
            BAD,
            self.env._(
                "From was rewritten: recipients see %s. Use an address that this "
                "account may send as.",
                found["header_from"],
            ),
        )

    def _get_id(self, found):
        if found["id_kept_as"].lower() == "message-id":
            return self._line(GOOD, self.env._("The Message-ID is as it was sent."))
        if found["id_kept_as"]:
            return self._line(
                ODD,
                self.env._(
                    "The provider gave it another Message-ID and keeps ours in "
                    "%s: an answer is found by the address it goes to.",
                    found["id_kept_as"],
                ),
            )
        return self._line(
            ODD,
            self.env._(
                "The provider gave it another Message-ID: an answer is found by the "
                "address it goes to."
            ),
        )

    def _get_headers(self, found):
        kept, lost = ", ".join(sorted(found["kept"])), ", ".join(sorted(found["lost"]))
        if not lost:
            text = self.env._("All headers of a mailing arrived: %s.", kept)
            return self._line(GOOD, text)
        return self._line(
            ODD,
            self.env._("These headers of a mailing were lost or changed: %s.", lost),
        )

    def _get_signature(self, found):
        if found["signers"]:
            return self._line(
                GOOD,
                self.env._(
                    "The DKIM signature of %s covers the headers to unsubscribe.",
                    ", ".join(found["signers"]),
                ),
            )
        if found["other_signers"]:
            return self._line(
                ODD,
                self.env._(
                    "The DKIM signature of %s does not cover the headers to "
                    "unsubscribe: programs then show no button for it. The provider "
                    "can change that.",
                    ", ".join(found["other_signers"]),
                ),
            )
        return self._line(
            ODD,
            self.env._(
                "It has no DKIM signature. Mail that stays at one provider often has "
                "none; else ask the provider to sign for your domain."
            ),
        )

    def _get_results(self, found):
        results = found["results"]
        if not results:
            return self._line(
                PLAIN,
                self.env._("The receiver wrote nothing on SPF, DKIM and DMARC."),
            )
        told = ", ".join(f"{method.upper()} {word}" for method, word in results.items())
        is_good = all(word == "pass" for word in results.values())
        level = GOOD if is_good else ODD
        if not found["authority"]:
            text = self.env._("As the receiver wrote: %s.", told)
            return self._line(level, text)
        return self._line(
            level,
            self.env._(
                "As the receiver %(who)s wrote: %(results)s.",
                who=found["authority"],
                results=told,
            ),
        )

    # ------------------------------------------------------------------
    # Copies
    # ------------------------------------------------------------------

    def _get_copies(self):
        count = self.kept.get("copies")
        if count is None:
            return
        if count == 1:
            text = self.env._("One copy of it is in the Sent folder.")
            yield self._line(GOOD, text)
        elif count:
            text = self.env._("%s copies of it are in the Sent folder.", count)
            if self.proposal == "off":
                text = self.env._(
                    "%s The provider keeps copies by itself: switch ours off.", text
                )
            yield self._line(ODD, text)
        else:
            text = self.env._("No copy of it is in the Sent folder.")
            if self.proposal == "on":
                text = self.env._("%s Switch our copies on.", text)
            yield self._line(ODD, text)

    @property
    def proposal(self):
        """What to do with the switch for copies: ``on``, ``off``, or False."""
        count = self.kept.get("copies")
        if count is None or not self.alias._has_mailbox():
            return False
        if count > 1 and self.alias.files_copies:
            return "off"
        return "on" if not count and not self.alias.files_copies else False
