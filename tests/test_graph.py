"""Walks over graphs: each node once, parents first, at any depth."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Value, where
from autograd.graph import counts, depth, leaves, topological_order
from autograd.testing import CONTINUOUS, Call, calls, expressions


@given(calls(expressions(primitives=CONTINUOUS)))
def test_every_node_once_and_parents_first(call: Call) -> None:
    output, _ = call.function.graph(*call.inputs)
    order = topological_order(output)
    assert len({id(node) for node in order}) == len(order)
    assert order[-1] is output
    place = {id(node): i for i, node in enumerate(order)}
    for node in order:
        for parent in node.parents:
            if isinstance(parent, Value):
                assert place[id(parent)] < place[id(node)]
    assert leaves(output) == [node for node in order if not node.parents]


def test_the_order_visits_parents_from_left_to_right() -> None:
    a, b = Value(1.0), Value(2.0)
    product = a * b
    total = product + a
    assert topological_order(total) == [a, b, product, total]
    assert topological_order(product, total) == [a, b, product, total]


def test_nodes_in_until_are_not_looked_through() -> None:
    a, b = Value(1.0), Value(2.0)
    product = a * b
    total = product + 1
    assert topological_order(total, until={product}) == [product, total]


def test_conditions_are_nodes_and_plain_numbers_are_not() -> None:
    x = Value(1.0)
    chosen = where(x > 0.5, x * 2, 3.0)
    assert counts(chosen) == {"leaf": 1, "greater": 1, "mul": 1, "where": 1}


def test_counts_and_depth() -> None:
    a, b = Value(1.0), Value(2.0)
    y = (a + b) * (a - b) + a
    assert counts(y) == {"leaf": 2, "add": 2, "sub": 1, "mul": 1}
    assert depth(y) == 3
    assert depth(a) == 0
    assert depth(where(a > b, a, b)) == 2
    assert counts(autograd.sum([a, b, 1.0])) == {"leaf": 2, "sum": 1}


def test_depth_is_no_limit() -> None:
    x = y = Value(1.0)
    for _ in range(20_000):
        y = y + x
    assert depth(y) == 20_000
    assert leaves(y) == [x]


@given(n=st.integers(1, 6))
def test_anything_with_parents_can_be_walked(n: int) -> None:
    class Node:
        def __init__(self, *parents: object) -> None:
            self.parents = parents

    nodes = [Node()]
    for _ in range(n):
        nodes.append(Node(nodes[-1], nodes[0], "not a node"))
    assert topological_order(nodes[-1]) == nodes
