"""The derivative of a loop: a loop that runs the other way.

It carries the cotangents of the carries and of what is shared, and takes the numbers that it needs of each step as
columns, which the forward loop keeps for it. Where nothing flows in the loop written out, nothing flows here: *flags*
tell it of each number that something reaches at some steps or for some samples only.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import TYPE_CHECKING

from autograd.compiled.programs import loops
from autograd.loops.recorder import Body
from autograd.primitives import TABLE

if TYPE_CHECKING:
    from autograd.compiled.programs.building import Builder
    from autograd.compiled.programs.differentiation import Adjoint
    from autograd.program import Program


def pulled_back(
    builder: Builder,
    adjoint: type[Adjoint],
    bundle: int,
    parts: Mapping[int, tuple[int, int | None]],
    arguments: Sequence[int],
    asked: Container[int],
) -> list[tuple[int, int, int | None]]:
    """Argument, cotangent and condition for each argument of a recorded loop that something flows to.

    Args:
        adjoint: how a step is run backward.
        parts: the cotangents of what comes out of it, each with the condition under which something flows there.
        asked: the arguments of which a condition is asked for; of the others it is ``None``, as if it were always so.
    """
    loop, inputs = loops.loop_at(builder, bundle), builder.operands[bundle]
    assert loop.source is not None
    body, (carries, captured, elements) = loop.source[0], loop.counts
    begin = carries + captured
    flow = _Flow(body, parts)
    shared = [i for i in arguments if carries <= i < begin]
    columns = sorted({begin + (i - begin) % elements for i in arguments if i >= begin})
    asked_columns = {begin + (i - begin) % elements for i in arguments if i >= begin and i in asked}
    of_interest = [*(i for i in shared if i in asked), *sorted(asked_columns)]
    unsure = flow.unsure_carries()
    while True:  # a choice within the step makes carries unsure that it reads
        step = _StepBack(loop, adjoint, [*range(carries), *shared], columns, flow, unsure, of_interest)
        if unsure.issuperset(step.unsure_inputs):
            break
        unsure = unsure | step.unsure_inputs

    zero, one = builder.constant(0.0), builder.constant(1.0)

    def cotangent(which: int) -> int:
        return parts[which][0] if which in parts else zero

    def flag(which: int) -> int:
        condition = parts[which][1] if which in parts else zero
        return one if condition is None else condition

    firsts = [*map(cotangent, range(carries)), *([zero] * len(shared)), *map(flag, sorted(unsure))]
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
    back = loops.put_in(builder, step.back, [*firsts, *from_around, *flowing_in, *kept])

    sum_of = {i: carries + k for k, i in enumerate(shared)}
    flag_of = {i: carries + len(shared) + k for k, i in enumerate(sorted(unsure)) if i in asked}
    column_of = {element: loops.column_of(builder, back, k) for k, element in enumerate(columns)}
    flag_of |= {i: len(firsts) - len(step.reached_at_all) + k for k, i in enumerate(step.reached_at_all)}
    reached_column = {i: loops.column_of(builder, back, len(columns) + k) for k, i in enumerate(step.reached_by_step)}
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


class _Flow:
    """Where something flows in a recorded loop that is run backward: at which steps to which numbers.

    The loop computes zeros where nothing flows; but zero times an infinite slope would be nan.

    Args:
        parts: the cotangents of what comes out of it, each with the condition under which something flows there.
    """

    def __init__(self, body: Body, parts: Mapping[int, tuple[int, int | None]]) -> None:
        self._body = body
        self._parts = parts
        carries, count = body.carries, body.results
        #: The results into which something flows.
        self.results = sorted({(part - carries) % count for part in parts if part >= carries})
        #: Those of them into which it does not flow at each step.
        self.unsure_results = [r for r in self.results if any(self._is_unsure(which) for which in self.parts_of(r))]
        #: Per step, the carries that come out of it and the inputs, as bits, that something flows to.
        self._carries: list[int] = []
        self._inputs: list[int] = []
        self._follow(_dependences(body.program))
        self._all_inputs = 0
        for inputs in self._inputs:
            self._all_inputs |= inputs

    def _follow(self, depends: Sequence[int]) -> None:
        """Go through the steps from the last one."""
        carries, count = self._body.carries, self._body.results
        flowing = sum(1 << k for k in range(carries) if k in self._parts)
        known: dict[int, int] = {}
        for t in reversed(range(self._body.steps)):
            outs = flowing
            for r in self.results:
                if carries + t * count + r in self._parts:
                    outs |= 1 << carries + r
            if outs not in known:
                known[outs] = 0
                for o, inputs in enumerate(depends):
                    if outs >> o & 1:
                        known[outs] |= inputs
            self._carries.append(flowing)
            self._inputs.append(known[outs])
            flowing = known[outs] & ((1 << carries) - 1)
        self._inputs.reverse()

    def _is_unsure(self, which: int) -> bool:
        return which not in self._parts or self._parts[which][1] is not None

    def parts_of(self, result: int) -> range:
        """The parts that are a result, step by step."""
        body = self._body
        return range(body.carries + result, body.carries + body.steps * body.results, body.results)

    def is_carry_used(self, carry: int) -> bool:
        """Whether something flows, at any step, to a carry that comes out of it."""
        return any(flowing >> carry & 1 for flowing in self._carries)

    def unsure_carries(self) -> frozenset[int]:
        """The carries, as they come out, to which something flows, but not at all steps or not for all samples."""
        return frozenset(
            k
            for k in range(self._body.carries)
            if self.is_carry_used(k)
            and (not all(flowing >> k & 1 for flowing in self._carries) or (k in self._parts and self._is_unsure(k)))
        )

    def reaches(self, slot: int, step: int | None = None) -> bool:
        """Whether something flows to an input of the body at a step; a carry's is that of the first."""
        if slot < self._body.carries:
            step = 0
        return bool((self._all_inputs if step is None else self._inputs[step]) >> slot & 1)


