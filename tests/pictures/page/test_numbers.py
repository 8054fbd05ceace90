"""Numbers of the step-through page, in a real browser: as Python shows them, as the engine computes them."""

from __future__ import annotations

import itertools
import math
import random
import struct
from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import autograd
from autograd import Primitive, Value, step_through
from autograd.number_systems import javascript
from autograd.primitives import everywhere
from autograd.testing import CONTINUOUS, expressions, reals
from autograd.testing.regions import in_domain
from tests import checks
from tests.pictures.page.step_page import StepPage, gradients_of, shown
from tests.rows import ROWS, STEPS, differentiable, is_smooth, name_of
from tests.strategies import NEAR, WIDE, operands


@pytest.fixture(scope="module")
def console(browser: Any) -> Iterator[Any]:
    """A blank page that runs the package's JavaScript."""
    page = browser.new_page()
    folder = files("autograd.pictures") / "page"
    page.add_script_tag(content=(folder / "numbers.js").read_text("utf-8"))
    yield page
    page.close()


def random_floats(count: int) -> list[float]:
    source = random.Random(7)
    bits = [struct.unpack("<d", source.randbytes(8))[0] for _ in range(count)]
    ordinary = [source.choice((1, -1)) * source.uniform(1, 10) * 10.0 ** source.randint(-12, 12) for _ in range(count)]
    short = [round(source.uniform(-1, 1) * 10.0 ** source.randint(0, 8), source.randint(0, 7)) for _ in range(count)]
    return [*(x for x in bits if math.isfinite(x)), *ordinary, *short]


HALFWAY = [
    100000.5,
    100001.5,
    2.5,
    3.5,
    0.5,
    1.5,
    1234565.0,
    1234575.0,
    0.000030517578125,
    1e22,
    9.5,
    99.5,
    999999.5,
    9999995.0,
]
EDGES = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.1,
    1e-5,
    1e-4,
    9.99999e-5,
    99999.95,
    999999.4,
    1e6,
    1e16,
    1e17,
    5e-324,
    1.7976931348623157e308,
]


@pytest.mark.parametrize("digits", [1, 2, 4, 6, 12, 17])
def test_numbers_are_shown_as_python_shows_them(console: Any, digits: int) -> None:
    numbers = [*EDGES, *HALFWAY, *(-x for x in HALFWAY), *random_floats(700)]
    found = console.evaluate(
        "([xs, digits]) => xs.map((x) => show(Number(x), digits))", [[repr(x) for x in numbers], digits]
    )
    wrong = [(x, text, f"{x:.{digits}g}") for x, text in zip(numbers, found, strict=True) if text != f"{x:.{digits}g}"]
    assert wrong == []


def test_what_is_no_number_is_shown_as_python_shows_it(console: Any) -> None:
    assert console.evaluate("[NaN, Infinity, -Infinity].map((x) => show(x))") == ["nan", "inf", "-inf"]


COMPUTING = [row for row in ROWS if row.name != "where"]


def points(row: Primitive) -> list[tuple[float, ...]]:
    """Operands from the row's domain: near ones and those of all sizes, the same on every run."""
    found: list[tuple[float, ...]] = []

    @settings(max_examples=settings().max_examples + 5, derandomize=True, database=None)
    @given(st.one_of(operands(row, scales=NEAR, most=3), operands(row, scales=WIDE, most=3)))
    def collect(drawn: tuple[float, ...]) -> None:
        found.append(drawn)

    collect()
    return found


