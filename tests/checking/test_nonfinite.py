"""``find_nonfinite``: each nan and infinity is named where it was born, with what made it, and nothing else is."""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import autograd
from autograd import TABLE, NonFiniteError, Primitive, StaleGraphError, Value, find_nonfinite, record_lines, where
from autograd.checking.nonfinite import Birth, _Backward
from autograd.graph import topological_order
from autograd.provenance.reasons import what_made

inf, nan = math.inf, math.nan
HUGE = 1e308


def births(output: Value) -> list[tuple[str, str, str]]:
    """Direction, operation and reason of each birth."""
    found = find_nonfinite(output).births
    return [(b.direction, "leaf" if b.node.primitive is None else b.node.primitive.name, b.reason) for b in found]


def forward_births(output: Value) -> list[tuple[str, str]]:
    return [(name, reason) for direction, name, reason in births(output) if direction == "forward"]


def backward_births(output: Value) -> list[tuple[str, str]]:
    return [(name, reason) for direction, name, reason in births(output) if direction == "backward"]


def test_all_finite() -> None:
    x = Value(2.0, "x")
    report = find_nonfinite(x * x + 1.0)
    assert not report
    assert (report.births, report.leaves) == ((), ())
    assert str(report) == "the output is Value(5.0); all numbers on the way to it and back are finite"
    report.raise_if_any()


V = Value
FORWARD: dict[str, tuple[Callable[[], Value], list[tuple[str, str]]]] = {
    "overflow of mul": (lambda: V(HUGE) * 10.0, [("mul", "1e+308 · 10.0 is too large for a float")]),
    "overflow of add": (lambda: V(HUGE) + V(HUGE), [("add", "1e+308 + 1e+308 is too large for a float")]),
    "overflow of div": (lambda: V(HUGE) / 1e-10, [("div", "1e+308 / 1e-10 is too large for a float")]),
    "overflow of square": (lambda: V(1e200).square(), [("square", "1e+200 · 1e+200 is too large for a float")]),
    "infinite constant": (lambda: V(2.0) * inf, [("mul", "a constant among its operands is inf")]),
    "nan constant": (lambda: V(2.0) + nan, [("add", "a constant among its operands is nan")]),
    "0 times a constant": (lambda: V(0.0) * inf, [("mul", "0 · ∞: 0.0 · inf is nan")]),
    "a leaf": (lambda: V(nan, "w") * 2.0 + 1.0, [("leaf", "it was given so")]),
    "an infinite leaf passed on": (lambda: V(-inf) * 2.0, [("leaf", "it was given so")]),
    "difference of infinities": (
        lambda: V(inf, "a") - V(inf, "b"),
        [("leaf", "it was given so")] * 2 + [("sub", "∞ − ∞: inf − inf is nan")],
    ),
    "sum of infinities": (
        lambda: V(inf, "a") + V(-inf, "b"),
        [("leaf", "it was given so")] * 2 + [("add", "∞ − ∞: inf + -inf is nan")],
    ),
    "0 times an infinity": (
        lambda: V(HUGE) * 10.0 * 0.0,
        [("mul", "1e+308 · 10.0 is too large for a float"), ("mul", "0 · ∞: inf · 0.0 is nan")],
    ),
    "quotient of infinities": (
        lambda: V(inf) / (V(HUGE) * -10.0),
        [
            ("leaf", "it was given so"),
            ("mul", "1e+308 · -10.0 is too large for a float"),
            ("div", "∞ / ∞: inf / -inf is nan"),
        ],
    ),
    "within a dot": (
        lambda: autograd.dot([V(HUGE), V(HUGE)], [10.0, -10.0]),
        [("dot", "1e+308 · 10.0 is too large for a float; then ∞ − ∞: inf + -inf is nan")],
    ),
    "within a sum": (
        lambda: autograd.sum([V(HUGE), V(HUGE), 1.0]),
        [("sum", "1e+308 + 1e+308 is too large for a float")],
    ),
    "within a product": (
        lambda: autograd.prod([V(1e200), V(1e200), 0.0]),
        [("prod", "1e+200 · 1e+200 is too large for a float; then 0 · ∞: inf · 0.0 is nan")],
    ),
}


