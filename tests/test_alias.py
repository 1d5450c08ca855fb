"""The alias itself: its fields, its default flag, what it refuses, how it goes away."""

from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import AliasCommon


@tagged("post_install", "-at_install", "user_email_alias")
class TestAliasFields(AliasCommon):
    def test_alias_name_starts_as_the_users_name(self):
        self.assertEqual(self.alias_alice.alias_name, "Alice Adams")

    def test_owner_is_whoever_creates_it(self):
        self.assertEqual(self.alias_alice.user_id, self.user_alice)

    def test_new_alias_is_not_tested(self):
        self.assertEqual(self.alias_alice.state, "draft")
        self.assertEqual(self.alias_alice.provider, "smtp")

    def test_display_name_is_what_recipients_see(self):
        self.assertEqual(
            self.alias_alice.display_name, "Alice Adams <alice@a.example.com>"
        )

    def test_empty_alias_can_be_saved_for_the_sign_in_to_fill(self):
        alias = self.env["user.email.alias"].with_user(self.user_plain).create({})
        self.assertFalse(alias.name)
        self.assertFalse(alias._is_complete())

    def test_pasted_spaces_are_trimmed(self):
        self.alias_alice.write(
            {"email_from": " al@a.example.com  ", "smtp_server": " mx.example.com:25 "}
        )
        self.assertEqual(self.alias_alice.email_from, "al@a.example.com")
        self.assertEqual(self.alias_alice.smtp_server, "mx.example.com:25")

    def test_idn_domain_is_kept_as_typed(self):
        self.alias_alice.email_from = "alice@bücher.example"
        self.assertEqual(self.alias_alice.email_from, "alice@bücher.example")
        self.assertEqual(
            self.alias_alice._get_formatted_from(),
            '"Alice Adams" <alice@bücher.example>',
        )

    def test_header_from_quotes_the_name(self):
        for name, quoted in (
            ('Adams, "Al" <x@y.z>', '"Adams, \\"Al\\" <x@y.z>"'),
            ("Zoë 東京 \\", '"Zoë 東京 \\\\"'),
        ):
            with self.subTest(name=name):
                self.alias_alice.alias_name = name
                self.assertEqual(
                    self.alias_alice._get_formatted_from(),
                    f"{quoted} <alice@a.example.com>",
                )

    def test_header_from_without_name_is_the_plain_address(self):
        self.alias_alice.alias_name = False
        self.assertEqual(self.alias_alice._get_formatted_from(), "alice@a.example.com")

    def test_copy_is_a_second_alias_without_password_and_flag(self):
        copy = self.alias_alice.copy()
        self.assertEqual(copy.name, "Work (copy)")
        self.assertEqual(copy.user_id, self.user_alice)
        self.assertFalse(copy.is_default)
        self.assertFalse(copy.has_smtp_password)
        self.assertEqual(copy.state, "draft")

    def test_second_copy_finds_a_free_description(self):
        self.alias_alice.copy()
        self.assertEqual(self.alias_alice.copy().name, "Work (copy 2)")

    def test_copy_of_a_long_description_fits(self):
        self.alias_alice.name = "x" * 200
        self.assertTrue(self.alias_alice.copy().name.endswith(" (copy)"))

    def test_preferences_count_the_own_aliases(self):
        self.assertEqual(
            self.user_alice.with_user(self.user_alice).email_alias_count, 2
        )
        self.assertEqual(
            self.user_plain.with_user(self.user_plain).email_alias_count, 0
        )


ABLE = {"email_from": "x@example.com", "smtp_server": "mail.example.com"}


