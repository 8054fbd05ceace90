"""Where the coefficients of the LLVM kernels come from: minimax polynomials, computed here with mpmath.

``python -m tests.number_systems.llvm.kernel_coefficients`` prints ``autograd/number_systems/llvm/coefficients.py``.
Each polynomial is the one of its degree whose largest relative error is least (Remez's exchange), rounded to doubles.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from mpmath import mp, mpf

DIGITS = 45


class Approximation(NamedTuple):
    """A function to approximate on an interval by a polynomial, and what the kernels do with it."""

    name: str
    function: Callable[[Any], Any]
    low: Any
    high: Any
    degree: int
    meaning: str


def _erfc_of(t: Any) -> Any:
    x = ERFC_CENTRE * (1 + t) / (1 - t)
    return (1 + 2 * x) * mp.exp(x * x) * mp.erfc(x)


#: The half line [0, ∞) becomes [-1, 1) by t = (x - c) / (x + c).
ERFC_CENTRE = 3

with mp.workdps(DIGITS):
    _TINY = mpf(2) ** -20
    _EIGHTH = mp.tan(mp.pi / 8)
    APPROXIMATIONS = (
        Approximation(
            "EXP",
            lambda r: (mp.expm1(r) - r) / r**2 if abs(r) > mpf(10) ** -12 else mpf(1) / 2 + r / 6,
            -mp.log(2) / 2 * (1 + _TINY),
            mp.log(2) / 2 * (1 + _TINY),
            9,
            "eʳ = 1 + r + r²·p(r), |r| ≤ log(2)/2",
        ),
        Approximation(
            "COTH",
            lambda w: (mp.sqrt(w) * mp.coth(mp.sqrt(w)) - 1) / w if w > mpf(10) ** -12 else mpf(1) / 3 - w / 45,
            mpf(0),
            mpf("0.2556") ** 2,
            5,
            "r·coth r = 1 + w·p(w), w = r², |r| ≤ 0.2555",
        ),
        Approximation(
            "LOG",
            lambda w: (2 * mp.atanh(mp.sqrt(w) / 2) / mp.sqrt(w) - 1) / w if w else mpf(1) / 12,
            mpf(0),
            (2 * (mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2 * (1 + _TINY),
            6,
            "log((2 + s) / (2 - s)) = s + s·w·p(w), w = s², from m = √½ to √2",
        ),
        Approximation(
            "LOG_TAIL",
            lambda w: (
                ((2 * mp.atanh(mp.sqrt(w) / 2) / mp.sqrt(w) - 1) / w - mpf(1) / 12) / w
                if w > mpf(10) ** -12
                else mpf(1) / 80 + w / 448
            ),
            mpf(0),
            (2 * (mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2 * (1 + _TINY),
            6,
            "the same, = s + s·w/12 + s·w²·p(w), for powers",
        ),
        Approximation(
            "SIN",
            lambda w: (mp.sin(mp.sqrt(w)) / mp.sqrt(w) - 1) / w if w else -mpf(1) / 6,
            mpf(0),
            (mp.pi / 4 * (1 + _TINY)) ** 2,
            5,
            "sin r = r + r·w·p(w), w = r², |r| ≤ π/4",
        ),
        Approximation(
            "COS",
            lambda w: (mp.cos(mp.sqrt(w)) - 1 + w / 2) / w**2 if w > mpf(10) ** -12 else mpf(1) / 24 - w / 720,
            mpf(0),
            (mp.pi / 4 * (1 + _TINY)) ** 2,
            5,
            "cos r = 1 - w/2 + w²·p(w), w = r², |r| ≤ π/4",
        ),
        Approximation(
            "ASIN",
            lambda w: (mp.asin(mp.sqrt(w)) / mp.sqrt(w) - 1) / w if w else mpf(1) / 6,
            mpf(0),
            mpf(1) / 4,
            12,
            "asin x = x + x·w·p(w), w = x², |x| ≤ ½",
        ),
        Approximation(
            "ATAN",
            lambda w: (mp.atan(mp.sqrt(w)) / mp.sqrt(w) - 1) / w if w else -mpf(1) / 3,
            mpf(0),
            (_EIGHTH * (1 + _TINY)) ** 2,
            10,
            "atan x = x + x·w·p(w), w = x², |x| ≤ tan(π/8)",
        ),
        Approximation(
            "ERF",
            lambda w: (mp.erf(mp.sqrt(w)) / mp.sqrt(w) - 2 / mp.sqrt(mp.pi)) / w if w else -2 / (3 * mp.sqrt(mp.pi)),
            mpf(0),
            (mpf(7) / 8) ** 2,
            10,
            "erf x = 2x/√π + x·w·p(w), w = x², |x| ≤ ⅞",
        ),
        Approximation(
            "ERFC",
            _erfc_of,
            mpf(-1),
            (mpf(28) - ERFC_CENTRE) / (28 + ERFC_CENTRE),
            22,
            "(1 + 2x)·exp(x²)·erfc(x) = p(t), t = (x - 3) / (x + 3), 0 ≤ x ≤ 28 (Shepherd and Laframboise, 1981)",
        ),
        Approximation(
            "CBRT", lambda m: mp.cbrt(1 / m), mpf(1), mpf(8), 6, "1/∛m ≈ p(m), 1 ≤ m < 8: where Newton's method begins"
        ),
    )


def minimax(function: Callable[[Any], Any], low: Any, high: Any, degree: int) -> tuple[list[Any], Any]:
    """The coefficients, lowest power first, of the best polynomial; and its largest relative error.

    The exchange begins at the extrema of a Chebyshev polynomial: solve for the polynomial whose relative error is
    ±h there, alternating; move the points to the extrema of that error; until all extrema are as large as h.
    """
    middle, half = (low + high) / 2, (high - low) / 2
    count = degree + 2
    points = [middle - half * mp.cos(mp.pi * i / (count - 1)) for i in range(count)]
    grid = [middle - half * mp.cos(mp.pi * i / (30 * count)) for i in range(30 * count + 1)]
    values = [function(x) for x in grid]
    for _ in range(12):
        # Powers of (x - middle) / half keep the system well-conditioned.
        rows, right = mp.matrix(count, count), mp.matrix(count, 1)
        for i, x in enumerate(points):
            value = function(x)
            for k in range(degree + 1):
                rows[i, k] = ((x - middle) / half) ** k / value
            rows[i, degree + 1] = (-1) ** i
            right[i] = 1
        solution = mp.lu_solve(rows, right)
        scaled, level = list(solution[: degree + 1]), abs(solution[degree + 1])
        errors = [mp.polyval(scaled[::-1], (x - middle) / half) / y - 1 for x, y in zip(grid, values, strict=True)]
        extrema: list[int] = []
        for i, error in enumerate(errors):  # of each run of equal signs, the place of its largest error
            if extrema and (errors[extrema[-1]] > 0) == (error > 0):
                if abs(error) > abs(errors[extrema[-1]]):
                    extrema[-1] = i
            else:
                extrema.append(i)
        largest = max(abs(error) for error in errors)
        if len(extrema) != count or largest < level * mpf("1.01"):
            break
        points = [grid[i] for i in extrema]
    # From powers of (x - middle) / half to powers of x: Horner with polynomials.
    result = [mpf(0)]
    for c in reversed(scaled):
        result = [mpf(0), *result]
        for i in range(len(result) - 1):
            result[i] -= middle * result[i + 1]
        result = [r / half for r in result]
        result[0] += c
    return result[: degree + 1], largest


def pair(x: Any) -> tuple[float, float]:
    """The nearest double, and the nearest of what is left."""
    return float(x), float(x - mpf(float(x)))


def rounded_to(x: Any, bits: int) -> float:
    """The number with so many bits that is nearest."""
    with mp.workprec(bits):
        return float(+x)


def constants() -> dict[str, float]:
    """Numbers that are cut so that products with small integers are exact, and the rests."""
    found: dict[str, float] = {}
    log_two = mp.log(2)
    high = rounded_to(log_two, 40)  # times an exponent of 12 bits: exact
    found["LOG_2_HIGH"] = high
    found["LOG_2_LOW"], found["LOG_2_REST"] = pair(log_two - mpf(high))
    found["HALF_LOG_2_REST"] = pair(log_two / 2)[1]
    found["INVERSE_LOG_2"], found["INVERSE_LOG_2_REST"] = pair(1 / log_two)
    high = rounded_to(mp.log10(2), 40)
    found["LOG10_2_HIGH"], found["LOG10_2_LOW"] = high, float(mp.log10(2) - mpf(high))
    found["INVERSE_LOG_10"], found["INVERSE_LOG_10_REST"] = pair(1 / mp.log(10))
    found["TWELFTH"], found["TWELFTH_REST"] = pair(mpf(1) / 12)
    half_pi = mp.pi / 2
    found["HALF_PI"], found["HALF_PI_LOW"] = pair(half_pi)
    found["HALF_PI_REST"] = float(half_pi - mpf(found["HALF_PI"]) - mpf(found["HALF_PI_LOW"]))
    found["TWO_OVER_ROOT_PI"], found["TWO_OVER_ROOT_PI_REST"] = pair(2 / mp.sqrt(mp.pi))
    found["ROOT_HALF"], found["ROOT_HALF_REST"] = pair(mp.sqrt(mpf(1) / 2))
    return found


#: Bits of 2/π after the point: 971 - 2 + 192, in whole bytes.
TWO_OVER_PI_BITS = 1168


def two_over_pi() -> int:
    """The bits of 2/π, as an integer."""
    with mp.workprec(TWO_OVER_PI_BITS + 64):
        return int(mp.floor(2 / mp.pi * mpf(2) ** TWO_OVER_PI_BITS))


def module() -> str:
    """The text of the module with the coefficients."""
    lines = [
        '"""Coefficients of kernels, lowest power first; made by ``tests.number_systems.llvm.kernel_coefficients``.',
        "",
        "Minimax polynomials and constants cut in parts; the comment after each polynomial's meaning is its largest",
        'relative error before its coefficients are rounded."""',
        "",
        "from __future__ import annotations",
        "",
        "# fmt: off",
        "",
    ]
    with mp.workdps(DIGITS):
        for name, value in constants().items():
            lines.append(f"{name} = {value!r}")
        digits = f"{two_over_pi():x}"
        lines += ["", "#: 2/π times two to so many.", f"TWO_OVER_PI_BITS = {TWO_OVER_PI_BITS}", "TWO_OVER_PI = int("]
        lines += [f'    "{digits[i : i + 80]}"' for i in range(0, len(digits), 80)]
        lines += ["    , 16)"]
        for a in APPROXIMATIONS:
            coefficients, error = minimax(a.function, a.low, a.high, a.degree)
            lines += ["", f"#: {a.meaning}; {mp.nstr(error, 2)}", f"{a.name} = ("]
            lines += [f"    {float(c)!r}," for c in coefficients]
            lines.append(")")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(module(), end="")
