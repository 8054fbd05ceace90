"""Every kernel is within 2 units in the last place over its whole range, has IEEE's edges, the same in every lane."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

pytest.importorskip("llvmlite", reason="kernels are compiled by llvmlite")

from autograd import TABLE, Primitive
from autograd.number_systems import arrays, floats
from autograd.number_systems.formulas import used_by
from autograd.number_systems.llvm import coefficients as llvm_coefficients
from autograd.number_systems.llvm import emitter as llvm
from autograd.number_systems.llvm import kernels as llvm_kernels
from autograd.number_systems.llvm.emitter import Emitter, Register
from tests.checks import EXACT
from tests.number_systems.llvm import kernel_coefficients, kernels
from tests.rows import ROWS

#: 2,000 points a kernel by default against mpmath, and 20,000 against long doubles; a thorough run takes twenty times
#: as many, and two million. The error functions, which long doubles do not have, get more of mpmath's then.
POINTS = 100 * settings().max_examples
THOROUGH = settings().max_examples > 100
MANY_POINTS = 2_000_000 if THOROUGH else 20_000
MORE_POINTS = dict.fromkeys(("erf", "erfc", "gelu"), 200_000) if THOROUGH else {}

#: The bar, in units in the last place.
MOST = 2.0

KERNELS = tuple(llvm_kernels.KERNELS)

#: Numbers of a vector in native code.
WIDTHS = (4, 8)


def bar_of(row: Primitive) -> float:
    """How far a primitive may be off: a kernel of its own by the bar, an instruction by its rounding, and a formula
    over them by all that it is made of."""
    if row.name == "sech2":  # u·(2 - u), which passes on twice what u is off by
        return 2 * MOST
    if row.name in KERNELS:
        return MOST
    if row.name in llvm.INSTRUCTIONS:
        if row.name == "floor_divide":  # a quotient of 52 bits or more has none left for its own rounding
            return 1.0
        return 0.0 if row.name in ("where", *EXACT) else 0.5
    return sum(count * bar_of(TABLE[name]) for name, count in used_by(row, rounded=True).items())


BARS = {row.name: bar_of(row) for row in ROWS if not row.n_ary and row.name != "where"}
NAMES = tuple(BARS)


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of these tests is kept on disk."""
    monkeypatch.setenv("VALUEGRAD_CACHE", "")


def worst(name: str, points: tuple[Any, ...], errors: Any, computed: Any) -> str:
    at = int(np.argmax(errors))
    return f"{name}{tuple(float(x[at]) for x in points)} = {computed[at]!r}: {errors[at]:.3f} ulp"


def test_every_primitive_has_instructions() -> None:
    """All that the system does not excuse can in fact be written."""
    for name, row in TABLE.items():
        if name not in llvm.LACKS:
            emitter = Emitter(4, llvm_kernels.call)
            operands = [Register(emitter, f"%x{i}") for i in range(4 if row.n_ary else row.arity)]
            result = getattr(emitter.m, name)(*([operands] if row.n_ary else operands))
            assert emitter.lines or result is operands[0]


def test_a_primitive_without_kernel_is_refused() -> None:
    emitter = Emitter(4, llvm_kernels.call)
    with pytest.raises(NotImplementedError, match="logsumexp has no kernel"):
        emitter.apply("logsumexp", Register(emitter, "%x0"))


def test_every_kernel_has_a_referee() -> None:
    assert set(kernels.EXACT) >= set(KERNELS)
    assert set(kernels.LONG) >= set(KERNELS) - {"erf", "erfc", "gelu"}


def test_formulas_are_written_where_there_is_no_kernel() -> None:
    composed = [name for name in NAMES if name not in (*KERNELS, *llvm.INSTRUCTIONS)]
    assert composed
    assert all(TABLE[name].formula is not None for name in composed)


@pytest.mark.parametrize("name", NAMES)
def test_within_its_bar(name: str) -> None:
    source = np.random.default_rng(len(name) + POINTS)
    points = kernels.random_points(name, MORE_POINTS.get(name, POINTS), source)
    if TABLE[name].arity == 1:
        with np.errstate(invalid="ignore"):
            near = kernels.in_domain(name, (kernels.near_thresholds(),))[0]
        points = (np.concatenate([near[np.isfinite(near)], points[0]]),)
    computed = kernels.kernel(name)(*points)
    errors = kernels.exact_errors(name, points, computed)
    assert errors.max() <= BARS[name], worst(name, points, errors, computed)


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 63, reason="long doubles are no more exact than doubles here")
@pytest.mark.parametrize("name", kernels.LONG)
def test_within_two_units_at_many_points(name: str) -> None:
    """Long doubles find the suspicious points, mpmath judges them: a library's long double may be wrong itself."""
    points = kernels.random_points(name, MANY_POINTS, np.random.default_rng(len(name)))
    computed = kernels.kernel(name)(*points)
    errors = kernels.long_errors(name, points, computed)
    suspicious = np.argsort(errors)[-50:]
    suspicious = suspicious[errors[suspicious] > BARS[name] - 0.1]
    if suspicious.size:
        chosen = tuple(x[suspicious] for x in points)
        exact = kernels.exact_errors(name, chosen, computed[suspicious])
        assert exact.max() <= BARS[name], worst(name, chosen, exact, computed[suspicious])
        assert (errors > BARS[name] - 0.1).sum() < 50, "more suspicious points than were judged"


