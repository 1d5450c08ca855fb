"""Every hook this add-on has on code of others, so that none vanishes in silence.

A hook that core drops or reshapes raises no error by itself: our method is then
simply not called any more, and mail leaves by another way. Each row says what the
hook is for, which is what whoever repairs it needs to know.
"""

import functools
import imaplib
import importlib
import inspect
import json
import logging
import re
import signal
import smtplib
from pathlib import Path
from unittest.mock import patch

import msal
from imapclient import IMAPClient
from requests.adapters import HTTPAdapter

from odoo import http
from odoo.models import BaseModel
from odoo.service import server
from odoo.tests import BaseCase, TransactionCase, tagged
from odoo.tools.misc import file_path

from .common_hooks import (
    ADDON,
    HookCase,
    describe,
    find_definition,
    get_name,
    get_subclasses,
    is_ours,
    is_own_model,
    note_methods,
    sort_by_origin,
)
from .core_hooks import (
    CONTROLLER_HOOKS,
    LIBRARY_ATTRIBUTES,
    LIBRARY_HOOKS,
    MODEL_HOOKS,
    OFFERED_TO_APPS,
    SCRIPT_HOOKS,
    WORDS_OF_CORE,
)

# Many of core's dialogues inherit it; what it overrides of all models has one row.
DIALOGUE = "user.email.alias.dialogue"

# Loggers of libraries that write secrets at level DEBUG and are filtered by name.
SECRET_LOGGERS = (
    ("requests_oauthlib.oauth2_session", "client secret, code and all tokens"),
    ("google.auth.transport.requests", "the answer of the token endpoint"),
    ("msal.token_cache", "authorization code and code verifier"),
    ("msal.application", "the provider's description of an error"),
    ("odoo.service.model", "parameters of each call, a typed password among them"),
)

LIBRARIES = (imaplib.IMAP4, IMAPClient, smtplib.SMTP, HTTPAdapter)

# A method or getter of a class or of a patch.
SCRIPT_MEMBER = re.compile(
    r"^ {4}(?:async )?((?:get )?\w+)\((?:.*\{ *\}?)?$", re.MULTILINE
)


@functools.cache
def _get_source(package):
    """All Python, XML and scripts of a package, without its tests."""
    folder = Path(importlib.import_module(package).__path__[0])
    return "\n".join(
        path.read_text("utf-8")
        for path in folder.rglob("*")
        if path.suffix in (".py", ".xml", ".js") and "tests" not in path.parts
    )


def _has_attribute(cls, name):
    """Whether a class or what its methods set has an attribute."""
    pattern = rf"\bself\.{name}\b"
    return hasattr(cls, name) or bool(re.search(pattern, inspect.getsource(cls)))


def _get_script_members(text):
    """Map each method and getter of a script to its text."""
    starts = list(SCRIPT_MEMBER.finditer(text))
    ends = [match.start() for match in starts[1:]] + [len(text)]
    return {
        match[1]: text[match.start() : end]
        for match, end in zip(starts, ends, strict=False)
    }


