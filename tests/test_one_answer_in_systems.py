"""One answer in every number system: values and slopes of all rows, at points where formulas go wrong.

Eager code is compared with the same graph in each system: exactly where the system computes with floats too, else
within what floats promise of exact numbers. What eager code refuses is refused, in the same words; a number that is too
large for a float may have a value where numbers may be larger.
"""

from __future__ import annotations

import itertools
import json
import math
import os
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from importlib.resources import files
from typing import Any, NamedTuple

import mpmath
import pytest
from mpmath import mp

import autograd
from autograd import DomainError, Value, evaluate
from autograd.number_systems import common, javascript, mpmath_
from autograd.number_systems.enclosures import Interval
from autograd.pictures.page import stepping
from tests import checks
from tests.compiled.replays import bits
from tests.differential import cases as differential
from tests.test_one_answer import CASES, LEADING_NOWHERE, STEEP, STOPPING, Asked, agree, answer, over_cases

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"

Point = tuple[float, ...]
#: A number of some system, or what was raised in its place.
Outcome = Any


def outcome(ask: Callable[[], Any]) -> Outcome:
    try:
        return ask()
    except (ValueError, ArithmeticError, NotImplementedError) as error:
        return error


def is_refused(found: Outcome) -> bool:
    return isinstance(found, Exception)


def words(error: Exception) -> str:
    """What is said before the operands and the place."""
    return str(error).partition(";")[0]


class Place(NamedTuple):
    """A function of a row, a point, and what is asked there."""

    asked: Asked
    point: Point
    #: The argument of a slope, ``None`` for the value.
    i: int | None = None

    def __repr__(self) -> str:
        return f"{self.asked.name}{self.point}, {'value' if self.i is None else f'slope by argument {self.i}'}"

    def eagerly(self) -> Outcome:
        """What eager code says."""
        return outcome(self._value if self.i is None else self._slope)

    def _value(self) -> float:
        return self.asked(*map(Value, self.point)).data

    def _slope(self) -> float:
        assert self.i is not None
        x = Value(self.point[self.i])
        self.asked.along(self.point, self.i)(x).backward()
        return x.grad

    def in_system(self, name: str, moved: Sequence[Any] | None = None, digits: int | None = None) -> Outcome:
        """What a number system says; at other numbers, if they are given."""
        return outcome(lambda: self._evaluated(name, self.point if moved is None else moved, digits))

    def _evaluated(self, name: str, numbers: Sequence[Any], digits: int | None) -> Any:
        is_choice = "where" in self.asked.name  # made where it stands
        start = [self.asked.constants[i] for i in self.asked.free] if self.asked.row else (1.0, 1.0)
        leaves = [Value(x) for x in (self.point if is_choice else start)]
        output, at = self.asked(*leaves), dict(zip(leaves, numbers, strict=True))
        if self.i is None:
            return evaluate(output, name, at=at, digits=digits)
        return evaluate(output, name, at=at, digits=digits, wrt=leaves[self.i])[1]


def places(asked: Asked, points: Sequence[Point]) -> Iterator[Place]:
    """At each point the value and each slope."""
    for point in points:
        for i in (None, *range(asked.count)):
            yield Place(asked, point, i)


def without_signs_of_zero(asked: Asked) -> list[Point]:
    """The points, for systems that know one zero."""
    return list(dict.fromkeys(tuple([x + 0.0 for x in point]) for point in asked.points))


def finite(points: Sequence[Point]) -> list[Point]:
    return [point for point in points if all(map(math.isfinite, point))]


def is_too_large(expected: Outcome) -> bool:
    return isinstance(expected, OverflowError) or (not is_refused(expected) and math.isinf(expected))


def assert_both_refuse(place: Place, expected: Outcome, found: Outcome) -> None:
    """Of two faults in one domain, one text."""
    assert is_refused(found) or not abs(found) < math.inf, (place, found)
    if isinstance(expected, DomainError) and isinstance(found, DomainError):
        assert words(expected) == words(found), place


@over_cases
@pytest.mark.parametrize("system", ["floats", "values"])
def test_systems_of_floats_give_the_same_bits(asked: Asked, system: str) -> None:
    for place in places(asked, asked.points):
        expected, found = place.eagerly(), place.in_system(system)
        if is_refused(expected):
            assert type(found) is type(expected), place
            assert words(found) == words(expected), place
        else:
            assert repr(expected) == repr(float(checks.as_float(found))), place


# Many digits

