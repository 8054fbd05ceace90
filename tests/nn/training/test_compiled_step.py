"""``compiled_step``: the steps of ``fit`` in a loop of one's own, and what it refuses."""

import math
import threading
from typing import Any

import numpy as np
import pytest

import nn
from autograd import GuardError, RecordingError, Value
from autograd.compiled.backends.native.workers import FAILED, Workers
from tests.compiled.replays import steps_taken_natively

CHANCE = np.random.default_rng(1)
X = CHANCE.uniform(-1.0, 1.0, (50, 4))
Y = X[:, 0] * X[:, 1] - X[:, 2]


def made(optimizer: Any = nn.Adam, **options: Any) -> tuple[Any, Any, Any]:
    model = nn.MLP(4, [6, 1], seed=5)
    moves = optimizer(model.parameters(), 0.02)
    return model, moves, nn.compiled_step(model, "mse", moves, **options)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"penalty": nn.L2(0.01), "clip_value": 0.2},
        {"clip_norm": 0.1},
        {"penalty": lambda model: 0.01 * model.parameters()[0] ** 2},
    ],
)
def test_it_is_what_fit_does(options: dict[str, Any]) -> None:
    model, optimizer, step = made(batch_size=8, **options)
    chance = nn.randomness.seeded(7)
    losses = [step.epoch(X, Y, nn.randomness.permutation(50, chance)) for _ in range(4)]
    other = nn.MLP(4, [6, 1], seed=5)
    moves = nn.Adam(other.parameters(), 0.02)
    history = nn.fit(
        other, X, Y, loss="mse", optimizer=moves, epochs=4, batch_size=8, seed=7, progress=False, **options
    )
    assert losses == history.losses
    assert model.state_dict() == other.state_dict()
    assert (optimizer.means, optimizer.squares, optimizer.steps) == (moves.means, moves.squares, 28)


def test_an_epoch_is_its_steps() -> None:
    model, optimizer, step = made(batch_size=20)
    mean = step.epoch(X, Y)
    other, moves, by_hand = made()
    parts = [by_hand(X[first : first + 20], Y[first : first + 20]) for first in (0, 20, 40)]
    assert mean == (20 * parts[0] + 20 * parts[1] + 10 * parts[2]) / 50
    assert model.state_dict() == other.state_dict()
    assert (optimizer.means, optimizer.steps) == (moves.means, 3)


def test_it_is_the_eager_loop() -> None:
    model, _, step = made(nn.SGD)
    loss = step(X, Y)
    other = nn.MLP(4, [6, 1], seed=5)
    moves = nn.SGD(other.parameters(), 0.02)
    cost = nn.cost(other, X, Y, "mse")
    cost.backward()
    moves.step()
    assert loss == pytest.approx(cost.data, rel=1e-13, abs=0.0)
    expected = [p.data for p in other.parameters()]
    assert [p.data for p in model.parameters()] == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_what_is_written_between_calls_counts() -> None:
    model, optimizer, step = made()
    step(X, Y)
    model.layers[0].neurons[3].w[1].data = 0.75
    optimizer.learning_rate, optimizer.betas = 0.5, (0.5, 0.5)
    optimizer.means[0] = 3.0
    step(X, Y)
    other, moves, eager = made()
    eager(X, Y)
    other.layers[0].neurons[3].w[1].data = 0.75
    moves.learning_rate, moves.betas = 0.5, (0.5, 0.5)
    moves.means[0] = 3.0
    gradient = nn.compiled_step(other, "mse", nn.SGD(other.parameters(), 1.0))
    before = [p.data for p in other.parameters()]
    gradient(X, Y)
    for p, number in zip(other.parameters(), before, strict=True):
        p.grad, p.data = number - p.data, number
    moves.step()
    expected = [p.data for p in other.parameters()]
    assert [p.data for p in model.parameters()] == pytest.approx(expected, rel=1e-7, abs=1e-9)


class Shared(nn.Module):
    """Some of what it computes is the same for all samples."""

    def __init__(self) -> None:
        self.w, self.b = [Value(0.5), Value(-0.25)], Value(2.0)

    def __call__(self, x: Any) -> Any:
        scale = self.b * self.b + self.w[0].tanh()
        return scale * (self.w[0] * x[0] + self.w[1] * x[1])


