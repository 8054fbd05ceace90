"""The formula of a named node, and its slope along each named node below: the factors of the chain rule.

What lies between without a name is folded by pulling back over SymPy, with the rules of the table. In a rule ``z`` is
the symbol of the named node, so that σ′(z²) comes out as a²·(1 − a²) without being rearranged. Beside each formula
stands its number, by the same walk over floats.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from autograd.eager.operands import Condition
from autograd.interpret import apply, partials
from autograd.number_systems import floats
from autograd.pictures.mathematics.waypoints import WHERE, Cone
from autograd.primitives import TABLE, Primitive, nowhere
from autograd.value import Value

if TYPE_CHECKING:
    from autograd.pictures.mathematics.algebra import Decision

#: A result with more operations than this is nothing that anybody reads: gelu(x), as x·Φ(x), doubles what it is
#: applied to.
MOST_IN_A_RESULT = 1500

#: What goes wrong when a primitive of the user's own is run over SymPy.
_NOT_ALGEBRA = (NotImplementedError, ValueError, TypeError, AttributeError, ArithmeticError)

_LOGSUMEXP, _POW = TABLE["logsumexp"], TABLE["pow"]


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
                ordered = not any(number != number for number in map(cone.number_at, operands))
                decision = self.algebra.Decision(primitive.name, left, right, node.outcome, ordered)
                self._decided([decision])
                self._written[slot] = self._expressions[slot] = node.outcome
                continue
            if primitive is WHERE:
                taken = cone.used(slot)[1]
                self._written[slot], self._expressions[slot] = self._written[taken], self._expressions[taken]
                continue
            if primitive is _POW:
                self.algebra.refuse_giants(*below)
                self.algebra.refuse_giants(self._written[operands[0]], below[1])
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
            known[symbol] = self.cone.number_at(operand)
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
                f"the formulas between {self.cone.symbols[self.cone.node].name!r:.200} and the labelled nodes "
                f"below it grow "
                f"beyond {MOST_IN_A_RESULT} operations. Label nodes in between (value.label = 'h')"
            )
        if self.algebra.is_giant_inside(expression):
            raise ValueError(
                f"a function below {self.cone.symbols[self.cone.node].name!r:.200} is of a power of a sum that "
                f"nobody can "
                "multiply out. Label it (value.label = 'h'; in the text of a formula h = (x + y)**9999; tanh(h))"
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
        differentiable = cone.differentiable(slot)
        if primitive is WHERE:
            one = self.algebra.number(1)
            return [(operand, one, one, 1) for operand in differentiable if cone.flows[operand]]
        arguments = [i for i, o in enumerate(operands) if o >= 0 and o in differentiable and cone.flows[o]]
        if not arguments:
            return []
        numbers = [cone.number_at(o) for o in operands]
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
            z = self.algebra.number(0) if primitive is _LOGSUMEXP else own
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
