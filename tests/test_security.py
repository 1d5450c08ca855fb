"""What SECURITY.md promises is what the tests prove, cell by cell."""

import contextlib
import re
from pathlib import Path

from odoo.exceptions import AccessError, UserError
from odoo.tests import BaseCase, tagged

from ..tools import vault
from .common import PASSWORD, AliasCommon

ROOT = Path(__file__).parent.parent
PROMISED, NOT_PROMISED = "✓", "✗"
ROLES = (
    "colleague",
    "marketing",
    "access_rights",
    "settings",
    "code",
    "dump",
    "host",
)
CLIENT_SECRET = "client-secret-canary"
REFUSED = (AccessError, UserError)


def read_table():
    """The table of SECURITY.md: {row number: {role: cell}}."""
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    table = {}
    for number, row in re.findall(r"^\| (\d+)\. (.*) \|$", text, re.MULTILINE):
        cells = [cell.strip() for cell in row.split("|")[1:]]
        table[int(number)] = dict(zip(ROLES, cells, strict=True))
    return table


@tagged("-at_install", "post_install")
class TestTable(BaseCase):
    def test_every_named_test_is_there(self):
        text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
        named = re.findall(r"`(test_\w+\.py)(?:::(test_\w+))?`", text)
        self.assertGreater(len(named), 25)
        listed = (ROOT / "tests" / "__init__.py").read_text(encoding="utf-8")
        for file, name in named:
            with self.subTest(file=file, name=name):
                self.assertIn(f"    {file.removesuffix('.py')},", listed)
                source = (ROOT / "tests" / file).read_text(encoding="utf-8")
                self.assertIn(f"def {name}(" if name else "def test_", source)

    def test_every_promise_names_its_tests(self):
        text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
        proved = re.findall(r"^\| (\d+) \| .*`test_", text, re.MULTILINE)
        self.assertEqual(list(read_table()), [int(number) for number in proved])

    def test_every_cell_is_decided(self):
        for row in read_table().values():
            self.assertLessEqual(set(row.values()), {PROMISED, NOT_PROMISED, "–"})
            self.assertEqual(row["host"], NOT_PROMISED)


