"""``read``: the graph of a Value as a list of steps, parents first, which pictures are made of.

A step is a record of what a node holds now, so that what a picture adds (the expansion of a fused node) needs no node
of its own in the user's graph, and the user's gradients are left as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import Any, NamedTuple

from autograd import interpret, value_system
from autograd.eager.operands import Condition, Passive, number_of
from autograd.graph import topological_order
from autograd.number_systems import floats
from autograd.primitives import Primitive
from autograd.value import Value


class Operand(NamedTuple):
    """A step, by its place in the list, or a plain number (``None`` for a branch that was never called)."""

    step: int | None
    number: float | None = None
    #: A branch that was not taken, or what was detached: no derivative flows here.
    passive: bool = False


class Step(NamedTuple):
    """A number and how it was made; ``primitive`` is ``None`` for a leaf, ``outcome`` the truth of a comparison."""

    label: str
    number: float
    grad: float
    primitive: Primitive | None
    operands: tuple[Operand, ...]
    outcome: bool | None = None
    #: The node, unless the step is a part of its expansion.
    node: Any = None


def read(outputs: Sequence[Value], expand: Container[str] | bool = False) -> list[Step]:
    """The steps of the graphs of the outputs.

    Args:
        expand: True, or the names of the primitives that are replaced by their expansions.
    """
    reader = _Reader(expand)
    for node in topological_order(*outputs):
        reader.take(node)
    return reader.steps


def has_gradient(steps: Sequence[Step]) -> bool:
    """Whether a backward pass went through: something that is no leaf has a gradient."""
    return any(step.grad != 0.0 for step in steps if step.operands)


def partials(step: Step, steps: Sequence[Step]) -> list[float | None]:
    """∂step/∂operand for each operand that has one; ``None`` for the others, and where it does not exist."""
    row = step.primitive
    if row is None or row.compares:
        return [None] * len(step.operands)
    numbers: list[Any] = [_number_of(operand, steps) for operand in step.operands]
    slopes: list[float | None] = []
    wanted = [
        i
        for i, operand in enumerate(step.operands)
        if operand.step is not None and not operand.passive and (callable(row.partials) or row.partials[i] is not None)
    ]
    for i in range(len(step.operands)):
        try:
            slope = interpret.partials(floats, row, step.number, numbers, [i])[0] if i in wanted else None
        except (ValueError, ArithmeticError):
            slope = None
        slopes.append(None if slope is None else float(slope))
    return slopes


def _number_of(operand: Operand, steps: Sequence[Step]) -> Any:
    if operand.step is None:
        return operand.number
    step = steps[operand.step]
    return step.number if step.outcome is None else step.outcome


class _Reader:
    def __init__(self, expand: Container[str] | bool) -> None:
        self.steps: list[Step] = []
        self.place: dict[Any, int] = {}
        self._expand = expand

    def take(self, node: Any) -> None:
        """Append the step of a node whose parents are there."""
        operands = node.operands() if node.__class__ is Value else node.parents
        if node.__class__ is Condition:
            shown = tuple([self._operand(o) for o in operands])
            self._append(Step("", float(node.outcome), 0.0, node.primitive, shown, node.outcome, node), node)
            return
        formula = self._formula_of(node.primitive)
        if formula is None or not self._take_expanded(node, operands, formula):
            shown = tuple([self._operand(o) for o in operands])
            self._append(Step(node.label, node.data, node.grad, node.primitive, shown, node=node), node)

    def _append(self, step: Step, node: Any) -> None:
        self.place[node] = len(self.steps)
        self.steps.append(step)

    def _operand(self, operand: Any) -> Operand:
        passive = operand.__class__ is Passive
        shown = operand.value if passive else operand
        if shown.__class__ is Value or shown.__class__ is Condition:
            return Operand(self.place[shown], passive=passive)
        return Operand(None, shown, passive)

    def _formula_of(self, primitive: Primitive | None) -> Callable[..., Any] | None:
        if primitive is None or self._expand is False:
            return None
        if primitive.systems is not None and value_system.NAME not in primitive.systems:
            return None  # a user's own, declared for floats only
        return primitive.formula if self._expand is True or primitive.name in self._expand else None

    def _take_expanded(self, node: Any, operands: Sequence[Any], formula: Callable[..., Any]) -> bool:
        """Append the steps of the formula in place of the node; False if it cannot be computed here, or is no node.

        The formula is run on fresh leaves, and its gradients come from a backward pass of its own. What it uses may
        have an expansion too: as deep as the table is nested, not as the graph.
        """
        stand_ins = [Value(o.data) if o.__class__ is Value else number_of(o) for o in operands]
        try:
            result = formula(value_system, stand_ins) if node.primitive.n_ary else formula(value_system, *stand_ins)
            if result.__class__ is not Value or any(result is x for x in stand_ins):
                return False
            if node.grad != 0.0:
                result.backward(node.grad)
        except (ValueError, ArithmeticError):
            return False
        for operand, stand_in in zip(operands, stand_ins, strict=True):
            if stand_in.__class__ is Value:
                self.place[stand_in] = self.place[operand]
        for inner in topological_order(result):
            if inner not in self.place:
                self.take(inner)
        last = self.place[node] = self.place[result]
        step, gradient = self.steps[last], node.grad
        self.steps[last] = step._replace(label=node.label, number=node.data, grad=gradient, node=node)
        return True
