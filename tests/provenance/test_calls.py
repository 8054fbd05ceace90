"""The function that the user's code is calling: the one that runs, whatever else stands on the line."""

from __future__ import annotations

import cmath
import math
import math as m
import statistics
import subprocess
import sys
from collections.abc import Callable
from math import exp as e
from typing import Any

import pytest

from autograd import Value

v: Any = Value(0.5, "v")


def in_a_function() -> Any:
    from math import tan

    own, f = math, math.cos
    return own.floor(own.sin(f(1.0) + tan(v)))


def through_a_local_module() -> Any:
    import math as own

    return own.floor(own.sin(1.0)) + own.sinh(v)


def of_a_closure() -> Callable[[], Any]:
    f = math.log10
    return lambda: f(2.0) * f(v)


# fmt: off
CALLS: dict[str, Callable[[], Any]] = {
    "exp after another": lambda: math.sqrt(4.0) * math.exp(v),
    "sqrt before another": lambda: math.sqrt(v) * math.exp(4.0),
    "exp inside": lambda: math.sqrt(math.exp(v)),
    "sin around": lambda: math.sin(math.exp(1.0) + v.__class__.data.fget(v) * 0.0) + math.sin(v),
    "exp by an alias": lambda: math.sqrt(4.0) * e(v),
    "log1p of a module's alias": lambda: m.sqrt(4.0) * m.log1p(v),
    "exp over lines": lambda: (math
                               .exp(
                                   v)),
    "sqrt over lines": lambda: math.exp(math.
        sqrt(v)),
    "hypot unpacked": lambda: math.hypot(*[v], 2.0),
    "atan2 of two": lambda: math.atan2(
        1.0,
        v,
    ),
    "log2 in a comprehension": lambda: [math.log2(t) for t in [1.0, v]],
    "cosh in a text": lambda: f"{math.exp(1.0)} {math.cosh(v)}",
    "tan of a local": in_a_function,
    "sinh of a local": through_a_local_module,
    "log10 of a closure": of_a_closure(),
    "exp of complex numbers": lambda: cmath.exp(v),
    "log1p without a source": lambda: exec("import math; math.sqrt(4.0) * math.log1p(v)", {"v": v}),
}
# fmt: on


@pytest.mark.parametrize("case", CALLS)
def test_the_function_is_the_one_that_is_called(case: str) -> None:
    with pytest.raises(TypeError, match=rf"^{case.split()[0]} of a plain number would .* write autograd\.") as caught:
        CALLS[case]()
    assert str(caught.value).endswith(f"write autograd.{case.split()[0]}")


UNKNOWN: dict[str, Callable[[], Any]] = {
    "map": lambda: list(map(math.exp, [v])),
    "of a list": lambda: [math.exp][0](v),
    "of a call": lambda: (lambda: math.exp)()(v),
    "of an object": lambda: type("Own", (), {"f": staticmethod(math.exp)}).f(v),  # type: ignore[attr-defined]
    "complex": lambda: math.sqrt(4.0) * complex(v).real,
    "the number itself": lambda: math.sqrt(4.0) * float(v),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_where_the_function_is_not_known_the_message_is_general(case: str) -> None:
    with pytest.raises(TypeError, match=r"write value\.data for the number, or the engine's function"):
        UNKNOWN[case]()


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (statistics.mean, r"mean .* write autograd\.mean$"),
        (statistics.fmean, r"fmean .* write autograd\.mean$"),
        (statistics.pvariance, r"pvariance .* write autograd\.variance$"),
        (statistics.variance, r"variance .* write autograd\.variance\(…, ddof=1\)$"),
        (statistics.stdev, r"stdev .* write autograd\.sqrt\(autograd\.variance\(…, ddof=1\)\)$"),
    ],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_functions_of_statistics_are_known_by_their_own_name(function: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        function([v, v, 1.0])


@pytest.mark.parametrize(
    ("options", "words"), [([], "write autograd.exp"), (["-X", "no_debug_ranges"], "write value.data for the number")]
)
def test_without_places_the_message_is_general(options: list[str], words: str) -> None:
    program = "import math, autograd; math.sqrt(4.0) * math.exp(autograd.Value(1.0))"
    ran = subprocess.run(
        [sys.executable, *options, "-"], input=program, capture_output=True, text=True, check=False, timeout=120
    )
    assert words in ran.stderr
