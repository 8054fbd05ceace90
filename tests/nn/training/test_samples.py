"""Samples and targets: whatever is wrong with them is told before a training starts, with its place."""

import math
from typing import Any

import pytest

from nn import MLP, SGD, History, Module, fit

X = [[-1.0, 0.5], [0.0, 1.0], [1.0, -0.5], [2.0, 0.0], [0.5, 0.5]]
Y = [0.5, 1.0, -1.0, 0.0, 0.25]
LABELS = [0, 1, 0, 1, 1]


def data(model: Module) -> list[float]:
    return [p.data for p in model.parameters()]


def trained(**options: Any) -> tuple[MLP, History]:
    model = MLP(2, [4, 1], seed=1)
    settings: dict[str, Any] = {"loss": "mse", "optimizer": SGD(model.parameters(), learning_rate=0.1), "epochs": 4}
    return model, fit(model, options.pop("X", X), options.pop("y", Y), **{**settings, **options})


class Frame:
    """What `fit` needs of a pandas frame, as pandas has it."""

    def __init__(self, columns: dict[str, list[Any]]) -> None:
        self.columns = list(columns)
        self.rows = [list(row) for row in zip(*columns.values(), strict=True)]

    def __iter__(self) -> Any:
        return iter(self.columns)  # this is what makes frames a trap

    def to_numpy(self) -> Any:
        numpy = pytest.importorskip("numpy")
        return numpy.array(self.rows, dtype=object)


def frames(X: list[list[float]], y: list[Any]) -> list[tuple[Any, Any]]:
    columns = {name: [row[j] for row in X] for j, name in enumerate(("width", "height"))}
    pairs: list[tuple[Any, Any]] = [(Frame(columns), Frame({"y": y})), (Frame(columns), y)]
    try:
        import pandas
    except ModuleNotFoundError:
        return pairs
    frame = pandas.DataFrame(columns)
    return [*pairs, (frame, pandas.Series(y)), (frame, pandas.DataFrame({"y": y}))]


def test_lists_of_targets_and_integers() -> None:
    model = MLP(1, [2])
    history = fit(model, [(1,), (2,)], [(1, 2), [3, 4]], loss="mse", optimizer=SGD(model.parameters()), epochs=2)
    assert history.losses[1] < history.losses[0]


def test_numpy_arrays() -> None:
    numpy = pytest.importorskip("numpy")
    model, history = trained(epochs=3)
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


def test_frames_are_rows() -> None:
    expected, history = trained()
    for frame, targets in frames(X, Y):
        model, same = trained(X=frame, y=targets, validation=(frame, targets))
        assert same.losses == history.losses
        assert model.predict(frame) == expected.predict(X)
    for frame, targets in frames(X, LABELS):
        trained(X=frame, y=targets, loss="bce_with_logits", metrics=["accuracy"])


def test_errors_in_frames_name_the_column() -> None:
    for frame, targets in frames([*X[:4], [1.0, "tall"]], Y):  # type: ignore[list-item]
        with pytest.raises(TypeError, match=r"X\[4\]\['height'\] is 'tall', not a number"):
            trained(X=frame, y=targets)
    for frame, targets in frames([*X[:4], [math.nan, 1.0]], Y):
        with pytest.raises(ValueError, match=r"X\[4\]\['width'\] is nan; give finite numbers"):
            trained(X=frame, y=targets)