#: Slopes that promise less: where the value, by which is divided, has few digits; where the square of x is too large.
LESS: dict[str, Callable[[Point, float], bool]] = {
    **dict.fromkeys(("hypot", "norm"), lambda point, slope: math.hypot(*point) < checks.SMALLEST_NORMAL),
    "atan": lambda point, slope: slope == 0.0 and abs(point[0]) > 1e154,
}


def bends(place: Place) -> Any:
    """Σ |xⱼ ∂f/∂xⱼ| of a value or of a slope, by differences: how far it moves as its operands are rounded."""
    total, step = mp.zero, mp.mpf(2) ** -100
    with mpmath.workdps(80):
        here = place.in_system("mpmath", digits=80)
        for j, x in enumerate(place.point):
            moved = [mp.mpf(y) * (1 + step) if j == k else y for k, y in enumerate(place.point)]
            if x:
                total += abs(place.in_system("mpmath", moved, digits=80) - here) / step
    return total


def is_near(place: Place, expected: float, exact: Any) -> bool:
    """Whether a float is within 4 units in the last place, or moved as far as a few roundings of the operands do."""
    if not mp.isfinite(exact):
        return False
    error = abs(mp.mpf(expected) - exact)
    if error <= 4 * checks.ulp(exact):
        return True
    if place.i is not None and place.asked.name in LESS and LESS[place.asked.name](place.point, expected):
        return True
    return bool(error <= 8 * checks.EPS * (abs(exact) + bends(place)))


@over_cases
def test_a_float_is_the_number_of_many_digits(asked: Asked) -> None:
    for place in places(asked, asked.points):
        expected, found = place.eagerly(), place.in_system("mpmath")
        if is_too_large(expected):
            if place.i is None or not is_refused(expected):  # else it may be the value that is too large
                assert is_refused(found) or not abs(found) <= checks.LARGEST, (place, found)
            assert is_refused(expected) or is_refused(found) or not found * expected <= 0, (place, found)
        elif is_refused(expected) or math.isnan(expected):
            assert_both_refuse(place, expected, found)
        else:
            assert not is_refused(found), (place, expected, found)
            assert is_near(place, expected, found), (place, expected, mp.nstr(found, 20))


# Other numbers


@over_cases
def test_complex_numbers_are_floats_on_the_real_axis(asked: Asked) -> None:
    for place in places(asked, asked.points):
        expected, found = place.eagerly(), place.in_system("complex")
        if isinstance(found, NotImplementedError):
            continue
        if isinstance(expected, OverflowError) and not is_refused(found):
            continue
        if is_refused(expected) or not math.isfinite(expected):
            assert_both_refuse(place, expected, found)
        else:
            assert not is_refused(found), (place, expected, found)
            assert complex(found).imag == 0.0, (place, found)
            near = math.isclose(expected, complex(found).real, rel_tol=1e-14, abs_tol=8 * checks.SMALLEST)
            assert near, (place, expected, found)


@over_cases
def test_a_float_is_near_the_exact_fraction(asked: Asked) -> None:
    for place in places(asked, finite(without_signs_of_zero(asked))):
        expected, found = place.eagerly(), place.in_system("fractions")
        if isinstance(found, NotImplementedError):
            continue
        if isinstance(expected, DomainError):
            assert isinstance(found, DomainError), (place, found)
            assert words(expected) == words(found), place
        elif is_too_large(expected):  # of a slope, the value may be
            assert place.i is not None or is_refused(found) or abs(found) > checks.LARGEST, (place, found)
        else:
            with mpmath.workdps(60):
                exact = mp.mpf(found.numerator) / found.denominator
            assert is_near(place, expected, exact), (place, expected, found)


@over_cases
def test_intervals_hold_the_true_number_and_the_float(asked: Asked) -> None:
    for place in places(asked, asked.points):
        expected, found = place.eagerly(), place.in_system("intervals")
        are_finite = all(map(math.isfinite, place.point))
        if isinstance(expected, DomainError):
            assert is_refused(found), (place, found)
            if isinstance(found, DomainError) and are_finite:
                assert words(expected) == words(found), place
        elif not is_refused(expected) and math.isnan(expected):
            is_bounded = not is_refused(found) and found.width < math.inf
            assert not is_bounded or asked.name == "softmax", (place, found)  # whose bounds hold for all numbers
        elif are_finite and not is_too_large(expected):
            assert not is_refused(found), (place, expected, found)
            assert place.in_system("mpmath") in found, (place, found)
            room = 4 * math.ulp(expected)
            assert expected in Interval(found.low - room, found.high + room), (place, expected, found)


