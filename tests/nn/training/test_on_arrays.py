"""Steps on arrays and in native code: the bits of steps upon Values, whoever looks or writes in between."""

import copy
import gc
import math
import pickle
import signal
import time
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd
import nn
from autograd import GuardError, Value, descent, where
from autograd.compiled.backends import choice
from autograd.compiled.descent import Descent
from autograd.compiled.native_steps import NativeSteps
from autograd.compiled.prepared import Prepared
from autograd.compiled.runs import Runs
from nn.optimizers import Optimizer
from nn.randomness import permutation, seeded
from nn.training.on_arrays import OnArrays
from tests.compiled.replays import steps_taken_natively

CHANCE = np.random.default_rng(4)
X = CHANCE.uniform(-1.0, 1.0, (30, 3))
Y = np.sin(X.sum(axis=1))


class Own(Optimizer):
    """Two states, a function of the number system, the rate and the step: all that a rule may use."""

    STATE, SETTINGS = ("means", "counts"), ("smoothing", "shrinks")

    def __init__(self, parameters: Any, learning_rate: float = 0.05) -> None:
        super().__init__(parameters, learning_rate=learning_rate)
        self.smoothing, self.shrinks = 0.75, True
        self.means, self.counts = [0.0] * len(self.parameters), [1.0] * len(self.parameters)

    @staticmethod
    def rule(m: Any, p: Any, g: Any, state: Any, rate: Any, step: Any, settings: Any) -> Any:
        mean = settings.smoothing * state[0] + (1.0 - settings.smoothing) * g
        count = state[1] + m.where(m.greater(g * mean, 0.0), 1.0, 0.0)
        down = rate * m.sign(mean) * m.sqrt(m.abs(mean)) / count
        return (p - down / step if settings.shrinks else p - down), (mean, count)


OPTIMIZERS: dict[str, Callable[[Any], Optimizer]] = {
    "SGD": lambda p: nn.SGD(p, 0.05),
    "decay": lambda p: nn.SGD(p, 0.05, weight_decay=0.01),
    "Nesterov": lambda p: nn.SGD(p, 0.05, momentum=0.9, nesterov=True),
    "RMSprop": lambda p: nn.RMSprop(p, momentum=0.5),
    "Adagrad": lambda p: nn.Adagrad(p, 0.05, weight_decay=0.01),
    "Adam": lambda p: nn.Adam(p, 0.01),
    "AdamW": lambda p: nn.AdamW(p, 0.01),
    "own": Own,
}


def upon_values(optimizer: Optimizer) -> Optimizer:
    """The optimizer with a ``step`` of its own, so that each is taken upon Values."""
    kind = type(optimizer)
    optimizer.__class__ = type(kind.__name__, (kind,), {"step": lambda self: kind.step(self)})
    return optimizer


def trained(make: Callable[[Any], Optimizer], way: str, **options: Any) -> dict[str, Any]:
    """All that a training leaves: by native code, by arrays of NumPy alone, or upon Values."""
    own = Descent._native
    model = nn.MLP(3, [5, 1], seed=2)
    optimizer = make(options.pop("of", lambda model: model.parameters())(model))
    settings: dict[str, Any] = {"loss": "mse", "epochs": 5, "batch_size": 7, "seed": 3, "progress": False}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Descent, "_native", own if way == "native" else lambda *args: None)
        taken = steps_taken_natively(patch)
        chosen = upon_values(optimizer) if way == "values" else optimizer
        history = nn.fit(model, X, Y, optimizer=chosen, **{**settings, **options})
    return {
        "losses": history.losses, "penalties": history.penalties, "weights": [p.data for p in model.parameters()],
        "states": [getattr(optimizer, name) for name in optimizer.STATE], "steps": optimizer.steps,
        "still": history.never_moved, "validation": history.validation_losses, "natively": sum(taken),
    }  # fmt: skip


def assert_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    for key in one.keys() - {"natively", "validation"}:
        assert one[key] == other[key], key
    # It is computed by floats or by NumPy, which has an exponential of its own.
    assert one["validation"] == pytest.approx(other["validation"], rel=1e-14, abs=0.0)


OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "whole": {"batch_size": None},
    "clip_value": {"clip_value": 0.05},
    "clip_norm": {"clip_norm": 0.1},
    "schedule": {"schedule": nn.schedules.Cosine(5)},
    "frozen": {"of": lambda model: [*model.layers[1].parameters(), model.layers[0].neurons[2].w[1]]},
}


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_native_code_and_arrays_and_values_agree_to_the_last_bit(name: str, option: str) -> None:
    native, arrays, values = (
        trained(OPTIMIZERS[name], way, **OPTIONS[option]) for way in ("native", "arrays", "values")
    )
    assert_same(native, arrays)
    assert_same(native, values)
    assert native["natively"] == native["steps"] - 1  # the first one records
    assert arrays["natively"] == values["natively"] == 0


@pytest.mark.parametrize("penalty", [nn.L1(0.01), nn.L2(0.01), nn.L2(0.01, biases=True)])
def test_a_penalty_in_native_code(penalty: Any) -> None:
    native, arrays, values = (
        trained(OPTIMIZERS["Adam"], way, penalty=penalty) for way in ("native", "arrays", "values")
    )
    assert_same(native, arrays)
    assert native["natively"] == native["steps"] - 1
    # Both halves of the derivative of w·w are added to the gradient at once, so it is rounded once less.
    assert native["penalties"] == pytest.approx(values["penalties"], rel=1e-13, abs=0.0)
    assert native["weights"] == pytest.approx(values["weights"], rel=1e-10, abs=1e-14)


def test_a_penalty_of_ones_own_is_asked_anew_at_every_step() -> None:
    asked: list[int] = []

    def penalty(model: Any) -> Value:
        asked.append(1)
        return (0.01 * len(asked)) * model.parameters()[0] ** 2

    native = trained(OPTIMIZERS["SGD"], "native", penalty=penalty)
    assert len(asked) == native["steps"] == 25
    asked.clear()
    assert_same(native, trained(OPTIMIZERS["SGD"], "values", penalty=penalty))


def test_samples_are_let_go_at_the_end_though_the_optimizer_lives() -> None:
    model = nn.MLP(3, [5, 1], seed=2)
    optimizer = nn.Adam(model.parameters())
    given, lives = X.copy(), []
    own = OnArrays.arrays

    def arrays(self: OnArrays, *args: Any) -> Any:
        found = own(self, *args)
        lives.append(weakref.ref(found[0]))
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(OnArrays, "arrays", arrays)
        nn.fit(model, given, Y, loss="mse", optimizer=optimizer, epochs=3, batch_size=7, progress=False)
    gc.collect()
    assert [reference() for reference in lives] == [None]
    assert optimizer.steps == 15


def bent(model: Any) -> Value:
    w = model.parameters()[0]
    return 0.02 * w * w if w > 0.5 else 0.03 * w.abs()


#: Penalties of one's own, and whether they can be recorded.
OWN_PENALTIES: dict[str, tuple[Callable[[Any], Any], bool]] = {
    "squares": (lambda model: 0.01 * autograd.sum([p**2 for p in model.parameters()]), True),
    "both": (lambda model: nn.L1(0.01)(model) + nn.L2(0.02)(model), True),
    "decides": (bent, True),
    "of two": (lambda model: 0.1 * model.parameters()[1] * model.parameters()[2], True),
    "reads a number": (lambda model: (0.01 + 0.0 * model.parameters()[0].data) * model.parameters()[0] ** 2, False),
    "nothing": (lambda model: 0, False),
}


@pytest.mark.parametrize("name", OWN_PENALTIES)
@pytest.mark.parametrize("callbacks", [0, 1])
def test_a_penalty_of_ones_own_is_native_once_it_computed_the_same_twice(name: str, callbacks: int) -> None:
    """And is asked again where a callback may have changed it."""
    own, records = OWN_PENALTIES[name]
    asked: list[int] = []

    def penalty(model: Any) -> Any:
        asked.append(1)
        return own(model)

    options: dict[str, Any] = {"penalty": penalty, "callbacks": [lambda training: None] * callbacks}
    native, values = (trained(OPTIMIZERS["Adam"], way, **options) for way in ("native", "values"))
    # The terms of its gradient are added to each other before they are added to the loss's, where it is recorded.
    assert native["weights"] == pytest.approx(values["weights"], rel=1e-10, abs=1e-14)
    assert native["penalties"] == pytest.approx(values["penalties"], rel=1e-12, abs=0.0)
    asked_in_arrays = len(asked) - values["steps"]
    if records:
        again = 4 if callbacks else 1  # after the first epoch it is looked who moved
        assert native["natively"] == native["steps"] - 3 - again
        assert asked_in_arrays == 4 + again  # two that count, two of the recording
    else:
        assert native["natively"] == 0


