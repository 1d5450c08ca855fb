"""Who gets a lane, and what becomes of a lane that meets what nobody foresaw."""

import threading
import time
from unittest.mock import patch

from psycopg2.pool import PoolError

from odoo.tests import tagged
from odoo.tools import SQL

from odoo.addons.base.models.ir_cron import IrCron

from ..sending import lock
from ..sending.direct import DirectService
from ..sending.lane import Lane
from ..sending.run import BROKEN_SECONDS, Run
from .common_queue import LANE_LOGGER, PASSWORD, QueueCase


@tagged("post_install", "-at_install", "user_email_alias")
class TestTurns(QueueCase):
    def _assign(self, due, limit=4):
        """The aliases that get a lane, with lanes that do nothing."""
        run = Run(self.registry, limit, 5.0)
        with patch.object(Lane, "run", lambda lane: time.sleep(0.5)):
            run._assign(due)
        return set(run.lanes)

    def test_one_user_with_many_aliases_leaves_lanes_to_others(self):
        greedy = dict.fromkeys(range(1, 17), (1, True))
        self.assertEqual(len(self._assign(greedy)), 3)
        self.assertIn(99, self._assign({**greedy, 99: (2, True)}))

    def test_one_to_one_mail_comes_before_bulk_mail_of_many_users(self):
        due = {number: (number, False) for number in range(1, 200)}
        due[500] = (500, True)
        for _ in range(5):
            self.assertIn(500, self._assign(due))
        self.assertEqual(len(self._assign(due, 1)), 1)

    def test_every_user_has_a_turn_before_anybody_has_two(self):
        due = {number: (number % 3, False) for number in range(30)}
        users = {due[alias_id][0] for alias_id in self._assign(due, 5)}
        self.assertEqual(users, {0, 1, 2})

    def test_forty_eight_aliases_of_as_many_users_are_served_at_once(self):
        due = {number: (number, False) for number in range(48)}
        self.assertEqual(len(self._assign(due, 50)), 48)


@tagged("post_install", "-at_install", "user_email_alias")
class TestBrokenLane(QueueCase):
    def test_lane_that_breaks_is_put_off_with_one_line_and_words_on_the_card(self):
        ids = self.queue("a@example.org")
        with (
            patch.object(Lane, "_connect", side_effect=TypeError("what nobody saw")),
            self.assertLogs(LANE_LOGGER, "ERROR") as logs,
            self.committed() as env,
        ):
            env["user.email.alias.queue"]._cron_process()
        [line] = logs.output
        self.assertIn("what nobody saw", line)
        self.assertNotIn("Traceback", line)
        alias = self.read_alias("backoff_until", "backoff_count", "state_message")
        self.assertGreater(alias["backoff_until"], time.time() + 30)
        self.assertIn("TypeError", alias["state_message"])
        self.write_alias(backoff_until=0)
        with (
            patch.object(Lane, "_connect", side_effect=TypeError("again")),
            self.assertLogs(LANE_LOGGER, "ERROR"),
            self.committed() as env,
        ):
            env["user.email.alias.queue"]._cron_process()
        later = self.read_alias("backoff_until", "backoff_count")
        self.assertEqual(later["backoff_count"], 2)
        self.assertGreater(later["backoff_until"], alias["backoff_until"] + 30)
        self.write_alias(backoff_until=0)
        self.run_queue()
        self.assertEqual(self.read_mails(ids, "state")[0]["state"], "sent")
        alias = self.read_alias("backoff_count", "state_message")
        self.assertFalse(alias["backoff_count"] or alias["state_message"])

    def test_lane_without_database_is_begun_anew_and_not_at_once(self):
        ids = self.queue("a@example.org")
        connect, tries = Lane._connect, []

        def fail_twice(lane, env, size):
            tries.append(time.monotonic())
            if len(tries) < 3:
                raise PoolError("The Connection Pool Is Full")
            return connect(lane, env, size)

        with patch.object(Lane, "_connect", fail_twice):
            self.run_queue()
        self.assertEqual(self.read_mails(ids, "state")[0]["state"], "sent")
        self.assertGreaterEqual(tries[1] - tries[0], BROKEN_SECONDS)
        self.assertGreaterEqual(tries[2] - tries[1], 2 * BROKEN_SECONDS)
        self.assertFalse(self.read_alias("backoff_count")["backoff_count"])

    def test_outcome_is_recorded_though_the_connection_was_lost_meanwhile(self):
        ids = self.queue("a@example.org", "b@example.org")
        self.server.on("dot", delay=5, times=1)
        worker = threading.Thread(target=self.run_queue)
        worker.start()
        until = time.monotonic() + 20
        ended = False
        while not ended and time.monotonic() < until:
            with self.committed() as env:
                env.cr.execute(
                    SQL(
                        """
                        SELECT pg_terminate_backend(pid) FROM pg_locks
                         WHERE locktype = 'advisory' AND classid = %s AND objid = %s
                           AND EXISTS (SELECT FROM user_email_alias_log
                                        WHERE outcome IS NULL AND alias_id = %s)
                        """,
                        lock.LANE_LOCK,
                        self.alias_id,
                        self.alias_id,
                    )
                )
                ended = bool(env.cr.rowcount)
            time.sleep(0.02)
        worker.join(30)
        self.assertTrue(ended)
        self.assertEqual(self.served(), ["a@example.org", "b@example.org"])
        self.assertEqual(
            [mail["state"] for mail in self.read_mails(ids, "state")], ["sent", "sent"]
        )

    def test_browser_that_cannot_be_told_does_not_undo_what_is_committed(self):
        with (
            self.assertLogs(lock.__name__, "WARNING"),
            lock.locked(self.registry, lock.LANE_LOCK, self.alias_id) as env,
        ):

            @env.cr.postcommit.add
            def fail():
                raise PoolError("The Connection Pool Is Full")

            env["user.email.alias"].browse(self.alias_id).delay_ms = 77
            env.cr.commit()
        self.assertEqual(self.read_alias("delay_ms")["delay_ms"], 77)


