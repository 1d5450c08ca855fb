"""One user takes their share, whatever they have and do; the others find theirs."""

import contextlib
import threading
import time
from unittest.mock import patch

from psycopg2 import OperationalError

from odoo.exceptions import UserError, ValidationError
from odoo.tests import TransactionCase, new_test_user, tagged

from ..sending.direct import DirectRun, DirectService
from ..sending.lane import Lane
from ..sending.run import Run
from .common_queue import PASSWORD, QueueCase

# A server takes so long for a mail, in seconds: longer than a run of the job here.
SLOW_SECONDS = 12


class ShareCase(QueueCase):
    def add_user(self, login, count, server=None):
        """Return the ids of a new user's aliases."""
        server = server or self.server
        with self.committed() as env:
            user = self._create_user(env, login)
            own = env["user.email.alias"].with_user(user)
            return own.create(
                [
                    {
                        "name": f"{login} {number}",
                        "email_from": f"{login}.{number}@example.com",
                        "smtp_server": f"localhost:{server.starttls_port}",
                        "smtp_user": "ada",
                        "smtp_password": PASSWORD,
                    }
                    for number in range(count)
                ]
            ).ids

    def queue_for(self, alias_ids, **values):
        """Let a mail of each alias wait."""
        with self.committed() as env:
            for alias in env["user.email.alias"].browse(alias_ids):
                env["mail.mail"].with_user(alias.user_id).sudo().create(
                    {
                        "subject": "Hello",
                        "email_to": "a@example.org",
                        "email_alias_id": alias.id,
                        "email_alias_bulk": False,
                        **values,
                    }
                )

    def set_param(self, name, value):
        key = f"user_email_alias.{name}"
        with self.committed() as env:
            env["ir.config_parameter"].set_param(key, value)
        self.addCleanup(self._drop_param, key)

    def _drop_param(self, key):
        with self.committed() as env:
            env["ir.config_parameter"].set_param(key, False)


@tagged("post_install", "-at_install", "user_email_alias")
class TestLanes(ShareCase):
    """Sixteen aliases of one user at a server that takes its time."""

    def setUp(self):
        super().setUp()
        self.slow = type(self.server)(users={"ada": PASSWORD}, ca=self.ca).start()
        self.slow.on("dot", delay=SLOW_SECONDS)
        self.greedy = self.add_user("queue_greedy", 16, self.slow)
        self.set_param("lanes", "4")
        self.addCleanup(self._wait_for_services)
        # before the services are waited for, so that no mail takes long any more
        self.addCleanup(self.slow.stop)
        self.enterContext(patch.object(DirectService, "is_on_in_tests", True))

    def _wait_for_services(self):
        until = time.monotonic() + 4 * SLOW_SECONDS
        while DirectService._services and time.monotonic() < until:
            time.sleep(0.05)
        self.assertFalse(DirectService._services)

    @contextlib.contextmanager
    def job(self):
        """Let the job run all the time, as its triggers do."""
        over = threading.Event()

        def work():
            while not over.is_set():
                with self.committed() as env:
                    env["user.email.alias.queue"]._cron_process()

        worker = threading.Thread(target=work)
        worker.start()
        try:
            yield
        finally:
            over.set()
            worker.join(4 * SLOW_SECONDS)
            self.assertFalse(worker.is_alive())

    def assertLeavesSoon(self, seconds=0.75 * SLOW_SECONDS):
        """A colleague's one-to-one mail does not wait for the slow ones."""
        count = len(self.server.messages)
        began = time.monotonic()
        self.queue("colleague@example.org", bulk=False)
        self.assertTrue(self.server.wait_for(count + 1, seconds))
        self.assertLess(time.monotonic() - began, seconds)

    def test_colleagues_mail_leaves_at_once_all_the_time(self):
        self.queue_for(self.greedy * 2)
        with self.short_runs(), self.job():
            time.sleep(1.5)
            for _moment in range(8):
                self.assertLeavesSoon()
                time.sleep(0.7)
        self.assertLess(len(self.slow.messages), 32, "the greedy mail still waits")

    @contextlib.contextmanager
    def short_runs(self):
        queue = self.registry["user.email.alias.queue"]
        with patch.object(queue, "_get_run_seconds", lambda self: 3):
            yield

    def test_one_to_one_mail_leaves_though_no_job_is_there_and_one_user_takes_all(self):
        self.queue_for(self.greedy)
        time.sleep(1.5)
        with self.short_runs():
            for _moment in range(6):
                self.assertLeavesSoon()
                time.sleep(1)

    def test_no_two_users_leave_nothing_to_a_third(self):
        others = self.add_user("queue_greedy2", 16, self.slow)
        self.queue_for(self.greedy)
        self.queue_for(others)
        with self.short_runs():
            time.sleep(1.5)
            self.assertLeavesSoon()


