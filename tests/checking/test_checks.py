"""``check_grads``: what it takes, what it says, and what it refuses."""

import math
import os
from collections import namedtuple
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import TABLE, GradientMismatch, Primitive, Report, Value, assert_grads, check_grads, check_graph, node


def verdicts(report: Report) -> dict[str, str]:
    return {entry.name: entry.verdict for entry in report}


# Inputs.

Pair = namedtuple("Pair", ["left", "right"])


def test_inputs_of_any_nesting_are_named_by_their_path() -> None:
    def f(x: Any, pair: Any) -> Any:
        return x[0]["w"] * x[1] + pair.left * pair.right

    report = check_grads(f, [{"w": 2.0}, 3], Pair(0.5, Value(4.0, "gain")))
    assert verdicts(report) == {"x[0]['w']": "agree", "x[1]": "agree", "pair.left": "agree", "gain": "agree"}
    assert [entry.analytic for entry in report] == [3.0, 2.0, 4.0, 0.5]


def test_an_array_reaches_a_function_of_the_engine_as_nested_lists() -> None:
    def f(x: Any) -> Any:
        assert isinstance(x, list)
        return autograd.dot(x[0], x[1])

    report = check_grads(f, np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert list(verdicts(report)) == ["x[0, 0]", "x[0, 1]", "x[1, 0]", "x[1, 1]"]
    assert report.ok


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
def test_with_grad_arrays_stay_arrays_in_double_precision(dtype: str) -> None:
    def f(x: Any) -> float:
        assert x.shape == (2, 2)
        assert x.dtype == np.float64
        return float((x**2).sum())

    given = np.arange(4).reshape(2, 2).astype(dtype)
    assert check_grads(f, given, grad=lambda x: 2 * x).ok
    assert (given == np.arange(4).reshape(2, 2)).all()


def test_a_zero_dimensional_array_is_an_input_and_a_result() -> None:
    assert check_grads(lambda x: np.asarray(x**2), np.array(3.0), grad=lambda x: 2 * x).ok


class Tensor:
    """What a foreign library's tensors have in common: no list, no float, but ``item`` and ``new_tensor``."""

    def __init__(self, numbers: Any) -> None:
        self.array = np.asarray(numbers, dtype=float)
        self.shape = self.array.shape

    def tolist(self) -> Any:
        return self.array.tolist()

    def detach(self) -> "Tensor":
        return self

    def double(self) -> "Tensor":
        return self

    def new_tensor(self, numbers: Any) -> "Tensor":
        return Tensor(numbers)

    def reshape(self, shape: tuple[int, ...]) -> "Tensor":
        return Tensor(self.array.reshape(shape))


def test_tensors_stay_tensors() -> None:
    def f(x: Tensor) -> Tensor:
        assert isinstance(x, Tensor)
        return Tensor((np.sin(x.array) * x.array).sum())

    given = Tensor([[0.5, 1.0]])
    assert check_grads(f, given, grad=lambda x: Tensor(np.sin(x.array) + x.array * np.cos(x.array))).ok
    assert not check_grads(f, given, grad=lambda x: Tensor(np.sin(x.array))).ok


class Scalar:
    def item(self) -> float:
        return 9.0


def test_results_may_be_anything_with_one_number() -> None:
    for result in (9, 9.0, np.float32(9.0), np.array(9.0), Scalar(), True):
        assert check_grads(lambda x, r=result: r, 3.0, grad=lambda x: np.float32(0.0)).ok


def test_a_label_that_two_inputs_share_names_neither() -> None:
    report = check_grads(lambda x, y: x * y, Value(2.0, "a"), Value(3.0, "a"))
    assert list(verdicts(report)) == ["x", "y"]


def test_names_are_those_of_the_arguments_unless_told() -> None:
    assert list(verdicts(check_grads(lambda a, b: a * b, 1.0, 2.0))) == ["a", "b"]
    assert list(verdicts(check_grads(math.hypot, 3.0, 4.0, grad=lambda x, y: (0.6, 0.8)))) == ["x0", "x1"]
    assert list(verdicts(check_grads(lambda *x: x[0] * x[1], 1.0, 2.0, names=["u", "v"]))) == ["u", "v"]


def test_several_outputs_are_rows_of_a_jacobian() -> None:
    report = check_grads(lambda x: {"a": x[0] * x[1], "b": x[0]}, [2.0, 5.0], names=["x"])
    assert [entry.analytic for entry in report] == [5.0, 2.0, 1.0, 0.0]
    assert [entry.name.partition(" by ")[2] for entry in report] == ["x[0]", "x[1]", "x[0]", "x[1]"]
    assert report.ok
    assert check_grads(np.tanh, np.arange(3.0), grad=lambda x: np.diag(1 - np.tanh(x) ** 2)).ok
    assert not check_grads(np.tanh, np.arange(3.0), grad=lambda x: np.diag(1 - np.tanh(x))).ok


# Verdicts.


def test_agree() -> None:
    entry = check_grads(lambda x: autograd.sin(x) * x, 1.0).entries[0]
    assert (entry.verdict, entry.method, entry.order) == ("agree", "complex step", 1)
    assert entry.numeric == pytest.approx(math.sin(1) + math.cos(1), rel=1e-14, abs=0.0)
    assert 0 < entry.step < 1e-20
    assert 0 < entry.error < 1e-14


def test_an_input_that_only_seems_unused_is_noticed() -> None:
    assert check_grads(lambda x, y: x * 2.0, 1.0, 3.0).ok
    report = check_grads(lambda x, y: x * 2.0 + y.data, 1.0, 3.0)
    assert verdicts(report) == {"x": "agree", "y": "mismatch"}
    assert check_grads(lambda x: 5.0 * x.data, 1.0).entries[0].verdict == "mismatch"


def test_a_primitive_without_complex_numbers_is_checked_by_real_differences() -> None:
    entry = check_grads(autograd.erf, 0.5).entries[0]
    assert (entry.verdict, entry.method) == ("agree", "central")
    assert entry.step > 0
    assert 0 < entry.error < 1e-9


def test_at_a_kink_the_convention_passes_and_is_said() -> None:
    report = check_grads(lambda x, y: autograd.relu(x) * y, 0.0, 2.0)
    assert verdicts(report) == {"x": "kink", "y": "agree"}
    assert report.ok
    assert "slopes 0 and 2" in report.entries[0].note


def test_a_value_outside_of_both_slopes_is_a_mismatch() -> None:
    report = check_grads(abs, 0.0, grad=lambda x: 1.5)
    assert verdicts(report) == {"x0": "mismatch"} or verdicts(report) == {"x": "mismatch"}
    assert check_grads(abs, 0.0, grad=lambda x: -1.0).ok


def test_a_function_that_is_another_one_at_every_call_has_no_slopes() -> None:
    calls: list[int] = []

    def f(x: Any) -> Any:
        calls.append(1)
        return x * len(calls)

    report = check_grads(f, 1.0)
    assert verdicts(report) == {"x": "ill-conditioned"}
    assert report.notes[0].startswith("f returned 1.0 and then ")
    report = check_grads(f, 1.0, grad=lambda x: 1.0)
    assert not report.ok
    assert "for the same inputs" in report.notes[0]


def test_a_branch_of_python_is_a_kink() -> None:
    report = check_grads(lambda x: x if x > 0 else 2 * x, 0.0)
    assert verdicts(report) == {"x": "kink"}
    assert check_grads(lambda x: x**2 if x > 0 else 2 * x, 1.0).entries[0].verdict == "agree"


def test_conventions_that_do_not_add_up_are_said() -> None:
    """relu(x) - relu(-x) is x, with slope 1; the conventions give 0."""
    report = check_grads(lambda x: autograd.relu(x) - autograd.relu(-x), 0.0)
    assert verdicts(report) == {"x": "kink"}
    assert not report.ok
    assert "do not add up" in str(report)
    assert check_grads(lambda x: autograd.relu(x) - autograd.relu(-x), 0.0, allow="kink").ok


def test_outside_the_domain() -> None:
    report = check_grads(autograd.log, -1.0)
    assert [entry.verdict for entry in report] == ["outside the domain"]
    assert "log needs a positive argument" in str(report)
    slope_alone = check_grads(lambda x, y: x**y, -2.0, 2.0)
    assert verdicts(slope_alone) == {"x": "agree", "y": "outside the domain"}


def test_not_finite() -> None:
    assert verdicts(check_grads(autograd.sqrt, 0.0, names=["x"])) == {"x": "not finite"}
    assert verdicts(check_grads(lambda x: x, math.inf)) == {"x": "not finite"}
    assert verdicts(check_grads(lambda x: autograd.exp(x), 800.0)) == {"x": "not finite"}
    assert verdicts(check_grads(lambda x: x, 1.0, grad=lambda x: math.nan)) == {"x": "not finite"}


def test_ill_conditioned() -> None:
    cancelling = check_grads(lambda x: 1e16 + x - 1e16, 1.3)
    assert verdicts(cancelling) == {"x": "ill-conditioned"}
    assert verdicts(check_grads(lambda x: 1e16 + x - 1e16, 1.3, grad=lambda x: 1.0)) == {"x": "ill-conditioned"}
    isolated = check_grads(lambda x: x**x, -2.0)
    assert verdicts(isolated) == {"x": "outside the domain"}


@pytest.mark.parametrize("row", [row for row in TABLE.values() if row.jumps], ids=lambda row: row.name)
def test_a_jump_far_away_excuses_nothing(row: Primitive) -> None:
    def jumping(x: Any) -> Any:
        return getattr(autograd, row.name)(*[x * 1.1, *[1.7] * (row.arity - 1)])

    report = check_grads(lambda x: x.detach() * x + jumping(x), 1.3, names=["x"])
    assert verdicts(report) == {"x": "mismatch"}


def test_jumps_closer_than_the_steps_of_a_difference() -> None:
    assert verdicts(check_grads(lambda x: autograd.floor(1e12 * x), 1.3 + 2e-13, names=["x"])) == {
        "x": "ill-conditioned"
    }


def tanh_by_exponentials(x: Any) -> Any:
    return (autograd.exp(x) - autograd.exp(-x)) / (autograd.exp(x) + autograd.exp(-x))


def sigmoid_by_exponentials(x: Any) -> Any:
    return autograd.exp(x) / (1 + autograd.exp(x))


@pytest.mark.parametrize(
    ("f", "x"), [(tanh_by_exponentials, 18.5), (tanh_by_exponentials, -17.0), (sigmoid_by_exponentials, 36.0)]
)
def test_a_formula_may_round(f: Any, x: float) -> None:
    """1 - tanh(x)² has few digits left here, or none: that is within its rounding, and no mistake."""
    entry = check_grads(f, x, names=["x"]).entries[0]
    assert abs(entry.analytic - entry.numeric) > 1e-3 * abs(entry.numeric)
    assert (entry.verdict, entry.method) == ("agree", "complex step")
    assert entry.error > abs(entry.analytic - entry.numeric)


@pytest.mark.parametrize("x", [1e-60, 1e-105, 1e-110, 1e-150, 1.588e-162, 1e-200, -1e-300])
@pytest.mark.parametrize(
    "f",
    [
        lambda x: x**3,
        lambda x: x * x * x,
        lambda x: autograd.sin(x) * x * x,
        lambda x: autograd.tanh(x**4) * 1e5,
        lambda x: autograd.exp(x * x * x),
    ],
)
def test_what_underflows_is_no_mistake(f: Any, x: float) -> None:
    report = check_grads(f, x, order=2)
    assert report.ok, report
    assert report.notes == ()


def test_beside_underflow_a_mistake_is_one() -> None:
    assert verdicts(check_grads(lambda x: x**3, 1e-60, grad=lambda x: 3.03 * x * x)) == {"x": "mismatch"}
    assert verdicts(check_grads(lambda x: 2 * x, 1e-300, grad=lambda x: 2.02)) == {"x": "mismatch"}


@pytest.mark.parametrize("scale", [1e-100, 1e-30, 1e-10, 1.0, 1e30, 1e100])
@pytest.mark.parametrize("f", [lambda x: x * x, math.sin, math.exp, lambda x: math.log1p(math.exp(x))])
def test_functions_of_any_scale(f: Any, scale: float) -> None:
    slopes = {math.sin: math.cos, math.exp: math.exp}
    slope = slopes.get(f) or ((lambda x: 2 * x) if f(2.0) == 4.0 else lambda x: 1 / (1 + math.exp(-x)))

    def scaled(x: float) -> float:
        return f(x / scale)

    assert verdicts(check_grads(scaled, 0.7 * scale, grad=lambda x: slope(x / scale) / scale)) == {"x": "agree"}
    wrong = check_grads(scaled, 0.7 * scale, grad=lambda x: 1.01 * slope(x / scale) / scale)
    assert verdicts(wrong) == {"x": "mismatch"}


def test_a_small_argument_is_no_branch_of_python() -> None:
    for x in (1e-14, 1e-200):
        report = check_grads(autograd.log, x)
        assert report.entries[0].method == "complex step"
        assert report.notes == ()


#: Constant in pieces, of a function with an infinite slope at the end of its domain.
CUT = {
    "maximum": lambda y: autograd.maximum(y, 0.1),
    "minimum": lambda y: autograd.minimum(y, -0.1),
    "clip": lambda y: autograd.clip(y, 2.0, 2.5),
    "sign": autograd.sign,
    "relu": autograd.relu,
    "floor": autograd.floor,
}
#: The function, the end of its domain, and the side that is inside.
ENDING = {
    "sqrt": (autograd.sqrt, 0.0, 1.0),
    "log": (autograd.log, 0.0, 1.0),
    "acosh": (autograd.acosh, 1.0, 1.0),
    "power": (lambda x: x**0.3, 0.0, 1.0),
    "acos": (autograd.acos, 1.0, -1.0),
    "asin": (autograd.asin, -1.0, 1.0),
}


@pytest.mark.parametrize("ending", ENDING)
@pytest.mark.parametrize("cut", CUT)
def test_zero_beside_the_end_of_a_domain_is_zero(cut: str, ending: str) -> None:
    """Where the engine's derivative is 0 and every difference is, they agree; nobody is told of a branch of Python."""
    f, end, inside = ENDING[ending]
    for distance in (0.0, 1e-12, 1e-9, 1e-6, 1e-4):
        for more in (0.0, 1.0):
            x = end + inside * distance
            report = check_grads(lambda x, more=more: CUT[cut](f(x)) + more * x, x, names=["x"])
            entry = report.entries[0]
            assert report.notes == () or entry.verdict == "outside the domain", report
            if distance and entry.analytic == more:
                assert entry.verdict == "agree", report


def test_zero_beside_the_end_of_a_domain_is_zero_for_any_library() -> None:
    for x in (0.0, 1e-12, 1e-6):
        assert check_grads(lambda x: max(math.sqrt(x), 0.1), x, grad=lambda x: 0.0).ok


def test_a_branch_of_python_beside_the_end_of_a_domain_is_told() -> None:
    def branching(x: Any) -> Any:
        return autograd.maximum(autograd.sqrt(x), 0.1) + (x if x.data > 2e-6 else 3 * x)

    report = check_grads(branching, 2e-6)
    assert verdicts(report) == {"x": "kink"}
    assert "a branch of Python" in report.notes[0]


def test_rounding_is_no_branch_of_python() -> None:
    report = check_grads(lambda x: 1e16 + x - 1e16, 1.3)
    assert verdicts(report) == {"x": "ill-conditioned"}
    assert report.notes == ()


def test_rounding_of_a_gradient_counts_in_the_second_order() -> None:
    """1 + exp(x/y) climbs in stairs of 2^-52, between which the gradient has another slope."""

    def softened(x: Any, y: Any) -> Any:
        return y * autograd.log(1 + autograd.exp(x / y))

    for x, y in ((-3.0, 0.125), (-2.5, 0.1), (-3.0, 0.09375)):
        report = check_grads(softened, x, y, order=3)
        assert all(entry.verdict != "mismatch" for entry in report), report
    assert check_grads(softened, -3.0, 0.125, order=2).ok


def test_rounding_of_a_second_derivative_is_no_mistake() -> None:
    for x in (1e-20, 1e-60, 1e-100):
        report = check_grads(lambda x: autograd.sqrt(x * x + 1e-300), x, order=2)
        assert all(entry.verdict != "mismatch" for entry in report), report


def test_steps_stay_inside_of_the_domain() -> None:
    assert check_grads(autograd.sqrt, 1e-12).ok
    assert check_grads(autograd.log, 1e-300).ok
    assert check_grads(autograd.acos, 1 - 1e-12).ok
    assert check_grads(math.sqrt, 1e-12, grad=lambda x: 0.5 / math.sqrt(x)).ok
    assert not check_grads(math.sqrt, 1e-12, grad=lambda x: 0.51 / math.sqrt(x)).ok


def test_some_verdicts_can_be_let_through() -> None:
    assert not check_grads(autograd.sqrt, 0.0).ok
    assert check_grads(autograd.sqrt, 0.0, allow="not finite").ok
    assert check_grads(lambda x: 1e16 + x - 1e16, 1.3, allow=["ill-conditioned", "not finite"]).ok
    with pytest.raises(ValueError, match="mismatch"):
        check_grads(abs, 1.0, allow="mismatch")


def test_tolerances() -> None:
    def cube(x: float) -> float:
        return x**3

    def off_by(part: float) -> Any:
        return lambda x: 3 * x * x * (1 + part)

    assert not check_grads(cube, 2.0, grad=off_by(1e-6)).ok
    assert check_grads(cube, 2.0, grad=off_by(1e-6), rtol=1e-5).ok
    assert check_grads(cube, 2.0, grad=off_by(1e-6), atol=1e-4).ok
    assert check_grads(cube, 2.0, grad=off_by(1e-9)).ok
    assert not check_grads(cube, 2.0, grad=off_by(1e-9), tolerance=0.01).ok
    assert check_grads(cube, 2.0, grad=off_by(1e-6), tolerance=1000).ok


# What a check leaves alone.


def test_nothing_is_changed() -> None:
    x, w = Value(0.5, "x"), Value(2.0, "w")
    w.grad = 7.0
    assert check_grads(lambda x: autograd.tanh(w * x), x).ok
    assert (x.data, x.grad, w.data, w.grad) == (0.5, 0.0, 2.0, 7.0)


# Orders.


def test_all_orders_up_to_the_third() -> None:
    report = check_grads(lambda x, y: autograd.sin(x * y) + x**3, 1.0, 2.0, order=3)
    assert [sum(entry.order == order for entry in report) for order in (1, 2, 3)] == [2, 4, 6]
    assert report.ok


def test_of_many_inputs_higher_orders_are_checked_along_directions() -> None:
    def f(x: Any) -> Any:
        return sum(autograd.tanh(a * b) for a, b in pairwise(x))

    report = check_grads(f, [0.1 * i - 1 for i in range(20)], order=3)
    assert report.ok
    assert {entry.name.partition(",")[0] for entry in report if entry.order == 2} == {
        "direction 1",
        "direction 2",
        "direction 3",
    }


@pytest.mark.parametrize(
    ("f", "x", "sides"),
    [
        (lambda x: autograd.sqrt(autograd.relu(x)), 0.0, "0 and inf"),
        (lambda x: autograd.sqrt(autograd.relu(-x)), 0.0, "-inf and 0"),
        (lambda x: 1 - autograd.sqrt(autograd.relu(x)), 0.0, "0 and -inf"),
        (lambda x: autograd.sqrt(autograd.relu(x - 2)), 2.0, "0 and inf"),
        (lambda x: 3 * x + autograd.sqrt(autograd.relu(x)), 0.0, "3 and inf"),
        (lambda x: autograd.relu(x) ** 0.3, 0.0, "0 and inf"),
        (lambda x: autograd.relu(x) ** 0.9, 0.0, "0 and inf"),
        (lambda x: autograd.cbrt(autograd.relu(x)), 0.0, "0 and inf"),
        (lambda x: autograd.acos(1 - autograd.relu(x)), 0.0, "0 and inf"),
    ],
)
def test_a_slope_that_is_infinite_on_one_side_is_a_kink(f: Any, x: float, sides: str) -> None:
    report = check_grads(f, x)
    assert [(entry.verdict, entry.note) for entry in report] == [("kink", f"slopes {sides}")], report
    assert report.ok
    assert not report.guilty
    (finite,) = filter(math.isfinite, map(float, sides.split(" and ")))
    beyond = 1e-3 if "-inf" in sides else -1e-3
    for wrong in (finite + beyond, finite + 1e3 * beyond):
        assert check_grads(f, x, grad=lambda x, wrong=wrong: wrong).entries[0].verdict == "mismatch"


@pytest.mark.parametrize(
    "f",
    [
        autograd.cbrt,
        lambda x: autograd.sqrt(abs(x)),
        lambda x: autograd.relu(autograd.tanh(1e8 * x)),
        lambda x: autograd.log(1e-200 + autograd.relu(x)),
        lambda x: autograd.relu(x) ** 1.01,
    ],
)
def test_slopes_that_are_infinite_on_no_side_or_on_both_are_no_such_kink(f: Any) -> None:
    assert "inf" not in check_grads(f, 0.0, grad=lambda x: 0.0).entries[0].note


def test_second_derivatives_at_a_kink_of_the_slope() -> None:
    report = check_grads(lambda x: x * abs(x), 0.0, order=2)
    assert [entry.verdict for entry in report] == ["agree", "kink"]


#: Functions that are smooth at 0, made of what has a kink there; its name, and their second derivative.
SMOOTH_OF_KINKS: list[tuple[Any, str, float]] = [
    (lambda x: abs(x) ** 2, "abs", 2.0),
    (lambda x: abs(x) * abs(x), "abs", 2.0),
    (lambda x: autograd.maximum(x, -x) ** 2, "maximum", 2.0),
    (lambda x: autograd.minimum(x, -x) ** 2, "minimum", 2.0),
    (lambda x: autograd.cosh(abs(x)), "abs", 1.0),
    (lambda x: (autograd.relu(x) + autograd.relu(-x)) ** 2, "relu", 2.0),
]


@pytest.mark.parametrize(("f", "name", "second"), SMOOTH_OF_KINKS)
def test_the_slope_of_a_convention_is_no_mismatch_and_said(f: Any, name: str, second: float) -> None:
    assert autograd.hessian(f)(0.0) == autograd.compile(f, wrt=0).at_points.hessian(0.0) != second
    report = check_grads(f, 0.0, order=2)
    entry = next(entry for entry in report if entry.order == 2)
    assert (entry.verdict, entry.passes, entry.numeric) == ("kink", False, pytest.approx(second))
    assert f"at a kink of {name}: a slope there is a convention, and its own slope is 0" in entry.note
    assert check_grads(f, 0.0, order=2, allow=["kink"]).ok
    assert check_grads(f, 0.5, order=2).ok


@autograd.primitive(partials=[lambda m, z, x: 1 + 2 * m.detach(x)])
def held(m: Any, x: Any) -> Any:
    return x + x * x


def test_a_wrong_second_derivative_beside_a_kink_is_a_mismatch() -> None:
    report = check_grads(lambda x: abs(x) ** 2 + held(x), 0.0, order=2)
    assert next(entry for entry in report if entry.order == 2).verdict == "mismatch"
    assert [edge.primitive for edge in report.guilty] == ["held"]


@pytest.mark.parametrize(
    ("f", "at"),
    [
        (lambda p: p[0] ** p[1], [0.0, 1.0]),
        (lambda p: p[0] ** p[1] * p[2], [0.0, 1.0, 2.0]),
        (lambda p: p[0] ** 1.5 * p[1], [0.0, 1.0]),
        (lambda p: autograd.xlogy(p[0], 0.0) / p[1], [0.0, 2.0]),
        (lambda p: autograd.sqrt(p[0]) * p[1] ** 2, [0.0, 3.0]),
        (lambda p: autograd.sqrt(p[0]) * p[1], [0.0, 0.0]),
        (lambda p: autograd.sqrt(p[0]) * p[1] ** 2 + autograd.exp(p[2]), [0.0, 0.0, 1.0]),
        (lambda p: autograd.asin(p[0]) * p[1], [1.0, 0.0]),
        (lambda p: autograd.tanh(p[0] * p[1]) + p[2] ** 3, [0.3, -0.2, 1.5]),
    ],
)
def test_second_derivatives_are_those_of_hessian(f: Any, at: list[float]) -> None:
    report = check_grads(f, at, order=2)
    second = [entry for entry in report if entry.order == 2]
    of_hessian = [x for column in zip(*autograd.hessian(f)(at), strict=True) for x in column]
    assert list(map(repr, [entry.analytic for entry in second])) == list(map(repr, of_hessian))
    assert all(math.isfinite(entry.analytic) or not entry.passes for entry in second)


def test_zero_times_an_infinite_slope_is_no_second_derivative() -> None:
    report = check_grads(lambda x, y: x**y, 0.0, 1.0, order=2)
    assert verdicts(report) == {
        "x": "agree",
        "y": "agree",
        "x, x": "agree",
        "x, y": "not finite",
        "y, x": "not finite",
        "y, y": "agree",
    }


# What it refuses.


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: check_grads(Value(1.0)), "check_graph takes a Value"),
        (lambda: check_grads(abs), "needs the inputs"),
        (lambda: check_grads(abs, "one"), "x.* is str 'one'"),
        (lambda: check_grads(abs, 1.0, order=4), "order is 1, 2 or 3"),
        (lambda: check_grads(abs, 1.0, tolerance=-1), "tolerance is a number"),
        (lambda: check_grads(abs, 1.0, names=["a", "b"]), "one name for each"),
        (lambda: check_grads(lambda x: "text", 1.0), "the result of <lambda> is str"),
        (lambda: check_grads(lambda x: x[0] * x[1], [1.0, 2.0], grad=lambda x: [1.0]), "the derivative by x has 1"),
        (lambda: check_grads(lambda x, y: x * y, 1.0, 2.0, grad=lambda x, y: x), "a tuple of 2 derivatives"),
        (lambda: check_grads(lambda x, y: x * y, 1.0, 2.0, grad=lambda x, y: (y, None)), "the derivative by y is None"),
        (lambda: check_grads(abs, 1.0, grad=1.0), "grad is a function"),
        (lambda: check_grads(np.tanh, np.ones(2), grad=np.ones_like), "a row for each output"),
        (lambda: check_grads(lambda x: x**2, 1.0, grad=math.sin, order=2), "differentiates grad itself"),
        (lambda: check_grads(lambda x: [x, x], 1.0, grad=lambda x: [1.0, 1.0], order=2), "needs one output"),
        (lambda: check_graph(1.0), "check_graph takes a Value"),
    ],
)
def test_mistakes_are_named(call: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        call()


def test_errors_of_the_function_come_through() -> None:
    with pytest.raises(KeyError):
        check_grads(lambda x: {}["w"] * x, 1.0)


def test_assert_grads() -> None:
    assert_grads(autograd.tanh, 0.5, order=2)
    with pytest.raises(AssertionError, match="mismatch") as caught:
        assert_grads(lambda x: x**2, 3.0, grad=lambda x: x)
    assert isinstance(caught.value, GradientMismatch)
    assert caught.value.report.entries[0].numeric == pytest.approx(6.0)


@pytest.mark.parametrize(
    ("f", "inputs", "order"),
    [
        (autograd.relu, (-1.0,), 3),
        (autograd.floor, (0.5,), 3),
        (lambda x: 3 * x, (2.0,), 3),
        (lambda x: 0.0 * x, (2.0,), 3),
        (lambda x: autograd.relu(x) * autograd.relu(-x), (1.0,), 3),
        (lambda a, b, c: a * b * c, (0.0, 0.0, 0.0), 3),
        (lambda *p: autograd.relu(p[0] - 5) + 0 * autograd.sum(p), tuple(0.1 * k for k in range(10)), 3),
    ],
)
def test_zero_on_both_sides_agrees(f: Any, inputs: tuple[float, ...], order: int) -> None:
    report = check_grads(f, *inputs, order=order)
    assert {entry.verdict for entry in report} == {"agree"}, report
    assert not report.notes


#: Functions, each where it or its slopes are below what a float can hold.
BELOW_ALL_FLOATS: list[tuple[Any, tuple[float, ...]]] = [
    (autograd.exp, (-800.0,)),
    (autograd.exp2, (-1100.0,)),
    (autograd.sigmoid, (-800.0,)),
    (autograd.softplus, (-800.0,)),
    (autograd.log_sigmoid, (800.0,)),
    (autograd.silu, (-800.0,)),
    (autograd.mish, (-800.0,)),
    (autograd.sech2, (400.0,)),
    (autograd.erf, (30.0,)),
    (autograd.erfc, (30.0,)),
    (lambda x: x**400, (1e-3,)),
    (lambda x: 1 / x, (1e200,)),
    (lambda x, y: autograd.softmax([x, y])[0], (0.0, 900.0)),
]


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize(("f", "inputs"), BELOW_ALL_FLOATS)
def test_a_slope_below_all_floats_agrees_with_zero(f: Any, inputs: tuple[float, ...], order: int) -> None:
    report = check_grads(f, *inputs, order=order)
    assert {entry.verdict for entry in report} == {"agree"}, report
    if len(inputs) == 1:
        report = check_grads(f, *inputs, grad=autograd.grad(f), order=order)
        assert {entry.verdict for entry in report} == {"agree"}, report


@pytest.mark.parametrize("x", [-1000.0, -800.0, -744.0, -720.0, -700.0, -690.0])
@pytest.mark.parametrize("factor", [0.0, 0.5, 2.0, -1.0])
def test_exp_is_told_from_a_wrong_slope_down_to_the_smallest_floats(x: float, factor: float) -> None:
    slope = math.exp(x)
    assert check_grads(autograd.exp, x, grad=lambda x: slope).ok
    assert check_grads(autograd.exp, x).ok
    for claimed in (factor * slope, 1e-323, 1e-320, 1e-310, -1e-304, 1e-302, 1e-290, 1.0):
        if claimed == slope or abs(claimed - slope) < 3e-320:  # a few times the smallest float: too few digits to tell
            continue
        for report in (
            check_grads(autograd.exp, x, grad=lambda x, claimed=claimed: claimed),
            check_grads(lambda x, claimed=claimed: node(math.exp(x.data), [x], [claimed]), x),
        ):
            assert report.entries[0].verdict in ("mismatch", "ill-conditioned"), (claimed, report)


@pytest.mark.parametrize("x", [1e-3, 1e-5, -1e-8, 3e-9, 1e-12, 1e-100])
@pytest.mark.parametrize(
    "function",
    [lambda x: autograd.mod(0.7, x), lambda x: x * autograd.floor(0.7 / x), lambda x: 0.7 % x + x * x],
    ids=["mod", "floor", "sum"],
)
def test_jumps_closer_than_a_step_are_no_wrong_second_derivatives(function: Any, x: float) -> None:
    for order in (2, 3):
        report = check_grads(function, x, order=order)
        assert {entry.verdict for entry in report if entry.order > 1} <= {"agree", "ill-conditioned", "kink"}, report
        assert not [edge for edge in report.guilty if edge.order > 1]


#: Where floats have few digits, or steps are longer than what functions do in between.
EXTREME = [
    s * x
    for x in (5e-324, 1e-320, 2.3e-308, 1e-300, 1e-160, 1e-30, 700.0, 735.0, 745.0, 1e10, 1e16, 1e100, 1e300, 1.7e308)
    for s in (1.0, -1.0)
]
#: Which of them are too extreme for differences: steps of floats are longer than a period there, or than the argument.
TOO_COARSE = {
    "sin": 1e16, "cos": 1e16, "tan": 1e16, "sinc": 1e16, "floor": 1.0, "ceil": 1.0, "rint": 1e10, "softsign": 1e10,
}  # fmt: skip
IS_THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
ONE_ARGUMENT = [row.name for row in TABLE.values() if row.arity == 1 and not row.n_ary and row.name != "detach"]


@pytest.mark.parametrize("name", ONE_ARGUMENT)
def test_at_extreme_points_no_right_slope_is_a_mismatch_and_no_wrong_one_agrees(name: str) -> None:
    f = getattr(autograd, name)
    for x in EXTREME[:: 1 if IS_THOROUGH else 3]:
        try:
            value, slope = autograd.value_and_grad(f)(x)
        except (ValueError, ArithmeticError):
            continue
        if not (math.isfinite(value) and math.isfinite(slope)):
            continue
        for report in (check_grads(f, x), check_grads(f, x, grad=lambda t, slope=slope: slope)):
            (verdict,) = [entry.verdict for entry in report.entries]
            coarse = abs(x) >= TOO_COARSE.get(name, math.inf) or 0.0 < abs(x) < 1e-307 or value in (2.0, 1.0, -1.0)
            assert verdict == "agree" or (coarse and verdict in ("ill-conditioned", "kink")), (x, slope, report)
        if abs(slope) * max(abs(x), 1.0) <= max(1e-16 * abs(value), 1e-299) or abs(x) < 1e-307:
            continue  # that changes nothing which a float can hold
        for claimed in (-slope, 2 * slope, slope / 2, 0.0):
            report = check_grads(f, x, grad=lambda t, claimed=claimed: claimed)
            assert not report.ok or abs(slope - claimed) < 1e-300, (x, slope, claimed, report)


@pytest.mark.parametrize("x", [-743.0, -743.3, -740.0, -744.5])
def test_what_underflows_inside_of_a_function_is_no_mismatch(x: float) -> None:
    def f(t: Any) -> Any:
        return t**3 * autograd.exp(t)

    assert check_grads(f, x, grad=autograd.grad(f)).entries[0].verdict in ("agree", "ill-conditioned")
    assert check_grads(f, x).entries[0].verdict in ("agree", "ill-conditioned")


@pytest.mark.parametrize("x", [-744.9, -744.58, -743.58, -742.77, -740.96, -730.0])
@pytest.mark.parametrize("f", [autograd.silu, autograd.mish, lambda x: x * autograd.exp(x)])
def test_what_underflows_inside_of_an_operation_is_no_mismatch(f: Any, x: float) -> None:
    for report in (check_grads(f, x, order=2), check_grads(f, x, grad=autograd.grad(f), order=2)):
        assert "mismatch" not in {entry.verdict for entry in report}, report


@pytest.mark.parametrize("claimed", [1e-310, -1e-302, 1e-290, 1.0])
@pytest.mark.parametrize(("f", "inputs"), [case for case in BELOW_ALL_FLOATS if len(case[1]) == 1])
def test_a_second_slope_claimed_below_all_floats_is_not_agreed_to(
    f: Any, inputs: tuple[float, ...], claimed: float
) -> None:
    (x,) = inputs
    slope = autograd.grad(f)(x)

    def wrong(at: Any) -> Any:
        return node(slope, [at], [claimed]) if isinstance(at, Value) else autograd.grad(f)(at)

    report = check_grads(f, x, grad=wrong, order=2)
    assert report.entries[-1].verdict in ("mismatch", "ill-conditioned"), report


def test_a_zero_that_should_be_none_is_a_mismatch() -> None:
    for x in (0.0, 1e-6, 0.5):
        assert not check_grads(lambda x: autograd.relu(x + 0.01) ** 2, x, grad=lambda x: 0.0).ok
