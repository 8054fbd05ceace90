"""Which back end runs a program, what the report says of it, and ``fast``."""

from typing import Any

import numpy as np
import pytest

import autograd
import nn
from autograd import Value
from autograd.compiled.backends.choice import MOST_INSTRUCTIONS

X = np.array([1.0, 2.0, 3.0])


def program_of(f: Any, *args: Any, **options: Any) -> Any:
    compiled = autograd.compile(f, **options)
    compiled(*args)
    return compiled.report().programs[0]


def test_auto_says_what_it_took_and_why() -> None:
    def long(x: Value) -> Any:
        for _ in range(MOST_INSTRUCTIONS // 2 + 1):
            x = x * 0.5 + 1.0
        return x

    small = program_of(lambda x: x * 2.0 + 1.0, X)
    assert (small.backend, small.operations, small.sample_inputs) == ("machine", 2, 1)
    assert f"2 instructions, at most {MOST_INSTRUCTIONS}" in small.reason
    large = program_of(long, X)
    assert (large.backend, large.operations) == ("interpreter", MOST_INSTRUCTIONS + 2)
    assert "more than" in large.reason
    few = program_of(lambda x: x * 2.0, X, expected_samples=1000)
    assert (few.backend, few.reason[:19]) == ("interpreter", "1000 samples in all")
    point = program_of(lambda x: x * 2.0, 1.0)
    assert (point.backend, point.operations, point.shared_operations) == ("interpreter", 0, 1)
    asked = program_of(lambda x: x * 2.0, X, backend="numpy")
    assert (asked.backend, asked.reason, asked.compile_seconds) == ("numpy", "asked for", 0.0)


def test_the_report_counts_recordings_and_shows_guards() -> None:
    f = autograd.compile(lambda x: x if x > 0.5 else 2.0 * x)
    assert "0 recordings of <lambda>" in str(f.report())
    f(X)
    f(-X)
    report = f.report()
    assert (report.recordings, report.guards_missed, len(report.programs)) == (2, 1, 2)
    text = str(report)
    assert text.startswith("2 recordings of <lambda>, 1 guard missed")
    for outcome in ("True", "False"):
        assert f"guard: x > 0.5 is {outcome} (test_choice.py:" in text


def test_equal_instructions_are_made_once() -> None:
    assert program_of(lambda x: (x * 3.0) * (x * 3.0) + 0.0 * x, X).operations == 4
    assert program_of(lambda x: autograd.neg(-x) * 1.0 / 1.0, X).operations == 0


@pytest.mark.parametrize("exponent", [-4, -3, -2, -1, 2, 3, 4])
def test_whole_powers_are_within_two_units_in_the_last_place(exponent: int) -> None:
    mpmath = pytest.importorskip("mpmath")
    pytest.importorskip("llvmlite")
    x = np.random.default_rng(0).uniform(0.5, 4.0, 20_000)
    with mpmath.workprec(200):
        exact = [mpmath.mpf(number) ** exponent for number in x.tolist()]
        for backend in ("numpy", "machine"):
            found = autograd.compile(lambda x: x**exponent, backend=backend)(x).tolist()
            errors = (abs(mpmath.mpf(a) - b) / np.spacing(abs(a)) for a, b in zip(found, exact, strict=True))
            assert max(errors) <= 2.0, backend


def test_auto_takes_machine_code_where_its_rule_holds() -> None:
    """The quick look at what is left for straight code never refuses what is short enough."""
    pytest.importorskip("llvmlite")
    by_inputs = nn.MLP(64, [64, 1], seed=0)
    step = autograd.compile(lambda x: by_inputs(x), params=[], wrt=0)
    step.value_and_grad(np.ones((3, 64)))
    (program,) = step.report().programs
    assert program.operations > MOST_INSTRUCTIONS
    assert (program.backend, program.reason.endswith("besides layers, at most 1000")) == ("machine", True)


def test_what_is_done_otherwise_with_each_of_many_neurons_is_interpreted() -> None:
    """No two of them are in one loop, and written out they would take long to compile."""
    pytest.importorskip("llvmlite")
    wide = nn.MLP(16, [400], activation="identity", seed=0)

    def f(x: list[Value]) -> Any:
        return autograd.sum([autograd.tanh(z) * (0.5 + i) + i for i, z in enumerate(wide(x))])

    step = autograd.compile(f, params=wide.parameters())
    step.value_and_grad(np.ones((3, 16)))
    (program,) = step.report().programs
    assert program.backend == "interpreter"
    assert "besides layers, more than 1000" in program.reason


def test_the_interpreter_is_compiled_once_and_reported_once() -> None:
    pytest.importorskip("llvmlite")
    for f in (lambda x: x + 1.0, lambda x: x + 2.0):
        step = autograd.compile(f, backend="interpreter")
        step(X)
    (program,) = step.report().programs
    assert program.compile_seconds == 0.0


@pytest.mark.parametrize("backend", ["interpreter", "machine"])
def test_fast_is_within_rounding_of_strict(backend: str) -> None:
    """Contraction rounds once where strict arithmetic rounds twice: both are within the sum of all roundings."""
    rng = np.random.default_rng(0)
    n, samples = 12, rng.standard_normal((300, 12))
    weights = [Value(x) for x in rng.standard_normal(n)]

    def loss(x: list[Value]) -> Any:
        return autograd.square(autograd.dot(weights, x)) * x[0] + x[1]

    fast, strict = (
        autograd.compile(loss, params=weights, reduce=None, backend=backend, fast=fast) for fast in (True, False)
    )
    size = np.abs(samples) @ [abs(w.data) for w in weights] + 1.0
    (value, grads), (expected, slopes) = fast.value_and_grad(samples), strict.value_and_grad(samples)
    scale = (size**2 * (1 + np.abs(samples[:, 0])))[:, None] * 4 * n * 2.0**-53
    assert (np.abs(value - expected)[:, None] <= scale).all()
    assert (np.abs(grads - slopes) <= scale * (1 + np.abs(samples))).all()
    mean, total = (
        fast.value_and_grad(samples)[0].mean(),
        autograd.compile(loss, params=weights, backend=backend, fast=True).value_and_grad(samples)[0],
    )
    assert mean == pytest.approx(total, rel=1e-13, abs=0.0)


def test_a_loop_at_a_point_is_compiled_where_its_steps_are_many_for_its_instructions() -> None:
    """What is stacked number by number takes an instruction for each, and half a second for a thousand."""
    decay = autograd.compile(lambda x: autograd.scan(lambda c, _: (0.9 * c, None), x, length=2000)[0], wrt=0)
    decay.value_and_grad(1.0)
    assert decay.report().programs[0].backend == "machine"
    total = autograd.compile(lambda xs: autograd.scan(lambda c, x: (0.9 * c + x, None), 0.0, xs)[0], wrt=0)
    total.value_and_grad([1.0] * 1000)
    (program,) = total.report().programs
    assert (program.backend, program.reason[:14]) == ("interpreter", "a single point")
    of_samples = autograd.compile(lambda xs: autograd.scan(lambda c, x: (0.9 * c + x, None), 0.0, xs)[0], wrt=0)
    of_samples.value_and_grad(np.ones((5, 1000)))
    assert of_samples.report().programs[0].backend == "machine"
