"""Code that fails as a test did: what a failure of ``gradtest`` prints, to be pasted and run.

A function that its module has under a name is imported, be it as it is or inside the test made of it; the source of any
other one is written out, without what it may take from around it.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from operator import attrgetter
from typing import Any

from autograd.testing.calls_as_code import file_of, import_line, module_of
from autograd.testing.expression import Expression
from autograd.testing.networks import MLP

#: What need not be written: the options of ``assert_grads``, and that ``gradtest`` lets kinks through.
_DEFAULTS = {"order": 1, "grad": None, "tolerance": 1.0, "rtol": 0.0, "atol": 0.0, "allow": ("kink",)}


def snippet(
    function: Callable[..., Any], arguments: Mapping[str, Any], moving: list[str], options: Mapping[str, Any]
) -> str:
    """The imports, the formulas that were drawn, and one call of ``assert_grads``.

    Args:
        arguments: all that the function was given, by name; ``moving`` are the names of those that are differentiated.
        options: of ``assert_grads``.
    """
    imports, blocks = ["import autograd"], []
    name, test = _name_of(function), _name_of_test(function)
    found = name or (f"{test}.function" if test else None)
    if found is None:
        call = function.__name__ if function.__name__.isidentifier() else "f"
        blocks.append(_source_of(function, call))
    else:
        call = found
        imports.append(_import_of(function, found))
    grad, of_grad = options["grad"], ""
    if grad is not None:
        of_grad = _name_of(grad) or (f"{test}.grad" if test else str(getattr(grad, "__name__", "grad")))
        line = _import_of(grad if _name_of(grad) else function, of_grad)
        if (_name_of(grad) or test) and line not in imports:
            imports.append(line)
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
        call = f"lambda {', '.join(moving)}: {call}({given_by_name})"
    chosen = [
        f"{option}={of_grad if option == 'grad' else repr(options[option])}"
        for option, default in _DEFAULTS.items()
        if options[option] != default
    ]
    operands = [call, *(repr(arguments[name]) for name in moving), *chosen]
    return "\n\n".join(["\n".join(imports), *blocks, f"autograd.assert_grads({', '.join(operands)})"])


def _import_of(function: Callable[..., Any], name: str) -> str:
    return f"from {module_of(function)} import {name.partition('.')[0]}  # {file_of(function)}"


def _name_of(function: Callable[..., Any]) -> str | None:
    """What the function is called in its module; ``None`` if it is not there as it was written."""
    return next((name for name, there in _candidates(function) if there is function), None)


def _name_of_test(function: Callable[..., Any]) -> str | None:
    """What the test made of a function is called in the function's module."""
    return next((name for name, there in _candidates(function) if getattr(there, "function", None) is function), None)


def _candidates(function: Callable[..., Any]) -> Iterator[tuple[str, Any]]:
    module = sys.modules.get(getattr(function, "__module__", None) or "")
    for name in (getattr(function, "__qualname__", ""), *(vars(module) if module else ())):
        try:
            yield name, attrgetter(name)(module)
        except AttributeError:
            continue


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
