"""What a pickle of ours receives is looked at before it is used: it may be damaged, or forged.

Pickle itself runs what a pickle names; that is not ours.
"""

from __future__ import annotations

from itertools import chain, repeat
from operator import lt, sub
from typing import Any

from autograd.primitives import Primitive


def damaged(what: str, fault: str) -> ValueError:
    """What to raise for something in a pickle that cannot be right."""
    return ValueError(f"a {what} in this pickle is damaged: {fault[:200]}")


def unpickled_program(kind: Any, parts: Any) -> Any:
    """A program of these parts, made by its class; what runs programs trusts their slots, so they are looked at here.

    Raises:
        ValueError: they are damaged, or never were a program's.
    """
    try:
        program = kind(**parts)
        fault = _fault(program)
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        raise damaged("program", str(error)) from error
    if fault:
        raise damaged("program", fault)
    return program


def _fault(program: Any) -> str:
    """What is wrong with a program, if anything is."""
    starts, operands, first = program.starts, program.operands, program.first_instruction
    codes = [(name, getattr(program, name).typecode) for name in ("opcodes", "starts", "operands", "constants")]
    if "".join(code for _, code in codes) != "HIid" or type(program.primitives) is not tuple:
        return f"its arrays are {codes}"
    if type(program.inputs) is not int or program.inputs < 0 or len(starts) != len(program) + 1:
        return f"{program.inputs!r} inputs, {len(program)} instructions and {len(starts)} places of operands"
    counts = [*map(sub, starts[1:], starts)]
    if starts[0] or starts[-1] != len(operands) or min(counts, default=0) < 0:
        return "places of operands that are not in order"
    for opcode, count in {*zip(program.opcodes, counts, strict=True)}:
        row = program.primitives[opcode]
        if not isinstance(row, Primitive) or (count < 1 if row.n_ary else count != row.arity):
            return f"{count} operands of {row!r}"
    below = chain.from_iterable(map(repeat, range(first, first + len(program)), counts))
    if min(operands, default=0) < -1 or not all(map(lt, operands, below)):
        return "an operand that does not come before what it is for"
    if type(program.outputs) is not tuple or not all(0 <= o < first + len(program) for o in program.outputs):
        return "an output that there is not"
    return ""
