"""Why a mail has not left, and when it will: the conditions of the queue, one by one.

What bars an alias, what it picks next and in which order the rest follows is the SQL of
the queue itself, so that nothing here can say otherwise.
"""

from dataclasses import dataclass, replace

from odoo.tools import SQL

from ..tools import pacing
from ..tools.epoch import to_epoch
from .lock import LANE_LOCK
from .queries import BARS, DUE_IDS, IS_RIPE, LIMITING, NEXT_ID, QUEUE, SLOT
from .run import get_room

# Places are counted up to here, for all aliases of a list together.
COUNTED = 10_000
COUNTED_LEAST = 100

# Why a mail waits for its owner's rights: a value of its failure_type.
NO_RIGHTS = "email_alias_rights"


@dataclass(frozen=True)
class Waiting:
    """A mail as the queue sees it; ``number`` is its place among those due."""

    id: int
    alias_id: int
    mailing_id: int
    state: str
    is_bulk: bool
    is_paused: bool
    due: float
    scheduled: float
    failure_type: str
    reply: str
    number: int = 0


@dataclass(frozen=True)
class Standing:
    """An alias as the queue sees it; times are seconds since the epoch."""

    id: int
    now: float
    bars: tuple
    next_id: int
    slot: float
    rest_ms: int
    delay_ms: int
    pause_ms: int
    backoff_until: float
    backoff_count: int
    backoff_is_quota: bool
    filled_at: float
    in_hand_id: int
    is_served: bool

    @property
    def free_at(self):
        """When the Daily Limit lets the next email go; 0 if it does."""
        if self.filled_at is None:
            return 0.0
        return pacing.daily_slot(self.filled_at, self.now)

    @property
    def pace(self):
        """What the time until the next bulk email is for."""
        if self.rest_ms > max(self.delay_ms, self.pause_ms):
            return "window"
        return "widened" if self.pause_ms > self.delay_ms else "pause"


@dataclass(frozen=True)
class House:
    """What holds for the whole database.

    :param stop: ``copy``, ``neutralised``, or None
    :param job: a :class:`JobTrouble` of the queue's job, or None
    :param room: lanes for bulk mail, on all workers
    :param direct_room: lanes for one-to-one mail
    :param lane_count: lanes at work
    :param next_run: when the job looks at the queue again; None: now
    """

    stop: str | None
    job: object
    room: int
    direct_room: int
    lane_count: int
    next_run: float | None

    def is_full_for(self, mail):
        room = self.room if mail.is_bulk else self.direct_room
        return self.lane_count >= room


@dataclass(frozen=True)
class Reason:
    """One reason, with its mail.

    :param key: what :mod:`why_words` has the sentence for
    :param mail: None: it is about the alias, or a mailing without emails
    :param at: when the mail goes on by itself, in seconds since the epoch; None: it
        does not, or at once
    :param ahead: how many mails go first, at least
    """

    key: str
    mail: Waiting | None = None
    at: float | None = None
    ahead: int | None = None

    @property
    def is_of_one_mail(self):
        """Whether another mail of the alias may well wait for something else."""
        return self.key in ("deferred", "failed", "cancelled", "rights", "scheduled")


