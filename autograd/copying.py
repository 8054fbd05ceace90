"""Copies and pickles of graphs, without recursion, so that depth is no limit; shared nodes stay shared.

A pickled node is a place in a *stored graph*: a ``Program``, the objects that it begins with, and the numbers and
gradients that its nodes had. A pickler knows a stored graph again, as it does any object, so nodes pickled together
that share one are stored once; what a node has besides is a stored graph that begins with nodes of the others.
"""

from __future__ import annotations

from _thread import _local  # the module ``threading`` takes a millisecond to import
from _weakref import ref
from array import array
from collections.abc import Callable, Iterable, Iterator
from operator import getitem
from typing import Any, Self

from autograd.eager import watching
from autograd.eager.garbage import at_rest_for, collector_at_rest
from autograd.eager.nodes import copier
from autograd.eager.operands import Condition, Passive, plain, refuse_if_recorded
from autograd.eager.unrolled import as_stored
from autograd.graph import topological_order
from autograd.primitives import TABLE, Primitive
from autograd.program import ABSENT, Program, flatten
from autograd.unpickling import damaged

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
        nodes = topological_order(self, until=_Copied(memo))
        with at_rest_for(len(nodes)):
            copy_nodes(nodes, memo)
        return memo[id(self)]  # type: ignore[no-any-return]

    def __getstate__(self) -> Any:
        refuse_if_recorded(self, "the state of")
        return object.__getstate__(self)

    def __reduce__(self) -> Any:
        refuse_if_recorded(self, "the pickle of")
        if self._x is None:  # type: ignore[attr-defined]
            return _leaf, (self.__class__, self._data, self._grad, self.label)  # type: ignore[attr-defined]
        return getitem, _STORED.place_of(self)


class _Copied:
    """The nodes whose copies a memo has."""

    def __init__(self, memo: dict[int, Any]) -> None:
        self._memo = memo

    def __contains__(self, node: Any) -> bool:
        return id(node) in self._memo


class _StoredGraph:
    """The nodes that a node depends on, but for those that are stored already; what comes back from a pickle in its
    place is their list. It lives as long as a pickler remembers it."""

    __slots__ = ("__weakref__", "_is_stored", "_known", "_nodes", "_program")

    def __init__(self, node: Any, known: dict[Any, tuple[ref[_StoredGraph], int]]) -> None:
        with collector_at_rest():
            self._program, self._nodes = flatten([node], known)
        self._known: dict[Any, Any] = {}
        self._is_stored = False

    @property
    def last(self) -> int:
        """The place of the node that this was made for."""
        return self._program.outputs[0]

    @property
    def parents(self) -> list[_StoredGraph]:
        """The stored graphs of the nodes that this begins with."""
        inputs = filter(None, map(self._known.get, self._nodes[: self._program.inputs]))
        return [stored for reference in {reference: None for reference, _ in inputs} if (stored := reference())]

    def make_known(self, known: dict[Any, tuple[ref[_StoredGraph], int]]) -> None:
        """Enter the places of all nodes, as long as this lives."""
        here, first = ref(self), self._program.first_instruction
        for place, node in enumerate(self._nodes[first:], start=first):
            known[node] = here, place
        self._known = known

    def __del__(self) -> None:
        if self._known:
            for node in self._nodes[self._program.first_instruction :]:
                self._known.pop(node, None)

    def __reduce__(self) -> Any:
        program, nodes = self._program, self._nodes
        # Asked again, it is asked by another pickler, which may have none of the graphs that this begins with.
        before = _Listed(topological_order(self)[:-1]) if self._is_stored and not _STORED.is_listing else None
        self._is_stored = True
        numbers = array("d")
        labels: dict[int, str] = {}
        stale: list[int] = []
        for i, node in enumerate(nodes[program.first_instruction :]):
            if node.__class__ is Condition:
                numbers.extend((node.outcome, 0.0))
                continue
            numbers.extend((node._data, node._grad))
            if node.label:
                labels[i] = node.label
            if node.stale_leaf() is not None:
                stale.append(i)
        value_class = next(node.__class__ for node in nodes if node.__class__ not in (Condition, float))
        inputs = tuple([_Known(node) if node.__class__ is Condition else node for node in nodes[: program.inputs]])
        return _rebuilt, (before, value_class, program, inputs, numbers, labels, stale)


class _Known:
    """What a condition that is stored already is pickled as; what comes back is the condition."""

    def __init__(self, condition: Condition) -> None:
        self._condition = condition

    def __reduce__(self) -> Any:
        return getitem, _STORED.place_of(self._condition)


class _Listed:
    """Stored graphs for a pickler to take one after the other, where each alone would lead to the one before it, in
    recursion."""

    def __init__(self, graphs: list[Any]) -> None:
        self._graphs = graphs

    def __reduce__(self) -> Any:
        return list, (), None, self._each()

    def _each(self) -> Iterator[Any]:
        _STORED.is_listing = True
        try:
            yield from self._graphs
        finally:
            _STORED.is_listing = False


