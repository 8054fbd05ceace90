"""`fit`: it does what the textbook loop does, the same for a seed, and says early what is wrong."""

import math
import sys
import types
from typing import Any

import pytest

import autograd
from autograd import Value
from nn import MLP, SGD, Adam, History, Module, NonFiniteLoss, NothingMoved, cost, fit, mse
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
    assert data(model) == pytest.approx(data(other), rel=1e-12)
    assert history.losses == pytest.approx(losses, rel=1e-12)
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


def test_lists_of_targets_and_integers() -> None:
    model = MLP(1, [2])
    history = fit(model, [(1,), (2,)], [(1, 2), [3, 4]], loss="mse", optimizer=SGD(model.parameters()), epochs=2)
    assert history.losses[1] < history.losses[0]


def test_numpy_arrays() -> None:
    numpy = pytest.importorskip("numpy")
    model, history = trained()
    other = MLP(2, [4, 1], seed=1)
    optimizer = SGD(other.parameters(), learning_rate=0.1)
    same = fit(other, numpy.array(X), numpy.array(Y), loss="mse", optimizer=optimizer, epochs=3)
    assert same.losses == history.losses
    assert data(other) == data(model)
    classifier = MLP(2, [2])
    fit(
        classifier,
        list(numpy.array(X)),
        numpy.array([0, 1, 0, 1, 1]),
        loss="cross_entropy",
        optimizer=SGD(classifier.parameters()),
        epochs=1,
    )


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


# --- what moves ---------------------------------------------------------------------------------------------


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


# --- bad input ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"X": []}, ValueError, "X is empty; give at least one sample"),
        ({"X": X[:3]}, ValueError, "X has 3 samples, but y has 5 targets; give one target per sample"),
        ({"X": [*X[:4], [1.0]]}, ValueError, r"X\[4\] has 1 features; the model takes 2"),
        ({"X": [[1.0, 2.0, 3.0]] * 5}, ValueError, r"X\[0\] has 3 features; the model takes 2"),
        (
            {"X": [1.0, 2.0, 3.0, 4.0, 5.0]},
            TypeError,
            r"X\[0\] is 1.0; a sample is a list of numbers, so write \[\[x\], …\]",
        ),
        ({"X": [*X[:4], [1.0, "2"]]}, TypeError, r"X\[4\]\[1\] is '2', not a number"),
        ({"X": [*X[:4], "ab"]}, TypeError, r"X\[4\] is 'ab'; a sample is a list of numbers"),
        ({"X": [*X[:4], [1.0, math.nan]]}, ValueError, r"X\[4\]\[1\] is nan; give finite numbers"),
        ({"X": [*X[:4], [math.inf, 1.0]]}, ValueError, r"X\[4\]\[0\] is inf; give finite numbers"),
        ({"X": None}, TypeError, "X must be a list of samples, not None"),
        ({"y": 3.0}, TypeError, "y must be a list of targets, not 3.0"),
        ({"y": [*Y[:4], math.inf]}, ValueError, r"y\[4\]: the target is inf; give finite numbers"),
        ({"y": [*Y[:4], "a"]}, TypeError, r"y\[4\]: the target is 'a', not a number"),
        (
            {"y": [*Y[:4], [1.0, 2.0]]},
            ValueError,
            r"y\[4\]: mse needs one target per output; the model has 1, the target has 2",
        ),
        ({"loss": "hinge"}, ValueError, r"y\[0\]: hinge wants the label -1 or \+1; it is 0.5"),
        (
            {"loss": "hinge", "y": [1, -1, 0, 1, 1]},
            ValueError,
            r"y\[2\]: hinge wants the label -1 or \+1; it is 0; write 1",
        ),
        (
            {"loss": "bce_with_logits", "y": [1, 0, 2, 1, 1]},
            ValueError,
            r"y\[2\]: bce_with_logits wants the target 0 or 1",
        ),
        (
            {"loss": "bce_with_logits", "y": [1, 0, -1, 1, 1]},
            ValueError,
            r"y\[2\]: bce_with_logits wants the target 0 or 1",
        ),
        ({"loss": "cross_entropy", "y": [0] * 5}, ValueError, "cross_entropy wants a list of two logits or more"),
        ({"loss": "mean"}, ValueError, "no loss is called 'mean'"),
        ({"epochs": 0}, ValueError, "epochs must be at least 1; it is 0"),
        ({"epochs": 2.0}, TypeError, "epochs must be an int; it is 2.0"),
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1; it is 0"),
        ({"seed": None}, TypeError, "seed must be an int; it is None"),
    ],
)
def test_bad_input_is_told_before_training(change: dict[str, Any], error: type[Exception], message: str) -> None:
    model = MLP(2, [4, 1], seed=1)
    before = data(model)
    options: dict[str, Any] = {"X": X, "y": Y, "loss": "mse", "epochs": 1, **change}
    with pytest.raises(error, match=message):
        fit(model, options.pop("X"), options.pop("y"), optimizer=SGD(model.parameters()), **options)
    assert data(model) == before


