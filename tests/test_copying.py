"""Copies and pickles of many nodes of one graph: each node once, whoever asks for it and in which order."""

from __future__ import annotations

import copy
import gc
import io
import math
import pickle
from array import array
from collections.abc import Callable
from typing import Any

import pytest

import nn
from autograd import Value, check_graph, where
from autograd.copying import _leaf
from autograd.graph import topological_order

COPIERS = {"deepcopy": copy.deepcopy, "pickle": lambda x: pickle.loads(pickle.dumps(x))}
#: The roots of one graph, of all its nodes in order, parents first.
ROOTS: dict[str, Callable[[list[Value]], Any]] = {
    "the largest first": lambda nodes: nodes[::-1],
    "the smallest first": lambda nodes: nodes,
    "here and there": lambda nodes: nodes[10::7] + nodes[::11],
    "a tuple": lambda nodes: (nodes[-1], nodes[50]),
    "a dict": lambda nodes: {"loss": nodes[-1], "hidden": nodes[30], "again": nodes[-1]},
    "nested": lambda nodes: [(nodes[20], {"a": [nodes[60]]}), nodes[-1]],
}


def nodes_of_a_graph(steps: int) -> list[Value]:
    """A chain with a choice at every third step, whose condition two nodes share; leaves are not among them."""
    x = Value(0.5, "x")
    nodes = [x * 1.0]
    for i in range(steps):
        y = nodes[-1]
        if i % 3:
            nodes.append(y * x + 0.1)
            continue
        condition = y > 0.1
        nodes += [where(condition, y * 2.0, y.exp()), where(condition, x.detach(), y)]
        nodes.append(nodes[-1] * nodes[-2])
    return nodes


def flat(roots: Any) -> list[Value]:
    if isinstance(roots, Value):
        return [roots]
    return [root for part in (roots.values() if isinstance(roots, dict) else roots) for root in flat(part)]


def described(roots: Any) -> list[Any]:
    """All nodes of the roots in order, with their numbers, and the places of their parents: so who shares what."""
    nodes = topological_order(*flat(roots))
    place = {node: i for i, node in enumerate(nodes)}
    return [place[root] for root in flat(roots)] + [
        (node.primitive, getattr(node, "_data", None), getattr(node, "label", ""), getattr(node, "grad", 0.0),
         [place.get(parent, parent) for parent in node.parents])
        for node in nodes
    ]  # fmt: skip


@pytest.mark.parametrize("copier", COPIERS)
@pytest.mark.parametrize("choice", ROOTS)
def test_roots_of_one_graph_share_it_in_copies(copier: str, choice: str) -> None:
    nodes = nodes_of_a_graph(100)
    nodes[-1].backward()
    roots = ROOTS[choice](nodes)
    copied = COPIERS[copier](roots)
    assert described(copied) == described(roots)
    assert set(map(id, topological_order(*flat(roots)))).isdisjoint(map(id, topological_order(*flat(copied))))


@pytest.mark.parametrize("choice", ROOTS)
def test_a_pickle_grows_with_the_graph_and_not_with_graph_times_roots(choice: str) -> None:
    sizes, roots_alone = [], []
    for steps in (200, 400, 800):
        nodes = nodes_of_a_graph(steps)
        sizes.append(len(pickle.dumps(ROOTS[choice](nodes))))
        roots_alone.append(len(pickle.dumps(nodes[-1])))
    assert sizes[2] < 2.2 * sizes[1] < 2.2**2 * sizes[0]
    assert sizes[2] < 10 * roots_alone[2]  # a root that brings one node brings a small program


def test_a_deep_copy_of_many_roots_looks_at_each_node_a_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = nodes_of_a_graph(300)
    read = 0
    parents = Value.parents.fget  # type: ignore[attr-defined]

    def counted(node: Value) -> Any:
        nonlocal read
        read += 1
        return parents(node)

    monkeypatch.setattr(Value, "parents", property(counted))
    copy.deepcopy(nodes)
    assert read < 5 * len(nodes)


@pytest.mark.parametrize("copier", COPIERS)
@pytest.mark.parametrize("loss_first", [False, True])
def test_a_model_and_its_loss_share_the_parameters(copier: str, loss_first: bool) -> None:
    model = nn.MLP(2, [3, 1], seed=0)
    loss = model([0.5, -0.5]) ** 2
    pair = COPIERS[copier]([loss, model] if loss_first else [model, loss])
    other, copied = pair[::-1] if loss_first else pair
    assert set(other.parameters()) <= set(topological_order(copied))
    copied.backward()
    loss.backward()
    assert [p.grad for p in other.parameters()] == [p.grad for p in model.parameters()]


