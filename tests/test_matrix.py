"""Who may do what, asked over RPC for all that there is; see matrix.py."""

import inspect
import threading
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged

from .common_matrix import PACKAGE, MatrixCase
from .matrix import METHODS, MODELS, PLAIN, ROUTES


def flatten(expectations):
    """The expectations as "model.name" -> rights."""
    return {
        f"{model}.{name}": rights
        for model, groups in expectations.items()
        for rights, names in groups.items()
        for name in names.split()
    }


@tagged("post_install", "-at_install", "user_email_alias")
class TestMatrix(MatrixCase):
    def assertSame(self, found, expected, what):
        """Name what is new, what has gone, and what has changed."""
        problems = [
            f"{key}: found {found.get(key, 'nothing')!r}, expected "
            f"{expected.get(key, 'nothing')!r}"
            for key in sorted(found.keys() | expected.keys())
            if found.get(key) != expected.get(key)
        ]
        self.assertFalse(problems, "\n".join([what, *problems]))

    def test_everything_there_is_is_asked_about(self):
        """Name at once what a change has to say something about, here or there."""
        models, methods = self.get_models(), self.get_all_methods()
        there = {
            "field": {f"{m}.{name}" for m, names in models.items() for name in names},
            "method": {f"{m}.{name}" for m, names in methods.items() for name in names},
            "model": set(filter(self._is_named_ours, models)),
        }
        known = {
            "field": flatten(MODELS).keys(),
            "method": flatten(METHODS).keys(),
            "model": PLAIN.keys(),
        }
        problems = [
            f"{model}: no record, see common_matrix.py"
            for model in sorted(models.keys() | methods.keys())
            if not self.records.get(model)
        ]
        for what, names in there.items():
            for name in sorted(names ^ known[what]):
                lack = "no expectation" if name in names else "is not there any more"
                problems.append(f"{what} {name}: {lack}, see matrix.py")
        self.assertFalse(problems, "\n".join(problems))

    def test_fields_are_read_and_written_by_whom_they_should(self):
        found = {}
        for role in self.each_role():
            for model, names in self.get_asked().items():
                readable = self._read(model, names)
                is_open = self.ask(model, "write", self.records[model].ids, {}) == "y"
                for name in names:
                    read, written = found.setdefault(f"{model}.{name}", ["", ""])
                    read += role if name in readable else ""
                    is_written = is_open and self._is_written(model, name)
                    written += role if is_written else ""
                    found[f"{model}.{name}"] = [read, written]
        found = {key: "/".join(rights) for key, rights in found.items()}
        self.assertSame(found, flatten(MODELS), "fields: who reads / who writes")

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
        field = self.env[model]._fields[name].base_field
        if not field.store and not field.inverse:
            return False
        vals = {name: self.get_sample(field)}
        answer = self.ask(model, "write", self.records[model].ids, vals)
        self.assertIn(answer, "yc-", f"{model}.{name}")
        return answer == "y" or (answer == "c" and not field.relational)

    def test_records_are_made_and_deleted_by_whom_they_should(self):
        found = {}
        for role in self.each_role():
            for model in filter(self._is_named_ours, self.get_asked()):
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
            for model, methods in self.get_all_methods().items():
                for method in methods if model in self.records else []:
                    key = f"{model}.{method}"
                    answer = self.ask(model, method, *self.get_arguments(model, method))
                    self.assertIn(answer, "yc-", key)
                    found[key] = found.get(key, "") + (role if answer != "-" else "")
        self.assertSame(found, flatten(METHODS), "methods: who calls them")

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
