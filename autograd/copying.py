"""Copies and pickles of graphs, without recursion, so that depth is no limit; shared nodes stay shared.

A pickled node is its ``Program``, its leaf objects (which stay shared between nodes pickled together), and the numbers
and gradients it had.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import Any, Self

from autograd.eager import watching
from autograd.eager.nodes import copier
from autograd.eager.operands import Condition, Passive, gradient_of, refuse_if_recorded
from autograd.eager.unrolled import as_stored
from autograd.graph import topological_order
from autograd.primitives import TABLE, Primitive
from autograd.program import Program, flatten

_WHERE = TABLE["where"]
_DETACH = TABLE["detach"]


class Copying:
    """``copy``, ``deepcopy`` and ``pickle`` for the one class of nodes; its slots are those that Value documents."""

    __slots__ = ()

    def __copy__(self) -> Self:
        if self._x is None and _is_recorded(self):  # type: ignore[attr-defined]
            return _following(self)  # type: ignore[no-any-return]
        return _node_like(self, self._x, self._y)  # type: ignore[attr-defined,no-any-return]

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        copy_nodes(topological_order(self), memo)
        return memo[id(self)]  # type: ignore[no-any-return]

    def __reduce__(self) -> Any:
        refuse_if_recorded(self, "the pickle of")
        program, nodes = flatten([self])
        if not len(program):
            return _leaf, (self.__class__, self._data, self._grad, self.label)  # type: ignore[attr-defined]
        inner = nodes[program.first_instruction :]
        numbers = array("d")
        labels: dict[int, str] = {}
        stale: list[int] = []
        for i, node in enumerate(inner):
            if node.__class__ is Condition:
                numbers.extend((node.outcome, 0.0))
                continue
            numbers.extend((node._data, gradient_of(node)))
            if node.label:
                labels[i] = node.label
            if node.stale_leaf() is not None:
                stale.append(i)
        return _rebuilt, (self.__class__, program, tuple(nodes[: program.inputs]), numbers, labels, stale)


def copy_nodes(nodes: Iterable[Any], memo: dict[int, Any]) -> None:
    """Copy nodes, parents first, unless ``memo`` has them; it knows the copies by ``id``, and what takes their places
    otherwise. Parents that it does not know stay."""
    for node in nodes:
        if id(node) in memo:
            continue
        if node.__class__ is Condition:
            left, right = node.parents
            memo[id(node)] = Condition(node.primitive, (_copy_of(left, memo), _copy_of(right, memo)), node._outcome)
        else:
            memo[id(node)] = (
                _following(node)
                if node._x is None and _is_recorded(node)
                else _node_like(node, _copy_of(node._x, memo), _copy_of(node._y, memo))
            )


def _copy_of(operand: Any, memo: dict[int, Any]) -> Any:
    """The copy of an operand whose nodes were copied before."""
    if operand.__class__ is tuple:  # the neurons of a layer share the tuple of their inputs
        if id(operand) not in memo:
            memo[id(operand)] = tuple([_copy_of(o, memo) for o in operand])
        return memo[id(operand)]
    if operand.__class__ is Passive:
        return Passive(memo.get(id(operand.value), operand.value))
    return operand if operand.__class__ is float else memo.get(id(operand), operand)


def _is_recorded(node: Any) -> bool:
    return watching.watch is not None and watching.watch.sees(node)


def _following(leaf: Any) -> Any:
    """The copy of a leaf in a function that is being recorded: its number wherever it comes from, and no gradient."""
    copied = copier(leaf.__class__)(leaf._data, _DETACH, Passive(leaf), None)
    copied.label = leaf.label
    return copied


def _node_like(node: Any, x: Any, y: Any) -> Any:
    """A copy of a node with other operands."""
    copied = copier(node.__class__)(node._data, node.primitive, x, y)
    copied._grad, copied.label, copied._moment = node._grad, node.label, node._moment
    if node.primitive is not None and node.primitive.n_ary:
        copied._which = node._which
    return copied


def _leaf(value_class: Any, data: float, grad: float, label: str) -> Any:
    leaf = value_class(data, label)
    leaf._grad = grad
    return leaf


def _rebuilt(
    value_class: Any,
    program: Program,
    leaves: tuple[Any, ...],
    numbers: array[float],
    labels: dict[int, str],
    stale: list[int],
) -> Any:
    """The graph of a program over these leaves, with the numbers and gradients it had."""
    make = copier(value_class)
    nodes: list[Any] = [*leaves, *program.constants]
    for i, (primitive, at) in enumerate(program.instructions()):
        operands = [None if slot < 0 else nodes[slot] for slot in at]
        if primitive.compares:
            nodes.append(Condition(primitive, (operands[0], operands[1]), bool(numbers[2 * i])))
            continue
        x, y = _slots(primitive, operands, value_class)
        node = make(numbers[2 * i], primitive, x, y)
        if primitive.n_ary:
            node._which = bytes([operand.__class__ is value_class for operand in operands])
        node._grad = numbers[2 * i + 1]
        nodes.append(node)
    for i, label in labels.items():
        nodes[program.first_instruction + i].label = label
    # Leaves come back as if never written and nodes as born after that; a node that was stale, as born before.
    for i in stale:
        nodes[program.first_instruction + i]._moment = -1
    return nodes[program.outputs[0]]


def _slots(primitive: Primitive, operands: list[Any], value_class: Any) -> tuple[Any, Any]:
    """The operands as a node keeps them."""
    if primitive is _DETACH:
        return Passive(operands[0]), None
    if primitive is _WHERE:
        untaken = 2 if operands[0] else 1
        if operands[untaken].__class__ is value_class:
            operands[untaken] = Passive(operands[untaken])
    if primitive.n_ary or len(operands) > 2:
        return as_stored(primitive, operands)
    return operands[0], operands[1] if len(operands) == 2 else None
