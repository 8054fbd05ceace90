"""Functions that processors do not have, written in LLVM instructions: exp, log, tanh and the rest, lane by lane.

Each becomes one internal function of the module that calls it, so that its code is there once. Results are within
2 units in the last place over the whole range (of ``sech2``, a product, 4), the same in every lane and for every width;
edges are IEEE's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

from autograd.number_systems.formulas import formula_of, used_by
from autograd.number_systems.llvm import error_functions as error_functions
from autograd.number_systems.llvm import exponentials as exponentials
from autograd.number_systems.llvm import powers as powers
from autograd.number_systems.llvm import trigonometry as trigonometry
from autograd.number_systems.llvm.emitter import INSTRUCTIONS, Emitter, Register
from autograd.number_systems.llvm.exponentials import exponential, logarithm_of_parts
from autograd.number_systems.llvm.pairs import Pair, at_least, at_most, choose, full_product, single
from autograd.primitives import TABLE


def call(emitter: Emitter, name: str, operands: list[Register]) -> Register:
    """A call of the kernel of that name; its function is written when it is first called.

    A primitive that has no kernel is its formula over the kernels that there are.
    """
    if name in _in_place():
        return emitter.as_number(_computed(emitter, name, *operands))
    kind, function = emitter.number_type, f"@{name}.{emitter.suffix}"
    if function not in emitter.functions:
        body = _body_of(emitter, name, function, emitter.width)
        result = body.as_number(_computed(body, name, *[Register(body, f"%x{i}") for i in range(len(operands))]))
        _write(body, function, [kind] * len(operands), kind, result.text)
    return _call(emitter, kind, function, operands)


def call_together(
    emitter: Emitter, names: Sequence[str], numbers: Sequence[Register], second: str = ""
) -> list[Register]:
    """The results of a kernel of one operand for two to some power of numbers, computed side by side in one call.

    They are joined inside of the function: LLVM would compute what is joined outside in wide vectors too, with many
    shuffles.

    Args:
        names: the kernel, or twins.
        second: the pointer to where the results of the second twin go, one vector after the other.
    """
    kind, width, count = emitter.number_type, emitter.width, len(numbers)
    if count == len(names) == 1:
        return [call(emitter, names[0], list(numbers))]
    function, several = f"@{'.'.join(names)}.{count}x{emitter.suffix}", f"{{ {', '.join([kind] * count)} }}"
    if function not in emitter.functions:
        body = _body_of(emitter, names[0], function, count * width)
        parts = [f"%x{i}" for i in range(count)]
        for size in (width << k for k in range(count.bit_length() - 1)):
            half, joined = f"<{size} x double>", zip(parts[::2], parts[1::2], strict=True)
            parts = [body.line(f"shufflevector {half} {x}, {half} {y}, {_lanes(0, 2 * size)}").text for x, y in joined]
        operand, wide, result = Register(body, parts[0]), body.number_type, "poison"
        computed = (
            TWINS[names[0], names[1]].kernel(body, operand) if len(names) > 1 else [_computed(body, names[0], operand)]
        )
        first, *others = [body.as_number(whole).text for whole in computed]
        for i in range(count):
            part = body.line(f"shufflevector {wide} {first}, {wide} poison, {_lanes(i * width, width)}").text
            result = body.line(f"insertvalue {several} {result}, {kind} {part}, {i}").text
        body.lines += [f"store {wide} {other}, ptr %x{count}, align {8 * width}" for other in others]
        _write(body, function, [kind] * count + ["ptr"] * len(others), several, result)
    given = ", ".join([*(f"{kind} {number.text}" for number in numbers), *([f"ptr {second}"] if second else [])])
    found = emitter.line(f"call {several} {function}({given})").text
    return [emitter.line(f"extractvalue {several} {found}, {i}") for i in range(count)]


def _body_of(emitter: Emitter, name: str, function: str, width: int) -> Emitter:
    """What collects the lines of a kernel's function."""
    if name not in KERNELS and (TABLE[name].formula is None or TABLE[name].n_ary):
        raise NotImplementedError(f"{name} has no kernel")
    emitter.functions[function] = ""  # its place, before those that it calls
    body = Emitter(width, call)
    body.functions, body.declarations = emitter.functions, emitter.declarations
    return body


def _computed(emitter: Emitter, name: str, *operands: Register) -> Any:
    """The lines of a primitive."""
    if name in KERNELS:
        return KERNELS[name](emitter, *operands)
    return formula_of(TABLE[name], rounded=True)(emitter.m, *operands)


@cache
def _in_place() -> frozenset[str]:
    """The primitives without a kernel whose formulas are instructions alone: a call would take longer."""
    rows = [row for name, row in TABLE.items() if name not in KERNELS and row.formula is not None and not row.n_ary]
    return frozenset([row.name for row in rows if INSTRUCTIONS.issuperset(used_by(row, rounded=True))])


def _write(body: Emitter, function: str, operands: Sequence[str], kind: str, result: str) -> None:
    """The text of a function, of the kinds of its operands, and its kind of result."""
    parameters = ", ".join(f"{operand} %x{i}" for i, operand in enumerate(operands))
    head = f"define internal {kind} {function}({parameters}) noinline {{"
    body.functions[function] = "\n".join([head, "entry:", *body.lines, f"ret {kind} {result}", "}"])


def _call(emitter: Emitter, kind: str, function: str, operands: Sequence[Register]) -> Register:
    given = ", ".join(f"{emitter.number_type} {o.text}" for o in operands)
    return emitter.line(f"call {kind} {function}({given})")


def _lanes(first: int, count: int) -> str:
    """The lanes that a shuffle takes."""
    return f"<{count} x i32> <{', '.join(f'i32 {lane}' for lane in range(first, first + count))}>"


