"""Replay on the interpreter: a plan becomes code for it; nothing is compiled for a program of its own."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from autograd.compiled.backends.interpreter import program
from autograd.compiled.backends.interpreter.block import BlockCode
from autograd.compiled.backends.interpreter.operations import operations
from autograd.compiled.backends.interpreter.words import END, SUM
from autograd.compiled.backends.levels import ROWS, Levels
from autograd.compiled.backends.memory import address, aligned
from autograd.compiled.backends.native import driver, width
from autograd.compiled.backends.native.jit import Library, has_wide_registers, load
from autograd.compiled.backends.native.replay import LEAST_STRETCH, NativeReplay
from autograd.compiled.programs.plan import Plan

#: Groups whose code is made at once.
_AT_ONCE = 1 << 16


@cache
def interpreter(width: int, *, fast: bool = False) -> Library:
    """The interpreter for registers of so many numbers, loaded once in a process."""
    return load(program.text(width, fast=fast, wide=has_wide_registers()), "run", "point")


class InterpreterReplay(NativeReplay):
    """A plan as code for the interpreter.

    Raises:
        NotImplementedError: the interpreter lacks a primitive of the program.
    """

    name = "interpreter"

    def __init__(self, plan: Plan, threads: int = 1, *, fast: bool = False) -> None:
        super().__init__(plan, threads)
        self.width = width.chosen()
        # A product of the last group is rounded once with the sum so far, which is another number if it begins at 0.
        self.together = 0 if fast else LEAST_STRETCH
        before = interpreter.cache_info().misses
        self.library = interpreter(self.width.numbers, fast=fast)
        if interpreter.cache_info().misses > before:  # the others in this process find it there
            self.compile_seconds, self.is_cached = self.library.seconds, self.library.cached
        self._run = self.library.function("run", ctypes.c_void_p, result=ctypes.c_int)
        self._point = self.library.function("point", ctypes.c_void_p, ctypes.c_void_p)
        # A long dot of shared numbers, a penalty say, is left to NumPy.
        self._point_code = None if self.levels.uniform_names() & {"dot"} else point_code(self.levels)
        self.code = BlockCode(self, self.width.numbers)

    def run_uniform(self, uniform: Any) -> None:
        if self._point_code is None:
            super().run_uniform(uniform)
        elif len(self._point_code) > 1:
            self._point(address(uniform), address(self._point_code))

    @property
    def entry(self) -> int:
        return self.library.address("run")

    @property
    def shared_entry(self) -> tuple[int, int] | None:
        if self._point_code is None:
            return None
        return self.library.address("point"), address(self._point_code) if len(self._point_code) > 1 else 0

    def new_table(self, uniform: Any) -> driver.Table:
        table = super().new_table(uniform)
        table.memory = aligned((self.code.shared + self.code.rows * self.code.vectors, self.width.numbers))
        table.set(
            code=address(self.code.words), shared=self.code.shared, memory=address(table.memory),
            vectors=self.code.vectors,
        )  # fmt: skip
        return table

    def start(self, table: driver.Table) -> int:
        return self._run(table.pointer)  # type: ignore[no-any-return]


def point_code(levels: Levels) -> Any:
    """The code of the uniform groups for ``point``: a group that is no multiple of four repeats its first operands.

    Raises:
        NotImplementedError: the interpreter lacks a primitive of the program.
    """
    members, bounds, first_rows = levels.ranges[0]
    sizes, leaders = np.diff(bounds), members[bounds[:-1]] - levels.first
    opcodes = levels.opcodes[leaders]
    is_sum = opcodes == len(levels.names) - 1
    counts = levels.starts[leaders + 1] - levels.starts[leaders]
    counts[is_sum] = [len(levels.sums[slot]) for slot in (leaders[is_sum] + levels.first).tolist()]
    padded = np.where(is_sum, 1, sizes + -sizes % ROWS)
    ends = np.cumsum(3 + counts * padded)
    at = ends - (3 + counts * padded)
    code = np.full(ends[-1] + 1 if len(ends) else 1, END, np.int32)
    code[at] = _operation_of_each(levels.names, opcodes)[opcodes]
    code[at + 1] = np.where(is_sum, first_rows, padded // ROWS)
    code[at + 2] = np.where(is_sum, counts, first_rows)
    for place, slot in zip(at[is_sum].tolist(), (leaders[is_sum] + levels.first).tolist(), strict=True):
        code[place + 3 : place + 3 + len(levels.sums[slot])] = levels.row_of[levels.sums[slot]]
    for start in range(0, len(sizes), _AT_ONCE):
        some = start + np.flatnonzero(~is_sum[start : start + _AT_ONCE])
        for argument in range(counts[some].max(initial=0)):
            group = some[counts[some] > argument]
            group, within = np.repeat(group, padded[group]), _count_up(padded[group])
            slots = members[bounds[group] + np.where(within < sizes[group], within, 0)]
            operands = levels.operands[levels.starts[slots - levels.first] + argument]
            code[at[group] + 3 + argument * padded[group] + within] = levels.row_of[operands]
    return code


def _operation_of_each(names: Sequence[str], opcodes: Any) -> Any:
    """The interpreter's operation of each opcode that is used; the last name is that of long sums."""
    known = operations()
    missing = sorted({names[opcode] for opcode in np.unique(opcodes).tolist() if opcode < len(names) - 1} - set(known))
    if missing:
        raise NotImplementedError(f"the interpreter has no {missing[0]}")
    return np.array([*(known.get(name, END) for name in names[:-1]), SUM])


def _count_up(sizes: Any) -> Any:
    """0, 1, … up to each size, one after the other."""
    return np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
