"""Optimizers, clipping and schedules against trajectories that PyTorch computed (`make_trajectories.py` says how)."""

import json
import math
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest

import nn
from autograd import Value
from nn import schedules

DATA = json.loads((Path(__file__).parent / "data" / "trajectories.json").read_text("utf-8"))


def gradient(p: list[float]) -> list[float]:
    """That of ½(p₀ - 1)² + 2(p₁ + p₀/2)² + ¼(p₂² - 1)², as in `make_trajectories.py`."""
    a, b, c = p[0] - 1.0, p[1] + 0.5 * p[0], p[2] * p[2] - 1.0
    return [a + 2.0 * b, 4.0 * b, c * p[2]]


def name_of(run: dict[str, Any]) -> str:
    return f"{run['optimizer']}-{run['settings']}-{run['clip']}"


def trajectory(run: dict[str, Any]) -> list[list[float]]:
    parameters = [Value(number) for number in DATA["start"]]
    optimizer = getattr(nn, run["optimizer"])(parameters, **run["settings"])
    places = []
    for _ in run["places"]:
        for p, g in zip(parameters, gradient([p.data for p in parameters]), strict=True):
            p.grad = g
        if run["clip"] is not None:
            clip = nn.clip_grad_value if run["clip"][0] == "value" else nn.clip_grad_norm
            clip(parameters, run["clip"][1])
        optimizer.step()
        places.append([p.data for p in parameters])
    return places


@pytest.mark.parametrize("run", DATA["runs"], ids=name_of)
def test_the_optimizer_goes_where_pytorch_goes(run: dict[str, Any]) -> None:
    for ours, theirs in zip(trajectory(run), run["places"], strict=True):
        assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("run", DATA["runs"], ids=name_of)
def test_on_arrays_and_in_native_code_it_goes_there_too(run: dict[str, Any]) -> None:
    """The same function as a loss of one sample, which is always the same."""
    parameters = [Value(number) for number in DATA["start"]]
    optimizer = getattr(nn, run["optimizer"])(parameters, **run["settings"])

    class Bowl(nn.Module):
        def __init__(self) -> None:
            self.p = parameters

        def __call__(self, x: Any) -> Any:
            p, q, r = self.p
            return 0.5 * (p - 1.0) ** 2 + 2.0 * (q + 0.5 * p) ** 2 + 0.25 * (r * r - 1.0) ** 2 + 0.0 * x[0]

    clip = {} if run["clip"] is None else {f"clip_{run['clip'][0]}": run["clip"][1]}
    step = nn.compiled_step(Bowl(), lambda output, target: output, optimizer, batch_size=1, **clip)
    ones = np.ones(len(run["places"]))
    taken = len(ones) // 2
    step.epoch(ones[:taken, None], ones[:taken])
    halfway = [p.data for p in parameters]
    step.epoch(ones[taken:, None], ones[taken:])
    assert halfway == pytest.approx(run["places"][taken - 1], rel=1e-11, abs=1e-13)
    assert [p.data for p in parameters] == pytest.approx(run["places"][-1], rel=1e-11, abs=1e-13)


def test_that_test_can_fail() -> None:
    run = DATA["runs"][0]
    changed = {**run, "settings": {**run["settings"], "learning_rate": run["settings"]["learning_rate"] * 1.01}}
    assert trajectory(changed)[-1] != pytest.approx(run["places"][-1], rel=1e-6, abs=0.0)


SCHEDULES: dict[str, schedules.Schedule] = {
    "step": schedules.Step(every=3, by=0.5),
    "cosine": schedules.Cosine(epochs=12, least=0.1),
    "warm-up": schedules.WarmUp(epochs=5),
    "warm-up, then cosine": schedules.WarmUp(4, then=schedules.Cosine(epochs=8)),
    "plateau": schedules.Plateau(patience=1, by=0.5),
}


@pytest.mark.parametrize("name", DATA["schedules"])
def test_the_schedule_is_pytorchs(name: str) -> None:
    rates = [DATA["rate"] * SCHEDULES[name].factor(epoch, DATA["losses"][: epoch - 1]) for epoch in range(1, 13)]
    assert rates == pytest.approx(DATA["schedules"][name], rel=1e-12, abs=1e-15)


def test_a_schedule_equals_its_like_alone() -> None:
    assert schedules.Step(4, 0.5) == schedules.Step(every=4, by=0.5)
    assert schedules.Step(4, 0.5) != schedules.Cosine(4, 0.5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: schedules.Step(0), "every must be at least 1; it is 0"),
        (lambda: schedules.Step(1, by=0.0), "by must be finite, above 0"),
        (lambda: schedules.Cosine(10, least=1.0), "least must be finite, at least 0 and below 1; it is 1.0"),
        (lambda: schedules.WarmUp(0), "epochs must be at least 1"),
        (lambda: schedules.Plateau(by=1.0), "by must be finite, above 0 and below 1"),
        (lambda: nn.clip_grad_value([], 0.0), "the bound of clip_grad_value must be finite, above 0; it is 0.0"),
        (lambda: nn.clip_grad_norm([], -1.0), "the bound of clip_grad_norm must be finite, above 0; it is -1.0"),
        (lambda: nn.L1(-1.0), "the strength of a penalty must be finite, at least 0; it is -1.0"),
        (lambda: nn.SGD([Value(1.0)], nesterov=True), "nesterov needs a momentum above 0"),
        (lambda: nn.RMSprop([Value(1.0)], smoothing=1.0), "smoothing must be finite, at least 0 and below 1"),
        (lambda: nn.Adagrad([Value(1.0)], epsilon=0.0), "epsilon must be finite, above 0; it is 0.0"),
        (lambda: nn.AdamW([Value(1.0)], weight_decay=-0.1), "weight_decay must be finite, at least 0; it is -0.1"),
    ],
)
def test_settings_out_of_bounds(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    "gradients", [[1e308, 1.5e308], [1.7e308] * 4, [-1.7e308, 1e-300], [3e-320, 4e-320], [3.0, 4.0]]
)
@pytest.mark.parametrize("bound", [1.0, 1e-320, 1e300])
def test_a_norm_too_large_for_a_float_scales_all_gradients(gradients: list[float], bound: float) -> None:
    parameters = [Value(0.0) for _ in gradients]
    for p, gradient in zip(parameters, gradients, strict=True):
        p.grad = gradient
    exact = mpmath.norm([mpmath.mpf(g) for g in gradients])
    total = nn.clip_grad_norm(parameters, bound)
    assert total == pytest.approx(float(exact), rel=1e-14, abs=0.0) if exact < 1.797e308 else total == math.inf
    for p, gradient in zip(parameters, gradients, strict=True):
        expected = float(gradient / exact * bound) if exact > bound else gradient
        assert p.grad == pytest.approx(expected, rel=1e-13, abs=max(5e-324, 1e-300 * bound))