@tagged("post_install", "-at_install", "user_email_alias")
class TestDefaultFlag(AliasCommon):
    def default_of(self, user):
        return self.env["user.email.alias"].search(
            [("user_id", "=", user.id), ("is_default", "=", True)]
        )

    def test_first_alias_becomes_the_default(self):
        self.assertEqual(self.default_of(self.user_alice), self.alias_alice)

    def test_flagging_another_takes_the_flag_from_the_first(self):
        self.alias_alice_2.action_make_default()
        self.assertEqual(self.default_of(self.user_alice), self.alias_alice_2)
        self.assertEqual(self.default_of(self.user_bob), self.alias_bob)

    def test_new_default_takes_the_flag_from_the_first(self):
        third = self.create_alias(
            self.user_alice, "third@a.example.com", name="Third", is_default=True
        )
        self.assertEqual(self.default_of(self.user_alice), third)

    def test_two_new_defaults_at_once_leave_one(self):
        self.env["user.email.alias"].with_user(self.user_plain).create(
            [{"name": name, "is_default": True, **ABLE} for name in ("One", "Two")]
        )
        self.assertEqual(self.default_of(self.user_plain).name, "One")

    @mute_logger("odoo.sql_db")
    def test_database_refuses_a_second_default(self):
        with self.assertRaises(IntegrityError):
            self.env.cr.execute(
                "UPDATE user_email_alias SET is_default = true WHERE user_id = %s",
                [self.user_alice.id],
            )

    def test_archiving_the_default_hands_the_flag_on(self):
        self.alias_alice.active = False
        self.assertEqual(self.default_of(self.user_alice), self.alias_alice_2)

    def test_archiving_while_flagging_leaves_the_flag_where_it_was(self):
        with self.assertRaises(ValidationError):
            self.alias_alice_2.write({"is_default": True, "active": False})
        self.assertEqual(self.default_of(self.user_alice), self.alias_alice)

    def test_archived_alias_cannot_be_the_default(self):
        self.alias_alice_2.active = False
        with self.assertRaises(ValidationError) as caught:
            self.alias_alice_2.is_default = True
        self.assertIn("archived", str(caught.exception))
        self.assertEqual(self.default_of(self.user_alice), self.alias_alice)

    def test_deleting_the_default_hands_the_flag_on(self):
        self.alias_alice.unlink()
        self.assertEqual(self.default_of(self.user_alice), self.alias_alice_2)

    def test_flag_is_handed_to_an_alias_that_can_send(self):
        self.alias_alice_2.write({"email_from": False, "smtp_server": False})
        third = self.create_alias(self.user_alice, "third@a.example.com", name="Third")
        self.alias_alice.active = False
        self.assertEqual(self.default_of(self.user_alice), third)

    def test_alias_that_cannot_send_never_holds_the_flag(self):
        self.alias_alice.smtp_server = False
        self.assertEqual(self.default_of(self.user_alice), self.alias_alice_2)
        self.alias_alice_2.email_from = False
        self.assertFalse(self.default_of(self.user_alice))
        self.alias_alice.smtp_server = "mail.example.com"
        self.assertEqual(self.default_of(self.user_alice), self.alias_alice)

    def test_empty_alias_neither_takes_the_flag_nor_keeps_it_from_others(self):
        Alias = self.env["user.email.alias"].with_user(self.user_plain)
        Alias.create({})
        self.assertFalse(self.default_of(self.user_plain))
        second = Alias.create({"name": "Second", **ABLE})
        self.assertEqual(self.default_of(self.user_plain), second)

    def test_flag_asked_for_too_early_comes_once_the_alias_can_send(self):
        Alias = self.env["user.email.alias"].with_user(self.user_alice)
        created = Alias.create({"is_default": True})
        written = Alias.create({})
        for alias in (created, written):
            if alias == written:
                alias.action_make_default()
            self.assertFalse(alias.is_default)
            self.assertNotEqual(self.default_of(self.user_alice), alias)
            alias.write({"name": f"Alias {alias.id}", **ABLE})
            self.assertEqual(self.default_of(self.user_alice), alias)
            self.assertFalse(alias.is_default_wanted)

    def test_flag_given_up_stays_given_up(self):
        self.alias_bob.is_default = False
        self.alias_bob.name = "Another name"
        self.assertFalse(self.default_of(self.user_bob))

    def test_only_alias_is_the_default_again_once_unarchived(self):
        self.alias_bob.active = False
        self.assertFalse(self.default_of(self.user_bob))
        self.alias_bob.active = True
        self.assertEqual(self.default_of(self.user_bob), self.alias_bob)

    def test_unarchived_alias_does_not_take_the_flag_back(self):
        self.alias_alice.active = False
        self.alias_alice.active = True
        self.assertEqual(self.default_of(self.user_alice), self.alias_alice_2)

    def test_incomplete_default_is_picked_for_nothing(self):
        self.alias_bob.write({"email_from": False, "smtp_server": False})
        picked = self.env["user.email.alias"]._get_default(self.user_bob)
        self.assertFalse(picked)

    def test_no_default_for_portal_public_archived_and_bot(self):
        Alias = self.env["user.email.alias"]
        self.user_bob.active = False
        for user in (
            self.user_portal,
            self.user_public,
            self.user_root,
            self.user_bob,
            self.env["res.users"],
        ):
            self.assertFalse(Alias._get_default(user))

    def test_administrator_prepares_the_first_alias_of_another_user(self):
        alias = (
            self.env["user.email.alias"]
            .with_user(self.user_manager)
            .with_context(default_user_id=self.user_plain.id)
            .create({"name": "Prepared", "is_default": True, **ABLE})
        )
        self.assertEqual(alias.user_id, self.user_plain)
        self.assertEqual(self.default_of(self.user_plain), alias)
        self.assertFalse(self.default_of(self.user_manager))

    def test_default_by_context_leaves_one_flag_for_each_user(self):
        for user in (self.user_alice, self.user_plain):
            self.env["user.email.alias"].with_user(self.user_manager).with_context(
                default_user_id=user.id, default_is_default=True
            ).create({"name": "Prepared", **ABLE})
            self.assertEqual(len(self.default_of(user)), 1)