def test_a_penalty_that_a_callback_changes_is_obeyed() -> None:
    class Growing:
        strength = 0.01

        def __call__(self, model: Any) -> Any:
            return self.strength * autograd.sum([p**2 for p in model.parameters()])

    def grow(training: Any) -> None:
        penalty.strength *= 2.0

    found = []
    for way in ("native", "values"):
        penalty = Growing()
        found.append(trained(OPTIMIZERS["SGD"], way, penalty=penalty, callbacks=[grow]))
    assert found[0]["penalties"] == pytest.approx(found[1]["penalties"], rel=1e-12, abs=0.0)
    assert found[0]["weights"] == pytest.approx(found[1]["weights"], rel=1e-11, abs=0.0)


def test_a_penalty_that_is_no_number_is_told() -> None:
    with pytest.raises(TypeError, match="the penalty is 'much', not one Value"):
        trained(OPTIMIZERS["SGD"], "native", penalty=lambda model: "much")


def writes_a_parameter(training: Any) -> None:
    if training.epoch == 2:
        training.model.layers[0].neurons[1].w[2].data = 0.125


def changes_a_setting(training: Any) -> None:
    training.optimizer.betas = (0.5, 0.75)


def changes_what_is_kept(training: Any) -> None:
    training.optimizer.means[3] = 0.25
    training.optimizer.squares = [2.0 * x for x in training.optimizer.squares]


def replaces_what_is_kept(training: Any) -> None:
    count = len(training.optimizer.parameters)
    training.optimizer.squares = [0.5] * count
    training.optimizer.means = [0.25] * count


def changes_the_rate(training: Any) -> None:
    training.optimizer.learning_rate *= 0.5


@pytest.mark.parametrize(
    "callback",
    [writes_a_parameter, changes_a_setting, changes_what_is_kept, replaces_what_is_kept, changes_the_rate],
)
def test_what_a_callback_changes_is_obeyed(callback: Any) -> None:
    native = trained(OPTIMIZERS["Adam"], "native", callbacks=[callback])
    assert_same(native, trained(OPTIMIZERS["Adam"], "values", callbacks=[callback]))
    assert native["natively"] == 24
    untouched = trained(OPTIMIZERS["Adam"], "native")
    assert native["weights"] != untouched["weights"] or callback is changes_the_rate


class Plain(Optimizer):
    """It keeps nothing."""

    @staticmethod
    def rule(m: Any, p: Any, g: Any, state: Any, rate: Any, step: Any, settings: Any) -> Any:
        return p - rate * g, ()


@pytest.mark.parametrize("make", [OPTIMIZERS["Nesterov"], lambda p: Plain(p, learning_rate=0.05)])
def test_an_optimizer_that_is_given_other_parameters_moves_these(make: Any) -> None:
    def freeze(training: Any) -> None:
        if training.epoch == 2:
            training.optimizer.parameters = training.optimizer.parameters[:7]
            if hasattr(training.optimizer, "velocities"):
                training.optimizer.velocities = training.optimizer.velocities[:7]

    native, values = (trained(make, way, callbacks=[freeze]) for way in ("native", "values"))
    assert_same(native, values)
    assert native["natively"] == 9


def test_what_a_callback_sees() -> None:
    def look(training: Any) -> None:
        seen.append([(p.data, p.grad) for p in training.model.parameters()])
        seen.append([*training.optimizer.means, *training.optimizer.squares, training.optimizer.steps])

    found = []
    for way in ("native", "values"):
        seen: list[Any] = []
        trained(OPTIMIZERS["Adam"], way, callbacks=[look])
        found.append(seen)
    assert found[0] == found[1]
    assert len(found[0]) == 10