@tagged("post_install", "-at_install", "user_email_alias")
class TestModelHooks(HookCase, TransactionCase):
    def test_models_override_core_as_the_table_says(self):
        self.assertHooks(MODEL_HOOKS, self._find_hooks())

    def _find_hooks(self):
        found = {}
        for name, model in self.env.registry.items():
            if name == DIALOGUE:
                continue
            # without pool: a class as it is written, not one the registry made
            classes = [c for c in model.mro() if not getattr(c, "pool", None)]
            for place, cls in enumerate(classes):
                if is_ours(cls) and (cls._name == name or is_own_model(cls._name)):
                    others = sort_by_origin(name, classes[place:])
                    owner = DIALOGUE if cls._name == DIALOGUE else name
                    note_methods(found, owner, cls, others)
        return found

    def test_core_still_uses_what_models_override(self):
        """A method that core keeps and calls no more is lost as silently."""
        hooks = self._find_hooks()
        problems = []
        for model, method, _params, why in MODEL_HOOKS:
            _ours, others = hooks.get((model, method), ((), ()))
            definition = find_definition(others, method)
            is_offered = (model, method) in OFFERED_TO_APPS
            if not definition or hasattr(BaseModel, method) or is_offered:
                continue  # the table's other test says so; the ORM itself calls it
            package = ".".join(definition.__module__.split(".")[:3])
            # a call, a name in quotes as in ``compute=``, but no call of ``super()``
            use = rf"""(?<!super\(\))[.'"]{method}\b"""
            # the mail server is base's, and mail uses it
            sources = _get_source(package) + _get_source("odoo.addons.mail")
            if not re.search(use, sources):
                problems.append(f"{model}.{method}: {package} uses it no more. {why}")
        self.assertNone(problems)

    def test_a_job_that_works_can_still_say_so(self):
        field = self.env["ir.cron.progress"]._fields.get("timed_out_counter")
        self.assertTrue(field, "the queue's run resets ir.cron.progress of it")
        self.assertEqual(field.type, "integer")

    def test_core_lets_the_built_message_through(self):
        """The message leaves core's `_send` as a `BaseException`, caught by nobody."""
        for name, method in (("mail.mail", "_send"), ("ir.mail_server", "send_email")):
            classes = self.env.registry[name].mro()
            core = [c for c in classes if not is_ours(c)]
            source = inspect.getsource(find_definition(core, method))
            with self.subTest(model=name, method=method):
                self.assertNotRegex(source, r"except\s*:|except BaseException")


@tagged("post_install", "-at_install", "user_email_alias")
class TestCodeHooks(HookCase):
    def test_controllers_override_core_as_the_table_says(self):
        found = {}
        for cls in filter(is_ours, get_subclasses(http.Controller)):
            for parent in cls.mro()[1:]:
                if not is_ours(parent) and parent is not object:
                    note_methods(found, get_name(parent), cls, [parent])
        self.assertHooks(CONTROLLER_HOOKS, found)

    def test_classes_override_libraries_as_the_table_says(self):
        found = {}
        for library in LIBRARIES:
            for cls in filter(is_ours, get_subclasses(library)):
                note_methods(found, get_name(library), cls, [library])
        self.assertHooks(LIBRARY_HOOKS, found)

    def test_libraries_have_the_attributes_ours_uses(self):
        rows = {row[:2] for row in (*LIBRARY_HOOKS, *LIBRARY_ATTRIBUTES)}
        texts = {
            library: "".join(
                map(inspect.getsource, filter(is_ours, get_subclasses(library)))
            )
            for library in LIBRARIES
        }
        problems = [
            f"{get_name(library)}.{name}: ours uses it, or has another of this name, "
            "and the table has no row."
            for library, text in texts.items()
            for name in sorted(set(re.findall(r"\bself\.(_\w+)", text)))
            if (library, name) not in rows and _has_attribute(library, name)
        ]
        for library, name, why in LIBRARY_ATTRIBUTES:
            if not _has_attribute(library, name):
                problem = "the library does not have it any more"
            elif not re.search(rf"\b{name}\b", texts[library]):
                problem = "nothing of ours uses it any more"
            else:
                continue
            problems.append(f"{get_name(library)}.{name}: {problem}. It {why}.")
        self.assertNone(problems)

    def test_core_still_has_the_words_ours_depends_on(self):
        self.assertNone(
            f"{module}: {text!r} is not in its source any more. {why}"
            for module, text, why in WORDS_OF_CORE
            if text not in inspect.getsource(importlib.import_module(module))
        )

    def test_loggers_that_write_secrets_are_filtered(self):
        problems = []
        for name, secret in SECRET_LOGGERS:
            logger = logging.getLogger(name)
            if logger not in vars(importlib.import_module(name)).values():
                problems.append(f"{name}: logs by another name now: {secret}")
            if not any(map(is_ours, logger.filters)):
                problems.append(f"{name}: nothing of ours filters it: {secret}")
        self.assertNone(problems)

    def test_imaplib_still_words_bad_as_ours_reads_it(self):
        connection = object.__new__(imaplib.IMAP4)
        answer = ("BAD", [b"unknown command"])
        with (
            patch.object(connection, "_check_bye", create=True),
            patch.object(connection, "_get_tagged_response", return_value=answer),
            self.assertRaisesRegex(
                imaplib.IMAP4.error, r"command error: BAD \[b'unknown command'\]$"
            ),
        ):
            connection._command_complete("NOOP", b"A1")

    def test_msal_still_serialises_its_cache_as_ours_reads_it(self):
        cache = msal.SerializableTokenCache()
        tokens = {"access_token": "a", "refresh_token": "r", "expires_in": 60}
        cache.add(
            {
                "client_id": "client",
                "scope": ["scope"],
                "token_endpoint": "https://login.example.com/tenant/oauth2/v2.0/token",
                "response": tokens,
            }
        )
        content = json.loads(cache.serialize())
        (access,) = content["AccessToken"].values()
        (refresh,) = content["RefreshToken"].values()
        self.assertEqual(access["secret"], "a")
        self.assertGreater(int(access["expires_on"]), 0)
        self.assertEqual(refresh["secret"], "r")
        self.assertGreater(int(refresh["last_modification_time"]), 0)


