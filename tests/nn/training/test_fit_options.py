"""The options of ``fit``: validation, metrics, schedules, penalties, clipping, early stopping, best weights."""

import functools
import math
from typing import Any

import pytest

import nn
from autograd import Value
from nn import L2, MLP, SGD, Adam, History, Module, NonFiniteLoss, Sequential, Training, fit, schedules
from nn.training.callbacks import BestEpoch

X = [[-1.0, 0.5], [0.0, 1.0], [1.0, -0.5], [2.0, 0.0], [0.5, 0.5]]
Y = [0.5, 1.0, -1.0, 0.0, 0.25]
LABELS = [0, 1, 0, 1, 1]


def trained(**options: Any) -> tuple[MLP, History]:
    model = MLP(2, [4, 1], seed=1)
    settings: dict[str, Any] = {"loss": "mse", "optimizer": SGD(model.parameters(), learning_rate=0.1), "epochs": 4}
    return model, fit(model, options.pop("X", X), options.pop("y", Y), **{**settings, **options})


ROWS = [[0.5, -1.0], [2.0, 0.25]]


def test_validation_losses_and_metrics_are_taken_after_each_epoch() -> None:
    model, history = trained(validation=(X[:2], Y[:2]), metrics=["r2", "mae", lambda p, t: float(len(p))])
    assert len(history.validation_losses) == history.epochs == 4
    assert history.validation_losses[-1] == pytest.approx(nn.cost(model, X[:2], Y[:2], "mse").data, rel=1e-14, abs=0.0)
    assert list(history.metrics) == list(history.validation_metrics) == ["r2", "mae", "<lambda>"]
    assert history.metrics["mae"][-1] == pytest.approx(nn.cost(model, X, Y, "mae").data, rel=1e-14, abs=0.0)
    assert history.metrics["<lambda>"] == [5.0] * 4
    assert history.validation_metrics["<lambda>"] == [2.0] * 4
    mean = sum(Y) / 5
    rest = sum((y - p) ** 2 for y, p in zip(Y, model.predict(X), strict=True))
    assert history.metrics["r2"][-1] == pytest.approx(1.0 - rest / sum((y - mean) ** 2 for y in Y), rel=1e-12, abs=0.0)
    assert "validation" in repr(history)


@pytest.mark.parametrize(
    ("loss", "widths", "output", "y"),
    [
        ("bce_with_logits", [1], "linear", LABELS),
        ("binary_cross_entropy", [1], "sigmoid", LABELS),
        ("hinge", [1], "linear", [2 * label - 1 for label in LABELS]),
        ("cross_entropy", [2], "linear", LABELS),
    ],
)
def test_accuracy_is_what_the_loss_decides_by(loss: str, widths: list[int], output: str, y: list[int]) -> None:
    model = MLP(2, [6, *widths], output=output, seed=0)
    optimizer = Adam(model.parameters(), learning_rate=0.1)
    history = fit(model, X, y, loss=loss, optimizer=optimizer, epochs=60, metrics=["accuracy"])
    assert history.metrics["accuracy"][-1] == 1.0
    assert 0.0 <= history.metrics["accuracy"][0] <= 1.0


def test_validation_with_a_loss_and_a_model_of_ones_own() -> None:
    class Line(Module):
        def __init__(self) -> None:
            self.slope = Value(0.0)

        def __call__(self, x: list[float]) -> Value:
            return self.slope * x[0]

    line = Line()
    history = fit(
        line,
        [[1.0], [2.0]],
        [2.0, 4.0],
        loss=lambda p, t: (p - t).square(),
        optimizer=SGD(line.parameters()),
        epochs=3,
        validation=([[3.0]], [6.0]),
        metrics=["mae"],
    )
    assert history.validation_losses[-1] == pytest.approx((3.0 * line.slope.data - 6.0) ** 2, rel=1e-12, abs=0.0)
    assert history.metrics["mae"][-1] == pytest.approx(1.5 * abs(line.slope.data - 2.0), rel=1e-12, abs=0.0)


