"""The history of a training, drawn."""

from pathlib import Path
from typing import Any

import pytest

from nn import MLP, SGD, History, fit

X = [[-1.0, 0.5], [0.0, 1.0], [1.0, -0.5], [2.0, 0.0], [0.5, 0.5]]
Y = [0.5, 1.0, -1.0, 0.0, 0.25]


def fitted(**options: Any) -> tuple[MLP, History]:
    model = MLP(2, [4, 1], seed=1)
    settings: dict[str, Any] = {"loss": "mse", "optimizer": SGD(model.parameters(), learning_rate=0.1), "epochs": 4}
    return model, fit(model, options.pop("X", X), options.pop("y", Y), **{**settings, **options})


def test_the_history_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    _, history = fitted(validation=(X, Y))
    assert history.plot(tmp_path / "loss.png") == tmp_path / "loss.png"
    assert (tmp_path / "loss.png").read_bytes().startswith(b"\x89PNG")
    assert history.plot()._repr_png_().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="there is nothing to plot: no epoch was finished"):
        History().plot()
