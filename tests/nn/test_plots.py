"""Pictures: they are drawn for every kind of table, with whatever names a file may hold, and need no screen."""

import struct
import subprocess
import sys
from pathlib import Path

import pytest

from nn import plots
from nn.tables.models import Options, new_table_model
from nn.tables.preparation import train_test_split
from nn.tables.table import Table

pytestmark = pytest.mark.skipif(not plots.is_available(), reason="needs Matplotlib")

ODD_NAMES = ("a$b$c", "_hidden", "$x_{", "高い", "two\nlines", "x" * 200, "e", "f", "g", "h", "i", "j")


@pytest.fixture(autouse=True)
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plots, "GRID", 12)


def size_of(path: Path) -> tuple[int, int]:
    """Width and height that a PNG says it has."""
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", content[16:24])
    return width, height


@pytest.mark.parametrize("losses", [[0.5], [0.5, 0.25], [3.0, 2.0, 1.0], [10.0, 1.0, 1e-9], [1.0, 0.0], [0.0, 0.0]])
def test_loss_curves(tmp_path: Path, losses: list[float]) -> None:
    path = plots.loss_curve(losses, tmp_path / "loss.png", loss="mse", title="odd $ title: training loss")
    assert size_of(path) == (960, 600)


def table(classes: int) -> Table:
    rows = tuple((0.1 * i, float(i * i % 11)) for i in range(60))
    if classes:
        targets = tuple(i % classes for i in range(60))
        return Table(("_height $", "with_{"), rows, "kind", targets, ODD_NAMES[:classes])
    return Table(("height", "width"), rows, "price $", tuple(x * y for x, y in rows))


@pytest.mark.parametrize("classes", [0, 2, 3, 12])
def test_regions(tmp_path: Path, classes: int) -> None:
    train, test = train_test_split(table(classes))
    model = new_table_model(train, Options(hidden=(3,)))
    path = plots.regions(model, train, test, tmp_path / "regions.png", title="t")
    assert size_of(path) == (1080, 780)


def test_regions_where_nothing_differs(tmp_path: Path) -> None:
    rows = ((1.0, 0.0),) * 4
    for part in (
        Table(("x", "y"), rows, "kind", (0, 1, 0, 1), ("a", "b")),
        Table(("x", "y"), rows, "price", (1.0, 2.0, 1.0, 2.0)),
    ):
        model = new_table_model(part, Options(hidden=()))
        for parameter in model.network.parameters():
            parameter.data = 0.0
        plots.regions(model, part, part, tmp_path / "regions.png", title="t")


def test_regions_need_two_features(tmp_path: Path) -> None:
    part = Table(("x",), ((1.0,), (2.0,)), "kind", (0, 1), ("a", "b"))
    with pytest.raises(ValueError, match="regions need two features; the model has 1"):
        plots.regions(new_table_model(part, Options()), part, part, tmp_path / "r.png", title="t")


def test_pyplot_is_never_touched(tmp_path: Path) -> None:
    root = Path(plots.__file__).parent.parent
    code = (
        f"import sys; sys.path.insert(0, {str(root)!r}); from nn import plots; assert 'matplotlib' not in sys.modules; "
        f"plots.loss_curve([1.0, 0.5], {str(tmp_path / 'l.png')!r}, loss='mse', title='t'); "
        "print('matplotlib.pyplot' in sys.modules, 'numpy' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split()[0] == "False"