@tagged("post_install", "-at_install", "user_email_alias")
class TestEndOfRun(ShareCase):
    def test_colleagues_campaign_goes_on_while_a_mail_takes_longer_than_the_run(self):
        seconds = 8
        slow = type(self.server)(users={"ada": PASSWORD}, ca=self.ca).start()
        self.addCleanup(slow.stop)
        slow.on("dot", delay=1.5 * seconds)
        self.queue_for(self.add_user("queue_slow", 1, slow))
        self.write_alias(delay_ms=200)
        self.queue(*(f"{number}@example.org" for number in range(80)))
        queue = self.registry["user.email.alias.queue"]
        began = time.monotonic()
        with patch.object(queue, "_get_run_seconds", lambda self: seconds):
            self.run_queue()
        self.assertEqual(len(slow.messages), 1, "it was waited for")
        late = [
            message
            for message in self.server.messages
            if message.replied_monotonic > began + seconds + 1
        ]
        self.assertTrue(late)
        self.assertLess(
            self.server.messages[-1].replied_monotonic, began + 1.8 * seconds
        )
        self.assertGreaterEqual(min(self.gaps()), 0.2)


@tagged("post_install", "-at_install", "user_email_alias")
class TestShare(ShareCase):
    """How many lanes a user gets, with lanes that do nothing."""

    def _assign(self, run, *users):
        """The number of lanes each user gets who comes with sixteen aliases."""
        with patch.object(Lane, "run", lambda lane: time.sleep(1)):
            for user_id in users:
                start = 1000 * user_id
                run._assign(dict.fromkeys(range(start, start + 16), (user_id, True)))
        owners = [lane.user_id for lane in run.lanes.values()]
        return [owners.count(user_id) for user_id in users]

    def test_whoever_comes_later_finds_a_lane(self):
        for run, shares in (
            (Run(self.registry, 4, 5.0), [3, 1, 0]),
            (Run(self.registry, 8, 5.0), [6, 1, 1]),
            (Run(self.registry, 50, 5.0), [16, 16, 13]),
            (Run(self.registry, 1, 5.0), [1, 0, 0]),
            (DirectRun(self.registry, 5.0, set, {}), [4, 2, 1, 1]),
        ):
            with self.subTest(limit=run.lane_limit, kind=type(run).__name__):
                users = range(1, len(shares) + 1)
                self.assertEqual(self._assign(run, *users), shares)


