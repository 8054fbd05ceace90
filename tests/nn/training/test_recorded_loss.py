"""``fit`` and ``predict`` by replay: the numbers of the loop over samples, within rounding, and its errors."""

import gc
import math
import random
import weakref
from typing import Any

import numpy as np
import pytest

import autograd
import nn
from autograd import Value
from nn import passes
from nn.tables.models import TableModel
from nn.tables.preparation import Standardisation
from nn.tables.table import Column
from nn.training.on_arrays import OnArrays
from nn.training.recorded_loss import RecordedLoss

OPTIMIZERS = {
    "SGD": lambda p: nn.SGD(p, learning_rate=0.05),
    "momentum": lambda p: nn.SGD(p, learning_rate=0.05, momentum=0.9),
    "Adagrad": lambda p: nn.Adagrad(p, learning_rate=0.05),
    "RMSprop": lambda p: nn.RMSprop(p, learning_rate=0.01),
    "Adam": lambda p: nn.Adam(p, learning_rate=0.01),
    "AdamW": lambda p: nn.AdamW(p, learning_rate=0.01),
}


def samples_for(loss: str) -> tuple[list[list[float]], list[Any], int, str]:
    """Samples, targets that the loss takes, outputs of the model, and the activation of its last layer."""
    source = random.Random(3)
    X = [[source.uniform(-1, 1), source.uniform(-1, 1)] for _ in range(30)]
    inside = [a * a + b * b < 0.5 for a, b in X]
    if loss == "cross_entropy":
        return X, [int(i) + (a > 0) for i, (a, _) in zip(inside, X, strict=True)], 3, "identity"
    if loss in ("binary_cross_entropy", "bce_with_logits"):
        return X, [int(i) for i in inside], 1, "sigmoid" if loss == "binary_cross_entropy" else "identity"
    if loss == "hinge":
        return X, [1 if i else -1 for i in inside], 1, "identity"
    return X, [a * b - 0.3 for a, b in X], 1, "identity"


def trained(
    loss: Any, optimizer: str, compile: bool, *, name: str = "", **options: Any
) -> tuple[list[float], list[float]]:
    """Losses and parameters after some epochs, from the same beginning."""
    X, y, outputs, last = samples_for(name or loss)
    random.seed(5)
    model = nn.MLP(2, [4, outputs], "tanh", last, seed=1)
    history = nn.fit(
        model,
        X,
        y,
        loss=loss,
        optimizer=OPTIMIZERS[optimizer](model.parameters()),
        epochs=6,
        compile=compile,
        **options,
    )
    return history.losses, [p.data for p in model.parameters()]


def assert_close(one: Any, other: Any) -> None:
    """Each step's mean is rounded in another order, 2e-16 or so of its terms; six epochs carry that on, magnified less
    than a thousandfold by these small, smooth networks."""
    for a, b in zip(one, other, strict=True):
        assert a == pytest.approx(b, rel=1e-11, abs=1e-12)


@pytest.mark.parametrize("loss", nn.LOSSES)
def test_every_loss_agrees(loss: str, monkeypatch: pytest.MonkeyPatch) -> None:
    used = count_replays(monkeypatch)
    assert_close(trained(loss, "SGD", True), trained(loss, "SGD", False))
    assert used == [True] * 6


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("batch_size", [None, 7])
def test_every_optimizer_agrees(optimizer: str, batch_size: int | None) -> None:
    options = {"batch_size": batch_size, "seed": 2, "penalty": nn.L2(0.001), "clip_norm": 0.5}
    assert_close(trained("mse", optimizer, True, **options), trained("mse", optimizer, False, **options))


