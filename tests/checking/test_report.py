"""Reports: worst first, aligned, bounded, and a table in notebooks; the guilty node with its line."""

import math
import pickle
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import GradientMismatch, Value, check_grads, check_graph, record_lines


@autograd.primitive(partials=[lambda m, z, x: 2 * x * 101 / 100])
def crooked(m: Any, x: Any) -> Any:
    return x * x


def f(x: Any) -> Any:
    hidden = x[0] * x[1]
    hidden.label = "hidden"
    return autograd.tanh(crooked(hidden)) + x[1]


LINE = f"test_report.py:{f.__code__.co_firstlineno + 3}"


def test_the_text_is_aligned_and_the_worst_comes_first() -> None:
    report = check_grads(f, [0.5, 0.25, 3.0])
    lines = str(report).splitlines()
    assert lines[0] == "f: 2 of 3 derivatives fail (2 mismatch, 1 agree)"
    head, *rows = lines[2:6]
    assert [row.split()[0] for row in rows] == ["x[0]", "x[1]", "x[2]"]
    assert len({row.index(verdict) for row, verdict in zip(rows, ["mismatch", "mismatch", "agree"], strict=True)}) == 1
    assert head.index("verdict") == rows[0].index("mismatch")
    assert not any(line.endswith(" ") for line in lines)


def test_the_guilty_node_is_named_with_operands_label_and_line() -> None:
    report = check_grads(f, [0.5, 0.25])
    (edge,) = report.guilty
    assert (edge.primitive, edge.argument, edge.line) == ("crooked", "x", LINE)
    assert "hidden" in edge.operands
    assert edge.analytic == pytest.approx(0.2525)
    assert edge.numeric == pytest.approx(0.25)
    assert f"crooked ({LINE})" in str(report)
    assert report.edges == 6


def test_a_thousand_inputs_make_a_short_text() -> None:
    report = check_grads(lambda x: sum(a * a for a in x), [float(i) for i in range(1000)])
    text = str(report)
    assert len(text.splitlines()) < 30
    assert "1000 derivatives checked (1000 agree)" in text
    assert "… 980 more: 980 agree" in text


def test_a_notebook_shows_a_table() -> None:
    report = check_grads(lambda x: x[0] * crooked(x[1]), [1.0, 2.0])
    html = report._repr_html_()
    assert html.count("<tr") == 3
    assert "<td>mismatch</td>" in html
    assert "&lt;lambda&gt;" in html
    assert "<lambda>" not in html
    assert "crooked" in html


def test_a_report_can_be_asked() -> None:
    report = check_grads(f, [0.5, 0.25, 3.0])
    assert not report
    assert len(report) == 3
    assert [entry.name for entry in report.worst()] == ["x[0]", "x[1]", "x[2]"]
    assert report.counts() == {"mismatch": 2, "agree": 1}
    assert report.entries[0].deviation == pytest.approx(1 - 1 / 1.01)


def test_reports_and_errors_can_be_sent_to_another_process() -> None:
    error = GradientMismatch(check_grads(f, [0.5, 0.25]))
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)


# Graphs.


def test_a_recorded_graph_is_checked_edge_by_edge() -> None:
    x, y = Value(0.5, "x"), Value(2.0, "y")
    with record_lines():
        output = autograd.exp(crooked(x * y) - y) * 3.0
    report = check_graph(output)
    assert report.edges == 7
    assert not report.ok
    assert report.guilty[0].primitive == "crooked"
    assert report.guilty[0].line.startswith("test_report.py:")
    assert check_graph(autograd.exp(x * y)).ok


def test_a_graph_with_a_leaf_written_since_is_refused() -> None:
    x = Value(0.5, "x")
    y = x * x
    x.data = 1.0
    with pytest.raises(autograd.StaleGraphError):
        check_graph(y)


def _crooked_dot(n: int, *wrong: int) -> Value:
    xs, ys = [Value(0.1 * i) for i in range(n)], [Value(1.0 + i) for i in range(n)]
    node = autograd.dot(xs, ys)
    assert node.primitive is not None
    rule: Any = node.primitive.partials

    def partials(m: Any, z: Any, operands: list[Any]) -> list[Any]:
        return [p * 1.01 if i in wrong else p for i, p in enumerate(rule(m, z, operands))]

    node.primitive = node.primitive._replace(partials=partials)
    return node


def test_a_wrong_partial_among_many_operands_is_found() -> None:
    report = check_graph(_crooked_dot(500, 123, 777) * 2.0)
    assert sorted(edge.argument for edge in report.guilty) == ["xs[123]", "xs[777]"]
    assert report.edges == 1001
    assert check_graph(_crooked_dot(500)).ok


@pytest.mark.parametrize("name", ["sum", "prod", "mean", "logsumexp"])
def test_rows_of_many_operands_are_right(name: str) -> None:
    numbers = [Value(0.9 + 0.001 * i) for i in range(300)]
    assert check_graph(getattr(autograd, name)(numbers)).ok


def test_an_infinite_slope_is_said() -> None:
    report = check_graph(autograd.sqrt(Value(0.0, "x")))
    assert [edge.verdict for edge in report.guilty] == ["not finite"]


def test_a_convention_at_a_kink_is_no_fault() -> None:
    x = Value(0.0, "x")
    assert check_graph(autograd.relu(x) + abs(x) + autograd.maximum(x, 0.0)).ok


def test_a_convention_outside_of_both_slopes_is_a_fault() -> None:
    @autograd.primitive(partials=[lambda m, z, x: m.where(m.greater(x, 0), 1, m.where(m.less(x, 0), 0, 2))])
    def ramp(m: Any, x: Any) -> Any:
        return m.maximum(x, 0)

    assert check_graph(ramp(Value(1.0)) * 1.0).ok
    assert not check_graph(ramp(Value(0.0)) * 1.0).ok


@pytest.mark.parametrize(
    ("factor", "said"),
    [
        (2.0, "twice the numeric"),
        (0.5, "half of the numeric"),
        (-1.0, "the opposite sign"),
        (-2.0, "minus twice the numeric"),
        (32.0, "32 times the numeric"),
        (1 / 32, "1/32 of the numeric"),
        (1.01, ""),
        (0.0, ""),
        (math.pi, ""),
    ],
)
def test_a_simple_ratio_is_told(factor: float, said: str) -> None:
    report = check_grads(lambda x: x**2, 3.0, grad=lambda x: factor * 2 * x)
    assert report.entries[0].ratio == said
    assert (f"mismatch: {said}" if said else "mismatch") in str(report)


def test_transposed_derivatives_are_told() -> None:
    a = np.array([[1.0, 2.0], [3.0, 4.0]])
    one = np.ones((2, 2))

    def f(w: Any) -> float:
        return float((w @ w @ a).sum())

    def gradient(w: Any) -> Any:
        return one @ (w @ a).T + w.T @ one @ a.T

    assert check_grads(f, a, grad=gradient).ok
    report = check_grads(f, a, grad=lambda w: gradient(w).T)
    assert report.notes == ("The derivatives by w are those of its transpose.",)
    assert check_grads(lambda x: a @ x, np.array([1.0, 2.0]), grad=lambda x: a.T).notes == (
        "The Jacobian is transposed.",
    )
    assert not check_grads(f, a, grad=lambda w: 2 * gradient(w)).notes
