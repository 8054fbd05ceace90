"""Reverse mode over a program: the instructions that compute its derivatives, written behind its own.

The *cotangent* of a number is the derivative of the result by it. Cotangents are added up in the order of
``backward()``, instruction by instruction of the program as it was recorded, so that every rounding is the eager one;
merging happens below, where two instructions are the same computation.

Each instruction has the condition under which it is *live* (``liveness``), and what it sends to a slot that is live
elsewhere too is chosen by that condition. The neutral element is -0.0, since x + -0.0 is x for every x.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from autograd.compiled.programs import loop_adjoint, loops
from autograd.compiled.programs.building import LONG_DOT, Builder
from autograd.compiled.programs.liveness import Liveness
from autograd.compiled.programs.templates import Template, product_of, template_of
from autograd.cotangents import Sums, Term
from autograd.loops.recorder import PART, Body
from autograd.primitives import TABLE, Primitive
from autograd.program import Program

#: Operands that the kind of an instruction tells of.
_OF_A_KIND = 8

_WHERE = TABLE["where"]
_ADD = TABLE["add"]
_MUL = TABLE["mul"]
_DOT = TABLE["dot"]
_POW = TABLE["pow"]


class Adjoint:
    """The cotangents of a program's numbers, written into the builder that holds the program.

    Args:
        places: the builder's slot of each of the program's slots.
        order: the program's instructions, as slots, parents first: they are visited from the last.
        seeds: the program's slots whose cotangents are given → builder's slots.
        wanted: the slots whose cotangents are asked for.
        terms: the terms of the cotangents that are added up in another order than instructions are visited.
        lanes: a seed's slot of the program → the builder's slot of the condition under which it is given, where
            that is not always. What it does not reach is kept out, as a branch not taken is.
        tracks_inputs: find out when something flows to the program's inputs, in ``reaching``.
        careful: keep out what flows through any partial that is a literal 0, as ``liveness`` says.
    """

    def __init__(
        self,
        builder: Builder,
        program: Program,
        places: Sequence[int],
        order: Sequence[int],
        seeds: Mapping[int, int],
        wanted: Sequence[int],
        *,
        terms: Mapping[int, Sequence[Term]] | None = None,
        lanes: Mapping[int, int] | None = None,
        tracks_inputs: bool = False,
        careful: bool = False,
    ) -> None:
        self._builder = builder
        self._program = program
        self._places = places
        self._depends = depends = _depending_on(program, wanted)
        self._careful = careful
        self._live = Liveness(
            builder, program, places, order, seeds, depends, wanted, lanes or {},
            tracks_inputs=tracks_inputs, careful=careful,
        )  # fmt: skip
        self._templates: dict[tuple[Any, ...], Template] = {}
        #: The cotangents of what comes out of each recorded loop: its slot → which part → the builder's slot, and that
        #: of the condition under which something flows, if there is one besides the loop's own.
        self._parts: dict[int, dict[int, tuple[int, int | None]]] = {}
        #: The builder's slot of the cotangent of every slot of the program, ``None`` where nothing flows. That of an
        #: input which one long ``dot`` alone uses, a weight, is left as a product.
        self.cotangents: list[Any] = [None] * len(places)
        for slot, seed in seeds.items():
            self.cotangents[slot] = seed

        def only_if(product: int, condition: int, truth: bool) -> int:
            nothing = builder.constant(-0.0)
            sides = (product, nothing) if truth else (nothing, product)
            return builder.emit(_WHERE, (places[condition], *sides))

        self._sums = Sums(terms or {}, lambda x, y: builder.emit(_ADD, (x, y)), only_if)
        self._go_backward(order, self._weights(wanted))
        #: An input that something flows to under a condition → the builder's slot of it; ``None``: always.
        self.reaching: Mapping[int, int | None] = self._live.reaching

    def _go_backward(self, order: Sequence[int], weights: set[int]) -> None:
        found, depends, live, program = self.cotangents, self._depends, self._live, self._program
        places, place_of = self._places, self._places.__getitem__
        sums, waiting = self._sums, self._sums.sent
        emit, first, primitives = self._builder.emit, program.first_instruction, program.primitives
        opcodes, starts, flat = program.opcodes.tolist(), program.starts.tolist(), program.operands.tolist()
        add = self._builder.emitter(_ADD)
        #: Of each primitive, its templates by the kind of instruction; most of a program is of these.
        kinds = _kinds(program, depends)
        templates = [dict[int, Template]() if _is_plain(row) else None for row in primitives]
        for slot in reversed(order):
            if waiting and slot in waiting:
                found[slot] = sums.put_together(slot, found[slot])
            cotangent = found[slot]
            if cotangent is None or not depends[slot]:
                continue
            i = slot - first
            primitive = primitives[opcodes[i]]
            operands = flat[starts[i] : starts[i + 1]]
            known = templates[opcodes[i]]
            products: Sequence[tuple[int, int]]
            if known is not None:
                template = known.get(kinds[i])
                if template is None:
                    template = known[kinds[i]] = self._template(primitive, None, operands)
                products = template(places[slot], *map(place_of, operands), cotangent)
            elif isinstance(primitive.formula, Body):
                products = self._through_loop(slot, operands)
            else:
                skip = self._to_weights(weights, slot, operands) if weights and primitive is _DOT else 0
                products = self._products(primitive, slot, operands, skip)
            for argument, product in products:
                operand = operands[argument]
                kept_out = None
                if live.has_choices:
                    here = live.flowing(slot, primitive, operands, argument)
                    if here is not None and here != live.conditions[operand]:
                        kept_out = here
                        product = emit(_WHERE, (here, product, self._builder.constant(-0.0)))
                if primitive is PART:
                    self._parts.setdefault(operand, {})[loops.which(program, operands)] = product, kept_out
                    found[operand] = product
                    continue
                if waiting and operand in waiting:
                    waiting[operand].setdefault(slot, []).append(product)
                    continue
                so_far = found[operand]
                found[operand] = product if so_far is None else add((so_far, product))
        for slot in [*waiting]:
            found[slot] = sums.put_together(slot, found[slot])

    def _weights(self, wanted: Sequence[int]) -> set[int]:
        """The inputs whose derivatives are wanted and which one instruction alone uses, once."""
        program = self._program
        if not self._builder.long_dots or _DOT not in program.primitives:
            return set()
        operands = np.array(program.operands, np.intp)
        used_once = np.bincount(operands[operands >= 0], minlength=program.inputs) == 1
        inputs = np.array([slot for slot in wanted if slot < program.inputs], np.intp)
        return set(inputs[used_once[inputs]].tolist())

    def _to_weights(self, weights: set[int], slot: int, operands: Sequence[int]) -> int:
        """The products for the weights of a long ``dot``, without an instruction for each; how many arguments of it
        have theirs now."""
        n = len(operands) // 2
        if n < LONG_DOT or self._live.conditions[slot] is not None or not weights.issuperset(operands[:n]):
            return 0
        found, places, cotangent = self.cotangents, self._places, self.cotangents[slot]
        for weight, x in zip(operands[:n], operands[n : 2 * n], strict=True):
            found[weight] = cotangent, places[x]
        return n

    def _products(
        self, primitive: Primitive, slot: int, operands: Sequence[int], skip: int
    ) -> Sequence[tuple[int, int]]:
        """Argument and cotangent times partial, for each argument from ``skip`` on that something flows to."""
        builder, depends, places, cotangent = self._builder, self._depends, self._places, self.cotangents[slot]
        if callable(primitive.partials):
            arguments = [i for i, o in enumerate(operands) if i >= skip and depends[o]]
            return self._of_any_number(primitive, slot, operands, arguments) if arguments else []
        if primitive is _WHERE:  # what flows is chosen by where the branch is live
            return [(i, cotangent) for i in (1, 2) if operands[i] >= 0 and depends[operands[i]]]
        if primitive is PART:
            return [(0, cotangent)] if depends[operands[0]] else []
        exponent = places[operands[1]] if primitive is _POW and places[operands[1]] in builder.constants else None
        template = self._template(primitive, exponent, operands)
        return template(places[slot], *map(places.__getitem__, operands), cotangent)

    def _template(self, primitive: Primitive, exponent: int | None, operands: Sequence[int]) -> Template:
        """What the rules of a primitive write for operands that depend on something wanted as these do."""
        depends = self._depends
        key = (primitive, exponent, *map(depends.__getitem__, operands))
        template = self._templates.get(key)
        if template is None:
            assert not callable(primitive.partials)
            arguments = [i for i, o in enumerate(operands) if depends[o] and primitive.partials[i] is not None]
            known_exponent = None if exponent is None else self._builder.constants[exponent]
            template = self._templates[key] = template_of(
                self._builder, primitive, arguments, known_exponent, careful=self._careful
            )
        return template

    def _of_any_number(
        self, primitive: Primitive, slot: int, operands: Sequence[int], arguments: Sequence[int]
    ) -> list[tuple[int, int]]:
        builder, places, cotangent = self._builder, self._places, self.cotangents[slot]
        if primitive is _DOT:  # as its rule has it, without a pair of objects for each of perhaps a thousand operands
            n = len(operands) // 2
            partners = [places[o] for o in (*operands[n : 2 * n], *operands[:n])]
            return [(i, builder.emit(_MUL, (cotangent, partners[i])) if i < 2 * n else cotangent) for i in arguments]
        assert callable(primitive.partials)
        xs = [builder.slot(places[o]) for o in operands]
        every = primitive.partials(builder.m, builder.slot(places[slot]), xs)
        c = builder.slot(cotangent)
        return [(i, product.index) for i in arguments if (product := product_of(c, every[i])) is not None]

    def _through_loop(self, slot: int, operands: Sequence[int]) -> list[tuple[int, int]]:
        """Argument and cotangent for each argument of a loop that something flows to; what feeds it is live where the
        loop says."""
        arguments = [i for i, o in enumerate(operands) if self._depends[o]]
        asked = {i for i in arguments if operands[i] >= self._program.first_instruction}
        found = loop_adjoint.pulled_back(
            self._builder,
            partial(Adjoint, careful=self._careful),
            self._places[slot],
            self._parts[slot],
            arguments,
            asked,
        )
        self._live.gone_through(slot, {i: condition for i, _, condition in found})
        return [(i, product) for i, product, _ in found]


def _is_plain(primitive: Primitive) -> bool:
    """Whether what it sends back is what its rules write, whatever its operands are."""
    is_special = primitive in (_WHERE, PART, _POW) or isinstance(primitive.formula, Body)
    return not (callable(primitive.partials) or is_special or len(primitive.partials) > _OF_A_KIND)


def _kinds(program: Program, depends: bytearray) -> bytes:
    """Per instruction, which of its operands depend on something that is wanted, as bits."""
    starts, operands = np.array(program.starts, np.int64), np.array(program.operands, np.intp)
    counts, of_slots = np.diff(starts), np.array(depends, np.uint8)
    kinds = np.zeros(len(program), np.uint8)
    for j in range(min(_OF_A_KIND, int(counts.max(initial=0)))):
        at = np.flatnonzero(counts > j)
        kinds[at] |= of_slots[operands[starts[at] + j]] << j
    return kinds.tobytes()


def _depending_on(program: Program, slots: Iterable[int]) -> bytearray:
    """1 for each slot whose number depends, through something that has a derivative, on one of these slots."""
    depends = bytearray(program.first_instruction + len(program))
    for slot in slots:
        depends[slot] = 1
    starts, operands = program.starts.tolist(), program.operands.tolist()
    passes = [callable(row.partials) or any(row.partials) for row in program.primitives]
    for slot, opcode, start, end in zip(
        range(program.first_instruction, len(depends)), program.opcodes, starts, starts[1:], strict=False
    ):
        if passes[opcode]:
            for o in operands[start:end]:
                if o >= 0 and depends[o]:
                    depends[slot] = 1
                    break
    return depends
