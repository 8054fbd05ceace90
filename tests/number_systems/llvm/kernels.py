"""Kernels as functions of arrays, the points where they may go wrong, and what they should give, exactly.

Two referees: mpmath for any point; and C's ``long double``, where it has 64 bits of precision or more, for millions of
points, of which mpmath judges the suspicious ones again.
"""

from __future__ import annotations

import ctypes
import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from mpmath import mp, mpf

from autograd import TABLE
from autograd.compiled.backends.native.jit import load
from autograd.number_systems import mpmath_
from autograd.number_systems.llvm import kernels
from autograd.number_systems.llvm.emitter import Emitter, Register

Array = Any

#: Bits that the referee computes with: acosh near 1 loses half of them.
BITS = 180

LARGEST, SMALLEST, NORMAL = 1.7976931348623157e308, 5e-324, 2.0**-1022


def text_of(name: str, width: int, together: int = 1) -> str:
    """A module whose ``run`` applies a primitive to vectors of ``width``: pointers in, out, and their number.

    Args:
        together: how many vectors one call computes.
    """
    emitter = Emitter(width, kernels.call)
    kind, lines, operands = emitter.number_type, [], []
    for k in range(together):
        lines.append(f"%i{k} = add i64 %i, {k}")
        for i in range(TABLE[name].arity):
            lines += [f"%at{i}.{k} = getelementptr {kind}, ptr %in{i}, i64 %i{k}",
                      f"%in{i}.v{k} = load {kind}, ptr %at{i}.{k}, align 8"]  # fmt: skip
            operands.append(Register(emitter, f"%in{i}.v{k}"))
    if together == 1:
        results = [emitter.as_number(emitter.apply(name, *operands))]
    else:
        results = kernels.call_together(emitter, [name], operands)
    stores = [f"%to{k} = getelementptr {kind}, ptr %out, i64 %i{k}\nstore {kind} {result.text}, ptr %to{k}, align 8"
              for k, result in enumerate(results)]  # fmt: skip
    parameters = ", ".join([*(f"ptr %in{i}" for i in range(TABLE[name].arity)), "ptr %out", "i64 %n"])
    return "\n".join(
        [
            *sorted(emitter.declarations),
            *emitter.functions.values(),
            f"define void @run({parameters}) {{",
            "entry:",
            "br label %loop",
            "loop:",
            "%i = phi i64 [0, %entry], [%next, %loop]",
            *lines,
            *emitter.lines,
            *stores,
            f"%next = add i64 %i, {together}",
            "%more = icmp slt i64 %next, %n",
            "br i1 %more, label %loop, label %done",
            "done:",
            "ret void",
            "}",
        ]
    )


