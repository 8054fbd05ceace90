"""``gradtest``: the derivatives of a function, checked at drawn points; what fails is printed as code to run.

The checking itself is that of ``autograd.check_grads``; here points are drawn, and a failure is made into a snippet.
"""

from __future__ import annotations

import functools
import inspect
import textwrap
from collections.abc import Callable, Collection, Mapping
from typing import Any

from hypothesis import Phase, given, reject, settings
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

import autograd
from autograd.testing.snippets import snippet

#: Where Hypothesis keeps the settings of a test that has none of its own.
_SETTINGS = "_hypothesis_internal_use_settings"
#: A deadline is for the function, but what takes the time here are the differences; and an explanation would trace the
#: lines of the checker, tens of times slower, to tell which of them every failure runs.
_BETTER: dict[str, Any] = {"deadline": None, "phases": [phase for phase in Phase if phase is not Phase.explain]}


# More than 60 lines: a decorator is a function in a function, and its options want their words.
def gradtest(
    *,
    order: int = 1,
    grad: Callable[..., Any] | None = None,
    tolerance: float = 1.0,
    rtol: float = 0.0,
    atol: float = 0.0,
    allow: Collection[str] = ("kink",),
    **strategies: st.SearchStrategy[Any],
) -> Callable[[Callable[..., Any]], Callable[..., None]]:
    """A decorator that makes a property test of a function: its derivatives agree with differences at drawn points.

    >>> from autograd.testing import gradtest, reals
    >>> @gradtest(x=reals(-3, 3), y=reals(min_value=0.1))
    ... def test_quotient(x, y):
    ...     return x * x / y
    >>> test_quotient()

    The function takes drawn arguments by name and returns one Value. Floats, and lists, tuples and dicts of floats, are
    differentiated; everything else (an int, a formula from ``expressions``) is passed as it is. A point at a kink
    passes; one where no difference can tell is drawn anew, and Hypothesis complains if that is most of them.

    pytest and unittest collect the test by its name, which begins with ``test``; of a function of another name,
    ``test_f = gradtest(x=reals())(f)`` makes one. ``settings``, ``example`` and ``seed`` of Hypothesis work above and
    below the decorator, in classes too; settings of your own best have ``deadline=None`` and leave out
    ``Phase.explain``, as the ones here do. ``.function`` is the function as it was written.

    Args:
        strategies: argument name → strategy. Arguments left out are the caller's: ``self``, fixtures of pytest.
        order: 2 and 3 check the derivatives of the derivatives too.
        grad: takes the same arguments and returns derivatives to check in place of the engine's: one number, or a tuple
            with one for each differentiated argument.
        tolerance, rtol, atol: as those of ``autograd.check_grads``.
        allow: verdicts of ``check_grads`` to let through. ``()`` is stricter than the default: where several kinks
            meet, as in ``relu(x) - relu(-x)`` at zero, their conventions need not add up to a slope, and that fails.

    Raises:
        InvalidArgument: an option or a strategy is not what it must be.
        GradientMismatch: when run: a derivative is wrong. The text has the report and code that fails in the same way.
    """
    options: dict[str, Any] = {"order": order, "grad": grad, "tolerance": tolerance, "rtol": rtol, "atol": atol}
    for name, option in [*options.items(), ("allow", allow)]:
        if isinstance(option, st.SearchStrategy):
            raise InvalidArgument(f"{name} is an option of gradtest; an argument called {name} must take another name")
    if order not in (1, 2, 3):
        raise InvalidArgument(f"order={order!r:.200} must be 1, 2 or 3")
    if grad is not None and not callable(grad):
        raise InvalidArgument(f"grad={grad!r:.200} must be a function that returns the derivatives")
    if not strategies:
        raise InvalidArgument("gradtest needs a strategy for each argument: @gradtest(x=reals(-3, 3))")
    for name, strategy in strategies.items():
        if not isinstance(strategy, st.SearchStrategy):
            raise InvalidArgument(f"{name}={strategy!r:.200} must be a strategy, such as reals(-3, 3)")
    options["allow"] = (allow,) if isinstance(allow, str) else tuple(allow)

    def decorate(function: Callable[..., Any]) -> Callable[..., None]:
        if not callable(function) or inspect.isclass(function):
            raise InvalidArgument(f"gradtest makes a test of a function, not of {function!r:.200}")

        @functools.wraps(function)
        def test(**arguments: Any) -> None:
            __tracebackhide__ = True
            _check(function, arguments, list(strategies), options)

        if not function.__name__.isidentifier():  # a lambda, whose name Hypothesis takes for the whole of its text
            test.__name__ = "test_of_a_lambda"
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
            f"{function.__name__} has nothing to differentiate: of {', '.join(drawn)}, none was drawn as a float "
            "or as a list of floats"
        )

    def with_inputs(f: Callable[..., Any], fixed: Mapping[str, Any]) -> Callable[..., Any]:
        @functools.wraps(f, updated=())
        def of_inputs(*inputs: Any) -> Any:
            return f(**fixed, **dict(zip(moving, inputs, strict=True)))

        return of_inputs

    grad = options["grad"]
    fixed = {name: drawn for name, drawn in arguments.items() if name not in moving}
    report = autograd.check_grads(
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
    failing = {entry.verdict for entry in report if not entry.passes} - set(options["allow"])
    if failing <= {"ill-conditioned"} and all(edge.passes for edge in report.guilty):
        if failing:
            reject()
        return
    raise GradientMismatch(report, snippet(function, arguments, moving, options))


class GradientMismatch(autograd.GradientMismatch):
    """A derivative failed its check at a drawn point; the text is the report, and below it code that fails too."""

    def __init__(self, report: Any, code: str) -> None:
        super().__init__(report)
        self.code = code

    def __str__(self) -> str:
        return f"{super().__str__()}\n\nTo see this again, run:\n\n{textwrap.indent(self.code, '    ')}\n"


def _is_numbers(x: Any) -> bool:
    """Whether it is a float, or holds floats alone and at least one."""
    if isinstance(x, dict):
        x = list(x.values())
    if isinstance(x, list | tuple):
        return bool(x) and all(map(_is_numbers, x))
    return isinstance(x, float)
