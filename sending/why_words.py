"""The sentence of each reason.

Three may read it: the alias's owner, an administrator, and a colleague who sees the
mailing. Only the first two read what a server said. What an administrator has to do is
told to nobody else: they read whom to ask for what.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Reader:
    """Who reads: rights they have anyway, asked once.

    :param is_administrator: of Access Rights: manages everybody's aliases
    :param is_system: of Settings: manages jobs and parameters
    """

    uid: int
    is_administrator: bool
    is_system: bool

    @classmethod
    def of(cls, env):
        user = env.user
        return cls(
            user.id,
            user.has_group("base.group_erp_manager"),
            user.has_group("base.group_system"),
        )


class Words:
    """Tells the reasons of one alias to one reader.

    :param alias_sudo: the alias, whatever its reader may see of it
    """

    def __init__(self, alias_sudo, reader, house):
        self.env = alias_sudo.env
        self.alias = alias_sudo
        self.reader = reader
        self.house = house
        self.is_own = alias_sudo.user_id.id == reader.uid
        self.may_read = self.is_own or reader.is_administrator

    def tell(self, reason):
        """Return the sentence of a reason."""
        text = getattr(self, f"_tell_{reason.key}")(reason)
        if self.is_own or reason.key not in _OWNERS_ALONE:
            return text
        return self.env._("%(text)s Ask %(owner)s.", text=text, owner=self._owner)

    # ------------------------------------------------------------------
    # The whole database
    # ------------------------------------------------------------------

    def _tell_copy(self, reason):
        text = self.env._(
            "This database is a copy: what waits may have been sent by the original."
        )
        if self.reader.is_system:
            return self.env._("%s Decide whether it is sent from here.", text)
        return self._ask(
            text, self.env._("Does this copy of the database send what waits in it?")
        )

    def _tell_neutralised(self, reason):
        text = self.env._("This database is a copy to try things in: nothing leaves.")
        if self.reader.is_system:
            return self.env._(
                "%s If it is to send all the same, delete the system parameter "
                "database.is_neutralized.",
                text,
            )
        return self._ask(text, self.env._("May this database send emails?"))

    def _tell_job_off(self, reason):
        text = self.env._(
            "The job that sends what waits is switched off for everybody."
        )
        if self.reader.is_system:
            return self.env._("%s Activate the scheduled action.", text)
        return self._ask(text, self._job_question)

    def _tell_job_unattended(self, reason):
        text = self.env._(
            "The job that sends has not run since %s, when it was due.",
            self.alias._format_moment(self.house.job.since),
        )
        if self.reader.is_system:
            return self.env._(
                "%s Start a server that runs scheduled actions (max_cron_threads) for "
                "this database; Run Manually sends what waits meanwhile.",
                text,
            )
        return self._ask(text, self._job_question)

    @property
    def _job_question(self):
        return self.env._("Does the job run that sends emails of email aliases?")

    # ------------------------------------------------------------------
    # The alias
    # ------------------------------------------------------------------

    def _tell_owner(self, reason):
        text = self.alias._get_owner_trouble()
        if self.reader.is_administrator and self.alias.hold_reason == "owner":
            return self.env._(
                "%s Make them an active internal user again, or drop what waits.", text
            )
        if self.reader.is_administrator:
            return self.env._("%s Make them an active internal user again.", text)
        return self._ask(
            text, self.env._("What becomes of the emails of %s?", self._owner)
        )

    def _tell_archived(self, reason):
        if not self.may_read:
            return self.env._("The email alias is archived. Ask %s.", self._owner)
        return self.env._("The email alias is archived: unarchive it to go on.")

    def _tell_hold(self, reason):
        if not self.may_read:
            return self.env._("The email alias is on hold.")
        return self.env._("On hold: %s", self.alias.state_message or "")

    def _tell_paused(self, reason):
        return self.env._("The email alias is paused: its emails wait for Resume.")

    def _tell_limit(self, reason):
        text = self.env._(
            "The Daily Limit is reached (%s); the rest goes on by itself.",
            f"{self.alias.daily_limit:,}",
        )
        if not self.may_read:
            return text
        return self.env._("%s If the provider allows more, raise the limit.", text)

    def _tell_quota(self, reason):
        return self._add_message(
            self.env._("The provider's own limit is reached; it goes on by itself.")
        )

    def _tell_backoff(self, reason):
        return self._add_message(
            self.env._("The account is in trouble; it is tried again by itself.")
        )

    def _add_message(self, text):
        """Add what the alias says, a sentence of ours that may quote the server."""
        if not self.may_read or not self.alias.state_message:
            return text
        return f"{text} {self.alias.state_message}"

    # ------------------------------------------------------------------
    # The pace
    # ------------------------------------------------------------------

    def _tell_pause(self, reason):
        return self.env._(
            "The pause after the email before, %s ms: the Delay of the alias.",
            f"{self.alias.delay_ms:,}",
        )

    def _tell_widened(self, reason):
        return self._quote(
            self.env._(
                "The server asked to send more slowly: %s ms after each email for a "
                "while.",
                f"{self.alias.pause_ms:,}",
            ),
            self.alias.pause_reason,
        )

    def _tell_window(self, reason):
        return self.env._(
            "The email before was big, and the provider takes the next one later. It "
            "goes on by itself."
        )

    def _tell_pace(self, reason):
        if not reason.ahead:
            return self.env._("It waits for its turn: it is the next bulk email.")
        text = self.env._(
            "It waits for its turn. Bulk emails of this alias before it: %s",
            f"{reason.ahead:,}",
        )
        period = self.alias._get_pause()
        if not period:
            return f"{text}."
        return self.env._(
            "%(text)s, one every %(period)s s.", text=text, period=f"{period:.1f}"
        )

    def _tell_far(self, reason):
        return self.env._(
            "It waits for its turn. Emails of this alias before it: more than %s.",
            f"{reason.ahead:,}",
        )

    def _tell_turn(self, reason):
        return self.env._(
            "It waits for its turn. Emails of this alias to one person before it: %s.",
            f"{reason.ahead:,}",
        )

    def _tell_lanes(self, reason):
        text = self.env._(
            "It is next, but no more email aliases may send at once (%s): it leaves "
            "when one of them has ended.",
            f"{self.house.lane_count:,}",
        )
        if self.reader.is_system:
            return self.env._(
                "%s The system parameter user_email_alias.lanes allows more.", text
            )
        return text

    def _tell_next_run(self, reason):
        return self.env._("It leaves when the job that sends looks at the queue again.")

    def _tell_now(self, reason):
        return self.env._("It leaves now.")

    def _tell_in_hand(self, reason):
        return self.env._("The mail server has it in hand at this moment.")

    # ------------------------------------------------------------------
    # The mail
    # ------------------------------------------------------------------

    def _tell_mailing_paused(self, reason):
        # whoever reads this sees the mailing, or all that waits with the alias
        mailing = self.env["mailing.mailing"].browse(reason.mail.mailing_id or [])
        if not mailing:
            return self.env._("Its mailing is paused: resume it.")
        return self.env._("The mailing “%s” is paused: resume it.", mailing.subject)

    def _tell_rights(self, reason):
        if not self.is_own:
            return self.env._(
                "%s may not read the record any more that it was written on.",
                self._owner,
            )
        return self._ask(
            self.env._(
                "You may not read the record any more that it was written on: it "
                "waits until you may, or until you cancel it."
            ),
            self.env._("May I read this record again?"),
        )

    def _tell_scheduled(self, reason):
        return self.env._("It was scheduled for later. Send Now does not wait for it.")

    def _tell_deferred(self, reason):
        return self._quote(
            self.env._("The server did not take it yet; it is tried again by itself."),
            reason.mail.reply,
        )

    def _tell_failed(self, reason):
        return self._quote(self.env._("It was not sent."), reason.mail.reply)

    def _tell_cancelled(self, reason):
        return self.env._("It was cancelled. Send Again queues it anew.")

    # ------------------------------------------------------------------
    # A mailing of which there are no emails yet
    # ------------------------------------------------------------------

    def _tell_mailing_draft(self, reason):
        return self.env._("The mailing is a draft: send or schedule it.")

    def _tell_mailing_scheduled(self, reason):
        return self.env._(
            "The mailing is scheduled for later. Cancel it and send it to be earlier."
        )

    def _tell_mailing_soon(self, reason):
        return self.env._("Its emails are made within a minute or two.")

    def _tell_mailing_job_off(self, reason):
        text = self.env._("The job that makes the emails of mailings is switched off.")
        if self.reader.is_system:
            return self.env._("%s Activate the scheduled action.", text)
        return self._ask(text, self.env._("Does the job run that sends mailings?"))

    def _tell_mailing_job_unattended(self, reason):
        text = self.env._(
            "The job that makes the emails of mailings has not run since it was due."
        )
        if self.reader.is_system:
            return self.env._(
                "%s Start a server that runs scheduled actions (max_cron_threads) for "
                "this database.",
                text,
            )
        return self._ask(text, self.env._("Does the job run that sends mailings?"))

    # ------------------------------------------------------------------
    # How it is put
    # ------------------------------------------------------------------

    @property
    def _owner(self):
        return self.alias.user_id.name

    def _ask(self, text, question):
        return self.env._(
            "%(text)s Ask your administrator: “%(question)s”",
            text=text,
            question=question,
        )

    def _quote(self, text, words):
        """Add what the server said, for those it was said to."""
        if not words or not self.may_read:
            return text
        return self.env._("%(text)s It said: %(words)s", text=text, words=words)


# What only the alias's owner can change.
_OWNERS_ALONE = ("hold", "mailing_paused", "paused")
