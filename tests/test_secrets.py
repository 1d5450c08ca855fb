"""The password goes in and never comes out, on no channel."""

import json
import logging
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import config

from ..tools.keys import ENVIRONMENT_KEYS
from ..tools.vault import WrongKey, WrongRow, generate_key
from .common import PASSWORD, AliasCommon
from .common_http import PatientHttpCase


@tagged("post_install", "-at_install", "user_email_alias")
class TestNeverComesOut(AliasCommon):
    def everything(self, records):
        return {
            fname: {}
            for fname, field in records._fields.items()
            if records._has_field_access(field, "read")
        }

    def test_no_call_returns_it(self):
        self.user_alice.group_ids |= self.env.ref("base.group_allow_export")
        alias, Alias = self.alias_alice, self.alias_alice.browse()
        spec = self.everything(alias.with_user(self.user_alice))
        self.assertIn("smtp_password", spec)
        fnames = list(spec)
        for user in (self.user_alice, self.user_manager, self.user_admin):
            user.group_ids |= self.env.ref("base.group_allow_export")
            for records, method, *args in (
                (alias, "read", fnames),
                (alias, "web_read", spec),
                (alias, "export_data", fnames),
                (alias, "web_save", {"smtp_password": "other secret"}, spec),
                (alias, "web_save", {"smtp_password": PASSWORD}, spec),
                (Alias, "search_read", [], fnames),
                (Alias, "web_search_read", [], spec),
                (Alias, "default_get", fnames),
                (
                    Alias,
                    "web_save",
                    {"name": f"New {user.login}", "smtp_password": PASSWORD},
                    spec,
                ),
                (
                    Alias,
                    "onchange",
                    {"smtp_password": PASSWORD, "smtp_server": "x.example"},
                    ["smtp_server"],
                    spec,
                ),
                (
                    alias,
                    "onchange",
                    {"smtp_password": PASSWORD, "smtp_user": "x"},
                    ["smtp_password", "smtp_user"],
                    spec,
                ),
                (alias, "fields_get"),
            ):
                with self.subTest(user=user.login, method=method):
                    reply = repr(self.rpc(user, records, method, *args))
                    self.assertNotIn(PASSWORD, reply)
                    self.assertNotIn("other secret", reply)
                    self.assertNotIn("v1:", reply)

    def test_cipher_text_is_closed_to_everybody(self):
        Alias = self.alias_alice.browse()
        for user in (self.user_alice, self.user_manager, self.user_admin):
            for records, method, *args in (
                (self.alias_alice, "read", ["smtp_secret"]),
                (self.alias_alice, "web_read", {"smtp_secret": {}}),
                (self.alias_alice, "write", {"smtp_secret": "x"}),
                (Alias, "search", [("smtp_secret", "like", "v1%")]),
                (Alias, "search", [], 0, None, "smtp_secret"),
                (Alias, "formatted_read_group", [], ["smtp_secret"], ["__count"]),
                (Alias, "create", {"name": "x", "smtp_secret": "x"}),
            ):
                with (
                    self.subTest(user=user.login, method=method),
                    self.assertRaises(AccessError),
                ):
                    self.rpc(user, records, method, *args)
            self.assertNotIn(
                "smtp_secret", self.rpc(user, Alias, "fields_get", [], ["string"])
            )

    def test_every_secret_is_closed_to_everybody(self):
        Alias = self.alias_alice.browse()
        secrets = [name for name in Alias._fields if name.endswith("_secret")]
        self.assertIn("smtp_secret", secrets)
        for user in (self.user_alice, self.user_manager, self.user_admin):
            for fname in secrets:
                for records, method, *args in (
                    (self.alias_alice, "read", [fname]),
                    (self.alias_alice, "write", {fname: "x"}),
                    (Alias, "search", [(fname, "!=", False)]),
                ):
                    with (
                        self.subTest(user=user.login, fname=fname, method=method),
                        self.assertRaises(AccessError),
                    ):
                        self.rpc(user, records, method, *args)

    def test_password_cannot_be_searched_for(self):
        Alias = self.alias_alice.browse()
        for method, *args in (
            ("search", [("smtp_password", "=", PASSWORD)]),
            ("search", [], 0, None, "smtp_password"),
            ("formatted_read_group", [], ["smtp_password"], ["__count"]),
        ):
            with self.subTest(method=method), self.assertRaises(ValueError):
                self.rpc(self.user_alice, Alias, method, *args)

    def test_copy_has_no_password(self):
        copy = self.alias_alice.copy()
        self.assertFalse(copy.sudo().smtp_secret)
        self.assertFalse(copy.has_smtp_password)

    def test_column_holds_cipher_text(self):
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT row_to_json(a)::text, smtp_secret FROM user_email_alias a "
            "WHERE id = %s",
            [self.alias_alice.id],
        )
        row, secret = self.env.cr.fetchone()
        self.assertNotIn(PASSWORD, row)
        self.assertRegex(secret, r"^v1:[0-9a-f]{12}:gAAAA")

    def test_same_password_has_another_cipher_text_each_time(self):
        before = self.alias_alice.sudo().smtp_secret
        self.alias_alice.smtp_password = PASSWORD
        self.assertNotEqual(self.alias_alice.sudo().smtp_secret, before)

    def test_whether_there_is_a_password_is_shown(self):
        self.assertTrue(self.alias_alice.has_smtp_password)
        self.assertFalse(self.alias_alice.smtp_password)
        without = self.create_alias(
            self.user_plain, "pat@x.example", smtp_password=False
        )
        self.assertFalse(without.has_smtp_password)

    def test_every_password_comes_back_as_it_was_for_the_login(self):
        for secret in ("x", " spaces ", "ünï ☃ 密码", "a\x00b", "x" * 1000, '"; DROP'):
            with self.subTest(secret=secret[:10]):
                self.alias_alice.smtp_password = secret
                self.assertEqual(self.alias_alice._read_secret__("smtp_secret"), secret)

    def test_server_actions_reach_neither_vault_nor_connection(self):
        for code in (
            "record._read_secret__('smtp_secret')",
            "record._write_secret__('smtp_secret', 'x')",
            "record._get_vault__()",
            "record._open_connection__(None)",
            "record._test_connection__(None)",
        ):
            with self.subTest(code=code), self.assertRaises(NameError):
                self.env["ir.actions.server"].create(
                    {
                        "name": "Harvest",
                        "model_id": self.env["ir.model"]._get_id("user.email.alias"),
                        "state": "code",
                        "code": code,
                    }
                ).with_context(
                    active_model="user.email.alias", active_id=self.alias_bob.id
                ).run()

    def test_methods_that_decrypt_are_not_for_clients(self):
        for method in (
            "_read_secret__",
            "_write_secret__",
            "_get_vault__",
            "_open_connection__",
            "_inverse_passwords",
            "_set_verified",
            "_get_default",
        ):
            with self.subTest(method=method), self.assertRaises(AccessError):
                self.rpc(self.user_admin, self.alias_bob, method)

    def test_errors_do_not_tell_it(self):
        for vals in (
            {"email_from": "a@x.example, b@x.example"},
            {"delay_ms": -1},
            {"smtp_server": "http://x/y"},
            {"state": "ok"},
            {"name": False},
        ):
            for action in (
                self.alias_alice.write,
                self.alias_alice.browse().with_user(self.user_plain).create,
            ):
                full = {
                    "email_from": "x@x.example",
                    "smtp_password": PASSWORD,
                    **vals,
                }
                with self.subTest(vals=vals), self.assertRaises(UserError) as caught:
                    action(full)
                self.assertNotIn(PASSWORD, str(caught.exception))