def kernel(name: str, width: int = 4, together: int = 1) -> Callable[..., Array]:
    """A primitive's kernel over arrays."""
    arity, step = TABLE[name].arity, width * together
    run = load(text_of(name, width, together), "run").function("run", *[ctypes.c_void_p] * (arity + 1), ctypes.c_int64)

    def function(*xs: Any) -> Array:
        arrays = np.broadcast_arrays(*(np.asarray(x, dtype=np.float64) for x in xs))
        n = arrays[0].size
        padded = [np.concatenate([x, np.ones(-n % step)]) for x in arrays]
        out = np.empty(n + -n % step)
        run(*[x.ctypes.data for x in padded], out.ctypes.data, out.size // width)
        return out[:n]

    return function


# ---- what is right


def _within(x: Any, bound: float) -> Any:
    """Beyond the bound the function has been at its limit for long; mpmath would compute digits without end."""
    return max(min(x, mpf(bound)), mpf(-bound))


def _exp(x: Any) -> Any:
    return mp.exp(_within(x, 3000))


def _softplus(x: Any) -> Any:
    return mp.log1p(_exp(x)) if x < 0 else x + mp.log1p(_exp(-x))


def _erfc(x: Any) -> Any:
    return mp.erfc(_within(x, 60))


def _mish(x: Any) -> Any:
    v = _exp(-abs(x))
    return x * (1 + 2 * v) / (1 + 2 * v + 2 * v * v) if x > 0 else x * v * (v + 2) / (v * (v + 2) + 2)


def _pow(x: Any, y: Any) -> Any:
    size = _exp(y * mp.log(abs(x)))
    return -size if x < 0 and y % 2 == 1 else size


def _elu(x: Any, alpha: Any) -> Any:
    return x if x > 0 else alpha * mp.expm1(_within(x, 3000))


EXACT: dict[str, Callable[..., Any]] = {
    "exp": _exp,
    "expm1": lambda x: mp.expm1(_within(x, 3000)),
    "log": mp.log,
    "log1p": mp.log1p,
    "log2": lambda x: mp.log(x) / mp.ln2,
    "log10": lambda x: mp.log(x) / mp.ln10,
    "cbrt": lambda x: mp.sign(x) * mp.cbrt(abs(x)),
    "sin": mp.sin,
    "cos": mp.cos,
    "tan": mp.tan,
    "asin": mp.asin,
    "acos": mp.acos,
    "atan": mp.atan,
    "atan2": mp.atan2,
    "sinh": lambda x: mp.sinh(_within(x, 3000)),
    "cosh": lambda x: mp.cosh(_within(x, 3000)),
    "tanh": lambda x: mp.tanh(_within(x, 3000)),
    "sech2": lambda x: mp.sech(_within(x, 3000)) ** 2,
    "asinh": mp.asinh,
    "acosh": mp.acosh,
    "atanh": mp.atanh,
    "erf": lambda x: mp.erf(_within(x, 60)),
    "erfc": _erfc,
    "hypot": mp.hypot,
    "pow": _pow,
    "elu": _elu,
    "selu": lambda x, scale, alpha: scale * _elu(x, alpha),
    "gelu": lambda x: x * _erfc(-x / mp.sqrt(2)) / 2,
    "silu": lambda x: x / (1 + _exp(-x)),
    "mish": _mish,
    "softplus": _softplus,
    "sigmoid": lambda x: 1 / (1 + _exp(-x)),
    "log_sigmoid": lambda x: -_softplus(-x),
}


def ulps(computed: float, exact: Any) -> float:
    """|computed - exact| in units of the last place of a double as large as the exact number."""
    if math.isnan(computed):
        return math.inf
    number = mp.sign(exact) * mpf(2) ** 1024 if math.isinf(computed) else mpf(computed)
    if math.isinf(computed) and (computed > 0) != (exact > 0):
        return math.inf
    exact = _within(exact, mpf(2) ** 1024)
    exponent = mp.frexp(exact)[1] if exact else -2000
    return float(abs(number - exact) / mpf(2) ** max(exponent - 53, -1074))


def exact_errors(name: str, points: tuple[Array, ...], computed: Array) -> Array:
    """The errors at each point, by mpmath."""
    function = EXACT.get(name) or getattr(mpmath_, name)
    with mp.workprec(BITS):
        return np.array(
            [
                ulps(float(z), function(*(mpf(float(x)) for x in xs)))
                for z, *xs in zip(computed, *np.broadcast_arrays(*points), strict=True)
            ]
        )


def _long_sigmoid(x: Any) -> Any:
    e = np.exp(-abs(x))
    return np.where(x >= 0, 1, e) / (1 + e)


def _long_sech2(x: Any) -> Any:
    e = np.exp(-2 * abs(x))
    return 4 * e / (1 + e) ** 2


def _long_softplus(x: Any) -> Any:
    return np.maximum(x, 0) + np.log1p(np.exp(-abs(x)))


def _long_mish(x: Any) -> Any:
    e = np.exp(-abs(x))
    return x * np.where(x >= 0, (1 + 2 * e) / (1 + 2 * e + 2 * e * e), e * (e + 2) / (e * (e + 2) + 2))


def _long_elu(x: Any, alpha: Any) -> Any:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


#: The same in NumPy's functions, for long doubles; the error functions are not among them.
LONG: dict[str, Callable[..., Any]] = {
    "pow": np.power,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "atan2": np.arctan2,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "sech2": _long_sech2,
    "sigmoid": _long_sigmoid,
    "silu": lambda x: x * _long_sigmoid(x),
    "softplus": _long_softplus,
    "log_sigmoid": lambda x: -_long_softplus(-x),
    "mish": _long_mish,
    "elu": _long_elu,
    "selu": lambda x, scale, alpha: scale * _long_elu(x, alpha),
    **{name: getattr(np, name) for name in ("exp", "expm1", "log", "log1p", "log2", "log10", "cbrt", "hypot")},
    **{name: getattr(np, name) for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
}


def long_errors(name: str, points: tuple[Array, ...], computed: Array) -> Array:
    """The errors at each point, by ``long double``: right to about a thousandth of a unit."""
    with np.errstate(all="ignore"):
        exact = LONG[name](*(x.astype(np.longdouble) for x in points))
        limit = np.ldexp(np.longdouble(1), 1024)
        exact = np.clip(exact, -limit, limit)
        number = np.clip(computed.astype(np.longdouble), -limit, limit)
        unit = np.ldexp(np.longdouble(1), np.maximum(np.frexp(exact)[1] - 53, -1074))
        errors = abs(number - exact) / unit
    return np.where(np.isnan(errors), np.inf, errors).astype(np.float64)


# ---- where

#: Branches of the kernels, ends of domains, ranges and reductions.
THRESHOLDS = [
    *(0.25, 0.2555, 0.5, 0.75, 0.875, 1.0, 2.0, 3.0, 6.0, 8.0, 18.4, 20.0, 28.0, 38.0, 39.0, 40.0, 45.0),
    *(354.2, 372.6, 375.0),
    *(math.log(2) / 2, math.sqrt(0.5), math.sqrt(2.0), math.sqrt(2) - 1, math.sqrt(2) + 1, 6**0.5, 27.0, 1000.0),
    *(708.39641853226408, 709.78271289338397, 710.47586007394386, 710.5, 745.13321910194122, 746.0, 800.0),
    *(2.0**k for k in (-1022, -1000, -900, -450, -300, -54, -53, -28, -27, 27, 30, 53, 60, 500, 1000, 1023)),
    *((n + 0.5) * math.log(2) for n in (1, 2, 20, 52, 53, 54, 1000, 1021, 1022, 1023)),
    *(n * math.pi / 4 for n in (1, 2, 3, 4, 5, 6, 11, 22, 355, 710, 10**6, 2**29)),
    6381956970095103 * 2.0**797,  # of all doubles the one nearest to a multiple of π/2
]
SPECIAL = [0.0, SMALLEST, NORMAL, 1.0, 2.0, 0.5, 3.0, 3.5, 2.0**53, LARGEST, math.inf]


def special_points(arity: int) -> tuple[Array, ...]:
    """All combinations of zeros, infinities, nan, extremes and a few plain numbers."""
    numbers = [sign * x for x in SPECIAL for sign in (1.0, -1.0)] + [math.nan]
    return tuple(np.array(x) for x in zip(*itertools.product(numbers, repeat=arity), strict=True))


def near_thresholds(ulps_away: int = 3) -> Array:
    """The thresholds with both signs and the doubles around them."""
    bits = np.array(THRESHOLDS).view(np.int64)
    around = np.concatenate([bits + away for away in range(-ulps_away, ulps_away + 1)]).view(np.float64)
    return np.concatenate([around, -around])


#: Where a function of one argument is neither constant nor undefined; and where it is delicate.
RANGES: dict[str, tuple[tuple[float, float], tuple[float, float]]] = {
    **dict.fromkeys(("exp", "expm1", "sinh", "cosh"), ((-746, 711), (-1, 1))),
    **dict.fromkeys(("sigmoid", "softplus", "silu", "mish"), ((-760, 45), (-3, 3))),
    "log_sigmoid": ((-45, 760), (-3, 3)),
    **dict.fromkeys(("log", "log2", "log10"), ((0, 20), (0.5, 2))),
    "log1p": ((-1, 20), (-0.5, 0.5)),
    **dict.fromkeys(("sin", "cos", "tan"), ((-7, 7), (-1.2e9, 1.2e9))),
    **dict.fromkeys(("asin", "acos", "atanh"), ((-1, 1), (-0.5, 0.5))),
    **dict.fromkeys(("atan", "asinh", "cbrt"), ((-3, 3), (-100, 100))),
    "acosh": ((1, 1.1), (1, 100)),
    "tanh": ((-20, 20), (-1, 1)),
    "sech2": ((-380, 380), (-4, 4)),
    "erf": ((-6, 6), (-1, 1)),
    "erfc": ((-6, 27.3), (-1, 1)),
    "gelu": ((-39, 9), (-3, 3)),
}


def _any_doubles(source: np.random.Generator, n: int) -> Array:
    x = source.integers(0, 2**64, n, dtype=np.uint64).view(np.float64)
    return np.where(np.isfinite(x), x, 1.0)


def random_points(name: str, n: int, source: np.random.Generator) -> tuple[Array, ...]:
    """n points: over all binades, and over the ranges where something happens."""
    part = n // 4
    if TABLE[name].constants:
        x = np.concatenate([source.uniform(-40, 3, n - part), _any_doubles(source, part)])
        return (x, *(np.full(n, parameter) for parameter in (TABLE[name].example or ((),))[0][1:]))
    if name == "pow":
        uniform = source.uniform
        base = [uniform(0, 10, part), uniform(0.9, 1.1, part), _any_doubles(source, part), uniform(-9, 9, n - 3 * part)]
        exponent = [uniform(-300, 300, part), uniform(-7e3, 7e3, part), uniform(-1.1, 1.1, part)]
        exponent.append(np.round(uniform(-300, 300, n - 3 * part)))
        return in_domain(name, (np.concatenate(base), np.concatenate(exponent)))
    if TABLE[name].arity == 2:
        x, ratio = _any_doubles(source, 2 * part), source.uniform(-3, 3, part)
        with np.errstate(over="ignore", under="ignore"):
            other = np.concatenate([_any_doubles(source, part), np.clip(x[part:] * ratio, -LARGEST, LARGEST)])
        rest = source.uniform(-3, 3, (2, n - 2 * part))
        return in_domain(name, (np.concatenate([x, rest[0]]), np.concatenate([other, rest[1]])))
    first, second = RANGES.get(name, ((-20, 20), (-1, 1)))
    parts = [_any_doubles(source, 2 * part), source.uniform(*first, part), source.uniform(*second, n - 3 * part)]
    return in_domain(name, (np.concatenate(parts),))


def in_domain(name: str, points: tuple[Array, ...]) -> tuple[Array, ...]:
    inside = np.broadcast_to(TABLE[name].domain(*points), points[0].shape)
    return tuple(x[inside] for x in points)
