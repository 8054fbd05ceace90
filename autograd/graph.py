"""A graph: nodes with ``.parents``, the nodes that each was computed from, and the walks over them.

Writing a formula with Values leaves a graph behind: each node knows the operation that made it and the operands that
went in, back to the leaves, which have no parents. Every walk here meets the parents of a node before the node itself,
so that whoever computes something along the way, values or derivatives, finds what is needed already there. They ask
for nothing but ``.parents``, and they are loops, not recursion, so that depth is no limit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable
from typing import Any


def topological_order(*outputs: Any, until: Container[Any] = ()) -> list[Any]:
    """Every node that the outputs depend on, once, parents before children, from left to right and depth first.

    Whatever among the parents has no ``.parents`` of its own (a plain number) is left out. Nodes in ``until`` are not
    looked through: what only they depend on is left out.
    """
    order: list[Any] = []
    entered: set[Any] = set()
    stack: list[Any] = list(reversed(outputs))
    while stack:
        node = stack.pop()
        if node is _LEAVE:
            order.append(stack.pop())
        elif node not in entered:
            entered.add(node)
            stack += (node, _LEAVE)
            if node not in until:
                for parent in reversed(node.parents):
                    # Asking the class is fast: a Value would put its tuple of parents together for the answer.
                    kind = parent.__class__
                    if kind is float or not (hasattr(kind, "parents") or hasattr(parent, "parents")):
                        continue
                    if parent not in entered:
                        stack.append(parent)
    return order


_LEAVE = object()


def leaves(*outputs: Any) -> list[Any]:
    """The nodes without parents that the outputs depend on, in the order of the walk."""
    return [node for node in topological_order(*outputs) if not node.parents]


def counts(*outputs: Any) -> Counter[str]:
    """How many nodes there are of each primitive; leaves count as ``leaf``.

    >>> from autograd import Value
    >>> a = Value(2.0)
    >>> counts(a * a + 1.0) == {"leaf": 1, "mul": 1, "add": 1}
    True
    """
    return Counter(node.primitive.name if node.parents else "leaf" for node in topological_order(*outputs))


def depth(output: Any) -> int:
    """The number of operations on the longest path to the output."""
    deepest: dict[Any, int] = {}
    for node in topological_order(output):
        above: Iterable[int] = (deepest[p] for p in node.parents if hasattr(p, "parents"))
        deepest[node] = 1 + max(above, default=-1)
    return deepest[output]
