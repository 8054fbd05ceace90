"""Forward mode over a program: the tangent of every number, as further instructions of the builder that holds it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd import lanes
from autograd.compiled.programs.building import Builder, Slot
from autograd.primitives import TABLE
from autograd.program import ABSENT, Program
from autograd.rules import is_nothing

_WHERE = TABLE["where"]


class Tangents:
    """The tangent of every slot of a program, as further instructions of the builder that holds it.

    Args:
        places: the builder's slot of each of the program's slots.
        wanted: the inputs that move, -1 for one that nothing depends on; ``seeds`` are their tangents.
        is_matrix: whether one seed of each lane is 1.0 and all others 0.0.
        careful: keep out what flows through any partial that is a literal 0, as ``liveness`` says.
    """

    def __init__(
        self,
        builder: Builder,
        program: Program,
        places: Sequence[int],
        wanted: Sequence[int],
        seeds: Sequence[int],
        *,
        is_matrix: bool,
        careful: bool,
    ) -> None:
        self._builder = builder
        self._seeds = [builder.slot(seed) for seed in seeds]
        self._is_matrix = is_matrix
        self._careful = careful
        self._moving: list[Slot | None] = [None] * len(places)
        #: Where a slot moves at all, of those that move: 1.0 or 0.0 in each lane; ``None``: everywhere.
        self._live: list[Slot | None] = [None] * len(places)
        #: The seeds that reach each slot, a bit for each.
        self._reach = [0] * len(places)
        self._known: dict[int, Slot] = {}
        for k, slot in enumerate(wanted):
            if slot >= 0:
                self._moving[slot], self._reach[slot] = self._seeds[k], 1 << k
                self._live[slot] = self._any_of(1 << k) if careful else None
        numbers = [builder.slot(place) for place in places]
        for slot, (primitive, operands) in enumerate(program.instructions(), start=program.first_instruction):
            moves = [i for i, o in enumerate(operands) if o >= 0 and self._moving[o] is not None]
            if primitive is _WHERE:
                self._choose(slot, numbers, operands)
                continue
            if not callable(primitive.partials):
                moves = [i for i in moves if primitive.partials[i] is not None]
            for i in moves:
                self._reach[slot] |= self._reach[operands[i]]
            inputs = [numbers[o] for o in operands]
            slopes = lanes.partials(builder.m, primitive, numbers[slot], inputs, moves)
            self._add_up(slot, [(operands[i], *slope) for i, slope in zip(moves, slopes, strict=True)])

    def of(self, slots: Sequence[int]) -> list[int]:
        """The tangents of these slots; -1 is a constant."""
        every = (1 << len(self._seeds)) - 1
        found = []
        for slot in slots:
            tangent = None if slot < 0 else self._moving[slot]
            if tangent is None:
                found.append(self._builder.constant(0.0))
            else:
                live = self._live[slot]
                if live is not None:
                    tangent = self._builder.m.where(live, tangent, -0.0)
                found.append(self._builder.number(self._kept_out(tangent, self._reach[slot], every)).index)
        return found

    def _add_up(self, slot: int, slopes: Sequence[tuple[int, Any, Any]]) -> None:
        """The tangent of a slot, given each operand that moves, its partial, and where something flows through it."""
        products = []
        for operand, slope, flowing in slopes:
            if not is_nothing(slope):
                tangent: Any = self._moving[operand]
                product = self._kept_out(tangent * slope, self._reach[operand], self._reach[slot])
                products.append((product, self._both(self._live[operand], flowing) if self._careful else None))
        if not products:
            return
        live = products[0][1]
        for _, here in products[1:]:
            live = None if live is None or here is None else live if live is here else live | here
        self._live[slot] = live
        for product, here in products:
            if here is not None and len(products) > 1:
                product = self._builder.m.where(here, product, -0.0)
            so_far = self._moving[slot]
            self._moving[slot] = product if so_far is None else so_far + product

    @staticmethod
    def _both(x: Slot | None, y: Any) -> Slot | None:
        return y if x is None else x if y is None or x is y else x & y

    def _choose(self, slot: int, numbers: Sequence[Slot], operands: Sequence[int]) -> None:
        """The tangent of the branch that is taken: nothing of the other one comes near it."""
        condition, *branches = operands
        branches = [b for b in branches if b != ABSENT]
        reach = self._reach[slot] = self._reach[branches[0]] | self._reach[branches[-1]]
        if all(self._moving[b] is None for b in branches):
            return
        tangents = [self._kept_out(self._moving[b], self._reach[b], reach) for b in branches]
        tangents = [-0.0 if tangent is None else tangent for tangent in tangents]
        m = self._builder.m
        chosen = tangents[0] if len(branches) == 1 else m.where(numbers[condition], *tangents)
        self._moving[slot] = m.number(chosen)
        if self._careful:
            live = [self._flag(branch) for branch in branches]
            self._live[slot] = m.number(live[0] if len(branches) == 1 else m.where(numbers[condition], *live))

    def _flag(self, slot: int) -> Any:
        """1.0 where a slot moves, and else 0.0."""
        if self._moving[slot] is None:
            return 0.0
        live = self._live[slot]
        return 1.0 if live is None else live

    def _kept_out(self, tangent: Any, here: int, there: int) -> Any:
        """A tangent of a matrix where it goes on to what more seeds reach: where its own are zero, it is nothing.

        A careful program knows it of each number, in ``_live``.
        """
        if tangent is None or not self._is_matrix or self._careful or here == there:
            return tangent
        return self._builder.m.where(self._any_of(here), tangent, -0.0)

    def _any_of(self, seeds: int) -> Slot:
        """1.0 in the lanes in which one of these seeds is not zero."""
        found = self._known.get(seeds)
        if found is None:
            chosen = [seed for k, seed in enumerate(self._seeds) if seeds >> k & 1]
            if not self._is_matrix:
                chosen = [1 - self._builder.equal(seed, 0) for seed in chosen]
            found = chosen[0]
            for seed in chosen[1:]:
                found = found | seed
            self._known[seeds] = found
        return found
