"""``scan`` and ``map``: loops that keep their structure when a function is recorded for replay.

Called on Values they are Python's own loops, and the graph holds every step. While a function is recorded, a loop of
many operations becomes one node instead: the *body*, recorded once, stands for all steps, and a *part* is one of the
numbers that come out. So a program does not grow with the number of steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Never

from autograd import watching
from autograd.errors import RecordingError
from autograd.graph import topological_order
from autograd.operands import Condition, number_of
from autograd.primitives import Primitive
from autograd.program import Program, flatten
from autograd.structure import Builder, take_apart
from autograd.value import Value, backward_order, constant, node_of

#: Operations, all steps together, from which on a recorded loop stays a loop unless told otherwise.
WORTH_A_LOOP = 1000


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
            a loop that stays one, choices are written with ``where``: a comparison that Python asks for raises.

    Raises:
        ValueError: carry, element or result change their shape from step to step; the step is named.
        TypeError: neither elements nor a length are given, or ``f`` does not return a pair.
        RecordingError: while recorded as a loop, the step asks a comparison of its numbers for its truth.
    """
    elements = _elements(xs, length)
    watch = watching.watch
    if unroll is not True and watch is not None and not watch.in_loop and watch.is_ours() and elements:
        rolled = _Recorder(f, init, elements, watch).run(1 if unroll is False else WORTH_A_LOOP)
        if rolled is not None:
            return rolled
    carry, results, shapes = init, [], _Shapes(init)
    for step, x in enumerate(elements):
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
    """A loop that is recorded: its body from the first step, its numbers from running all of them."""

    def __init__(self, f: Callable[..., Any], init: Any, elements: Sequence[Any], watch: watching.Watch) -> None:
        self._f = f
        self._watch = watch
        self._shapes = _Shapes(init)
        self._init, self._build_carry = take_apart(init, "init", none=True)
        self._elements = elements

    def run(self, least: int) -> tuple[Any, list[Any]] | None:
        """The last carry and the results as parts of one node; ``None`` for a loop of fewer operations."""
        carry = [number_of(c) for c in self._init]
        asked = len(self._watch.conditions)
        xs: list[Any] = []
        numbers: list[float] = []
        builders: list[Builder] = []
        body: Body | None = None
        captured: list[Any] = []
        for step, element in enumerate(self._elements):
            x, build_x = take_apart(element, f"element {step}", none=True)
            fresh = [[Value(number) for number in carry], [Value(number_of(one)) for one in x]]
            outs, build_y = self._step(step, element, self._build_carry(fresh[0]), build_x(fresh[1]))
            self._refuse_conditions(asked, [*fresh[0], *fresh[1]], step)
            if body is None:
                body, captured = self._body(outs, fresh)
                if len(body.program) * len(self._elements) < least:
                    del self._watch.conditions[asked:]
                    return None
                asked = len(self._watch.conditions)
            del self._watch.conditions[asked:]
            data = [float(number_of(out)) for out in outs]
            carry = data[: len(carry)]
            numbers += data[len(carry) :]
            xs += x
            builders.append(build_y)
        assert body is not None  # there is a first step
        bundle = node_of(0.0, loop_primitive(body), [*self._init, *captured, *xs])
        parts = [node_of(number, PART, (bundle, float(k))) for k, number in enumerate([*carry, *numbers])]
        count, at = body.results, len(carry)
        results = [build(parts[at + count * t : at + count * (t + 1)]) for t, build in enumerate(builders)]
        return self._build_carry(parts[:at]), results

    def _step(self, step: int, element: Any, carry: Any, x: Any) -> tuple[list[Any], Builder]:
        """The numbers that come out of a step, carries first, and what puts its result together."""
        self._watch.in_loop = True
        try:
            following, y = _pair(self._f(carry, x), step)
        finally:
            self._watch.in_loop = False
        self._shapes.check(step, following, element, y)
        results, build = take_apart(y, f"the result of step {step}", none=True)
        return [*take_apart(following, "carry", none=True)[0], *results], build

    def _body(self, outs: list[Any], fresh: list[list[Value]]) -> tuple[Body, list[Any]]:
        """The body, and the nodes around it that all steps share."""
        outs = [out if isinstance(out, Value) else constant(float(out)) for out in outs]
        changing: set[Any] = {*fresh[0], *fresh[1]}
        captured: dict[Any, None] = {}
        for node in topological_order(*outs):
            parents = [p for p in node.parents if isinstance(p, Value | Condition)]
            if node not in changing and any(p in changing for p in parents):
                changing.add(node)
                captured.update(dict.fromkeys(p for p in parents if p not in changing))
        captured.update(dict.fromkeys(out for out in outs if out not in changing))
        inputs = [*fresh[0], *captured, *fresh[1]]
        program, nodes = flatten([*inputs, *outs], until=captured)
        program.outputs = program.outputs[len(inputs) :]
        slot_of = {node: slot for slot, node in enumerate(nodes) if isinstance(node, Value)}
        visited = {node: None for out in outs if out in changing for node in backward_order(out) if node in changing}
        order = [slot_of[node] for node in visited]
        return Body(program, order, len(self._elements), len(fresh[0]), len(captured), len(fresh[1])), list(captured)

    def _refuse_conditions(self, asked: int, fresh: list[Value], step: int) -> None:
        """Raise if the truth of a comparison that changes from step to step was asked for."""
        own = set(fresh)
        conditions = self._watch.conditions
        for i, (condition, _, line, _) in enumerate(conditions[asked:], start=asked):
            # The branches within the step are none of the program around the loop: for it, whoever runs the loop asks.
            conditions[i] = conditions[i]._replace(within=self._watch.within)
            if not own.isdisjoint(topological_order(condition)):
                raise RecordingError(
                    f"step {step} of a scan asks whether {condition!r}{f' ({line})' if line else ''}; a loop that is "
                    "recorded goes one way in all steps. Write the choice with where(condition, a, b), or give the "
                    "scan unroll=True"
                )


def _elements(xs: Iterable[Any] | None, length: int | None) -> list[Any]:
    if xs is None:
        if length is None or not hasattr(length, "__index__") or length < 0:
            raise TypeError(f"scan needs elements, or length as a whole number of steps; length is {length!r}")
        return [None] * int(length)
    elements = list(xs.tolist() if hasattr(xs, "tolist") else xs)
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
