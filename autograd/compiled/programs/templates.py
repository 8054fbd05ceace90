"""The partials of a primitive as instructions, written once and copied to each place where the primitive is used.

The rules of the table run over the slots of a small builder of their own; what they write there is copied, with an
instruction's own slots in the places of its operands, so that the adjoint of 100,000 operations takes less than a
second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

from autograd.compiled.programs.building import Builder, Slot
from autograd.lanes import with_choices
from autograd.primitives import Primitive
from autograd.rules import is_nothing

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


def template_of(
    into: Builder, primitive: Primitive, arguments: Sequence[int], exponent: float | None, *, careful: bool
) -> Template:
    """What the rules of some arguments write, for a builder; an exponent that is known is no operand to them.

    Args:
        careful: whether derivatives are nan outside of domains, whatever formulas are there.
    """
    rules = primitive.partials
    assert not callable(rules)
    builder = Builder(len(rules) + 2, to_differentiate=into.to_differentiate)
    z, *xs, cotangent = [builder.slot(i) for i in range(builder.inputs)]
    if exponent is not None:
        xs[1] = builder.number(exponent)
    products = []
    for argument in arguments:
        rule = rules[argument]
        assert rule is not None
        partial = rule(builder.m, z, *xs)
        if not is_nothing(partial):
            partial = with_choices(builder.m, primitive, argument, partial, xs, outside=careful)
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
    if is_nothing(partial):
        return None
    product: Slot = cotangent * partial  # a literal 1 or -1 is folded
    return product