@pytest.mark.parametrize(
    ("loss", "y", "message"),
    [
        ("cross_entropy", [0, 1, 3, 0, 0], r"y\[2\]: cross_entropy wants an integer class 0 … 2; it is 3"),
        ("cross_entropy", [0, 1, 1.0, 0, 0], r"y\[2\]: cross_entropy wants an integer class 0 … 2; it is 1.0"),
        ("cross_entropy", [0, 1, -1, 0, 0], r"y\[2\]: .* it is -1"),
        (
            "bce_with_logits",
            [0] * 5,
            "bce_with_logits needs one target per output; the model has 3, .* use cross_entropy for classes",
        ),
        ("hinge", [1] * 5, "hinge takes one number of a model"),
        ("mse", [1.0] * 5, r"y\[0\]: mse needs one target per output; the model has 3, the target is 1.0"),
    ],
)
def test_targets_for_three_outputs(loss: str, y: list[Any], message: str) -> None:
    model = MLP(2, [3])
    with pytest.raises(ValueError, match=message):
        fit(model, X, y, loss=loss, optimizer=SGD(model.parameters()), epochs=1)


def test_a_loss_that_is_not_one_value() -> None:
    model = MLP(2, [1])
    with pytest.raises(TypeError, match=r"the loss of X\[0\] is 1.0, not one Value"):
        fit(model, X, Y, loss=lambda o, t: o.data * 0.0 + 1.0, optimizer=SGD(model.parameters()), epochs=1)


def test_a_model_without_parameters() -> None:
    with pytest.raises(ValueError, match="has no parameters to train"):
        fit(Module(), X, Y, loss="mse", optimizer=SGD([Value(1.0)]), epochs=1)


# --- losses that are not finite -----------------------------------------------------------------------------


def test_training_that_explodes_says_where() -> None:
    model = MLP(2, [4, 1], activation="linear", seed=1)
    with pytest.raises(NonFiniteLoss) as caught:
        fit(model, X, Y, loss="mse", optimizer=SGD(model.parameters(), learning_rate=1e30), epochs=50)
    error = caught.value
    assert error.epoch > 1
    assert error.step == 1
    assert error.sample is not None
    assert f"epoch {error.epoch}, step 1: the loss of X[{error.sample}]" in str(error)
    assert "Lower the learning rate" in str(error)
    assert all(p.grad == 0.0 for p in model.parameters())


def test_the_first_bad_parameter_is_named() -> None:
    model = MLP(2, [4, 1], seed=1)
    model.layers[0].neurons[2].w[1].data = math.nan
    with pytest.raises(NonFiniteLoss) as caught:
        fit(model, X, Y, loss="mse", optimizer=SGD(model.parameters()), epochs=1)
    error = caught.value
    assert (error.epoch, error.step, error.sample, error.parameter) == (1, 1, 0, "layers[0].neurons[2].w[1]")
    assert "the first parameter that is not finite is layers[0].neurons[2].w[1] (w1[2,1]) = nan" in str(error)


