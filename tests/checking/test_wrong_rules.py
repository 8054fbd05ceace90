"""The checker bites: a catalogue of wrong rules, on rows of the table, on users' primitives and on gradients written by
hand, each rejected with the right verdict and, in graphs, with the right node."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import (
    TABLE,
    GradientMismatch,
    Primitive,
    Report,
    Value,
    assert_grads,
    check_grads,
    check_graph,
    interpret,
)
from autograd.number_systems import floats
from autograd.rules import is_nothing
from tests.checks import as_float, record, slope, value_in
from tests.rows import ROWS, STEPS, differentiable, has_partials, is_constant, is_smooth, name_of, special_points

Rule = Callable[..., Any]

#: What is wrong with a partial, given the right one.
WRONG: dict[str, Callable[[Rule], Rule]] = {
    "off by one per cent": lambda p: lambda m, z, *xs: p(m, z, *xs) * 101 / 100,
    "wrong sign": lambda p: lambda m, z, *xs: -p(m, z, *xs),
    "right at zero only": lambda p: lambda m, z, *xs: p(m, z, *xs) * (1 + xs[0]),
    "always zero": lambda p: lambda m, z, *xs: 0 * xs[0],
}


def altered(row: Primitive, operands: list[Any], wrong: Callable[[Rule], Rule], argument: int) -> Any:
    """The row applied to operands, as a node whose row has one partial made wrong."""
    node = record(row, operands)
    if callable(row.partials):
        right = row.partials

        def rule(m: Any, z: Any, xs: list[Any]) -> list[Any]:
            partials = list(right(m, z, xs))
            partials[argument] = wrong(lambda m, z, *xs: partials[argument])(m, z, *xs)
            return partials

        node.primitive = row._replace(partials=rule)
    else:
        partials = list(row.partials)
        assert partials[argument] is not None
        partials[argument] = wrong(partials[argument])
        node.primitive = row._replace(partials=tuple(partials))
    return node


def points(row: Primitive, argument: int, how: str) -> list[tuple[float, ...]]:
    """A point at which the partial is an ordinary number, and the wrong one another; another one for each way."""
    found = []
    for operands in special_points(row, lambda xs: is_smooth(row, xs, argument)):
        if row.name == "dot" and len(operands) % 2:
            continue
        if math.fabs(slope(row, argument, operands)) > 1e-3 and (how != "right at zero only" or operands[0] != 0):
            found.append(operands)
    start = len(found) * [*WRONG, ""].index(how) // (len(WRONG) + 1)
    return found[start : start + 1]


#: Rows whose partials are not zero everywhere.
ROWS_AND_ARGUMENTS = [(row, i) for row in ROWS for i in differentiable(row) if points(row, i, "")]


def check_altered(row: Primitive, argument: int, operands: tuple[float, ...], how: str) -> Report:
    moving = [i for i in range(len(operands)) if not is_constant(row, i)]

    def f(*numbers: Any) -> Any:
        given: list[Any] = list(operands)
        for i, x in zip(moving, numbers, strict=True):
            given[i] = x
        return altered(row, given, WRONG[how], argument) * 2.0

    return check_grads(f, *[operands[i] for i in moving], names=[f"x{i}" for i in moving])


@pytest.mark.parametrize("how", WRONG)
@pytest.mark.parametrize("row_and_argument", ROWS_AND_ARGUMENTS, ids=name_of)
def test_a_wrong_row_is_rejected(row_and_argument: tuple[Primitive, int], how: str) -> None:
    row, argument = row_and_argument
    for operands in points(row, argument, how):
        report = check_altered(row, argument, operands, how)
        verdicts = {entry.name: entry.verdict for entry in report}
        assert verdicts.pop(f"x{argument}") == "mismatch", report
        # The other arguments are right, or have no derivative there: the exponent of a negative base.
        assert set(verdicts.values()) <= {"agree", "kink", "outside the domain"}, report
        guilty = report.guilty[0]
        assert guilty.primitive == row.name, report
        assert guilty.verdict == "mismatch"
        assert guilty.argument in (f"xs[{argument}]", row.arguments[min(argument, len(row.arguments) - 1)]), report


def test_enough_rows_are_made_wrong() -> None:
    """All but the steps, whose slope is zero, and those without any derivative."""
    left_out = {row.name for row in ROWS} - {row.name for row, _ in ROWS_AND_ARGUMENTS}
    assert left_out == {row.name for row in STEPS} | {"detach"}


@pytest.mark.parametrize("name", [row.name for row in STEPS if row.arity == 1])
def test_a_step_with_a_slope_is_rejected(name: str) -> None:
    row = TABLE[name]._replace(partials=(lambda m, z, x: 1,))

    def f(x: Any) -> Any:
        node = record(TABLE[name], [x])
        node.primitive = row
        return node

    report = check_grads(f, 1.25)
    assert report.entries[0].verdict == "mismatch"
    assert report.guilty[0].primitive == name


# A user's primitives. Rules are wrong in the ways of the catalogue, and in those that need two arguments or orders.


def _x(m: Any, z: Any, x: Any, y: Any) -> Any:
    return y * y * m.cos(x * y * y)


def _y(m: Any, z: Any, x: Any, y: Any) -> Any:
    return 2 * x * y * m.cos(x * y * y)


def wave_with(*partials: Rule) -> Callable[..., Any]:
    @autograd.primitive(partials=partials)
    def wave(m: Any, x: Any, y: Any) -> Any:
        return m.sin(x * y * y)

    return wave


def network(wave: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, y: autograd.tanh(wave(x + 1.0, y) * y) + x


def test_a_right_primitive_is_accepted() -> None:
    assert_grads(network(wave_with(_x, _y)), 0.3, 0.7, order=3)


@pytest.mark.parametrize("how", WRONG)
@pytest.mark.parametrize("argument", [0, 1])
def test_a_wrong_primitive_is_rejected(how: str, argument: int) -> None:
    partials = [_x, _y]
    partials[argument] = WRONG[how](partials[argument])
    wave = wave_with(*partials)
    report = check_grads(network(wave), 0.3, 0.7)
    wrong = [entry.name for entry in report if entry.verdict == "mismatch"]
    assert wrong == [["x"], ["y"]][argument], report
    assert [(edge.primitive, edge.argument) for edge in report.guilty] == [("wave", "xy"[argument])]


def test_swapped_arguments_are_rejected() -> None:
    report = check_grads(network(wave_with(_y, _x)), 0.3, 0.7)
    assert [entry.verdict for entry in report] == ["mismatch", "mismatch"]
    assert sorted((edge.primitive, edge.argument) for edge in report.guilty) == [("wave", "x"), ("wave", "y")]


def test_a_wrong_second_derivative_alone_is_rejected() -> None:
    """The partial's number is right, but the rule hides from the engine that it depends on ``x``."""
    wave = wave_with(lambda m, z, x, y: y * y * m.cos(m.detach(x) * y * y), _y)
    assert check_grads(network(wave), 0.3, 0.7).ok
    report = check_grads(network(wave), 0.3, 0.7, order=2)
    assert not report.ok
    assert {entry.order for entry in report if entry.verdict == "mismatch"} == {2}
    assert [(edge.primitive, edge.argument, edge.order) for edge in report.guilty] == [("wave", "x", 2)]


