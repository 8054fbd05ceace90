"""Where something flows in a recorded loop that is run backward: at which steps, to which carries and inputs.

The loop computes zeros where nothing flows; but zero times an infinite slope would be nan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autograd.loops.recorder import Body
from autograd.program import Program


class Flow:
    """What flows through each step of a loop, from the last one on.

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
        steps = range(self._body.steps)
        for t in steps if self._body.is_reverse else reversed(steps):
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
        if not self._body.is_reverse:
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
            step = self._body.steps - 1 if self._body.is_reverse else 0
        return bool((self._all_inputs if step is None else self._inputs[step]) >> slot & 1)


def _dependences(program: Program) -> list[int]:
    """Per output, the inputs that a derivative of it reaches, as bits."""
    inputs = [1 << i for i in range(program.inputs)] + [0] * len(program.constants)
    for row, operands in program.instructions():
        found = 0
        for argument, o in enumerate(operands):
            if o >= 0 and (callable(row.partials) or row.partials[argument] is not None):
                found |= inputs[o]
        inputs.append(found)
    return [inputs[o] for o in program.outputs]
