"""A record in each model of ours, and a way to ask over RPC who may do what with it."""

import inspect

from odoo import fields, models
from odoo.tests.common import JsonRpcException

from ..models.user_email_alias_stale import STALE
from .common import AliasCommon
from .common_http import PatientHttpCase

ADDON = "user_email_alias"
PACKAGE = f"odoo.addons.{ADDON}."
BRIDGES = f"odoo.addons.{ADDON}_"

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


class MatrixCase(PatientHttpCase, AliasCommon):
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
        cls.arguments = {
            "email": "somebody@example.org",
            "name": "Somebody <somebody@example.org>",
        }
        cls.templates = {
            model: cls.env["mail.template"].create(
                {
                    "name": "Planned",
                    "model_id": cls.env["ir.model"]._get_id(model),
                    "subject": "Planned",
                    "body_html": "<p>Planned</p>",
                }
            )
            for model in cls.records
            if "activity_ids" in cls.env[model]
        }
        cls.env.flush_all()

    @classmethod
    def _create_records(cls):
        """A record of the owner's in each model: model -> record."""
        records = [
            *cls._create_own_models(),
            *cls._create_emails(),
            *cls._create_dialogues(),
            *cls._create_with_activities(),
        ]
        return {record._name: record.with_env(cls.env) for record in records}

    @classmethod
    def _create_own_models(cls):
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
        folder = own["user.email.alias.folder"].create(
            {"alias_id": alias.id, "line_ids": [(0, 0, {"name": "Sent"})]}
        )
        # what its owner decides on is refused to others, and not because it is early
        alias.sudo()._set_hold(STALE, "It has waited for long.")
        return [
            alias,
            cls.env["user.email.alias.event"].search([("alias_id", "=", alias.id)]),
            cls.env["user.email.alias.mailbox"].browse(incoming.id),
            cls.env["user.email.alias.attempt"].create(
                {"user": cls.owner.id, "attempted_at": 1.0}
            ),
            own["user.email.alias.cancel"].create({"alias_id": alias.id}),
            own["user.email.alias.setup"].create({}),
            cls.env["user.email.alias.provider"].create({"name": "Office"}),
            folder,
            folder.line_ids,
            incoming,
            cls.owner,
            cls.env["res.config.settings"].create({}),
        ]

    @classmethod
    def _create_emails(cls):
        """Written with the alias: to one, later, and to many."""
        alias = cls.alias_bob
        own = cls.env(user=cls.owner)
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
        mailing = cls.create_mailing(
            cls,
            cls.owner,
            email_alias_id=alias.id,
            ab_testing_enabled=True,
            campaign_id=own["utm.campaign"].create({"name": "Test"}).id,
        )
        return [
            message,
            mail,
            mailing,
            cls.env["user.email.alias.waiting"].browse(mail.id),
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
            cls.env["mail.message.schedule"].create(
                {"mail_message_id": message.id, "scheduled_datetime": later}
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
        ]

    @classmethod
    def _create_dialogues(cls):
        """What the owner has opened, or planned, in core."""
        own = cls.env(user=cls.owner)
        event = own["calendar.event"].create(
            {
                "name": "Interview",
                "start": "2030-01-01 10:00:00",
                "stop": "2030-01-01 11:00:00",
                "email_alias_id": cls.alias_bob.id,
            }
        )
        return [
            event,
            own["calendar.popover.delete.wizard"].create(
                {"calendar_event_id": event.id}
            ),
            own["mail.compose.message"].create(
                {"model": "crm.lead", "res_ids": str(cls.lead.ids)}
            ),
            own["mail.followers.edit"].create(
                {
                    "res_model": "crm.lead",
                    "res_ids": str(cls.lead.ids),
                    "partner_ids": cls.customer.ids,
                    "notify": True,
                }
            ),
        ]

    @classmethod
    def _create_with_activities(cls):
        """Core's models of which we change how they send what was planned."""
        model_id = cls.env["ir.model"]._get_id("crm.lead")
        action = {"name": "Nothing", "model_id": model_id, "code": "pass"}
        return [
            cls.lead,
            # has the address of the owner's alias, and may be merged into them
            cls.env["res.partner"].create(
                {"name": "Bob", "email": cls.alias_bob.sudo().email_from}
            ),
            # without groups core lets everybody run it
            cls.env["ir.actions.server"].create(
                {
                    **action,
                    "state": "code",
                    "group_ids": cls.env.ref("sales_team.group_sale_salesman").ids,
                }
            ),
            cls.env["ir.cron"].create({**action, "state": "code"}),
        ]

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
            if model._abstract or self._is_of_bridge(model):
                continue
            if names or self._is_ours(model):
                found[model._name] = names
        return found

    def get_asked(self):
        """As :meth:`get_models`, those with a record only."""
        return {m: names for m, names in self.get_models().items() if m in self.records}

    def get_all_methods(self):
        """The methods of ours to ask about: model -> names."""
        found = {
            model._name: self.get_methods(model)
            for model in self.env.registry.values()
            if not model._abstract
        }
        return {model: names for model, names in found.items() if names}

    @staticmethod
    def _is_ours(model):
        return model._original_module == ADDON

    def _is_named_ours(self, name):
        return self._is_ours(self.env.registry[name])

    @staticmethod
    def _is_of_bridge(model):
        """Whether a bridge gave the model its From, and we know nothing of it."""
        modules = [
            base.__module__
            for base in model.mro()
            if vars(base).get("_name") == model._name
        ]
        return any(name.startswith(BRIDGES) for name in modules) and not any(
            name.startswith(PACKAGE) for name in modules
        )

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
        given = {**self.arguments}
        if model in self.templates:
            given["template_id"] = self.templates[model].id
        return ids + [
            given.get(parameter.name, [])
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