@tagged("post_install", "-at_install", "user_email_alias")
class TestRowAndKey(AliasCommon):
    def use_keys(self, *keys):
        changed = patch.dict(os.environ, {ENVIRONMENT_KEYS: ",".join(keys)})
        changed.start()
        self.addCleanup(changed.stop)

    def assertSaysWhy(self, alias, words):
        """The test of the connection explains it; the cipher text stays."""
        self.env.flush_all()
        secret = alias.sudo().smtp_secret
        action = self.rpc(alias.user_id, alias, "action_test_connection")
        message = action["params"]["message"]
        self.assertIn("The stored password cannot be used", message)
        self.assertIn(words, message)
        self.assertNotIn(PASSWORD, message)
        self.assertEqual(alias.sudo().smtp_secret, secret)
        self.assertNotEqual(alias.state, "ok")

    def test_cipher_text_of_another_row_is_refused(self):
        stolen = self.alias_alice.sudo().smtp_secret
        self.alias_bob.sudo().smtp_secret = stolen
        with self.assertRaises(WrongRow):
            self.alias_bob._read_secret__("smtp_secret")
        self.assertSaysWhy(self.alias_bob, "does not belong to this record")
        self.assertEqual(self.alias_bob.sudo().smtp_secret, stolen)

    def test_cipher_text_of_another_database_is_refused(self):
        self.env["ir.config_parameter"].set_param("database.uuid", "another")
        self.assertSaysWhy(self.alias_bob, "does not belong to this record")

    def test_changed_cipher_text_is_refused(self):
        secret = self.alias_bob.sudo().smtp_secret
        for changed in (
            secret[:-1],
            secret[:-2] + "A=",
            "v1:x",
            "plain",
            "v2" + secret,
        ):
            with self.subTest(changed=changed[-8:]):
                self.alias_bob.sudo().smtp_secret = changed
                self.assertSaysWhy(self.alias_bob, "enter it again")

    def test_wrong_key_is_named_and_a_new_password_helps(self):
        old = os.environ[ENVIRONMENT_KEYS]
        self.use_keys(generate_key())
        with self.assertRaises(WrongKey):
            self.alias_bob._read_secret__("smtp_secret")
        self.assertSaysWhy(self.alias_bob, "user_email_alias_keys")
        self.use_keys(old)
        self.assertEqual(self.alias_bob._read_secret__("smtp_secret"), PASSWORD)
        self.use_keys(generate_key())
        self.alias_bob.smtp_password = "new"
        self.assertEqual(self.alias_bob._read_secret__("smtp_secret"), "new")

    def test_new_key_in_front_encrypts_and_the_old_one_still_reads(self):
        old, new = os.environ[ENVIRONMENT_KEYS], generate_key()
        self.use_keys(new, old)
        self.assertEqual(self.alias_bob._read_secret__("smtp_secret"), PASSWORD)
        self.alias_alice.smtp_password = "new"
        self.use_keys(new)
        self.assertEqual(self.alias_alice._read_secret__("smtp_secret"), "new")
        with self.assertRaises(WrongKey):
            self.alias_bob._read_secret__("smtp_secret")

    def test_bad_key_is_named_and_nothing_is_stored(self):
        secret = self.alias_bob.sudo().smtp_secret
        self.use_keys("not a key")
        with self.assertRaises(UserError) as caught:
            self.alias_bob.smtp_password = "new password"
        text = str(caught.exception)
        self.assertIn("cannot be stored safely", text)
        self.assertIn("44 characters", text)
        self.assertNotIn("new password", text)
        self.env.invalidate_all()
        self.assertEqual(self.alias_bob.sudo().smtp_secret, secret)
        self.assertSaysWhy(self.alias_bob, "44 characters")

    def test_key_of_odoo_conf_is_used(self):
        key = generate_key()
        self.use_keys("")
        with patch.dict(config.options, {"user_email_alias_keys": key}):
            self.alias_bob.smtp_password = "by conf"
            self.use_keys(key)
        self.assertEqual(self.alias_bob._read_secret__("smtp_secret"), "by conf")

    def test_without_configuration_a_private_file_is_made_once(self):
        self.use_keys("")
        folder = self.enterContext(TemporaryDirectory())
        with patch.dict(config.options, {"data_dir": folder}):
            self.alias_bob.smtp_password = "by file"
            self.assertEqual(self.alias_bob._read_secret__("smtp_secret"), "by file")
            (file,) = Path(folder).iterdir()
            self.assertEqual(file.stat().st_mode & 0o777, 0o600)
            file.chmod(0o644)
            self.assertSaysWhy(self.alias_bob, "0644 instead of 0600")
            file.unlink()
            self.assertSaysWhy(self.alias_bob, "not configured any more")


