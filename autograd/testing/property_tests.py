"""``gradtest``: the derivatives of a function, checked at drawn points; what fails is printed as code to run.

The checking itself is that of ``autograd.check_grads``; here points are drawn, and a failure is made into a snippet.
"""

from __future__ import annotations

import ast
import functools
import inspect
import os
import sys
import textwrap
from collections.abc import Callable, Collection, Mapping
from operator import attrgetter
from typing import Any

from hypothesis import Phase, given, reject, settings
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from autograd import GradientMismatch, check_grads
from autograd.testing.code import import_line
from autograd.testing.expression import Expression
from autograd.testing.networks import MLP


#: Where Hypothesis keeps the settings of a test that has none of its own.
_SETTINGS = "_hypothesis_internal_use_settings"
#: A deadline is for the function, but what takes the time here are the differences; and an explanation would trace the
#: lines of the checker, tens of times slower, to tell which of them every failure runs.
_BETTER: dict[str, Any] = {"deadline": None, "phases": [phase for phase in Phase if phase is not Phase.explain]}


def gradtest(
    *,
    order: int = 1,
    grad: Callable[..., Any] | None = None,
    tolerance: float = 1.0,
    rtol: float = 0.0,
    atol: float = 0.0,
    allow: Collection[str] = (),
    **strategies: st.SearchStrategy[Any],
) -> Callable[[Callable[..., Any]], Callable[..., None]]:
    """A decorator that makes a property test of a function: its derivatives agree with differences at drawn points.

    >>> from autograd.testing import gradtest, reals
    >>> @gradtest(x=reals(-3, 3), y=reals(min_value=0.1))
    ... def test_quotient(x, y):
    ...     return x * x / y
    >>> test_quotient()

    The function takes drawn arguments by name and returns one Value. Floats, and lists, tuples and dicts of floats, are
    differentiated; everything else (an int, a formula from ``expressions``) is passed as it is. A point at a kink passes
    if the derivative lies between the slopes on both sides; one where no difference can tell is drawn anew, and
    Hypothesis complains if that is most of them.

    pytest and unittest collect the test by its name, which begins with ``test``; of a function of another name,
    ``test_f = gradtest(x=reals())(f)`` makes one. ``settings``, ``example`` and ``seed`` of Hypothesis work above and
    below the decorator, in classes too. ``.function`` is the function as it was written.

    Args:
        strategies: argument name → strategy. Arguments left out are the caller's: ``self``, fixtures of pytest.
        order: 2 and 3 check the derivatives of the derivatives too.
        grad: takes the same arguments and returns derivatives to check in place of the engine's: one number, or a tuple
            with one for each differentiated argument.
        tolerance, rtol, atol, allow: as those of ``autograd.check_grads``.

    Raises:
        InvalidArgument: an option or a strategy is not what it must be.
        GradientMismatch: when run: a derivative is wrong. The text has the report and code that fails in the same way.
    """
    if order not in (1, 2, 3):
        raise InvalidArgument(f"order={order!r} must be 1, 2 or 3; an argument called order must take another name")
    if grad is not None and (not callable(grad) or isinstance(grad, st.SearchStrategy)):
        raise InvalidArgument(f"grad={grad!r} must be a function that returns the derivatives")
    if not strategies:
        raise InvalidArgument("gradtest needs a strategy for each argument: @gradtest(x=reals(-3, 3))")
    for name, strategy in strategies.items():
        if not isinstance(strategy, st.SearchStrategy):
            raise InvalidArgument(f"{name}={strategy!r} must be a strategy, such as reals(-3, 3)")
    options: dict[str, Any] = {"order": order, "grad": grad, "tolerance": tolerance, "rtol": rtol, "atol": atol}
    options["allow"] = (allow,) if isinstance(allow, str) else tuple(allow)

    def decorate(function: Callable[..., Any]) -> Callable[..., None]:
        if not callable(function) or inspect.isclass(function):
            raise InvalidArgument(f"gradtest makes a test of a function, not of {function!r}")

        @functools.wraps(function)
        def test(**arguments: Any) -> None:
            __tracebackhide__ = True
            _check(function, arguments, list(strategies), options)

        made: Any = given(**strategies)(test)
        if not hasattr(function, _SETTINGS):
            setattr(made, _SETTINGS, settings(getattr(made, _SETTINGS, None), **_BETTER))
        made.function = function
        made.grad = grad
        return made  # type: ignore[no-any-return]

    return decorate


