"""``fit``: it does what the textbook loop does, the same for a seed, and says early what is wrong."""

import signal
from typing import Any

import pytest

from autograd import Value
from nn import MLP, SGD, Adam, History, Module, NothingMoved, cost, fit, mse
from nn.datasets import moons
from nn.optimizers import Optimizer
from nn.randomness import permutation, seeded

X = [[-1.0, 0.5], [0.0, 1.0], [1.0, -0.5], [2.0, 0.0], [0.5, 0.5]]
Y = [0.5, 1.0, -1.0, 0.0, 0.25]


def data(model: Module) -> list[float]:
    return [p.data for p in model.parameters()]


def trained(**options: Any) -> tuple[MLP, History]:
    model = MLP(2, [4, 1], seed=1)
    settings: dict[str, Any] = {"loss": "mse", "optimizer": SGD(model.parameters(), learning_rate=0.1), "epochs": 3}
    return model, fit(model, X, Y, **{**settings, **options})


def test_fit_is_the_textbook_loop() -> None:
    model, history = trained()
    other = MLP(2, [4, 1], seed=1)
    losses = []
    for _ in range(3):
        other.zero_grad()
        loss = cost(other, X, Y, mse)
        loss.backward()
        losses.append(loss.data)
        for p in other.parameters():
            p.data -= 0.1 * p.grad
    assert data(model) == pytest.approx(data(other), rel=1e-12, abs=0.0)
    assert history.losses == pytest.approx(losses, rel=1e-12, abs=0.0)
    assert history.epochs == len(history.seconds) == 3
    assert all(seconds > 0.0 for seconds in history.seconds)
    assert not history.interrupted
    assert history.never_moved == ()


def test_batches_are_drawn_anew_in_every_epoch_and_reach_every_sample_once() -> None:
    seen: list[float] = []

    def loss(output: Value, target: float) -> Value:
        seen.append(target)
        return mse(output, target)  # type: ignore[no-any-return]

    steps = 0

    class Counting(SGD):
        def step(self) -> None:
            nonlocal steps
            steps += 1
            super().step()

    model = MLP(2, [1])
    optimizer = Counting(model.parameters())
    fit(model, X, Y, loss=loss, optimizer=optimizer, epochs=2, batch_size=2, seed=4, compile=False)
    assert steps == 6  # 2 + 2 + 1 samples, twice
    chance = seeded(4)
    assert seen == [Y[i] for _ in range(2) for i in permutation(5, chance)]


def test_a_short_last_batch_is_a_mean_too() -> None:
    model = MLP(1, [1])
    before = data(model)
    gradients = []

    class Watching(SGD):
        def step(self) -> None:
            gradients.append([p.grad for p in self.parameters])

    with pytest.raises(NothingMoved):
        fit(model, [[1.0]] * 3, [5.0] * 3, loss="mse", optimizer=Watching(model.parameters()), epochs=1, batch_size=2)
    assert gradients[0] == gradients[1]
    assert data(model) == before


def test_a_seed_means_one_training() -> None:
    def run(seed: int) -> tuple[list[float], list[float]]:
        model, history = trained(batch_size=2, seed=seed)
        return data(model), history.losses

    assert run(5) == run(5)
    assert run(5) != run(6)


def test_gradients_never_pile_up_over_steps_or_calls() -> None:
    model = MLP(2, [4, 1], seed=1)
    optimizer = SGD(model.parameters(), learning_rate=0.1)
    for p in model.parameters():
        p.grad = 123.0
    first = fit(model, X, Y, loss="mse", optimizer=optimizer, epochs=2)
    assert all(p.grad == 0.0 for p in model.parameters())
    second = fit(model, X, Y, loss="mse", optimizer=optimizer, epochs=1)
    assert trained(epochs=3)[0].predict(X) == model.predict(X)
    assert first.losses + second.losses == trained(epochs=3)[1].losses


def test_it_learns() -> None:
    points, labels = moons(100, seed=2)
    model = MLP(2, [8, 8, 1], seed=0)
    signs = [2 * label - 1 for label in labels]
    optimizer = Adam(model.parameters(), learning_rate=0.02)
    history = fit(model, points, signs, loss="hinge", optimizer=optimizer, epochs=50, batch_size=10)
    assert history.losses[-1] < 0.1 * history.losses[0]
    assert sum((p > 0) == (s > 0) for p, s in zip(model.predict(points), signs, strict=True)) >= 97


def test_a_model_of_ones_own() -> None:
    class Line(Module):
        def __init__(self) -> None:
            self.slope, self.offset = Value(0.0, "slope"), Value(0.0, "offset")

        def __call__(self, x: list[float]) -> Value:
            return self.slope * x[0] + self.offset

    line = Line()
    history = fit(
        line, [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0], loss="mse", optimizer=SGD(line.parameters()), epochs=300
    )
    assert data(line) == pytest.approx([2.0, 1.0], abs=1e-4)
    assert repr(history).startswith("History(300 epochs, loss 11.67 → ")


