"""Graphs with labels, as the tests of derivations and of paths need them."""

from __future__ import annotations

from hypothesis import assume
from hypothesis import strategies as st

from autograd import Value
from tests import checks
from tests.strategies import Expression, moderate


def named(node: Value, label: str) -> Value:
    """The node with that label."""
    node.label = label
    return node


def recorded(expression: Expression, data: st.DataObject) -> tuple[list[float], list[Value], Value]:
    """A drawn expression at drawn inputs: these, the leaves ``x0``, ``x1``, …, and the output, which has parents."""
    inputs = data.draw(st.lists(moderate, min_size=expression.inputs, max_size=expression.inputs))
    leaves = [Value(x, f"x{i}") for i, x in enumerate(inputs)]
    try:
        output = expression.evaluate(checks.PUBLIC, leaves)
    except OverflowError:
        assume(False)
    assume(isinstance(output, Value) and output.parents)
    return inputs, leaves, output
