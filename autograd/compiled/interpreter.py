"""Replay on the interpreter: a plan becomes code for it; nothing is compiled for a program of its own."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from autograd.compiled import driver, interpreter_code
from autograd.compiled.block_code import BlockCode
from autograd.compiled.code import END, SUM, VECTORS
from autograd.compiled.interpreter_code import operations
from autograd.compiled.jit import Library, load
from autograd.compiled.levels import Group
from autograd.compiled.memory import address, aligned
from autograd.compiled.native import NativeReplay
from autograd.compiled.plan import Plan
from autograd.compiled.reduction import LANES


@cache
def interpreter(*, fast: bool = False) -> Library:
    """The interpreter, loaded once in a process."""
    return load(interpreter_code.text(fast=fast), "run", "point")


class InterpreterReplay(NativeReplay):
    """A plan as code for the interpreter.

    Raises:
        NotImplementedError: the interpreter lacks a primitive of the program.
    """

    name = "interpreter"

    def __init__(self, plan: Plan, threads: int = 1, *, fast: bool = False) -> None:
        super().__init__(plan, threads)
        self.library = interpreter(fast=fast)
        self._run = self.library.function("run", ctypes.c_void_p)
        self._point = self.library.function("point", ctypes.c_void_p, ctypes.c_void_p)
        # A long dot of shared numbers, a penalty say, is left to NumPy.
        shared = self.levels.groups[0]
        self._point_code = None if any(group.name == "dot" for group in shared) else point_code(shared)
        self.code = BlockCode(self)

    def run_uniform(self, uniform: Any) -> None:
        if self._point_code is None:
            super().run_uniform(uniform)
        elif len(self._point_code) > 1:
            self._point(address(uniform), address(self._point_code))

    def new_table(self, uniform: Any) -> driver.Table:
        table = super().new_table(uniform)
        table.memory = aligned((self.code.shared + self.code.rows * VECTORS, LANES))
        table.set(code=address(self.code.words), instructions=self.code.shared, memory=address(table.memory))
        return table

    def start(self, table: driver.Table) -> None:
        self._run(table.pointer)


def point_code(groups: Sequence[Group]) -> Any:
    """The code of groups for ``point``: a group that is no multiple of four repeats its first operands."""
    known = operations()
    parts = []
    for name, first, last, operands in groups:
        if name == "sum":
            parts.append(np.array([SUM, first, len(operands), *(row for _, (row,) in operands)], np.int32))
            continue
        if name not in known:
            raise NotImplementedError(f"the interpreter has no {name}")
        padding = -(last - first) % LANES
        parts.append(np.array([known[name], (last - first + padding) // LANES, first], np.int32))
        parts += [np.array(rows + rows[:1] * padding, np.int32) for _, rows in operands]
    parts.append(np.array([END], np.int32))
    return np.concatenate(parts)
