"""LLVM instructions: a rule run in this number system writes machine-independent code for a few samples at once.

Numbers are vectors of ``width`` lanes, text of LLVM's intermediate representation; nothing here is executed.
Arithmetic is strict IEEE: no instruction carries a fast-math flag, unless contraction is asked for, and a fused
multiply-add is written where a kernel wants one. The functions that a processor does not have are kernels written in
the same instructions (``kernels``).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from types import SimpleNamespace
from typing import Any

from autograd.number_systems.arithmetic import Arithmetic
from autograd.primitives import TABLE

NAME = "llvm"
LANES = True
LACKS: dict[str, str] = {
    "sum": "programs write a sum as additions, left to right",
    "prod": "programs write a product as multiplications, left to right",
    "mean": "programs write a mean as additions and a division",
    "logsumexp": "programs write it with maximum, exp, additions and log1p",
}

_OPERATIONS = {"add": "fadd", "sub": "fsub", "mul": "fmul", "div": "fdiv"}
_COMPARISONS = {"less": "olt", "less_equal": "ole", "greater": "ogt", "greater_equal": "oge"}
_INTRINSICS = {"sqrt": "sqrt", "abs": "fabs", "floor": "floor", "ceil": "ceil"}


class Register(Arithmetic):
    """A number, or a truth, that a line of the code computes; or a literal."""

    __slots__ = ("emitter", "text", "truth")

    def __init__(self, emitter: Emitter, text: str, truth: bool = False) -> None:
        self.emitter = emitter
        self.text = text
        self.truth = truth

    def _apply(self, name: str, *operands: Any) -> Any:
        return self.emitter.apply(name, *operands)

    def __and__(self, other: Any) -> Any:
        return self.emitter.both(self, other)

    def __or__(self, other: Any) -> Any:
        return self.emitter.either(self, other)

    def __invert__(self) -> Any:
        return self.emitter.negated(self)

    __hash__ = object.__hash__


class Emitter:
    """Collects the lines of one function; ``m`` is the number system that rules and kernels see.

    Args:
        width: lanes of a vector; 1 writes scalars.
        kernel: what writes a primitive that is not one instruction: ``(emitter, name, operands) -> Register``.
        contract: let a product and a sum be rounded once together.
    """

    def __init__(
        self,
        width: int,
        kernel: Callable[[Emitter, str, list[Register]], Register] | None = None,
        *,
        contract: bool = False,
    ) -> None:
        self.width = width
        self._flags = " contract" if contract else ""
        self.kernel = kernel
        self.lines: list[str] = []
        self.declarations: set[str] = set()
        #: Functions that the lines call: name → text.
        self.functions: dict[str, str] = {}
        #: What local names begin with, where these lines become part of another function.
        self.prefix = "%t"
        self._names = 0
        self.number_type = "double" if width == 1 else f"<{width} x double>"
        self.truth_type = "i1" if width == 1 else f"<{width} x i1>"
        self.bits_type = "i64" if width == 1 else f"<{width} x i64>"
        self.suffix = "f64" if width == 1 else f"v{width}f64"
        functions: dict[str, Any] = {name: self._function(name) for name in TABLE if name not in LACKS}
        functions.update(
            dot=lambda xs: self.apply("dot", *xs),
            where=self.where,
            number=self.number,
            pi=math.pi,
            LANES=True,
            NAME=NAME,
        )
        self.m: Any = SimpleNamespace(**functions)

    def _function(self, name: str) -> Callable[..., Any]:
        return lambda *operands: self.apply(name, *operands)

    def name(self) -> str:
        """A new local name."""
        self._names += 1
        return f"{self.prefix}{self._names}"

    def line(self, text: str, truth: bool = False) -> Register:
        """A line that computes a number or a truth."""
        name = self.name()
        self.lines.append(f"{name} = {text}")
        return Register(self, name, truth)

    def splat(self, element: str, kind: str) -> str:
        """A literal in all lanes."""
        return element if self.width == 1 else f"<{', '.join([f'{kind} {element}'] * self.width)}>"

    def number(self, x: Any) -> Register:
        """A literal as a number of this system, exact to the bit."""
        if isinstance(x, Register):
            return self.as_number(x)
        return Register(self, self.splat(literal(float(x)), "double"))

    def as_number(self, x: Any) -> Register:
        """A number; a truth becomes 1.0 or 0.0."""
        if not isinstance(x, Register):
            return self.number(x)
        return self.where(x, 1.0, 0.0) if x.truth else x

    def as_truth(self, x: Any) -> Register:
        """A truth; of a number, whether it is not zero."""
        if not isinstance(x, Register):
            return Register(self, self.splat("true" if x else "false", "i1"), truth=True)
        if x.truth:
            return x
        return self.line(f"fcmp une {self.number_type} {x.text}, {self.splat(literal(0.0), 'double')}", truth=True)

    def apply(self, name: str, *operands: Any) -> Register:
        """The result of a primitive of the table."""
        if name == "where":
            return self.where(*operands)
        if name in ("minimum", "maximum") and all(isinstance(o, Register) and o.truth for o in operands):
            return (self.both if name == "minimum" else self.either)(*operands)
        numbers = [self.as_number(o) for o in operands]
        kind, texts = self.number_type, [o.text for o in numbers]
        if name in _OPERATIONS:
            return self.line(f"{_OPERATIONS[name]}{self._flags} {kind} {texts[0]}, {texts[1]}")
        if name in _COMPARISONS:
            return self.line(f"fcmp {_COMPARISONS[name]} {kind} {texts[0]}, {texts[1]}", truth=True)
        if name == "neg":
            return self.line(f"fneg {kind} {texts[0]}")
        if name in _INTRINSICS:
            return self.intrinsic(_INTRINSICS[name], *numbers)
        simple = getattr(self, f"_{name}", None)
        if simple is not None:
            return simple(*numbers)  # type: ignore[no-any-return]
        if self.kernel is None:
            raise NotImplementedError(f"{name} has no kernel")
        return self.kernel(self, name, numbers)

    def intrinsic(self, name: str, *operands: Any) -> Register:
        """A call of LLVM's own function of that name."""
        numbers = [self.as_number(o) for o in operands]
        kind = self.number_type
        self.declarations.add(f"declare {kind} @llvm.{name}.{self.suffix}({', '.join([kind] * len(numbers))})")
        return self.line(f"call {kind} @llvm.{name}.{self.suffix}({', '.join(f'{kind} {o.text}' for o in numbers)})")

    def fma(self, x: Any, y: Any, z: Any) -> Register:
        """x·y + z, rounded once."""
        return self.intrinsic("fma", x, y, z)

    def where(self, condition: Any, x: Any, y: Any) -> Register:
        """The choice, lane by lane; both branches are computed."""
        truth = self.as_truth(condition)
        chosen = [self.as_number(branch() if callable(branch) else branch) for branch in (x, y)]
        kind = self.number_type
        return self.line(f"select {self.truth_type} {truth.text}, {kind} {chosen[0].text}, {kind} {chosen[1].text}")

    def both(self, x: Any, y: Any) -> Register:
        """Whether both hold."""
        return self.line(f"and {self.truth_type} {self.as_truth(x).text}, {self.as_truth(y).text}", truth=True)

    def either(self, x: Any, y: Any) -> Register:
        """Whether one of them holds."""
        return self.line(f"or {self.truth_type} {self.as_truth(x).text}, {self.as_truth(y).text}", truth=True)

    def negated(self, x: Any) -> Register:
        """Whether it does not hold."""
        return self.line(f"xor {self.truth_type} {self.as_truth(x).text}, {self.splat('true', 'i1')}", truth=True)

    def is_nan(self, x: Any) -> Register:
        """Whether a number is nan."""
        return self.line(f"fcmp uno {self.number_type} {x.text}, {x.text}", truth=True)

    # What the processor does in an instruction or a few.

    def _identity(self, x: Register) -> Register:
        return x

    _detach = _identity

    def _maximum(self, x: Register, y: Register) -> Register:
        return self.where(self.apply("greater", x, y) | self.is_nan(x), x, y)

    def _minimum(self, x: Register, y: Register) -> Register:
        return self.where(self.apply("less", x, y) | self.is_nan(x), x, y)

    def _mod(self, x: Register, y: Register) -> Register:
        """C's remainder, which is exact and has the sign of x, turned to the sign of y."""
        rest, turned = self._remainder(x, y)
        zero = self.intrinsic("copysign", 0.0, y)
        return self.where(self.apply("less_equal", abs(rest), 0.0), zero, self.where(turned, rest + y, rest))

    def _floor_divide(self, x: Register, y: Register) -> Register:
        """What is left without the remainder is a whole number of divisors, but for its rounding."""
        rest, turned = self._remainder(x, y)
        quotient = (x - rest) / y - self.as_number(turned)
        whole = self.apply("floor", quotient)
        whole = self.where(quotient - whole > 0.5, whole + 1.0, whole)
        whole = self.where(self.apply("less_equal", abs(quotient), 0.0), 0.0 * (x / y), whole)
        return self.where(self.apply("less_equal", abs(y), 0.0), x / y, whole)

    def _remainder(self, x: Register, y: Register) -> tuple[Register, Register]:
        """C's remainder, and whether it has not the sign of y."""
        rest = self.line(f"frem {self.number_type} {x.text}, {y.text}")
        below, above = self.apply("less", rest, 0.0), self.apply("greater", rest, 0.0)
        return rest, (below & self.apply("greater", y, 0.0)) | (above & self.apply("less", y, 0.0))

    def _dot(self, *xs: Register) -> Register:
        n = len(xs) // 2
        total = xs[-1] if len(xs) % 2 else None
        for x, y in zip(xs[:n], xs[n : 2 * n], strict=True):
            product = self.apply("mul", x, y)
            total = product if total is None else self.apply("add", total, product)
        return self.number(0.0) if total is None else total

    def _sign(self, x: Register) -> Register:
        signed = self.where(self.apply("greater", x, 0.0), 1.0, self.where(self.apply("less", x, 0.0), -1.0, 0.0))
        return self.where(self.is_nan(x), x, signed)


#: What is written in place, without a call.
INSTRUCTIONS = frozenset(
    [*_OPERATIONS, *_COMPARISONS, *_INTRINSICS, "neg", "where"] + [row for row in TABLE if hasattr(Emitter, f"_{row}")]
)


def computing(digits: int | None = None) -> AbstractContextManager[Any]:
    """A context to compute in; text needs none."""
    return nullcontext()


def literal(x: float) -> str:
    """A double, by its bits."""
    return f"0x{struct.unpack('<Q', struct.pack('<d', x))[0]:016X}"