def test_a_wrong_third_derivative_alone_is_rejected() -> None:
    """Right to the second order: x·y(x) + what is detached makes up for it at first and second order only."""

    @autograd.primitive(partials=[lambda m, z, x: m.exp(m.detach(x)) * (1 + x - m.detach(x))])
    def almost_exp(m: Any, x: Any) -> Any:
        return m.exp(x)

    assert check_grads(almost_exp, 0.5, order=2).ok
    report = check_grads(almost_exp, 0.5, order=3)
    assert [entry.verdict for entry in report] == ["agree", "agree", "mismatch"]
    report = check_grads(lambda x: autograd.sin(almost_exp(2 * x)) * x, 0.5, order=3)
    assert [(edge.primitive, edge.argument, edge.order) for edge in report.guilty] == [("almost_exp", "x", 3)]
    assert "a second derivative of ∂almost_exp/∂x" in str(report)


def test_a_rule_that_is_right_at_one_point_only_passes_there_and_nowhere_else() -> None:
    wave = wave_with(WRONG["right at zero only"](_x), _y)
    assert check_grads(wave, 0.0, 0.7).ok
    for x in (1e-3, -0.5, 2.0):
        assert check_grads(wave, x, 0.7).entries[0].verdict == "mismatch"


def test_a_primitive_that_only_seems_analytic_is_rejected() -> None:
    """Python's ``abs`` is the modulus of a complex number: its complex step is zero, and so is this wrong partial."""

    @autograd.primitive(partials=[lambda m, z, x: 0 * x], systems=("floats", "complex", "values"))
    def modulus(m: Any, x: Any) -> Any:
        return m.sqrt(abs(x)) if m.NAME != "values" else m.sqrt(m.abs(x))

    report = check_grads(lambda x: modulus(x) * 3.0, 2.0)
    assert report.entries[0].verdict == "mismatch"
    assert report.entries[0].numeric == pytest.approx(1.5 / math.sqrt(2.0), rel=1e-8, abs=0.0)
    assert report.guilty[0].primitive == "modulus"