def test_a_mean_is_finite_where_its_sum_is_too_large() -> None:
    assert evaluate(autograd.mean([Value(1e308), Value(1.7e308)]), "complex") == pytest.approx(1.35e308)
    xs = [Value(1.0), Value(1.0)]
    low, high = (float.fromhex(x) for x in ("-0x1.fp1023", "0x1.8p1023"))
    found = evaluate(autograd.mean(xs), "intervals", at=dict.fromkeys(xs, (low, high)))
    assert low * (1 + 2.0**-50) <= found.low <= low < high <= found.high <= high * (1 + 2.0**-50)


# SymPy is slow, and holds numbers such as 2 to the power 10¹⁰⁰ exactly, so its points are few and of ordinary size.
SYMPY = (
    (-math.inf, -750.0, -40.0, -3.0, -1.0, -0.5, -0.3, 0.0, 0.1, 0.5, 1.0, 2.0, 40.0, 750.0, math.inf)
    if THOROUGH
    else (-math.inf, -1.0, -0.3, 0.0, 0.5, 1.0, 3.0, math.inf)
)


@over_cases
def test_an_equation_has_the_same_number(asked: Asked) -> None:
    pytest.importorskip("sympy", reason="SymPy is not installed")
    points = [(x,) for x in SYMPY] if asked.count == 1 else list(itertools.product((*SYMPY[::2], math.inf), repeat=2))
    for place in places(asked, points):
        expected, found = place.eagerly(), place.in_system("sympy")
        if isinstance(expected, OverflowError):
            continue  # a number of SymPy's may be larger
        if common.NO_SIGN_OF_ZERO in str(found):
            assert asked.name == "atan2", place
            assert place.point[0] == 0 >= place.point[1], place
            continue
        if is_refused(expected) or math.isnan(expected):
            assert is_refused(found) or found.n().is_finite is not True, (place, expected, found)
            both_refuse = isinstance(expected, DomainError) and isinstance(found, DomainError)
            assert not both_refuse or words(expected) == words(found), place
        else:
            assert not is_refused(found), (place, expected, found)
            assert math.isclose(expected, float(found), rel_tol=1e-13, abs_tol=1e-15), (place, expected, found)


# Compositions


@pytest.mark.parametrize("steep", STEEP)
@pytest.mark.parametrize("stopping", STOPPING)
@pytest.mark.parametrize("stops_first", [True, False])
def test_compositions_have_one_slope(stopping: str, steep: str, stops_first: bool) -> None:
    f, g = (STOPPING[stopping], STEEP[steep]) if stops_first else (STEEP[steep], STOPPING[stopping])
    asked = Asked("composition", lambda x: g(f(x)) + 0 * x, 1)
    for x in (0.0, 0.05, 0.25, 0.7, 1.0):
        place = Place(asked, (x,), 0)
        expected = place.eagerly()
        for system in ("floats", "mpmath", "complex", "intervals", "sympy"):
            found = outcome(lambda x=x, system=system: _evaluated_there(asked, x, system))
            if is_refused(expected) or not math.isfinite(expected):
                is_a_number = (
                    not is_refused(found) and (found.width if system == "intervals" else abs(complex(found))) < math.inf
                )
                assert not is_a_number, (place, system, found)
            elif is_refused(found):
                assert common.NO_SIGN_OF_ZERO in str(found), (place, system, found)
            elif system == "intervals":
                room = 8 * math.ulp(expected)
                assert expected in Interval(found.low - room, found.high + room), (place, found)
            else:
                assert agree(expected, complex(found).real, 1e-13, 0.0), (place, system, found)


def _evaluated_there(asked: Asked, x: float, system: str) -> Any:
    leaf = Value(x)
    return evaluate(asked(leaf), system, wrt=leaf)[1]


# Signs of zeros


#: Of ordinate and abscissa: functions of an angle, which jumps where a zero changes its sign.
OF_AN_ANGLE: dict[str, Callable[..., Any]] = {
    "square": lambda y, x: autograd.square(autograd.atan2(y, x)),
    "choice": lambda y, x: autograd.maximum(autograd.detach(autograd.atan2(y, x)), y) * x,
    "of a choice": lambda y, x: autograd.atan2(autograd.maximum(y, -1.0), autograd.minimum(x, 1.0)) * y,
    "of the opposite": lambda y, x: autograd.atan2(-y, x) * x,
}