@tagged("post_install", "-at_install", "user_email_alias")
class TestDirect(QueueCase):
    def setUp(self):
        super().setUp()
        on = patch.object(DirectService, "is_on_in_tests", True)
        on.start()
        self.addCleanup(on.stop)
        self.addCleanup(self._wait_for_services)

    def _wait_for_services(self):
        until = time.monotonic() + 60
        while DirectService._services and time.monotonic() < until:
            time.sleep(0.05)
        self.assertFalse(DirectService._services)

    def test_one_to_one_mail_leaves_without_any_job_and_bulk_mail_does_not(self):
        bulk = self.queue("lead@example.org")
        self.queue("a@example.org", "b@example.org", bulk=False)
        self.assertTrue(self.server.wait_for(2, 20))
        self._wait_for_services()
        self.assertEqual(self.served(), ["a@example.org", "b@example.org"])
        self.assertEqual(self.read_mails(bulk, "state")[0]["state"], "outgoing")

    def test_mail_that_waited_for_its_owner_leaves_without_any_job(self):
        def hold(alias):
            alias._set_hold("password", "no")

        def pause(alias):
            alias.action_pause()

        for number, (stop, go_on) in enumerate(
            (
                (hold, lambda alias: alias.action_resume()),
                (hold, lambda alias: alias.action_test_connection()),
                (hold, lambda alias: alias.write({"smtp_password": PASSWORD})),
                (pause, lambda alias: alias.action_unpause()),
                (
                    lambda alias: alias.write({"active": False}),
                    lambda alias: alias.write({"active": True}),
                ),
            )
        ):
            with self.committed(self.user_id) as env:
                self.queue(f"{number}@example.org", bulk=False, env=env)
                stop(env["user.email.alias"].browse(self.alias_id))
            self._wait_for_services()
            self.assertEqual(len(self.served()), number)
            with self.committed(self.user_id) as env:
                go_on(env["user.email.alias"].browse(self.alias_id))
            self.assertTrue(self.server.wait_for(number + 1, 20), number)
            self._wait_for_services()

    def test_mail_that_is_rolled_back_is_not_looked_after(self):
        with self.committed() as env:
            self.queue("a@example.org", bulk=False, env=env)
            env.cr.rollback()
        self.assertFalse(DirectService._services)

    def test_mail_that_a_job_serves_meanwhile_leaves_once(self):
        for number in range(3):
            self.queue(f"{number}@example.org", bulk=False)
            self.run_queue()
        self._wait_for_services()
        self.assertCountEqual(self.served(), [f"{n}@example.org" for n in range(3)])

    def test_mail_that_is_put_off_is_left_to_the_job(self):
        self.server.on("mail", reply="421 4.3.2 not now")
        self.queue("a@example.org", bulk=False)
        with self.committed() as env:
            env["ir.cron.trigger"].search([]).unlink()
        self._wait_for_services()
        with self.committed() as env:
            crons = env["user.email.alias.queue"]._get_crons()
            self.assertTrue(
                env["ir.cron.trigger"].search([("cron_id", "in", crons.ids)])
            )

    def test_neutralized_database_serves_nothing(self):
        with self.committed() as env:
            env["ir.config_parameter"].set_param("database.is_neutralized", "1")
        try:
            self.queue("a@example.org", bulk=False)
            self.assertFalse(DirectService._services)
        finally:
            with self.committed() as env:
                env["ir.config_parameter"].set_param("database.is_neutralized", "")


