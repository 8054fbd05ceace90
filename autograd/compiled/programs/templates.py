"""What the rules of a primitive write into a program, found out once and put in for each of its instructions.

The rules run over the slots of a small builder of their own; what they write there is copied, with an instruction's own
slots in the places of its operands, so that the adjoint of 100,000 operations takes less than a second.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

from autograd.compiled.programs.building import Builder, Slot
from autograd.compiled.programs.folding import value_of
from autograd.primitives import Primitive

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


def template_of(into: Builder, primitive: Primitive, arguments: Sequence[int], exponent: float | None) -> Template:
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
        product = product_of(cotangent, partial)
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


def product_of(cotangent: Slot, partial: Any) -> Slot | None:
    """Cotangent times partial; ``None`` where the partial is a literal zero."""
    if not isinstance(partial, Slot) and partial == 0:
        return None
    product: Slot = cotangent * partial  # a literal 1 or -1 is folded
    return product


#: Where limits are: end points and kinks of the table's rows. A limit that IEEE arithmetic yields at all of these by
#: itself (1 / 0 is infinite) needs no choice of its own.
_CANDIDATES = (0.0, -0.0, 1.0, -1.0, 0.25, -0.25, 2.0, -2.0)


def _holds_by_itself(primitive: Primitive, argument: int, limit: Any) -> bool:
    """Whether the rule, run in IEEE arithmetic, has the limit's value wherever the limit applies."""
    if not primitive.built_in or callable(primitive.partials):
        return False
    rule = primitive.partials[argument]
    assert rule is not None
    for operands in itertools.product(_CANDIDATES, repeat=primitive.arity):
        if limit.at(*operands):
            builder = Builder(0)
            numbers = [builder.number(x) for x in operands]
            value = value_of(primitive, operands)
            if value is None:
                return False
            z = builder.number(value)
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