@tagged("post_install", "-at_install", "user_email_alias")
class TestCells(AliasCommon):
    """Each promised cell, attacked by whom it names; the victim is Bob's alias."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = {
            "colleague": cls.user_plain,
            "marketing": cls.user_alice,
            "access_rights": cls.user_manager,
            "settings": cls.user_admin,
        }
        cls.Settings = cls.env["user.email.alias.oauth.settings"]
        cls.Settings._register__("google", {"client_id": "app"}, CLIENT_SECRET)
        cls.victim = cls.alias_bob

    def test_every_promised_cell_holds(self):
        for number, row in read_table().items():
            for role, cell in row.items():
                if cell != PROMISED:
                    continue
                with self.subTest(row=number, role=role):
                    with self.env.cr.savepoint() as savepoint:
                        getattr(self, f"check_{number}")(role)
                        savepoint.rollback()
                    self.env.registry.clear_cache("stable")
                    self.env.invalidate_all()

    def attempt(self, role, records, method, *args):
        """What the call of a client answers, or the words of its refusal."""
        try:
            with self.env.cr.savepoint():
                return repr(self.rpc(self.users[role], records, method, *args))
        except REFUSED as error:
            return str(error)

    def run_code(self, code):
        """Let a server action of the administrator do it."""
        action = self.env["ir.actions.server"].create(
            {
                "name": "Attack",
                "model_id": self.env["ir.model"]._get_id("user.email.alias"),
                "state": "code",
                "code": code,
            }
        )
        result = action.with_user(self.user_admin).run()
        self.env.registry.clear_cache("stable")
        self.env.invalidate_all()
        return repr(result)

    def update_by_code(self, alias, column, value):
        query = f"UPDATE user_email_alias SET {column} = %s WHERE id = %s"  # noqa: S608
        self.env.flush_all()
        self.run_code(f"env.cr.execute({query!r}, [{value!r}, {alias.id}])")

    def dump(self):
        """All that a backup of the database holds of us."""
        self.env.flush_all()
        self.env.cr.execute(
            """
            SELECT string_agg(row, ' ') FROM (
                SELECT row_to_json(a)::text AS row FROM user_email_alias a
                 UNION ALL SELECT row_to_json(l)::text FROM user_email_alias_log l
                 UNION ALL SELECT row_to_json(e)::text FROM user_email_alias_event e
                 UNION ALL SELECT row_to_json(p)::text FROM ir_config_parameter p
                 UNION ALL SELECT row_to_json(s)::text FROM res_config_settings s) r
            """
        )
        return self.env.cr.fetchone()[0]

    def assert_dump_opens_nothing(self):
        box = vault.Vault([vault.generate_key()])
        for token in re.findall(r"v1:[0-9a-f]{12}:[\w=-]+", self.dump()):
            binding = self.victim._get_binding("smtp_secret")
            self.assertRaises(vault.WrongKey, box.decrypt, token, binding)

    def assert_closed(self, fname="smtp_secret", alias=None):
        self.env.invalidate_all()
        alias = alias or self.victim
        with contextlib.suppress(vault.WrongRow):
            self.assertIsNone(alias._read_secret__(fname))

    def check_1(self, role):
        if role == "dump":
            self.assertNotIn(PASSWORD, self.dump())
            self.assertNotIn(CLIENT_SECRET, self.dump())
            return
        fnames = ["smtp_password", "smtp_secret", "has_smtp_password"]
        for records, method, *args in (
            (self.victim, "read", fnames),
            (self.victim, "read", fnames[:1]),
            (self.victim, "web_read", {"smtp_password": {}}),
            (self.victim, "export_data", fnames[:1]),
            (self.victim, "copy"),
            (self.victim, "_read_secret__", "smtp_secret"),
            (self.victim.browse(), "search_read", [], fnames[:1]),
            (self.env["ir.config_parameter"], "search_read", []),
        ):
            answer = self.attempt(role, records, method, *args)
            self.assertNotIn(PASSWORD, answer)
            self.assertNotIn(CLIENT_SECRET, answer)

    def check_2(self, role):
        if role == "dump":
            self.assert_dump_opens_nothing()
        elif role == "code":
            self.update_by_code(self.victim, "smtp_server", "evil.example")
            self.assert_closed()
        else:
            vals = {"smtp_server": "evil.example.net"}
            answer = self.attempt(role, self.victim, "write", vals)
            if answer == "True":
                self.assert_closed()
            else:
                self.assertEqual(self.victim._read_secret__("smtp_secret"), PASSWORD)

    def check_3(self, role):
        name, value = "user_email_alias.google_token_endpoint", "https://evil.example"
        if role == "dump":
            self.assert_dump_opens_nothing()
            return
        if role == "code":
            self.run_code(
                f"env['ir.config_parameter'].sudo().set_param({name!r}, {value!r})"
            )
        else:
            Params = self.env["ir.config_parameter"]
            answer = self.attempt(role, Params, "set_param", name, value)
            if role != "settings":
                self.assertNotIn(value, Params.get_param(name) or answer)
                return
        self.assertFalse(self.Settings._has_client_secret__("google"))

    def check_4(self, role):
        thief = self.alias_alice_2
        stolen = self.victim.sudo().smtp_secret
        if role == "dump":
            self.assert_dump_opens_nothing()
        elif role == "code":
            self.update_by_code(thief, "smtp_secret", stolen)
            self.assert_closed(alias=thief)
        else:
            before = thief.sudo().smtp_secret
            self.attempt(role, thief, "write", {"smtp_secret": stolen})
            self.assertEqual(thief.sudo().smtp_secret, before)

    def check_5(self, role):
        if role == "dump":
            self.assertNotIn(PASSWORD, self.dump())
        elif role == "code":
            code = f"env['user.email.alias'].sudo().browse({self.victim.id}).read()"
            self.assertNotIn(PASSWORD, self.run_code(f"action = {{'x': str({code})}}"))
        else:
            rows = [["New", PASSWORD]]
            for records, method, *args in (
                (self.victim.browse(), "load", ["name", "smtp_password"], rows),
                (self.victim, "write", {"smtp_password": PASSWORD, "delay_ms": "x"}),
                (self.victim, "action_test_connection"),
            ):
                answer = self.attempt(role, records, method, *args)
                self.assertNotIn(PASSWORD, answer)

    def check_6(self, role):
        user = self.users[role]
        self.assertRefused(
            self.send_message, user, user.partner_id, email_alias_id=self.victim.id
        )

    def check_7(self, role):
        for method, *args in (("read", ["name"]), ("write", {"delay_ms": 7})):
            self.assertRefused(self.rpc, self.users[role], self.victim, method, *args)
        self.assertNotEqual(self.victim.delay_ms, 7)

    def check_8(self, role):
        event = self.env["user.email.alias.event"].search(
            [("alias_id", "=", self.victim.id)], limit=1
        )
        for method, *args in (("unlink",), ("write", {"owner_id": False})):
            self.assertRefused(self.rpc, self.users[role], event, method, *args)
        self.assertEqual(event.owner_id, self.user_bob)

    def check_9(self, role):
        user = self.users[role]
        name = "user_email_alias.allowed_targets"
        self.attempt(role, self.env["ir.config_parameter"], "set_param", name, "*:22")
        alias = self.create_alias(user, f"{role}@x.example", name="Inside")
        alias.smtp_server = "127.0.0.1:22"
        answer = self.attempt(role, alias, "action_test_connection")
        self.assertIn("cannot be reached", answer)

    def check_10(self, role):
        user = self.users[role]
        alias = self.victim
        if role in ("colleague", "marketing"):
            alias = self.create_alias(user, f"{role}@x.example", name="Signed")
        html = (
            '<p style="position: fixed; margin: -9px"><img src="https://t.example"></p>'
        )
        alias.with_user(user).signature = html
        for part in ("fixed", "margin", '"https://t.example" src', ' src="https'):
            self.assertNotIn(part, alias.signature)
