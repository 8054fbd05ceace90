"""Graphs with labels, as the tests of derivations and of paths need them."""

from __future__ import annotations

from autograd import Value
from autograd.testing import Call


def named(node: Value, label: str) -> Value:
    """The node with that label."""
    node.label = label
    return node


def recorded(call: Call) -> tuple[list[Value], Value]:
    """A drawn expression at drawn inputs: the leaves ``x0``, ``x1``, …, and the output."""
    leaves = [Value(x, f"x{i}") for i, x in enumerate(call.inputs)]
    return leaves, call.function(*leaves)
