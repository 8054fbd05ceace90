"""How many numbers a register holds: measured once, kept, said, overridden; the results are the same bit for bit."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd
import nn
from autograd import TABLE, Primitive, Value
from autograd.value import maker
from tests.compiled.replays import bits, runs_natively

pytest.importorskip("llvmlite")

from autograd.compiled.backends.interpreter import program, replay
from autograd.compiled.backends.native import cache, jit, width

NATIVE = ("interpreter", "machine")

#: Fewer samples than a register holds, as many, a tail of each length, more than a chunk.
SIZES = (1, 3, 4, 7, 8, 77, 1024 + 13)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the test's own, on a machine that has measured nothing yet and has registers of eight."""
    monkeypatch.delenv(width.VARIABLE, raising=False)
    monkeypatch.setenv("VALUEGRAD_CACHE", str(tmp_path / "kept"))
    monkeypatch.setattr(jit, "has_wide_registers", lambda: True)
    monkeypatch.setattr(width, "_of_this_machine", width._of_this_machine.__wrapped__)
    return tmp_path / "kept"


def counted(monkeypatch: pytest.MonkeyPatch, times: float) -> list[float]:
    """A list of the measurements that are made; each has this outcome."""
    made: list[float] = []

    def gain() -> float:
        made.append(times)
        return times

    monkeypatch.setattr(width, "gain", gain)
    return made


@pytest.mark.parametrize(("times", "numbers"), [(0.7, 4), (1.1, 4), (1.2, 8), (2.0, 8)])
def test_it_is_measured_once_and_kept(
    folder: Path, monkeypatch: pytest.MonkeyPatch, times: float, numbers: int
) -> None:
    made = counted(monkeypatch, times)
    first = width.chosen()
    assert first == width.chosen() == (numbers, f"8 were measured to be {times:.2f} times as fast")
    assert made == [times]
    (kept,) = folder.iterdir() if not (folder / "valuegrad-written").exists() else folder.glob("*.width")
    kept.write_bytes(b"nothing that can be trusted")
    assert width.chosen() == first
    assert made == [times] * 2


