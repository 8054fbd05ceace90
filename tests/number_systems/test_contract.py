"""The contract of number systems: each has every primitive, or lacks it for a reason that it states."""

from __future__ import annotations

import cmath
import functools
import itertools
import math
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import mpmath
import pytest
import sympy
from mpmath import mp

import autograd
from autograd import TABLE, Primitive, Value, evaluate, value_system
from autograd.interpret import partials
from autograd.number_systems import (
    SYSTEMS,
    common,
    complex_,
    floats,
    intervals,
    javascript,
    mathml,
    mpmath_,
    source,
    sympy_,
    system_of,
)
from autograd.number_systems.llvm import emitter, kernels
from autograd.testing.regions import in_domain
from tests import checks
from tests.rows import ROW_AND_ARGUMENT, ROWS, is_smooth, name_of, special_points


def modules() -> dict[str, Any]:
    """Every number system under its name; those of text are what a writer shows to the rules."""
    found: dict[str, Any] = {name: system_of(name) for name in SYSTEMS}
    for text in (source, javascript, mathml):
        found[text.NAME] = SimpleNamespace(
            **{
                **vars(text.Writer().m),
                "LACKS": text.LACKS,
                "computing": text.computing,
                "plain": str,
                "__name__": text.__name__,
            }
        )
    instructions = vars(emitter.Emitter(4, kernels.call).m)
    found[emitter.NAME] = SimpleNamespace(
        **instructions, LACKS=emitter.LACKS, computing=emitter.computing, plain=str, __name__=emitter.__name__
    )
    return found


def breaches(system: Any) -> list[str]:
    """What a number system owes: the names it has neither got nor excused, and excuses without a reason."""
    found = [
        f"{name} is missing" for name in TABLE if not callable(getattr(system, name, None)) and name not in system.LACKS
    ]
    found += [f"{name} is lacked without a reason" for name, reason in system.LACKS.items() if len(reason) < 10]
    found += [f"{name} is excused but no primitive" for name in system.LACKS if name not in TABLE]
    found += [f"{name} is excused but there" for name in system.LACKS if hasattr(system, name)]
    found += [f"{name} is missing" for name in ("NAME", "LANES", "LACKS", "pi") if not hasattr(system, name)]
    found += [
        f"{name} is missing" for name in ("number", "plain", "computing") if not callable(getattr(system, name, None))
    ]
    return found


@pytest.mark.parametrize("name", modules())
def test_every_system_has_every_primitive_or_says_why_not(name: str) -> None:
    system = modules()[name]
    assert breaches(system) == []
    assert name == system.NAME


def copy_of(system: ModuleType, **changes: Any) -> Any:
    """The system with other names; ``None`` takes a name away."""
    names = {**vars(system), **changes}
    return SimpleNamespace(**{name: value for name, value in names.items() if value is not None})


def test_a_missing_primitive_is_noticed() -> None:
    assert breaches(copy_of(floats)) == []
    assert breaches(copy_of(floats, tanh=None)) == ["tanh is missing"]
    assert breaches(copy_of(complex_, LACKS={})) == [f"{name} is missing" for name in TABLE if name in complex_.LACKS]


def test_an_excuse_is_checked_too() -> None:
    assert breaches(copy_of(floats, tanh=None, LACKS={"tanh": ""})) == ["tanh is lacked without a reason"]
    why = "no such function is known"
    assert breaches(copy_of(floats, LACKS={"tanh": why})) == ["tanh is excused but there"]
    assert breaches(copy_of(floats, LACKS={"tanhh": why})) == ["tanhh is excused but no primitive"]


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_lacking_primitive_is_refused_with_the_reason(name: str) -> None:
    for lacking, reason in system_of(name).LACKS.items():
        row = TABLE[lacking]
        point = next(special_points(row, lambda xs, row=row: in_domain(row, xs)))
        graph = checks.record(row, checks.leaves_of(row, point))
        with pytest.raises(NotImplementedError, match=rf"{name} has no {lacking}: ") as refused:
            evaluate(graph, name)
        assert reason in str(refused.value)