@pytest.mark.parametrize("name", OF_AN_ANGLE)
@pytest.mark.parametrize("point", list(itertools.product((0.0, -0.0, 0.5), (0.0, -0.0, -1.0, 2.0))))
def test_an_angle_is_that_of_the_signs_of_zeros_or_refused(name: str, point: Point) -> None:
    asked = Asked(name, OF_AN_ANGLE[name])
    for place in places(asked, [point]):
        expected = place.eagerly()
        for system in ("arrays", "complex", "mpmath", "sympy", "intervals"):
            found = place.in_system(system)
            if is_refused(expected):
                assert is_refused(found) or not abs(complex(found)) < math.inf, (place, system, found)
            elif is_refused(found):
                assert common.NO_SIGN_OF_ZERO in str(found), (place, system, found)
                assert system == "sympy" or name == "of the opposite", (place, system)
            elif system == "intervals":
                assert found.low - 1e-15 <= expected <= found.high + 1e-15, (place, found)
                assert found.width < 1e-13 or name != "square", (place, found)
            else:
                # A dozen operations in a row, which NumPy need not round as the floats do.
                assert complex(found) == pytest.approx(expected, rel=4e-15, abs=0.0), (place, system, found)


# The page


#: What the page computes at points: value, and what flows to each operand; "refused" where it shows a problem.
_AT_POINTS = """
const show = String, at = %s;
console.log(JSON.stringify(at.map(([key, points]) => points.map((texts) => {
  const inputs = texts.map(Number), constants = inputs.map((value) => ({ kind: "leaf", value }));
  const node = { kind: "operation", kernel: key, operands: inputs.map((_, i) => i) };
  const program = { kernels: described, nodes: [...constants, node] };
  const problems = new Map(), values = [...inputs];
  values.push(compute(program, node, inputs.length, values, problems, new Map()));
  const value = values.at(-1);
  const slopes = value === undefined ? inputs.map(() => undefined) : slopesOf(program, { values }, inputs.length);
  const found = [value, ...slopes.map((slope) => (slope === null ? 0 : slope))];
  return found.map((x) => (x?.problem ? "refused" : String(x)));
}))));
"""


EVALUATOR = (files("autograd.pictures") / "page" / "evaluator.js").read_text("utf-8")