@pytest.mark.parametrize("case", FORWARD)
def test_births_forward(case: str) -> None:
    make, expected = FORWARD[case]
    assert forward_births(make()) == expected


ROOT = "the slope is inf there"
BACKWARD: dict[str, tuple[Callable[[Value], Value], float, list[tuple[str, str]]]] = {
    "an infinite slope": (lambda x: x.sqrt() * 3.0, 0.0, [("sqrt", ROOT)]),
    "0 times an infinite slope": (
        lambda x: x.sqrt() * 0.0,
        0.0,
        [("sqrt", f"{ROOT}; 0 · ∞: a cotangent of 0.0 times that is nan")],
    ),
    "difference of infinite cotangents": (
        lambda x: x.sqrt() - x.cbrt(),
        0.0,
        [
            ("cbrt", ROOT),
            ("sqrt", ROOT),
            ("leaf", "∞ − ∞: inf flows in through sqrt, -inf through cbrt"),
        ],
    ),
    "an infinite cotangent times a slope of 0": (
        lambda x: (x * 0.0).sqrt(),
        1.0,
        [("sqrt", ROOT), ("mul", "0 · ∞: a cotangent of inf times a slope of 0.0 is nan")],
    ),
    "a slope too large": (lambda x: 1.0 / x, 1e-200, [("div", "-1e+200 / 1e-200 is too large for a float")]),
    "a product too large": (
        lambda x: (x * 1e200) * 1e200,
        1e-250,
        [("mul", "a cotangent of 1e+200 times a slope of 1e+200 is too large for a float")],
    ),
    "a sum too large": (
        lambda x: x * HUGE + x * HUGE,
        1e-10,
        [("leaf", "1e+308 + 1e+308, the sum of what flows in, is too large for a float")],
    ),
    "nothing flows to an infinite slope": (lambda x: autograd.floor(x.sqrt()), 0.0, []),
    "a cotangent of 0 times an infinite slope": (
        lambda x: x.sqrt() ** 2,
        0.0,
        [("sqrt", f"{ROOT}; 0 · ∞: a cotangent of 0.0 times that is nan")],
    ),
    "the side of a maximum that lost": (
        lambda x: autograd.maximum(x - 1.0, x * 0.0).sqrt(),
        0.5,
        [
            ("sqrt", ROOT),
            ("mul", "0 · ∞: a cotangent of inf times a slope of 0.0 is nan"),
        ],
    ),
    "no slope at all": (
        lambda x: autograd.atan2(x, 0.0) * 2.0,
        0.0,
        [("atan2", "backward() fails: atan2 has no derivative with respect to x here")],
    ),
}


@pytest.mark.parametrize("case", BACKWARD)
def test_births_backward(case: str) -> None:
    f, at, expected = BACKWARD[case]
    x = Value(at, "x")
    y = f(x)
    assert math.isfinite(y.data)
    assert forward_births(y) == []
    assert sorted(backward_births(y)) == sorted(expected)


def test_what_infinities_of_the_forward_run_make_of_the_gradients_is_no_birth() -> None:
    x = Value(2.0)
    y = x * math.inf
    assert [b.direction for b in find_nonfinite(y).births] == ["forward"]
    assert find_nonfinite(y).leaves == (x,)


def test_the_report_as_text() -> None:
    with record_lines():
        first_line = sys._getframe().f_lineno + 2
        a, b = Value(HUGE, "a"), Value(3.0, "b")
        z = a * 10.0
        z.label = "z1"
        loss = (z - z) * b
        loss.label = "loss"
    one, two = (f"test_nonfinite.py:{first_line + i}" for i in (0, 2))
    report = find_nonfinite(loss)
    assert str(report).splitlines() == [
        "the output is 'loss' (nan); not finite are the gradients of 'b' (3.0)",
        "forward: mul gave inf; x is 1e+308 ('a'), y is 10.0. 1e+308 · 10.0 is too large for a float.",
        f"  on the way to the output: mul('a', 10.0) ('z1', {one}) → sub → mul ('loss', {two})",
        f"forward: sub gave nan; x is inf ('z1', {one}), y is inf ('z1', {one}). ∞ − ∞: inf − inf is nan.",
        f"  on the way to the output: sub('z1', 'z1') ({two}) → mul ('loss', {two})",
    ]
    first = report.births[0]
    assert (first.node, first.line, first.number) == (z, one, inf)
    assert first.path[0] is z
    assert first.path[-1] is loss
    html = report._repr_html_()
    assert html.count("<tr>") == 1 + len(report.births)
    assert "∞ − ∞" in html
    with pytest.raises(NonFiniteError, match="mul gave inf"):
        report.raise_if_any()


