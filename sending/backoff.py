"""What an alias in trouble does: hold, wait and try again, send more slowly."""

from ..tools import pacing

# So many times in a row it is believed when the provider wants to be asked again.
PATIENT_COUNT = 3


class BackOff:
    """Lets one alias wait, and go on; owned by the lane that holds the alias."""

    def __init__(self):
        # bulk emails accepted since the pause was last widened or eased
        self._streak = 0

    def obey(self, alias, judged, reply):
        """Hold the alias if its owner has to act, else let it wait.

        :param Outcome judged: of scope ``alias``
        :param reply: what its owner reads
        """
        if judged.hold:
            alias._set_hold(judged.hold, reply)
            alias._notify_owner(reply)
            return
        values = {"backoff_is_quota": True} if judged.quota else {}
        if judged.wait:
            values["backoff_until"] = self._get_told(alias, judged.wait)
        elif judged.quota:
            values["backoff_until"] = pacing.quota_retry(alias._now())
        self.wait(alias, reply, is_slower=judged.throttled, **values)

    @staticmethod
    def _get_told(alias, wait):
        """When the provider wants to be asked again.

        Some say "in a second" each time: who has been refused again and again after it
        waits longer by itself.
        """
        now, refused = alias._now(), alias.backoff_count
        if refused < PATIENT_COUNT:
            return now + wait
        return max(now + wait, pacing.alias_retry(refused - PATIENT_COUNT + 1, now))

    def wait(self, alias, reply, is_slower=False, **values):
        """Let the alias try again in 1, 2, 5 ... 60 minutes.

        :param is_slower: and widen its pause
        """
        count = alias.backoff_count + 1
        if is_slower:
            self._streak = 0
            values["pause_ms"] = pacing.widen(alias.pause_ms, alias.delay_ms)
            values["pause_reason"] = reply
        alias.write(
            {
                "backoff_until": pacing.alias_retry(count, alias._now()),
                "backoff_count": count,
                "backoff_is_quota": False,
                "state_message": reply,
                **values,
            }
        )

    def ease(self, alias):
        """Let the widened pause come back step by step."""
        self._streak += 1
        eased = pacing.ease(alias.pause_ms, alias.delay_ms, self._streak)
        if eased != alias.pause_ms:
            self._streak = 0
            back = eased <= alias.delay_ms
            alias.write(
                {
                    "pause_ms": 0 if back else eased,
                    "pause_reason": False if back else alias.pause_reason,
                }
            )