def in_node(text: str) -> Any:
    """What a program in JavaScript prints."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node.js is installed (on Debian: apt-get install nodejs)")
    return json.loads(subprocess.run([node, "-"], input=text, capture_output=True, text=True, check=True).stdout)


@pytest.fixture(scope="module")
def of_the_page() -> dict[str, list[list[str]]]:
    """Row → for each point what the page computes; in one process, of all rows."""
    rows = [asked.row for asked in CASES if asked.row is not None]
    kernels = {row.name: javascript.kernel(row, row.arity) for row in rows}
    entries = ", ".join(f"{name}: {text}" for name, text in kernels.items())
    described = {
        row.name: {"name": row.name, "arguments": row.arguments, "needs": row.needs, "remedy": ""} for row in rows
    }
    points = [
        [asked.row.name, [list(map(js, asked.operands(point))) for point in asked.points]]
        for asked in CASES
        if asked.row
    ]
    text = "\n".join(
        [
            javascript.module(kernels.values()),
            f"const kernels = {{{entries}}}, described = {json.dumps(described)};",
            EVALUATOR,
            _AT_POINTS % json.dumps(points),
        ]
    )
    return dict(zip([row.name for row in rows], in_node(text), strict=True))


def js(x: float) -> str:
    return repr(x).replace("inf", "Infinity").replace("nan", "NaN")


@pytest.mark.parametrize("asked", [asked for asked in CASES if asked.row is not None], ids=lambda asked: asked.name)
def test_the_page_has_the_same_numbers(of_the_page: dict[str, list[list[str]]], asked: Asked) -> None:
    for point, (value, *slopes) in zip(asked.points, of_the_page[asked.name], strict=True):
        shown = [value, *[slopes[i] for i in asked.free]]
        for place, text in zip(places(asked, [point]), shown, strict=True):
            if place.i is not None and (value == "NaN" or not asked.is_asked_of(point)):
                continue  # a value that is nan, or too large, tells enough
            if text == "refused" and "Infinity" in value:
                continue  # powers of -∞ have no derivative in the row's words, and in floats that of their limit
            x = place.eagerly()
            y = math.nan if text in ("refused", "undefined") else float(text.replace("Infinity", "inf"))
            assert agree(None if is_refused(x) else x, y, 1e-14, 8 * checks.SMALLEST), (place, x, text)


#: What the page says after the edits: the value and each gradient, "refused" where it stops.
_AFTER_EDITS = """
const exactly = (x) => (Object.is(x, -0) ? "-0.0" : String(x));
const after = (program, leaves, texts) => {
  const inputs = new Map(program.nodes.map((node, slot) => [slot, Number(node.value)]));
  leaves.forEach((slot, i) => inputs.set(slot, Number(texts[i])));
  const told = tell(program, inputs), value = told.values[program.output];
  if (value === undefined) return ["refused", ...leaves.map(() => "refused")];
  const slopes = leaves.map((slot) => (told.events.at(-1).kind === "stop" ? "refused" : told.gradients.get(slot) ?? 0));
  return [value, ...slopes].map(exactly);
};
"""

Edited = tuple[Callable[..., Any], Point, list[Point]]


def after_edits(cases: Sequence[Edited]) -> list[list[list[float]]]:
    """Of functions, each recorded at a point: value and gradients that the page has at others; nan where it stops."""
    lines = ["const show = String; let kernels; const said = [];", EVALUATOR, _AFTER_EDITS]
    for f, start, points in cases:
        leaves = [Value(x, f"x{i}") for i, x in enumerate(start)]
        data, written = stepping._program(f(*leaves), 17)
        names = [node["name"] for node in data["nodes"]]
        slots = [names.index(leaf.label) if leaf.label in names else -1 for leaf in leaves]
        texts = json.dumps([list(map(js, point)) for point in points])
        lines.append(f"kernels = (() => {{ {written}\nreturn kernels; }})();")
        lines.append(f"said.push({texts}.map((texts) => after({json.dumps(data)}, {slots}, texts)));")
    printed = in_node("\n".join([*lines, "console.log(JSON.stringify(said));"]))
    as_floats = {"refused": math.nan, "Infinity": math.inf, "-Infinity": -math.inf, "NaN": math.nan}
    return [[[as_floats.get(x) or float(x) for x in at] for at in points] for points in printed]


def test_on_the_page_a_slope_that_leads_nowhere_is_not_asked_for() -> None:
    cases: dict[str, Edited] = {name: (f, (3.0,), [(x,)]) for name, (f, x) in LEADING_NOWHERE.items()}
    for (stopping, f), (steep, g) in itertools.product(STOPPING.items(), STEEP.items()):
        points = [(x,) for x in (0.0, -0.0, 0.05, 0.25, 0.7, 1.0)]
        cases[f"{steep} of {stopping}"] = (lambda x, f=f, g=g: g(f(x)) + 0 * x, (0.25,), points)
        cases[f"{stopping} of {steep}"] = (lambda x, f=f, g=g: f(g(x)) + 0 * x, (0.25,), points)
    for (name, (f, _, points)), found in zip(cases.items(), after_edits(list(cases.values())), strict=True):
        for (x,), (_, slope) in zip(points, found, strict=True):
            assert agree(answer(lambda f=f, x=x: _slope_at(f, x)), slope, 1e-13, 0.0), (name, x, slope)


def _slope_at(f: Callable[[Any], Any], x: float) -> float:
    leaf = Value(x)
    f(leaf).backward()
    return leaf.grad


def test_the_page_has_the_same_bits_of_random_programs() -> None:
    source, cases, compared = random.Random(7), [], 0
    while len(cases) < (400 if THOROUGH else 60):
        f = differential.drawn(source)
        points = [tuple(source.choices(differential.NUMBERS, k=differential.INPUTS)) for _ in range(40)]
        start = next((point for point in points if differential._eagerly(f, point) is not None), None)
        if start is not None:
            cases.append((f, start, points))
    for (f, _, points), found in zip(cases, after_edits(cases), strict=True):
        for point, numbers in zip(points, found, strict=True):
            expected = differential._eagerly(f, point)
            if expected is not None:  # an operation that the output does not need may have raised
                compared += 1
                assert bits(numbers) == bits(expected), (f, point, numbers, expected)
    assert compared > 1000


def test_an_exponent_that_is_tiny_even_for_many_digits() -> None:
    with mpmath_.computing(60):
        tiny = -(mpmath.mpf(10) ** (-(10**30)))
        assert mpmath_.pow(mpmath.mpf(266), tiny) == 1
        with pytest.raises(ValueError, match="pow has no real value here"):
            mpmath_.pow(mpmath.mpf(-266), tiny)
