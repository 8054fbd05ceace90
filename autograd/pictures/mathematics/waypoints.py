"""Named nodes of a graph, and the derivatives between one and the next: the factors of the chain rule.

What lies between two named nodes without a name is folded into one factor by pulling back over SymPy, with the rules of
the table. In a rule ``z`` is the symbol of the named node, so that σ′(z²) comes out as a²·(1 − a²) without being
rearranged. Beside each formula stands its number, by the same walk over floats.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from autograd.eager.operands import Condition, number_of
from autograd.graph import topological_order
from autograd.interpret import apply, partials
from autograd.number_systems import floats
from autograd.primitives import Primitive, nowhere
from autograd.program import flatten
from autograd.value import Value

if TYPE_CHECKING:
    from autograd.pictures.mathematics.algebra import Decision

#: A formula between two named nodes with more numbers and operations than this is nothing that anybody reads.
MOST_OPERATIONS = 800

#: The same for a result: gelu(x), as x·Φ(x), doubles what it is applied to.
MOST_IN_A_RESULT = 1500

#: Nor is one that is nested deeper; and SymPy's time grows with the square of that and more.
DEEPEST = 40

#: What goes wrong when a primitive of the user's own is run over SymPy.
_NOT_ALGEBRA = (NotImplementedError, ValueError, TypeError, AttributeError, ArithmeticError)


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


class Slope(NamedTuple):
    """∂node/∂parent along all unnamed ways between them."""

    #: The formula, a SymPy expression.
    expression: Any
    value: float
    #: The partials that were multiplied, where there is one way and more than one that is not 1.
    steps: tuple[Any, ...]
    #: The table has the literal zero here, which stops even infinity and nan.
    blocked: bool


class Flow(NamedTuple):
    """What has arrived at a slot of a walk back."""

    expression: Any
    value: float
    steps: tuple[Any, ...] | None
    blocked: bool


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
    if primitive.n_ary or primitive.name == "where":
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

    def _used(self, slot: int) -> Sequence[int]:
        """The operands that an instruction's number comes from: of ``where`` the condition and the branch taken."""
        primitive, operands = self.steps[slot - self.program.first_instruction]
        if primitive.name != "where" or not primitive.built_in:
            return operands
        return operands[0], operands[1 if self._number(operands[0]) else 2]

    def _number(self, slot: int) -> Any:
        """The recorded number of a slot, the truth of a condition."""
        return None if slot < 0 else number_of(self.nodes[slot])

    def _needed_with_few_operations(self, name: str) -> bytearray:
        first = self.program.first_instruction
        needed = bytearray(len(self.nodes))
        needed[self.root] = 1
        for slot in range(self.root, first - 1, -1):
            if needed[slot]:
                for operand in self._used(slot):
                    if operand >= 0:
                        needed[operand] = 1
        sizes, depths = [1] * len(self.nodes), [0] * len(self.nodes)
        for slot in range(first, self.root + 1):
            if needed[slot]:
                below = [operand for operand in self._used(slot) if operand >= 0]
                sizes[slot] = 1 + sum([sizes[operand] for operand in below])
                depths[slot] = 1 + max([depths[operand] for operand in below], default=0)
        if sizes[self.root] > MOST_OPERATIONS or depths[self.root] > DEEPEST:
            size = f"{sizes[self.root]:,}" if sizes[self.root] < 1e15 else "more than 10¹⁵"
            raise ValueError(
                f"the formula of {name!r} from the labelled nodes below it has {size} numbers and operations, nested "
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
            flows[slot] = any(flows[operand] for operand in self._differentiable(slot))
        return flows

    def _differentiable(self, slot: int) -> list[int]:
        """The operands that a derivative flows into."""
        primitive, operands = self.steps[slot - self.program.first_instruction]
        if primitive.compares:
            return []
        if callable(primitive.partials):
            return [operand for operand in operands if operand >= 0]
        if primitive.name == "where" and primitive.built_in:
            return [self._used(slot)[1]]
        return [o for o, rule in zip(operands, primitive.partials, strict=True) if rule is not None and o >= 0]

    def function(self) -> tuple[str, Value] | None:
        """σ and z, if the node is a function of one named node and nothing else."""
        primitive, operands = self.steps[self.root - self.program.first_instruction]
        name = is_named_function(primitive)
        inputs = [o for o in operands if o < self.program.inputs or o >= self.program.first_instruction]
        if not name or len(inputs) != 1 or not 0 <= inputs[0] < self.program.inputs:
            return None
        return (name, self.nodes[inputs[0]]) if self.nodes[inputs[0]] in self.symbols else None


class Formulas:
    """The formulas of a cone: how the node was written, and its slope along each parent."""

    def __init__(self, cone: Cone) -> None:
        import autograd.pictures.mathematics.algebra as algebra

        self.algebra = algebra
        self.cone = cone
        self.decisions: list[Decision] = []
        self.notes: list[str] = []
        size = len(cone.nodes)
        self._expressions: list[Any] = [None] * size
        self._written: list[Any] = [None] * size
        self._run_forward()
        self.definition = self._written[cone.root]
        self.slopes = self._pull_back()

    def value(self) -> Any:
        """The node's own formula, evaluated, in the symbols of the named nodes below."""
        return self._applied(self.cone.root, *self.cone.steps[self.cone.root - self.cone.program.first_instruction])

    def _run_forward(self) -> None:
        cone, program, number = self.cone, self.cone.program, self.algebra.number
        for slot, node in enumerate(cone.nodes[: program.first_instruction]):
            if slot < program.inputs:
                symbol = cone.symbols.get(node) if node is not cone.node else None
                self._written[slot] = number(node.data) if symbol is None else symbol
            else:
                self._written[slot] = number(node)
            self._expressions[slot] = self._written[slot]
        for slot, (primitive, operands) in enumerate(cone.steps, start=program.first_instruction):
            if not cone.needed[slot]:
                continue
            node = cone.nodes[slot]
            below = [None if o < 0 else self._expressions[o] for o in operands]
            if isinstance(node, Condition):
                left, right = (self.algebra.sympify(side) for side in below)
                ordered = not any(number != number for number in map(cone._number, operands))
                decision = self.algebra.Decision(primitive.name, left, right, node.outcome, ordered)
                self._decided([decision])
                self._written[slot] = self._expressions[slot] = node.outcome
                continue
            if primitive.name == "where" and primitive.built_in:
                taken = cone._used(slot)[1]
                self._written[slot], self._expressions[slot] = self._written[taken], self._expressions[taken]
                continue
            self._written[slot] = self.algebra.written(primitive, [self._written[o] for o in operands])
            if slot != cone.root:
                self._expressions[slot] = self._applied(slot, primitive, operands)
        self._expressions[cone.root] = cone.symbols[cone.node]

    def _stand_ins(self, operands: Sequence[int]) -> tuple[list[Any], dict[Any, Any], Any]:
        """A symbol of its own for each operand that is a formula; what they stand for; the system that knows them."""
        chosen, meaning, known = [], {}, {}
        for operand in operands:
            expression = self._expressions[operand]
            if expression.is_number:
                chosen.append(expression)
                continue
            symbol = self.algebra.stand_in("x")
            meaning[symbol] = expression
            known[symbol] = self.cone._number(operand)
            chosen.append(symbol)
        return chosen, meaning, self.algebra.AtPoint(known)

    def _applied(self, slot: int, primitive: Primitive, operands: Sequence[int]) -> Any:
        chosen, meaning, m = self._stand_ins(operands)
        try:
            result = self.algebra.sympify(apply(m, primitive, chosen))
        except _NOT_ALGEBRA:
            if primitive.built_in:
                raise
            return self.algebra.function(primitive.name)(*[self._expressions[o] for o in operands])
        self._decided([decision.replace(meaning) for decision in m.decisions])
        return self._bounded(result.xreplace(meaning))

    def _bounded(self, expression: Any) -> Any:
        """The expression, unless it has grown too large."""
        if self.algebra.count_ops(expression) > MOST_IN_A_RESULT:
            raise ValueError(
                f"the formulas between {self.cone.symbols[self.cone.node].name!r} and the labelled nodes below it grow "
                f"beyond {MOST_IN_A_RESULT} operations. Label nodes in between (value.label = 'h')"
            )
        return expression

    def _pull_back(self) -> dict[Value, Slope]:
        cone, first = self.cone, self.cone.program.first_instruction
        one = self.algebra.number(1)
        arrived: dict[int, Flow] = {cone.root: Flow(one, 1.0, (), False)}
        for slot in range(cone.root, first - 1, -1):
            if slot not in arrived:
                continue
            here = arrived.pop(slot)
            for operand, partial, step, value in self._partials(slot):
                steps = here.steps
                if steps is not None and partial != 1:
                    steps = (*steps, step)
                blocked = here.blocked or (value.__class__ is int and value == 0)
                flow = Flow(here.expression * partial, 0.0 if blocked else here.value * value, steps, blocked)
                before = arrived.get(operand)
                if before is not None:
                    flow = Flow(
                        before.expression + flow.expression,
                        before.value + flow.value,
                        None,
                        before.blocked and flow.blocked,
                    )
                self._bounded(flow.expression)
                arrived[operand] = flow
        found = {}
        for slot in cone.ends:
            if slot in arrived:
                flow = arrived[slot]
                expression = self.algebra.tidy(flow.expression)
                steps = flow.steps if flow.steps is not None and len(flow.steps) > 1 else ()
                found[cone.nodes[slot]] = Slope(expression, flow.value, steps, flow.blocked)
        return found

    def _partials(self, slot: int) -> list[tuple[int, Any, Any, Any]]:
        """Operand, formula, formula as it is before it is simplified, and number of each partial that matters."""
        cone = self.cone
        primitive, operands = cone.steps[slot - cone.program.first_instruction]
        ways = cone._differentiable(slot)
        if primitive.name == "where" and primitive.built_in:
            one = self.algebra.number(1)
            return [(operand, one, one, 1) for operand in ways if cone.flows[operand]]
        arguments = [i for i, o in enumerate(operands) if o >= 0 and o in ways and cone.flows[o]]
        if not arguments:
            return []
        numbers = [cone._number(o) for o in operands]
        shown = [cone.nodes[o] for o in operands]
        values = partials(floats, primitive, cone.nodes[slot].data, numbers, arguments, shown)
        expressions = self._partial_formulas(slot, primitive, operands, arguments)
        self._note_a_kink(primitive, numbers, shown)
        found = []
        for i, (expression, step), value in zip(arguments, expressions, values, strict=True):
            if not self.algebra.is_defined(expression):
                # A limit of the table, where the rule divides by zero.
                expression = step = self.algebra.number(value)
            found.append((operands[i], expression, step, value))
        return found

    def _partial_formulas(
        self, slot: int, primitive: Primitive, operands: Sequence[int], arguments: Sequence[int]
    ) -> list[tuple[Any, Any]]:
        own, sympify = self._expressions[slot], self.algebra.sympify
        if primitive.n_ary:
            # The rule of logsumexp divides by the sum of its powers, so z, which scales them, may be anything.
            z = self.algebra.number(0) if primitive.name == "logsumexp" else own
            every = [self._expressions[o] for o in operands]
            found = [sympify(x) for x in partials(self.algebra.AtPoint({}), primitive, z, every, arguments)]
            return [(x, x) for x in found]
        chosen, meaning, m = self._stand_ins(operands)
        z = self.algebra.stand_in("z")
        meaning[z] = own
        m.numbers[z] = self.cone.nodes[slot].data
        try:
            if primitive.systems is not None and m.NAME not in primitive.systems:
                raise NotImplementedError
            found = [sympify(x) for x in partials(m, primitive, z, chosen, arguments)]
        except _NOT_ALGEBRA:
            if primitive.built_in:
                raise
            opaque = [self._without_algebra(primitive, operands, argument) for argument in arguments]
            return [(x, x) for x in opaque]
        if primitive.kinks is not nowhere or not primitive.built_in:
            self._decided([decision.replace(meaning) for decision in m.decisions])
        return [(x.xreplace(meaning), self.algebra.put_in(x, meaning)) for x in found]

    def _without_algebra(self, primitive: Primitive, operands: Sequence[int], argument: int) -> Any:
        name = primitive.name
        self.notes.append(f"{name} is not declared over SymPy, so its slope is left as it is, with its number")
        called = f"{name}′" if primitive.arity == 1 else f"∂{name}/∂{primitive.arguments[argument]}"
        return self.algebra.function(called)(*[self._expressions[o] for o in operands])

    def _note_a_kink(self, primitive: Primitive, numbers: Sequence[Any], shown: Sequence[Any]) -> None:
        if primitive.kinks is nowhere or not primitive.kinks(*numbers):
            return
        named = [f"{node.label} = {node.data:g}" for node in shown if isinstance(node, Value) and node.label]
        at = ", ".join(named) or ", ".join([f"{x:g}" for x in numbers if x is not None])
        self.notes.append(f"{primitive.name} has a kink at {at}; its slope there is a convention of the table")

    def _decided(self, decisions: Iterable[Decision]) -> None:
        for decision in decisions:
            if decision not in self.decisions and (decision.left.free_symbols or decision.right.free_symbols):
                self.decisions.append(decision)
