from odoo.tests import BaseCase, tagged

from ..tools import pacing
from ..tools.pacing import DAY, HOUR, MINUTE

NOW = 1_800_000_000.25  # a float of this size has a resolution of 0.24 µs


@tagged("-at_install", "post_install")
class TestPacing(BaseCase):
    def test_a_mail_waits_longer_each_time_and_is_given_up_after_five_days(self):
        waits, now, attempt = [], NOW, 0
        while True:
            attempt += 1
            due = pacing.mail_retry(attempt, NOW, now)
            if due is None:
                break
            waits.append(due - now)
            now = due
        self.assertEqual(waits[:6], [300, 600, 1200, 2400, 4000, 4000])
        self.assertEqual(set(waits[4:-1]), {4000})
        self.assertLessEqual(waits[-1], 4000)
        self.assertEqual(now, NOW + 5 * DAY)
        self.assertEqual(len(waits), 111)

    def test_a_mail_found_late_still_gets_its_last_try_or_none(self):
        last = NOW + 5 * DAY
        self.assertEqual(pacing.mail_retry(50, NOW, last - 1), last)
        self.assertIsNone(pacing.mail_retry(50, NOW, last))
        self.assertIsNone(pacing.mail_retry(1, NOW, last + DAY))
        for attempt in (-1, 0, 1):
            self.assertEqual(pacing.mail_retry(attempt, NOW, NOW), NOW + 300)
        self.assertEqual(pacing.mail_retry(10**9, NOW, NOW), NOW + 4000)

    def test_an_alias_waits_one_to_sixty_minutes(self):
        for attempt, minutes in enumerate((1, 1, 2, 5, 15, 30, 60, 60, 60)):
            with self.subTest(attempt=attempt):
                for jitter, factor in ((0, 1.0), (0.5, 1.05), (1, 1.1), (7, 1.1)):
                    self.assertAlmostEqual(
                        pacing.alias_retry(attempt, NOW, jitter),
                        NOW + minutes * MINUTE * factor,
                        places=3,
                    )

    def test_many_aliases_do_not_come_back_together(self):
        due = {round(pacing.alias_retry(6, NOW)) for _ in range(500)}
        self.assertGreater(len(due), 200)
        self.assertTrue(all(NOW + 3599 <= at <= NOW + 3961 for at in due))

    def test_a_quota_is_waited_out(self):
        self.assertEqual(pacing.quota_retry(NOW, jitter=0), NOW + DAY)
        self.assertEqual(pacing.quota_retry(NOW, jitter=1), NOW + DAY + 10 * MINUTE)
        begun = NOW - 20 * HOUR
        self.assertEqual(pacing.quota_retry(NOW, begun, jitter=0), NOW + 4 * HOUR)
        begun = NOW - 23.9 * HOUR
        self.assertEqual(pacing.quota_retry(NOW, begun, jitter=0), NOW + HOUR)

    def test_throttling_doubles_the_pause_up_to_the_cap(self):
        for delay_ms, expected in (
            (0, [2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000]),
            (250, [2000, 4000]),
            (2500, [5000, 10_000]),
            (200_000, [300_000, 300_000]),
            (400_000, [400_000, 400_000]),
        ):
            with self.subTest(delay_ms=delay_ms):
                pause, seen = delay_ms, []
                for _ in expected:
                    pause = pacing.widen(pause, delay_ms)
                    seen.append(pause)
                self.assertEqual(seen, expected)

    def test_success_eases_the_pause_in_steps_down_to_the_delay(self):
        self.assertEqual(pacing.ease(8000, 250, 9), 8000)
        pause, seen = 8000, []
        while pause != 250:
            pause = pacing.ease(pause, 250, 10)
            seen.append(pause)
        self.assertEqual(seen, [4125, 2187, 1218, 734, 492, 371, 310, 250])
        self.assertEqual(pacing.ease(250, 250, 10), 250)
        self.assertEqual(pacing.ease(100, 250, 0), 250)

    def test_the_pause_is_never_below_the_delay(self):
        for delay_ms in (0, 1, 49, 50, 999, 3_600_000):
            pause = delay_ms
            for _ in range(12):
                pause = pacing.widen(pause, delay_ms)
                self.assertGreaterEqual(pause, delay_ms)
            for _ in range(40):
                pause = pacing.ease(pause, delay_ms, 10)
                self.assertGreaterEqual(pause, delay_ms)
            self.assertEqual(pause, delay_ms)

    def test_a_daily_limit_looks_back_24_hours(self):
        self.assertEqual(pacing.daily_slot(None, NOW), NOW)
        for hours, expected in (
            (25, NOW),
            (24, NOW),
            (23, NOW + HOUR),
            (2, NOW + 22 * HOUR),
            (0, NOW + DAY),
        ):
            with self.subTest(hours=hours):
                self.assertEqual(pacing.daily_slot(NOW - hours * HOUR, NOW), expected)

    def test_no_24_hours_ever_hold_more_than_the_limit(self):
        limit, sent, now = 5, [], NOW
        for step in range(60):
            nth_latest = sent[-limit] if len(sent) >= limit else None
            now = pacing.daily_slot(nth_latest, now)
            sent.append(now)
            self.assertLessEqual(len([at for at in sent if at > now - DAY]), limit)
            now += (step % 7) * HOUR / 3
        self.assertGreater(now, NOW + 11 * DAY)