class Why:
    """Explains waiting mails, some queries for all of them together.

    :param env: as sudo; the caller has asked who may know
    :param mail_ids: of ``mail.mail``
    :param alias_ids: further aliases, whatever waits with them
    """

    def __init__(self, env, mail_ids, alias_ids=()):
        self.env = env
        self.mails = _read_mails(env, mail_ids)
        alias_ids = {*alias_ids, *(mail.alias_id for mail in self.mails.values())}
        self.standings = read_standings(env, alias_ids)
        self.house = read_house(env)
        self._number(alias_ids)
        self._forecasts = {}

    def _number(self, alias_ids):
        self.counted = max(COUNTED_LEAST, COUNTED // max(1, len(alias_ids)))
        numbers = _read_numbers(self.env.cr, alias_ids, list(self.mails), self.counted)
        for mail_id, number in numbers.items():
            self.mails[mail_id] = replace(self.mails[mail_id], number=number)

    def explain(self, mail_id):
        """Return the reason that decides, or None: there is no such mail."""
        mail = self.mails.get(mail_id)
        return mail and self.explain_all(mail)[0]

    def explain_all(self, mail):
        """Return all that keeps a mail, what decides first; else its turn."""
        standing = self.standings[mail.alias_id]
        if mail.state != "outgoing":
            return [
                Reason("failed" if mail.state == "exception" else "cancelled", mail)
            ]
        if mail.id == standing.in_hand_id:
            return [Reason("in_hand", mail)]
        found = [
            *self.find_bars(standing, mail),
            *self._find_waits(mail, standing),
        ]
        return found or [self._get_turn(mail, standing)]

    def find_bars(self, standing, mail=None):
        """Find what does not pass by itself."""
        if self.house.stop:
            yield Reason(self.house.stop, mail)
        for bar in standing.bars:
            yield Reason(bar, mail)
        if mail and mail.is_paused:
            yield Reason("mailing_paused", mail)
        if self.house.job:
            yield Reason(f"job_{self.house.job.key}", mail)

    def _find_waits(self, mail, standing):
        """What passes with time."""
        least = standing.slot if mail.is_bulk else 0.0
        if standing.backoff_until > standing.now:
            key = "quota" if standing.backoff_is_quota else "backoff"
            if not standing.backoff_count:
                key = "limit"
            yield Reason(key, mail, max(standing.backoff_until, mail.due, least))
        elif standing.free_at > standing.now:
            yield Reason("limit", mail, max(standing.free_at, mail.due, least))
        if mail.due > standing.now:
            key = "scheduled" if mail.scheduled > standing.now else "deferred"
            if mail.failure_type == NO_RIGHTS:
                key = "rights"
            yield Reason(key, mail, max(mail.due, least))

    def _get_turn(self, mail, standing):
        """The turn of a mail that nothing keeps but the others."""
        if mail.id != standing.next_id:
            return self._get_place(mail, standing)
        if mail.is_bulk and standing.slot > standing.now:
            return Reason(standing.pace, mail, standing.slot)
        if not standing.is_served and self.house.is_full_for(mail):
            return Reason("lanes", mail)
        if not standing.is_served and self.house.next_run:
            return Reason("next_run", mail, self.house.next_run)
        return Reason("now", mail)

    def _get_place(self, mail, standing):
        if not mail.number:
            return Reason("far", mail, ahead=self.counted)
        ahead = mail.number - 1
        if not mail.is_bulk:
            return Reason("turn", mail, ahead=ahead)
        if standing.id not in self._forecasts:
            alias = self.env["user.email.alias"].browse(standing.id)
            self._forecasts[standing.id] = alias._get_forecast(0)
        forecast = replace(
            self._forecasts[standing.id],
            count=ahead,
            starts_at=max(standing.now, standing.slot),
        )
        return Reason("pace", mail, forecast.ends_at, ahead)


def _read_mails(env, mail_ids):
    """In SQL because it spares the bodies."""
    env["mail.mail"].flush_model()
    env.cr.execute(
        SQL(
            """
            SELECT id, email_alias_id, mailing_id, state,
                   COALESCE(email_alias_bulk, false),
                   COALESCE(email_alias_is_paused, false),
                   COALESCE(email_alias_due, 0)::float8, scheduled_date, failure_type,
                   failure_reason
              FROM mail_mail
             WHERE id = ANY(%s) AND email_alias_id IS NOT NULL
             ORDER BY email_alias_bulk, email_alias_due, id
            """,
            list(mail_ids),
        )
    )
    mails = [Waiting(*row[:7], to_epoch(row[7]), *row[8:]) for row in env.cr.fetchall()]
    return {mail.id: mail for mail in mails}


def read_standings(env, alias_ids):
    """How aliases stand now, in one query.

    In SQL because it is the queue's own.

    :return: dict alias id -> :class:`Standing`
    """
    for model in ("user.email.alias", "user.email.alias.log", "res.users"):
        env[model].flush_model()
    bars = SQL(", ").join(
        SQL("CASE WHEN %s THEN %s END", is_barred, name)
        for name, is_barred in BARS.items()
    )
    env.cr.execute(
        SQL(
            """
            SELECT alias.id, clock.now,
                   array_remove(ARRAY[%(bars)s]::varchar[], NULL),
                   CASE WHEN %(is_ripe)s THEN %(next_id)s END,
                   %(slot)s, COALESCE(last.rest_ms, 0), COALESCE(alias.delay_ms, 0),
                   COALESCE(alias.pause_ms, 0),
                   COALESCE(alias.backoff_until, 0)::float8,
                   COALESCE(alias.backoff_count, 0),
                   COALESCE(alias.backoff_is_quota, false),
                   filled.replied_at::float8, claim.mail_mail_id,
                   EXISTS (%(lock)s)
              FROM %(queue)s
         LEFT JOIN LATERAL (%(limiting)s) filled ON alias.daily_limit > 0
         LEFT JOIN LATERAL (
                   SELECT mail_mail_id FROM user_email_alias_log
                    WHERE alias_id = alias.id AND outcome IS NULL
                    LIMIT 1) claim ON true
             WHERE alias.id = ANY(%(alias_ids)s)
            """,
            bars=bars,
            is_ripe=IS_RIPE,
            next_id=NEXT_ID,
            slot=SLOT,
            queue=QUEUE,
            limiting=SQL(
                LIMITING, SQL("alias.id"), SQL("GREATEST(alias.daily_limit - 1, 0)")
            ),
            lock=SQL("SELECT FROM (%s) lane WHERE lane.id = alias.id", _LANES),
            alias_ids=list(alias_ids),
        )
    )
    return {row[0]: Standing(*row) for row in env.cr.fetchall()}


# The aliases that a lane holds, on whichever host.
_LANES = SQL(
    """
    SELECT objid::int8 AS id FROM pg_locks
     WHERE locktype = 'advisory' AND classid = %s AND objsubid = 2 AND granted
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    """,
    LANE_LOCK,
)


def read_house(env):
    """What holds for all aliases.

    In SQL because PostgreSQL alone knows the lanes of all hosts.
    """
    Queue = env["user.email.alias.queue"]
    env.cr.execute(SQL("SELECT count(*) FROM (%s) lane", _LANES))
    [lane_count] = env.cr.fetchone()
    limit, jobs = Queue._get_lane_limit(), Queue._read_jobs()
    job_count = max(1, jobs.active_count)
    return House(
        Queue._get_stop(),
        jobs.trouble,
        job_count * get_room(limit, is_direct=False),
        job_count * get_room(limit, is_direct=True),
        lane_count,
        jobs.next_run,
    )


def _read_numbers(cr, alias_ids, mail_ids, counted):
    """Read the places of mails among those that are due, the first one is 1.

    In SQL because it walks the queue's index, in its order.

    :param counted: so many of an alias
    :return: dict mail id -> number; without those that are not due, or too far behind
    """
    numbers = {}
    for is_bulk in (False, True):
        cr.execute(
            SQL(
                """
                SELECT due.id, due.number
                  FROM unnest(%(alias_ids)s::int[]) alias(id)
            CROSS JOIN LATERAL
                   unnest(ARRAY(%(due_ids)s)) WITH ORDINALITY due(id, number)
                 WHERE due.id = ANY(%(mail_ids)s)
                """,
                alias_ids=list(alias_ids),
                due_ids=SQL(DUE_IDS, SQL("alias.id"), is_bulk, counted),
                mail_ids=mail_ids,
            )
        )
        numbers.update(cr.fetchall())
    return numbers


# What waits with an alias, some of each kind: the first ones, those not due yet, those
# of paused mailings, and what was not sent.
_SAMPLE = """
    (SELECT id FROM mail_mail
      WHERE email_alias_id = %(alias_id)s AND state = 'outgoing'
        AND email_alias_bulk = %(is_bulk)s AND email_alias_is_paused IS NOT TRUE
      ORDER BY email_alias_due, id LIMIT 3)
    UNION
    (SELECT id FROM mail_mail
      WHERE email_alias_id = %(alias_id)s AND state = 'outgoing'
        AND email_alias_bulk = %(is_bulk)s AND email_alias_is_paused IS NOT TRUE
        AND email_alias_due > extract(epoch FROM clock_timestamp())
      ORDER BY email_alias_due, id LIMIT 3)
    UNION
    (SELECT id FROM mail_mail
      WHERE email_alias_id = %(alias_id)s AND state = 'outgoing'
        AND email_alias_bulk = %(is_bulk)s AND email_alias_is_paused LIMIT 1)
    UNION
    (SELECT id FROM mail_mail
      WHERE email_alias_id = %(alias_id)s AND state = 'exception'
        AND email_alias_bulk = %(is_bulk)s ORDER BY id DESC LIMIT 1)
"""


def find_sample(env, alias_id):
    """Find some of each kind of an alias's mails that have not left.

    In SQL because the first ones of a long queue are found by its index.
    """
    env["mail.mail"].flush_model()
    ids = []
    for is_bulk in (False, True):
        env.cr.execute(SQL(_SAMPLE, alias_id=alias_id, is_bulk=is_bulk))
        ids.extend(row[0] for row in env.cr.fetchall())
    return ids
