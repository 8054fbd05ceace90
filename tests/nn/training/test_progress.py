"""Progress: a bar where a person looks, a function that hears of every epoch, or nothing."""

import sys
import types
from typing import Any

import pytest

from nn import MLP, SGD, History, fit

X = [[-1.0, 0.5], [0.0, 1.0], [1.0, -0.5], [2.0, 0.0], [0.5, 0.5]]
Y = [0.5, 1.0, -1.0, 0.0, 0.25]


def trained(**options: Any) -> tuple[MLP, History]:
    model = MLP(2, [4, 1], seed=1)
    settings: dict[str, Any] = {"loss": "mse", "optimizer": SGD(model.parameters(), learning_rate=0.1), "epochs": 3}
    return model, fit(model, X, Y, **{**settings, **options})


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
