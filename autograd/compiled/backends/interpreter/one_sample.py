"""A plan at a single sample: nothing differs from sample to sample, so equal operations run four at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.compiled.backends.levels import Levels
from autograd.compiled.backends.memory import aligned
from autograd.compiled.backends.native.shared import SharedCode
from autograd.compiled.backends.replay import Replay


class OneSample:
    """The plan of a replay, all of it as what samples share; for a scalar GPT that is 2.7 times as fast (measured)."""

    def __init__(self, replay: Replay) -> None:
        plan, program = replay.plan, replay.plan.program
        levels = Levels(plan._replace(varying=bytearray(len(plan.varying))), with_varying=False)
        self._code = SharedCode(levels)
        self._memory = aligned((levels.rows[0],))
        constants = range(program.inputs, program.first_instruction)
        self._memory[levels.row_of[constants]] = program.constants
        shared = np.flatnonzero(np.array(plan.varying[: program.inputs], np.uint8) == 0)
        self._shared, self._shared_there = levels.row_of[shared], replay.levels.row_of[shared]
        self._columns = levels.row_of[np.array(replay.columns, np.intp)]
        self._summed, self._kept = (
            levels.row_of[np.array([slot for _, slot in outputs], np.intp)] for outputs in (replay.summed, replay.kept)
        )

    def run(self, columns: Sequence[Any], uniform: Any) -> tuple[Any, list[Any]]:
        """What ``Replay.run_samples`` gives."""
        memory = self._memory
        memory[self._shared] = uniform[self._shared_there, 0]
        memory[self._columns] = [column[0] for column in columns]
        self._code(memory)
        return memory[self._summed] + 0.0, list(memory[self._kept].reshape(-1, 1))
