"""``scan`` and ``map``: loops that keep their structure when a function is recorded for replay.

Called on Values they are Python's own loops, and the graph holds every step. While a function is recorded, a loop of
many operations becomes one node instead: the *body*, recorded once, stands for all steps, and a *part* is one of the
numbers that come out. So a program does not grow with the number of steps. Every step is run all the same, and one that
would need another body is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from typing import Any, NamedTuple, Never

from autograd import watching
from autograd.copying import copy_nodes
from autograd.errors import RecordingError
from autograd.graph import topological_order
from autograd.operands import Condition, number_of
from autograd.primitives import Primitive
from autograd.program import Program, flatten
from autograd.structure import Builder, take_apart
from autograd.value import Value, backward_order, constant, node_of

#: Operations, all steps together, from which on a recorded loop stays a loop unless told otherwise.
WORTH_A_LOOP = 1000

#: The label of the Values that a step is recorded with. One among the leaves of a whole recording has escaped its step.
STAND_IN = "carry or element of a scan"


def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Iterable[Any] | None = None,
    *,
    length: int | None = None,
    unroll: bool | None = None,
) -> tuple[Any, list[Any]]:
    """The last carry and the results of all steps of ``carry, y = f(carry, x)``, one step for each of ``xs``.

    >>> carry, ys = scan(lambda total, x: (total + x, total * x), 0.0, [1.0, 2.0, 3.0])
    >>> carry, ys
    (6.0, [0.0, 2.0, 9.0])

    Args:
        f: a step: takes the carry and an element, returns the next carry and a result (``None`` for none). Carry,
            element and result may be numbers or nested lists, tuples and dicts of them; each keeps one shape.
        init: the first carry.
        xs: the elements; without them ``f`` gets ``None``, ``length`` times.
        length: the number of steps, where there are no elements.
        unroll: matters while the function around it is recorded by ``compile``. ``False``: the loop stays a loop;
            ``True``: its steps are recorded one by one; unless told, a loop of more than 1000 operations stays one. In
            a loop that stays one, choices are written with ``where``, entries of a list are read with ``take``, and
            all steps compute the same from carry, element and what they share.

    Raises:
        ValueError: carry, element or result change their shape from step to step; the step is named.
        TypeError: neither elements nor a length are given, or ``f`` does not return a pair.
        RecordingError: while recorded as a loop, the step asks a comparison of its numbers for its truth, or computes
            something else from step to step.
    """
    elements = _elements(xs, length)
    carry, results, shapes = init, [], _Shapes(init)
    watch = watching.watch
    if unroll is not True and watch is not None and not watch.in_loop and watch.is_ours() and elements:
        recorder = _Recorder(f, init, elements, shapes, watch)
        first = recorder.step(0, [number_of(c) for c in recorder.init])
        if unroll is False or len(_body_of(first, 1)[0].program) * len(elements) >= WORTH_A_LOOP:
            return recorder.run(first)
        carry, y = recorder.put_in_place(first)
        results.append(y)
    for step, x in enumerate(elements[len(results) :], start=len(results)):
        following, y = _pair(f(carry, x), step)
        shapes.check(step, following, x, y)
        carry = following
        results.append(y)
    return carry, results


def map(f: Callable[[Any], Any], xs: Iterable[Any], *, unroll: bool | None = None) -> list[Any]:
    """``f`` of each element, as a list: a ``scan`` without a carry.

    >>> map(lambda x: x * x, [1.0, 2.0, 3.0])
    [1.0, 4.0, 9.0]

    Args:
        f: takes an element, returns a number or nested lists, tuples and dicts of numbers.
        xs: the elements, all of one shape.
        unroll: as in ``scan``.
    """
    return scan(lambda carry, x: (carry, f(x)), [], xs, unroll=unroll)[1]


class Body:
    """One step as a program, and how its numbers go from step to step.

    Its inputs are the carries, then what all steps share (the captured), then the elements of a step; its outputs are
    the next carries, then the results of the step. ``order`` holds the instructions that a derivative of the outputs
    passes through, parents first. As the ``forward`` of a primitive it makes a loop in the number system of programs.
    """

    def __init__(
        self, program: Program, order: list[int], steps: int, carries: int, captured: int, elements: int
    ) -> None:
        self.program = program
        self.order = order
        self.steps = steps
        self.carries = carries
        self.captured = captured
        self.elements = elements

    @property
    def results(self) -> int:
        """The numbers that come out of each step besides the carries."""
        return len(self.program.outputs) - self.carries

    def __call__(self, m: Any, *operands: Any) -> Any:
        return m.loop(self, operands)

    def listing(self) -> str:
        """The step as text."""
        return f"{self.steps} steps, each:\n{self.program}"

    def contents(self) -> tuple[Any, ...]:
        """All that decides what it computes, for comparison."""
        program = self.program
        return (
            self.steps, self.carries, self.captured, program.primitives, program.opcodes.tobytes(),
            program.starts.tobytes(), program.operands.tobytes(), program.constants.tobytes(), program.outputs,
        )  # fmt: skip


class LoopPrimitive(Primitive):
    """A row that is no function of the table: ``scan``, whose ``forward`` is its body, or ``part``."""

    __slots__ = ()

    def __reduce__(self) -> Any:
        return "PART" if self.forward is _part else (loop_primitive, (self.forward,))


def _no_derivative(*_: Any) -> Never:
    raise RecordingError(
        "a derivative that the recorded function takes itself passes through a scan that stays a loop; "
        "give that scan unroll=True"
    )


def _part(m: Any, loop: Any, which: Any) -> Any:
    return m.part(loop, which)


def loop_primitive(body: Body) -> LoopPrimitive:
    """The row of one loop: all numbers that go in are its operands."""
    return LoopPrimitive("scan", _no_derivative, forward=body, symbol="scan", arguments=("xs",))


#: One of the numbers that come out of a loop: the carries, then the results of step 0, of step 1 …
PART = LoopPrimitive("part", (_no_derivative, None), forward=_part, symbol="part", arguments=("loop", "which"))


class _Recorder:
    """A loop that is recorded: its body from the first step, its numbers from running all of them.

    No step is run twice, so one that counts its runs cannot go by unnoticed.
    """

    def __init__(
        self, f: Callable[..., Any], init: Any, elements: Sequence[Any], shapes: _Shapes, watch: watching.Watch
    ) -> None:
        self._f = f
        self._watch = watch
        self._shapes = shapes
        self._elements = elements
        self.init, self._build_carry = take_apart(init, "init", none=True)

    def run(self, first: _Step) -> tuple[Any, list[Any]]:
        """The last carry and the results, as parts of one node."""
        changing = first.changing()
        self._refuse_conditions(first, changing)
        body, captured = _body_of(first, len(self._elements))
        step = first
        xs, numbers, builders = [*step.x], step.numbers(), [step.build]
        at = len(self.init)
        carry, ys = numbers[:at], numbers[at:]
        for number in range(1, len(self._elements)):
            step = self.step(number, carry)
            step.refuse_another(first, changing, self._watch)
            numbers = step.numbers()
            carry = numbers[:at]
            ys += numbers[at:]
            xs += step.x
            builders.append(step.build)
        # The branches within the step are none of the program around the loop: for it, whoever runs the loop asks.
        self._watch.conditions += [asked._replace(within=self._watch.within) for asked in first.asked]
        bundle = node_of(0.0, loop_primitive(body), [*self.init, *captured, *xs])
        parts = [node_of(number, PART, (bundle, float(k))) for k, number in enumerate([*carry, *ys])]
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
        self._watch.in_loop = True
        try:
            following, y = _pair(self._f(self._build_carry(carries), build_x(elements)), number)
        except Exception as error:
            error.add_note(f"This is step {number} of a scan that is recorded as a loop.")
            if isinstance(error, TypeError):
                error.add_note(
                    "Its carry and its element are Values: take(table, index) reads a list, where(condition, a, b) "
                    "chooses, and with unroll=True the steps are recorded one by one, numbers as they are."
                )
            raise
        finally:
            self._watch.in_loop = False
        self._shapes.check(number, following, element, y)
        results, build = take_apart(y, f"the result of step {number}", none=True)
        outs = [*take_apart(following, "carry", none=True)[0], *results]
        step = _Step(number, carries, elements, x, outs, build, conditions[asked:])
        del conditions[asked:]
        return step

    @staticmethod
    def _refuse_conditions(step: _Step, changing: Container[Any]) -> None:
        """Raise if the truth of a comparison that changes from step to step was asked for."""
        for condition, _, line, _ in step.asked:
            if condition in changing:
                raise RecordingError(
                    f"step {step.number} of a scan asks whether {condition!r}{f' ({line})' if line else ''}; a loop "
                    "that is recorded goes one way in all steps. Write the choice with where(condition, a, b), or give "
                    "the scan unroll=True"
                )


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


def _body_of(step: _Step, steps: int) -> tuple[Body, list[Any]]:
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
    return Body(program, order, steps, len(step.carry), len(captured), len(step.elements)), list(captured)


def _elements(xs: Iterable[Any] | None, length: int | None) -> list[Any]:
    if xs is None:
        if length is None or not hasattr(length, "__index__") or length < 0:
            raise TypeError(f"scan needs elements, or length as a whole number of steps; length is {length!r}")
        return [None] * int(length)
    try:
        elements = list(xs.tolist() if hasattr(xs, "tolist") else xs)
    except TypeError:
        raise TypeError(f"scan needs elements to go through, such as a list; xs is {xs!r}") from None
    if length is not None and length != len(elements):
        raise ValueError(f"scan was given {len(elements)} elements and length={length}; leave one of them out")
    return elements


def _pair(returned: Any, step: int) -> tuple[Any, Any]:
    if not isinstance(returned, tuple | list) or len(returned) != 2:
        raise TypeError(f"a step of scan returns (carry, result); step {step} returned {returned!r}")
    return returned[0], returned[1]


#: Stands for a number in a shape.
_NUMBER = 0


class _Shapes:
    """The shapes of carry, element and result, which stay the same from step to step."""

    def __init__(self, init: Any) -> None:
        self._carry = _shape_of(init, "init")
        self._element: Any = None
        self._result: Any = None

    def check(self, step: int, carry: Any, element: Any, result: Any) -> None:
        """Raise ValueError if one is another than in the first step."""
        if step == 0:
            self._element, self._result = _shape_of(element, "element 0"), _shape_of(result, "the result of step 0")
        if _has_shape(carry, self._carry) and _has_shape(result, self._result) and _has_shape(element, self._element):
            return
        trees, shapes = (carry, element, result), (self._carry, self._element, self._result)
        for what, tree, shape in zip(("carry", "element", "result"), trees, shapes, strict=True):
            found = _shape_of(tree, f"the {what} of step {step}")
            if found != shape:
                raise ValueError(
                    f"the {what} of step {step} of a scan has another shape than that of the first: "
                    f"{found}, not {shape}"
                )


def _has_shape(tree: Any, shape: Any) -> bool:
    """Whether a tree has a shape, as far as that is seen at a glance, in a tenth of the time of a full look."""
    kind = tree.__class__
    if kind is Value or kind is float:
        return shape is _NUMBER
    if tree is None:
        return shape is None
    if (kind is tuple or kind is list) and kind is shape.__class__ and len(tree) == len(shape):
        for part, inside in zip(tree, shape, strict=True):  # noqa: SIM110 - a generator takes twice as long
            if not _has_shape(part, inside):
                return False
        return True
    return False


def _shape_of(tree: Any, what: str) -> Any:
    """The nesting of a tree, for comparison."""
    scalars, build = take_apart(tree, what, none=True)
    return build([_NUMBER] * len(scalars))
