"""The derivative of a loop: a loop that runs the other way.

It carries the cotangents of the carries and of what is shared, and takes the numbers that it needs of each step as
columns, which the forward loop keeps for it. Where nothing flows in the loop written out, nothing flows here: *flags*
tell it of each number that something reaches at some steps or for some samples only.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from autograd.compiled.programs import loops
from autograd.compiled.programs.building import Builder
from autograd.compiled.programs.loop_flow import Flow
from autograd.cotangents import Term
from autograd.primitives import TABLE
from autograd.program import Program

_ADD, _MAXIMUM = TABLE["add"], TABLE["maximum"]


class Backward(Protocol):
    """What came of running a program backward (``differentiation.Adjoint``)."""

    cotangents: list[Any]
    reaching: Mapping[int, int | None]


class RunBackward(Protocol):
    """What runs a program backward, as further instructions of the builder that holds it."""

    def __call__(
        self,
        builder: Builder,
        program: Program,
        places: Sequence[int],
        order: Sequence[int],
        seeds: Mapping[int, int],
        wanted: Sequence[int],
        *,
        terms: Mapping[int, Sequence[Term]],
        lanes: Mapping[int, int],
        tracks_inputs: bool,
    ) -> Backward: ...


class _Wanted(NamedTuple):
    """The inputs of a step whose cotangents are wanted besides those of carries: shared numbers and elements; and those
    of them of which it is asked whether something flows there."""

    shared: list[int]
    elements: list[int]
    asked: list[int]


def pulled_back(
    builder: Builder,
    run_backward: RunBackward,
    bundle: int,
    parts: Mapping[int, tuple[int, int | None]],
    arguments: Sequence[int],
    asked: Container[int],
) -> list[tuple[int, int, int | None]]:
    """Argument, cotangent and condition for each argument of a recorded loop that something flows to.

    Args:
        run_backward: how a step is run backward.
        parts: the cotangents of what comes out of it, each with the condition under which something flows there.
        asked: the arguments of which a condition is asked for; of the others it is ``None``, as if it were always so.
    """
    loop = loops.loop_at(builder, bundle)
    assert loop.source is not None
    carries, captured, elements = loop.counts
    begin = carries + captured
    shared = [i for i in arguments if carries <= i < begin]
    asked_elements = {begin + (i - begin) % elements for i in arguments if i >= begin and i in asked}
    wanted = _Wanted(
        shared,
        sorted({begin + (i - begin) % elements for i in arguments if i >= begin}),
        [*(i for i in shared if i in asked), *sorted(asked_elements)],
    )
    flow = Flow(loop.source[0], parts)
    step = _settled(loop, run_backward, flow, wanted)
    back = _put_in(builder, bundle, loop, step, flow, parts)

    sum_of = {i: carries + k for k, i in enumerate(shared)}
    flag_of = {i: k for i, k in step.flag_of.items() if i in asked} | step.reached_at_all
    column_of = {element: loops.column_of(builder, back, k) for k, element in enumerate(wanted.elements)}
    reached_column = {
        i: loops.column_of(builder, back, len(wanted.elements) + k) for k, i in enumerate(step.reached_by_step)
    }
    products: list[tuple[int, int, int | None]] = []
    for i in arguments:
        t, element = divmod(i - begin, elements) if i >= begin else (0, 0)
        if i < begin and flow.reaches(i) and i not in step.never:
            condition = loops.final(builder, back, flag_of[i]) if i in flag_of else None
            products.append((i, loops.final(builder, back, sum_of.get(i, i)), condition))
        elif i >= begin and flow.reaches(begin + element, t):
            column = reached_column.get(begin + element)
            condition = None if column is None else loops.at(builder, column, t)
            products.append((i, loops.at(builder, column_of[begin + element], t), condition))
    return products


def _settled(loop: loops.Loop, run_backward: RunBackward, flow: Flow, wanted: _Wanted) -> _StepBack:
    """The step that runs back, with a flag for each carry that needs one: a choice within the step makes carries unsure
    that it reads."""
    unsure = flow.unsure_carries()
    while True:
        step = _StepBack(loop, run_backward, flow, wanted, unsure)
        if unsure.issuperset(step.unsure_inputs):
            return step
        unsure = unsure | step.unsure_inputs


def _put_in(
    builder: Builder,
    bundle: int,
    loop: loops.Loop,
    step: _StepBack,
    flow: Flow,
    parts: Mapping[int, tuple[int, int | None]],
) -> int:
    """The slot of the loop of these steps."""
    zero, one = builder.constant(0.0), builder.constant(1.0)

    def cotangent(which: int) -> int:
        return parts[which][0] if which in parts else zero

    def flag(which: int) -> int:
        condition = parts[which][1] if which in parts else zero
        return one if condition is None else condition

    inputs = builder.operands[bundle]
    carries = range(loop.counts[0])
    firsts = [*map(cotangent, carries), *[zero] * (len(step.sums) - len(carries)), *map(flag, step.unsure)]
    firsts += [zero] * len(step.reached_at_all)
    flowing_in = [loops.stack(builder, list(map(cotangent, flow.parts_of(r)))) for r in flow.results]
    flowing_in += [loops.stack(builder, list(map(flag, flow.parts_of(r)))) for r in flow.unsure_results]
    from_around = [inputs[slot] for slot in step.numbers if loop.is_shared(slot)]
    kept = [
        inputs[slot] if loop.is_element(slot) else loops.column_of(builder, bundle, loop.keep(slot))
        for slot in step.numbers
        if not loop.is_shared(slot)
    ]
    step.back.counts = len(firsts), len(from_around), len(flowing_in) + len(kept)
    return loops.put_in(builder, step.back, [*firsts, *from_around, *flowing_in, *kept])


class _StepBack:
    """The loop that runs back, still without operands, and the numbers of the forward body that it needs.

    Its carries are the cotangents of the carries and, added up, of what is shared, and a *flag* for each carry that is
    unsure: whether something flows to it. Its elements are the cotangents of results, flags of those that are unsure,
    and numbers of the forward loop; its results are cotangents of elements.

    Args:
        unsure: the carries that have flags.
    """

    def __init__(
        self, loop: loops.Loop, run_backward: RunBackward, flow: Flow, wanted: _Wanted, unsure: frozenset[int]
    ) -> None:
        assert loop.source is not None
        body, places = loop.source
        self._body, self._flow, self._constants = body, flow, loop.body.constants
        #: The body's inputs whose cotangents are carries, and the carries that have flags.
        self.sums, self.unsure = [*range(body.carries), *wanted.shared], sorted(unsure)
        #: The carry that is the flag of a carry, and, of a shared number, whether something flowed to it so far.
        self.flag_of = {k: len(self.sums) + i for i, k in enumerate(self.unsure)}
        so_far = enumerate(filter(loop.is_shared, wanted.asked), start=len(self.sums) + len(self.unsure))
        self.reached_at_all = {i: k for k, i in so_far}
        #: The numbers of the forward body; in the end those of them that are needed.
        self.numbers = [slot for slot in sorted(set(places)) if slot not in self._constants]
        #: Where the cotangents of results begin among the inputs, and what comes after them and their flags.
        self._begin = len(self.sums) + len(self.unsure) + len(self.reached_at_all)
        self._end = self._begin + len(flow.results) + len(flow.unsure_results)

        back = Builder(self._end + len(self.numbers))
        input_of = {slot: self._end + i for i, slot in enumerate(self.numbers)}
        here = [back.constant(self._constants[p]) if p in self._constants else input_of[p] for p in places]
        seeds, lanes = self._seeds(loop, back)
        targets = [*self.sums, *wanted.elements]
        found = run_backward(
            back, body.program, here, body.order, seeds, targets, terms=body.terms, lanes=lanes, tracks_inputs=True
        )
        outs = [back.constant(0.0) if found.cotangents[s] is None else found.cotangents[s] for s in targets]
        following = [*outs[: len(self.sums)], *self._next_flags(back, found)]
        #: The shared numbers and elements to which something flows under a condition.
        conditions = {i: condition for i in wanted.asked if (condition := found.reaching.get(i)) is not None}
        self.reached_by_step = [i for i in conditions if loop.is_element(i)]
        for i, flag in self.reached_at_all.items():
            reached = conditions.get(i)
            following.append(back.constant(1.0) if reached is None else back.emit(_MAXIMUM, (flag, reached)))
        self.back = loops.Loop(back, loop.steps, (0, 0, 0), following, is_reverse=not loop.is_reverse)
        self.back.results = outs[len(self.sums) :] + [conditions[i] for i in self.reached_by_step]
        self._leave_out(loop, back.needed([*self.back.results, *following]), input_of)

    def _seeds(self, loop: loops.Loop, back: Builder) -> tuple[dict[int, int], dict[int, int]]:
        """The cotangents that a step begins with, and the conditions under which those are given that are unsure."""
        body, flow, begin = self._body, self._flow, self._begin
        flags = self.flag_of | {
            body.carries + r: begin + len(flow.results) + i for i, r in enumerate(flow.unsure_results)
        }
        seeds = {slot: i for i, slot in enumerate(self.sums) if loop.is_shared(slot)}
        under: dict[int, int | None] = {}
        used = [k for k in range(body.carries) if flow.is_carry_used(k)]
        flowing = [*((k, k) for k in used), *((body.carries + r, begin + i) for i, r in enumerate(flow.results))]
        for output, i in flowing:
            slot, flag = body.program.outputs[output], flags.get(output)
            seeds[slot] = i if slot not in seeds else back.emit(_ADD, (seeds[slot], i))
            if slot in under:
                other = under[slot]
                flag = None if flag is None or other is None else back.emit(_MAXIMUM, (other, flag))
            under[slot] = flag
        lanes = {slot: flag for slot, flag in under.items() if flag is not None}
        # What was added up in later steps says nothing about this one.
        lanes.update({i: back.constant(0.0) for i in self.reached_at_all if i not in under})
        return seeds, lanes

    def _next_flags(self, back: Builder, found: Backward) -> list[int]:
        """The flags of the carries for the step before; which carries are unsure now, and which nothing reaches."""
        zero, one = back.constant(0.0), back.constant(1.0)
        flags = []
        for carry in range(self._body.carries):
            condition = found.reaching.get(carry)
            flags.append(zero if found.cotangents[carry] is None else one if condition is None else condition)
        #: The carries to which something flows under a condition, in a step to all of whose own something flows.
        self.unsure_inputs = {k for k, flag in enumerate(flags) if flag not in (zero, one)}
        #: The carries to which nothing flows after all: only a branch that is never taken has them.
        self.never = {k for k, flag in enumerate(flags) if flag == zero}
        return [flags[k] for k in self.unsure]

    def _leave_out(self, loop: loops.Loop, needed: bytearray, input_of: Mapping[int, int]) -> None:
        """Keep those numbers of the forward body that are needed; they are inputs after all others of their kind."""
        self.numbers = [slot for slot in self.numbers if needed[input_of[slot]]]
        self.back.inputs = [
            *range(self._begin),
            *(input_of[slot] for slot in self.numbers if loop.is_shared(slot)),
            *range(self._begin, self._end),
            *(input_of[slot] for slot in self.numbers if not loop.is_shared(slot)),
        ]