@tagged("post_install", "-at_install", "user_email_alias")
class TestLogs(AliasCommon, PatientHttpCase):
    def call(self, model, method, args):
        response = self.url_open(
            f"/web/dataset/call_kw/{model}/{method}",
            data=json.dumps(
                {
                    "jsonrpc": "2.0",
                    "id": 0,
                    "params": {
                        "model": model,
                        "method": method,
                        "args": args,
                        "kwargs": {},
                    },
                }
            ),
            headers={"Content-Type": "application/json"},
        )
        return response.text

    def test_nothing_is_logged_even_at_debug(self):
        self.authenticate(self.user_alice.login, self.user_alice.login)
        ids, model = self.alias_alice.ids, "user.email.alias"
        handler = _Collector()
        root = logging.getLogger()
        loggers = [root] + [
            logger
            for logger in logging.root.manager.loggerDict.values()
            if isinstance(logger, logging.Logger) and logger.name.startswith("odoo")
        ]
        levels = {logger: logger.level for logger in loggers}
        root.addHandler(handler)
        try:
            for logger in loggers:
                logger.setLevel(logging.DEBUG)
            replies = [
                self.call(model, "write", [ids, {"smtp_password": "t0psecret 1"}]),
                self.call(
                    model, "web_save", [ids, {"smtp_password": "t0psecret 2"}, {}]
                ),
                self.call(
                    model, "create", [{"name": "L", "smtp_password": "t0psecret 3"}]
                ),
                self.call(
                    model,
                    "write",
                    [ids, {"smtp_password": "t0psecret 4", "smtp_server": "::"}],
                ),
                self.call(
                    model,
                    "onchange",
                    [
                        ids,
                        {"smtp_password": "t0psecret 5", "smtp_user": "x"},
                        ["smtp_user"],
                        {"smtp_password": {}, "smtp_user": {}},
                    ],
                ),
                self.call(
                    model,
                    "load",
                    [["name", "smtp_password"], [["I", "t0psecret 6"]]],
                ),
                self.call(
                    model, "write", [ids, {"smtp_password": "t0psecret 7", "no": 1}]
                ),
                self.call(model, "no_method", [ids, {"smtp_password": "t0psecret 8"}]),
            ]
        finally:
            root.removeHandler(handler)
            for logger, level in levels.items():
                logger.setLevel(level)
        self.assertTrue(handler.lines)
        for text in replies + handler.lines:
            self.assertNotIn("t0psecret", text)


class _Collector(logging.Handler):
    def __init__(self):
        super().__init__(logging.DEBUG)
        self.lines = []

    def emit(self, record):
        text = record.getMessage()
        if record.exc_info:
            text += logging.Formatter().formatException(record.exc_info)
        self.lines.append(f"{record.name}: {text}")
