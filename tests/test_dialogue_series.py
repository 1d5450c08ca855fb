"""A recurring event that several people change, each by the alias they picked."""

import email
from datetime import datetime, timedelta

from odoo import fields
from odoo.tests import tagged

from .common_dialogue import DELAY_MS, DialogueCase
from .common_queue import PASSWORD

GUESTS = [f"guest{number}@example.org" for number in range(3)]
COUNT = 3
ADA, BOB = "ada@example.com", "bob@example.com"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@tagged("post_install", "-at_install", "user_email_alias")
class TestSeries(DialogueCase):
    """Ada has planned it with her alias; Bob has one as well."""

    model = "calendar.event"

    def setUp(self):
        super().setUp()
        self.server.users["bob"] = PASSWORD
        with self.committed() as env:
            bob = self._create_user(env, "queue_bob")
            bob.name = "Bob Bell"
            self.bob_id = bob.id
            self.bobs_id = self.create_alias(
                env(user=bob.id),
                name="Bob's",
                alias_name="Bob Bell",
                email_from=BOB,
                smtp_user="bob",
                delay_ms=DELAY_MS,
            ).id
        self.start = datetime.now().replace(microsecond=0) + timedelta(days=3)
        self.event_ids = self.plan()

    def create_alias(self, env, **values):
        alias = env["user.email.alias"]
        if not values:
            return super().create_alias(env)
        return alias.create(
            {
                "smtp_server": f"localhost:{self.server.starttls_port}",
                "smtp_password": PASSWORD,
                **values,
            }
        )

    def plan(self):
        """Have the ids of a weekly event with three guests, in order."""
        self.partner_ids = self.create_partners(len(GUESTS))
        values = {
            **self.open(self.model),
            "name": "Lunch",
            "partner_ids": [[6, 0, self.partner_ids]],
            **self.span(self.start),
            "recurrency": True,
            "rrule_type": "weekly",
            "rrule_type_ui": "weekly",
            "interval": 1,
            "end_type": "count",
            "count": COUNT,
            "event_tz": "UTC",
            **{day: DAYS[self.start.weekday()] == day for day in DAYS},
        }
        event_id = self.call(self.model, "web_save", [], values, {})[0]["id"]
        with self.committed() as env:
            events = env[self.model].browse(event_id).recurrence_id.calendar_event_ids
            ids = events.sorted("start").ids
        self.assertEqual(len(ids), COUNT)
        self.addCleanup(self._delete_events)
        self.assertEqual(self.sent(), {(ADA, guest) for guest in GUESTS})
        return ids

    def _delete_events(self):
        """All of them: a change makes others, and archives those there were."""
        with self.committed() as env:
            events = env[self.model].with_context(active_test=False)
            events = events.search([("partner_ids", "in", self.partner_ids)])
            events.message_ids.unlink()
            events.recurrence_id.unlink()
            events.exists().unlink()

    def span(self, start):
        stop = start + timedelta(hours=1)
        return {
            "start": fields.Datetime.to_string(start),
            "stop": fields.Datetime.to_string(stop),
        }

    def change(self, which, scope, uid=None, **values):
        """Save one of the events, as the form does."""
        values = {"recurrence_update": scope, **values}
        ids = [self.event_ids[which]]
        return self.call(self.model, "web_save", ids, values, {}, uid=uid)

    def move(self, which, scope, uid=None, **values):
        start = self.start + timedelta(weeks=which, hours=2)
        self.change(which, scope, uid, **self.span(start), **values)

    def sent(self, times=1):
        """Run the queue: (envelope sender, recipient) of all that has left since.

        :param times: how many emails each of them got; of a whole series it is one, as
            reported for Odoo (odoo/odoo 284148)
        """
        self.server.clear()
        self.run_queue()
        for message in self.server.messages:
            # who is shown is who has sent, and may: their own login
            headers = email.message_from_bytes(message.data)
            self.assertIn(message.mail_from, headers["From"])
            self.assertEqual(f"{message.login}@example.com", message.mail_from)
        for gap in self.gaps():
            self.assertGreaterEqual(gap, DELAY_MS / 1000)
        pairs = [(m.mail_from, m.rcpt_tos[0]) for m in self.server.messages]
        self.assertEqual({pairs.count(pair) for pair in pairs} - {times}, set())
        return set(pairs)

    def see(self, which, uid):
        """The From somebody sees on the form of one of the events."""
        with self.committed(uid) as env:
            return env[self.model].browse(self.event_ids[which]).email_alias_id.id

    def assertTold(self, which, uid, sender):
        """Below the newest email somebody sees that it was sent, and from where."""
        with self.committed(uid) as env:
            messages = env[self.model].browse(self.event_ids[which]).message_ids
            outcomes = messages._email_alias_outcomes(env.user)
            newest = next(m.id for m in messages if m.id in outcomes)
            self.assertEqual(outcomes[newest]["state"], "sent")
            self.assertIn(sender, outcomes[newest]["from"])

    def test_each_event_of_it_is_the_same_to_its_owner(self):
        for which in range(COUNT):
            self.assertEqual(self.see(which, self.user_id), self.alias_id)
            self.assertFalse(self.see(which, self.bob_id))

    def test_a_colleague_who_picked_nothing_writes_by_no_alias(self):
        for scope in ("self_only", "future_events", "all_events"):
            with self.subTest(scope=scope):
                self.event_ids = self.plan()
                self.move(1, scope, self.bob_id)
                self.assertFalse(self.sent())

    def test_a_colleague_writes_by_the_alias_they_picked(self):
        for scope in ("self_only", "future_events"):
            with self.subTest(scope=scope):
                self.event_ids = self.plan()
                self.move(1, scope, self.bob_id, email_alias_id=self.bobs_id)
                self.assertEqual(self.sent(), {(BOB, guest) for guest in GUESTS})
                for uid in (self.bob_id, self.user_id):
                    self.assertTold(1, uid, BOB)

    def test_each_keeps_their_own_choice(self):
        for scope in ("self_only", "future_events", "all_events"):
            with self.subTest(scope=scope):
                self.event_ids = self.plan()
                # of all events core keeps the first, whichever was changed
                which = 0 if scope == "all_events" else 1
                self.move(which, scope, self.bob_id, email_alias_id=self.bobs_id)
                self.sent()
                self.assertEqual(self.see(which, self.bob_id), self.bobs_id)
                self.assertEqual(self.see(which, self.user_id), self.alias_id)
                self.move(which, "self_only")
                self.assertEqual({sender for sender, _to in self.sent()}, {ADA})
                self.assertTold(which, self.bob_id, ADA)

    def test_events_made_anew_keep_everybody_s_choice(self):
        self.move(1, "future_events", self.bob_id, email_alias_id=self.bobs_id)
        with self.committed() as env:
            event = env[self.model].browse(self.event_ids[1])
            self.event_ids = event.recurrence_id.calendar_event_ids.sorted("start").ids
        self.assertEqual(len(self.event_ids), COUNT - 1)
        for which in range(COUNT - 1):
            self.assertEqual(self.see(which, self.user_id), self.alias_id)
            self.assertEqual(self.see(which, self.bob_id), self.bobs_id)

    def test_new_guests_are_invited_by_whoever_adds_them(self):
        for scope in ("self_only", "future_events", "all_events"):
            with self.subTest(scope=scope):
                self.event_ids = self.plan()
                new_ids = self.create(
                    "res.partner",
                    *(
                        {"name": name, "email": f"{name}@example.org"}
                        for name in ("nina", "nora")
                    ),
                )
                self.change(
                    1,
                    scope,
                    self.bob_id,
                    partner_ids=[[4, partner_id] for partner_id in new_ids],
                    email_alias_id=self.bobs_id,
                )
                new = {"nina@example.org", "nora@example.org"}
                # core itself invites them twice to what follows
                times = 2 if scope == "future_events" else 1
                self.assertEqual(self.sent(times), {(BOB, one) for one in new})
                self.assertTold(1, self.user_id, BOB)

    def test_a_colleague_calls_it_off_by_the_alias_they_picked(self):
        for scope, left in (("one", 2), ("next", 1), ("all", 0)):
            with self.subTest(scope=scope):
                self.event_ids = self.plan()
                with self.committed(self.bob_id) as env:
                    xmlid = "calendar.calendar_template_delete_event"
                    template_id = env.ref(xmlid).id
                context = {
                    "default_calendar_event_id": self.event_ids[1],
                    "default_template_id": template_id,
                    "default_recurrence": scope,
                }
                dialogue_id = self.call(
                    "calendar.popover.delete.wizard",
                    "web_save",
                    [],
                    {
                        "calendar_event_id": self.event_ids[1],
                        "email_alias_id": self.bobs_id,
                    },
                    {},
                    context=context,
                    uid=self.bob_id,
                )[0]["id"]
                self.call(
                    "calendar.popover.delete.wizard",
                    "action_send_mail_and_delete",
                    [dialogue_id],
                    context=context,
                    uid=self.bob_id,
                )
                with self.committed() as env:
                    events = env[self.model].browse(self.event_ids).exists()
                    self.assertEqual(len(events), left)
                # core tells its organizer, too
                everybody = {*GUESTS, "queue_ada@example.com"}
                self.assertEqual(self.sent(), {(BOB, one) for one in everybody})

    def test_of_several_that_are_moved_at_once_each_tells(self):
        """The list lets one change several events at a time."""
        with self.committed() as env:
            env[self.model].browse(self.event_ids).write({"name": "Dinner"})
        start = self.start + timedelta(hours=5)
        self.call(
            self.model,
            "write",
            self.event_ids[:2],
            {**self.span(start), "email_alias_id": self.bobs_id},
            uid=self.bob_id,
        )
        self.assertEqual(self.sent(times=2), {(BOB, guest) for guest in GUESTS})
        for which in range(2):
            self.assertTold(which, self.user_id, BOB)
