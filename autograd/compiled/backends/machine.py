"""Machine code: a plan written out as one function of explicit vectors, forward and backward fused, sums taken inside.

For programs small enough: compiling takes about 0.15 ms an instruction, and more than that beyond a few thousand.
"""

from __future__ import annotations

import ctypes
from typing import Any

from autograd.compiled.backends import driver
from autograd.compiled.backends.jit import load
from autograd.compiled.backends.machine_code import BlockText
from autograd.compiled.backends.machine_layers import Layers
from autograd.compiled.backends.memory import address, aligned
from autograd.compiled.backends.native import NativeReplay
from autograd.compiled.backends.reduction import LANES
from autograd.compiled.programs.plan import Plan


class TooLongError(Exception):
    """A program is too long to be compiled."""

    def __init__(self, instructions: int) -> None:
        super().__init__(instructions)
        self.instructions = instructions


class MachineReplay(NativeReplay):
    """A plan as machine code of its own.

    Args:
        most: refuse to compile more instructions than that, besides those of layers; ``None``: as many as there are.

    Raises:
        TooLongError: there are more.
    """

    name = "machine"

    def __init__(self, plan: Plan, threads: int = 1, *, fast: bool = False, most: int | None = None) -> None:
        super().__init__(plan, threads)
        self._fast = fast
        layers = Layers(self)
        #: Instructions besides those of layers.
        self.straight = layers.straight
        if most is not None and self.straight > most:
            raise TooLongError(self.straight)
        text = BlockText(self, layers, fast=fast)
        #: Vectors of memory that columns of loops take.
        self._vectors = text.vectors
        self.library = load(str(text), "run")
        self._run = self.library.function("run", ctypes.c_void_p)

    def start(self, table: driver.Table) -> None:
        self._run(table.pointer)

    @property
    def ir(self) -> str:
        """The module as it was compiled, made again: reports show it, and nothing keeps it."""
        return str(BlockText(self, Layers(self), fast=self._fast))

    def new_table(self, uniform: Any) -> driver.Table:
        table = super().new_table(uniform)
        table.memory = aligned((self._vectors, LANES))
        table.set(memory=address(table.memory))
        return table