@tagged("post_install", "-at_install", "user_email_alias")
class TestAttempts(ShareCase):
    """Buttons that connect are limited for each user and minute."""

    def attempt(self, uid=None, method="action_test_connection", alias_id=None):
        with self.committed(uid or self.user_id) as env:
            alias = env["user.email.alias"].browse(alias_id or self.alias_id)
            return getattr(alias, method)()

    def let_time_pass(self, seconds):
        with self.committed() as env:
            env.cr.execute(
                "UPDATE user_email_alias_attempt SET attempted_at = attempted_at - %s",
                [seconds],
            )

    def test_the_eleventh_test_within_a_minute_gets_a_sentence_and_no_connection(self):
        for _number in range(10):
            self.attempt()
        before = len(self.server.sessions)
        with self.assertRaisesRegex(UserError, "10 times.*Wait a moment"):
            self.attempt()
        self.assertEqual(len(self.server.sessions), before)
        self.let_time_pass(50)
        with self.assertRaises(UserError):
            self.attempt()
        self.let_time_pass(11)
        self.attempt()

    def test_what_failed_and_what_was_rolled_back_counts_too(self):
        self.set_param("attempts_per_minute", "3")
        self.write_alias(imap_server="localhost:1")
        for _number in range(3):
            with self.assertRaises(UserError):
                self.attempt(method="action_choose_folder")
        with self.assertRaisesRegex(UserError, "3 times"):
            self.attempt()

    def test_all_aliases_of_a_user_count_together_and_other_users_apart(self):
        self.set_param("attempts_per_minute", "2")
        with self.committed() as env:
            second = self.create_alias(env, name="Second").id
        [bobs] = self.add_user("queue_bob", 1)
        self.attempt()
        self.attempt(alias_id=second)
        with self.assertRaises(UserError):
            self.attempt(alias_id=second)
        with self.committed() as env:
            bob_id = env["user.email.alias"].browse(bobs).user_id.id
        self.attempt(bob_id, alias_id=bobs)

    def test_requests_at_the_same_time_are_counted_one_by_one(self):
        self.set_param("attempts_per_minute", "4")
        counted = []

        def count():
            with (
                contextlib.suppress(UserError, OperationalError),
                self.committed(self.user_id) as env,
            ):
                env["user.email.alias"]._count_attempt()
                counted.append(1)

        threads = [threading.Thread(target=count) for _number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(counted), 4)

    def test_looking_up_an_address_counts(self):
        self.set_param("attempts_per_minute", "1")
        for is_free in (True, False):
            with self.committed(self.user_id) as env:
                look_up = env["user.email.alias"]._discover__
                if is_free:
                    self.assertTrue(look_up("ann@gmx.de"))
                else:
                    self.assertRaises(UserError, look_up, "ann@gmx.de")

    def test_zero_sets_no_limit(self):
        self.set_param("attempts_per_minute", "0")
        for _number in range(12):
            self.attempt(method="_count_attempt")

    def test_nobody_sees_or_changes_what_was_counted(self):
        self.attempt()
        with self.committed(self.env_admin_id()) as env:
            attempts = env["user.email.alias.attempt"]
            for operation in ("read", "write", "create", "unlink"):
                self.assertFalse(attempts.has_access(operation))

    def env_admin_id(self):
        with self.committed() as env:
            return env.ref("base.user_admin").id

    def test_old_attempts_are_forgotten(self):
        self.attempt()
        self.let_time_pass(61)
        with self.committed() as env:
            env["user.email.alias.attempt"]._gc_attempts()
            self.assertFalse(env["user.email.alias.attempt"].search([]))


@tagged("post_install", "-at_install", "user_email_alias")
class TestCount(TransactionCase):
    """How many aliases a user has."""

    def setUp(self):
        super().setUp()
        self.user = new_test_user(self.env, "many_ada")
        self.admin = new_test_user(
            self.env, "many_admin", "base.group_user,base.group_erp_manager"
        )
        self.set_limit(3)
        self.own = self.create(3)

    def set_limit(self, value):
        self.env["ir.config_parameter"].set_param(
            "user_email_alias.aliases_per_user", value
        )

    def create(self, count, creator=None, start=0):
        Alias = self.env["user.email.alias"].with_user(creator or self.user)
        return Alias.create(
            [
                {"name": f"No. {start + number}", "user_id": self.user.id}
                for number in range(count)
            ]
        )

    def test_one_more_gets_a_sentence_whoever_makes_it(self):
        for number, creator in enumerate((self.user, self.admin)):
            with self.assertRaisesRegex(ValidationError, "at most 3 email aliases"):
                self.create(1, creator, start=10 + number)

    def test_archived_ones_do_not_count_until_they_are_taken_back(self):
        self.own[0].active = False
        self.create(1, start=10)
        with self.assertRaisesRegex(ValidationError, "archive or delete"):
            self.own[0].active = True

    def test_copies_count(self):
        with self.assertRaises(ValidationError):
            self.own[0].copy()

    def test_what_is_there_already_stays_usable_when_the_limit_is_lowered(self):
        self.set_limit(1)
        self.own[0].name = "Renamed"
        self.own[0].delay_ms = 5

    def test_without_the_parameter_a_hundred_are_allowed_and_zero_sets_no_limit(self):
        self.set_limit("")
        self.create(97, start=10)
        with self.assertRaises(ValidationError):
            self.create(1, start=200)
        self.set_limit("0")
        self.create(1, start=300)
