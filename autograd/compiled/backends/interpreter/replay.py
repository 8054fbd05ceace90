"""Replay on the interpreter: a plan becomes code for it; nothing is compiled for a program of its own."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import cache
from typing import Any

from autograd.compiled.backends.interpreter import program
from autograd.compiled.backends.interpreter.block import BlockCode
from autograd.compiled.backends.interpreter.one_sample import OneSample
from autograd.compiled.backends.memory import address, aligned
from autograd.compiled.backends.native import driver, width
from autograd.compiled.backends.native.jit import Library, has_wide_registers, load
from autograd.compiled.backends.native.replay import LEAST_STRETCH, NativeReplay
from autograd.compiled.programs.loops import has_loops
from autograd.compiled.programs.plan import Plan


@cache
def interpreter(width: int, *, fast: bool = False) -> Library:
    """The interpreter for registers of so many numbers, loaded once in a process."""
    return load(program.text(width, fast=fast, wide=has_wide_registers()), "run")


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
        self.code = BlockCode(self, self.width.numbers)
        self.least = 1 if has_loops(plan.program) else 2
        self._one_sample: OneSample | None = None

    def run_samples(self, columns: Sequence[Any], uniform: Any, samples: int) -> tuple[Any, list[Any]]:
        if samples != 1 or self.least == 1:
            return super().run_samples(columns, uniform, samples)
        self.check_count(columns)
        if self._one_sample is None:
            self._one_sample = OneSample(self)
        return self._one_sample.run(columns, uniform)

    @property
    def entry(self) -> int:
        return self.library.address("run")

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
