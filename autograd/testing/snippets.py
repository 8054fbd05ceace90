"""Code that fails as a test did: what a failure of ``gradtest`` prints, to be pasted and run.

A function that its module has under a name is imported, be it as it is or inside the test made of it; the source of any
other one is written out, without what it may take from around it.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

from autograd.testing.code import file_of, import_line, module_of
from autograd.testing.expression import Expression
from autograd.testing.networks import MLP

#: The options of ``assert_grads`` that are not written.
_DEFAULTS = {"order": 1, "grad": None, "tolerance": 1.0, "rtol": 0.0, "atol": 0.0, "allow": ()}


def snippet(
    function: Callable[..., Any], arguments: Mapping[str, Any], moving: list[str], options: Mapping[str, Any]
) -> str:
    """The imports, the formulas that were drawn, and one call of ``assert_grads``.

    Args:
        arguments: all that the function was given, by name; ``moving`` are the names of those that are differentiated.
        options: of ``assert_grads``.
    """
    imports, blocks = ["import autograd"], []
    found = _name_of(function)
    if found is None:
        name = function.__name__ if function.__name__.isidentifier() else "f"
        blocks.append(_source_of(function, name))
        grad = getattr(options["grad"], "__name__", "")
    else:
        name, test = found, found.removesuffix(".function")
        imports.append(f"from {module_of(function)} import {found.partition('.')[0]}  # {file_of(function)}")
        grad = f"{test}.grad"
    texts = {}
    for argument, given in arguments.items():
        texts[argument] = argument if argument in moving or isinstance(given, Expression | MLP) else repr(given)
        if isinstance(given, Expression | MLP):
            needed, _, body = given.code(argument).partition("\n\n")
            imports += [line for line in needed.splitlines() if line not in imports]
            blocks.append(body)
    parameters = list(inspect.signature(function).parameters)
    if parameters[:1] == ["self"] and found is not None:
        texts["self"] = f"{found.partition('.')[0]}()"
    if parameters != moving:
        given_by_name = ", ".join(f"{parameter}={texts[parameter]}" for parameter in parameters if parameter in texts)
        name = f"lambda {', '.join(moving)}: {name}({given_by_name})"
    chosen = [
        f"{option}={grad if option == 'grad' else repr(options[option])}"
        for option, default in _DEFAULTS.items()
        if options[option] != default
    ]
    call = f"autograd.assert_grads({', '.join([name, *(repr(arguments[x]) for x in moving), *chosen])})"
    return "\n\n".join(["\n".join(imports), *blocks, call])


def _name_of(function: Callable[..., Any]) -> str | None:
    """What the function, or the test made of it, is called in its module; ``None`` if it is inside another function."""
    module = sys.modules.get(function.__module__)
    for name in (function.__qualname__, *(vars(module) if module else ())):
        try:
            there = attrgetter(name)(module)
        except AttributeError:
            continue
        if there is function:
            return str(name)
        if getattr(there, "function", None) is function:
            return f"{name}.function"
    return None


def _source_of(function: Callable[..., Any], name: str) -> str:
    """The function as it was written, without its decorators; a comment where there is no source."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return import_line(module_of(function), function.__qualname__)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == function.__name__:
            node.decorator_list = []
            return ast.unparse(node)
        if isinstance(node, ast.Lambda):
            return f"{name} = {ast.unparse(node)}"
    return import_line(module_of(function), function.__qualname__)