# What a system promises of its numbers: as exact as floats are, more so, or around the exact number.

Operands = tuple[float, ...]


#: Where forms that cancel lose their digits, and the ends of domains with what is near them.
DELICATE = (0.0, 1e-8, -1e-8, 1e-5, -1e-5, 0.999, -0.999, 1.0, -1.0, 1.5, -1.5)
#: Quotients that are rounded across a whole number, or have more digits than a float.
QUOTIENTS = ((1.0, 0.1), (1e22, 3.0))


def points_of(row: Primitive, accept: Callable[[Operands], bool]) -> list[Operands]:
    """Special points and delicate ones, and some from all over: multiples of 1/64, which every system has exactly."""
    source = random.Random(row.name)
    size = 3 if row.n_ary else row.arity
    drawn = [tuple(source.randint(-512, 512) / 64 for _ in range(size)) for _ in range(400)]
    drawn += [tuple(source.randint(1, 63) / 64 for _ in range(size)) for _ in range(40)]
    delicate = list(itertools.product(DELICATE, repeat=size))
    if size > 1:
        quotients = QUOTIENTS if size == 2 and row.name != "exp_difference" else ()  # which is beyond all floats there
        delicate = [*quotients, *source.sample(delicate, len(delicate))]
    return [
        *itertools.islice(special_points(row, accept), 60),
        *itertools.islice(filter(accept, delicate), 40),
        *itertools.islice(filter(accept, drawn), 40),
    ]


def rounded(row: Primitive, point: Operands, found: Any, exact: Any) -> bool:
    """Within the roundings of a float function of that row."""
    return bool(abs(mp.mpf(float(found)) - exact) <= checks.rounding_of(row, point))


def of_complex(row: Primitive, point: Operands, found: Any, exact: Any) -> bool:
    """Real on the real axis, and off by some roundings of what is added up on the way, which is of the size of 1.

    What jumps adds up nothing: a remainder is as exact as that of floats, however large the quotient.
    """
    if row.jumps:
        return rounded(row, point, mp.mpc(found).real, exact) and mp.im(found) == 0
    return bool(abs(mp.mpc(found) - exact) <= 64 * checks.EPS * max(1, abs(exact), *map(abs, point)))


def of_many_digits(row: Primitive, point: Operands, found: Any, exact: Any) -> bool:
    """Forty of fifty digits, of what is added up on the way."""
    return bool(abs(mp.mpf(found) - exact) <= mp.mpf(10) ** -40 * max(1, abs(exact)))


def of_a_formula(row: Primitive, point: Operands, found: Any, exact: Any) -> bool:
    """Exact, where the operands are; a float of 53 bits among them is rounded with what it is added to."""
    promise = of_complex if any(sympy_.number(x).is_Float for x in point) else of_many_digits
    return promise(row, point, mp.mpf(str(sympy.N(found, 60))), exact)


PROMISES: dict[str, Callable[..., bool]] = {
    "floats": rounded,
    "values": lambda row, point, found, exact: rounded(row, point, value_system.plain(found), exact),
    "arrays": rounded,
    "complex": of_complex,
    "fractions": lambda row, point, z, exact: of_many_digits(row, point, mp.mpf(z.numerator) / z.denominator, exact),
    "intervals": lambda row, point, found, exact: exact in intervals.number(found),
    "mpmath": of_many_digits,
    "sympy": of_a_formula,
}


