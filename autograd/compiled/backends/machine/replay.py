"""Machine code: a plan as one function of explicit vectors, forward and backward fused, sums taken inside.

Layers and recorded loops are loops; all else is written out, so it is for programs of which that is little enough.
"""

from __future__ import annotations

import ctypes
from typing import Any

from autograd.compiled.backends.machine.block import BlockText
from autograd.compiled.backends.machine.layers import Layers
from autograd.compiled.backends.memory import address, aligned
from autograd.compiled.backends.native import driver, width
from autograd.compiled.backends.native.jit import load
from autograd.compiled.backends.native.replay import NativeReplay
from autograd.compiled.programs.plan import Plan


class TooLongError(Exception):
    """A program is too long to be compiled."""

    def __init__(self, instructions: int, *, has_layers: bool) -> None:
        super().__init__(instructions, has_layers)
        #: Those that are left besides layers.
        self.instructions = instructions
        self.has_layers = has_layers


class MachineReplay(NativeReplay):
    """A plan as machine code of its own.

    Args:
        most: refuse to compile more instructions than that; ``None``: as many as there are.
        most_beside_layers: the same where there are layers, whose own instructions do not count.

    Raises:
        TooLongError: there are more.
    """

    name = "machine"

    def __init__(
        self,
        plan: Plan,
        threads: int = 1,
        *,
        fast: bool = False,
        most: int | None = None,
        most_beside_layers: int | None = None,
    ) -> None:
        super().__init__(plan, threads)
        self.width = width.chosen()
        self._fast = fast
        layers = Layers(self)
        #: Instructions besides those of layers.
        self.straight = layers.straight
        self.has_layers = bool(layers.inside)
        limit = most_beside_layers if self.has_layers else most
        if limit is not None and self.straight > limit:
            raise TooLongError(self.straight, has_layers=self.has_layers)
        text = BlockText(self, layers, width=self.width.numbers, fast=fast)
        #: Vectors of memory that columns of loops and tiles of layers take.
        self._vectors = text.vectors
        self.library = load(str(text), "run")
        self.compile_seconds, self.is_cached = self.library.seconds, self.library.cached
        self._run = self.library.function("run", ctypes.c_void_p, result=ctypes.c_int)

    @property
    def entry(self) -> int:
        return self.library.address("run")

    def start(self, table: driver.Table) -> int:
        return self._run(table.pointer)  # type: ignore[no-any-return]

    @property
    def ir(self) -> str:
        """The module as it was compiled, made again: reports show it, and nothing keeps it."""
        return str(BlockText(self, Layers(self), width=self.width.numbers, fast=self._fast))

    def new_table(self, uniform: Any) -> driver.Table:
        table = super().new_table(uniform)
        table.memory = aligned((self._vectors, self.width.numbers))
        table.set(memory=address(table.memory))
        return table
