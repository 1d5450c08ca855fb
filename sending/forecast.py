"""When a number of bulk emails will have left: arithmetic and its words."""

from dataclasses import dataclass

DAY = 86_400.0

# What a server takes for one email, in seconds, until it was measured.
DEFAULT_SERVICE_SECONDS = 0.5


@dataclass(frozen=True)
class Forecast:
    """How a bulk sending goes on from here.

    :param count: emails that are still to leave
    :param now: seconds since the epoch
    :param period: seconds from one email's start to the next
    :param daily_limit: emails in a rolling 24 h, 0 for none
    :param sent_today: how many of them are used up
    :param starts_at: no email leaves before, in seconds since the epoch
    """

    count: int
    now: float
    period: float
    daily_limit: int = 0
    sent_today: int = 0
    starts_at: float = 0.0

    @property
    def left_today(self):
        """Emails that may leave before the limit is reached; None without limit."""
        if not self.daily_limit:
            return None
        return max(0, self.daily_limit - self.sent_today)

    @property
    def limit_at(self):
        """When the daily limit stops the sending; None if it does not."""
        left = self.left_today
        if left is None or left >= self.count:
            return None
        return self.starts_at + left * self.period

    @property
    def ends_at(self):
        """When the last email leaves; a day is added for each filled limit."""
        if self.limit_at is None:
            return self.starts_at + self.count * self.period
        rest = self.count - self.left_today
        full_days, last = divmod(rest - 1, self.daily_limit)
        return self.limit_at + (full_days + 1) * DAY + (last + 1) * self.period

    def describe(self, alias):
        """One sentence before sending."""
        env = alias.env
        text = env._(
            "%(count)s recipients at %(period)s s: %(duration)s",
            count=f"{self.count:,}",
            period=f"{self.period:.1f}",
            duration=_duration(env, self.ends_at - self.now),
        )
        if self.limit_at is None:
            return text
        return env._(
            "%(text)s; passes the Daily Limit of %(limit)s at %(time)s, the rest "
            "follows until %(end)s",
            text=text,
            limit=f"{self.daily_limit:,}",
            time=alias._format_moment(self.limit_at),
            end=alias._format_moment(self.ends_at),
        )

    def describe_rest(self, alias):
        """A few words while it runs."""
        if alias.is_paused:
            return alias.env._("%s waiting, paused", f"{self.count:,}")
        if alias.state == "hold":
            return alias.env._("%s waiting, on hold", f"{self.count:,}")
        return alias.env._(
            "%(count)s waiting, done %(time)s",
            count=f"{self.count:,}",
            time=alias._format_moment(self.ends_at),
        )


def _duration(env, seconds):
    minutes = round(seconds / 60)
    if seconds < 60:
        return env._("%s s", max(1, round(seconds)))
    if minutes < 120:
        return env._("%s min", minutes)
    if minutes < 2 * 24 * 60:
        return env._(
            "%(hours)s h %(minutes)s min", hours=minutes // 60, minutes=minutes % 60
        )
    return env._("%s days", round(minutes / 60 / 24))
