"""Where a node stands in its graph, in words: how it was made, and the way from it to the output.

Both are for reports and errors, so they keep to a line or two however large the graph is. Walks are iterative; what is
written by recursion goes two operations deep and no further.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from autograd.provenance.lines import line_of

#: What is shown of a long path: its first and last operations, and as many of the labelled ones between.
FIRST, LABELLED, LAST = 3, 3, 2
#: How deep a formula goes, and how many operands of one operation it shows.
DEPTH, OPERANDS = 2, 3


def path(node: Any, outputs: Iterable[Any]) -> list[Any]:
    """A shortest way from a node to one of the outputs, both included; empty if there is none.

    It is the way that a derivative takes if there is one, and else one through a condition or what was detached.
    """
    roots = list(outputs)
    return _search(node, roots, active=True) or _search(node, roots, active=False)


def _search(node: Any, roots: list[Any], *, active: bool) -> list[Any]:
    towards: dict[int, Any] = {id(root): None for root in roots}
    level = roots
    while level:
        below = []
        for child in level:
            if child is node:
                return _followed(node, towards)
            for parent in child._operands() if active and hasattr(child, "_operands") else child.parents:
                # Most operands without parents are floats; asking an object for an attribute it lacks is slow.
                if parent.__class__ is not float and hasattr(parent, "parents") and id(parent) not in towards:
                    if active and not hasattr(parent, "operands"):
                        continue
                    towards[id(parent)] = child
                    below.append(parent)
        level = below
    return []


def _followed(node: Any, towards: dict[int, Any]) -> list[Any]:
    found = []
    while node is not None:
        found.append(node)
        node = towards[id(node)]
    return found


def path_in_words(nodes: Sequence[Any]) -> str:
    """``log('z1') (model.py:14) → mul → sum ('loss')``: a path, the middle of a long one left out."""
    middle = range(FIRST, len(nodes) - LAST)
    labelled = [i for i in middle if getattr(nodes[i], "label", "")][:LABELLED]
    shown = [*range(min(FIRST, len(nodes))), *(middle if len(middle) <= LABELLED else labelled)]
    shown += range(max(FIRST, len(nodes) - LAST), len(nodes))
    words, last = [formula(nodes[0]) + _known(nodes[0])], 0
    for i in shown[1:]:
        if i > last + 1:
            words.append(f"… {i - last - 1} more …")
        words.append(name(nodes[i]))
        last = i
    if len(nodes) > 1:
        words[-1] = nodes[-1].primitive.name + _known(nodes[-1])
    return " → ".join(words)


def name(node: Any) -> str:
    """``mul``, ``sum ('loss')``: the operation of a node, and its label; of a leaf its label or number."""
    if not node.parents:
        return formula(node)
    label = getattr(node, "label", "")
    return f"{node.primitive.name} ('{label:.80}')" if label else str(node.primitive.name)


def _known(node: Any) -> str:
    known = [f"'{node.label:.80}'"] if node.parents and getattr(node, "label", "") else []
    known += [line_of(node)] if line_of(node) else []
    return f" ({', '.join(known)})" if known else ""


def formula(node: Any, depth: int = DEPTH) -> str:
    """``log(sub('w', 3.0))``: how a node was made, from labels and numbers; two operations deep.

    >>> from autograd import Value
    >>> w = Value(2.0, "w")
    >>> formula((w * w - 3.0).tanh())
    'tanh(sub(mul(…), 3.0))'
    """
    parents = getattr(node, "parents", ())
    if not parents:
        label, number = getattr(node, "label", ""), getattr(node, "_data", node)
        return f"'{label:.80}'" if label else "–" if number is None else repr(number)
    if not depth:
        return f"{node.primitive.name}(…)"
    shown = [formula_of_operand(parent, depth - 1) for parent in parents[:OPERANDS]]
    more = [f"… {len(parents)} in all"] if len(parents) > OPERANDS else []
    return f"{node.primitive.name}({', '.join([*shown, *more])})"


def formula_of_operand(operand: Any, depth: int = DEPTH) -> str:
    """The formula of an operand: its label alone if it has one."""
    label = getattr(operand, "label", "")
    return f"'{label:.80}'" if label else formula(operand, depth)


def origins(names: Sequence[str], operands: Sequence[Any]) -> str:
    """``x = sub('w', 3.0)``: how those operands were made that are no leaves; the first two of them."""
    made = [
        f"{name} = {formula(operand)}"
        for name, operand in zip(names, operands, strict=False)
        if getattr(operand, "parents", ())
    ]
    return ", ".join(made[:2])
