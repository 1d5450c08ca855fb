"""Who may do what, asked over RPC for all that there is; see matrix.py."""

import inspect
import threading
from unittest.mock import patch

from odoo import fields, models
from odoo.tests import HttpCase, tagged
from odoo.tests.common import JsonRpcException

from .common import AliasCommon
from .matrix import METHODS, MODELS, PLAIN, ROUTES

ADDON = "user_email_alias"
PACKAGE = f"odoo.addons.{ADDON}."

# A letter for each kind of user, in the order in which they stand in matrix.py.
ROLES = "OCMASPV"

# What one asks for when nobody may: a right is missing, or nobody has signed in.
REFUSALS = frozenset(
    (
        "odoo.exceptions.AccessError",
        "odoo.exceptions.AccessDenied",
        "odoo.http.SessionExpiredException",
        "werkzeug.exceptions.NotFound",
    )
)
# What was typed is wrong, or something else is missing: not the right.
COMPLAINTS = frozenset(("odoo.exceptions.UserError", "odoo.exceptions.ValidationError"))
CRUD = frozenset(("create", "read", "write", "unlink"))

# What Odoo calls on each model when the web client reads or writes it.
OF_EVERY_MODEL = frozenset(
    (*CRUD, "copy_data", "default_get", "message_notify", "message_post", "onchange")
)
OF_EVERY_RECORD = frozenset(("id", "display_name", *models.LOG_ACCESS_COLUMNS))
SAMPLES = {
    "boolean": True,
    "date": "2030-01-01",
    "datetime": "2030-01-01 00:00:00",
    "float": 1.0,
    "html": "<p>x</p>",
    "integer": 1,
    "many2many": [],
    "many2one": False,
    "many2one_reference": 1,
    "one2many": [],
}