def test_where_nothing_can_be_kept_the_processors_name_decides(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = counted(monkeypatch, 2.0)
    for place in ("", str(folder / "file" / "in_it")):
        folder.mkdir(exist_ok=True)
        (folder / "file").write_text("no folder")
        monkeypatch.setenv("VALUEGRAD_CACHE", place)
        for processor, numbers in (("znver4", 4), ("znver5", 8), ("sapphirerapids", 8)):
            monkeypatch.setattr(jit, "processor", lambda name=processor: name)
            assert width.chosen() == (numbers, f"the processor is {processor}; a measurement cannot be kept")
    assert not made


def test_a_processor_without_wide_registers_has_four(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = counted(monkeypatch, 2.0)
    monkeypatch.setattr(jit, "has_wide_registers", lambda: False)
    assert width.chosen() == (4, "the processor has no wider ones")
    assert not made
    assert not folder.exists()


def test_a_measurement_is_a_number_and_leaves_no_code(folder: Path) -> None:
    assert 0.05 < width.gain() < 20.0
    assert not list(folder.glob("*.o"))


def test_the_variable_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    for numbers in width.WIDTHS:
        monkeypatch.setenv(width.VARIABLE, str(numbers))
        assert width.chosen() == (numbers, "VALUEGRAD_WIDTH says so")
    for wrong in ("2", "16", "eight", " "):
        monkeypatch.setenv(width.VARIABLE, wrong)
        with pytest.raises(ValueError, match=f"VALUEGRAD_WIDTH is 4 or 8, .*, not '{wrong}'"):
            width.chosen()


@pytest.mark.parametrize("backend", NATIVE)
def test_the_report_says_it(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for numbers in width.WIDTHS:
        monkeypatch.setenv(width.VARIABLE, str(numbers))
        step = autograd.compile(lambda x: x * 2.0, backend=backend)
        step(np.ones(3))
        assert step.report().programs[0].width == (numbers, "VALUEGRAD_WIDTH says so")
        assert f"\n    {numbers} numbers a register, because VALUEGRAD_WIDTH says so" in str(step.report())
    step = autograd.compile(lambda x: x * 2.0, backend="numpy")
    step(np.ones(3))
    assert step.report().programs[0].width is None
    assert "register" not in str(step.report())


def test_each_width_has_code_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = set()
    for numbers in width.WIDTHS:
        monkeypatch.setenv(width.VARIABLE, str(numbers))
        step = autograd.compile(lambda x: x, backend="machine", reduce=None)
        step(np.ones(3))
        texts |= {step.report().programs[0].ir(), program.text(numbers)}
    assert len({cache.key_of(text) for text in texts}) == 4


def same_at_each_width(
    monkeypatch: pytest.MonkeyPatch, f: Callable[..., Any], columns: list[Any], **options: Any
) -> None:
    """Values, and the gradient by parameters and arguments, of both back ends that have widths."""
    for backend in NATIVE:
        found = []
        for numbers in width.WIDTHS:
            monkeypatch.setenv(width.VARIABLE, str(numbers))
            step = autograd.compile(f, backend=backend, **options)
            value, gradient = step.value_and_grad(*columns)
            parts = gradient if isinstance(gradient, tuple) else (gradient,)
            each = [number for part in parts for number in (part if isinstance(part, tuple) else (part,))]
            found.append([bits(step(*columns)), bits(value), *map(bits, each)])
        assert found[0] == found[1], backend


@pytest.mark.parametrize(
    "row", [row for row in TABLE.values() if not row.n_ary and runs_natively([row])], ids=lambda row: row.name
)
def test_each_primitive_is_the_same(row: Primitive, monkeypatch: pytest.MonkeyPatch) -> None:
    some = (0.0, -0.0, 1.0, -1.0, 0.5, -2.25, 5e-324, -3e-310, 800.0, -30.0, 1e308, -1e17, np.inf, -np.inf, np.nan)
    columns = [np.array(column) for column in zip(*itertools.product(some, repeat=row.arity), strict=True)]
    columns = [column[:: max(len(column) // 900, 1)] for column in columns]
    f = maker(row)
    if row.compares:
        f = lambda x, y: autograd.where(maker(row)(x, y), x, 2.0 * y)  # noqa: E731 - a condition is no number
    if row.name == "where":
        f = lambda x, y, z: autograd.where(x > 0.0, y, z)  # noqa: E731
    for reduce in (None, "sum"):
        same_at_each_width(monkeypatch, lambda *xs: f(*xs), columns, wrt=range(row.arity), reduce=reduce)


def loop(x: Any, w: Any) -> Any:
    """A recorded loop: carries, elements, results."""
    last, results = autograd.scan(lambda c, e: (autograd.tanh(c * w + e), c * e), x, [x * k for k in range(9)])
    return last + autograd.sum(results)


@pytest.mark.parametrize("samples", SIZES)
@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("activation", ["tanh", "relu", "gelu"])
def test_networks_are_the_same(activation: str, fast: bool, samples: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Layers that are loops in machine code, and of four neurons in the interpreter; and the smaller ones."""
    X = np.random.default_rng(samples).normal(size=(samples, 9))
    y = np.random.default_rng(samples).integers(0, 5, samples).astype(float)
    for sizes in ([12, 5], [3, 5]):
        model = nn.MLP(9, sizes, activation, seed=1)
        same_at_each_width(
            monkeypatch,
            lambda x, label, model=model: nn.losses.cross_entropy(model(x), label),
            [X, y], params=model.parameters(), fast=fast,
        )  # fmt: skip


@pytest.mark.parametrize("samples", SIZES)
@pytest.mark.parametrize("threads", [1, 2])
def test_loops_are_the_same(samples: int, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    w = Value(0.75)
    x = np.random.default_rng(samples).normal(size=3 * samples)[::3]  # not side by side
    same_at_each_width(monkeypatch, lambda x: loop(x, w), [x], params=[w], threads=threads)


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("wide", [False, True])
def test_layers_of_four_do_not_depend_on_the_registers_that_there_are(
    fast: bool, wide: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = nn.MLP(9, [12, 5, 1], "relu", seed=1)
    X = np.random.default_rng(4).normal(size=(77, 9))
    monkeypatch.setattr(replay, "has_wide_registers", lambda: wide)
    replay.interpreter.cache_clear()
    same_at_each_width(monkeypatch, model, [X], params=model.parameters(), fast=fast)
    replay.interpreter.cache_clear()
