"""Named nodes of a graph, and what lies between one of them and the named nodes below: its cone.

The factors of the chain rule lead from one named node to the next; what has no name in between is folded into them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from autograd.eager.operands import number_of
from autograd.graph import topological_order
from autograd.primitives import TABLE, Primitive
from autograd.program import flatten
from autograd.value import Value

#: A formula between two named nodes with more numbers and operations than this is nothing that anybody reads.
MOST_OPERATIONS = 800

#: Nor is one that is nested deeper; and SymPy's time grows with the square of that and more.
DEEPEST = 40

#: A choice: its number comes from one branch, and so does its formula.
WHERE = TABLE["where"]


class Names:
    """What each named node is called in a formula: its label, made different from the others'."""

    def __init__(self, outputs: Sequence[Value], given: Mapping[Value, str], needed: Sequence[tuple[Value, str]]):
        wanted = {node: node.label for node in topological_order(*outputs) if isinstance(node, Value)}
        wanted |= {node: str(name) for node, name in given.items()}
        self.of: dict[Value, str] = {node: str(name) for node, name in wanted.items() if str(name).strip()}
        for node, name in needed:
            self.of.setdefault(node, name)
        self.notes: list[str] = []
        self._make_different()

    def _make_different(self) -> None:
        alike: dict[str, list[Value]] = {}
        for node, name in self.of.items():
            alike.setdefault(name, []).append(node)
        for name, nodes in alike.items():
            if len(nodes) == 1:
                continue
            number, chosen = 0, []
            for node in nodes:
                number += 1
                while f"{name}[{number}]" in alike:
                    number += 1
                self.of[node] = f"{name}[{number}]"
                chosen.append(self.of[node])
            shown = ", ".join(chosen if len(chosen) < 5 else [*chosen[:3], "…", chosen[-1]])
            self.notes.append(f"{len(nodes)} nodes are labelled {name}; they are called {shown} here")


class Until:
    """All named nodes but one, as where a walk from that one ends."""

    __slots__ = ("named", "start")

    def __init__(self, named: Mapping[Value, Any], start: Value) -> None:
        self.named = named
        self.start = start

    def __contains__(self, node: Any) -> bool:
        return node is not self.start and node in self.named


def depending_on(target: Value, output: Value) -> set[Value]:
    """The nodes of the output's graph through which a derivative with respect to the target flows, both included."""
    found = {target}
    for node in topological_order(output):
        if isinstance(node, Value) and any(
            operand.__class__ is Value and operand in found for operand in node.operands()
        ):
            found.add(node)
    return found


def is_named_function(primitive: Primitive) -> str:
    """σ, tanh …: how a primitive's slope is written with a prime; empty for arithmetic, whose slope is a formula."""
    if primitive.n_ary or primitive is WHERE:
        return ""
    symbol = primitive.symbol
    if primitive.built_in and symbol and not symbol.isalpha():
        return ""
    return symbol if symbol and primitive.built_in else primitive.name


class Cone:
    """A named node with all that lies between it and the named nodes below."""

    def __init__(self, node: Value, symbols: Mapping[Value, Any], name: str, relevant: Iterable[Value]) -> None:
        self.node = node
        self.symbols = symbols
        self.program, self.nodes = flatten([node], until=Until(symbols, node))
        self.root = self.program.outputs[0]
        self.steps = list(self.program.instructions())
        self.needed = self._needed_with_few_operations(name)
        self.relevant = relevant
        self.flows = self._flows()
        #: The slots of the named nodes below that the derivative goes on to.
        self.ends = [slot for slot in range(self.program.inputs) if self.flows[slot] and self.needed[slot]]

    @property
    def parents(self) -> list[Value]:
        """The named nodes below that the derivative goes on to, in the order in which they were used."""
        return [self.nodes[slot] for slot in self.ends]

    def used(self, slot: int) -> Sequence[int]:
        """The operands that an instruction's number comes from: of ``where`` the condition and the branch taken."""
        primitive, operands = self.steps[slot - self.program.first_instruction]
        if primitive is not WHERE:
            return operands
        return operands[0], operands[1 if self.number_at(operands[0]) else 2]

    def number_at(self, slot: int) -> Any:
        """The recorded number of a slot, the truth of a condition."""
        return None if slot < 0 else number_of(self.nodes[slot])

    def _needed_with_few_operations(self, name: str) -> bytearray:
        first = self.program.first_instruction
        needed = bytearray(len(self.nodes))
        needed[self.root] = 1
        for slot in range(self.root, first - 1, -1):
            if needed[slot]:
                for operand in self.used(slot):
                    if operand >= 0:
                        needed[operand] = 1
        sizes, depths = [1] * len(self.nodes), [0] * len(self.nodes)
        for slot in range(first, self.root + 1):
            if needed[slot]:
                below = [operand for operand in self.used(slot) if operand >= 0]
                sizes[slot] = 1 + sum([sizes[operand] for operand in below])
                depths[slot] = 1 + max([depths[operand] for operand in below], default=0)
        if sizes[self.root] > MOST_OPERATIONS or depths[self.root] > DEEPEST:
            size = f"{sizes[self.root]:,}" if sizes[self.root] < 1e15 else "more than 10¹⁵"
            raise ValueError(
                f"the formula of {name!r:.200} from the labelled nodes below it has {size} numbers and "
                f"operations, nested "
                f"{depths[self.root]:,} deep; derive writes at most {MOST_OPERATIONS}, {DEEPEST} deep. Label nodes in "
                "between (value.label = 'h'), or derive a part of it: from the output to a node in between, and from "
                "that node to wrt"
            )
        return needed

    def _flows(self) -> bytearray:
        """1 for each slot that a derivative reaches, named nodes below being where it goes to."""
        flows = bytearray(len(self.nodes))
        for slot in range(self.program.inputs):
            flows[slot] = self.nodes[slot] in self.relevant and self.nodes[slot] in self.symbols
        for slot in range(self.program.first_instruction, self.root + 1):
            flows[slot] = any(flows[operand] for operand in self.differentiable(slot))
        return flows

    def differentiable(self, slot: int) -> list[int]:
        """The operands that a derivative flows into."""
        primitive, operands = self.steps[slot - self.program.first_instruction]
        if primitive.compares:
            return []
        if callable(primitive.partials):
            return [operand for operand in operands if operand >= 0]
        if primitive is WHERE:
            return [self.used(slot)[1]]
        return [o for o, rule in zip(operands, primitive.partials, strict=True) if rule is not None and o >= 0]

    def function(self) -> tuple[str, Value] | None:
        """σ and z, if the node is a function of one named node and nothing else."""
        primitive, operands = self.steps[self.root - self.program.first_instruction]
        name = is_named_function(primitive)
        inputs = [o for o in operands if o < self.program.inputs or o >= self.program.first_instruction]
        if not name or len(inputs) != 1 or not 0 <= inputs[0] < self.program.inputs:
            return None
        return (name, self.nodes[inputs[0]]) if self.nodes[inputs[0]] in self.symbols else None