@tagged("post_install", "-at_install", "user_email_alias")
class TestMatrix(HttpCase, AliasCommon):
    """Each cell is a call of its own, undone before the next one."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        marketing = "base.group_user,mass_mailing.group_mass_mailing_user"
        cls.owner = cls.user_bob
        cls.users = {
            "O": cls.owner,
            "C": cls.user_alice,
            "M": cls.create_user("matrix_marketing", "Mia Marketing", marketing),
            "A": cls.create_user(
                "matrix_access", "Ann Access", "base.group_user,base.group_erp_manager"
            ),
            "S": cls.create_user(
                "matrix_system", "Sue System", "base.group_user,base.group_system"
            ),
            "P": cls.user_portal,
            "V": cls.env["res.users"],
        }
        cls.other_alias = cls.create_alias(cls.owner, "bob@c.example", name="Other")
        cls.records = cls._create_records()
        cls.env.flush_all()

    @classmethod
    def _create_records(cls):
        """A record of the owner's in each model."""
        alias = cls.alias_bob
        own = cls.env(user=cls.owner)
        incoming = cls.env["fetchmail.server"].create(
            {
                "name": "Office",
                "server_type": "imap",
                "server": "imap.example.com",
                "email_alias_user_ids": cls.owner.ids,
            }
        )
        lead = cls.leads[0].with_env(own)
        later = fields.Datetime.add(fields.Datetime.now(), days=1)
        message = lead.message_post(
            body="Hello",
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            outgoing_email_to="a@example.org",
            email_alias_id=alias.id,
        )
        mail = cls.env["mail.mail"].search(
            [("mail_message_id", "=", message.id)], limit=1
        )
        folder = own["user.email.alias.folder"].create(
            {"alias_id": alias.id, "line_ids": [(0, 0, {"name": "Sent"})]}
        )
        mailing = cls.create_mailing(
            cls,
            cls.owner,
            email_alias_id=alias.id,
            ab_testing_enabled=True,
            campaign_id=own["utm.campaign"].create({"name": "Test"}).id,
        )
        records = [
            alias,
            cls.env["user.email.alias.log"].create(
                {
                    "alias_id": alias.id,
                    "mail_mail_id": mail.id,
                    "mail_message_id": message.id,
                    "model": lead._name,
                    "res_id": lead.id,
                    "outcome": "uncertain",
                }
            ),
            cls.env["user.email.alias.waiting"].browse(mail.id),
            cls.env["user.email.alias.mailbox"].browse(incoming.id),
            cls.env["user.email.alias.attempt"].create(
                {"user": cls.owner.id, "attempted_at": 1.0}
            ),
            own["user.email.alias.cancel"].create({"alias_id": alias.id}),
            folder,
            folder.line_ids,
            incoming,
            message,
            mail,
            mailing,
            cls.env["mailing.trace"].create(
                {
                    "model": lead._name,
                    "res_id": lead.id,
                    "mass_mailing_id": mailing.id,
                    "mail_mail_id": mail.id,
                }
            ),
            cls.env["mail.notification"].create(
                {
                    "mail_message_id": message.id,
                    "res_partner_id": cls.customer.id,
                    "notification_type": "email",
                }
            ),
            own["mail.scheduled.message"].create(
                {
                    "model": lead._name,
                    "res_id": lead.id,
                    "author_id": cls.owner.partner_id.id,
                    "body": "Later",
                    "scheduled_date": later,
                    "email_alias_id": alias.id,
                }
            ),
            own["mail.compose.message"].create(
                {"model": lead._name, "res_ids": str(lead.ids)}
            ),
            cls.owner,
            cls.env["res.config.settings"].create({}),
        ]
        return {record._name: record.with_env(cls.env) for record in records}

    # ------------------------------------------------------------------
    # Asking
    # ------------------------------------------------------------------

    def ask(self, model, method, *args):
        """Call a method over RPC as the user who has signed in, and undo it.

        :return: "y" done, "c" refused for another reason than rights, "-" refused;
            else the name of the exception
        """
        params = {"model": model, "method": method, "args": args, "kwargs": {}}
        url = f"/web/dataset/call_kw/{model}/{method}"
        self.env.flush_all()
        savepoint = self.env.cr.savepoint(flush=False)
        try:
            self.make_jsonrpc_request(url, params)
        except JsonRpcException as error:
            name = str(error)
            if name in REFUSALS:
                return "-"
            return "c" if name in COMPLAINTS else name
        else:
            return "y"
        finally:
            savepoint.rollback()
            savepoint.close(rollback=False)
            self.env.invalidate_all(flush=False)

    def each_role(self):
        """Sign in as each kind of user in turn."""
        for role in ROLES:
            user = self.users[role]
            self.authenticate(user.login or None, user.login or None)
            yield role

    # ------------------------------------------------------------------
    # What there is
    # ------------------------------------------------------------------

    def get_models(self):
        """The models to ask about: ours, and those of core with fields of ours."""
        found = {}
        for model in self.env.registry.values():
            names = self._get_fields(model)
            if not model._abstract and (names or self._is_ours(model)):
                found[model._name] = names
        return found

    @staticmethod
    def _is_ours(model):
        return model._original_module == ADDON

    def _is_named_ours(self, name):
        return self._is_ours(self.env.registry[name])

    def _get_fields(self, model):
        return [
            name
            for name, field in model._fields.items()
            if name not in OF_EVERY_RECORD
            and ("email_alias" in name or ADDON in field._modules)
        ]

    def get_methods(self, model):
        """Public methods that are ours, beside those that every model has."""
        return sorted(
            {
                name
                for base in model.mro()
                if base.__module__.startswith(PACKAGE)
                for name, member in vars(base).items()
                if not name.startswith("_")
                and name not in OF_EVERY_MODEL
                and callable(member)
                and not getattr(member, "_api_private", False)
                and not isinstance(member, fields.Field)
            }
        )

    def get_arguments(self, model, method):
        """The record's id, and something for each parameter that has to be there."""
        function = getattr(self.env.registry[model], method)
        record = self.records.get(model)
        ids = [] if getattr(function, "_api_model", False) else [record.ids]
        parameters = list(inspect.signature(function).parameters.values())[1:]
        return ids + [
            []
            for parameter in parameters
            if parameter.default is parameter.empty
            and parameter.kind is parameter.POSITIONAL_OR_KEYWORD
        ]

    def get_sample(self, field):
        if field.comodel_name == "user.email.alias" and field.type == "many2one":
            return self.other_alias.id
        if field.type == "selection":
            return field.get_values(self.env)[0]
        return SAMPLES.get(field.type, "x")

    # ------------------------------------------------------------------
    # Tests
    # ------------------------------------------------------------------

    def assertSame(self, found, expected, what):
        """Name what is new, what has gone, and what has changed."""
        problems = [
            f"{key}: found {found.get(key, 'nothing')!r}, expected "
            f"{expected.get(key, 'nothing')!r}"
            for key in sorted(found.keys() | expected.keys())
            if found.get(key) != expected.get(key)
        ]
        self.assertFalse(problems, "\n".join([what, *problems]))

    def test_fields_are_read_and_written_by_whom_they_should(self):
        found = {}
        for role in self.each_role():
            for model, names in self.get_models().items():
                readable = self._read(model, names)
                is_open = self.ask(model, "write", self.records[model].ids, {}) == "y"
                for name in names:
                    read, written = found.setdefault(f"{model}.{name}", ["", ""])
                    read += role if name in readable else ""
                    is_written = is_open and self._is_written(model, name)
                    written += role if is_written else ""
                    found[f"{model}.{name}"] = [read, written]
        found = {key: "/".join(rights) for key, rights in found.items()}
        expected = {
            f"{model}.{name}": rights
            for model, groups in MODELS.items()
            for rights, names in groups.items()
            for name in names.split()
        }
        self.assertSame(found, expected, "fields: who reads / who writes")

    def _read(self, model, names):
        """The fields that are read: all at once where that is possible."""
        ids = self.records[model].ids
        if self.ask(model, "read", ids, ["id"]) != "y":
            return set()
        known = self.env[model]._fields
        closed = {name for name in names if known[name].groups == fields.NO_ACCESS}
        opened = set(names) - closed
        if self.ask(model, "read", ids, list(opened)) != "y":
            closed, opened = set(names), set()
        return opened | {
            name for name in closed if self.ask(model, "read", ids, [name]) == "y"
        }

    def _is_written(self, model, name):
        field = self.env[model]._fields[name]
        if not field.store and not field.inverse:
            return False
        vals = {name: self.get_sample(field)}
        answer = self.ask(model, "write", self.records[model].ids, vals)
        self.assertIn(answer, "yc-", f"{model}.{name}")
        return answer == "y" or (answer == "c" and not field.relational)

    def test_records_are_made_and_deleted_by_whom_they_should(self):
        found = {}
        for role in self.each_role():
            for model in filter(self._is_named_ours, self.get_models()):
                made, deleted = found.setdefault(model, ["", ""])
                answer = self.ask(model, "create", [{}])
                made += role if answer != "-" else ""
                answer = self.ask(model, "unlink", self.records[model].ids)
                deleted += role if answer != "-" else ""
                found[model] = [made, deleted]
        found = {key: "/".join(rights) for key, rights in found.items()}
        self.assertSame(found, PLAIN, "models: who makes / who deletes records")

    def test_methods_are_called_by_whom_they_should(self):
        found = {}
        for role in self.each_role():
            for model in self.env.registry.values():
                for method in [] if model._abstract else self.get_methods(model):
                    key = f"{model._name}.{method}"
                    answer = self.ask(
                        model._name, method, *self.get_arguments(model._name, method)
                    )
                    self.assertIn(answer, "yc-", key)
                    found[key] = found.get(key, "") + (role if answer != "-" else "")
        expected = {
            f"{model}.{name}": rights
            for model, groups in METHODS.items()
            for rights, names in groups.items()
            for name in names.split()
        }
        self.assertSame(found, expected, "methods: who calls them")

    def test_nobody_calls_a_method_by_the_name_of_a_part(self):
        """The parts of a model are models of their own for RPC."""
        ids = self.alias_bob.ids
        problems = []
        for role in self.each_role():
            for model in self.env.registry.values():
                if not model._abstract or not self._is_ours(model):
                    continue
                for method in self.get_methods(model):
                    answer = self.ask(model._name, method, ids)
                    if answer != "-":
                        problems.append(f"{role} {model._name}.{method}: {answer}")
        self.assertFalse(problems, "\n".join(problems))

    def test_routes_answer_whom_they_should(self):
        found = {}
        thread = threading.current_thread()
        self.enterContext(
            patch.object(thread, "dbname", self.env.cr.dbname, create=True)
        )
        for rule in self.env["ir.http"].routing_map().iter_rules():
            function = inspect.unwrap(rule.endpoint.func)
            if function.__module__.startswith(PACKAGE):
                found[rule.rule] = ""
        for role in self.each_role():
            for route in found:
                url = route.replace("<string:key>", "google")
                answer = self.url_open(url, allow_redirects=False)
                place = answer.headers.get("Location", "")
                is_let_in = answer.status_code == 303 and "/web/login" not in place
                found[route] += role if is_let_in else ""
        self.assertSame(found, ROUTES, "routes: who gets an answer")