def _dependences(program: Program) -> list[int]:
    """Per output, the inputs that a derivative of it reaches, as bits."""
    inputs = [1 << i for i in range(program.inputs)] + [0] * len(program.constants)
    for row, operands in program.instructions():
        found = 0
        if row.name != "detach":
            for argument, o in enumerate(operands):
                if o >= 0 and (callable(row.partials) or row.partials[argument] is not None or row.name == "where"):
                    found |= inputs[o] if row.name != "where" or argument else 0
        inputs.append(found)
    return [inputs[o] for o in program.outputs]


class _StepBack:
    """The loop that runs back, still without operands, and the numbers of the forward body that it needs.

    Its carries are the cotangents of the carries and, added up, of what is shared, and a *flag* for each carry that is
    unsure: whether something flows to it. Its elements are the cotangents of results, flags of those that are unsure,
    and numbers of the forward loop; its results are cotangents of elements.

    Args:
        sums: the body's inputs whose cotangents are carries: carries, shared numbers.
        columns: the elements whose cotangents are wanted.
        unsure: the carries that have flags.
        asked: the shared numbers and elements of which it is asked whether something flows to them.
    """

    def __init__(
        self,
        loop: loops.Loop,
        adjoint: type[Adjoint],
        sums: Sequence[int],
        columns: Sequence[int],
        flow: _Flow,
        unsure: frozenset[int],
        asked: Sequence[int],
    ) -> None:
        assert loop.source is not None
        body, places = loop.source
        constants, results = loop.body.constants, flow.results
        numbers = [slot for slot in sorted(set(places)) if slot not in constants]
        flags = {k: len(sums) + i for i, k in enumerate(sorted(unsure))}
        so_far = {i: len(sums) + len(flags) + k for k, i in enumerate(filter(loop.is_shared, asked))}
        begin = len(sums) + len(flags) + len(so_far)
        end = begin + len(results) + len(flow.unsure_results)
        flags.update({body.carries + r: begin + len(results) + i for i, r in enumerate(flow.unsure_results)})
        inputs_of = {slot: end + i for i, slot in enumerate(numbers)}
        back = loop.body.__class__(end + len(numbers))
        here = [back.constant(constants[p]) if p in constants else inputs_of[p] for p in places]

        seeds = {slot: i for i, slot in enumerate(sums) if loop.is_shared(slot)}
        under: dict[int, int | None] = {}
        used = [k for k in range(body.carries) if flow.is_carry_used(k)]
        flowing = [*((k, k) for k in used), *((body.carries + r, begin + i) for i, r in enumerate(results))]
        for output, i in flowing:
            slot, flag = body.program.outputs[output], flags.get(output)
            seeds[slot] = i if slot not in seeds else back.emit(TABLE["add"], (seeds[slot], i))
            if slot in under:
                other = under[slot]
                flag = None if flag is None or other is None else back.emit(TABLE["maximum"], (other, flag))
            under[slot] = flag
        lanes = {slot: flag for slot, flag in under.items() if flag is not None}
        # What was added up in later steps says nothing about this one.
        lanes.update({i: back.constant(0.0) for i in so_far if i not in under})
        targets = [*sums, *columns]
        step = adjoint(back, body.program, here, body.order, seeds, targets, lanes=lanes, tracks_inputs=True)
        found, reaching = step.cotangents, step.reaching
        zero, one = back.constant(0.0), back.constant(1.0)
        outs = [zero if found[slot] is None else found[slot] for slot in targets]

        def next_flag(carry: int) -> int:
            if found[carry] is None:
                return zero
            condition = reaching.get(carry)
            return one if condition is None else condition

        #: The carries to which something flows under a condition, in a step to all of whose own something flows.
        self.unsure_inputs = {k for k in range(body.carries) if next_flag(k) not in (zero, one)}
        #: The carries to which nothing flows after all: only a branch that is never taken has them.
        self.never = {k for k in range(body.carries) if next_flag(k) == zero}
        following = [*outs[: len(sums)], *map(next_flag, sorted(unsure))]
        #: The shared numbers and elements to which something flows under a condition.
        conditions = {i: condition for i in asked if (condition := reaching.get(i)) is not None}
        self.reached_at_all = list(so_far)
        self.reached_by_step = [i for i in conditions if loop.is_element(i)]
        for i, flag in so_far.items():
            condition = reaching.get(i)
            following.append(one if condition is None else back.emit(TABLE["maximum"], (flag, condition)))
        self.back = loops.Loop(back, loop.steps, (0, 0, 0), following, is_reverse=not loop.is_reverse)
        self.back.results = outs[len(sums) :] + [conditions[i] for i in self.reached_by_step]
        needed = back.needed([*self.back.results, *following])
        self.numbers = [slot for slot in numbers if needed[inputs_of[slot]]]
        self.back.inputs = [
            *range(begin),
            *(inputs_of[slot] for slot in self.numbers if loop.is_shared(slot)),
            *range(begin, end),
            *(inputs_of[slot] for slot in self.numbers if not loop.is_shared(slot)),
        ]
