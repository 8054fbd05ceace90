"""The layered layout: what it promises of every graph, and that its work is bounded."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd.pictures.drawing import layered
from autograd.pictures.drawing.layered import Edge, arrange


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[tuple[float, float]], list[Edge]]:
    count = draw(st.integers(1, 14))
    sizes = draw(st.lists(st.tuples(st.integers(4, 80), st.integers(4, 40)), min_size=count, max_size=count))
    edges = []
    for target in range(1, count):
        sources = draw(st.lists(st.integers(0, target - 1), max_size=3))
        for argument, source in enumerate(sources):
            edges.append(Edge(source, target, argument, draw(st.sampled_from([None, (30.0, 12.0)]))))
    return [(float(w), float(h)) for w, h in sizes], edges


def points(path: str) -> list[tuple[float, float]]:
    """The points that a path runs through; those that only bend a curve are left out."""
    found: list[tuple[float, float]] = []
    for command, numbers in re.findall(r"([MCH])([^MCH]*)", path):
        values = [float(x) for x in re.findall(r"-?[\d.]+", numbers)]
        found.append((values[0], found[-1][1]) if command == "H" else (values[-2], values[-1]))
    return found


@given(graphs())
def test_promises(graph: tuple[list[tuple[float, float]], list[Edge]]) -> None:
    sizes, edges = graph
    layout = arrange(sizes, edges)
    boxes = [(x - w / 2, y - h / 2, x + w / 2, y + h / 2) for (x, y), (w, h) in zip(layout.centres, sizes, strict=True)]
    tiny = 1e-6
    for left, top, right, bottom in boxes:
        assert left >= -tiny
        assert top >= -tiny
        assert right <= layout.width + tiny
        assert bottom <= layout.height + tiny
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            assert a[2] <= b[0] + tiny or b[2] <= a[0] + tiny or a[3] <= b[1] + tiny or b[3] <= a[1] + tiny
    for edge, route in zip(edges, layout.routes, strict=True):
        way = points(route.path)
        assert all(x <= next_x + 0.11 for (x, _), (next_x, _) in pairwise(way))  # never back, but for rounding
        assert way[0][0] == pytest.approx(boxes[edge.source][2], abs=0.06)
        assert way[-1] == pytest.approx(route.end, abs=0.06)
        assert route.end[0] == pytest.approx(boxes[edge.target][0], abs=0.06)
        assert boxes[edge.target][1] <= route.end[1] <= boxes[edge.target][3]
        assert (route.label is None) == (edge.label is None)
    for i, edge in enumerate(edges):
        for j, other in enumerate(edges[:i]):
            if edge.target == other.target and edge.argument > other.argument:
                assert layout.routes[i].end[1] > layout.routes[j].end[1]
    assert arrange(sizes, edges) == layout


def test_edges_pass_beside_nodes() -> None:
    """A chain, and an edge from its start to its end: it passes each node between at some distance."""
    layout = arrange([(60, 30)] * 6, [*(Edge(i, i + 1) for i in range(5)), Edge(0, 5, 1)])
    way = points(layout.routes[-1].path)
    for (x, y), (next_x, next_y) in pairwise(way):
        for at_x, at_y in layout.centres[1:5]:
            if x < at_x < next_x:
                assert min(abs(y - at_y), abs(next_y - at_y)) > 15


def test_an_order_without_crossings_is_found() -> None:
    """Two sources given the wrong way round for their targets."""
    layout = arrange([(10, 10)] * 5, [Edge(0, 3), Edge(1, 2), Edge(2, 4, 0), Edge(3, 4, 1)])
    (_, first), (_, second), (_, upper), (_, lower), _ = layout.centres
    assert upper < lower  # as the arguments of the last node are
    assert second < first


def test_edges_too_far_for_the_budget_run_above(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layered, "PLACES", 0)
    monkeypatch.setattr(layered, "PLACES_EACH", 0)
    count = 30
    layout = arrange([(60, 30)] * count, [*(Edge(i, i + 1) for i in range(count - 1)), Edge(0, count - 1, 1)])
    top = min(y - 15 for _, y in layout.centres)
    assert min(y for _, y in points(layout.routes[-1].path)) < top
    assert len(points(layout.routes[-1].path)) < 8


def test_work_does_not_grow_with_the_reach_of_edges() -> None:
    """A chain whose start is used at every step has ½n² layers to cross; the places and paths stay few."""
    count = 1500
    edges = [*(Edge(i, i + 1) for i in range(count - 1)), *(Edge(0, i, 1) for i in range(2, count))]
    layout = arrange([(60, 30)] * count, edges)
    assert sum(len(route.path) for route in layout.routes) < 3_000_000
    assert layout.height < 400


def test_nothing_has_no_size() -> None:
    assert arrange([], []) == ([], [], 0.0, 0.0)


def test_a_cycle_is_an_error() -> None:
    with pytest.raises(ValueError, match="cycle"):
        arrange([(1, 1)] * 3, [Edge(0, 1), Edge(1, 2), Edge(2, 1)])
