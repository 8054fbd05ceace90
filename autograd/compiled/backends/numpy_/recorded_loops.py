"""Replay on NumPy of programs with loops: instruction by instruction over a block of samples, and step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.compiled.backends.reduction import LANES, TreeSum, samples_of_a_block
from autograd.compiled.backends.replay import Replay
from autograd.compiled.programs import loops
from autograd.compiled.programs.loops import AT, COLUMN, FINAL, STACK, Loop
from autograd.compiled.programs.plan import Plan
from autograd.number_systems import arrays
from autograd.primitives import Primitive
from autograd.program import Program

#: Bytes that the numbers of a block may take. Most are of columns, which a step touches once, so that no cache helps;
#: and a step's calls take as long for few samples as for many: measured, a quarter of it takes three times as long.
BLOCK_BYTES = 1 << 24


class LoopsOnNumpy(Replay):
    """A plan with loops, on NumPy alone."""

    name = "numpy"

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan, with_varying=False)
        program = plan.program
        self._loops = {row: _Steps(loop) for row in program.primitives if (loop := loops.of(row)) is not None}
        self._numbers = len(plan.varying) + sum(steps.numbers for steps in self._loops.values())

    def run_samples(self, columns: Sequence[Any], uniform: Any, samples: int) -> tuple[Any, list[Any]]:
        self.check_count(columns)
        kept = [np.empty(samples) for _ in self.kept]
        tree = TreeSum(len(self.summed))
        size = min(samples_of_a_block(self._numbers, BLOCK_BYTES, least=LANES), max(samples, 1))
        with arrays.computing():
            for start in range(0, samples, size):
                stop = min(start + size, samples)
                numbers = self._run([column[start:stop] for column in columns], uniform)
                for array, (_, slot) in zip(kept, self.kept, strict=True):
                    array[start:stop] = numbers[slot]
                if self.summed:
                    tree.add(np.array([np.broadcast_to(numbers[slot], stop - start) for _, slot in self.summed]))
        return tree.total(), kept

    def _run(self, columns: Sequence[Any], uniform: Any) -> list[Any]:
        """The number of every slot, for a block of samples; of a column's slot, ``(steps, samples)``."""
        program, varying, row = self.plan.program, self.plan.varying, self.levels.row
        numbers: list[Any] = [None] * len(varying)
        for slot, column in zip(self.columns, columns, strict=True):
            numbers[slot] = column
        for slot, differs in enumerate(varying):
            if not differs:
                numbers[slot] = uniform[row[slot], 0]
        for slot, (primitive, operands) in enumerate(program.instructions(), start=program.first_instruction):
            if not varying[slot]:
                continue
            xs = [numbers[o] for o in operands]
            if primitive in self._loops:
                numbers[slot] = self._loops[primitive](xs)
            elif primitive is STACK:
                numbers[slot] = np.stack(np.broadcast_arrays(*xs))
            elif primitive is FINAL:
                numbers[slot] = xs[0][0][int(xs[1])]
            elif primitive is COLUMN:
                numbers[slot] = xs[0][1][int(xs[1])]
            elif primitive is AT:
                numbers[slot] = xs[0][int(xs[1])]
            else:
                numbers[slot] = _computed(primitive, xs)
        return numbers


class _Steps:
    """A loop over arrays of samples."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._program: Program = loop.program()
        self.numbers = len(self._program) + loop.steps * (len(loop.results) + loop.counts[2])

    def __call__(self, operands: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """The last carries, and the columns of results."""
        loop, program = self._loop, self._program
        carries, shared, elements = loop.counts
        begin, end = carries + shared, carries + shared + elements
        numbers: list[Any] = [None] * program.inputs + list(program.constants) + [None] * len(program)
        for i in range(begin):
            numbers[loop.inputs[i]] = operands[i]
        columns: list[Any] = [[None] * loop.steps for _ in loop.results]
        for step in reversed(range(loop.steps)) if loop.is_reverse else range(loop.steps):
            for place, column in zip(loop.inputs[begin:], operands[begin:end], strict=True):
                numbers[place] = column[step]
            for slot, (primitive, xs) in enumerate(program.instructions(), start=program.first_instruction):
                numbers[slot] = _computed(primitive, [numbers[x] for x in xs])
            for column, slot in zip(columns, program.outputs[carries:], strict=True):
                column[step] = numbers[slot]
            following = [numbers[slot] for slot in program.outputs[:carries]]
            for i, number in enumerate(following):
                numbers[loop.inputs[i]] = number
        finals = [numbers[loop.inputs[i]] for i in range(carries)]
        return finals, columns


def _computed(primitive: Primitive, xs: list[Any]) -> Any:
    if primitive.name == "where":
        return np.where(np.not_equal(xs[0], 0), xs[1], xs[2])
    function = getattr(arrays, primitive.name)
    result = function(xs) if primitive.n_ary else function(*xs)
    return np.asarray(result, np.float64) if primitive.compares else result
