"""An event keeps the alias its owner has picked: nobody picks for somebody else."""

from odoo.tests import tagged

from .common import AliasCommon

WHEN = {"start": "2030-01-01 10:00:00", "stop": "2030-01-01 11:00:00"}


@tagged("post_install", "-at_install", "user_email_alias")
class TestEventsAlias(AliasCommon):
    def create_event(self, user, context=None, **values):
        Event = self.env["calendar.event"].with_user(user)
        return Event.with_context(**(context or {})).create(
            {"name": "Lunch", **WHEN, **values}
        )

    def test_it_takes_no_alias_of_somebody_else(self):
        bobs = {"email_alias_kept_ids": [(4, self.alias_bob.id)]}
        default = {"default_email_alias_kept_ids": self.alias_bob.ids}
        event = self.create_event(self.user_alice)
        self.assertRefused(self.create_event, self.user_alice, **bobs)
        self.assertRefused(self.create_event, self.user_alice, default)
        self.assertRefused(event.write, bobs)
        self.assertRefused(event.write, {"email_alias_id": self.alias_bob.id})
        event.write({"email_alias_id": self.alias_alice.id})
        self.assertEqual(event.email_alias_id, self.alias_alice)

    def test_an_administrator_s_default_picks_for_nobody(self):
        for fname, value in (
            ("email_alias_kept_ids", self.alias_bob.ids),
            ("email_alias_id", self.alias_bob.id),
        ):
            self.env["ir.default"].set("calendar.event", fname, value)
        event = self.create_event(self.user_bob)
        self.assertFalse(event.email_alias_id)

    def test_duplicate_is_not_what_its_owner_has_picked(self):
        event = self.create_event(self.user_bob, email_alias_id=self.alias_bob.id)
        self.assertEqual(event.copy().email_alias_id, self.alias_bob)
        copy = event.with_user(self.user_alice).copy()
        self.assertFalse(copy.email_alias_id)
        self.assertFalse(copy.with_user(self.user_bob).email_alias_id)

    def test_each_keeps_their_own_and_changes_their_own(self):
        event = self.create_event(self.user_bob, email_alias_id=self.alias_bob.id)
        alices = event.with_user(self.user_alice)
        for alias in (self.alias_alice, self.alias_alice_2):
            alices.email_alias_id = alias
            self.env.invalidate_all()
            self.assertEqual(alices.email_alias_id, alias)
            self.assertEqual(event.email_alias_id, self.alias_bob)
        alices.email_alias_id = False
        self.env.invalidate_all()
        self.assertFalse(alices.email_alias_id)
        self.assertEqual(event.email_alias_id, self.alias_bob)

    def test_an_archived_alias_is_not_picked_until_it_is_back(self):
        event = self.create_event(self.user_bob, email_alias_id=self.alias_bob.id)
        for active in (False, True):
            self.alias_bob.active = active
            self.env.invalidate_all()
            self.assertEqual(bool(event.email_alias_id), active)

    def test_series_keeps_its_alias_whoever_makes_it(self):
        event = self.create_event(self.user_bob, email_alias_id=self.alias_bob.id)
        event.with_user(self.user_alice).write(
            {
                "recurrency": True,
                "interval": 1,
                "rrule_type": "weekly",
                "tue": True,
                "end_type": "count",
                "count": 3,
                "event_tz": "UTC",
            }
        )
        self.env.invalidate_all()
        events = event.recurrence_id.calendar_event_ids
        self.assertEqual(len(events), 3)
        for one in events:
            self.assertEqual(one.email_alias_id, self.alias_bob)