@pytest.mark.parametrize("around", [lambda own: own, lambda own: nn.schedules.WarmUp(1, then=own)])
def test_a_progress_of_ones_own_and_a_schedule_of_ones_own_see_the_values(around: Any) -> None:
    class Looking:
        def factor(self, epoch: int, losses: Any = ()) -> float:
            seen.append([p.data for p in models[-1].parameters()])
            return 1.0

    def progress(epoch: int, loss: float) -> None:
        seen.append([p.data for p in models[-1].parameters()])

    models: list[Any] = []

    def of(model: Any) -> Any:
        models.append(model)
        return model.parameters()

    found = []
    for way in ("native", "values"):
        seen: list[Any] = []
        trained(OPTIMIZERS["SGD"], way, of=of, schedule=around(Looking()))
        trained(OPTIMIZERS["SGD"], way, of=of, progress=progress)
        found.append(seen)
    assert found[0] == found[1]


def test_the_loss_of_a_validation() -> None:
    rising = (X[:11], -Y[:11])
    options: dict[str, Any] = {"validation": rising, "keep_best": True, "patience": 2, "epochs": 40}
    native, values = (trained(OPTIMIZERS["Adam"], way, **options) for way in ("native", "values"))
    assert_same(native, values)
    assert len(native["losses"]) < 40
    eager = trained(OPTIMIZERS["Adam"], "values", **options, compile=False)
    assert native["validation"] == pytest.approx(eager["validation"], rel=1e-11, abs=0.0)