@tagged("post_install", "-at_install", "user_email_alias")
class TestServerHooks(BaseCase):
    """A run ends in time because Odoo's server objects tell it that they end."""

    def test_a_function_can_be_called_when_the_server_stops(self):
        on_stop = inspect.getattr_static(server.CommonServer, "on_stop", None)
        self.assertIsInstance(on_stop, classmethod)
        self.assertEqual(describe(on_stop.__func__), "cls, func")
        calls = []
        with patch.object(server.CommonServer, "_on_stop_funcs", []):
            server.CommonServer.on_stop(lambda: calls.append("stopped"))
            object.__new__(server.CommonServer).stop()
        self.assertEqual(calls, ["stopped"])

    def test_a_worker_told_to_stop_is_not_alive(self):
        self.assertIn("self.alive = True", inspect.getsource(server.Worker.__init__))
        worker = object.__new__(server.Worker)
        worker.alive = True
        worker.signal_handler(signal.SIGINT, None)
        self.assertIs(worker.alive, False)

    def test_a_threaded_server_told_to_stop_counts_the_signal(self):
        self.assertIn(
            "self.quit_signals_received = 0",
            inspect.getsource(server.ThreadedServer.__init__),
        )
        threaded = object.__new__(server.ThreadedServer)
        threaded.quit_signals_received = 0
        with self.assertRaises(KeyboardInterrupt):
            threaded.signal_handler(signal.SIGINT, None)
        self.assertEqual(threaded.quit_signals_received, 1)

    def test_the_handler_of_sigint_belongs_to_the_server_object(self):
        for owner in (server.ThreadedServer, server.PreforkServer, server.Worker):
            with self.subTest(owner=owner.__name__):
                self.assertIn(
                    "signal.signal(signal.SIGINT, self.signal_handler)",
                    inspect.getsource(owner),
                )


@tagged("post_install", "-at_install", "user_email_alias")
class TestScriptHooks(HookCase):
    def test_scripts_override_core_as_the_table_says(self):
        folder = Path(file_path(f"{ADDON}/static/src"))
        found = {
            (str(path.relative_to(folder)), member)
            for path in folder.rglob("*.js")
            for member, text in _get_script_members(path.read_text("utf-8")).items()
            if "super." in text
        }
        table = {
            (script, member): core_script
            for script, core_script, members in SCRIPT_HOOKS
            for member in members
        }
        problems = [
            f"{script}: {member} calls `super` and the table has no row."
            for script, member in found - table.keys()
        ]
        for (script, member), core_script in table.items():
            if (script, member) not in found:
                problems.append(f"{script}: {member} calls no `super` any more.")
            core = _get_script_members(Path(file_path(core_script)).read_text("utf-8"))
            if member not in core:
                problems.append(f"{script}: {member} is not in {core_script} any more.")
        self.assertNone(problems)
