"""Reruns with one input changed, and the derivatives by all inputs at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import pytest

import autograd
from autograd import Value, check_grads, where
from autograd.checking import numeric
from autograd.checking.one_input_changed import OneOperation, Rerun, leading_to, reruns
from autograd.checking.recorded import Recorded

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "products": lambda x, y, z: (x * y).tanh() * z.sin() + x / y,
    "used again": lambda x, y, z: (x * x + x) ** 3 * x.exp(),
    "many": lambda x, y, z: autograd.sum([x, y, x, 2.0]) * autograd.mean([z, x * y, 1.0]),
    "dot": lambda x, y, z: autograd.dot([x, y, 2.0], [y, z, x], start=z) + autograd.dot([x, y], [y, z]),
    "logsumexp": lambda x, y, z: autograd.logsumexp([x, y, z * z]) * autograd.prod([x, y, z]),
    "a choice": lambda x, y, z: where(x > y, x * y, y * z) * autograd.maximum(x, z),
    "constants": lambda x, y, z: autograd.clip(x, 0.0, 5.0) * 3.0 - y.detach() * z,
    "two": lambda x, y, z: [x * y, (z - x).exp()],
    "not all": lambda x, y, z: y * 2.0,
}


def recorded(f: Callable[..., Any], numbers: Sequence[float]) -> Recorded:
    leaves = [Value(x) for x in numbers]
    found = f(*leaves)
    return Recorded(leaves, found if isinstance(found, list) else [found])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_all_inputs_at_once_are_as_one_by_one(name: str) -> None:
    program = recorded(FUNCTIONS[name], [0.7, 1.3, -0.4])
    one_by_one, _ = reruns(program)
    at_once = OneOperation(program)
    for output in range(len(program.outputs)):
        alone = [one_by_one.by_complex_step(i, one_by_one.downstream(i)) for i in range(3) if program.inputs[i] >= 0]
        found = [x for x, slot in zip(at_once.derivatives(output), program.inputs, strict=True) if slot >= 0]
        assert found == pytest.approx([slopes[output] for slopes in alone if slopes is not None], rel=1e-14)


@autograd.primitive(partials=[lambda m, z, x: 1001 * m.cos(x) / 1000])
def wrong_sine(m: Any, x: Any) -> Any:
    return m.sin(x)


def test_an_operation_without_a_slope_leaves_nan_on_its_ways_alone() -> None:
    first, second = OneOperation(recorded(lambda x, y: x.log() * 2.0 + y, [math.inf, 0.25])).derivatives(0)
    assert math.isnan(first)
    assert second == 1.0


def test_what_leads_to_some_slots() -> None:
    program = recorded(lambda x, y, z: x.abs() * 2.0 + y, [0.0, 1.0, 2.0])
    found = leading_to(program.program, program.kinks())
    assert [bool(found[slot]) for slot in program.inputs if slot >= 0] == [True, False]


@pytest.mark.parametrize("is_wrong", [False, True])
def test_the_work_of_a_check_grows_with_the_function(monkeypatch: pytest.MonkeyPatch, *, is_wrong: bool) -> None:
    """Not with inputs times operations; also where each slope is wrong."""
    monkeypatch.setattr(numeric, "_MOST_RERUN", 1000)
    monkeypatch.setattr(numeric, "_PASSES", 1)
    sine = wrong_sine if is_wrong else autograd.sin

    def f(*x: Any) -> Any:
        total = x[0] * x[0]
        for a, b in pairwise(x):
            total = total + (a * b).tanh() * sine(a)
        return total

    done = 0
    picked = Rerun._picked

    def counted(self: Rerun, argument: int, number: Any, downstream: Sequence[int], wanted: Sequence[int]) -> Any:
        nonlocal done
        done += len(downstream)
        return picked(self, argument, number, downstream, wanted)

    monkeypatch.setattr(Rerun, "_picked", counted)
    work = []
    for n in (100, 200, 400):
        done = 0
        assert check_grads(f, *[1.0 + math.sin(i) / 2 for i in range(n)]).ok is not is_wrong
        work.append(done)
    assert work[2] < 2.5 * work[1] < 2.5**2 * work[0]
