"""The partials of a primitive as instructions, written once and copied to each place where the primitive is used.

The rules of the table run over the slots of a small builder of their own; what they write there is made a function of
an instruction's own slots, without a loop or a look-up, so that the adjoint of 100,000 operations takes less than a
quarter of a second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

from autograd.compiled.programs.building import Builder, Slot
from autograd.lanes import with_choices
from autograd.primitives import Primitive
from autograd.rules import is_nothing

#: From the builder's slots of z, the operands and the cotangent to pairs: an argument whose partial is not 0, and the
#: slot of cotangent times partial.
Template: TypeAlias = Callable[..., tuple[tuple[int, int], ...]]


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
    named = [f"n{index}" for index in range(builder.inputs)]
    written: dict[str, Any] = {}
    lines = [f"def write({', '.join(named)}):"]
    for index, (row, operands) in enumerate(zip(builder.primitives, builder.operands, strict=True)):
        if row is not None:
            written[f"emit{index}"] = into.emitter(row)
            lines.append(f" n{index} = emit{index}(({''.join(f'n{o}, ' for o in operands)}))")
    written |= {f"n{index}": into.constant(number) for index, number in builder.constants.items()}
    lines.append(f" return ({''.join(f'({argument}, n{index}), ' for argument, index in products)})")
    exec(_code("\n".join(lines)), written)
    return written["write"]  # type: ignore[no-any-return]


@lru_cache(1000)
def _code(text: str) -> Any:
    return compile(text, "<partials of a primitive>", "exec")


def product_of(cotangent: Slot, partial: Any) -> Slot | None:
    """Cotangent times partial; ``None`` where the partial is a literal zero."""
    if is_nothing(partial):
        return None
    product: Slot = cotangent * partial  # a literal 1 or -1 is folded
    return product
