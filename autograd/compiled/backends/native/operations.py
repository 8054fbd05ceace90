"""What native code can compute: the primitives that are instructions or kernels, and their lines."""

from __future__ import annotations

from functools import cache

from autograd.compiled.backends.native.lines import Lines
from autograd.number_systems.llvm import kernels
from autograd.number_systems.llvm.emitter import Emitter, Register
from autograd.primitives import TABLE

#: The first of the operations that are primitives; the interpreters have some others before them.
FIRST_PRIMITIVE = 11


@cache
def operations() -> dict[str, int]:
    """Primitive → its operation, for every row of the table that the LLVM number system can write.

    A row whose result is its operand, as it stands, needs none.
    """
    known: dict[str, int] = {}
    for name, row in TABLE.items():
        if row.n_ary:
            continue
        try:
            result = _written(Emitter(1, kernels.call), name)
        except NotImplementedError:
            continue
        if result.text != "%x0":
            known[name] = FIRST_PRIMITIVE + len(known)
    return known


@cache
def twins() -> dict[tuple[str, str], int]:
    """Two primitives that one kernel computes → their operation."""
    return {names: FIRST_PRIMITIVE + len(operations()) + i for i, names in enumerate(kernels.TWINS)}


def _written(emitter: Emitter, name: str) -> Register:
    """The lines of a primitive over operands %x0, %x1, %x2."""
    operands = [Register(emitter, f"%x{i}") for i in range(arity(name))]
    return emitter.as_number(emitter.apply(name, *operands))


def arity(name: str) -> int:
    """The number of operands of a primitive."""
    return TABLE[name].arity


def body(emitter: Emitter, name: str, text: Lines, numbers: list[str]) -> str:
    """The lines of a primitive over numbers, inside of another function."""
    inner = Emitter(text.width, kernels.call)
    inner.functions, inner.declarations = emitter.functions, emitter.declarations
    inner.prefix = f"%{name}{text.number}."
    result = inner.as_number(inner.apply(name, *[Register(inner, number) for number in numbers]))
    text.number += 1
    text.add(*inner.lines)
    return result.text
