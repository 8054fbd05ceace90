"""``explain``: sums and largest paths against a list of all paths, where there are few; and graphs with very many."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import autograd
import nn
from autograd import Value, explain, record_lines
from autograd.pictures.mathematics import path_sums
from autograd.testing import Call, calls, expressions
from tests import checks
from tests.pictures.mathematics.labelled import named, recorded


def every_path(edges: path_sums.Edges, output: Value, target: Value) -> list[tuple[float, tuple[Value, ...]]]:
    """All paths with their products, one by one: what explain never does."""
    found = []
    waiting: list[tuple[Value, float, tuple[Value, ...]]] = [(output, 1.0, (output,))]
    while waiting:
        node, product, path = waiting.pop()
        if node is target:
            found.append((product, path[::-1]))
            continue
        waiting += [(below, product * slope, (*path, below)) for below, slope in edges.get(node, [])]
    return found


@given(calls(expressions(max_nodes=12)), st.integers(1, 4), st.data())
def test_against_a_list_of_all_paths(call: Call, top: int, data: st.DataObject) -> None:
    leaves, output = recorded(call)
    target = data.draw(st.sampled_from(leaves))
    size = max(checks.size_of_terms(call.function.program, call.inputs))
    assume(size < 1e9)
    _, edges, _ = path_sums.partials_between(output, target)
    listed = every_path(edges, output, target)
    found = explain(output, target, top=top, between="nodes")
    # Sums in another order: a rounding for each of the paths and of their factors.
    allowed = 1e-12 * (math.fsum(abs(product) for product, _ in listed) + 1e-300)
    assert found.count == len(listed)
    assert abs(found.positive - math.fsum([p for p, _ in listed if p > 0])) <= allowed
    assert abs(found.negative - math.fsum([p for p, _ in listed if p < 0])) <= allowed
    assert abs(found.total - math.fsum([p for p, _ in listed])) <= allowed
    for sign in (1.0, -1.0):
        group = found.cancelling if (found.total < 0) == (sign > 0) else found.carrying
        expected = sorted([abs(p) for p, _ in listed if p and math.copysign(1.0, p) == sign], reverse=True)[:top]
        sizes = [abs(path.value) for path in group if path.value]
        assert sizes == pytest.approx(expected, rel=1e-9, abs=0.0)
    for path in found.paths:
        assert (path.nodes[0], path.nodes[-1]) == (target, output)
        assert math.prod(path.factors) == pytest.approx(path.value, rel=1e-12, abs=0.0)


@given(calls(expressions(max_nodes=10)), st.data())
def test_labels_change_the_paths_and_not_the_derivative(call: Call, data: st.DataObject) -> None:
    leaves, output = recorded(call)
    size = max(checks.size_of_terms(call.function.program, call.inputs))
    assume(size < 1e9)
    for i, node in enumerate(autograd.graph.topological_order(output)):
        if node.parents and data.draw(st.booleans()):
            node.label = f"h{i}"
    target = leaves[0]
    by_labels, by_nodes = explain(output, target, between="labels"), explain(output, target, between="nodes")
    target.grad = 0.0
    output.backward()
    assert abs(by_labels.total - target.grad) <= 1e-9 * size
    assert abs(by_nodes.total - target.grad) <= 1e-9 * size
    assert by_labels.positive <= by_nodes.positive * (1 + 1e-9) + 1e-9 * size, "what cancels inside a fold is not seen"
    assert all(all(name[0] in "hxo" for name in path.names) for path in by_labels.paths)


# What is said.


def test_what_cancels() -> None:
    x = Value(1.0, "x")
    hidden = [named(x * w, f"h{i}") for i, w in enumerate([3.2, 0.0625, -0.0625, -3.1], start=1)]
    y = named(autograd.sum(hidden), "y")
    found = explain(y, x)
    assert found.summary == "small because +3.263 mostly through h1 cancels −3.163 mostly through h4"
    assert found.total == pytest.approx(0.1)
    assert found.remaining == pytest.approx(0.1 / 6.425)
    assert [path.names for path in found.paths] == [("x", h, "y") for h in ("h1", "h4", "h2", "h3")]


def test_the_sentence_of_the_two_largest() -> None:
    x = Value(1.0, "x")
    y = named(named(3.2 * x, "h1") + named(-3.1 * x, "h4"), "y")
    found = explain(y, x)
    assert found.summary == "small because +3.2 through h1 cancels −3.1 through h4"
    assert [path.share for path in found.paths] == pytest.approx([3.2 / 6.3, 3.1 / 6.3])
    assert str(found).splitlines()[0] == "∂y/∂x = 0.1 = +3.2 −3.1 along 2 paths"


def test_the_sentence_of_many_paths_of_either_sign() -> None:
    x = Value(1.0, "x")
    hidden = [named(x * w, f"h{i}") for i, w in enumerate([3.0, 1.0, -2.0, -1.5], start=1)]
    found = explain(named(autograd.sum(hidden), "y"), x)
    carrying, cancelling = (
        "+4 along 2 paths, the largest +3 through h1",
        "−3.5 along 2 paths, the largest −2 through h3",
    )
    assert found.summary == f"small because {carrying}, cancels {cancelling}"


def test_what_does_not_cancel() -> None:
    x = Value(1.0, "x")
    carried = explain(named(named(3.0 * x, "h1") + named(0.01 * x, "h2"), "y"), x)
    assert carried.summary == "+3.01 mostly through h1; nothing cancels"
    against = explain(named(named(3.0 * x, "h1") - named(0.5 * x, "h2"), "y"), x)
    assert against.summary == "+3 through h1 against −0.5 through h2"
    falling = explain(named(named(-3.0 * x, "h1") + named(2.5 * x, "h2"), "y"), x)
    assert falling.summary == "small because −3 through h1 cancels +2.5 through h2"


def test_one_path_and_where_it_fades() -> None:
    x = Value(6.0, "x")
    a = named(autograd.sigmoid(x), "a")
    found = explain(named(2.0 * a, "y"), x)
    assert found.summary == "one path, through a; its smallest factor is ∂a/∂x = 0.002467"
    assert found.paths[0].factors == pytest.approx([0.0024665, 2.0], rel=1e-4, abs=0.0)


def test_top_paths_and_the_rest() -> None:
    x = Value(1.0, "x")
    y = named(autograd.sum([named(x * (i + 1.0), f"h{i}") for i in range(10)]), "y")
    found = explain(y, x, top=2)
    assert [path.value for path in found.paths] == [10.0, 9.0]
    assert str(found).splitlines()[-1] == "  … and 8 more paths: +36"


def test_paths_without_labels_are_called_by_primitive_and_line() -> None:
    x = Value(0.5, "x")
    with record_lines():
        y = autograd.tanh(x) * 3.0 - autograd.exp(x) * x
    found = explain(y, x)
    assert found.paths[0].names == ("x", "tanh #1", "mul #1", "output")
    assert all(line.startswith("test_explanation.py:") for line in found.paths[0].lines[1:])
    assert "(test_explanation.py:" in str(found)


def test_networks_are_explained_through_their_units() -> None:
    model = nn.MLP(2, [4, 4, 1], seed=1)
    x = Value(0.5, "x")
    trace = model.trace([x, -0.5])
    found = explain(trace.output, x)
    assert found.count == 16
    assert found.paths[0].names == ("x", "z1[1]", "a1[1]", "z2[0]", "a2[0]", "z3[0]")
    trace.output.backward()
    assert found.total == pytest.approx(x.grad, rel=1e-13, abs=0.0)


def test_nothing_flows() -> None:
    x = Value(-2.0, "x")
    shut = explain(named(autograd.relu(x) * 3.0, "y"), x)
    assert (shut.total, shut.paths, shut.summary) == (0.0, (), "no derivative flows from x to y")
    assert shut.notes == ("the slope is 0 of relu at x = -2",)
    assert explain(x * 2.0, Value(1.0, "q")).summary == "no derivative flows from q to output"
    assert explain(x.detach() * 2.0, x).paths == ()
    zero = explain(named(named(Value(0.0) * x, "h") + named(x * 0.0, "k"), "y"), x)
    assert zero.summary.startswith("each path has a factor 0, such as ∂")


def test_the_output_by_itself() -> None:
    x = Value(3.0, "x")
    assert (explain(x, x).total, explain(x, x).count) == (1.0, 1.0)


def test_numbers_that_are_none_are_found_first() -> None:
    x, n = Value(1.0, "x"), Value(math.nan, "n")
    found = explain(named(named(n * x, "h") + named(x * 1e300, "k"), "y"), x)
    assert math.isnan(found.total)
    assert found.summary == "not a finite number: nan through h"
    assert "nan%" not in str(found)
    endless = explain(named(Value(0.0, "s").sqrt() * 1.0 + x, "y"), [])
    assert endless == []
    s = Value(0.0, "s")
    assert explain(named(s.sqrt(), "y"), s).total == math.inf


def test_wrt_in_any_nesting() -> None:
    x, w = Value(2.0, "x"), Value(3.0, "w")
    found = explain(x * w, {"a": [x], "b": w})
    assert (found["a"][0].total, found["b"].total) == (3.0, 2.0)


def test_what_cannot_be_explained_is_refused() -> None:
    x = Value(2.0, "x")
    with pytest.raises(TypeError, match="explain takes a Value as output"):
        explain(3.0, x)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="wrt takes Values"):
        explain(x * 2.0, 3.0)
    with pytest.raises(ValueError, match="top is a number of paths, at least 1; it is 0"):
        explain(x * 2.0, x, top=0)
    with pytest.raises(ValueError, match="between is 'labels' or 'nodes'"):
        explain(x * 2.0, x, between="layers")  # type: ignore[arg-type]
    y = x * x
    x.data = 3.0
    with pytest.raises(autograd.StaleGraphError):
        explain(y, x)


def test_what_notebooks_show_is_escaped() -> None:
    x = Value(1.0, "<x>")
    found = explain(named(named(3.0 * x, "a & b") - named(x * 2.0, "h"), "y"), x)
    html = found._repr_html_()
    assert "&lt;x&gt;" in html
    assert "a &amp; b" in html
    assert "<x>" not in html
    assert repr(found).startswith("<∂y/∂<x> = 1 = +3 −2 along 2 paths: ")


# Very many.


def test_more_paths_than_could_be_listed() -> None:
    x = h = Value(0.25, "x")
    for i in range(400):
        h = named(0.5 * h.tanh() + 0.5 * h, f"h{i}") if i % 2 else 0.75 * h - 0.25 * h.sin()
    found = explain(h, x, between="nodes", top=3)
    assert found.count == 2.0**400
    assert len(found.paths) == 3
    x.grad = 0.0
    h.backward()
    assert found.total == pytest.approx(x.grad, rel=1e-12, abs=0.0)
    assert found.positive > 1e10 * abs(found.total)  # which is what is left when they cancel
    assert found.positive + found.negative == pytest.approx(found.total, abs=1e-12 * found.positive)


def test_equal_paths_do_not_make_the_search_long() -> None:
    """All 2²⁰⁰⁰ paths are as large: the search goes along one, and does not try all."""
    x = h = Value(1.0, "x")
    for _ in range(2000):
        h = 0.5 * h + h * 0.5
    found = explain(h, x, top=4)
    assert len(found.carrying) == 4
    assert found.count == math.inf
    assert "more than 10³⁰⁸" in str(found)


def test_a_long_chain() -> None:
    x = h = Value(1.0, "x")
    for _ in range(30_000):
        h = h * 1.00001
    found = explain(h, x)
    assert found.total == pytest.approx(1.00001**30_000, rel=1e-9, abs=0.0)
    assert len(found.paths[0].nodes) == 30_001
    assert len(str(found)) < 500


def test_a_fold_that_would_take_too_long_is_given_up() -> None:
    x = Value(0.5, "x")
    layer: list[Any] = [x * (0.01 * i) for i in range(60)]
    for _ in range(3):
        layer = [autograd.dot([0.01 * (i - j) for i in range(60)], layer).tanh() for j in range(60)]
    for i, h in enumerate(layer):
        h.label = f"h{i}"
    found = explain(autograd.sum(layer), x)
    assert found.notes == ("the labels leave too many ways between them to be folded, so every node counts",)
    assert found.total == pytest.approx(explain(autograd.sum(layer), x, between="nodes").total)