def test_many_births_are_counted() -> None:
    report = find_nonfinite(autograd.sum([Value(nan, f"w{i}") for i in range(100)]))
    assert len(report.births) == 100
    assert "… and 95 more" in str(report)
    assert "… and 95 more" in report._repr_html_()
    assert len(str(report)) < 2000


def test_html_is_escaped() -> None:
    assert "<b>" not in find_nonfinite(Value(nan, "<b>") * 2.0)._repr_html_()
    assert "<b>" not in find_nonfinite(Value(nan, "<b>"))._repr_html_()


def test_branches_not_taken_do_not_count() -> None:
    x = Value(1.0)
    assert not find_nonfinite(where(x > 0, x, x * nan))
    assert not find_nonfinite(where(x < 0, x * nan, x))
    assert not find_nonfinite(where(x > 0, x, (x * HUGE) * (x * 10.0 * HUGE)))
    assert forward_births(where(x * nan > 0, x, 2.0)) == [("mul", "a constant among its operands is nan")]
    assert forward_births((x * inf).detach() * x) == [("mul", "a constant among its operands is inf")]


def test_gradients_are_left_alone() -> None:
    x = Value(0.0)
    y = x.sqrt()
    x.grad, y.grad = 5.0, 7.0
    assert find_nonfinite(y)
    assert (x.grad, y.grad) == (5.0, 7.0)


def test_a_leaf_written_since_is_refused() -> None:
    x = Value(2.0, "x")
    y = x * inf
    x.data = 3.0
    with pytest.raises(StaleGraphError, match="'x'"):
        find_nonfinite(y)


def test_anything_but_a_value_is_refused() -> None:
    with pytest.raises(TypeError, match="graph of a Value"):
        find_nonfinite(math.nan)  # type: ignore[arg-type]


def test_a_primitive_of_ones_own() -> None:
    @autograd.primitive(partials=(lambda m, z, x: 0 * x,))
    def gap(m: Any, x: Any) -> Any:
        return (x * 1e300) - (x * 1e300)

    node = gap(Value(1e200))
    (birth,) = [b for b in find_nonfinite(node).births if b.direction == "forward"]
    assert birth.node is node
    assert birth.reason.endswith("∞ − ∞: inf − inf is nan")


@pytest.mark.parametrize("row", [row for row in TABLE.values() if not row.compares], ids=lambda row: row.name)
@pytest.mark.parametrize("x", [inf, -inf, HUGE, -HUGE, 0.0, nan], ids=str)
def test_no_row_is_silent(row: Primitive, x: float) -> None:
    """Whatever a row lets through is found: the report is false exactly if backward leaves only finite numbers."""
    if row.name == "where":
        return
    leaves = [Value(x), Value(x)][: 2 if row.n_ary else row.arity]
    constants = [0.5] * (row.arity - 2) if not row.n_ary else []
    function = autograd.value.maker(row)
    try:
        if row.n_ary:
            operands = ((tuple(leaves[:1]),), tuple(leaves[1:])) if row.name == "dot" else ((tuple(leaves),),)
            y = function(*operands)[0]
        else:
            y = function(*leaves, *constants)
    except (ValueError, OverflowError):
        return
    report = find_nonfinite(y)
    fails = False
    try:
        y.backward()
    except (ValueError, OverflowError):
        fails = True
    everything = [x, y.data, *[leaf.grad for leaf in leaves]]
    assert bool(report) == (fails or not all(map(math.isfinite, everything)))
    if not fails:
        assert set(report.leaves) == {leaf for leaf in leaves if not math.isfinite(leaf.grad)}


NUMBERS = [0.0, 1.0, -2.0, 1e-200, 1e200, -1e200, HUGE, inf, -inf, nan]


