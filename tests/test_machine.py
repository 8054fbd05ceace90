"""A machine that builds, reuses, zeroes, writes and runs backward as it likes, against the naive differentiator.

Leaves are small integers and every operation is exact on them, so that all numbers must be equal, not close.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

import autograd
from autograd import StaleGraphError, Value
from tests.naive import Naive, ancestors, derivative

#: Products of derivatives stay well below 2⁵³, so that floats are exact.
LARGEST = 1e4
MOST_ANCESTORS = 40


class Pair:
    """The engine's node and the naive one."""

    def __init__(self, value: Value, naive: Naive) -> None:
        self.value = value
        self.naive = naive


def constant(data: float) -> Pair:
    """A plain number; its own node is known to nobody."""
    return Pair(Value(data), Naive(data))


small = st.integers(-3, 3).map(float)


class Machine(RuleBasedStateMachine):
    nodes = Bundle("nodes")
    leaves = Bundle("leaves")
    tuples = Bundle("tuples")

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.pairs: list[Pair] = []

    def made(self, value: Any, operation: str, pairs: list[Pair]) -> Pair:
        naive = Naive(value.data, operation, [pair.naive for pair in pairs], self.now)
        assume(abs(naive.data) <= LARGEST and len(ancestors(naive)) <= MOST_ANCESTORS)
        pair = Pair(value, naive)
        self.pairs.append(pair)
        return pair

    @initialize(target=leaves, data=st.lists(small, min_size=2, max_size=3))
    def some_leaves(self, data: list[float]) -> Any:
        return multiple(*[self.leaf(x) for x in data])

    def leaf(self, data: float) -> Pair:
        pair = Pair(Value(data), Naive(data))
        self.pairs.append(pair)
        return pair

    @rule(target=nodes, operation=st.sampled_from(["add", "sub", "mul", "maximum"]), x=nodes | leaves, y=nodes | leaves)
    def binary(self, operation: str, x: Pair, y: Pair) -> Pair:
        return self.made(getattr(autograd, operation)(x.value, y.value), operation, [x, y])

    @rule(target=nodes, operation=st.sampled_from(["add", "sub", "mul", "maximum"]), x=nodes | leaves, y=small)
    def binary_with_a_plain_number(self, operation: str, x: Pair, y: float) -> Pair:
        return self.made(getattr(autograd, operation)(x.value, y), operation, [x, constant(y)])

    @rule(target=nodes, operation=st.sampled_from(["neg", "square", "relu"]), x=nodes | leaves)
    def unary(self, operation: str, x: Pair) -> Pair:
        return self.made(getattr(autograd, operation)(x.value), operation, [x])

    @rule(target=tuples, pairs=st.lists(nodes | leaves, max_size=3))
    def tuple_to_share(self, pairs: list[Pair]) -> tuple[list[Pair], tuple[Value, ...]]:
        return pairs, tuple(pair.value for pair in pairs)

    @rule(target=nodes, pairs=st.lists(nodes | leaves, min_size=1, max_size=4))
    def sum_of_many(self, pairs: list[Pair]) -> Pair:
        return self.made(autograd.sum([pair.value for pair in pairs]), "sum", pairs)

    @rule(
        target=nodes,
        shared=tuples,
        others=st.lists(nodes | leaves, min_size=3, max_size=3),
        start=st.booleans(),
        first=st.booleans(),
    )
    def dot_with_a_shared_tuple(self, shared: Any, others: list[Pair], start: bool, first: bool) -> Pair:
        pairs, values = shared
        assume(pairs or start)
        beside = others[: len(pairs)]
        starts = [others[0]] if start else []
        lists = [values, [pair.value for pair in beside]] if first else [[pair.value for pair in beside], values]
        node = autograd.dot(*lists, *[pair.value for pair in starts])
        return self.made(node, "dot", [*pairs, *beside, *starts] if first else [*beside, *pairs, *starts])

    @rule(target=nodes, shared=tuples, plain=small)
    def dot_of_a_tuple_and_of_what_was_made_of_it(self, shared: Any, plain: float) -> Pair:
        pairs, values = shared
        assume(pairs)
        n = len(pairs)
        total = self.made(autograd.sum(values), "sum", pairs)
        inner = self.made(total.value * plain, "mul", [total, constant(plain)])
        again = self.made(autograd.dot(values, [plain] * n), "dot", [*pairs, *[constant(plain)] * n])
        beside = [again, inner, again][:n]
        return self.made(autograd.dot(values, [pair.value for pair in beside]), "dot", [*pairs, *beside])

    @rule(target=nodes, shared=tuples, plain=st.lists(small, min_size=3, max_size=3))
    def dot_with_plain_numbers(self, shared: Any, plain: list[float]) -> Pair:
        pairs, values = shared
        assume(pairs)
        numbers = plain[: len(pairs)]
        node = autograd.dot(values, numbers)
        return self.made(node, "dot", [*pairs, *map(constant, numbers)])

    @rule(
        target=nodes,
        shared=tuples,
        rows=st.lists(st.lists(nodes | leaves, min_size=4, max_size=4), min_size=2, max_size=2),
    )
    def layer(self, shared: Any, rows: list[list[Pair]]) -> Any:
        pairs, values = shared
        n = len(pairs)
        rows = [row[: n + 1] for row in rows]
        nodes = autograd.linear([[pair.value for pair in row] for row in rows], values)
        return multiple(*[self.made(z, "dot", [*row[:n], *pairs, row[n]]) for z, row in zip(nodes, rows, strict=True)])

    @rule(output=nodes | leaves, seed=st.sampled_from([1.0, 1.0, -2.0, 0.5]))
    def backward(self, output: Pair, seed: float) -> None:
        reached = ancestors(output.naive)
        stale = any(not p.parents and p.moment > node.moment for node in reached if node.parents for p in node.parents)
        if stale:
            with pytest.raises(StaleGraphError):
                output.value.backward(seed)
            for node in reached:  # leaves keep what they have; nodes between have no gradient of this walk
                if node.parents:
                    node.grad = 0.0
            return
        output.value.backward(seed)
        for node in reached:
            gradient = seed * derivative(output.naive, node)
            node.grad = node.grad + gradient if not node.parents else gradient

    @rule(output=nodes)
    def gradients(self, output: Pair) -> None:
        """Beside ``.grad``: nothing of it is read or written."""
        reached = [pair for pair in self.pairs if any(pair.naive is node for node in ancestors(output.naive))]
        moments = [p.moment > node.moment for node in ancestors(output.naive) for p in node.parents if not p.parents]
        if not any(moments):
            found = autograd.gradients(output.value, [pair.value for pair in reached])
            assert [x.data for x in found] == [derivative(output.naive, pair.naive) for pair in reached]

    @rule(leaf=leaves)
    def zero(self, leaf: Pair) -> None:
        leaf.value.grad = leaf.naive.grad = 0.0

    @rule(output=nodes)
    def zero_graph(self, output: Pair) -> None:
        autograd.zero_grad(output.value)
        for node in ancestors(output.naive):
            node.grad = 0.0

    @rule(leaf=leaves, data=small)
    def write(self, leaf: Pair, data: float) -> None:
        self.now += 1
        leaf.value.data = leaf.naive.data = data
        leaf.naive.moment = self.now

    @invariant()
    def every_gradient_is_the_naive_one(self) -> None:
        for pair in self.pairs:
            assert pair.value.data == pair.naive.data
            assert pair.value.grad == pair.naive.grad


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=4 * settings().max_examples, stateful_step_count=30)


def test_the_naive_differentiator_knows_a_polynomial() -> None:
    """d(x²(x - y))/dx = 3x² - 2xy, so that it can be trusted."""
    x, y = Naive(3.0), Naive(5.0)
    square = Naive(9.0, "square", [x])
    difference = Naive(-2.0, "sub", [x, y])
    product = Naive(-18.0, "mul", [square, difference])
    assert derivative(product, x) == 3 * 9 - 2 * 15
    assert derivative(product, y) == -9
    assert derivative(Naive(2.0, "maximum", [Naive(2.0), y]), y) == 1.0
