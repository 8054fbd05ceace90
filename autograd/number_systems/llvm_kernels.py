"""Functions that processors do not have, written in LLVM instructions: exp, log, tanh and the rest, lane by lane.

Each becomes one internal function of the module that calls it, so that its code is there once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from autograd.number_systems.llvm import Emitter, Register


def call(emitter: Emitter, name: str, operands: list[Register]) -> Register:
    """A call of the kernel of that name; its function is written when it is first called."""
    function = f"@{name}.{emitter.suffix}"
    kind = emitter.number_type
    if function not in emitter.functions:
        if name not in KERNELS:
            raise NotImplementedError(f"{name} has no kernel")
        emitter.functions[function] = ""
        body = Emitter(emitter.width, call)
        body.functions, body.declarations = emitter.functions, emitter.declarations
        parameters = [f"%x{i}" for i in range(len(operands))]
        result = body.as_number(KERNELS[name](body, *[Register(body, p) for p in parameters]))
        head = f"define internal {kind} {function}({', '.join(f'{kind} {p}' for p in parameters)}) noinline {{"
        emitter.functions[function] = "\n".join([head, *body.lines, f"ret {kind} {result.text}", "}"])
    return emitter.line(f"call {kind} {function}({', '.join(f'{kind} {o.text}' for o in operands)})")


def _exp(e: Emitter, x: Any) -> Any:
    n = e.intrinsic("rint", x * 1.4426950408889634)
    r = e.fma(n, -6.93147180369123816490e-01, x)
    r = e.fma(n, -1.90821492927058770002e-10, r)
    p: Any = 1 / math.factorial(13)
    for k in range(12, -1, -1):
        p = e.fma(p, r, 1 / math.factorial(k))
    i = e.line(f"fptosi {e.number_type} {n.text} to {e.bits_type}")
    i = e.line(f"shl {e.bits_type} {i.text}, {e.splat('52', 'i64')}")
    b = e.line(f"bitcast {e.number_type} {p.text} to {e.bits_type}")
    s = e.line(f"add {e.bits_type} {b.text}, {i.text}")
    return e.line(f"bitcast {e.bits_type} {s.text} to {e.number_type}")


def _tanh(e: Emitter, x: Any) -> Any:
    a = e.apply("minimum", e.apply("abs", x), 20.0)
    t = _exp(e, a * -2)
    return e.intrinsic("copysign", (1 - t) / (1 + t), x)


KERNELS: dict[str, Callable[..., Any]] = {"exp": _exp, "tanh": _tanh}