def random_graph(seed: int, size: int) -> tuple[Value, list[Value]]:
    """A graph of operations that never raise, over numbers that make trouble."""
    chance = random.Random(seed)
    trouble = NUMBERS if chance.random() < 0.5 else NUMBERS[:7]
    leaves = [Value(chance.choice(trouble), f"leaf{i}") for i in range(4)]
    nodes = list(leaves)
    for _ in range(size):
        x, y = chance.choice(nodes), chance.choice([*nodes[-4:], chance.choice(trouble)])
        made = [
            lambda x=x, y=y: x + y,
            lambda x=x, y=y: x - y,
            lambda x=x, y=y: x * y,
            lambda x=x: abs(x).sqrt(),
            lambda x=x: x.tanh(),
            lambda x=x: autograd.floor(x),
            lambda x=x, y=y: autograd.dot([x, y], [y, 2.0]),
            lambda x=x, y=y: where(x > 0, x, y),
            lambda x=x, y=y: autograd.maximum(x, y),
        ]
        nodes.append(chance.choice(made)())
    return nodes[-1], leaves


@given(seed=st.integers(0, 10**9), size=st.integers(1, 25))
@example(seed=87745, size=11)  # a branch not taken that holds infinities
def test_random_graphs(seed: int, size: int) -> None:
    output, leaves = random_graph(seed, size)
    if not isinstance(output, Value):
        return
    report = find_nonfinite(output)
    for birth in report.births:
        check(birth)
    walk = _Backward(output)
    assert len(list(walk)) == sum(b.direction == "backward" for b in report.births)
    output.backward()
    for node, cotangent in walk.cotangents.items():
        assert cotangent == node.grad or (math.isnan(cotangent) and math.isnan(node.grad))
    reached = set(topological_order(output))
    gradients = {leaf for leaf in leaves if leaf in reached and not math.isfinite(leaf.grad)}
    assert set(report.leaves) == gradients
    assert report or (math.isfinite(output.data) and not gradients)
    forward = [b for b in report.births if b.direction == "forward"]
    if math.isnan(output.data):
        assert any(math.isnan(b.number) for b in forward)
    if not math.isfinite(output.data):
        assert forward


def check(birth: Birth) -> None:
    """A birth satisfies the definition, forward, and tells a reason in any case."""
    assert birth.reason
    assert not math.isfinite(birth.number)
    assert birth.path[-1] is birth.output
    if birth.direction == "forward":
        node = birth.node
        from_nodes = [p.data for p in node.parents if isinstance(p, Value)]
        if node.primitive is TABLE["where"]:
            from_nodes = []
        assert not any(map(math.isnan, from_nodes)) or node.primitive is None
        assert math.isnan(node.data) or all(map(math.isfinite, from_nodes))


def test_depth_is_no_limit() -> None:
    x = Value(1.0, "x")
    y = x * inf
    for _ in range(20_000):
        y = y * 1.0
    report = find_nonfinite(y)
    assert [b.node.primitive.name for b in report.births] == ["mul"]
    assert "→ … 19996 more … →" in str(report)


@pytest.mark.parametrize(
    ("formula", "result", "expected"),
    [
        (lambda n: n(inf) - n(inf), nan, "∞ − ∞: inf − inf is nan"),
        (lambda n: 1.0 - n(inf), -inf, ""),
        (lambda n: 0 * n(inf), nan, "0 · ∞: 0.0 · inf is nan"),
        (lambda n: inf / n(inf), nan, "∞ / ∞: inf / inf is nan"),
        (lambda n: -n(HUGE) * 10, -inf, "-1e+308 · 10.0 is too large for a float"),
        (lambda n: n(1.0) / 0.0, inf, ""),
        (lambda n: n(HUGE) * 10 - n(HUGE), inf, "1e+308 · 10.0 is too large for a float"),
        (lambda n: n(nan) + 1.0, nan, ""),
    ],
)
def test_what_made(formula: Callable[[Any], Any], result: float, expected: str) -> None:
    assert what_made(result, formula) == expected


def test_a_slope_that_leads_nowhere_is_told_apart_from_one_that_fails() -> None:
    x = Value(0.5)
    power = (-2.0) ** autograd.floor(x)
    power.backward()
    assert "The slope does not exist; it leads nowhere." in str(autograd.find_nonfinite(power))
    assert "backward() fails: pow has no derivative" in str(autograd.find_nonfinite((-2.0) ** (x + 0.5)))
