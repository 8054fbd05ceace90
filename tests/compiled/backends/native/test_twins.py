"""Two instructions that one kernel computes: found in plans, and each the same as alone, to the last bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite", reason="kernels are compiled by llvmlite")

import autograd
from autograd import Value, neg, sech2, sigmoid, tanh
from autograd.compiled.backends.native.twins import twins_of
from autograd.compiled.programs.plan import plan_of
from autograd.program import flatten
from tests.compiled.replays import BACKENDS, bits

POINTS = np.concatenate(
    [
        np.random.default_rng(0).uniform(-40, 40, 400),
        np.random.default_rng(1).uniform(-800, 800, 400),
        [0.0, -0.0, 5e-324, 1e-300, 0.2555, 354.2, 372.6, 375.0, 745.0, 1e300, np.inf, -np.inf, np.nan],
    ]
)

#: A function of both twins, and each by itself.
FUNCTIONS: dict[str, tuple[Callable[..., Any], ...]] = {
    "tanh first": (lambda x: [tanh(x), sech2(x)], tanh, sech2),
    "tanh last": (lambda x: [sech2(x), tanh(x)], sech2, tanh),
    "sigmoid": (lambda x: [sigmoid(x), sigmoid(-x)], sigmoid, lambda x: sigmoid(-x)),
    "three": (lambda x: [sech2(x), tanh(x), sech2(x) * 1.0, sigmoid(x)], sech2, tanh, sech2, sigmoid),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("backend", [b for b in BACKENDS if b != "numpy"])
@pytest.mark.parametrize("samples", [1, 3, 64, len(POINTS)])
def test_twins_are_what_each_is_alone(name: str, backend: str, samples: int) -> None:
    both, *alone = FUNCTIONS[name]
    points = POINTS[-samples:]
    results = autograd.compile(both, reduce=None, backend=backend)(points)
    for found, function in zip(np.asarray(results).T, alone, strict=True):
        expected = autograd.compile(function, reduce=None, backend=backend)(points)
        assert [bits([x]) for x in found.tolist()] == [bits([x]) for x in expected.tolist()]


@pytest.mark.parametrize("backend", [b for b in BACKENDS if b != "numpy"])
def test_many_twins_beside_one_another(backend: str) -> None:
    """More than a kernel takes at once, of which some are wanted before the rest is there."""

    def network(*xs: Any) -> Any:
        hidden = [tanh(x + i) for i, x in enumerate(xs)]
        return autograd.sum([h * sigmoid(h) for h in hidden])

    columns = np.random.default_rng(2).uniform(-3, 3, (11, 70))
    step = autograd.compile(network, wrt=range(11), reduce=None, backend=backend)
    value, slopes = step.value_and_grad(*columns)
    for n in range(0, 70, 23):
        leaves = [Value(x) for x in columns[:, n].tolist()]
        output = network(*leaves)
        output.backward()
        assert value[n] == pytest.approx(output.data, rel=1e-14, abs=0.0)
        assert [s[n] for s in slopes] == pytest.approx([leaf.grad for leaf in leaves], rel=1e-13, abs=1e-15)


def plan_over(make: Callable[[Value], list[Value]], varying: bool = True) -> Any:
    program, _ = flatten(make(Value(0.5)))
    return plan_of(program, len(program.outputs), 0, [varying])


def test_which_instructions_are_twins() -> None:
    x = Value(0.5)
    assert twins_of(plan_over(lambda x: [tanh(x), sech2(x)])).keys() == {1, 2}
    assert twins_of(plan_over(lambda x: [sigmoid(x), sigmoid(neg(x))])).keys() == {1, 3}
    assert twins_of(plan_over(lambda x: [tanh(x), sech2(x * 2.0)])) == {}
    assert twins_of(plan_over(lambda x: [tanh(x), sigmoid(x)])) == {}
    assert twins_of(plan_over(lambda x: [tanh(x), sech2(x)], varying=False)) == {}
    program, _ = flatten([tanh(x), autograd.sin(x)])
    assert twins_of(plan_of(program, 2, 0, [True])) == {}


def test_an_instruction_is_a_twin_once() -> None:
    """σ(x), σ(-x) and σ(-(-x)): the second is a twin of either."""
    found = twins_of(plan_over(lambda x: [sigmoid(x), sigmoid(neg(x)), sigmoid(neg(neg(x)))]))
    assert len(found) == 2
    assert len(set(found.values())) == 1
