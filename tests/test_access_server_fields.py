"""What the server alone writes, asked in every way a client can ask."""

from odoo import fields
from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged

from ..models.user_email_alias import SERVER_FIELDS
from .common import AliasCommon

FORGED = {
    "provider": "google",
    "state": "ok",
    "smtp_secret": "v1:000000000000:abc",
    "hold_reason": "x",
    "state_message": "x",
    "pause_reason": "x",
    "state_at": "2026-01-01 00:00:00",
    "is_paused": True,
}


@tagged("post_install", "-at_install", "user_email_alias")
class TestServerFields(AliasCommon):
    """What proves an account is written by the server alone."""

    def forge(self, fname):
        return {fname: FORGED.get(fname, 1)}

    def test_nobody_writes_them(self):
        for user in (self.user_bob, self.user_manager, self.user_admin):
            for fname in SERVER_FIELDS:
                vals = self.forge(fname)
                for method, *args in (
                    ("write", vals),
                    ("web_save", vals, {"name": {}}),
                ):
                    with self.subTest(user=user.login, vals=vals, method=method):
                        self.assertRefused(
                            self.rpc, user, self.alias_bob, method, *args
                        )

    def test_nobody_creates_with_them(self):
        for fname in SERVER_FIELDS:
            with self.subTest(fname=fname):
                self.assertRefused(
                    self.rpc,
                    self.user_plain,
                    self.alias_bob.browse(),
                    "create",
                    {"name": "Forged", **self.forge(fname)},
                )

    def test_defaults_of_context_and_user_do_not_count(self):
        # the others are closed by rights and not named at creation
        Alias = self.env["user.email.alias"]
        fnames = {
            f for f in SERVER_FIELDS if Alias._fields[f].groups != fields.NO_ACCESS
        }
        context = {f"default_{fname}": self.forge(fname)[fname] for fname in fnames}
        self.env["ir.default"].with_user(self.user_plain).set(
            "user.email.alias", "state", "ok", user_id=True
        )
        self.env["ir.default"].with_user(self.user_plain).set(
            "user.email.alias", "provider", "google", user_id=True
        )
        for name, keys in (("One", context), ("Two", {})):
            id_ = self.rpc(
                self.user_plain,
                self.alias_bob.browse(),
                "create",
                {"name": name},
                context=keys,
            )
            alias = self.env["user.email.alias"].browse(id_)
            self.assertEqual(alias.state, "draft")
            self.assertEqual(alias.provider, "smtp")
            self.assertEqual(alias.transport, "smtp")
            for fname in fnames - {"state", "provider", "transport"}:
                self.assertFalse(alias[fname], fname)

    def test_default_secret_is_refused_or_void(self):
        try:
            id_ = self.rpc(
                self.user_plain,
                self.alias_bob.browse(),
                "create",
                {"name": "Forged"},
                context={"default_smtp_secret": self.alias_bob.sudo().smtp_secret},
            )
        except AccessError:
            return
        self.assertFalse(self.env["user.email.alias"].browse(id_).smtp_secret)

    def test_administrator_cannot_write_them_through_the_users_form(self):
        self.assertRefused(
            self.rpc,
            self.user_manager,
            self.user_bob,
            "write",
            {"email_alias_ids": [Command.update(self.alias_bob.id, {"state": "ok"})]},
        )
