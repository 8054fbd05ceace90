"""How a function is recorded: run on fresh Values and watched, so that its program and its comparisons are known."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from math import nan
from typing import Any

from autograd import interpret
from autograd.adding_up import terms_of
from autograd.compiled.recording.guards import Guard
from autograd.compiled.recording.trace import Trace
from autograd.compiled.recording.watched import called_under
from autograd.cotangents import Term
from autograd.eager import watching
from autograd.eager.garbage import collector_at_rest
from autograd.eager.operands import Condition
from autograd.errors import DomainError, RecordingError
from autograd.graph import topological_order
from autograd.loops.recorder import STAND_IN, Body
from autograd.nesting import take_apart
from autograd.number_systems import arrays
from autograd.primitives import Primitive
from autograd.program import ABSENT, Program, flatten
from autograd.value import Value, backward_order


def trace(
    f: Callable[..., Any],
    make: Callable[[], Sequence[Any]],
    fresh: Sequence[Value],
    name: str,
    *,
    all_arguments: bool = False,
    unroll: bool = False,
    directions: Sequence[bool] = (),
    without_values: bool = False,
) -> Trace:
    """What ``f`` computes from arguments that are made of these fresh Values.

    Args:
        make: makes the arguments, for each run anew, since ``f`` may sort or empty the lists that it gets.
        unroll: record every ``scan`` step by step.
        directions: the truths that comparisons are to have, in order, in branches of ``where`` that are not taken.
        without_values: where ``f`` has no value at these numbers, record it all the same, with what a replay gives
            there (nan, or an infinity), in place of an error.
        all_arguments: make every argument scalar an input, in order and before the leaves, whether used or not.

    Raises:
        RecordingError: ``f`` read a number while it ran, recorded another function meanwhile, or returned no numbers.
    """
    first = list(fresh) if all_arguments else []
    with collector_at_rest():
        watch = _watch(fresh, directions, unroll, without_values)
        recorded, decided, _, of_steps = _recorded(f, make, fresh, name, first, watch)
        watch = _watch(fresh, directions, unroll, without_values, again=True)
        _, decided_again, met_again, _ = _recorded(f, make, fresh, name, first, watch)
    if not of_steps.isdisjoint(met_again):
        raise RecordingError(
            f"{name} has a scan whose steps use other leaves each time, of which one stays the same from run to run. "
            "Put them among the scan's elements, or give it unroll=True"
        )
    if decided != decided_again:
        raise RecordingError(
            f"{name} does not compute the same when it is run again at the same numbers, so one recording cannot stand "
            "for it: it draws random numbers or keeps something from call to call. Pass these as arguments"
        )
    captured = set(met_again)
    assert recorded is not None
    return recorded._replace(captured=[leaf for leaf in recorded.leaves if leaf in captured])


def trace_where_it_has_a_value(
    f: Callable[..., Any],
    points: Iterable[Sequence[float]],
    labels: Sequence[str],
    build: Callable[[list[Any]], Sequence[Any]],
    name: str,
    **options: Any,
) -> Trace:
    """``f`` recorded at the first of some points at which it has a value; where it has none at any of them, at the
    first, with the nan or infinity that a replay gives.

    Args:
        labels: of the fresh Values.
        build: the arguments, made of a list of scalars.
        options: those of ``trace``.
    """
    first: Sequence[float] | None = None
    for point in points:
        first = point if first is None else first
        with suppress(DomainError, OverflowError):
            return _trace_at(f, point, labels, build, name, **options)
    assert first is not None
    # What is raised here comes from plain numbers, which are the same at all points.
    return _trace_at(f, first, labels, build, name, without_values=True, **options)


def _trace_at(
    f: Callable[..., Any],
    point: Sequence[float],
    labels: Sequence[str],
    build: Callable[[list[Any]], Sequence[Any]],
    name: str,
    **options: Any,
) -> Trace:
    fresh = [Value(x, label) for x, label in zip(point, labels, strict=True)]
    return trace(f, lambda: build(list(fresh)), fresh, name, **options)


def _recorded(
    f: Callable[..., Any],
    make: Callable[[], Sequence[Any]],
    fresh: Sequence[Value],
    name: str,
    first: Sequence[Value],
    watch: watching.Watch,
) -> tuple[Trace | None, tuple[Any, ...], list[Value], set[Value]]:
    """One run: its trace, unless it is run again; all that it decided; its leaves; and those of steps of a loop alone.

    The graph is let go here, so that there is never more than one.
    """
    outputs, build, program, nodes = _run(f, make, name, first, watch)
    asked, of_steps = watch.conditions, set(watch.leaves_of_steps)
    inputs = nodes[: program.inputs]
    if any(leaf.label is STAND_IN for leaf in inputs):
        raise RecordingError(
            f"{name} uses a number from within a step of a scan outside of that step. Return it from the step as its "
            "result, or give the scan unroll=True"
        )
    decided = _decided(program, nodes, fresh)
    if watch.again:
        return None, decided, inputs, of_steps
    begin = program.first_instruction
    slot_of = dict(zip(nodes[begin:], range(begin, len(nodes)), strict=True))
    ours = {node: i for i, node in enumerate(fresh)}
    arguments = [-1] * len(fresh)
    leaves, leaf_inputs = [], []
    for slot, leaf in enumerate(inputs):
        if leaf in ours:
            arguments[ours[leaf]] = slot
        else:
            leaves.append(leaf)
            leaf_inputs.append(slot)
    guards, known_guards = [], set()
    for place, (condition, outcome, line, within, else_wrong) in enumerate(asked):
        branches = tuple([(slot_of[branch], truth) for branch, truth in within])
        if (condition, outcome, branches) not in known_guards:
            known_guards.add((condition, outcome, branches))
            text = _in_words(condition)
            guards.append(Guard(slot_of[condition], outcome, text, line, branches, place, else_wrong))
    known = {guard.slot for guard in guards}
    for slot, condition in _of_branches_not_called(program, nodes):
        if slot not in known:
            guards.append(Guard(slot, bool(condition.outcome), _in_words(condition), ""))
            known.add(slot)
    shape = build(list(range(len(outputs))))
    slots = iter(program.outputs)
    recorded = Trace(
        program, arguments, leaves, leaf_inputs, [],
        [next(slots) if isinstance(o, Value) else -1 for o in outputs],
        {i: float(o) for i, o in enumerate(outputs) if not isinstance(o, Value)},
        shape, isinstance(shape, int),
        isinstance(shape, list | tuple) and list(shape) == list(range(len(outputs))) and not hasattr(shape, "_fields"),
        guards, *_order(program, nodes, outputs, slot_of), tuple([asking.outcome for asking in asked]),
    )  # fmt: skip
    return recorded, decided, inputs, of_steps


def _order(
    program: Program, nodes: Sequence[Any], outputs: Sequence[Any], slot_of: Mapping[Any, int]
) -> tuple[list[int], dict[int, list[Term]]]:
    """The order in which a derivative of the outputs passes through instructions, and the terms in another order."""
    orders = [[slot_of[node] for node in backward_order(o)] if isinstance(o, Value) else [] for o in outputs]
    is_one = len(orders) == 1
    order = orders[0] if is_one else sorted({slot for one in orders for slot in one})
    return order, terms_of(program, nodes, order if is_one else [], program.outputs)


def _watch(
    fresh: Sequence[Value], directions: Sequence[bool], unroll: bool, without_values: bool, *, again: bool = False
) -> watching.Watch:
    arguments = set(fresh)

    def is_recorded(node: Any, watch: watching.Watch) -> bool:
        return any(
            part in arguments or getattr(part, "label", "") is STAND_IN or getattr(part, "_grad", None) is watch.mark
            for part in topological_order(node)
        )

    watch = watching.Watch(directions, as_replayed, is_recorded, everywhere=without_values, again=again)
    watch.in_loop = unroll
    return watch


def as_replayed(primitive: Primitive, numbers: Sequence[float]) -> float:
    """What a replay gives for these numbers, inside the primitive's domain or not: IEEE's nan and infinities.

    >>> from autograd.primitives import TABLE
    >>> as_replayed(TABLE["log"], [-1.0]), as_replayed(TABLE["exp"], [1000.0]), as_replayed(TABLE["div"], [-1.0, 0.0])
    (nan, inf, -inf)
    """
    try:
        with arrays.computing():
            return float(interpret.apply(arrays, primitive, [arrays.number(x) for x in numbers]))
    except (NotImplementedError, ValueError, ArithmeticError):  # a user's own, made of what arrays do not have
        return nan


def _run(
    f: Callable[..., Any],
    make: Callable[[], Sequence[Any]],
    name: str,
    first: Sequence[Value],
    watch: watching.Watch,
) -> tuple[Any, ...]:
    """One run under watch: the result's scalars and shape, the program and its nodes."""
    args = make()
    result = called_under(watch, f, args, name)
    try:
        outputs, build = take_apart(result, f"the result of {name}")
    except TypeError as error:
        raise RecordingError(str(error)) from None
    asked = watch.conditions
    conditions = [c for condition, _, _, within, _ in asked for c in (condition, *[branch for branch, _ in within])]
    program, nodes = flatten([*first, *[o for o in outputs if isinstance(o, Value)], *conditions])
    program.outputs = program.outputs[len(first) :]
    return outputs, build, program, nodes


