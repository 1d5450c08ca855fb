"""What a hook on code of others is: whose it is, and whether it still fits."""

import inspect

from odoo.tests import BaseCase

ADDON = "user_email_alias"
PACKAGE = f"odoo.addons.{ADDON}"
OWN_MODEL = "user.email.alias"

# Models whose methods every model has; ours may have them their own way.
COMMON_MODELS = (None, "base")

BY_PLACE_OR_NAME = inspect.Parameter.POSITIONAL_OR_KEYWORD


def is_ours(thing):
    """Whether a class or function is this add-on's; its tests have other hooks."""
    module = f"{thing.__module__}."
    return module.startswith(f"{PACKAGE}.") and ".tests." not in module


def is_own_model(name):
    return f"{name}.".startswith(f"{OWN_MODEL}.")


def get_name(owner):
    """The name of a model, or of a class."""
    if isinstance(owner, str):
        return owner
    return f"{owner.__module__}.{owner.__qualname__}"


def get_function(value):
    """The function behind what stands in a class body; None for anything else."""
    if isinstance(value, property):
        return value.fget
    if isinstance(value, classmethod | staticmethod):
        return value.__func__
    return value if inspect.isfunction(value) else None


def find_definition(classes, method):
    """What the first of the classes that defines a method has; None if none does."""
    found = (get_function(vars(cls).get(method)) for cls in classes)
    return next(filter(None, found), None)


def note_methods(found, owner, cls, others):
    """Add what a class of ours defines, beside the classes it may override."""
    for name, value in vars(cls).items():
        if get_function(value) and name != "__init__":
            found.setdefault((owner, name), ([], others))[0].append(cls)


def sort_by_origin(model_name, classes):
    """The classes of others, first those that say what a model's method is like.

    That is the oldest class of the model itself: which add-ons have extended it since
    depends on what is installed. What all models have counts for core's models only.
    """
    others = [cls for cls in classes if not is_ours(cls)]
    names = {cls: getattr(cls, "_name", None) for cls in others}
    own = [cls for cls in reversed(others) if names[cls] == model_name]
    common = [cls for cls in others if names[cls] in COMMON_MODELS]
    mixins = [cls for cls in others if cls not in own and cls not in common]
    return own + mixins + ([] if is_own_model(model_name) else common)


def describe(function):
    """Parameters as the tables have them: names, order and kind, no defaults."""
    signature = inspect.signature(function)
    return str(
        inspect.Signature(
            [
                param.replace(default=param.empty, annotation=param.empty)
                for param in signature.parameters.values()
            ]
        )
    )[1:-1]


def _get_calls(function):
    """Yield (args, kwargs) for each kind of call that a function accepts."""
    params = list(inspect.signature(function).parameters.values())
    by_place = [p for p in params if p.kind in (p.POSITIONAL_ONLY, BY_PLACE_OR_NAME)]
    by_name = [p for p in params if p.kind in (BY_PLACE_OR_NAME, p.KEYWORD_ONLY)]
    kinds = {param.kind for param in params}
    more = {"any_other": 0} if inspect.Parameter.VAR_KEYWORD in kinds else {}
    for count in range(1, len(by_place) + 1):
        rest = [p for p in by_name if p not in by_place[:count]]
        if all(p in rest or p.default is not p.empty for p in by_place[count:]):
            yield [0] * count, {p.name: 0 for p in rest if p.default is p.empty}
            yield [0] * count, {**{p.name: 0 for p in rest}, **more}
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        needed = [p for p in by_name if p not in by_place and p.default is p.empty]
        yield [0] * (len(by_place) + 1), {p.name: 0 for p in needed}


def _find_refused_call(ours, core):
    """A call that core's signature allows and ours does not, in words; or None."""
    signature = inspect.signature(ours)
    for args, kwargs in _get_calls(core):
        try:
            signature.bind(*args, **kwargs)
        except TypeError as error:
            names = ", ".join(kwargs) or "none"
            return f"{len(args)} by position, by name {names}: {error}"
    return None


def get_subclasses(cls):
    for child in cls.__subclasses__():
        yield child
        yield from get_subclasses(child)


class HookCase(BaseCase):
    def assertHooks(self, rows, found):
        """Compare a table with what there is, in both directions.

        :param rows: (owner, method, parameters, why)
        :param found: dict of (owner's name, method) -> (classes of ours that define
            the method, classes of others that may)
        """
        table = {(get_name(row[0]), row[1]): row[2:] for row in rows}
        self.assertEqual(len(table), len(rows), "a row stands twice")
        problems = []
        for (owner, method), (_ours, others) in found.items():
            definition = find_definition(others, method)
            if definition and (owner, method) not in table:
                problems.append(
                    f"{owner}.{method}: ours overrides it and the table has no row, "
                    f"core has ({describe(definition)})."
                )
        for (owner, method), (params, why) in table.items():
            ours, others = found.get((owner, method), ((), ()))
            problem = self._find_problem(method, params, ours, others)
            if problem:
                problems.append(f"{owner}.{method}: {problem}. {why}")
        self.assertNone(problems)

    def _find_problem(self, method, params, ours, others):
        """What is wrong with one row, in words; or None."""
        definition = find_definition(others, method)
        if not ours:
            return "nothing of ours overrides it any more"
        if not definition:
            return "core does not define it any more"
        actual = describe(definition)
        if actual != params:
            return f"core has ({actual}), the table ({params})"
        for cls in ours:
            own = get_function(vars(cls)[method])
            if refused := _find_refused_call(own, definition):
                return f"{cls.__module__} refuses what core allows, {refused}"
        return None

    def assertNone(self, problems):
        """Fail with all of them: a new version of core changes more than one thing."""
        if problems := sorted(problems):
            self.fail("\n".join(["", *problems]))
