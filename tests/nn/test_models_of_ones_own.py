"""What a file can hold of a network is what it gives back; what it cannot hold is refused when it is saved."""

from pathlib import Path
from typing import Any

import pytest

import nn

ROWS = [[0.5, -1.0], [2.0, 0.25]]


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
    assert nn.load(tmp_path / "m.json").predict(ROWS) == model.predict(ROWS)


def test_an_mlp_with_a_layer_put_in_comes_back(tmp_path: Path) -> None:
    model = nn.MLP(2, [3, 1])
    model.layers.insert(1, nn.Activation("relu"))
    model.save(tmp_path / "m.json")
    assert nn.load(tmp_path / "m.json").predict(ROWS) == model.predict(ROWS)


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
    assert model.predict(ROWS) == [model(x).data for x in ROWS]
