"""``check_grads``, ``assert_grads``, ``check_graph``: is this gradient right, and if not, which node is to blame?

What they are made of is imported when they are first called, so that ``import autograd`` stays quick. The invariant:
nothing is changed by a check; no ``.grad`` is written, no leaf moved.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

from autograd.checking.report import VERDICTS, GradientMismatch, Report
from autograd.eager.operands import kind_of, plain
from autograd.interrupts import shielded

if TYPE_CHECKING:
    from autograd.checking.judging import Judge


# More than 60 lines: half of them tell what may be given and what the verdicts mean.
def check_grads(
    f: Callable[..., Any],
    *inputs: Any,
    grad: Callable[..., Any] | None = None,
    order: int = 1,
    tolerance: float = 1.0,
    rtol: float = 0.0,
    atol: float = 0.0,
    names: Sequence[str] | None = None,
    allow: Collection[str] = (),
    seed: int = 0,
    backends: Sequence[str] = ("numpy", "interpreter"),
) -> Report:
    """A report on every derivative of ``f`` at these inputs: the claimed value, the numeric one, and a verdict.

    >>> from autograd import tanh
    >>> check_grads(lambda x, w: tanh(w * x), 2.0, -0.5).ok
    True
    >>> report = check_grads(lambda x: x**3, 2.0, grad=lambda x: 2 * x**2)
    >>> print(report.summary())
    <lambda>: 1 of 1 derivatives fail (1 mismatch)
    >>> entry = report.entries[0]
    >>> entry.name, entry.analytic, round(entry.numeric, 6), entry.verdict
    ('x', 8.0, 12.0, 'mismatch')

    The tolerance is the estimated error of the numeric value, and half of the digits of a float for the rounding of the
    claimed one. Verdicts: ``agree``; ``mismatch``; ``kink``, where the slopes on both sides differ and the claimed
    value lies between them, which passes (outside of them is a mismatch), and where the conventions of kinks add up to
    another derivative, as those of ``abs(x)**2`` to a second one of 0, which fails; ``ill-conditioned``, where the
    error is too large to tell; ``outside the domain``; ``not finite``. The last three fail unless ``allow`` names them.
    The partials of users' own primitives are checked each by itself too, as one that is wrong need not show in the
    result. ``backward()``, ``grad`` and ``compile`` (where NumPy is there, and the function can be recorded), on
    each of the ``backends``, are asked for the engine's derivatives too; one that gives others, or another value, is
    named, and that is a mismatch. What it cannot tell: whether a derivative below some 1e-316 is right, which floats
    hold with less than half of their digits; a wrong one agrees there.

    Args:
        f: takes the inputs and returns one number, or several (each is then an output with derivatives of its own).
        inputs: numbers, Values (their numbers count), or nested lists, tuples and dicts of them; NumPy arrays. Without
            ``grad``, arrays reach ``f`` as nested lists of Values, as they do with ``autograd.grad``; with it, ``f``
            and ``grad`` get arrays of the same shape, in double precision.
        grad: takes the inputs and returns the derivatives, one structure like the input, or a tuple of one for each of
            several inputs; for several outputs the Jacobian, a row for each output. Anything that returns numbers,
            lists or arrays will do. The engine's own derivatives are checked without it.
        order: 2 and 3 also check the derivatives of the derivatives, by differences of those of the order below.
        tolerance: a factor on the estimated error.
        rtol, atol: what is allowed beyond it, as a part of the derivative and as such.
        names: what the inputs are called in the report; the names of ``f``'s arguments unless told.
        allow: verdicts to let through.
        seed: of the random directions along which derivatives are checked together.
        backends: those of ``compile`` that are asked; one that is not installed is left out. ``"machine"``, which takes
            longer, is asked if it is among them. None at all makes a check quicker.

    Raises:
        TypeError, ValueError: inputs, or what ``f`` or ``grad`` returned, are not as above; the place is named.
    """
    judge = _judge(tolerance, rtol, atol, allow)
    if order not in (1, 2, 3):
        raise ValueError(f"order is 1, 2 or 3; it is {order!r:.200}")
    if not callable(f):
        raise TypeError(f"check_grads takes a function and its inputs, not {kind_of(f)}; check_graph takes a Value")
    known = ("numpy", "interpreter", "machine")
    if isinstance(backends, str) or not {*backends} <= {*known}:
        raise ValueError(f"backends takes some of {', '.join(known)}, in a list; not {backends!r:.200}")
    name = getattr(f, "__name__", type(f).__name__)
    import random
    import warnings

    from autograd.checking.engine import check_engine
    from autograd.checking.inputs import Inputs
    from autograd.checking.outside import check_outside

    if not inputs:
        raise TypeError(f"check_grads needs the inputs at which {name} is checked: check_grads(f, x, y)")
    given = Inputs(inputs, names, f)
    infinite = [x_name for x_name, x in zip(given.names, given.numbers, strict=True) if not math.isfinite(x)]
    if infinite:
        return judge.nowhere(name, given.names, None, f"no step can be made from {', '.join(infinite)}")
    with shielded(warnings.catch_warnings()):
        warnings.simplefilter("ignore", RuntimeWarning)  # NumPy's, of the points that leave the domain
        if grad is None:
            return check_engine(f, given, name, order, judge, random.Random(seed), backends)
        return check_outside(f, given, name, grad, order, judge, random.Random(seed))


def assert_grads(f: Callable[..., Any], *inputs: Any, **options: Any) -> None:
    """Nothing, if every derivative of ``f`` at these inputs stands its check; the options are those of ``check_grads``.

    Raises:
        GradientMismatch: one does not; the text is the report.
    """
    report = check_grads(f, *inputs, **options)
    if not report.ok:
        raise GradientMismatch(report)


def check_graph(output: Any, *, tolerance: float = 1.0) -> Report:
    """A report on every edge of a graph, each partial checked alone; in time linear in the graph."""
    from autograd.checking.edges import guilty_edges
    from autograd.checking.recorded import NOT_CHECKED_APART, Recorded
    from autograd.nesting import take_apart
    from autograd.value import Value, active_nodes, refuse_if_stale

    outputs, _ = take_apart(output, "output")
    roots = [o for o in outputs if isinstance(o, Value)]
    if not roots:
        raise TypeError(f"check_graph takes a Value, or nested lists of them, not {kind_of(output)}")
    refuse_if_stale(active_nodes(roots))
    guilty, edges = guilty_edges(roots, tolerance)
    notes = [] if Recorded((), roots).has_formulas() else [NOT_CHECKED_APART]
    return Report("check_graph", (), guilty, edges, notes)


def _judge(tolerance: float, rtol: float, atol: float, allow: Collection[str]) -> Judge:
    from autograd.checking.judging import Judge

    for what, number in (("tolerance", tolerance), ("rtol", rtol), ("atol", atol)):
        if plain(number) is None or not 0 <= number < math.inf:
            raise ValueError(f"{what} is a number ≥ 0, not {number!r:.200}")
    possible = [verdict for verdict in VERDICTS if verdict not in ("agree", "mismatch")]
    allowed = (allow,) if isinstance(allow, str) else tuple(allow)
    for verdict in allowed:
        if verdict not in possible:
            raise ValueError(f"allow takes verdicts among {', '.join(possible)}; {verdict!r:.200} is none of them")
    return Judge(float(tolerance), float(rtol), float(atol), allowed)