def _check(
    function: Callable[..., Any],
    arguments: dict[str, Any],
    drawn: list[str],
    options: dict[str, Any],
) -> None:
    """Check one point; a failure comes with its snippet."""
    __tracebackhide__ = True
    moving = [name for name in arguments if name in drawn and _is_numbers(arguments[name])]
    if not moving:
        raise InvalidArgument(
            f"{function.__name__} has nothing to differentiate: of {', '.join(drawn)}, none was drawn as a float or as a "
            "list of floats"
        )

    def with_inputs(f: Callable[..., Any], fixed: Mapping[str, Any]) -> Callable[..., Any]:
        @functools.wraps(f, updated=())
        def of_inputs(*inputs: Any) -> Any:
            return f(**fixed, **dict(zip(moving, inputs, strict=True)))

        return of_inputs

    grad = options["grad"]
    fixed = {name: drawn for name, drawn in arguments.items() if name not in moving}
    report = check_grads(
        with_inputs(function, fixed),
        *[arguments[name] for name in moving],
        names=moving,
        **{
            **options,
            "grad": None
            if grad is None
            else with_inputs(grad, {name: x for name, x in fixed.items() if name in drawn}),
        },
    )
    if report.ok:
        return
    failing = {entry.verdict for entry in report if not entry.passes}
    if failing == {"ill-conditioned"} and all(edge.passes for edge in report.guilty):
        reject()
    raise _Mismatch(report, _snippet(function, arguments, moving, options))


class _Mismatch(GradientMismatch):
    """The report, and below it the code."""

    def __init__(self, report: Any, snippet: str) -> None:
        super().__init__(report)
        self.snippet = snippet

    def __str__(self) -> str:
        return f"{super().__str__()}\n\nTo see this again, run:\n\n{textwrap.indent(self.snippet, '    ')}\n"


def _is_numbers(x: Any) -> bool:
    """Whether it is a float, or holds floats alone and at least one."""
    if isinstance(x, dict):
        x = list(x.values())
    if isinstance(x, list | tuple):
        return bool(x) and all(map(_is_numbers, x))
    return isinstance(x, float)


def _snippet(
    function: Callable[..., Any],
    arguments: Mapping[str, Any],
    moving: list[str],
    options: Mapping[str, Any],
) -> str:
    """Code that fails as the test did: the imports, the formulas that were drawn, and one call of ``assert_grads``."""
    module = _module_of(function)
    lines = ["import autograd"]
    found = _name_of(function)
    if found is None:
        name = function.__name__ if function.__name__.isidentifier() else "f"
        lines += ["", *_source_of(function, name), ""]
        call = name
    else:
        lines.append(f"from {module} import {found.partition('.')[0]}  # from the folder of {_place_of(function)}")
        call = found
    fixed = [name for name in arguments if name not in moving]
    for name in fixed:
        drawn = arguments[name]
        if isinstance(drawn, Expression | MLP):
            imports, _, body = drawn.code(name).partition("\n\n")
            lines += [line for line in imports.splitlines() if line not in lines]
            lines += ["", body, ""]
    parameters = list(inspect.signature(function).parameters)
    if parameters != moving:
        owner = call.removesuffix(".function").rpartition(".")[0]
        is_method = parameters[:1] == ["self"] and owner
        texts = {name: f"{owner}()" if is_method and name == "self" else _text(name, arguments[name]) for name in fixed}
        given_by_name = ", ".join(f"{name}={texts.get(name, name)}" for name in parameters if name in arguments)
        call = f"lambda {', '.join(moving)}: {call}({given_by_name})"
    inputs = [repr(arguments[name]) for name in moving]
    texts = [call, *inputs, *_option_texts(function, found, options)]
    return "\n".join([*lines, "" if lines[-1] else "", f"autograd.assert_grads({', '.join(texts)})"]).replace(
        "\n\n\n", "\n\n"
    )


def _option_texts(function: Callable[..., Any], found: str | None, options: Mapping[str, Any]) -> list[str]:
    texts = []
    defaults = {"order": 1, "grad": None, "tolerance": 1.0, "rtol": 0.0, "atol": 0.0, "allow": ()}
    for name, default in defaults.items():
        if options[name] != default:
            text = repr(options[name])
            if name == "grad":
                text = f"{found.removesuffix('.function')}.grad" if found else options[name].__name__
            texts.append(f"{name}={text}")
    return texts


def _text(name: str, drawn: Any) -> str:
    return name if isinstance(drawn, Expression | MLP) else repr(drawn)


def _place_of(function: Callable[..., Any]) -> str:
    return os.path.basename(function.__code__.co_filename)


def _module_of(function: Callable[..., Any]) -> str:
    """The name under which the function's module can be imported; that of a file that was run is the file's."""
    name = function.__module__
    return os.path.splitext(_place_of(function))[0] if name == "__main__" else name


def _name_of(function: Callable[..., Any]) -> str | None:
    """What the function, or the test made of it, is called in its module; ``None`` if it is inside another function."""
    module = sys.modules.get(function.__module__)
    names = [function.__qualname__, *(vars(module) if module else ())]
    for name in names:
        try:
            there = attrgetter(name)(module)
        except AttributeError:
            continue
        if there is function:
            return name
        if getattr(there, "function", None) is function:
            return f"{name}.function"
    return None


def _source_of(function: Callable[..., Any], name: str) -> list[str]:
    """The function as it was written, without its decorators."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return [import_line(_module_of(function), function.__qualname__)]
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == function.__name__:
            node.decorator_list = []
            return ast.unparse(node).splitlines()
        if isinstance(node, ast.Lambda):
            return [f"{name} = {ast.unparse(node)}"]
    return [import_line(_module_of(function), function.__qualname__)]