def _decay(e: Emitter, x: Any) -> tuple[exponentials.Exponential, Pair, Pair]:
    """e^-|x|: as an exponential, without its power of two, and as a pair."""
    power = exponential(e, at_least(e, -abs(x), -800.0))
    fraction = power.fraction()
    return power, fraction, Pair(e, power.times_power(fraction.high), power.times_power(fraction.low))


def _sigmoid(e: Emitter, x: Any) -> Any:
    """1 / (1 + e⁻ˣ)."""
    return _sigmoids(e, x)[0]


def _sigmoids(e: Emitter, x: Any) -> tuple[Any, Any]:
    """1 / (1 + e⁻ˣ) and 1 / (1 + eˣ). The smaller is e / (1 + e), e = e^-|x|, the power of two last, so that only the
    result underflows; the larger is 1 less the smaller."""
    power, fraction, decay = _decay(e, x)
    smaller = power.times_power(fraction.divided_by(decay.added_to(1.0)))
    larger, positive = 1.0 - smaller, x >= 0.0
    return e.where(positive, larger, smaller), e.where(positive, smaller, larger)


def _silu(e: Emitter, x: Any) -> Any:
    """x·sigmoid(x), the power of two last."""
    power, fraction, decay = _decay(e, x)
    positive = x >= 0.0
    numerator = choose(positive, single(e, 1.0), fraction)
    result = numerator.divided_by(decay.added_to(1.0)) * at_least(e, x, -800.0)
    return e.where(positive, result, power.times_power(result))


def _softplus(e: Emitter, x: Any) -> Any:
    """max(x, 0) + log(1 + e^-|x|)."""
    _, _, decay = _decay(e, x)
    large = decay.high > math.sqrt(2) - 1
    # 1 + decay = 2ᵏ(1 + f)
    k, half = e.where(large, 1.0, 0.0), e.where(large, 0.5, 1.0)
    return at_least(e, x, 0.0) + logarithm_of_parts(e, k, (decay.high - k) * half, decay.low * half)


def _mish(e: Emitter, x: Any) -> Any:
    """x·tanh(log(1 + w)) = x·(w² + 2w) / (w² + 2w + 2), w = eˣ; above zero in terms of v = e⁻ˣ, divided by w²."""
    power, fraction, decay = _decay(e, x)
    positive = x >= 0.0
    # (1 + 2v) / (1 + 2v + 2v²) and w·(w + 2) / (w·(w + 2) + 2), the first w without its power of two
    above = decay.doubled().added_to(1.0)
    below = decay.added_to(2.0)
    square = decay.times(decay)
    denominator = choose(positive, above.plus_pair(square.doubled()), decay.times(below).added_to(2.0))
    numerator = choose(positive, above, fraction.times(below))
    result = numerator.divided_by(denominator) * at_least(e, x, -800.0)
    return e.where(positive, result, power.times_power(result))


def _selu(e: Emitter, x: Any, scale: Any, alpha: Any) -> Any:
    """scale·x, or scale·alpha·(eˣ - 1) below zero; the two constants are multiplied first, and exactly."""
    curve = e.apply("expm1", at_most(e, x, 0.0))
    product = full_product(e, scale, alpha)
    exact = e.fma(product.high, curve, product.low * curve)
    # Zeros, infinities and nan are those of the formula as it stands.
    ordinary = (abs(exact) > 0.0) & (abs(exact) < math.inf)
    as_it_stands = e.where(abs(alpha) < 1.0, scale * alpha * curve, scale * (alpha * curve))
    below = e.where(ordinary, exact, as_it_stands)
    return e.where(x > 0.0, scale * x, below)


def together(name: str, width: int) -> int:
    """Numbers of so many lanes that a kernel is called for at once, at most: measured, the least time a number. The
    long polynomials of the error functions need the registers for themselves."""
    return max((8 if KERNELS[name].__module__ == error_functions.__name__ else 32) // width, 1)


KERNELS: dict[str, Callable[..., Any]] = {
    "exp": exponentials.exp,
    "expm1": exponentials.expm1,
    "log": exponentials.log,
    "log1p": exponentials.log1p,
    "log2": exponentials.log2,
    "log10": exponentials.log10,
    "sinh": exponentials.sinh,
    "cosh": exponentials.cosh,
    "tanh": exponentials.tanh,
    "sech2": exponentials.sech2,
    "pow": powers.pow,
    "cbrt": powers.cbrt,
    "hypot": powers.hypot,
    "asinh": powers.asinh,
    "acosh": powers.acosh,
    "atanh": powers.atanh,
    "sin": trigonometry.sin,
    "cos": trigonometry.cos,
    "tan": trigonometry.tan,
    "asin": trigonometry.asin,
    "acos": trigonometry.acos,
    "atan": trigonometry.atan,
    "atan2": trigonometry.atan2,
    "erf": error_functions.erf,
    "erfc": error_functions.erfc,
    "gelu": error_functions.gelu,
    "sigmoid": _sigmoid,
    "silu": _silu,
    "softplus": _softplus,
    "mish": _mish,
    "selu": _selu,
}


class Twins(NamedTuple):
    """Two kernels of one operand most of whose steps are the same: that of both results, each the same to the last bit
    as that of its own kernel."""

    kernel: Callable[..., tuple[Any, Any]]
    #: The operand of the second is that of the first times this, 1 or -1.
    sign: int


TWINS: dict[tuple[str, str], Twins] = {
    ("tanh", "sech2"): Twins(exponentials.tanh_and_sech2, 1),
    ("sigmoid", "sigmoid"): Twins(_sigmoids, -1),
}