def _decided(program: Program, nodes: Sequence[Any], fresh: Sequence[Value]) -> tuple[Any, ...]:
    """All that a run decided: instructions, constants, and the numbers of the leaves that it made or captured."""
    ours = set(fresh)
    leaves = [leaf._data for leaf in nodes[: program.inputs] if leaf not in ours]
    primitives = [row.formula.contents() if isinstance(row.formula, Body) else row for row in program.primitives]
    return (
        primitives, program.opcodes, program.operands.tobytes(), program.constants.tobytes(),
        array("d", leaves).tobytes(),
    )  # fmt: skip


def _of_branches_not_called(program: Program, nodes: Sequence[Any]) -> list[tuple[int, Condition]]:
    """Slot and condition of each ``where`` that lacks a branch: it had no value at the numbers recorded with."""
    if ABSENT not in program.operands:
        return []
    found = [operands[0] for _, operands in program.instructions() if ABSENT in operands]
    return [(slot, nodes[slot]) for slot in found if isinstance(nodes[slot], Condition)]


def _in_words(condition: Condition) -> str:
    sides = [getattr(side, "label", "") or _short(side) for side in condition.parents]
    return f"{sides[0]} {condition.primitive.symbol} {sides[1]}"


def _short(side: Any) -> str:
    if not isinstance(side, Value):
        return f"{side:.6g}"
    return f"a {side.primitive.name}" if side.primitive is not None else "a leaf"