@pytest.mark.parametrize("x", [-1.6, -0.3, -1e-9, 1000000.2])
@pytest.mark.parametrize("row", [row for row in STEPS if row.arity == 1], ids=name_of)
def test_a_step_declared_with_a_slope_is_guilty(row: Primitive, x: float) -> None:
    @autograd.primitive(partials=[lambda m, z, x: 1 + 0 * x])
    def step(m: Any, x: Any) -> Any:
        return getattr(m, row.name)(x)

    for f in (step, lambda x: autograd.sin(2 * step(x) + x)):
        report = check_grads(f, x)
        assert not report.ok
        assert [(edge.primitive, edge.verdict) for edge in report.guilty] == [("step", "mismatch")]


def test_a_number_read_through_data_is_noticed() -> None:
    report = check_grads(lambda x: x * x.data, 3.0)
    assert report.entries[0].verdict == "mismatch"
    assert report.entries[0].numeric == pytest.approx(6.0)
    assert report.guilty == ()
    assert ".data" in str(report)


# Gradients written by hand.


def is_flat_at(row: Primitive, argument: int, operands: tuple[float, ...]) -> bool:
    """Whether the rule says that nothing flows, at no kink and no limit."""
    if not has_partials(row, operands, argument):
        return False
    try:
        z = value_in(floats, row, operands)
        return is_nothing(interpret.partials(floats, row, z, operands, [argument])[0])
    except OverflowError:
        return False


def flat_points(row: Primitive, argument: int) -> list[tuple[float, ...]]:
    """Points where a row is flat: three of ordinary size, far out and next to nothing."""
    found = [] if row.n_ary else list(special_points(row, lambda xs: True))
    sizes = [[tuple(x * scale for x in xs) for xs in found] for scale in (1.37, 1.37e6, 1.37e-9)]
    return [xs for size in sizes for xs in [xs for xs in size if is_flat_at(row, argument, xs)][:3]]


FLAT = [(row, i, xs) for row in ROWS for i in differentiable(row) for xs in flat_points(row, i)]


def test_steps_and_flat_pieces_are_found() -> None:
    assert {row.name for row, _, _ in FLAT} >= {row.name for row in STEPS} | {
        "relu",
        "maximum",
        "minimum",
        "clip",
        "where",
    }


