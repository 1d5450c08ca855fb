# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""The table of commands: one module of `devtools.commands` each.

A command module has a docstring whose first line is its help, and a function
`run(arguments: list[str]) -> int`. It runs inside the environment's own Python.
"""

import importlib
import importlib.util
import os
import pkgutil
import sys

from . import commands
from .console import DevError, say
from .paths import PYTHON, ROOT, VENV

_INSIDE = "USER_EMAIL_ALIAS_DEV"


def main(arguments: list[str]) -> int:
    """Run one command; return the exit status."""
    names = sorted(module.name for module in pkgutil.iter_modules(commands.__path__))
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(_usage(names))
        return 0
    name, *rest = arguments
    if name not in names:
        say(f"./dev knows no command {name!r}.\n\n{_usage(names)}")
        return 2
    try:
        if not _is_inside():
            from . import environment

            environment.ensure()
            _enter(arguments)
        return _module(name).run(rest)
    except DevError as error:
        say(f"./dev {name}: {error}")
        return 1
    except KeyboardInterrupt:
        return 130


def _is_inside() -> bool:
    return os.environ.get(_INSIDE) == str(ROOT) and sys.prefix == str(VENV)


def _enter(arguments: list[str]) -> None:
    """Start again with the environment's Python, which has Odoo and the rest."""
    path = os.pathsep.join([str(VENV / "bin"), os.environ.get("PATH", os.defpath)])
    environ = {**os.environ, _INSIDE: str(ROOT), "PATH": path, "PYTHONUNBUFFERED": "1"}
    os.execve(PYTHON, [str(PYTHON), str(ROOT / "dev"), *arguments], environ)


def _module(name: str):
    return importlib.import_module(f"{commands.__name__}.{name}")


def _usage(names: list[str]) -> str:
    lines = ["Usage: ./dev COMMAND [ARGUMENTS]", ""]
    for name in names:
        spec = importlib.util.find_spec(f"{commands.__name__}.{name}")
        with open(spec.origin, encoding="utf-8") as file:
            source = file.read()
        help_line = source.partition('"""')[2].partition("\n")[0].strip('"')
        lines.append(f"  {name:12} {help_line}")
    lines += ["", "Everything is prepared below .dev/ on first use."]
    return "\n".join(lines)