@pytest.mark.parametrize("of", [lambda model: model.parameters(), OPTIONS["frozen"]["of"]])
def test_values_are_written_only_when_somebody_can_see_them(of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for the best weights, not for early stopping, not for metrics that have names."""
    own, writes = Descent.write, []
    monkeypatch.setattr(Descent, "write", lambda self, **options: writes.append(1) or own(self, **options))
    options: dict[str, Any] = {
        "validation": (X[:11], -Y[:11]), "keep_best": True, "patience": 4, "metrics": ["r2", "mse"], "epochs": 40,
    }  # fmt: skip
    found = []
    for compile in (True, False):
        writes.clear()
        model = nn.MLP(3, [5, 1], seed=2)
        history = nn.fit(
            model, X, Y, loss="mse", optimizer=nn.SGD(of(model), 0.05), batch_size=7, progress=False, compile=compile,
            **options,
        )  # fmt: skip
        assert 4 < history.epochs < 40
        assert history.best_epoch == history.epochs - 4
        assert history.metrics.keys() == history.validation_metrics.keys() == {"r2", "mse"}
        measured = [*history.metrics.values(), *history.validation_metrics.values()]
        found.append([*(p.data for p in model.parameters()), *(number for each in measured for number in each)])
        if compile:
            assert len(writes) <= 5  # three recordings, the end
    assert found[0] == pytest.approx(found[1], rel=1e-10, abs=0.0)


def test_a_metric_of_ones_own_sees_the_values() -> None:
    def weight(outputs: Any, targets: Any) -> float:
        assert len(outputs) == len(targets) == 30
        return float(models[-1].layers[0].neurons[0].w[0].data)

    models: list[Any] = []

    def of(model: Any) -> Any:
        models.append(model)
        return model.parameters()

    seen = []
    for way in ("native", "values"):
        model = nn.MLP(3, [5, 1], seed=2)
        optimizer = nn.SGD(of(model), 0.05)
        chosen = optimizer if way == "native" else upon_values(optimizer)
        history = nn.fit(
            model, X, Y, loss="mse", optimizer=chosen, epochs=3, batch_size=7, progress=False, metrics=[weight, "mse"]
        )
        seen.append(history.metrics["weight"])
    assert seen[0] == seen[1]
    assert len({*seen[0]}) == 3


class Branching(nn.Module):
    """It decides by a parameter, which passes the bound amid an epoch."""

    def __init__(self) -> None:
        self.w = Value(0.0, "w")

    def __call__(self, x: Any) -> Any:
        if self.w < 0.5:
            return self.w * x[0]
        return self.w * x[0] + 0.01 * self.w


class Sided(Branching):
    """It decides by the sample, on the same side for a whole batch."""

    def __call__(self, x: Any) -> Any:
        return 0.5 * self.w * x[0] if x[0] > 0.0 else self.w * x[0] + 0.25


class Inside(Branching):
    """It decides in a branch of ``where``, which not every sample takes."""

    def __call__(self, x: Any) -> Any:
        return where(x[0] > 1.5, lambda: self.w * 2.0 if self.w * x[0] < 1.0 else self.w * 1.5, lambda: self.w * x[0])


def decided(weight: Value) -> Value:
    return weight * weight if weight < 0.3 else 0.5 * weight


GUARDED: dict[str, tuple[type[Branching], Any, Any, int]] = {
    "by a parameter": (Branching, np.ones((40, 1)), None, 2),
    "by the sample": (Sided, np.repeat([1.0, -1.0, -2.0, 2.0, 1.0], 8)[:, None], None, 2 * 10),
    "inside of a branch": (Inside, np.tile([1.0, 2.0], 20)[:, None], None, 2),
    "in the penalty": (Branching, np.ones((40, 1)), lambda model: decided(model.w), 3),
}


def going_down(model: Branching, penalty: Any = None) -> tuple[Descent, nn.SGD]:
    moves = nn.SGD([model.w], 0.05, momentum=0.5)
    down = descent(
        lambda x, y: (model(x) - y) ** 2, [model.w], moves.rule,
        penalty=None if penalty is None else lambda: penalty(model),
    )  # fmt: skip
    down.begin([[0.0]], 0)
    return down, moves


@pytest.mark.parametrize("kind", GUARDED)
@pytest.mark.parametrize("ordered", [False, True])
def test_a_guard_that_fails_within_an_epoch_records_again(
    kind: str, ordered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the weights of that step, which is the only one that is not native."""
    Model, given, penalty, most = GUARDED[kind]
    targets, found, counts = np.ones(40), [], []
    for native in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            taken = steps_taken_natively(patch)
            if not native:
                patch.setattr(Descent, "_native", lambda *args: None)
            down, moves = going_down(Model(), penalty)
            for _ in range(2):
                ran = down.run(
                    down.batches(given, targets, range(40) if ordered else None), 4, rate=0.05, settings=moves.settings
                )
                found.append((ran.steps, ran.total, ran.penalties, down.numbers.tolist(), down.states[0].tolist()))
            counts.append(20 - sum(taken))
    assert found[:2] == found[2:]
    assert found[0][0] == 10
    assert 2 <= counts[0] <= most
    assert counts[1] == 20
    w, v = 0.0, 0.0
    for step in range(20):
        weight, rows = Value(w), given[step % 10 * 4 :][:4]
        model = Model()
        model.w = weight
        for row in rows.tolist():
            ((model(row) - 1.0) ** 2).backward(0.25)
        if penalty is not None:
            decided(weight).backward()
        v = 0.5 * v + weight.grad
        w -= 0.05 * v
    assert found[1][3][0] == pytest.approx(w, rel=1e-11, abs=0.0)


def test_a_second_recording_amid_an_epoch_is_left_at_once() -> None:
    seen: list[float] = []
    left = False

    class Slow(Branching):
        def __call__(self, x: Any) -> Any:
            nonlocal left
            is_second = not self.w < 0.5
            if is_second:
                signal.raise_signal(signal.SIGINT)
                left = True
            return self.w * x[0]

    def handler(number: int, frame: Any) -> None:
        seen.append(model.w._data)
        raise KeyboardInterrupt

    model = Slow()
    before = signal.signal(signal.SIGINT, handler)
    try:
        history = nn.fit(
            model, np.ones((40, 1)), np.ones(40), loss="mse", optimizer=nn.SGD([model.w], 0.05), epochs=2, batch_size=4,
            progress=False,
        )  # fmt: skip
    finally:
        signal.signal(signal.SIGINT, before)
    assert (history.interrupted, left) == (True, False)
    assert 0.5 < model.w.data < 0.6
    assert seen == [model.w.data]


def test_where_some_samples_of_a_batch_decide_otherwise_it_is_told() -> None:
    down, moves = going_down(Sided())
    given = np.array([1.0] * 8 + [-1.0] * 2 + [1.0] * 2)[:, None]
    with pytest.raises(GuardError, match="for some samples and"):
        down.run(down.batches(given, np.ones(12)), 4, rate=0.05, settings=moves.settings)
    down.write()
    assert (down.ran.steps, down.steps) == (2, 2)


@pytest.mark.parametrize("kind", ["loss", "penalty"])
def test_a_step_that_is_not_finite_is_told_as_upon_values(kind: str) -> None:
    said = []
    for compile in (True, False):
        model = nn.MLP(1, [2, 1], "linear", seed=4)
        given = [[1.0], [2.0], [1.5], [0.5], [1e200], [1.0]]
        options = {"penalty": nn.L2(1.7e308)} if kind == "penalty" else {}
        with pytest.raises(nn.NonFiniteLoss) as caught:
            nn.fit(
                model, given, [0.5] * 6, loss="mse", optimizer=nn.SGD(model.parameters(), 1e-3), epochs=9,
                batch_size=2, compile=compile, seed=1, **options,
            )  # fmt: skip
        error = caught.value
        said.append((str(error), error.epoch, error.step, error.sample, error.parameter))
    assert said[0] == said[1]
    assert said[0][3] == (4 if kind == "loss" else None)


def test_weights_are_those_before_the_step_that_failed() -> None:
    model = nn.MLP(1, [2, 1], "linear", seed=4)
    optimizer = nn.SGD(model.parameters(), 1e-3, momentum=0.5)
    given, targets = np.array([[1.0], [2.0], [1.5], [0.5], [1e200], [1.0]]), np.full(6, 0.5)
    step = nn.compiled_step(model, "mse", optimizer, batch_size=1)
    with pytest.raises(nn.NonFiniteLoss, match=r"epoch 1, step 5: the loss of X\[4\] is inf"):
        step.epoch(given, targets)
    assert optimizer.steps == 4
    other = nn.MLP(1, [2, 1], "linear", seed=4)
    another = nn.SGD(other.parameters(), 1e-3, momentum=0.5)
    nn.compiled_step(other, "mse", another, batch_size=1).epoch(given[:4], targets[:4])
    assert other.state_dict() == model.state_dict()
    assert another.velocities == optimizer.velocities


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_answered_amid_an_epoch_at_a_whole_step(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its handler sees the weights of that step; Ctrl-C ends the training."""
    own, seconds, seen = NativeSteps.run, list[float](), list[Any]()

    def run(self: NativeSteps, *args: Any, **keywords: Any) -> Any:
        if len(seconds) == 5:
            signal.raise_signal(number)
        began = time.perf_counter()
        found = own(self, *args, **keywords)
        seconds.append(time.perf_counter() - began)
        return found

    def handler(number: int, frame: Any) -> None:
        seen.append(([p.data for p in model.parameters()], optimizer.steps, [*optimizer.velocities]))
        if number == signal.SIGINT:
            raise KeyboardInterrupt

    many, targets = np.tile(X, (1_000, 1)), np.tile(Y, 1_000)
    model = nn.MLP(3, [60, 60, 1], seed=1)
    optimizer = nn.SGD(model.parameters(), 1e-4, momentum=0.9)
    monkeypatch.setattr(NativeSteps, "run", run)
    before = signal.signal(number, handler)
    try:
        history = nn.fit(model, many, targets, loss="mse", optimizer=optimizer, epochs=1, batch_size=2, progress=False)
    finally:
        signal.signal(number, before)
    assert history.interrupted == (number == signal.SIGINT)
    assert max(seconds) < 2.0  # a tenth of a second each, on a machine that has nothing else to do
    ((weights, steps, velocities),) = seen
    assert 0 < steps < 15_000
    assert optimizer.steps == (steps if history.interrupted else 15_000)
    monkeypatch.undo()
    other = nn.MLP(3, [60, 60, 1], seed=1)
    again = nn.SGD(other.parameters(), 1e-4, momentum=0.9)
    order = permutation(30_000, seeded(0))[: 2 * steps]
    nn.compiled_step(other, "mse", again, batch_size=2).epoch(many, targets, order)
    assert [p.data for p in other.parameters()] == pytest.approx(weights, rel=1e-9, abs=1e-12)
    assert again.velocities == pytest.approx(velocities, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("backend", ["native", "numpy"])
@pytest.mark.parametrize("what", ["gradient", "losses", "outputs", "recording"])
def test_what_takes_long_is_left_at_once(what: str, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A handler sees the weights before it."""
    own, calls, seen = Runs.run, list[int](), list[Any]()
    left = False

    def run(self: Runs, arguments: Any, kind: str, *args: Any, **keywords: Any) -> Any:
        nonlocal left
        wanted = {"gradient": ("gradient", 7), "losses": ("values", 11), "outputs": ("values", 30)}
        is_it = what == "recording" or (kind, arguments.samples) == wanted[what]
        if is_it and not (what == "recording" and self.recordings_of(arguments, unroll=False).kept):
            calls.append(1)
            if len(calls) == (1 if what == "recording" else 3):
                signal.raise_signal(signal.SIGINT)
                left = True
        return own(self, arguments, kind, *args, **keywords)

    def handler(number: int, frame: Any) -> None:
        seen.append([p.data for p in model.parameters()])
        raise KeyboardInterrupt

    monkeypatch.setattr(Runs, "run", run)
    monkeypatch.setattr(Descent, "_native", lambda *args: None)
    if what != "recording":
        monkeypatch.setattr(Prepared, "is_short", lambda self, samples: False)
    if backend == "numpy":
        monkeypatch.setattr(choice, "_lack", lambda: choice._Lack("is not installed", ""))
        monkeypatch.setattr(choice, "_SAID", {"llvmlite is not installed, so recorded functions run on NumPy: "})
    model = nn.MLP(3, [5, 1], seed=2)
    before = signal.signal(signal.SIGINT, handler)
    try:
        history = nn.fit(
            model, X, Y, loss="mse", optimizer=nn.SGD(model.parameters(), 0.05), epochs=40, batch_size=7,
            progress=False, validation=(X[:11], Y[:11]), metrics=["mse"],
        )  # fmt: skip
    finally:
        signal.signal(signal.SIGINT, before)
    monkeypatch.undo()
    assert history.interrupted
    assert not left
    assert seen == [[p.data for p in model.parameters()]]
    steps = {"gradient": 2, "losses": 10, "outputs": 15, "recording": 0}[what]
    other = nn.MLP(3, [5, 1], seed=2)
    step = nn.compiled_step(other, "mse", nn.SGD(other.parameters(), 0.05), batch_size=7)
    chance = seeded(0)
    orders = [permutation(30, chance) for _ in range(4)]
    for order in [order[:28] if steps < 5 else order for order in orders][: -(-steps // 5)]:
        step.epoch(X, Y, order[: 7 * steps])
    assert seen[0] == pytest.approx([p.data for p in other.parameters()], rel=1e-11, abs=0.0)


@pytest.mark.filterwarnings("ignore:llvmlite is not installed")
def test_numpy_alone_takes_the_same_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """With relu there is nothing but arithmetic, so the bits are those of native code."""

    def weights() -> list[float]:
        model = nn.MLP(3, [5, 1], "relu", seed=2)
        nn.fit(model, X, Y, loss="mse", optimizer=nn.Adam(model.parameters()), epochs=4, batch_size=7, progress=False)
        return [p.data for p in model.parameters()]

    own, taken, natively = Descent._step, [], []
    native = weights()
    monkeypatch.setattr(choice, "find_spec", lambda name: None)
    monkeypatch.setattr(Descent, "_step", lambda *args: taken.append(own(*args)) or taken[-1])
    monkeypatch.setattr(NativeSteps, "run", lambda *args, **keywords: natively.append(True))
    assert weights() == native
    assert taken == [True] * 20
    assert natively == []


class WithUnused(nn.Module):
    """One parameter is in no loss, one in the penalty alone, and one is the same for all samples."""

    def __init__(self) -> None:
        self.w, self.weight, self.unused, self.b = Value(0.5), Value(2.0), [Value(1.0)], Value(0.25)

    def __call__(self, x: Any) -> Any:
        return self.w * x[0] + self.b * self.b


@pytest.mark.parametrize("penalty", [None, nn.L2(0.1)])
def test_parameters_without_a_gradient_of_the_samples(penalty: Any) -> None:
    found = []
    for made in (nn.Adam, lambda p: upon_values(nn.Adam(p))):
        model = WithUnused()
        history = nn.fit(
            model, X[:, :1], Y, loss="mse", optimizer=made(model.parameters()), epochs=3, batch_size=4,
            penalty=penalty, progress=False,
        )  # fmt: skip
        found.append([*[p.data for p in model.parameters()], *history.losses])
        assert ("unused[0]" in history.never_moved) == (penalty is None)
    assert found[0] == pytest.approx(found[1], rel=1e-12, abs=0.0)


def test_results_do_not_depend_on_threads() -> None:
    many, targets = np.tile(X, (120, 1)), np.tile(Y, 120)
    found = []
    for threads in (1, 2, 3):
        model = nn.MLP(3, [5, 1], seed=2)
        optimizer = nn.Adam(model.parameters())
        history = nn.fit(
            model, many, targets, loss="mse", optimizer=optimizer, epochs=3, batch_size=2_000, progress=False,
            threads=threads,
        )  # fmt: skip
        found.append((history.losses, model.state_dict(), optimizer.squares))
    assert found[0] == found[1] == found[2]


def test_an_optimizer_is_as_it_would_be_after_steps_upon_values() -> None:
    model = nn.MLP(3, [5, 1], seed=2)
    optimizer = nn.Adam(model.parameters())
    nn.fit(model, X, Y, loss="mse", optimizer=optimizer, epochs=2, progress=False)
    assert "means" not in vars(optimizer)  # until somebody asks
    copied, pickled = copy.copy(optimizer), pickle.loads(pickle.dumps(optimizer))
    assert len(optimizer.means) == 26
    assert copied.means == pickled.means == optimizer.means
    assert pickled.squares == optimizer.squares
    assert pickled.steps == optimizer.steps == 2
    with pytest.raises(AttributeError, match="'Adam' object has no attribute 'velocities'"):
        _ = optimizer.velocities  # type: ignore[attr-defined]


def test_what_is_assigned_to_an_optimizer_stays() -> None:
    model = nn.MLP(3, [5, 1], seed=2)
    optimizer = nn.Adam(model.parameters())
    nn.fit(model, X, Y, loss="mse", optimizer=optimizer, epochs=2, progress=False)
    optimizer.means = [0.5] * 26
    assert optimizer.squares != [0.0] * 26
    assert optimizer.means == [0.5] * 26
    squares = optimizer.squares
    nn.fit(model, X, Y, loss="mse", optimizer=optimizer, epochs=1, progress=False)
    assert all(x == pytest.approx(0.45, abs=0.1) for x in optimizer.means)
    assert optimizer.squares != squares


def test_it_says_whether_it_serves() -> None:
    model = nn.MLP(3, [1], seed=2)
    optimizer = nn.SGD(model.parameters())
    assert OnArrays(model, nn.mse, optimizer, model.parameters()).works
    assert not OnArrays(model, nn.mse, upon_values(optimizer), model.parameters()).works


def test_a_rule_that_only_arrays_can_do_is_run_over_arrays() -> None:
    class OverArrays(Optimizer):
        @staticmethod
        def rule(m: Any, p: Any, g: Any, state: Any, rate: Any, step: Any, settings: Any) -> Any:
            return p - rate * g / max(1.0, math.sqrt(float(step))), ()

    native = trained(lambda p: OverArrays(p, learning_rate=0.05), "native")
    assert_same(native, trained(lambda p: OverArrays(p, learning_rate=0.05), "values"))
    assert native["natively"] == 0


@pytest.mark.parametrize("optimizer", [lambda p: nn.SGD(p, 1e-309), lambda p: upon_values(nn.SGD(p, 1e-309))])
def test_a_batch_whose_losses_add_up_to_too_much_is_a_step_as_any_other(optimizer: Any) -> None:
    """Its mean loss and its mean gradient are floats."""
    found = []
    for compile in (True, False):
        model = nn.MLP(1, [1], output="linear")
        weight, _ = model.parameters()
        weight.data = 1.0
        history = nn.fit(
            model, [[1.6e308], [1.7e308]], [0.0, 0.0], loss=lambda p, t: p * 0.75, epochs=2, progress=False,
            optimizer=optimizer(model.parameters()), compile=compile,
        )  # fmt: skip
        found.append([history.epochs, *[p.data for p in model.parameters()]])
    assert found[0] == pytest.approx(found[1], rel=1e-14)
