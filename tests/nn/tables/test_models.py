"""Models of tables: they come back whole from a file, and score as they predict."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from nn import MLP, ModelFileError
from nn.datasets import iris, moons_table
from nn.tables.models import Options, TableModel, new_table_model
from nn.tables.preparation import train_test_split
from nn.tables.table import Table

quantities = Table(("x",), ((1.0,), (2.0,), (4.0,)), "y", (1.5, 2.5, 9.0))


@pytest.mark.parametrize("table", [iris(), moons_table(20), quantities], ids=["iris", "moons", "quantities"])
def test_a_model_of_a_table_comes_back_whole(tmp_path: Path, table: Table) -> None:
    model = new_table_model(table, Options(hidden=(3,)))
    model.save(tmp_path / "m.json")
    loaded = TableModel.load(tmp_path / "m.json")
    assert loaded.predict(table.rows) == model.predict(table.rows)
    assert loaded.score(table) == model.score(table)
    assert (loaded.classes, loaded.inputs, loaded.outputs) == (model.classes, model.inputs, model.outputs)
    assert (loaded.feature_names, loaded.target_name, loaded.loss) == (
        table.feature_names,
        table.target_name,
        model.loss,
    )


@pytest.mark.parametrize("table", [iris(), moons_table(20)], ids=["iris", "moons"])
def test_probabilities_add_up_and_agree_with_the_prediction(table: Table) -> None:
    model = new_table_model(table, Options(hidden=(3,)))
    for row, index in zip(model.probabilities(table.rows), model.predict(table.rows), strict=True):
        assert math.fsum(row) == pytest.approx(1.0, abs=1e-12)
        assert row[index] == max(row)


def test_r_squared() -> None:
    model = new_table_model(quantities, Options(hidden=()))
    middle = sum(float(y) for y in quantities.targets) / 3
    rest = sum((float(y) - p) ** 2 for y, p in zip(quantities.targets, model.predict(quantities.rows), strict=True))
    expected = 1.0 - rest / sum((float(y) - middle) ** 2 for y in quantities.targets)
    assert model.score(quantities) == pytest.approx(expected, rel=1e-12, abs=0.0)
    assert model.score(quantities.select([1])) is None


def test_only_training_rows_decide_the_standardisation() -> None:
    train, _ = train_test_split(iris())
    model = new_table_model(train, Options())
    assert model.inputs.means[0] == pytest.approx(sum(row[0] for row in train.rows) / len(train), rel=1e-12, abs=0.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"columns": [{"name": "a", "categories": None}]}, "network and table do not fit each other"),
        ({"columns": [{"name": "a"}]}, "'categories' is missing"),
        ({"columns": "ab"}, "a list of columns was expected, not 'ab'"),
        ({"classes": None}, "do not fit each other"),
        ({"classes": ["a", "b"]}, "do not fit each other"),
        ({"classes": ["a", "b", "a"]}, "the name 'a' stands 2 times"),
        ({"classes": ["a", "b", "\ud800"]}, "holds half of a character"),
        ({"columns": [{"name": "a", "categories": None}] * 4}, "the name 'a' stands 4 times"),
        ({"columns": [{"name": "a", "categories": ["x", "x", "y", "z"]}]}, "the name 'x' stands 2 times"),
        ({"inputs": None}, "a standardisation needs 'means'"),
        ({"target": 3}, "a list of names was expected"),
    ],
)
def test_damaged_tables_in_files(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = tmp_path / "m.json"
    new_table_model(iris(), Options()).save(path)
    whole = json.loads(path.read_text(encoding="utf-8"))
    whole["extras"]["table"].update(change)
    path.write_text(json.dumps(whole), encoding="utf-8")
    with pytest.raises(ModelFileError, match=message):
        TableModel.load(path)


def test_a_table_without_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    new_table_model(iris(), Options()).save(path)
    whole = json.loads(path.read_text(encoding="utf-8"))
    del whole["extras"]["table"]["columns"]
    path.write_text(json.dumps(whole), encoding="utf-8")
    with pytest.raises(ModelFileError, match="'columns' is missing"):
        TableModel.load(path)


def test_a_model_without_a_table(tmp_path: Path) -> None:
    MLP(1, [1]).save(tmp_path / "m.json")
    with pytest.raises(ModelFileError, match=r"this model was not trained on a table; use nn\.load"):
        TableModel.load(tmp_path / "m.json")