@pytest.mark.parametrize(
    ("activation", "weight", "cause"), [("log", -1.0, autograd.DomainError), ("exp", 1000.0, OverflowError)]
)
def test_errors_of_the_engine_become_the_cause(activation: str, weight: float, cause: type[Exception]) -> None:
    model = MLP(1, [1], output=activation)
    model.layers[0].neurons[0].w[0].data = weight
    optimizer = SGD(model.parameters())
    with pytest.raises(NonFiniteLoss, match=rf"^epoch 1, step 1: the loss of X\[1\] failed: {activation} ") as caught:
        fit(model, [[-1.0], [1.0]], [0.0, 0.0], loss="mse", optimizer=optimizer, epochs=1)
    assert type(caught.value.__cause__) is cause
    assert (caught.value.sample, caught.value.parameter) == (1, None)
    assert "all parameters are finite, the largest being layers[0].neurons[0].w[0]" in str(caught.value)


def test_where_a_loss_that_is_not_finite_was_born() -> None:
    model = MLP(1, [1], seed=0)

    def loss(output: Value, target: float) -> Value:
        far = output * 0.0 + 1e308
        far.label = "far"
        return far * 10.0 - far * 10.0

    with pytest.raises(NonFiniteLoss) as caught:
        fit(model, [[1.0]], [0.0], loss=loss, optimizer=SGD(model.parameters()), epochs=1)
    lines = str(caught.value).splitlines()
    assert lines[0].endswith("Lower the learning rate, or standardise the inputs")
    assert lines[1:] == [
        "forward: mul gave inf; x is 1e+308 ('far'), y is 10.0. 1e+308 · 10.0 is too large for a float.",
        "  on the way to the output: mul('far', 10.0) → sub",
    ]


def test_where_a_penalty_that_is_not_finite_was_born() -> None:
    model = MLP(1, [1], seed=0)
    with pytest.raises(NonFiniteLoss, match=r"the penalty nan; .*\nforward: mul gave nan; .* A constant"):
        fit(
            model,
            [[1.0]],
            [0.0],
            loss="mse",
            optimizer=SGD(model.parameters()),
            epochs=1,
            penalty=lambda m: next(iter(m.parameters())) * math.nan,
        )


def test_how_the_operand_of_a_failed_loss_was_made() -> None:
    model = MLP(1, [1], seed=0)
    with pytest.raises(NonFiniteLoss, match=r"standardise the inputs\nwhere x = sub\(") as caught:
        fit(
            model,
            [[1.0]],
            [0.0],
            loss=lambda output, target: autograd.log(output - 50.0),
            optimizer=SGD(model.parameters()),
            epochs=1,
        )
    assert isinstance(caught.value.__cause__, autograd.DomainError)


def test_weights_that_overflow_in_the_very_last_step() -> None:
    class Exploding(Optimizer):
        def step(self) -> None:
            for p in self.parameters:
                p.data = math.inf

    model = MLP(2, [1])
    with pytest.raises(
        NonFiniteLoss, match=r"epoch 1, step 1: the loss cannot be computed any more; .*w\[0\].* = inf"
    ) as caught:
        fit(model, X, Y, loss="mse", optimizer=Exploding(model.parameters(), learning_rate=1.0), epochs=1)
    assert caught.value.sample is None


# --- Ctrl-C and progress ------------------------------------------------------------------------------------


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


def test_a_function_hears_of_every_epoch() -> None:
    heard: list[tuple[int, float]] = []
    _, history = trained(progress=lambda epoch, loss: heard.append((epoch, loss)))
    assert heard == [(i + 1, loss) for i, loss in enumerate(history.losses)]


class Screen:
    """A stderr that says it is a terminal."""

    def __init__(self) -> None:
        self.text = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass


def test_a_bar_is_shown_where_a_person_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tqdm")
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    trained(epochs=3)
    assert "3/3" in screen.text
    assert "loss" in screen.text
    screen.text = ""
    trained(progress=False)
    assert screen.text == ""


def test_a_bar_is_shown_in_a_notebook(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tqdm")
    shell = types.SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))  # type: ignore[arg-type]
    trained(epochs=3)
    assert "3/3" in capsys.readouterr().err


def test_nothing_is_shown_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    trained()
    assert capsys.readouterr() == ("", "")


def test_without_tqdm_it_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setitem(sys.modules, "tqdm", None)
    trained()
    assert screen.text == ""
    monkeypatch.setattr(sys, "stderr", None)
    trained()