def misses(row: Primitive, name: str, function: Callable[..., Any]) -> list[str]:
    """Where a function breaks what its system promises."""
    system: Any = system_of(name)
    found = []
    for point in points_of(row, lambda xs: in_domain(row, xs)):
        with mpmath.workdps(60):
            exact = checks.value_in(mpmath_, row, [mpmath_.number(x) for x in point])
        with system.computing():
            numbers = [system.number(x) for x in point]
            try:
                z = function(numbers) if row.n_ary else function(*numbers)
            except (NotImplementedError, OverflowError):  # what is no fraction, or too large
                continue
            except ValueError as error:
                if str(error) != common.NO_SIGN_OF_ZERO:
                    raise
                continue
        with mpmath.workdps(60):
            if not PROMISES[name](row, point, z, exact):
                found.append(f"{row.name}{point} is {z} in {name}, exactly {mp.nstr(exact, 20)}")
    return found


@pytest.mark.parametrize("name", SYSTEMS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_whatever_version_a_system_has_is_as_exact_as_promised(row: Primitive, name: str) -> None:
    system = system_of(name)
    if row.name not in system.LACKS:
        assert misses(row, name, getattr(system, row.name)) == []


# The same of slopes, where partials are ordinary derivatives: neither kinks nor limits.


def slope_rounded(row: Primitive, argument: int, point: Operands, found: Any, exact: Any) -> bool:
    """Within the roundings of a rule that sees floats."""
    error = abs(mp.mpf(float(found)) - exact)
    return bool(error <= checks.rounding_of_a_partial(row, argument, point, exact, error))


def slope_of_complex(row: Primitive, argument: int, point: Operands, found: Any, exact: Any) -> bool:
    """As the value, which is among what is added up, as in z·(1 - z); or as floats have it, where operands are large
    in an exponent."""
    error = abs(mp.mpc(found) - exact)
    size = max(1, abs(exact), abs(checks.exact_value(row, point)), *map(abs, point))
    return bool(
        (error <= 64 * checks.EPS * size and not row.jumps)
        or error <= checks.rounding_of_a_partial(row, argument, point, exact, error)
    )


def slope_of_many_digits(row: Primitive, argument: int, point: Operands, found: Any, exact: Any) -> bool:
    return of_many_digits(row, point, found, exact)


def slope_inside(row: Primitive, argument: int, point: Operands, found: Any, exact: Any) -> bool:
    """But for the last digits of the exact slope, which is a difference quotient; and narrow."""
    around, noise = intervals.number(found), mp.mpf(10) ** -40 * max(1, abs(exact))
    narrow = around.width < 1e-12 * max(1.0, abs(around.high))
    return bool(narrow and around.low - noise <= exact <= around.high + noise)


def slope_of_a_formula(row: Primitive, argument: int, point: Operands, found: Any, exact: Any) -> bool:
    promise = slope_of_complex if any(sympy_.number(x).is_Float for x in point) else slope_of_many_digits
    return promise(row, argument, point, mp.mpf(str(sympy.N(found, 60))), exact)


SLOPE_PROMISES: dict[str, Callable[..., bool]] = {
    "floats": slope_rounded,
    "values": lambda *told: slope_rounded(*told[:3], value_system.plain(told[3]), told[4]),
    "arrays": slope_rounded,
    "complex": slope_of_complex,
    "fractions": lambda *told: slope_of_many_digits(
        *told[:3], mp.mpf(told[3].numerator) / told[3].denominator, told[4]
    ),
    "intervals": slope_inside,
    "mpmath": slope_of_many_digits,
    "sympy": slope_of_a_formula,
}

#: By row, argument and point: the same for all systems.
exact_slope = functools.cache(checks.exact_derivative)


def slope_misses(row: Primitive, argument: int, name: str) -> list[str]:
    """Where a partial breaks what its system promises."""
    system: Any = system_of(name)
    found = []
    for point in points_of(row, lambda xs: is_smooth(row, xs, argument)):
        exact = exact_slope(TABLE[row.name], point, argument)
        with system.computing():
            numbers = [system.number(x) for x in point]
            try:
                z = checks.value_in(system, row, numbers)
                (slope,) = partials(system, row, z, numbers, [argument])
            except (NotImplementedError, OverflowError):  # what is no fraction, or too large
                continue
            except (ValueError, ZeroDivisionError) as error:
                found.append(f"{row.name}{point} has no slope in {name}: {error}")
                continue
        with mpmath.workdps(60):
            if not SLOPE_PROMISES[name](row, argument, point, slope, exact):
                found.append(f"{row.name}{point} has the slope {slope} in {name}, exactly {mp.nstr(exact, 20)}")
    return found


@pytest.mark.parametrize("name", SYSTEMS)
@pytest.mark.parametrize("partial", ROW_AND_ARGUMENT, ids=name_of)
def test_the_slope_is_as_exact_as_the_value(partial: tuple[Primitive, int], name: str) -> None:
    row, argument = partial
    if row.name not in system_of(name).LACKS:
        assert slope_misses(row, argument, name) == []


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_wrong_slope_would_be_noticed(name: str) -> None:
    off_by_a_millionth = TABLE["square"]._replace(partials=(lambda m, z, x: 2 * x + x / 1_000_000,))
    assert slope_misses(off_by_a_millionth, 0, name)
    of_one_sign = TABLE["square"]._replace(
        partials=(lambda m, z, x: m.where(m.less(m.abs(x), 1), 2 * x, 2 * m.abs(x)),)
    )
    assert slope_misses(of_one_sign, 0, name)


@pytest.mark.parametrize("name", ["floats", "values", "arrays", "complex", "intervals"])
def test_a_slope_that_cancels_would_be_noticed(name: str) -> None:
    assert slope_misses(TABLE["sinc"]._replace(partials=(lambda m, z, x: (m.cos(x) - z) / x,)), 0, name)


def test_a_version_that_loses_digits_would_be_noticed() -> None:
    assert misses(TABLE["softplus"], "floats", lambda x: math.log(1 + math.exp(x)))
    assert misses(TABLE["sinc"], "mpmath", lambda x: mp.mpf(math.sin(x) / x if x else 1.0))
    assert misses(TABLE["exp2"], "complex", lambda x: cmath.exp(0.6931 * x))


FORMULAS = [(row, form) for row in ROWS for form in ("formula", "stable") if getattr(row, form) is not None]


@pytest.mark.parametrize(("row", "form"), FORMULAS, ids=lambda it: getattr(it, "name", it))
def test_a_formula_is_its_primitive(row: Primitive, form: str) -> None:
    """To forty digits, with enough more of them on the way that nothing is lost."""
    formula = getattr(row, form)
    for point in points_of(row, lambda xs: in_domain(row, xs)):
        with mpmath.workdps(400):
            exact = checks.value_in(mpmath_, row, [mpmath_.number(x) for x in point])
            numbers = [mpmath_.number(x) for x in point]
            z = formula(mpmath_, numbers) if row.n_ary else formula(mpmath_, *numbers)
            assert of_many_digits(row, point, z, exact), point


@pytest.mark.parametrize("name", SYSTEMS)
def test_number_and_plain_are_inverse(name: str) -> None:
    system: Any = system_of(name)
    with system.computing():
        for x in (-2.5, 0.0, 1.0, 3.0):
            assert float(system.plain(system.number(x))) == x


def test_an_unknown_system_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'decimals'.*" + ", ".join(SYSTEMS)):
        system_of("decimals")


def test_a_module_is_a_system_too() -> None:
    assert system_of(floats) is floats
    assert evaluate(Value(2.0) * 3.0, floats) == 6.0


def test_systems_are_loaded_when_they_are_asked_for() -> None:
    """``import autograd`` computes in floats and Values; the standard library's fractions alone take a third of it."""
    program = """
import sys
sys.path.insert(0, sys.argv[1])
import autograd
from autograd.number_systems import SYSTEMS
print([name for name, module in SYSTEMS.items() if module in sys.modules], "fractions" in sys.modules)
"""
    root = str(Path(autograd.__file__).resolve().parent.parent)
    report = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, root], capture_output=True, text=True, check=True, timeout=60
    )
    assert report.stdout.strip() == "['floats'] False"