@pytest.mark.parametrize("copier", COPIERS)
def test_roots_of_a_deep_graph(copier: str) -> None:
    """A hundred times the depth at which recursion would end, and as many stored graphs as roots."""
    x = y = Value(0.5, "x")
    roots = []
    for i in range(100_000):
        y = y * 0.9 + x
        if i % 50 == 0:
            roots.append(y)
    copied = COPIERS[copier](roots)
    assert len(topological_order(*copied)) == len(topological_order(*roots))


def test_one_pickler_knows_in_later_calls_what_it_stored() -> None:
    nodes = nodes_of_a_graph(50)
    file = io.BytesIO()
    pickler = pickle.Pickler(file)
    for node in nodes:
        pickler.dump(node)
    file.seek(0)
    unpickler = pickle.Unpickler(file)
    assert described([unpickler.load() for _ in nodes]) == described(nodes)


def test_another_pickler_stores_what_it_needs_itself() -> None:
    """In the midst of another pickle, and deeper than recursion could go from one stored graph to the next."""
    x = y = Value(0.5, "x")
    roots = []
    for _ in range(3000):
        y = y * 0.9 + x
        roots.append(y)
    first = pickle.Pickler(io.BytesIO())
    for root in roots:
        first.dump(root)
    again = pickle.loads(pickle.dumps([roots[-1], roots[5]]))
    assert described(again) == described([roots[-1], roots[5]])
    assert described(pickle.loads(pickle.dumps(roots))) == described(roots)


def test_a_number_written_between_two_pickles_is_in_the_second() -> None:
    x = Value(2.0)
    y = x * x
    first = pickle.Pickler(io.BytesIO())
    first.dump(y)
    y.backward()
    assert pickle.loads(pickle.dumps(y)).grad == 1.0


def test_what_was_pickled_is_not_held() -> None:
    def values() -> int:
        gc.collect()
        return sum(isinstance(thing, Value) for thing in gc.get_objects())

    before = values()
    nodes = nodes_of_a_graph(50)
    pickle.dumps(nodes)
    pickle.dumps(nodes[-1])
    del nodes
    assert values() == before


def test_a_copied_graph_is_as_right_as_the_first() -> None:
    nodes = nodes_of_a_graph(30)
    for root in pickle.loads(pickle.dumps(nodes[::5])):
        assert check_graph(root).ok


@pytest.mark.parametrize("copier", COPIERS)
def test_the_collector_rests_while_copies_are_made(copier: str) -> None:
    """Else it looks through all nodes so far again and again, and the time grows faster than the graph."""
    nodes = nodes_of_a_graph(3000)
    collections = 0

    def count(phase: str, info: Any) -> None:
        nonlocal collections
        collections += phase == "start"

    thresholds = gc.get_threshold()
    gc.callbacks.append(count)
    gc.set_threshold(100)
    try:
        COPIERS[copier](nodes[-1])
    finally:
        gc.set_threshold(*thresholds)
        gc.callbacks.remove(count)
    assert collections < 10  # 5,000 nodes would be fifty


FORGED: dict[str, tuple[int, Any]] = {
    "a class that is none of nodes": (1, dict),
    "no program": (2, None),
    "fewer leaves": (3, ()),
    "leaves that are numbers": (3, (1.0, 2.0)),
    "fewer numbers": (4, array("d", [1.0])),
    "a list of numbers": (4, [1.0] * 8),
    "a label of no node": (5, {99: "z"}),
    "a label that is no text": (5, {0: 3}),
    "a stale node that there is not": (6, [-5]),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_graph_says_so(name: str) -> None:
    x, y = Value(2.0), Value(3.0)
    stored, _ = (where(x > y, x * y, x.exp()) + 1.0).__reduce__()[1]
    rebuild, parts = stored.__reduce__()
    assert rebuild(*parts)[-1].data == math.exp(2.0) + 1.0
    place, forged = FORGED[name]
    with pytest.raises(ValueError, match=r"^a graph in this pickle is damaged: "):
        rebuild(*parts[:place], forged, *parts[place + 1 :])
    with pytest.raises(ValueError, match=r"^a leaf in this pickle is damaged: "):
        _leaf(Value, 1.0, "no gradient", "")
