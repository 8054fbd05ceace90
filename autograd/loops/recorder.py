"""A loop as one node of the graph: its body, recorded from the first step, with which the next ones must agree."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any, NamedTuple, Never

from autograd.adding_up import terms_of
from autograd.application import apply
from autograd.copying import copy_nodes
from autograd.cotangents import Term, places_of_terms
from autograd.eager import watching
from autograd.eager.operands import Condition, number_of
from autograd.errors import RecordingError
from autograd.graph import topological_order
from autograd.loops import derivatives
from autograd.loops.steps import Shapes, pair
from autograd.nesting import Builder, take_apart
from autograd.number_systems import floats
from autograd.primitives import Primitive
from autograd.program import Program, flatten
from autograd.unpickling import damaged
from autograd.value import Value, backward_order, constant, node_of

#: Steps that are run where a loop is recorded.
STEPS_RUN = 3

#: The label of the Values that a step is recorded with. One among the leaves of a whole recording has escaped its step.
STAND_IN = "carry or element of a scan"


class Body:
    """One step as a program, and how its numbers go from step to step.

    Its inputs are the carries, then what all steps share (the captured), then the elements of a step; its outputs are
    the next carries, then the results of the step. ``order`` holds the instructions that a derivative of the outputs
    passes through, parents first, and ``terms`` tells which cotangents are added up in another order than that. As the
    ``forward`` of a primitive it makes a loop in the number system of programs. Of one that ``is_reverse`` the last
    step is taken first.
    """

    def __init__(
        self,
        program: Program,
        order: list[int],
        terms: Mapping[int, Sequence[Term]],
        steps: int,
        carries: int,
        captured: int,
        elements: int,
        is_reverse: bool = False,
    ) -> None:
        self.program = program
        self.order = order
        self.terms = terms
        self.steps = steps
        self.carries = carries
        self.captured = captured
        self.elements = elements
        self.is_reverse = is_reverse

    def __reduce__(self) -> Any:
        counts = self.steps, self.carries, self.captured, self.elements
        return _unpickled, (self.program, self.order, self.terms, *counts, self.is_reverse)

    @property
    def results(self) -> int:
        """The numbers that come out of each step besides the carries."""
        return len(self.program.outputs) - self.carries

    def __call__(self, m: Any, *operands: Any) -> Any:
        return m.loop(self, operands)

    def pulled_back(self, m: Any, *told: Any) -> list[tuple[int, Any, Any]]:
        """Argument, cotangent and lanes; see ``derivatives``."""
        return derivatives.pulled_back(self, _looped, m, *told)

    def pushed_forward(self, m: Any, *told: Any) -> list[Any]:
        """The tangents of what comes out; see ``derivatives``."""
        return derivatives.pushed_forward(self, _looped, m, *told)

    def listing(self) -> str:
        """The step as text."""
        return f"{self.steps} steps{', the last one first' if self.is_reverse else ''}, each:\n{self.program}"

    def contents(self) -> tuple[Any, ...]:
        """All that decides what it computes, for comparison."""
        program = self.program
        return (
            self.steps, self.is_reverse, self.carries, self.captured, program.primitives, program.opcodes.tobytes(),
            program.starts.tobytes(), program.operands.tobytes(), program.constants.tobytes(), program.outputs,
        )  # fmt: skip


def _looped(f: Callable[..., Any], init: Any, elements: Sequence[Any], *, is_reverse: bool) -> tuple[Any, list[Any]]:
    """A loop that belongs to the derivative of one; the last step may be the first that is taken."""
    elements = elements[::-1] if is_reverse else elements
    watch = watching.watch
    assert watch is not None
    if watch.records_here() and not watch.in_loop:
        recorder = Recorder(f, init, elements, Shapes(init), watch)
        return recorder.run(recorder.first_step(), is_known=True, is_reverse=is_reverse)
    carry, results = init, []
    for element in elements:
        carry, y = f(carry, element)
        results.append(y)
    return carry, results[::-1] if is_reverse else results


def _unpickled(program: Any, order: Any, terms: Any, *told: Any) -> Body:
    """A body of these parts.

    Raises:
        ValueError: they do not fit each other.
    """
    counts, is_reverse = told[:4], told[4:]
    if type(program) is not Program or len(counts) != 4 or not all(type(n) is int and n >= 0 for n in counts):
        raise damaged("loop", f"a {type(program).__name__} with {counts}")
    if is_reverse not in ((False,), (True,)):
        raise damaged("loop", f"the direction {is_reverse}")
    steps, carries, *others = counts
    if not steps or program.inputs != carries + sum(others) or len(program.outputs) < carries:
        raise damaged("loop", f"{program.inputs} inputs and {len(program.outputs)} outputs of a step for {counts}")
    slots = range(program.first_instruction, program.first_instruction + len(program))
    try:
        places = [(order, slots), *places_of_terms(terms, slots)]
        known = type(order) is list and all(type(o) is int and o in among for those, among in places for o in those)
    except (TypeError, ValueError, AttributeError) as error:
        raise damaged("loop", str(error)) from error
    if not known:
        raise damaged("loop", "an instruction that there is not")
    return Body(program, order, terms, *counts, *is_reverse)


class LoopPrimitive(Primitive):
    """A row that is no function of the table: ``scan``, whose ``forward`` is its body, or ``part``."""

    __slots__ = ()

    @property
    def is_loop(self) -> bool:
        """Always."""
        return True

    def __reduce__(self) -> Any:
        return "PART" if self.formula is _part else (loop_primitive, (self.formula,))


def _no_derivative(*_: Any) -> Never:
    raise RecordingError(
        "a derivative passes through a scan that was recorded as a loop, after the recording; take it inside of the "
        "recorded function, or give that scan unroll=True"
    )


def _part(m: Any, loop: Any, which: Any) -> Any:
    return m.part(loop, which)


def loop_primitive(body: Body) -> LoopPrimitive:
    """The row of one loop: all numbers that go in are its operands."""
    if type(body) is not Body:  # of a pickle
        raise damaged("loop", type(body).__name__)
    return LoopPrimitive("scan", _no_derivative, built_in=False, formula=body, symbol="scan", arguments=("xs",))


#: One of the numbers that come out of a loop: the carries, then the results of step 0, of step 1 …
PART = LoopPrimitive(
    "part", (_no_derivative, None), built_in=False, formula=_part, symbol="part", arguments=("loop", "which")
)


class Recorder:
    """A loop that is recorded: its body from the first step, with which the next two are compared.

    No step is run twice, so one that counts its runs cannot go by unnoticed. Of all others the body gives the numbers.
    """

    def __init__(
        self, f: Callable[..., Any], init: Any, elements: Sequence[Any], shapes: Shapes, watch: watching.Watch
    ) -> None:
        self._f = f
        self._watch = watch
        self._shapes = shapes
        self._elements = elements
        self.init, self._build_carry = take_apart(init, "init", none=True)

    def first_step(self) -> _Step:
        """The step that the body is recorded from."""
        return self.step(0, [number_of(c) for c in self.init])

    def operations(self, first: _Step) -> int:
        """How many there are in all steps together."""
        return len(_body_of(first, 1)[0].program) * len(self._elements)

    def run(self, first: _Step, *, is_known: bool = False, is_reverse: bool = False) -> tuple[Any, list[Any]]:
        """The last carry and the results, as parts of one node.

        Args:
            is_known: all steps compute what the first one does, so that numbers are all that is wanted of them.
            is_reverse: the elements come last one first; those of the node, and the results, do not.
        """
        changing = first.changing()
        self._refuse_conditions(first, changing)
        body, captured = _body_of(first, len(self._elements), is_reverse=is_reverse)
        step = first
        numbers, builders = step.numbers(), [step.build]
        at = len(self.init)
        carry, xs, ys = numbers[:at], [step.x], [numbers[at:]]
        shared = [number_of(node) for node in captured]
        compute = _computing(body.program, self._watch if is_known else None)
        most = 1 if is_known or self._watch.again else STEPS_RUN
        for number in range(1, len(self._elements)):
            found: list[float] | None = None
            if number >= most:
                x, build = self._shapes.element(number, self._elements[number]), first.build
                found = compute([*carry, *shared, *map(number_of, x)])
            if found is None:
                step = self.step(number, carry)
                step.refuse_another(first, changing, self._watch)
                found, x, build = step.numbers(), step.x, step.build
            carry = found[:at]
            ys.append(found[at:])
            xs.append(x)
            builders.append(build)
        # The branches within the step are none of the program around the loop: for it, whoever runs the loop asks.
        shared_by_all = [asked for asked in first.asked if asked.condition not in changing]
        self._watch.conditions += [asked._replace(within=self._watch.within) for asked in shared_by_all]
        if is_reverse:
            xs.reverse()
            ys.reverse()
        bundle = node_of(0.0, loop_primitive(body), [*self.init, *captured, *(x for one in xs for x in one)])
        numbers = [*carry, *(y for one in ys for y in one)]
        parts = [node_of(number, PART, (bundle, float(k))) for k, number in enumerate(numbers)]
        count = body.results
        results = [build(parts[at + count * t : at + count * (t + 1)]) for t, build in enumerate(builders)]
        return self._build_carry(parts[:at]), results

    def put_in_place(self, first: _Step) -> tuple[Any, Any]:
        """The carry and the result of the first step, written out: over what its fresh Values stand for."""
        meant = [x if isinstance(x, Value) else constant(float(x)) for x in [*self.init, *first.x]]
        memo = {id(fresh): x for fresh, x in zip([*first.carry, *first.elements], meant, strict=True)}
        copy_nodes(first.changing(), memo)
        outs = [memo.get(id(out), out) for out in first.outs]
        for asked in first.asked:
            within = tuple([(memo.get(id(condition), condition), truth) for condition, truth in asked.within])
            condition = memo.get(id(asked.condition), asked.condition)
            self._watch.conditions.append(asked._replace(condition=condition, within=within))
        at = len(self.init)
        return self._build_carry(outs[:at]), first.build(outs[at:])

    def step(self, number: int, carry: Sequence[float]) -> _Step:
        """A step run on fresh Values; what it asks is taken away from the watch."""
        element = self._elements[number]
        x, build_x = take_apart(element, f"element {number}", none=True)
        carries = [Value(c, STAND_IN) for c in carry]
        elements = [Value(number_of(one), STAND_IN) for one in x]
        conditions = self._watch.conditions
        asked = len(conditions)
        self._watch.in_loop = self._watch.in_step = True
        try:
            following, y = pair(self._f(self._build_carry(carries), build_x(elements)), number)
        except Exception as error:
            error.add_note(f"This is step {number} of a scan that is recorded as a loop.")
            if isinstance(error, TypeError):
                error.add_note(
                    "Its carry and its element are Values: take(table, index) reads a list, where(condition, a, b) "
                    "chooses, and with unroll=True the steps are recorded one by one, numbers as they are."
                )
            raise
        finally:
            self._watch.in_loop = self._watch.in_step = False
        self._shapes.check(number, following, element, y)
        results, build = take_apart(y, f"the result of step {number}", none=True)
        outs = [*take_apart(following, "carry", none=True)[0], *results]
        step = _Step(number, carries, elements, x, outs, build, conditions[asked:])
        del conditions[asked:]
        return step

    @staticmethod
    def _refuse_conditions(step: _Step, changing: Container[Any]) -> None:
        """Raise if the truth of a comparison that changes from step to step was asked for, and decides."""
        for condition, _, line, _, else_wrong in step.asked:
            if condition in changing and not else_wrong:
                raise RecordingError(
                    f"step {step.number} of a scan asks whether "
                    f"{condition!r:.200}{f' ({line})' if line else ''}; a loop "
                    "that is recorded goes one way in all steps. Write the choice with where(condition, a, b), or give "
                    "the scan unroll=True"
                )


def _computing(program: Program, watch: watching.Watch | None) -> Callable[[Sequence[float]], list[float] | None]:
    """What computes a step's numbers from its inputs: what a replay does where there is no value; without a watch
    ``None`` there, so that the step itself says what is wrong."""
    instructions = list(program.instructions())

    def compute(inputs: Sequence[float]) -> list[float] | None:
        numbers: list[Any] = [*inputs, *program.constants]
        for row, slots in instructions:
            operands: list[Any] = [None if o < 0 else numbers[o] for o in slots]
            try:
                numbers.append(apply(floats, row, operands))
            except (ValueError, ArithmeticError):
                if watch is None:
                    return None
                numbers.append(watch.as_replayed(row, operands))
        return [float(numbers[slot]) for slot in program.outputs]

    return compute


class _Step(NamedTuple):
    """A step that was run on fresh Values."""

    number: int
    carry: list[Value]
    elements: list[Value]
    #: What the elements stand for.
    x: list[Any]
    #: The next carry and the result, Values or plain numbers.
    outs: list[Any]
    #: Puts the result together.
    build: Builder
    #: The conditions whose truth it asked for.
    asked: list[watching.Asked]

    def numbers(self) -> list[float]:
        """Those of the next carry, then those of the result."""
        return [float(number_of(out)) for out in self.outs]

    def changing(self) -> dict[Any, None]:
        """All nodes that depend on the carry or the element, and these themselves, parents first."""
        found = dict.fromkeys([*self.carry, *self.elements])
        roots = [*[out for out in self.outs if isinstance(out, Value)], *[asked.condition for asked in self.asked]]
        for node in topological_order(*roots):
            if node not in found and any(p in found for p in node.parents if isinstance(p, Value | Condition)):
                found[node] = None
        return found

    def refuse_another(self, first: _Step, changing: Container[Any], watch: watching.Watch) -> None:
        """Raise unless it computes the same as the first, from the same nodes around it.

        Two leaves of one number may be constants that each step makes; the watch notes them for a second look, since
        they may as well be parameters, one for each step.

        Args:
            changing: all of the first step that depends on its carry or element.
        """
        mine = {*self.carry, *self.elements}
        same: dict[Any, Any] = dict(zip([*first.carry, *first.elements], [*self.carry, *self.elements], strict=True))
        is_same = [asked.outcome for asked in first.asked] == [asked.outcome for asked in self.asked]
        pairs = [*zip(first.outs, self.outs, strict=True)]
        pairs += [(a.condition, b.condition) for a, b in zip(first.asked, self.asked, strict=False)]
        while is_same and pairs:
            a, b = pairs.pop()
            kind = a.__class__
            if kind is not Value and kind is not Condition:
                is_same = a is b or (_is_number(a) and _is_number(b) and float(a).hex() == float(b).hex())
            elif a in same:
                is_same = same[a] is b
            elif a is not b or a in changing:
                if kind is not b.__class__ or a is b or a.primitive is not b.primitive or b in mine:
                    is_same = False
                    break
                same[a] = b
                parents, others = a.parents, b.parents
                if parents:
                    is_same = len(parents) == len(others)
                    pairs += zip(parents, others, strict=False)
                else:
                    is_same = number_of(a).hex() == number_of(b).hex()
                    watch.leaves_of_steps += (a, b)
        if not is_same:
            raise RecordingError(
                f"step {self.number} of a scan computes something else than the first one: something changes from step "
                "to step besides its carry and its element. Put it among these, or give the scan unroll=True"
            )


def _is_number(x: Any) -> bool:
    return x is not None and x.__class__ is not Value and x.__class__ is not Condition


def _body_of(step: _Step, steps: int, *, is_reverse: bool = False) -> tuple[Body, list[Any]]:
    """The body that a step is, and the nodes around it that all steps share."""
    outs = [out if isinstance(out, Value) else constant(float(out)) for out in step.outs]
    changing: set[Any] = {*step.carry, *step.elements}
    captured: dict[Any, None] = {}
    for node in topological_order(*outs):
        parents = [p for p in node.parents if isinstance(p, Value | Condition)]
        if node not in changing and any(p in changing for p in parents):
            changing.add(node)
            captured.update(dict.fromkeys(p for p in parents if p not in changing))
    captured.update(dict.fromkeys(out for out in outs if out not in changing))
    inputs = [*step.carry, *captured, *step.elements]
    program, nodes = flatten([*inputs, *outs], until=captured)
    program.outputs = program.outputs[len(inputs) :]
    slot_of = {node: slot for slot, node in enumerate(nodes) if isinstance(node, Value)}
    visited = {node: None for out in outs if out in changing for node in backward_order(out) if node in changing}
    order = [slot_of[node] for node in visited]
    # What all steps share begins with what later steps sent it, as outputs begin with what is sent to them.
    roots = [slot_of[node] for node in (*outs, *captured) if node in slot_of]
    terms = terms_of(program, nodes, order, roots)
    counts = steps, len(step.carry), len(captured), len(step.elements)
    return Body(program, order, terms, *counts, is_reverse), list(captured)