class _StoredGraphs(_local):
    """The stored graphs that picklers of this thread remember."""

    def __init__(self) -> None:
        #: Where nodes are stored; those of the newest graph are entered once another node is pickled, mostly never.
        self._known: dict[Any, tuple[ref[_StoredGraph], int]] = {}
        self._newest: Callable[[], _StoredGraph | None] = lambda: None
        #: Whether graphs are being taken one after the other.
        self.is_listing = False

    def place_of(self, node: Any) -> tuple[_StoredGraph, int]:
        """The stored graph that has a node, a new one perhaps, and its place there."""
        newest = self._newest()
        if newest is not None:
            newest.make_known(self._known)
            self._newest = lambda: None
        known = self._known.get(node)
        if known is not None and (stored := known[0]()) is not None:
            return stored, known[1]
        stored = _StoredGraph(node, self._known)
        self._newest = ref(stored)
        return stored, stored.last


_STORED = _StoredGraphs()


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
    if watching.watch is not None:
        copied._grad = watching.watch.mark
    return copied


def _node_like(node: Any, x: Any, y: Any) -> Any:
    """A copy of a node with other operands."""
    copied = copier(node.__class__)(node._data, node.primitive, x, y)
    copied._grad, copied.label, copied._moment = node._grad, node.label, node._moment
    if hasattr(node, "_which"):
        copied._which = node._which
    return copied


def _leaf(value_class: Any, data: float, grad: float, label: str) -> Any:
    if not _is_class_of_nodes(value_class) or plain(grad) is None:
        raise damaged("leaf", f"{value_class!r:.200} with the gradient {grad!r:.200}")
    leaf = value_class(data, label)
    leaf._grad = grad
    return leaf


def _is_class_of_nodes(value_class: Any) -> bool:
    return isinstance(value_class, type) and issubclass(value_class, Copying)


def _refuse_damaged(value_class: Any, program: Any, leaves: Any, numbers: Any, labels: Any, stale: Any) -> None:
    """Raise ValueError unless these fit each other."""
    if not _is_class_of_nodes(value_class) or program.__class__ is not Program:
        raise damaged("graph", f"a {program.__class__.__name__} of nodes of {value_class!r:.200}")
    parts = type(leaves), type(numbers), type(labels), type(stale)
    if parts != (tuple, array, dict, list) or numbers.typecode != "d":
        raise damaged("graph", f"its parts are {parts}")
    count = len(program)
    if len(leaves) != program.inputs or len(numbers) != 2 * count:
        raise damaged("graph", f"{len(leaves)} leaves for {program.inputs} inputs, {len(numbers)} numbers for {count}")
    if not all(hasattr(leaf, "primitive") and leaf.__class__ in (value_class, Condition) for leaf in leaves):
        raise damaged("graph", "it begins with something that is no node")
    places = [*labels, *stale]
    if not all(type(i) is int and 0 <= i < count for i in places) or not {*map(type, labels.values())} <= {str}:
        raise damaged("graph", "labels or places of nodes that there are not")
    conditions = {i for i, leaf in enumerate(leaves) if leaf.__class__ is Condition}
    if conditions or ABSENT in program.operands or any(row.compares or row is _WHERE for row in program.primitives):
        _refuse_damaged_choices(program, conditions)


def _refuse_damaged_choices(program: Program, conditions: set[int]) -> None:
    """The same of what takes conditions, and of branches that are absent: a choice alone does, and has, either.

    Args:
        conditions: the inputs that are some.
    """
    constants = range(program.inputs, program.first_instruction)
    for slot, (row, at) in enumerate(program.instructions(), start=program.first_instruction):
        if row.compares:
            conditions.add(slot)
        numbers = at[row is _WHERE :]
        if row is _WHERE and at[0] not in conditions and at[0] not in constants:
            raise damaged("graph", "a choice without a condition")
        if not conditions.isdisjoint(numbers) or (min(numbers) < 0 and row is not _WHERE):
            raise damaged("graph", f"{row.name} of something that is no number")


@collector_at_rest()
def _rebuilt(
    before: list[Any] | None,
    value_class: Any,
    program: Program,
    leaves: tuple[Any, ...],
    numbers: array[float],
    labels: dict[int, str],
    stale: list[int],
) -> list[Any]:
    """The nodes of a program over these leaves, with the numbers and gradients they had."""
    _refuse_damaged(value_class, program, leaves, numbers, labels, stale)
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
    return nodes


def _slots(primitive: Primitive, operands: list[Any], value_class: Any) -> tuple[Any, Any]:
    """The operands as a node keeps them."""
    if primitive is _DETACH:
        return Passive(operands[0]), None
    if primitive is _WHERE:
        taken, untaken = (1, 2) if operands[0] else (2, 1)
        if operands[taken] is None:
            raise damaged("graph", "a choice without the branch that it takes")
        if operands[untaken].__class__ is value_class:
            operands[untaken] = Passive(operands[untaken])
    if primitive.n_ary or len(operands) > 2:
        return as_stored(primitive, operands)
    return operands[0], operands[1] if len(operands) == 2 else None