def edge_of(name: str, xs: tuple[float, ...], of_numpy: float) -> float:
    """What Python's float functions give; NumPy's number where they raise."""
    try:
        return float(getattr(floats, name)(*xs))
    except (ValueError, OverflowError, ZeroDivisionError):
        return of_numpy


@pytest.mark.parametrize("name", NAMES)
def test_edges_are_those_of_ieee(name: str) -> None:
    """Where others give nan, an infinity or a zero, the kernel gives the same, with its sign; elsewhere a number."""
    points = kernels.special_points(TABLE[name].arity)
    with np.errstate(all="ignore"):
        of_numpy = np.broadcast_to(getattr(arrays, name)(*points), points[0].shape)
    computed = kernels.kernel(name)(*points)
    for *xs, z, other in zip(*points, computed, of_numpy, strict=True):
        expected = edge_of(name, tuple(map(float, xs)), float(other))
        where = f"{name}{tuple(map(float, xs))} = {z!r}, not {expected!r}"
        if math.isnan(expected):
            assert math.isnan(z), where
        elif expected == 0.0 != z:  # a zero of the other one's underflow on the way
            assert np.isfinite(xs).all(), where
            assert kernels.exact_errors(name, tuple(np.array([x]) for x in xs), np.array([z]))[0] <= BARS[name], where
        elif math.isinf(expected) or expected == 0.0:
            assert z == expected, where
            assert math.copysign(1, z) == math.copysign(1, expected), where
        else:
            assert math.isfinite(z), where


@pytest.mark.parametrize("name", NAMES)
def test_lanes_and_widths_agree_bit_for_bit(name: str) -> None:
    """A number's result depends neither on its lane nor on its neighbours, among them huge ones, infinities and nan."""
    row = TABLE[name]
    source = np.random.default_rng(7)
    with np.errstate(all="ignore"):
        points = tuple(
            np.concatenate([a, b])
            for a, b in zip(kernels.special_points(row.arity), kernels.random_points(name, 400, source), strict=True)
        )
    order = source.permutation(points[0].size)
    scalar = kernels.kernel(name, 1)(*points).view(np.int64)
    number = ~np.isnan(scalar.view(np.float64))
    for width in WIDTHS:
        vectors = kernels.kernel(name, width)(*points).view(np.int64)
        shuffled = np.empty_like(scalar)
        shuffled[order] = kernels.kernel(name, width)(*(x[order] for x in points)).view(np.int64)
        assert (np.isnan(vectors.view(np.float64)) == ~number).all()
        assert (scalar[number] == vectors[number]).all()
        assert (scalar[number] == shuffled[number]).all()


@pytest.mark.parametrize("name", [name for name in NAMES if TABLE[name].arity == 1 and name not in llvm.INSTRUCTIONS])
def test_numbers_together_have_the_results_they_have_alone(name: str) -> None:
    """Bit for bit; sines with a number among them that needs another reduction than the others."""
    points = kernels.random_points(name, 253, np.random.default_rng(8))
    points = (np.concatenate([points[0], [1e300, math.inf, math.nan]]),)
    alone = kernels.kernel(name, 4)(*points)
    for width in WIDTHS:
        together = kernels.kernel(name, width, together=32 // width)(*points)
        assert ((alone.view(np.int64) == together.view(np.int64)) | (np.isnan(alone) & np.isnan(together))).all()


@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_huge_angles_are_reduced_by_all_digits_of_pi(name: str) -> None:
    points = (2.0 ** np.arange(29, 1024) * np.linspace(1, 1.99, 995),)
    computed = kernels.kernel(name)(*points)
    assert kernels.exact_errors(name, points, computed).max() <= MOST


#: Which kernel stands on which polynomial.
USED_BY = {
    "EXP": "exp",
    "COTH": "tanh",
    "LOG": "log",
    "LOG_TAIL": "pow",
    "SIN": "sin",
    "COS": "cos",
    "ASIN": "asin",
    "ATAN": "atan",
    "ERF": "erf",
    "ERFC": "erfc",
    "CBRT": "cbrt",
}


@pytest.mark.parametrize("polynomial", USED_BY)
def test_a_wrong_coefficient_is_noticed(polynomial: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first is changed in its last digits, the last is left out: each must be seen."""
    name = USED_BY[polynomial]
    coefficients = getattr(llvm_coefficients, polynomial)
    points = kernels.random_points(name, 400, np.random.default_rng(3))
    # Newton's steps make good what a start was wrong by, and powers hold more digits than they show.
    change = {"CBRT": 0.1, "LOG_TAIL": 1e-6}.get(polynomial, 1e-11)
    for wrong in ((coefficients[0] * (1 + change), *coefficients[1:]), (*coefficients[:-1], 0.0)):
        monkeypatch.setattr(llvm_coefficients, polynomial, wrong)
        computed = kernels.kernel(name)(*points)
        assert kernels.exact_errors(name, points, computed).max() > MOST


def test_coefficients_are_those_of_their_script() -> None:
    """Two polynomials and all constants are computed again; the thorough run computes the whole module."""
    with kernel_coefficients.mp.workdps(kernel_coefficients.DIGITS):
        for constant, value in kernel_coefficients.constants().items():
            assert getattr(llvm_coefficients, constant) == value
        for a in kernel_coefficients.APPROXIMATIONS:
            if THOROUGH or a.name in ("EXP", "LOG"):
                made, _ = kernel_coefficients.minimax(a.function, a.low, a.high, a.degree)
                assert getattr(llvm_coefficients, a.name) == tuple(float(x) for x in made)
    assert kernel_coefficients.two_over_pi() == llvm_coefficients.TWO_OVER_PI
