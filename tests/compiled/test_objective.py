"""Derivatives of an objective along one vector are those of the engine, and are computed and read at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd
from autograd.compiled.backends.replay import Replay
from tests.compiled.replays import BACKENDS, bits

POINT, VECTOR = [0.5, -1.25, 2.0], [1.0, 0.25, -3.0]


def rosenbrock(x: Any) -> Any:
    return autograd.sum([100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2 for i in range(len(x) - 1)])


def several(x: Any) -> Any:
    return [x[0] * x[1], x[1] / x[2], 4.0]


@pytest.mark.parametrize("backend", BACKENDS)
def test_along_a_vector(backend: str) -> None:
    one, list_of_three = (autograd.objective(f, backend=backend) for f in (rosenbrock, several))
    assert np.allclose(one.hvp(POINT, VECTOR), autograd.hvp(rosenbrock)(POINT, VECTOR), rtol=1e-15, atol=0.0)
    assert np.allclose(one.jvp(POINT, VECTOR), autograd.jvp(rosenbrock, [POINT], [VECTOR])[1], rtol=1e-14, atol=0.0)
    assert bits(one.vjp(POINT, [2.0])) == bits(2.0 * one.gradient(POINT))
    assert bits(list_of_three.jvp(POINT, VECTOR)) == bits(autograd.jvp(several, [POINT], [VECTOR])[1])
    assert bits(list_of_three.vjp(POINT, VECTOR)) == bits(autograd.vjp(several, POINT)[1](VECTOR)[0])


@pytest.mark.parametrize("what", ["hvp", "jvp", "vjp"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_no_number_is_read_on_its_own(backend: str, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a thousand derivatives, each read as an array of one number, that was a hundred times the time."""
    monkeypatch.setattr(Replay, "output", None)
    objective = autograd.objective(rosenbrock, backend=backend)
    seed = [1.5] if what == "vjp" else VECTOR
    first = getattr(objective, what)(POINT, seed)
    second = getattr(objective, what)(POINT, [2.0 * number for number in seed])
    assert bits(second) == bits(np.multiply(2.0, first))


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_gradient_by_many_shared_numbers_is_gathered_at_once(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made, own = [], Replay.gather
    monkeypatch.setattr(Replay, "gather", lambda self, outputs: (made.append(outputs), own(self, outputs))[1])
    f = autograd.compile(lambda w, x: autograd.dot(w, w) * x, wrt=0, reduce="mean", backend=backend)
    shared = [0.5 * i for i in range(50)]
    for times in (1.0, 2.0, 3.0):
        _, gradient = f.value_and_grad([times * x for x in shared], np.array([1.0, 3.0]))
        assert gradient == [4.0 * times * x for x in shared]
    assert len(made) == 2  # that of value and parameters, and that of the shared numbers