def count_replays(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each step of a replay did its work, on arrays or for the gradient alone."""
    used: list[bool] = []
    own, own_run = RecordedLoss.add_gradients, OnArrays.run

    def counting(self: Any, batch: Any) -> Any:
        found = own(self, batch)
        used.append(found is not None)
        return found

    def counting_steps(self: Any, epoch: Any, *args: Any) -> Any:
        before = epoch.steps
        found = own_run(self, epoch, *args)
        used.extend([True] * (epoch.steps - before))
        return found

    monkeypatch.setattr(RecordedLoss, "add_gradients", counting)
    monkeypatch.setattr(OnArrays, "run", counting_steps)
    return used


def noisy(output: Value, target: float) -> Any:
    return (output - target) * (output - target) * (1.0 + 0.0 * random.random() + (1e-9 * random.random()))


def reads_numbers(output: Value, target: float) -> Any:
    weight = 2.0 if output.data > 0 else 1.0
    return weight * (output - target) * (output - target)


def branches(output: Value, target: float) -> Any:
    error = output - target
    return 0.5 * error * error if error > 0 else 2.0 * error * error


@pytest.mark.parametrize("loss", [noisy, reads_numbers, branches])
def test_a_loss_that_cannot_be_recorded_runs_sample_by_sample(loss: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    used = count_replays(monkeypatch)
    random.seed(0)
    losses, parameters = trained(loss, "SGD", True, name="mse")
    eager_losses, eager_parameters = trained(loss, "SGD", False, name="mse")
    assert not any(used)
    tolerance = 1e-6 if loss is noisy else 0.0  # its own noise; the others take the very same path
    assert losses == pytest.approx(eager_losses, rel=tolerance, abs=0.0)
    assert parameters == pytest.approx(eager_parameters, rel=10 * tolerance, abs=tolerance)


def test_a_loss_with_where_is_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    def chosen(output: Value, target: Any) -> Any:
        error = output - target
        return autograd.where(error > 0, lambda: autograd.log1p(error), lambda: autograd.log1p(-error))

    used = count_replays(monkeypatch)
    assert_close(trained(chosen, "SGD", True, name="mse"), trained(chosen, "SGD", False, name="mse"))
    assert all(used)


@pytest.mark.parametrize(
    ("loss", "rate"),
    [("mse", 1e300), (lambda output, target: autograd.log(output - target), 0.1)],
    ids=["overflow", "domain"],
)
def test_the_same_error_where_numbers_end(loss: Any, rate: float) -> None:
    said = []
    for compile in (True, False):
        model = nn.MLP(1, [2, 1], "relu", "identity", seed=4)
        with pytest.raises(nn.NonFiniteLoss) as caught:
            nn.fit(
                model, [[1.0], [2.0], [-3.0]], [0.5, -1.0, 2.0], loss=loss,
                optimizer=nn.SGD(model.parameters(), learning_rate=rate), epochs=20, compile=compile,
            )  # fmt: skip
        said.append(str(caught.value))
        assert all(p.grad == 0.0 for p in model.parameters())
    assert said[0] == said[1]


@pytest.mark.parametrize("outputs", [1, 3])
def test_predictions_for_many_rows(outputs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    model = nn.MLP(2, [5, outputs], seed=6)
    rows = np.random.default_rng(0).uniform(-2, 2, (passes.MANY_ROWS, 2))
    served: list[Any] = []
    own = passes.outputs_of
    monkeypatch.setattr("nn.passes.outputs_of", lambda *args: served.append(own(*args)) or served[-1])
    found = np.array(model.predict(rows))
    few = np.array([model.predict(rows[i : i + 1])[0] for i in range(0, len(rows), 97)])
    assert [len(outputs_of_rows or ()) for outputs_of_rows in served[:1]] == [len(rows)]
    assert found.shape == ((len(rows),) if outputs == 1 else (len(rows), outputs))
    # Two layers of functions within 4 ulp of one another.
    assert found[::97] == pytest.approx(few, rel=1e-13, abs=1e-14)
    assert own(model, rows.tolist()) is not None
    assert own(model, rows[:10].tolist()) is None


def test_a_network_is_recorded_once_and_again_when_it_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    recorded: list[Any] = []
    own = passes.compile
    monkeypatch.setattr(passes, "compile", lambda *args, **options: recorded.append(1) or own(*args, **options))
    model = nn.MLP(2, [5, 1], seed=6)
    rows = np.random.default_rng(0).uniform(-2, 2, (passes.MANY_ROWS, 2)).tolist()

    def check(times: int) -> None:
        found = model.predict(rows)
        assert found[::97] == pytest.approx(model.predict(rows[::97]), rel=1e-13, abs=1e-14)
        assert len(recorded) == times

    check(1)
    model.layers[0].neurons[2].w[1].data = 3.0
    check(1)
    model.layers[0].activation = nn.Activation("relu")
    check(2)
    model.layers[1].neurons[0].b = Value(7.0)
    check(3)
    model.layers.insert(1, nn.Activation("atan"))
    check(4)
    model.layers[1] = nn.Activation(lambda z: z * z)  # a function of one's own may change without a trace
    check(5)
    check(6)
    reference = weakref.ref(model)
    model = nn.MLP(2, [3, 1])
    gc.collect()
    assert reference() is None


def count_networks_replayed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows were asked for, each time that a network was to be replayed over many."""
    asked: list[int] = []
    own = passes.outputs_of
    monkeypatch.setattr("nn.passes.outputs_of", lambda model, rows: asked.append(len(rows)) or own(model, rows))
    return asked


def test_predictions_row_by_row_if_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a replay the numbers are a call's, bit for bit."""
    asked = count_networks_replayed(monkeypatch)
    model = nn.MLP(2, [5, 1], seed=6)
    rows = np.random.default_rng(0).uniform(-2, 2, (passes.MANY_ROWS, 2)).tolist()
    assert model.predict(rows, compile=False) == [model(row).data for row in rows]
    assert asked == []
    model.predict(rows, compile=True)
    assert asked == [len(rows)]


@pytest.mark.parametrize("classes", [("no", "yes"), None])
def test_a_table_model_predicts_row_by_row_if_wanted(classes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(0).uniform(-2, 2, (passes.MANY_ROWS, 2)).tolist()
    standard = Standardisation((0.0, 0.0), (1.0, 1.0))
    outputs = None if classes else Standardisation((3.0,), (2.0,))
    columns = tuple(Column(name) for name in "ab")
    model = TableModel(nn.MLP(2, [5, 1], seed=6), columns, "c", classes, standard, outputs)
    asked = count_networks_replayed(monkeypatch)
    eager = model.predict(rows, compile=False)
    if classes:
        replayed = np.array(model.probabilities(rows))
        # Two layers of activations within 4 ulp.
        assert np.array(model.probabilities(rows, compile=False)) == pytest.approx(replayed, rel=1e-12, abs=0.0)
        assert eager == model.predict(rows)
    else:
        assert eager == [3.0 + 2.0 * model.network(row).data for row in rows]
        # The mean 3 takes away some digits that are next to zero, no more.
        assert eager == pytest.approx(model.predict(rows), rel=1e-12, abs=1e-13)
    assert asked == [len(rows)] * (2 if classes else 1)


class Marked(nn.MLP):
    """A ``predict`` of its own, which does what it did."""

    def predict(self, X: Any, *, compile: bool = True) -> list[Any]:
        return super().predict(X, compile=compile)


@pytest.mark.parametrize(("make", "counts"), [(nn.MLP, []), (Marked, [9, 1000])])
@pytest.mark.parametrize("compile", [True, False])
def test_fit_without_a_replay_has_none_for_validation_and_metrics_either(
    compile: bool, make: Any, counts: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = count_networks_replayed(monkeypatch)
    model = make(1, [1], seed=2)
    X, y = [[0.001 * i] for i in range(passes.MANY_ROWS)], [0.002 * i for i in range(passes.MANY_ROWS)]
    optimizer = nn.SGD(model.parameters(), learning_rate=0.1)
    nn.fit(
        model, X[:9], y[:9], loss="mse", optimizer=optimizer, epochs=1, validation=(X, y), metrics=["r2"],
        compile=compile,
    )  # fmt: skip
    assert asked == (counts if compile else [])  # the others are recorded with the step


def test_a_model_whose_own_predict_has_no_such_option() -> None:
    class Own(nn.MLP):
        def predict(self, X: Any) -> Any:  # type: ignore[override]
            return [0.0 for _ in X]

    model = Own(1, [1], seed=2)
    optimizer = nn.SGD(model.parameters(), learning_rate=0.1)
    history = nn.fit(
        model, [[1.0]], [2.0], loss="mse", optimizer=optimizer, epochs=1, validation=([[1.0]], [3.0]), compile=False
    )
    assert history.validation_losses == [9.0]


@pytest.mark.parametrize("bad", [0, 500])
def test_many_rows_raise_outside_a_domain_as_few_do(bad: int) -> None:
    model = nn.MLP(1, [1], output=autograd.log)
    model.layers[0].neurons[0].w[0].data = 1.0
    rows = [[1.0]] * passes.MANY_ROWS
    assert model.predict(rows) == [0.0] * len(rows)
    rows[bad] = [-1.0]
    with pytest.raises(autograd.DomainError, match=r"log needs a positive argument; x is -1\.0"):
        model.predict(rows)


def test_training_goes_on_from_a_replay_as_values() -> None:
    """Values stay the truth: after a replayed fit the model is trained and read eagerly."""
    model = nn.MLP(1, [3, 1], seed=2)
    X, y = [[0.1 * i] for i in range(10)], [math.sin(0.1 * i) for i in range(10)]
    optimizer = nn.SGD(model.parameters(), learning_rate=0.1)
    first = nn.fit(model, X, y, loss="mse", optimizer=optimizer, epochs=3)
    cost = nn.cost(model, X, y, "mse")
    cost.backward()
    assert cost.data < first.losses[-1]
    assert any(p.grad != 0.0 for p in model.parameters())
    second = nn.fit(model, X, y, loss="mse", optimizer=optimizer, epochs=1)
    assert second.losses[0] == pytest.approx(cost.data, rel=1e-14, abs=0.0)