def test_a_partial_loss_keeps_its_checks() -> None:
    _, history = trained(loss=functools.partial(nn.huber, delta=0.5))
    assert history.losses[-1] < history.losses[0]
    with pytest.raises(ValueError, match=r"y\[0\]: the target is nan"):
        trained(loss=functools.partial(nn.huber, delta=0.5), y=[math.nan] * 5)


def test_a_schedule_sets_the_rate_of_each_epoch_and_gives_it_back() -> None:
    model = MLP(2, [4, 1], seed=1)
    optimizer = SGD(model.parameters(), learning_rate=0.08)
    schedule = schedules.Step(every=2, by=0.5)
    history = fit(model, X, Y, loss="mse", optimizer=optimizer, epochs=5, schedule=schedule)
    assert history.learning_rates == [0.08, 0.08, 0.04, 0.04, 0.02]
    assert optimizer.learning_rate == 0.08
    by_hand = MLP(2, [4, 1], seed=1)
    for rate in history.learning_rates:
        fit(by_hand, X, Y, loss="mse", optimizer=SGD(by_hand.parameters(), learning_rate=rate), epochs=1)
    assert by_hand.state_dict() == model.state_dict()


def test_plateau_watches_the_validation() -> None:
    _, history = trained(epochs=6, validation=(X, [9.0] * 5), schedule=schedules.Plateau(patience=0, by=0.5))
    watched = history.validation_losses
    plateau = schedules.Plateau(patience=0, by=0.5)
    assert history.learning_rates == [0.1 * plateau.factor(i, watched[: i - 1]) for i in range(1, 7)]


def test_a_penalty_is_added_once_per_step() -> None:
    model, history = trained(epochs=1, penalty=L2(0.3))
    other = MLP(2, [4, 1], seed=1)
    weights = [p for name, p in other.named_parameters() if not name.endswith(".b")]
    whole = nn.cost(other, X, Y, "mse") + 0.15 * sum(w * w for w in weights)
    assert history.penalties == pytest.approx([0.15 * sum(w.data**2 for w in weights)], rel=1e-14, abs=0.0)
    whole.backward()
    expected = [p.data - 0.1 * p.grad for p in other.parameters()]
    assert [p.data for p in model.parameters()] == pytest.approx(expected, rel=1e-12, abs=0.0)
    assert history.losses == trained(epochs=1)[1].losses
    with pytest.raises(TypeError, match=r"the penalty is 1\.0, not one Value"):
        trained(penalty=lambda model: 1.0)
    with pytest.raises(NonFiniteLoss, match=r"epoch 1, step 1: the loss has the penalty -?inf"):
        trained(penalty=lambda model: model.parameters()[0] * math.inf)


def test_clipping_within_fit() -> None:
    seen: list[list[float]] = []

    class Watching(SGD):
        def step(self) -> None:
            seen.append([p.grad for p in self.parameters])
            super().step()

    for bounds in ({"clip_norm": 0.01}, {"clip_value": 0.02}):
        seen.clear()
        model = MLP(2, [4, 1], seed=1)
        fit(model, X, Y, loss="mse", optimizer=Watching(model.parameters()), epochs=2, **bounds)  # type: ignore[arg-type]
        if "clip_norm" in bounds:
            assert math.hypot(*seen[0]) == pytest.approx(0.01, rel=1e-12, abs=0.0)
        else:
            assert max(map(abs, seen[0])) == 0.02
    with pytest.raises(ValueError, match="clip_norm must be finite, above 0"):
        trained(clip_norm=0.0)


def test_early_stopping_and_the_best_weights() -> None:
    rising = (X, [-y for y in Y])  # what is learned is wrong there
    model, history = trained(epochs=200, validation=rising, patience=3, keep_best=True)
    best = history.best_epoch
    assert best is not None
    assert history.epochs == best + 3 < 200
    assert history.stopped == f"no better validation loss since epoch {best}"
    assert history.stopped in repr(history)
    assert nn.cost(model, *rising, "mse").data == pytest.approx(min(history.validation_losses), rel=1e-14, abs=0.0)
    last, longer = trained(epochs=history.epochs, validation=rising)
    assert longer.validation_losses == history.validation_losses
    assert last.state_dict() != model.state_dict()
    with pytest.raises(ValueError, match="patience must be at least 1; it is 0"):
        trained(patience=0)