@tagged("post_install", "-at_install", "user_email_alias")
class TestGoingAway(AliasCommon):
    def queue(self, count, **values):
        return (
            self.env["mail.mail"]
            .with_user(self.user_alice)
            .sudo()
            .create(
                [
                    {
                        "email_to": "x@y.example",
                        "body_html": "<p>x</p>",
                        "email_alias_id": self.alias_alice.id,
                        **values,
                    }
                ]
                * count
            )
        )

    def test_deleting_an_alias_with_waiting_mail_says_how_many(self):
        self.queue(3)
        self.queue(2, state="exception")
        with self.assertRaises(UserError) as caught:
            self.alias_alice.unlink()
        text = str(caught.exception)
        self.assertIn("3 waiting and 2 failed", text)
        self.assertIn("Archive the alias instead", text)
        self.assertTrue(self.alias_alice.exists())

    def test_alias_whose_mail_is_sent_can_be_deleted(self):
        mails = self.queue(2)
        mails.write({"state": "sent"})
        self.alias_alice.unlink()
        self.assertEqual(set(mails.mapped("state")), {"sent"})
        self.assertFalse(mails.email_alias_id)

    def test_mailing_on_its_way_keeps_its_alias(self):
        mailing = self.create_mailing(self.user_alice)
        mailing.action_put_in_queue()
        with self.assertRaisesRegex(UserError, "mailing"):
            self.alias_alice.unlink()
        self.assertEqual(mailing.email_alias_id, self.alias_alice)

    def test_mailing_done_or_in_draft_does_not_hold_its_alias(self):
        draft = self.create_mailing(self.user_alice)
        done = self.create_mailing(self.user_alice, state="done")
        self.alias_alice.unlink()
        self.assertFalse(draft.email_alias_id)
        self.assertNotIn("alice@a.example.com", draft.email_from)
        self.assertFalse(done.email_alias_id)
        self.assertIn("alice@a.example.com", done.email_from)

    def test_archiving_keeps_the_waiting_mail(self):
        mails = self.queue(2)
        self.alias_alice.active = False
        self.assertLeavesBy(self.alias_alice, mails, 2)

    def test_user_goes_with_the_aliases(self):
        user = self.create_user("leaving_alias", "Lea Leaving", "base.group_user")
        alias = self.create_alias(user, "lea@x.example")
        user.unlink()
        self.assertFalse(alias.exists())

    def test_user_with_waiting_mail_stays(self):
        user = self.create_user("leaving_alias", "Lea Leaving", "base.group_user")
        alias = self.create_alias(user, "lea@x.example")
        self.env["mail.mail"].create(
            {"email_to": "x@y.example", "email_alias_id": alias.id}
        )
        with self.assertRaisesRegex(UserError, "1 waiting"):
            user.unlink()
        self.assertTrue(alias.exists())

    def test_whoever_may_not_delete_a_user_deletes_no_alias(self):
        try:
            self.user_bob.with_user(self.user_alice).unlink()
        except AccessError:
            self.assertTrue(self.alias_bob.exists(), "deleted before the check")
        else:
            self.fail("a user without rights deleted a user")

    def test_whoever_may_not_delete_an_alias_changes_no_mail(self):
        mail = self.queue(1)
        mail.write({"state": "sent"})
        try:
            self.alias_alice.with_user(self.user_bob).unlink()
        except AccessError:
            self.assertEqual(mail.email_alias_id, self.alias_alice)
        else:
            self.fail("an alias was deleted by somebody else")