@tagged("post_install", "-at_install", "user_email_alias")
class TestRoom(QueueCase):
    def _do_the_job(self):
        """Do what a cron worker does: it holds the job's row all the time."""
        with self.registry.cursor() as cron_cr:
            job = IrCron._acquire_one_job(cron_cr, self.cron_id, include_not_ready=True)
            self.registry["ir.cron"]._process_job(cron_cr, job)

    def test_installation_of_a_module_finds_room_in_the_middle_of_a_campaign(self):
        self.write_alias(delay_ms=1000)
        self.queue(*(f"lead{number}@example.org" for number in range(30)))
        with self.committed() as env:
            self.cron_id = env["user.email.alias.queue"]._get_crons()[0].id
        worker = threading.Thread(target=self._do_the_job)
        worker.start()
        self.server.wait_for(2)
        began = time.monotonic()
        with self.committed() as env:
            env["user.email.alias"].search_count([])
            env["user.email.alias.queue"]._make_room()
            # core's own statement
            env.cr.execute("SELECT FROM ir_cron FOR UPDATE NOWAIT")
            self.assertLess(time.monotonic() - began, 15)
            env.cr.commit()
            env.cr.execute("SHOW transaction_isolation")
            self.assertEqual(env.cr.fetchone()[0], "repeatable read")
        worker.join(30)
        with self.committed() as env:
            self.assertTrue(
                env["ir.cron.trigger"].search([("cron_id", "=", self.cron_id)]),
                "the campaign goes on",
            )


@tagged("post_install", "-at_install", "user_email_alias")
class TestClock(QueueCase):
    def _set_clock_back(self, seconds):
        """The same as seen from what was noted before."""
        with self.committed() as env:
            env.cr.execute(
                SQL(
                    """
                    UPDATE user_email_alias_log
                       SET claimed_at = claimed_at + %(s)s,
                           replied_at = replied_at + %(s)s
                     WHERE alias_id = %(id)s
                    """,
                    s=seconds,
                    id=self.alias_id,
                )
            )
            env.cr.execute(
                SQL(
                    """
                    UPDATE mail_mail
                       SET email_alias_due = email_alias_due + %(s)s,
                           create_date = create_date + %(s)s * interval '1 second',
                           write_date = write_date + %(s)s * interval '1 second'
                     WHERE email_alias_id = %(id)s
                    """,
                    s=seconds,
                    id=self.alias_id,
                )
            )
            env.cr.execute(
                SQL(
                    """
                    UPDATE user_email_alias
                       SET backoff_until = backoff_until + %(s)s,
                           write_date = write_date + %(s)s * interval '1 second'
                     WHERE id = %(id)s AND backoff_until > 0
                    """,
                    s=seconds,
                    id=self.alias_id,
                )
            )

    def test_paced_alias_goes_on_when_the_clock_is_set_back_and_keeps_its_pause(self):
        self.write_alias(delay_ms=1000)
        self.queue("a@example.org", "b@example.org")
        self.run_queue()
        self.queue("c@example.org", "d@example.org")
        self._set_clock_back(3600)
        began = time.monotonic()
        self.run_queue()
        self.assertEqual(len(self.served()), 4)
        self.assertLess(time.monotonic() - began, 60)
        self.assertGreaterEqual(min(self.gaps()), 1.0)
        order = [row["claimed_at"] for row in self.read_log()]
        self.assertEqual(order, sorted(order))

    def test_what_is_tried_again_later_waits_no_longer_when_the_clock_is_set_back(self):
        self.server.on("rcpt", reply="450 4.2.0 later", match="late@")
        [late] = self.queue("late@example.org", bulk=False)
        self.run_queue()
        self._set_clock_back(3600)
        self.run_queue()
        with self.committed() as env:
            now = env["user.email.alias"]._now()
        [mail] = self.read_mails([late], "email_alias_due")
        self.assertAlmostEqual(mail["email_alias_due"], now + 300, delta=100)
        self.server.on("mail", reply="421 4.3.2 not now")
        self.queue("b@example.org", bulk=False)
        self.run_queue()
        self._set_clock_back(3600)
        self.run_queue()
        alias = self.read_alias("backoff_until", "backoff_count")
        self.assertEqual(alias["backoff_count"], 1)
        self.assertAlmostEqual(alias["backoff_until"], now + 60, delta=55)

    def test_clock_that_is_set_back_in_the_middle_of_a_run_stalls_nothing(self):
        self.write_alias(delay_ms=600)
        self.queue(*(f"{number}@example.org" for number in range(6)))
        worker = threading.Thread(target=self.run_queue)
        worker.start()
        self.server.wait_for(2)
        time.sleep(0.3)
        with self.committed() as env:
            env.cr.execute(
                SQL(
                    """
                    UPDATE user_email_alias_log
                       SET claimed_at = claimed_at + 3600,
                           replied_at = replied_at + 3600
                     WHERE alias_id = %s AND outcome IS NOT NULL
                    """,
                    self.alias_id,
                )
            )
        worker.join(30)
        self.assertEqual(len(self.served()), 6)
        self.assertGreaterEqual(min(self.gaps()), 0.6)