def test_the_best_epoch_is_the_first_of_the_best() -> None:
    history, known = History(), BestEpoch()
    assert known.look(history) == 0
    for loss, best in [(3.0, 1), (3.0, 1), (2.0, 3), (2.5, 3), (2.0, 3), (1.0, 6)]:
        history.losses.append(loss)
        assert known.look(history) == history.best_epoch == best


def test_callbacks_hear_of_every_epoch_and_may_stop() -> None:
    epochs: list[int] = []

    def callback(training: Training) -> None:
        epochs.append(training.epoch)
        assert training.history.epochs == training.epoch
        if training.epoch == 2:
            training.stop("seen enough")

    _, history = trained(callbacks=[callback])
    assert epochs == [1, 2]
    assert history.stopped == "seen enough"
    assert history.epochs == 2


def test_ctrl_c_keeps_the_best_weights_and_even_lists() -> None:
    def interrupt(training: Training) -> None:
        if training.epoch == 3:
            raise KeyboardInterrupt

    def metric(outputs: list[Any], targets: list[Any]) -> float:
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return 0.0

    _, history = trained(validation=(X, [-y for y in Y]), keep_best=True, callbacks=[interrupt])
    assert history.interrupted
    assert history.epochs == len(history.validation_losses) == 3
    calls: list[int] = []
    _, history = trained(validation=(X, Y), metrics=[metric])
    assert history.interrupted
    assert (history.epochs, len(history.validation_losses), len(history.metrics["metric"])) == (1, 1, 1)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"validation": X}, TypeError, r"validation must be a pair of samples and targets, \(X, y\)"),
        ({"validation": ([[1.0]], [1.0])}, ValueError, r"validation: X\[0\] has 1 features; the model takes 2"),
        ({"validation": (X, Y[:2])}, ValueError, "validation: X has 5 samples, but y has 2 targets"),
        ({"metrics": "accuracy"}, TypeError, "metrics is a list of names or functions"),
        ({"metrics": ["f1"]}, ValueError, "no metric is called 'f1'; there are accuracy, r2, mse"),
        ({"metrics": ["accuracy"]}, ValueError, "accuracy is for classes, .* the loss is mse"),
    ],
)
def test_options_that_cannot_be(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        trained(**options)


def test_a_validation_loss_that_is_not_finite_says_where() -> None:
    model = Sequential(nn.Layer(1, 1), nn.Activation("sigmoid"))
    with pytest.raises(NonFiniteLoss, match=r"epoch 1, step 1: the loss of validation X\[1\] failed: binary"):
        fit(
            model,
            [[0.0], [1.0]],
            [0, 1],
            loss="binary_cross_entropy",
            optimizer=SGD(model.parameters()),
            epochs=1,
            validation=([[0.0], [1e6]], [0, 0]),
        )


def test_an_interrupted_first_epoch_leaves_no_history() -> None:
    def interrupt(outputs: Any, targets: Any) -> float:
        raise KeyboardInterrupt

    model = nn.MLP(2, [1])
    sgd = nn.SGD(model.parameters(), 0.1)
    targets, metrics = [0.0, 1.0], ["r2", interrupt]
    history = nn.fit(
        model,
        ROWS,
        targets,
        loss="mse",
        optimizer=sgd,
        epochs=2,
        validation=(ROWS, targets),
        metrics=metrics,
        progress=False,
    )
    assert (history.losses, history.validation_losses, history.best_epoch) == ([], [], None)
    assert not any(history.metrics.values())


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ({"schedule": "cosine"}, "nn.schedules"),
        ({"penalty": 0.1}, "function of the model"),
        ({"callbacks": print}, "list of functions"),
        ({"callbacks": ["a"]}, "list of functions"),
    ],
)
def test_an_option_that_fit_cannot_use_is_refused_before_training(option: dict[str, Any], words: str) -> None:
    model = nn.MLP(2, [1])
    before = model.state_dict()
    sgd = nn.SGD(model.parameters(), 0.1)
    with pytest.raises(TypeError, match=words):
        nn.fit(model, ROWS, [0.0, 1.0], loss="mse", optimizer=sgd, epochs=1, progress=False, **option)
    assert model.state_dict() == before