@pytest.mark.parametrize("claimed", [1.0, -0.5, 1e-3])
@pytest.mark.parametrize(("row", "argument", "operands"), FLAT, ids=name_of)
def test_a_slope_claimed_where_a_function_is_flat(
    row: Primitive, argument: int, operands: tuple[float, ...], claimed: float
) -> None:
    f = lambda x: record(row, [*operands[:argument], x, *operands[argument + 1 :]])  # noqa: E731
    report = check_grads(f, operands[argument], grad=lambda x: claimed)
    assert report.entries[0].verdict == "mismatch", f"{operands}\n{report}"
    assert check_grads(f, operands[argument], grad=lambda x: 0.0).ok


#: Functions that know plain numbers alone, so that nothing is known of them but their results: flat near by.
OPAQUE: dict[str, tuple[Callable[[Any], float], float]] = {
    "relu": (lambda x: max(float(x), 0.0), -1.0),
    "relu, far": (lambda x: max(float(x), 0.0), -1e6),
    "maximum": (lambda x: max(float(x), 5.0), 1.0),
    "clip": (lambda x: min(max(float(x), 0.0), 3.0), 5.0),
    "saturated": (lambda x: math.tanh(float(x)), 30.0),
    "root of what is positive": (lambda x: math.sqrt(max(float(x), 0.0)), -2.0),
    "NumPy's": (lambda x: float(np.maximum(np.float64(x), 0.0)), -1.0),
}


@pytest.mark.parametrize("claimed", [1.0, -0.5, 1e-3])
@pytest.mark.parametrize("name", OPAQUE)
def test_a_slope_claimed_where_a_function_of_another_library_is_flat(name: str, claimed: float) -> None:
    f, x = OPAQUE[name]
    assert check_grads(f, x, grad=lambda x: claimed).entries[0].verdict == "mismatch"
    assert check_grads(f, x, grad=lambda x: 0.0).ok


@pytest.mark.parametrize("x", [1.0, 0.0, -3.3, 1e-9, 4e3])
@pytest.mark.parametrize("opaque", [False, True])
def test_a_right_slope_that_rounding_swallows_is_no_mismatch(x: float, opaque: bool) -> None:
    number = float if opaque else lambda x: x
    functions: list[tuple[Callable[[Any], Any], Callable[[float], float]]] = [
        (lambda x: (number(x) + 1e20) - 1e20, lambda x: 1.0),
        (lambda x: autograd.relu((number(x) + 1e20) - 1e20 + 1.0), lambda x: 1.0 if x > -1 else 0.0),
        (lambda x: autograd.maximum(3.0 * number(x) + 1e20, 1e19) - 1e20, lambda x: 3.0),
        (lambda x: autograd.exp(number(x) * 1e-20) - 1.0, lambda x: 1e-20),
    ]
    for f, right_slope in functions:
        report = check_grads(f, x, grad=right_slope)
        assert report.entries[0].verdict in ("agree", "ill-conditioned"), report


def f(x: list[float], y: float) -> float:
    return math.sin(x[0]) * y + math.exp(x[1] * y)


def right(x: list[float], y: float) -> tuple[list[float], float]:
    return [math.cos(x[0]) * y, y * math.exp(x[1] * y)], math.sin(x[0]) + x[1] * math.exp(x[1] * y)


HAND_WRITTEN: dict[str, tuple[Callable[..., Any], list[str]]] = {
    "off by one per cent": (lambda x, y: ([g * 1.01 for g in right(x, y)[0]], right(x, y)[1]), ["x[0]", "x[1]"]),
    "wrong sign": (lambda x, y: (right(x, y)[0], -right(x, y)[1]), ["y"]),
    "right at zero only": (lambda x, y: (right(x, y)[0], right(x, y)[1] * math.cos(x[0])), ["y"]),
    "wrong in one argument": (lambda x, y: ([right(x, y)[0][0], y * math.exp(x[1])], right(x, y)[1]), ["x[1]"]),
    "swapped arguments": (lambda x, y: (right(x, y)[0][::-1], right(x, y)[1]), ["x[0]", "x[1]"]),
    "forgotten": (lambda x, y: ([0.0, right(x, y)[0][1]], right(x, y)[1]), ["x[0]"]),
}
POINT = ([0.4, -0.3], 0.8)