@pytest.mark.parametrize("row", COMPUTING, ids=name_of)
def test_functions_are_as_accurate_as_those_of_the_engine(console: Any, row: Primitive) -> None:
    """Twice the bound that the float functions keep; what is exact, or rounded once, is exactly that."""
    tried = [xs for xs in points(row) if in_domain(row, xs)]
    counts = sorted({len(xs) for xs in tried})
    kernels = [javascript.kernel(row, count) for count in counts]
    entries = ", ".join(f"{count}: {text}" for count, text in zip(counts, kernels, strict=True))
    script = f"{javascript.module(kernels)}\nconst kernels = {{{entries}}};"
    found = console.evaluate(
        f"(points) => {{ {script}\n return points.map((xs) => String(kernels[xs.length].value(...xs.map(Number)))); }}",
        [[repr(x) for x in xs] for xs in tried],
    )
    for xs, text in zip(tried, found, strict=True):
        exact = checks.exact_value(row, xs)
        if abs(exact) > checks.LARGEST:
            continue
        computed = float(text.replace("Infinity", "inf"))
        error = abs(checks.mp.mpf(computed) - exact)
        strict = row.name in checks.ROUNDED_ONCE | checks.EXACT
        assert error <= checks.rounding_of(row, xs) * (1 if strict else 2), f"{row.name}{xs}: {computed!r}"


ODD = (-math.inf, -1e300, -2.5, -2.0, -1.0, -0.5, -0.0, 0.0, 5e-324, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 1e300, math.inf)


@autograd.primitive(partials=[lambda m, z, x: 1], domain=lambda x: 0 < x < 1 or not (x < 3 and x % 2 != 1))
def crooked(m: Any, x: Any) -> Any:
    return x + 0


@autograd.primitive(partials=[lambda m, z, x, y: 1, None], domain=lambda x, y: x > 0 if y > 0 else (x != y) & (x >= -1))
def forked(m: Any, x: Any, y: Any) -> Any:
    return x + y


def predicates_of(row: Primitive) -> dict[str, Callable[..., Any]]:
    """The domains and the places of the limits of a row, by what they are called in its kernel."""
    found = {"domain": row.domain}
    found |= {f"partialDomains[{i}]": p for i, p in enumerate(row.partial_domains) if p}
    return found | {f"limits[{i}][1]": limit.at for i, limit in enumerate(row.limits)}


OWN = (crooked.primitive, forked.primitive)  # type: ignore[attr-defined]


@pytest.mark.parametrize("row", [row for row in (*ROWS, *OWN) if row.domain is not everywhere], ids=name_of)
def test_domains_and_limits_lie_where_they_lie_in_python(console: Any, row: Primitive) -> None:
    tried = list(itertools.islice(itertools.product(ODD, repeat=row.arity), 2_000))
    text = javascript.kernel(row, row.arity)
    for name, predicate in predicates_of(row).items():
        found = console.evaluate(
            f"(points) => {{ {javascript.module([text])}\n const kernel = {text};"
            f" return points.map((xs) => kernel.{name}(...xs.map(Number))); }}",
            [[repr(x).replace("inf", "Infinity") for x in xs] for xs in tried],
        )
        wrong = [xs for xs, says in zip(tried, found, strict=True) if says != bool(predicate(*xs))]
        assert wrong == [], name


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="module")
def tab(browser: Any) -> Iterator[StepPage]:
    """One tab for many pages."""
    page = browser.new_page()
    step_page = StepPage(page)
    step_page.watch()
    yield step_page
    page.close()
    step_page.finish()


@pytest.mark.parametrize("precision", [6, 17])
def test_forward_and_backward_show_the_numbers_of_the_engine(open_page: Any, precision: int) -> None:
    leaves = {name: Value(x, name) for name, x in (("x", 2.0), ("w", -0.5), ("b", 0.25))}
    z = leaves["x"] * leaves["w"] + leaves["b"]
    z.label = "z"
    y = z.tanh()
    y.label = "y"
    page = open_page(y, precision=precision)
    page.end()
    found = page.gradients()
    for name, gradient in gradients_of(y, leaves, precision).items():
        assert found[name] == gradient
    assert found["z"] == shown(y.parents[0].grad, precision)
    assert page.box("y")["data"] == shown(y.data, precision)


