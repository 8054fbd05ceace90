"""``backward()``, ``grad`` and ``compile`` are compared: whichever gives another answer is named."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Value, check_grads, interpret, transforms
from autograd.checking import other_ways
from autograd.compiled.backends.native.operations import operations
from autograd.compiled.programs import derivatives
from autograd.number_systems import arrays, floats
from autograd.number_systems.llvm import kernels
from autograd.value import _PULL_BACKS
from tests.compiled.replays import BACKENDS


def test_the_three_ways_agree_where_nothing_flows() -> None:
    report = check_grads(lambda x: autograd.maximum(autograd.sqrt(x), 0.1), 0.0)
    assert [entry.analytic for entry in report] == [0.0]
    assert not any("gives" in entry.note for entry in report)


def test_a_wrong_backward_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def doubled(node: Any) -> None:
        node._x.grad += 2 * node.grad * math.cos(node._x.data)

    monkeypatch.setitem(_PULL_BACKS, autograd.TABLE["sin"], doubled)
    report = check_grads(autograd.sin, 0.5)
    assert not report.ok
    assert report.entries[0].note == f"backward() gives {2 * math.cos(0.5):.6g}"
    assert report.entries[0].verdict == "mismatch"


@pytest.mark.parametrize(("wrong", "name"), [(math.nan, "nan"), (3.5, "3.5")])
@pytest.mark.parametrize("way", ["grad", "compile"])
def test_a_wrong_way_is_named(way: str, wrong: float, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if way == "grad":
        monkeypatch.setattr(other_ways, "_by_grad", lambda call, k, component: [wrong, 1.0])
    else:
        found = [other_ways.Answer("compile", (wrong, 1.0), backend) for backend in BACKENDS]
        monkeypatch.setattr(other_ways.Compilation, "gradients", lambda self: found)
    report = check_grads(lambda x, y: x * x + y, 2.0, 1.0)
    assert [(entry.verdict, entry.note) for entry in report] == [("mismatch", f"{way} gives {name}"), ("agree", "")]


def _first_factor(x: Any) -> Any:
    return autograd.sin(x) * x


SLOPE, CURVATURE = math.cos(0.5) * 0.5 + math.sin(0.5), 2 * math.cos(0.5) - math.sin(0.5) * 0.5


def _notes(order: int = 1, **options: Any) -> dict[int, tuple[str, str]]:
    report = check_grads(_first_factor, 0.5, order=order, **options)
    assert not report.ok
    return {entry.order: (entry.verdict, entry.note) for entry in report}


def _partials_with_twice_that_of(monkeypatch: pytest.MonkeyPatch, name: str, *, plain: bool) -> None:
    rule = interpret.partials_at

    def planted(program: Any, slot: int, m: Any, primitive: Any, *others: Any) -> list[tuple[Any, Any]]:
        factor = 2 if primitive.name == name and (m is floats) == plain else 1
        return [(factor * slope, lanes) for slope, lanes in rule(program, slot, m, primitive, *others)]

    monkeypatch.setattr(interpret, "partials_at", planted)


def _twice(builder: Any, found: list[Any]) -> list[Any]:
    return [builder.number(builder.slot(x) * 2).index if isinstance(x, int) else x for x in found]


def test_a_wrong_rule_in_the_walk_of_grad_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    _partials_with_twice_that_of(monkeypatch, "sin", plain=True)
    wrong = math.cos(0.5) + math.sin(0.5)
    assert _notes() == {1: ("mismatch", f"grad gives {wrong:.6g}")}
    assert _notes(order=2)[1] == ("mismatch", f"grad gives {wrong:.6g}")
    assert "compile" not in _notes(order=2)[2][1]


def test_a_gradient_that_grad_alone_adds_up_wrongly_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    walk = transforms.pull_back
    monkeypatch.setattr(transforms, "pull_back", lambda *given: [x if x is None else 2 * x for x in walk(*given)])
    assert _notes() == {1: ("mismatch", f"grad gives {2 * SLOPE:.6g}")}


def test_a_wrong_rule_among_values_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = interpret.partials_at

    def planted(program: Any, slot: int, m: Any, primitive: Any, *others: Any) -> list[tuple[Any, Any]]:
        factor = 2 if primitive.name == "cos" else 1
        return [(factor * slope, lanes) for slope, lanes in rule(program, slot, m, primitive, *others)]

    monkeypatch.setattr(interpret, "partials_at", planted)
    wrong = CURVATURE - math.sin(0.5) * 0.5
    assert _notes(order=2) == {1: ("agree", ""), 2: ("mismatch", f"grad of grad gives {wrong:.6g}")}


def test_a_wrong_recorded_derivative_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    backward = derivatives._backward
    monkeypatch.setattr(
        derivatives, "_backward", lambda builder, *given, **named: _twice(builder, backward(builder, *given, **named))
    )
    assert _notes() == {1: ("mismatch", f"compile gives {2 * SLOPE:.6g}")}


def test_a_wrong_recorded_second_derivative_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    along = derivatives._along

    def planted(*given: Any, **named: Any) -> Any:
        builder, places, found = along(*given, **named)
        return builder, places, _twice(builder, found)

    monkeypatch.setattr(derivatives, "_along", planted)
    assert _notes(order=2) == {1: ("agree", ""), 2: ("mismatch", f"compile gives {2 * CURVATURE:.6g}")}


def _plant(monkeypatch: pytest.MonkeyPatch, backend: str) -> None:
    """A wrong cosh on one back end alone: twice as large, or exp."""
    for warm in ("interpreter", "machine"):  # its code is made by now
        autograd.compile(lambda x: autograd.cosh(x) * x, wrt=0, backend=warm).value_and_grad(np.array([0.5]))
    if backend == "numpy":
        monkeypatch.setattr(arrays, "cosh", lambda x, out=None: np.multiply(np.cosh(x), 2, out=out))
    elif backend == "interpreter":
        monkeypatch.setitem(operations(), "cosh", operations()["exp"])
    else:
        kernel = kernels.KERNELS["cosh"]
        monkeypatch.setitem(kernels.KERNELS, "cosh", lambda e, x: kernel(e, x) * 2.0)


def _wrong_cosh(backend: str) -> float:
    return math.exp(0.5) if backend == "interpreter" else 2 * math.cosh(0.5)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_back_end_with_wrong_slopes_is_named_with_the_primitive(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _plant(monkeypatch, backend)
    f = lambda x, y: autograd.sinh(x) * x + autograd.sin(y)  # noqa: E731
    report = check_grads(f, 0.5, 0.25, backends=BACKENDS)
    wrong = math.sinh(0.5) + 0.5 * _wrong_cosh(backend)
    note = f"compile(backend={backend!r}) gives {wrong:.6g} (sinh is wrong there)"
    assert [(entry.name, entry.verdict, entry.note) for entry in report] == [
        ("x", "mismatch", note),
        ("y", "agree", ""),
    ]
    assert check_grads(f, 0.5, 0.25, backends=[other for other in BACKENDS if other != backend]).ok
    assert check_grads(f, 0.5, 0.25).ok == (backend == "machine")  # which is asked only if it is named


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_back_end_with_wrong_second_derivatives_is_named(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of sinh(x)·y at y = 0, where cosh counts in the mixed ones alone."""
    _plant(monkeypatch, backend)
    report = check_grads(lambda x, y: autograd.sinh(x) * y, 0.5, 0.0, order=2, backends=BACKENDS)
    note = f"compile(backend={backend!r}) gives {_wrong_cosh(backend):.6g} (sinh is wrong there)"
    assert {entry.name: entry.note for entry in report if not entry.passes} == {"x, y": note, "y, x": note}


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_back_end_with_wrong_values_is_named(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _plant(monkeypatch, backend)
    report = check_grads(lambda x: autograd.cosh(x) * 3.0, 0.5, backends=BACKENDS)
    note = f"compile(backend={backend!r}) gives the value {3 * _wrong_cosh(backend):.6g} (cosh is wrong there)"
    assert [(entry.verdict, entry.note) for entry in report] == [("mismatch", note)]


def test_back_ends_are_named_as_compile_names_them() -> None:
    for wrong in ("numpy", ["cuda"], ["numpy", "auto"]):
        with pytest.raises(ValueError, match="backends takes some of numpy, interpreter, machine, in a list; not"):
            check_grads(autograd.sin, 0.5, backends=wrong)
    assert check_grads(autograd.sin, 0.5, backends=()).ok


def test_a_wrong_second_derivative_of_a_compiled_function_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [other_ways.Answer("compile", (0.0,), backend) for backend in BACKENDS]
    monkeypatch.setattr(other_ways.Compilation, "hessians", lambda self: found)
    report = check_grads(lambda x: x**3, 2.0, order=2)
    assert {entry.order: entry.note for entry in report} == {1: "", 2: "compile gives 0"}


def test_no_gradient_is_other_than_before() -> None:
    weight, inner = Value(2.0), Value(3.0) * 1.0
    weight.grad, inner.grad = 7.0, 5.0
    assert check_grads(lambda x: weight * x * inner, 1.0, order=2).ok
    assert (weight.grad, inner.grad) == (7.0, 5.0)


def test_what_cannot_be_recorded_is_checked_without(monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_grads(lambda x: x * x.data, 2.0, allow="ill-conditioned").entries[0].note.count("compile") == 0
    monkeypatch.setitem(sys.modules, "numpy", None)
    assert check_grads(lambda x: x * x, 2.0).ok


def test_a_function_of_random_numbers_is_not_called_wrong_for_them() -> None:
    source = np.random.default_rng(0)
    report = check_grads(lambda x: x * float(source.normal()), 2.0, allow=("ill-conditioned", "kink"))
    assert not any("gives" in entry.note for entry in report)


def test_a_slope_that_does_not_exist_is_not_asked_for_where_it_leads_nowhere() -> None:
    report = check_grads(lambda x: autograd.atan2(autograd.ceil(x), autograd.ceil(x)) + x, -0.25)
    assert [entry.verdict for entry in report] == ["agree"]
