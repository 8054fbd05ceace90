"""What a file can hold of a network is what it gives back; what it cannot hold is refused when it is saved."""

from pathlib import Path
from typing import Any

import pytest

import nn
from autograd import Value
from nn import datasets

X = [[0.5, -1.0], [2.0, 0.25]]


class Doubled(nn.Activation):
    def __call__(self, x: Any) -> Any:
        return [2.0 * a for a in x]


class Shifted(nn.Layer):
    def __call__(self, x: Any) -> Any:
        return [a + 1.0 for a in super().__call__(x)]


class Named(nn.MLP):
    """A subclass that computes what an MLP computes."""


class Negated(nn.MLP):
    def __call__(self, x: Any) -> Any:
        return -super().__call__(x)


def test_a_subclass_that_computes_the_same_comes_back_as_its_base(tmp_path: Path) -> None:
    model = Named(2, [3, 1])
    model.save(tmp_path / "m.json")
    assert nn.load(tmp_path / "m.json").predict(X) == model.predict(X)


def test_an_mlp_with_a_layer_put_in_comes_back(tmp_path: Path) -> None:
    model = nn.MLP(2, [3, 1])
    model.layers.insert(1, nn.Activation("relu"))
    model.save(tmp_path / "m.json")
    assert nn.load(tmp_path / "m.json").predict(X) == model.predict(X)


@pytest.mark.parametrize(
    "model",
    [
        nn.Sequential(nn.Layer(2, 2), Doubled("relu")),
        nn.Sequential(Shifted(2, 2), nn.Layer(2, 1)),
        nn.Sequential(*[nn.Layer(2, 2)] * 2),
        Negated(2, [1]),
    ],
    ids=["activation", "layer", "twice", "call"],
)
def test_what_a_file_cannot_hold_is_refused(model: Any, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="state_dict"):
        model.save(tmp_path / "m.json")
    assert not (tmp_path / "m.json").exists()


def test_predict_equals_the_call_for_a_layer_of_ones_own() -> None:
    model = nn.Sequential(Shifted(2, 2), nn.Layer(2, 1))
    assert model.predict(X) == [model(x).data for x in X]


def test_a_network_in_a_network_is_refused_with_the_remedy() -> None:
    with pytest.raises(TypeError, match=r"\*net\.layers"):
        nn.Sequential(nn.Sequential(nn.Layer(2, 1)), nn.Layer(1, 2))


def test_accuracy_takes_targets_that_are_lists_of_one() -> None:
    assert nn.metrics.accuracy([3.0, -2.0], [[1], [0]], "bce_with_logits") == 1.0


def test_an_interrupted_first_epoch_leaves_no_history() -> None:
    def interrupt(outputs: Any, targets: Any) -> float:
        raise KeyboardInterrupt

    model = nn.MLP(2, [1])
    sgd = nn.SGD(model.parameters(), 0.1)
    targets, metrics = [0.0, 1.0], ["r2", interrupt]
    history = nn.fit(
        model, X, targets, loss="mse", optimizer=sgd, epochs=2, validation=(X, targets), metrics=metrics, progress=False
    )
    assert (history.losses, history.validation_losses, history.best_epoch) == ([], [], None)
    assert not any(history.metrics.values())


def test_a_linear_data_set_adds_left_to_right() -> None:
    """Python's own sum rounds otherwise since 3.12."""
    weights = [1e16, 1.0, -1e16, 3.0]
    rows, y = datasets.linear(20, weights=weights, offset=0.0, noise=0.0, seed=1)
    for row, target in zip(rows, y, strict=True):
        total = 0.0
        for w, x in zip(weights, row, strict=True):
            total += w * x
        assert target == total


def test_diagnose_refuses_what_is_not_finite() -> None:
    with pytest.raises(ValueError, match="finite"):
        nn.diagnose(nn.MLP(1, [1]), [[float("nan")]], [1.0])


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
        nn.fit(model, X, [0.0, 1.0], loss="mse", optimizer=sgd, epochs=1, progress=False, **option)
    assert model.state_dict() == before


def test_numpy_scalars_are_numbers() -> None:
    import numpy as np

    model = nn.MLP(2, np.array([2, 1]))
    sgd = nn.SGD(model.parameters(), np.float32(0.5))
    assert sgd.learning_rate == 0.5
    assert nn.fit(model, X, [0.0, 1.0], loss="mse", optimizer=sgd, epochs=np.int64(2), progress=False).epochs == 2


def test_one_width_is_one_layer_and_a_number_is_no_list_of_inputs() -> None:
    assert len(nn.MLP(2, 1).layers) == 1
    with pytest.raises(TypeError, match=r"write \[3\.0\]"):
        nn.MLP(1, [1])(3.0)  # type: ignore[arg-type]


def test_a_penalty_on_a_model_without_weights_is_zero() -> None:
    class Constant(nn.Module):
        def __init__(self) -> None:
            self.b = Value(0.5)

        def __call__(self, x: Any) -> Any:
            return self.b * 1.0

    model = Constant()
    sgd = nn.SGD(model.parameters(), 0.1)
    history = nn.fit(model, X, [0.0, 1.5], loss="mse", optimizer=sgd, epochs=2, penalty=nn.L2(0.1), progress=False)
    assert history.epochs == 2