#: Slopes of zero everywhere, and no slope: two points will do.
FLAT = (*(row.name for row in STEPS if row.arity == 1), "detach")


@cache
def two_points(row: Primitive) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Where all partials are ordinary derivatives; the constants of the row agree."""
    if row.name in FLAT:
        return (0.25,), (-1.75,)
    if row.n_ary:
        return (0.5, -1.25, 2.0, 0.75), (-0.625, 1.5, 0.25, -2.0)
    found: list[tuple[float, ...]] = []
    moving = differentiable(row)

    @settings(max_examples=30, derandomize=True, database=None)
    @given(operands(row, moving[0]))
    def collect(drawn: tuple[float, ...]) -> None:
        if all(is_smooth(row, drawn, i) for i in moving):
            found.append(drawn)

    collect()
    target = next(xs for xs in found if 0.1 < abs(xs[0]) < 4)
    return next((*xs[: len(moving)], *target[len(moving) :]) for xs in found if xs[0] != target[0]), target


#: A dozen rows on one page, each with leaves of its own; loading a page for each would take ten times as long.
DOZENS = [COMPUTING[i : i + 12] for i in range(0, len(COMPUTING), 12)]


@pytest.mark.parametrize("rows", DOZENS, ids=lambda rows: f"{rows[0].name}-{rows[-1].name}")
def test_an_edit_is_followed_by_every_primitive(tab: StepPage, tmp_path: Path, rows: list[Primitive]) -> None:
    """Made at one point, edited to another in every operand: values and gradients are the engine's there."""

    def graph(which: int) -> tuple[Value, dict[str, Value], dict[str, Value]]:
        leaves: dict[str, Value] = {}
        results: dict[str, Value] = {}
        for row in rows:
            operands = checks.leaves_of(row, two_points(row)[which])
            for i, leaf in enumerate(operands):
                if isinstance(leaf, Value):
                    leaf.label = f"{row.name}, {row.arguments[0] if row.n_ary else row.arguments[i]} {i}"
                    leaves[leaf.label] = leaf
            results[row.name] = checks.record(row, operands) * 3.0
            results[row.name].label = row.name
        return autograd.sum(list(results.values())), leaves, results

    tab.show(step_through(graph(0)[0]), tmp_path)
    tab.end()
    out, leaves, results = graph(1)
    tab.edit_quickly({name: leaf.data for name, leaf in leaves.items()})
    boxes = {box["name"]: box for box in tab.boxes()}
    assert {name: boxes[name]["data"] for name in results} == {name: shown(y.data) for name, y in results.items()}
    assert {name: boxes[name]["gradient"] for name in leaves} == gradients_of(out, leaves)


@settings(max_examples=settings().max_examples // 5)  # ten expressions on each page
@given(st.data())
def test_gradients_are_those_of_backward_to_the_last_bit(tab: StepPage, folder: Path, data: st.DataObject) -> None:
    """Sums in the order of backward(), whatever is shared; 17 digits tell any two floats apart."""
    leaves: dict[str, Value] = {}
    results = []
    for tree in data.draw(st.lists(expressions(primitives=CONTINUOUS), min_size=1, max_size=10)):
        own = {f"x{len(leaves) + i}": data.draw(reals(tree.min_value, tree.max_value)) for i in range(len(tree.names))}
        made = {name: Value(x, name) for name, x in own.items()}
        try:
            result = tree(*made.values())
            result.backward()
        except (ValueError, ArithmeticError):
            continue  # where there is no value or no slope, the page says so: tested elsewhere
        leaves |= made
        results.append(result)
    assume(results)
    out = autograd.sum(results)
    tab.show(step_through(out, precision=17), folder)
    tab.end()
    found, expected = tab.gradients(), gradients_of(out, leaves, 17)
    used = [name for name in leaves if name in found]
    assert used
    assert {name: found[name] for name in used} == {name: expected[name] for name in used}