def test_a_right_gradient_written_by_hand_is_accepted() -> None:
    report = check_grads(f, *POINT, grad=right)
    assert [entry.verdict for entry in report] == ["agree"] * 3


@pytest.mark.parametrize("how", HAND_WRITTEN)
def test_a_wrong_gradient_written_by_hand_is_rejected(how: str) -> None:
    grad, wrong = HAND_WRITTEN[how]
    report = check_grads(f, *POINT, grad=grad)
    assert [entry.name for entry in report if entry.verdict == "mismatch"] == wrong, report
    assert all(entry.verdict == "agree" for entry in report if entry.name not in wrong), report
    with pytest.raises(GradientMismatch) as caught:
        assert_grads(f, *POINT, grad=grad)
    assert str(caught.value) == str(report)
    assert caught.value.report.counts() == report.counts()


def test_right_at_zero_only_passes_at_zero() -> None:
    assert check_grads(f, [0.0, -0.3], 0.8, grad=HAND_WRITTEN["right at zero only"][0]).ok


def test_a_wrong_second_derivative_written_by_hand_is_rejected() -> None:
    def cube(x: float) -> float:
        return x**3

    def first(x: Any) -> Any:
        return 3 * x**2

    assert check_grads(cube, 2.0, grad=first, order=3).ok
    assert check_grads(first, 2.0, grad=lambda x: 6 * x).ok
    assert not check_grads(first, 2.0, grad=lambda x: 6.06 * x).ok
    hidden = check_grads(cube, 2.0, grad=lambda x: 3 * x * (x.data if isinstance(x, Value) else x), order=2)
    assert [entry.verdict for entry in hidden] == ["agree", "mismatch"]


# Large graphs.


def test_a_wrong_primitive_is_found_inside_a_graph_of_ten_thousand_nodes() -> None:
    wave = wave_with(WRONG["off by one per cent"](_x), _y)
    x = Value(0.5, "x")
    node = x
    for i in range(5000):
        node = (node * 1.0001).sin() if i != 3210 else wave(node, Value(0.7, "y"))
    assert as_float(node) != 0.0
    report = check_graph(node)
    assert report.edges >= 9999
    assert [(edge.primitive, edge.argument, edge.verdict) for edge in report.guilty] == [("wave", "x", "mismatch")]
    assert "'y'" in report.guilty[0].operands
    with pytest.raises(GradientMismatch, match="wave"):
        assert_grads(lambda x: _deep(x, wave), 0.5)


def test_a_wrong_partial_that_does_not_show_in_the_result_is_named_all_the_same() -> None:
    """Thousands of operations that contract leave nothing of it; that of a primitive of the table would be a fault of
    the table, and is not looked for.
    """
    wave = wave_with(WRONG["off by one per cent"](_x), _y)

    def hidden(x: Any) -> Any:
        for i in range(1000):
            x = (x * 0.5).sin() + 0.3 if i != 200 else wave(x, 0.7)
        return x

    report = check_grads(hidden, 0.5)
    assert [entry.verdict for entry in report] == ["agree"]
    assert [(edge.primitive, edge.argument) for edge in report.guilty] == [("wave", "x")]
    assert not report.ok
    assert report.summary() == "hidden: 1 derivative checked (1 agree); yet 1 partial is wrong on the way"
    assert "(1 edge was checked alone)" in str(report)
    assert check_grads(hidden, 0.5, rtol=0.02).ok
    assert check_grads(lambda x: wave_with(_x, _y)(x, 0.7) * 0.0, 0.5).ok


def _deep(x: Any, wave: Callable[..., Any]) -> Any:
    for i in range(5000):
        x = (x * 1.0001).sin() if i != 3210 else wave(x, 0.7)
    return x
