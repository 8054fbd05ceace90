"""The adjoint of a program, as further instructions of the builder that holds it.

A primitive's rules are run once, over the slots of a small builder of their own; what they write is a template that is
put in for every instruction of that primitive, so that 100,000 operations take about a second. Cotangents are added up
in the order of ``backward()``, instruction by instruction of the program as it was recorded, so that every rounding is
the eager one; merging happens below, where two instructions are the same computation.

In a batch both branches of a ``where`` are computed, so what flows back from the branch that a sample did not take must
be kept out, be it ``0 * nan``: each instruction has the condition under which it is *live*, and what it sends to a slot
that is live elsewhere too is chosen by that condition. The neutral element is -0.0, since x + -0.0 is x for every x.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from autograd.compiled import loop_adjoint, loops
from autograd.compiled.building import Builder, Product, Slot
from autograd.compiled.n_ary import LONG_DOT
from autograd.loop_recording import PART, Body
from autograd.number_systems import floats
from autograd.primitives import TABLE, Primitive
from autograd.program import Program

_WHERE = TABLE["where"]
_ADD = TABLE["add"]
_MUL = TABLE["mul"]
_DOT = TABLE["dot"]
_POW = TABLE["pow"]
_IDENTITY = TABLE["identity"]
_NOT_DIFFERENTIATED = ("detach",)


#: Picks the operands of an instruction from the numbers that a template knows so far.
Pick: TypeAlias = Callable[[Sequence[int]], tuple[int, ...]]


class Template(NamedTuple):
    """The instructions that a primitive's rules write, ready to be put into a builder.

    They know numbers by places: 0 is z, then come the operands, the cotangent, the constants, and what each wrote.
    """

    #: The builder's slots of the constants.
    constants: list[int]
    #: Per instruction: its primitive, the builder's instructions of that primitive, and its operands.
    steps: list[tuple[Primitive, dict[tuple[int, ...], int], Pick]]
    #: The wanted arguments whose partials are not 0, and the places of cotangent times partial.
    products: list[tuple[int, int]]


class Differentiator:
    """Writes adjoints into a builder; templates are kept for its lifetime.

    Args:
        tracks_inputs: find out when something flows to the program's inputs, in ``reaching``.
    """

    def __init__(self, builder: Builder, *, tracks_inputs: bool = False) -> None:
        self.builder = builder
        self._tracks_inputs = tracks_inputs
        #: An input that something flows to under a condition → the builder's slot of it; ``None``: always.
        self.reaching: dict[int, int | None] = {}
        self._templates: dict[tuple[Any, ...], Template] = {}
        #: The cotangents of what comes out of each recorded loop: its slot → which part → the builder's slot, and that
        #: of the condition under which something flows, if there is one besides the loop's own.
        self._parts: dict[int, dict[int, tuple[int, int | None]]] = {}

    def cotangents(
        self,
        program: Program,
        places: Sequence[int],
        order: Sequence[int],
        seeds: Mapping[int, int],
        wanted: Iterable[int],
        *,
        lanes: Mapping[int, int] | None = None,
    ) -> list[int | Product | None]:
        """The builder's slot of the cotangent of every slot of a program, ``None`` where nothing flows.

        That of an input which one long ``dot`` alone uses, a weight, is left as a product.

        Args:
            places: the builder's slot of each of the program's slots.
            order: the program's instructions, as slots, parents first: they are visited from the last.
            seeds: the program's slots whose cotangents are given → builder's slots.
            wanted: the slots whose cotangents are asked for.
            lanes: a seed's slot of the program → the builder's slot of the condition under which it is given, where
                that is not always. What it does not reach is kept out, as a branch not taken is.
        """
        wanted = list(wanted)
        depends = _depending_on(program, wanted)
        through: dict[int, dict[int, int | None]] = {}
        live = self._live(program, places, order, seeds, depends, wanted, lanes or {}, through)
        found: list[Any] = [None] * len(places)
        for slot, seed in seeds.items():
            found[slot] = seed
        has_choices = bool(lanes) or _WHERE in program.primitives
        used_once = self._weights(program, wanted)
        self._parts = {}
        emit, first, primitives = self.builder.emit, program.first_instruction, program.primitives
        opcodes, starts, flat = program.opcodes.tolist(), program.starts.tolist(), program.operands.tolist()
        for slot in reversed(order):
            cotangent = found[slot]
            if cotangent is None or not depends[slot]:
                continue
            i = slot - first
            primitive = primitives[opcodes[i]]
            operands = flat[starts[i] : starts[i + 1]]
            skip = 0
            if used_once and primitive is _DOT and len(operands) >= 2 * LONG_DOT and live[slot] is None:
                n = len(operands) // 2
                if used_once.issuperset(operands[:n]):  # the weights' own row: no instruction for each is made here
                    for weight, x in zip(operands[:n], operands[n : 2 * n], strict=True):
                        found[weight] = (cotangent, places[x])
                    skip = n
            if isinstance(primitive.forward, Body):
                products, through[slot] = self._through_loop(slot, operands, places, depends, first)
                has_choices = True  # what feeds the loop is live where the loop says
                live = self._live(program, places, order, seeds, depends, wanted, lanes or {}, through)
            else:
                products = self._products(primitive, slot, operands, places, cotangent, depends, skip)
            for argument, product in products:
                operand = operands[argument]
                kept_out = None
                if has_choices:
                    here = live[slot]
                    if primitive is _WHERE:
                        here = self._both(here, self._taken(places[operands[0]], argument))
                    if here is not None and here != live[operand]:
                        kept_out = here
                        product = emit(_WHERE, (here, product, self.builder.constant(-0.0)))
                if primitive is PART:
                    self._parts.setdefault(operand, {})[loops.which(program, operands)] = product, kept_out
                    found[operand] = product
                    continue
                so_far = found[operand]
                found[operand] = product if so_far is None else emit(_ADD, (so_far, product))
        return found

    def _weights(self, program: Program, wanted: Iterable[int]) -> set[int]:
        """The inputs whose derivatives are wanted and which one instruction alone uses, once."""
        if not self.builder.long_dots or _DOT not in program.primitives:
            return set()
        operands = np.array(program.operands, np.intp)
        used_once = np.bincount(operands[operands >= 0], minlength=program.inputs) == 1
        inputs = np.array([slot for slot in wanted if slot < program.inputs], np.intp)
        return set(inputs[used_once[inputs]].tolist())

    def _products(
        self,
        primitive: Primitive,
        slot: int,
        operands: Sequence[int],
        places: Sequence[int],
        cotangent: int,
        depends: bytearray,
        skip: int,
    ) -> list[tuple[int, int]]:
        """Argument and cotangent times partial, for each argument that something flows to."""
        if callable(primitive.partials):
            arguments = [i for i, o in enumerate(operands) if i >= skip and depends[o]]
            if not arguments:
                return []
            return self._of_any_number(primitive, slot, operands, places, cotangent, arguments)
        if primitive is _WHERE:  # what flows is chosen by where the branch is live
            return [(i, cotangent) for i in (1, 2) if operands[i] >= 0 and depends[operands[i]]]
        if primitive is _IDENTITY or primitive is PART:
            return [(0, cotangent)] if depends[operands[0]] else []
        constants = self.builder.constants
        exponent = places[operands[1]] if primitive is _POW and places[operands[1]] in constants else None
        key = (primitive, exponent, *map(depends.__getitem__, operands))
        template = self._templates.get(key)
        if template is None:
            arguments = [i for i, o in enumerate(operands) if depends[o] and primitive.partials[i] is not None]
            known_exponent = None if exponent is None else constants[exponent]
            template = self._templates[key] = _template(self.builder, primitive, arguments, known_exponent)
        numbers = [places[slot], *map(places.__getitem__, operands), cotangent, *template.constants]
        first_of = self.builder.first_of
        for row, known, pick in template.steps:
            chosen = pick(numbers)
            number = known.get(chosen)
            numbers.append(first_of(row, chosen, known) if number is None else number)
        return [(argument, numbers[place]) for argument, place in template.products]

    def _through_loop(
        self, slot: int, operands: Sequence[int], places: Sequence[int], depends: bytearray, first: int
    ) -> tuple[list[tuple[int, int]], dict[int, int | None]]:
        """Argument and cotangent for each argument of a loop that something flows to, and the conditions under which it
        does."""
        arguments = [i for i, o in enumerate(operands) if depends[o]]
        asked = {i for i in arguments if operands[i] >= first}
        found = loop_adjoint.pulled_back(self.builder, _cotangents, places[slot], self._parts[slot], arguments, asked)
        return [(i, product) for i, product, _ in found], {i: condition for i, _, condition in found}

    def _of_any_number(
        self,
        primitive: Primitive,
        slot: int,
        operands: Sequence[int],
        places: Sequence[int],
        cotangent: int,
        arguments: Sequence[int],
    ) -> list[tuple[int, int]]:
        builder = self.builder
        if primitive is _DOT:  # as its rule has it, without a pair of objects for each of perhaps a thousand operands
            n = len(operands) // 2
            partners = [places[o] for o in (*operands[n : 2 * n], *operands[:n])]
            return [(i, builder.emit(_MUL, (cotangent, partners[i])) if i < 2 * n else cotangent) for i in arguments]
        assert callable(primitive.partials)
        xs = [builder.slot(places[o]) for o in operands]
        every = primitive.partials(builder.m, builder.slot(places[slot]), xs)
        c = builder.slot(cotangent)
        return [(i, product.index) for i in arguments if (product := _product(c, every[i])) is not None]

    def _live(
        self,
        program: Program,
        places: Sequence[int],
        order: Sequence[int],
        seeds: Mapping[int, int],
        depends: bytearray,
        wanted: Iterable[int],
        lanes: Mapping[int, int],
        through: Mapping[int, Mapping[int, int | None]],
    ) -> list[int | None]:
        """Per slot, the builder's slot of the condition under which its cotangent is used; ``None``: always.

        What is wanted is used always: where nothing flowed, it is zero.

        Args:
            through: the slot of a loop → the arguments of it that something flows to → the condition under which it
                does; ``None``: always. Of a loop that is not there nothing is known yet.
        """
        live: list[int | None] = [None] * len(places)
        first, starts = program.first_instruction, program.starts
        if _WHERE not in program.primitives and not lanes and not through:
            return live
        self.reaching = {slot: lanes.get(slot) for slot in seeds if slot < first}
        reached = bytearray(len(places))
        always = bytearray(len(places))
        for slot in seeds:
            reached[slot], always[slot] = 1, slot not in lanes
            live[slot] = lanes.get(slot) if slot >= first else None
        for slot in wanted:
            always[slot] = 1
        for slot in reversed(order):
            if not reached[slot]:
                continue
            i = slot - first
            primitive = program.primitives[program.opcodes[i]]
            operands: Sequence[int] = program.operands[starts[i] : starts[i + 1]]
            is_loop = isinstance(primitive.forward, Body)
            if callable(primitive.partials) and not self._tracks_inputs and not is_loop:
                operands = [o for o in operands if o >= first]
            for argument, operand in enumerate(operands):
                if operand < 0 or not depends[operand] or (operand < first and not self._tracks_inputs):
                    continue  # nothing flows to it, or it is wanted
                if slot in through and argument not in through[slot]:
                    continue
                if not callable(primitive.partials) and primitive.partials[argument] is None:
                    continue
                if always[operand] and operand >= first:
                    reached[operand] = 1
                    continue
                here = live[slot]
                if primitive is _WHERE:
                    here = self._both(here, self._taken(places[operands[0]], argument))
                if slot in through:
                    here = self._both(here, through[slot][argument])
                if operand < first:
                    known = self.reaching
                    known[operand] = self._either(known[operand], here) if operand in known else here
                    continue
                if here is None:
                    always[operand], live[operand] = 1, None
                elif not reached[operand]:
                    live[operand] = here
                else:
                    live[operand] = self._either(live[operand], here)
                reached[operand] = 1
        return live

    def _taken(self, condition: int, argument: int) -> int | None:
        """The condition under which ``where`` takes an argument; ``None``: always."""
        taken = self.builder.slot(condition)
        if argument == 2:
            taken = 1 - taken
        known = self.builder.constants.get(taken.index)
        return None if known == 1.0 else taken.index

    def _both(self, x: int | None, y: int | None) -> int | None:
        if x is None or y is None:
            return y if x is None else x
        return self.builder.emit(TABLE["minimum"], (x, y))

    def _either(self, x: int | None, y: int | None) -> int | None:
        if x is None or y is None or self._is_other(x, y):
            return None
        primitives, operands = self.builder.primitives, self.builder.operands
        if primitives[x] is primitives[y] is TABLE["minimum"]:
            (before, taken), (as_before, other) = operands[x], operands[y]
            if before == as_before and self._is_other(taken, other):  # both branches of one choice
                return before
        return self.builder.emit(TABLE["maximum"], (x, y))

    def _is_other(self, x: int, y: int) -> bool:
        """Whether one of two conditions is 1 minus the other."""
        primitives, operands, one = self.builder.primitives, self.builder.operands, self.builder.constant(1.0)
        return any(primitives[b] is TABLE["sub"] and operands[b] == (one, a) for a, b in ((x, y), (y, x)))


def _cotangents(
    builder: Builder, *arguments: Any, lanes: Mapping[int, int]
) -> tuple[list[int | Product | None], dict[int, int | None]]:
    """The cotangents of a program in a builder of its own, the step of a loop, and when they reach its inputs."""
    differentiator = Differentiator(builder, tracks_inputs=True)
    return differentiator.cotangents(*arguments, lanes=lanes), differentiator.reaching


def _template(into: Builder, primitive: Primitive, arguments: Sequence[int], exponent: float | None) -> Template:
    """What the rules of some arguments write, for a builder; an exponent that is known is no operand to them."""
    rules = primitive.partials
    assert not callable(rules)
    builder = Builder(len(rules) + 2)
    z, *xs, cotangent = [builder.slot(i) for i in range(builder.inputs)]
    if exponent is not None:
        xs[1] = builder.number(exponent)
    products = []
    for argument in arguments:
        rule = rules[argument]
        assert rule is not None
        partial = rule(builder.m, z, *xs)
        for limit in primitive.limits:
            if limit.argument == argument and not _holds_by_itself(primitive, argument, limit):
                partial = builder.m.where(limit.at(*xs), limit.value, partial)
        product = _product(cotangent, partial)
        if product is not None:
            products.append((argument, product.index))
    # Constants come before all instructions.
    place = dict(zip([*range(builder.inputs), *builder.constants], range(len(builder.primitives)), strict=False))
    steps = []
    for index, (row, operands) in enumerate(zip(builder.primitives, builder.operands, strict=True)):
        if row is not None:
            steps.append((row, into.known[row], _pick([place[o] for o in operands])))
            place[index] = len(place)
    return Template(
        list(map(into.constant, builder.constants.values())),
        steps,
        [(argument, place[index]) for argument, index in products],
    )


def _pick(places: Sequence[int]) -> Pick:
    """What picks these places; of a single one too it makes a tuple."""
    if len(places) > 1:
        return itemgetter(*places)
    place = places[0]
    return lambda numbers: (numbers[place],)


def _product(cotangent: Slot, partial: Any) -> Slot | None:
    if not isinstance(partial, Slot) and partial == 0:
        return None
    product: Slot = cotangent * partial  # a literal 1 or -1 is folded
    return product


#: Where limits are: end points and kinks of the table's rows. A limit that IEEE arithmetic yields at all of these by
#: itself (1 / 0 is infinite) needs no choice of its own.
_CANDIDATES = (0.0, -0.0, 1.0, -1.0, 0.25, -0.25, 2.0, -2.0)


def _holds_by_itself(primitive: Primitive, argument: int, limit: Any) -> bool:
    """Whether the rule, run in IEEE arithmetic, has the limit's value wherever the limit applies."""
    if primitive.forward is not None or callable(primitive.partials):
        return False
    import itertools

    rule = primitive.partials[argument]
    assert rule is not None
    for operands in itertools.product(_CANDIDATES, repeat=primitive.arity):
        if limit.at(*operands):
            builder = Builder(0)
            numbers = [builder.number(x) for x in operands]
            try:
                z = builder.number(getattr(floats, primitive.name)(*operands))
            except (ValueError, ArithmeticError):
                return False
            partial = builder.number(rule(builder.m, z, *numbers)).index
            if builder.constants.get(partial, _ieee(builder, partial)) != limit.value:
                return False
    return True


def _ieee(builder: Builder, index: int) -> float | None:
    """What an expression over constants is that floats refuse to compute: a division by zero, or unknown."""
    primitive = builder.primitives[index]
    if primitive is None:
        return builder.constants[index]
    operands = [_ieee(builder, o) for o in builder.operands[index]]
    if primitive.name == "div" and operands[0] and operands[1] == 0.0:
        return float("inf") if (operands[0] > 0) == (str(operands[1])[0] != "-") else float("-inf")
    return None


def _depending_on(program: Program, slots: Iterable[int]) -> bytearray:
    """1 for each slot whose number depends, through something that has a derivative, on one of these slots."""
    depends = bytearray(program.first_instruction + len(program))
    for slot in slots:
        depends[slot] = 1
    starts, operands = program.starts.tolist(), program.operands.tolist()
    passes = [primitive.name not in _NOT_DIFFERENTIATED for primitive in program.primitives]
    for slot, opcode, start, end in zip(
        range(program.first_instruction, len(depends)), program.opcodes, starts, starts[1:], strict=False
    ):
        if passes[opcode]:
            for o in operands[start:end]:
                if o >= 0 and depends[o]:
                    depends[slot] = 1
                    break
    return depends
