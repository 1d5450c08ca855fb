"""What comes from outside is limited, and tells nobody what is not theirs."""

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged

from .common import AliasCommon


@tagged("post_install", "-at_install", "user_email_alias")
class TestAliasLimits(AliasCommon):
    def assertSentence(self, **vals):
        for action in (
            lambda: self.alias_alice.with_user(self.user_alice).write(vals),
            lambda: self.create_alias(self.user_alice, "x@x.example", **vals),
        ):
            with self.subTest(vals=str(vals)[:60]):
                with self.assertRaises(ValidationError) as caught:
                    action()
                self.assertIn(": ", str(caught.exception))

    def test_what_is_no_number_is_refused_with_a_sentence(self):
        for fname in ("delay_ms", "daily_limit"):
            for value in ("abc", [1], {}, [], {"a": 1}, "1e3", -1, True, 10**13):
                self.assertSentence(**{fname: value})

    def test_what_is_no_text_is_refused_with_a_sentence(self):
        for fname in ("name", "reply_to", "smtp_server", "imap_server", "signature"):
            for value in (5, True, ["x"], {"a": 1}, {}, 1.5):
                self.assertSentence(**{fname: value})

    def test_what_is_no_choice_is_refused_with_a_sentence(self):
        alias = self.alias_alice.with_user(self.user_alice)
        for fname in ("imap_server_id", "imap_mailbox_id", "user_id"):
            for value in ("abc", "1", [1], [], {}, True, -1, 0, 2**31, 1.5, (6, 0)):
                with self.subTest(fname=fname, value=value):
                    for action in (
                        lambda vals: alias.write(vals),
                        lambda vals: alias.create({"name": "Odd", **vals}),
                    ):
                        with self.assertRaisesRegex(ValidationError, "from the list"):
                            action({fname: value})

    def test_what_is_no_yes_or_no_is_refused_with_a_sentence(self):
        for fname in ("is_default", "active", "disable_tls", "skip_bulk_copies"):
            for value in ("abc", "", [1], [], {}, 2, -1, 0.5):
                self.assertSentence(**{fname: value})

    def test_characters_that_are_none_are_refused_with_a_sentence(self):
        for fname in (
            "smtp_password",
            "imap_password",
            "signature",
            "imap_folder_name",
            "name",
            "reply_to",
            "smtp_server",
            "imap_user",
        ):
            self.assertSentence(**{fname: "a\ud800b"})
        for fname in ("signature", "imap_folder_name"):
            self.assertSentence(**{fname: "a\0b"})

    def test_passwords_are_no_fields_to_import(self):
        Alias = self.env["user.email.alias"].with_user(self.user_alice)
        described = Alias.fields_get()
        importable = {f for f, field in described.items() if not field["readonly"]}
        self.assertIn("smtp_user", importable)
        self.assertFalse(importable & {"smtp_password", "imap_password"})
        if "base_import.import" in self.env:
            for model in ("user.email.alias", "res.users"):
                Import = self.env["base_import.import"].with_user(self.user_admin)
                tree = str(Import.get_fields_tree(model))
                self.assertIn("smtp_user", tree)
                self.assertNotIn("_password'", tree.replace("'new_password'", ""))

    def test_imported_password_is_refused_and_not_repeated(self):
        for user, model, names, row in (
            (
                self.user_alice,
                "user.email.alias",
                ["name", "smtp_password"],
                ["I", "pw-canary"],
            ),
            (
                self.user_admin,
                "res.users",
                [
                    "name",
                    "login",
                    "email_alias_ids/name",
                    "email_alias_ids/imap_password",
                ],
                ["I", "i@x.example", "I", "pw-canary"],
            ),
        ):
            with self.subTest(model=model):
                result = self.env[model].with_user(user).load(names, [row])
                self.assertFalse(result["ids"])
                self.assertIn("Passwords cannot be imported", str(result["messages"]))
                self.assertNotIn("pw-canary", str(result["messages"]))

    def test_numbers_may_come_as_text(self):
        alias = self.alias_alice.with_user(self.user_alice)
        alias.write({"delay_ms": " 250 ", "daily_limit": "0"})
        self.assertEqual((alias.delay_ms, alias.daily_limit), (250, 0))

    def test_secrets_and_signatures_have_a_size(self):
        self.assertSentence(smtp_password="x" * 1_001)
        self.assertSentence(signature="<p>%s</p>" % ("x" * 100_001))
        self.alias_alice.with_user(self.user_alice).write(
            {"smtp_password": "x" * 1_000, "signature": "<p>%s</p>" % ("x" * 90_000)}
        )

    def test_a_signature_lies_over_nothing(self):
        alias = self.alias_alice.with_user(self.user_alice)
        alias.signature = (
            '<a href="https://x.example" class="position-fixed vw-100" '
            'style="position: fixed; inset: 0; z-index: 9999; color: red">x</a>'
        )
        for part in ("position", "inset", "z-index"):
            self.assertNotIn(part, alias.signature)
        self.assertIn("red", alias.signature)

    def test_nobody_learns_what_a_colleague_calls_an_alias(self):
        Alias = self.env["user.email.alias"].with_user(self.user_alice)
        sentences = set()
        for name in (self.alias_bob.name, "No such name"):
            with self.assertRaises(AccessError) as caught:
                Alias.create({"name": name, "user_id": self.user_bob.id})
            sentences.add(str(caught.exception))
            by_context = Alias.with_context(default_user_id=self.user_bob.id)
            with self.assertRaises(AccessError) as caught:
                by_context.create({"name": name})
            sentences.add(str(caught.exception))
        self.assertEqual(len(sentences), 1)

    def test_an_administrator_creates_one_for_somebody(self):
        alias = self.create_alias(
            self.user_manager, "b@x.example", name="New", user_id=self.user_bob.id
        )
        self.assertEqual(alias.user_id, self.user_bob)

    def test_wizards_tell_no_name_of_somebody_elses_alias(self):
        for model in (
            "user.email.alias.cancel",
            "user.email.alias.folder",
            "user.email.alias.setup",
        ):
            wizard = self.env[model].with_user(self.user_alice)
            self.assertRefused(wizard.create, {"alias_id": self.alias_bob.id})
            reply = self.rpc(
                self.user_alice,
                wizard,
                "onchange",
                {"alias_id": self.alias_bob.id},
                ["alias_id"],
                {"alias_id": {"fields": {"display_name": {}}}},
            )
            self.assertNotIn(self.alias_bob.display_name, str(reply))
            self.assertNotIn(self.alias_bob.email_from, str(reply))

    def test_no_default_fills_a_closed_column(self):
        Alias = self.env["user.email.alias"]
        closed = [
            fname for fname, field in Alias._fields.items() if field.groups == "."
        ]
        self.assertIn("smtp_secret", closed)
        for fname in closed:
            if Alias._fields[fname].type == "char":
                self.env["ir.default"].set("user.email.alias", fname, "planted")
            planted = Alias.with_user(self.user_alice).with_context(
                **{f"default_{fname}": "planted"}
            )
            self.assertRefused(planted.create, {"name": "New"})
        alias = Alias.with_user(self.user_alice).create({"name": "New"})
        self.assertNotEqual(alias.sudo().key, "planted")
        for fname in closed:
            if fname != "key":
                self.assertFalse(alias.sudo()[fname], fname)

    def test_whether_copies_are_kept_is_not_for_writing(self):
        alias = self.alias_alice.with_user(self.user_alice)
        self.assertRefused(alias.write, {"has_sent_copies": True})