def test_part_of_a_model_may_be_frozen() -> None:
    model = MLP(2, [3, 1])
    frozen = data(model.layers[0])
    optimizer = SGD(model.layers[1].parameters())
    history = fit(model, X, Y, loss="mse", optimizer=optimizer, epochs=2)
    assert data(model.layers[0]) == frozen
    assert history.never_moved == ()


def test_an_optimizer_over_another_model() -> None:
    model, other = MLP(2, [1]), MLP(2, [1])
    with pytest.raises(ValueError, match="built over other parameters than the model's: none of its parameters is in"):
        fit(model, X, Y, loss="mse", optimizer=SGD(other.parameters()), epochs=1)
    both = SGD([*model.parameters(), Value(1.0, "mine")])
    with pytest.raises(
        ValueError, match=r"other parameters than the model's: Value\(1.0, 'mine', .*\) is not in the model"
    ):
        fit(model, X, Y, loss="mse", optimizer=both, epochs=1)
    with pytest.raises(TypeError, match="optimizer must be one such as SGD"):
        fit(model, X, Y, loss="mse", optimizer="adam", epochs=1)  # type: ignore[arg-type]


def test_parameters_that_never_moved_rebinding_a_name_trains_nothing() -> None:
    class Rebinding(Optimizer):
        def step(self) -> None:
            for p in self.parameters:
                p -= 0.1 * p.grad

    model = MLP(2, [1])
    with pytest.raises(NothingMoved, match=r"rebinds a name \(p -= rate \* p.grad\) where it should write p.data"):
        fit(model, X, Y, loss="mse", optimizer=Rebinding(model.parameters(), learning_rate=0.1), epochs=5)


def test_a_learning_rate_too_small_for_a_float() -> None:
    model = MLP(2, [1])
    model.layers[0].neurons[0].b.data = 1.0
    with pytest.raises(NothingMoved, match="the learning rate is too small for a float"):
        fit(model, X, Y, loss="mse", optimizer=SGD(model.parameters(), learning_rate=1e-30), epochs=5)


def test_dead_parameters_are_named() -> None:
    model = MLP(2, [2, 1], activation="relu")
    dead = model.layers[0].neurons[1]
    dead.b.data = -100.0
    history = fit(model, X, Y, loss="mse", optimizer=SGD(model.parameters(), learning_rate=0.01), epochs=2)
    names = {name for name, p in model.named_parameters() if any(p is q for q in dead.parameters())}
    assert names <= set(history.never_moved)
    assert "layers[1].neurons[0].w[1]" in history.never_moved
    assert "never moved" in repr(history)


def test_a_loss_that_reaches_nothing_warns() -> None:
    model = MLP(2, [2, 1], activation="relu", output="relu")
    model.layers[1].neurons[0].b.data = -100.0
    with pytest.warns(UserWarning, match="no parameter moved: no gradient reaches any of them"):
        fit(model, X, Y, loss="mse", optimizer=SGD(model.parameters()), epochs=2)


def test_nothing_left_to_learn_is_no_trouble() -> None:
    model = MLP(1, [1])
    neuron = model.layers[0].neurons[0]
    neuron.w[0].data = 0.0
    neuron.b.data = 5.0
    history = fit(model, [[1.0]], [1], loss="hinge", optimizer=SGD(model.parameters()), epochs=2)
    assert history.losses == [0.0, 0.0]


def test_a_loss_that_is_not_one_value() -> None:
    model = MLP(2, [1])
    with pytest.raises(TypeError, match=r"the loss of X\[0\] is 1.0, not one Value"):
        fit(model, X, Y, loss=lambda o, t: o.data * 0.0 + 1.0, optimizer=SGD(model.parameters()), epochs=1)


def test_a_model_without_parameters() -> None:
    with pytest.raises(ValueError, match="has no parameters to train"):
        fit(Module(), X, Y, loss="mse", optimizer=SGD([Value(1.0)]), epochs=1)


def test_ctrl_c_is_not_held_back_till_the_end() -> None:
    """Neither amid of a step, nor of what the user has called in between; a second one changes nothing."""

    def loss(output: Any, target: Any) -> Any:
        calls.append(True)
        if len(calls) == 8:
            signal.raise_signal(signal.SIGINT)
        return (output - target) ** 2

    def interrupt(epoch: int, loss: float) -> None:
        signal.raise_signal(signal.SIGINT)

    calls: list[bool] = []
    model, history = trained(epochs=100, loss=loss, compile=False)
    assert history.interrupted
    assert (len(calls), history.epochs) == (8, 1)
    assert data(model) == data(trained(epochs=1, loss=lambda o, t: (o - t) ** 2, compile=False)[0])
    _, history = trained(epochs=100, progress=interrupt)
    assert history.interrupted
    assert history.epochs == 1


def test_ctrl_c_keeps_weights_and_history() -> None:
    def interrupt(epoch: int, loss: float) -> None:
        if epoch == 2:
            raise KeyboardInterrupt

    model, history = trained(epochs=100, progress=interrupt)
    assert history.interrupted
    assert history.losses == trained(epochs=2)[1].losses
    assert data(model) == data(trained(epochs=2)[0])
    assert all(p.grad == 0.0 for p in model.parameters())
    assert repr(history).endswith("interrupted)")
