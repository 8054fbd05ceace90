"""The guilty node: each edge's partial checked alone, by a difference of its one primitive.

The cost is linear in the graph, that of an n-ary node linear in its operands: such a node is checked along random
directions, and only one that fails is searched, by halves.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from itertools import combinations_with_replacement
from typing import Any

from autograd import interpret
from autograd.checking.differences import HALF_OF_THE_DIGITS, Slope, slopes
from autograd.checking.noise import own_rounding
from autograd.checking.one_input_changed import imaginary_step, underflow_of
from autograd.checking.recorded import (
    NO_NUMBER,
    as_float,
    at_kink,
    has_formula,
    has_partial,
    jumps_between,
    partials_or_nothing,
)
from autograd.checking.report import Edge
from autograd.checking.rounding_bound import rounding_error
from autograd.checking.rounding_estimate import looseness
from autograd.eager.operands import Passive, number_of
from autograd.errors import operands_in_words
from autograd.number_systems import complex_, floats, system_of
from autograd.primitives import Primitive
from autograd.program import flatten
from autograd.provenance.lines import line_of
from autograd.transforms import gradients
from autograd.value import Value, maker

#: A complex step and a partial of the table agree at once to this; what does not is looked at closely.
_CLOSE = 1e-9
#: How many operands of one n-ary node are named.
_MOST_NAMED = 5


def guilty_edges(
    outputs: Sequence[Value], tolerance: float = 1.0, *, order: int = 1, declared_alone: bool = False
) -> tuple[list[Edge], int]:
    """The edges of a graph whose partial does not stand its check, and how many edges were checked.

    With order 2 the derivatives of the partials are checked instead, with order 3 those of their derivatives; n-ary
    primitives, which are all built in, are left out of that. Nodes whose slopes were given are left out of everything:
    there is no formula to compare with.

    Args:
        declared_alone: check users' primitives alone.
    """
    _, nodes = flatten([output for output in outputs if isinstance(output, Value)])
    found: list[Edge] = []
    checked = 0
    for node in nodes:
        if node.__class__ is not Value or node.primitive is None:
            continue
        if (declared_alone and node.primitive.built_in) or not has_formula(node.primitive):
            continue
        operands = node.operands()
        wanted = [i for i, o in enumerate(operands) if o.__class__ is Value and has_partial(node.primitive, i)]
        if not wanted:
            continue
        checked += len(wanted)
        if order > 1:
            found += _wrong_higher(node, operands, wanted, tolerance, order)
            continue
        for i, slope, partial, verdict, passes in _wrong(node, operands, wanted, tolerance):
            found.append(_edge(node, i, 1, partial, slope.value, slope.error, verdict, passes))
    return found, checked


def _edge(
    node: Value, argument: int, order: int, analytic: float, numeric: float, error: float, verdict: str, passes: bool
) -> Edge:
    primitive = node.primitive
    assert primitive is not None
    shown = [o.value if o.__class__ is Passive else o for o in node.operands()]
    name = f"xs[{argument}]" if primitive.n_ary else primitive.arguments[argument]
    words = operands_in_words(primitive, shown)
    if primitive.n_ary and argument >= 4:
        words = f"{words}, {name} is {number_of(shown[argument])!r}"
    return Edge(
        primitive.name, name, words, node.label, line_of(node), order, analytic, numeric, error, verdict, passes
    )


def _wrong_higher(node: Value, operands: Sequence[Any], wanted: list[int], tolerance: float, order: int) -> list[Edge]:
    """The partials of one node whose own derivatives are wrong: those the engine takes, beside real differences of the
    order below.
    """
    primitive = node.primitive
    assert primitive is not None
    numbers = [number_of(operand) for operand in operands]
    if primitive.n_ary or any(number.__class__ is not float for number in numbers):
        return []  # a condition, or a branch that was never called, leaves nothing to move
    found = []
    for i in wanted:
        for along in combinations_with_replacement(wanted, order - 1):
            *before, j = along
            try:
                analytic = _derivative(primitive, numbers, i, along)
                centre = _derivative(primitive, numbers, i, before)
            except NO_NUMBER:
                continue

            def f(x: float, i: int = i, j: int = j, before: Sequence[int] = before) -> list[float] | None:
                moved = list(numbers)
                moved[j] = x
                try:
                    slope = _derivative(primitive, moved, i, before)
                except NO_NUMBER:
                    return None
                return [slope] if math.isfinite(slope) else None

            if not (math.isfinite(centre) and math.isfinite(analytic)):
                continue
            (slope,) = slopes(f, numbers[j], [centre], [analytic])
            size = max(abs(analytic), abs(slope.value))
            allowed = tolerance * (slope.error + HALF_OF_THE_DIGITS * size)
            agrees = slope.kind != "smooth" or abs(slope.value - analytic) <= allowed
            if not agrees and not _jumps_within(primitive, numbers, j, slope.step):
                found.append(_edge(node, i, order, analytic, slope.value, slope.error, "mismatch", False))
    return found


def _jumps_within(primitive: Primitive, numbers: Sequence[Any], j: int, step: float) -> bool:
    """Whether a primitive jumps between its operands and a step of one of them to either side."""
    if not primitive.jumps:
        return False
    before = [*numbers, interpret.apply(floats, primitive, numbers)]
    for number in (numbers[j] - step, numbers[j] + step):
        moved = [*numbers[:j], number, *numbers[j + 1 :]]
        try:
            moved.append(interpret.apply(floats, primitive, moved))
        except NO_NUMBER:
            continue
        if jumps_between(primitive, len(numbers), range(len(numbers)), before, moved):
            return True
    return False


def _derivative(primitive: Primitive, numbers: Sequence[Any], i: int, along: Sequence[int]) -> float:
    """The partial by argument ``i``, differentiated by further arguments, as the engine takes it."""
    if not along:
        z = interpret.apply(floats, primitive, numbers)
        return float(interpret.partials(floats, primitive, z, numbers, [i])[0])
    leaves = [Value(x) if has_partial(primitive, k) else x for k, x in enumerate(numbers)]
    z = maker(primitive)(*leaves)
    found = interpret.partials(system_of("values"), primitive, z, leaves, [i])[0]
    for j in along:
        found = gradients(found, leaves[j]) if isinstance(found, Value) else 0.0
    return float(as_float(found))


_Finding = tuple[int, Slope, float, str, bool]
_NOTHING = Slope(math.nan, math.inf, 0.0, math.nan, math.nan, "nothing", 0.0)


def _wrong(node: Value, operands: Sequence[Any], wanted: list[int], tolerance: float) -> list[_Finding]:
    """The arguments whose partial fails, with what differences say."""
    primitive = node.primitive
    assert primitive is not None
    numbers = [number_of(operand) for operand in operands]
    partials = partials_or_nothing(primitive, node.data, numbers, wanted)
    if primitive.n_ary:
        if None in partials:
            return [(wanted[0], _NOTHING, math.nan, "outside the domain", False)]
        return _wrong_of_many(primitive, node.data, numbers, wanted, partials, tolerance)
    found = []
    kink = at_kink(primitive, numbers)
    for i, partial in zip(wanted, partials, strict=True):
        if partial is None:
            found.append((i, _NOTHING, math.nan, "outside the domain", False))
        elif not math.isfinite(partial):
            found.append((i, _NOTHING, float(partial), "not finite", False))
        elif kink or not _agrees_at_once(primitive, numbers, i, partial):
            finding = _look_closely(primitive, node.data, numbers, i, float(partial), tolerance)
            if finding is not None:
                found.append(finding)
    return found


def _agrees_at_once(primitive: Primitive, numbers: Sequence[Any], i: int, partial: float) -> bool:
    """Whether the complex step of the one primitive gives the partial."""
    if primitive.name in complex_.LACKS:
        return False
    x = numbers[i]
    h = imaginary_step(x)
    if h == 0.0:
        return False
    moved = list(numbers)
    moved[i] = complex(x, h)
    try:
        if primitive.built_in:
            z = getattr(complex_, primitive.name)(*moved)
        else:
            z = interpret.apply(complex_, primitive, moved)
            if not _roughly(primitive, numbers, i, partial):
                return False
        slope = z.imag / h
    except (*NO_NUMBER, NotImplementedError, TypeError, AttributeError):  # a user's function need not know complex
        return False
    return bool(abs(slope - partial) <= _CLOSE * max(abs(slope), abs(partial)) + underflow_of(h, slope))


def _roughly(primitive: Primitive, numbers: Sequence[Any], i: int, partial: float) -> bool:
    """Whether a plain difference of a user's function comes near: ``abs`` and the like are not what they seem in
    complex numbers."""
    x = numbers[i]
    h = 1e-5 * (abs(x) or 1.0)
    sides = []
    for moved_x in (x + h, x - h):
        moved = list(numbers)
        moved[i] = moved_x
        sides.append(float(interpret.apply(floats, primitive, moved)))
    slope = (sides[0] - sides[1]) / (2 * h)
    return abs(slope - partial) <= 1e-4 * max(abs(slope), abs(partial))


def _look_closely(
    primitive: Primitive, z: float, numbers: Sequence[Any], i: int, partial: float, tolerance: float
) -> _Finding | None:
    """What real differences say of one partial, or ``None`` if they agree."""

    def f(x: float) -> list[float] | None:
        moved = list(numbers)
        moved[i] = x
        try:
            result = float(interpret.apply(floats, primitive, moved))
        except NO_NUMBER:
            return None
        return [result] if math.isfinite(result) else None

    def bound(x: float) -> list[float] | None:
        try:
            return [rounding_error(maker(primitive)(*numbers[:i], Value(x), *numbers[i + 1 :])).bound]
        except (*NO_NUMBER, NotImplementedError, TypeError, AttributeError):  # it need not know intervals either
            return None

    # What a user's function does inside is not known, and its rounding is seen from its results.
    noise = [own_rounding(z, [numbers[i]])] if primitive.built_in else None
    (slope,) = slopes(f, numbers[i], [z], [partial], noise=noise, bound=bound)
    loose = looseness(primitive, z, numbers, [i], [partial], [0.0] * len(numbers))[0]
    size = max(abs(partial), abs(slope.value))
    allowed = tolerance * (slope.error + HALF_OF_THE_DIGITS * size + 2 * loose)
    if slope.kind in ("kink", "jump"):
        slack = slope.side_error + HALF_OF_THE_DIGITS * slope.side_size
        return None if slope.is_between(partial, slack) else (i, slope, partial, "kink", False)
    if abs(slope.value - partial) <= allowed:
        return None
    if not slope.error < math.inf:
        return None  # no difference can be formed: nothing is known against the partial
    if primitive.built_in and at_kink(primitive, numbers):
        return None  # the table's convention, where floats are too coarse to show the kink
    return i, slope, partial, "mismatch", False


def _wrong_of_many(
    primitive: Primitive, z: float, numbers: list[float], wanted: list[int], partials: list[Any], tolerance: float
) -> list[_Finding]:
    """The wrong partials of an n-ary node: along random directions first, then by halves."""
    if not all(map(math.isfinite, partials)):
        bad = next(k for k, partial in enumerate(partials) if not math.isfinite(partial))
        return [(wanted[bad], _NOTHING, float(partials[bad]), "not finite", False)]
    source = random.Random(0)
    by_argument = dict(zip(wanted, partials, strict=True))
    found: list[_Finding] = []
    stack = [wanted]
    while stack and len(found) < _MOST_NAMED:
        some = stack.pop()
        if _agree_together(primitive, numbers, some, by_argument, source):
            continue
        if len(some) > 1:
            stack += [some[len(some) // 2 :], some[: len(some) // 2]]
            continue
        finding = _look_closely(primitive, z, numbers, some[0], float(by_argument[some[0]]), tolerance)
        if finding is not None:
            found.append(finding)
    return found


def _agree_together(
    primitive: Primitive, numbers: list[float], some: list[int], partials: dict[int, Any], source: random.Random
) -> bool:
    """Whether a complex step along a random direction gives the sum of these partials, each weighted alike."""
    steps = [imaginary_step(numbers[i]) for i in some]
    if 0.0 in steps:
        return False
    h = min(steps)
    moved: list[Any] = list(numbers)
    expected = size = 0.0
    for i in some:
        weight = source.uniform(0.5, 1.0) * source.choice((1, -1))
        # Weighed by its own size, a small partial counts as much as a large one; the step stays small throughout.
        weight /= max(abs(partials[i]), 1e-8)
        moved[i] = complex(numbers[i], h * weight)
        expected += weight * partials[i]
        size = max(size, abs(weight * partials[i]))
    try:
        slope = interpret.apply(complex_, primitive, moved).imag / h
    except (*NO_NUMBER, NotImplementedError):
        return False
    return bool(abs(slope - expected) <= _CLOSE * max(size, abs(expected)) * math.sqrt(len(some)))