@pytest.mark.parametrize("fits", [True, False])
def test_what_samples_share_is_native_too(fits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the interpreter, which ``fit`` takes for few samples, and in machine code."""
    taken = steps_taken_natively(monkeypatch)
    found = []
    for compile in (True, False):
        model = Shared()
        optimizer = nn.Adam([*model.w, model.b], 0.02)
        if fits or not compile:
            nn.fit(
                model, X[:, :2], Y, loss="mse", optimizer=optimizer, epochs=4, progress=False, compile=compile,
                batch_size=None,
            )  # fmt: skip
        else:
            step = nn.compiled_step(model, "mse", optimizer)
            for _ in range(4):
                step.epoch(X[:, :2], Y)
        found.append([p.data for p in model.parameters()])
    assert found[0] == pytest.approx(found[1], rel=1e-11, abs=0.0)
    assert sum(taken) == 3


@pytest.mark.parametrize(("size", "ordered"), [(2_500, False), (2_500, True), (3_001, True), (5_000, False)])
def test_results_do_not_depend_on_threads(size: int, ordered: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which share the chunks of a batch in native code, more threads than chunks too."""
    taken = steps_taken_natively(monkeypatch)
    many = CHANCE.uniform(-1.0, 1.0, (5_000, 4))
    order = CHANCE.permutation(5_000) if ordered else None
    found = []
    for threads in (1, 2, 3, 7):
        taken.clear()
        model, optimizer, step = made(batch_size=size, threads=threads)
        losses = [step.epoch(many, many[:, 0], order) for _ in range(3)]
        found.append((losses, model.state_dict(), optimizer.means))
        assert sum(taken) == optimizer.steps - 1
    assert found[0] == found[1] == found[2] == found[3]
    assert "valuegrad" not in [thread.name for thread in threading.enumerate()]


def test_a_thread_that_cannot_begin_ends_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    model, optimizer, step = made(batch_size=2_500, threads=3)
    many = CHANCE.uniform(-1.0, 1.0, (5_000, 4))
    step.epoch(many, many[:, 0])
    step.epoch(many, many[:, 0])

    def fails(self: Workers, *_: Any) -> None:
        self.sync[FAILED] = 1

    monkeypatch.setattr(Workers, "_run_one", fails)
    step.epoch(many, many[:, 0])
    other, moves, alone = made(batch_size=2_500)
    for _ in range(3):
        alone.epoch(many, many[:, 0])
    assert model.state_dict() == other.state_dict()
    assert optimizer.means == moves.means


def test_calls_from_several_threads_take_turns() -> None:
    model, optimizer, step = made(nn.SGD, batch_size=10)
    threads = [threading.Thread(target=lambda: [step.epoch(X, Y) for _ in range(5)]) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other, _, by_one = made(nn.SGD, batch_size=10)
    for _ in range(15):
        by_one.epoch(X, Y)
    assert optimizer.steps == 75
    assert model.state_dict() == other.state_dict()


def test_integers_lists_and_columns_are_samples_too() -> None:
    model = nn.MLP(2, [3], seed=1)
    step = nn.compiled_step(model, "cross_entropy", nn.SGD(model.parameters(), 0.1))
    loss = step([[0, 1], [1, 0], [1, 1]], [0, 2, 1])
    other = nn.MLP(2, [3], seed=1)
    eager = nn.cost(other, [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 2, 1], "cross_entropy")
    assert loss == pytest.approx(eager.data, rel=1e-14, abs=0.0)


def reads_a_number(output: Any, target: Any) -> Any:
    return (output - target) ** 2 if output.data > 0 else output - target


def branches(output: Any, target: Any) -> Any:
    return (output - target) ** 2 if output > 0 else output - target


class Stepping(nn.SGD):
    def step(self) -> None:
        super().step()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda m: nn.compiled_step(m, "mse", Stepping(m.parameters())), TypeError, "an optimizer that is its rule"),
        (lambda m: nn.compiled_step(m, "mse", nn.SGD([Value(1.0)])), ValueError, "built over other parameters"),
        (lambda m: nn.compiled_step(m, "msee", nn.SGD(m.parameters())), ValueError, "no loss is called 'msee'"),
        (lambda m: nn.compiled_step(m, "mse", nn.SGD(m.parameters()), clip_norm=0.0), ValueError, "clip_norm must be"),
        (lambda m: nn.compiled_step(m, "mse", nn.SGD(m.parameters()), batch_size=0), ValueError, "batch_size must be"),
        (lambda m: nn.compiled_step(m, "mse", nn.SGD(m.parameters()))(X[:, :3], Y), ValueError, r"\(N, 4\); its shape"),
        (lambda m: nn.compiled_step(m, "mse", nn.SGD(m.parameters()))(X, Y[:9]), ValueError, "50 samples, but y has 9"),
        (lambda m: nn.compiled_step(m, "mse", nn.SGD(m.parameters()))(X, ["a"] * 50), ValueError, "could not convert"),
        (lambda m: nn.compiled_step(m, "mse", nn.SGD(m.parameters()))(X[:0], Y[:0]), ValueError, "over no samples"),
        (
            lambda m: nn.compiled_step(m, "mse", nn.SGD(m.parameters())).epoch(X, Y, [0, 50]),
            IndexError,
            "goes from 0 to 50; there are 50",
        ),
        (
            lambda m: nn.compiled_step(m, "mse", nn.SGD(m.parameters())).epoch(X, Y, [0, -1]),
            IndexError,
            "goes from -1 to 0; there are 50",
        ),
        (lambda m: nn.compiled_step(m, reads_a_number, nn.SGD(m.parameters()))(X, Y), RecordingError, "the number of"),
        (
            lambda m: nn.compiled_step(m, branches, nn.SGD(m.parameters()))(X, Y),
            GuardError,
            "no single branch is right",
        ),
        (
            lambda m: nn.compiled_step(m, "mse", nn.SGD(m.parameters()))(X, [math.nan] * 50),
            ValueError,
            r"y\[0\]: the target is nan",
        ),
    ],
)
def test_what_it_refuses(make: Any, error: type[Exception], message: str) -> None:
    model = nn.MLP(4, [2, 1], seed=5)
    before = model.state_dict()
    with pytest.raises(error, match=message):
        make(model)
    assert model.state_dict() == before


def test_after_an_error_the_next_call_works() -> None:
    model, optimizer, step = made()
    with pytest.raises(ValueError, match="samples"):
        step(X, Y[:9])
    step(X, Y)
    assert optimizer.steps == 1
    assert any(math.isfinite(p.data) for p in model.parameters())


def test_a_class_that_is_none_is_told() -> None:
    model = nn.MLP(4, [3], seed=1)
    step = nn.compiled_step(model, "cross_entropy", nn.SGD(model.parameters(), 0.1))
    with pytest.raises(ValueError, match=r"y\[1\]: cross_entropy wants an integer class 0 … 2; it is 3"):
        step(X[:3], [0, 3, 1])
