"""``valuegrad train``, ``predict`` and ``demo``: they learn real tables, and whatever is wrong is one line."""

import csv
import io
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

import nn
from autograd.pictures.drawing import engines
from nn import MLP, Standardisation, plots
from nn.command_line import table_commands
from nn.command_line.options import SCHEDULES
from nn.tables.models import OPTIMIZERS, TableModel
from nn.tables.table import Column
from nn.training.history import History
from tests.nn.command_line.running import TABLE, accuracy, needs_matplotlib, process, table


def test_iris_as_a_program_of_its_own(tmp_path: Path) -> None:
    outcome = process("train", "iris", "--epochs", "40", cwd=tmp_path)
    assert (outcome.status, outcome.err) == (0, "")
    assert accuracy(outcome.out) >= 0.93
    assert accuracy(outcome.out, "train") >= 0.95
    assert "iris.csv: 150 rows, 4 features, 3 classes of species; 120 rows to train, 30 to test" in outcome.out
    assert "epoch 40/40" in outcome.out
    model = TableModel.load(tmp_path / "build" / "iris" / "model.json")
    assert model.classes == ("setosa", "versicolor", "virginica")
    assert model.predict([(5.0, 3.4, 1.5, 0.2), (6.6, 3.0, 5.6, 2.1)]) == [0, 2]


def test_moons(run: Any, tmp_path: Path) -> None:
    outcome = run("train", "moons", "--out", "there", "--epochs", "40")
    assert outcome.status == 0
    assert accuracy(outcome.out) >= 0.95
    expected = {"model.json", "loss.png", "regions.png"} if plots.is_available() else {"model.json"}
    assert {path.name for path in (tmp_path / "there").iterdir()} == expected


@pytest.mark.parametrize("seed", ["1", "2"])
def test_other_seeds_learn_iris_too(run: Any, seed: str) -> None:
    assert (
        accuracy(run("train", "iris", "--epochs", "40", "--seed", seed).out) >= 0.9
    )  # three of 30 rows overlap at worst


def test_a_file_with_two_classes(run: Any, tmp_path: Path) -> None:
    outcome = run(
        "train", table(tmp_path), "--target", "kind", "--epochs", "2", "--hidden", "4,3", "--activation", "relu"
    )
    assert outcome.status == 0
    assert "MLP(2 → 4 → 3 → 1, 'relu', output 'linear', 31 parameters); loss bce_with_logits, Adam" in outcome.out
    assert TableModel.load(tmp_path / "build" / "t" / "model.json").classes == ("a", "b")


@pytest.mark.parametrize(("task", "loss"), [("regression", "mse"), ("classification", "cross_entropy")])
def test_the_task_can_be_chosen(run: Any, tmp_path: Path, task: str, loss: str) -> None:
    rows = "".join(f"{i},{i % 3}\n" for i in range(30))
    outcome = run("train", table(tmp_path, "x,y\n" + rows), "--target", "y", "--task", task, "--epochs", "1")
    assert f"loss {loss}" in outcome.out


def test_regression(run: Any, tmp_path: Path) -> None:
    rows = "".join(f"{x / 10},{x * x / 100 - 3.5}\n" for x in range(-40, 41))
    outcome = run("train", table(tmp_path, "x,y\n" + rows), "--target", "y", "--epochs", "60")
    assert outcome.status == 0
    assert accuracy(outcome.out, "train") > 0.98
    assert accuracy(outcome.out) > 0.95
    (prediction,) = TableModel.load(tmp_path / "build" / "t" / "model.json").predict([(2.0,)])
    assert prediction == pytest.approx(0.5, abs=0.7)


def test_one_test_row_has_no_r_squared(run: Any, tmp_path: Path) -> None:
    name = table(tmp_path, "x,y\n1,0.5\n2,1.5\n3,2.75\n")
    assert "test R²         undefined" in run("train", name, "--target", "y", "--epochs", "1").out


def test_no_hidden_layer(run: Any, tmp_path: Path) -> None:
    outcome = run("train", table(tmp_path), "--target", "kind", "--hidden", "none", "--epochs", "1")
    assert "MLP(2 → 1, output 'linear', 3 parameters)" in outcome.out


def test_a_seed_means_one_model(run: Any, tmp_path: Path) -> None:
    arguments = ("train", table(tmp_path), "--target", "kind", "--epochs", "2", "--batch-size", "3")
    for folder, seed in (("a", "5"), ("b", "5"), ("c", "6")):
        assert run(*arguments, "--seed", seed, "--out", folder).status == 0
    a, b, c = ((tmp_path / folder / "model.json").read_bytes() for folder in "abc")
    assert a == b != c


def test_quiet_prints_the_results_only(run: Any, tmp_path: Path) -> None:
    outcome = run("train", table(tmp_path), "--target", "kind", "--epochs", "3", "--quiet")
    assert "epoch" not in outcome.out
    assert outcome.out.startswith("train accuracy")
    assert outcome.err == ""


def test_progress_is_ten_lines(run: Any, tmp_path: Path) -> None:
    outcome = run("train", table(tmp_path), "--target", "kind", "--epochs", "50")
    assert len(re.findall(r"^epoch ", outcome.out, re.MULTILINE)) == 11  # the first epoch, and every fifth


def test_without_matplotlib_it_trains_all_the_same(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    outcome = run("train", table(tmp_path), "--target", "kind", "--epochs", "2", "--out", "o")
    assert outcome.status == 0
    assert "loss.png and regions.png are left out" in outcome.out
    assert "pip install 'valuegrad[viz]'" in outcome.out
    assert [path.name for path in (tmp_path / "o").iterdir()] == ["model.json"]


def test_ctrl_c_keeps_what_was_learned(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_commands, "train", lambda *_, **__: History([0.5], [0.1], interrupted=True))
    outcome = run("train", table(tmp_path), "--target", "kind", "--out", "o")
    assert outcome.status == 130
    assert "interrupted after epoch 1" in outcome.out
    assert (tmp_path / "o" / "model.json").exists()
    monkeypatch.setattr(table_commands, "train", lambda *_, **__: History(interrupted=True))
    outcome = run("train", table(tmp_path), "--target", "kind", "--out", "p")
    assert "interrupted before the first epoch was over; nothing is written" in outcome.complaint()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "t.csv, line 1: the file is empty"),
        ("height,width,kind\n", "t.csv, line 1: a header but no rows"),
        (TABLE + "1,two,a\n", "t.csv, line 22, column 'width': 'two' is not a number"),
        (TABLE + "1,,a\n", "t.csv, line 22, column 'width': the value is missing"),
        (TABLE + "1,2,?\n", "t.csv, line 22, column 'kind': the value is missing"),
        (TABLE + "1,2\n", "t.csv, line 22, column 'kind': no cell after '2'"),
        (TABLE + "1,2,c\n", "t.csv, line 22, column 'kind': class 'c' has 1 row, too few"),
        ("height,width,kind\n1,2,a\n2,3,a\n", "t.csv, line 2, column 'kind': every row (lines 2 to 3) holds 'a'"),
    ],
)
def test_bad_files_end_with_one_line(run: Any, tmp_path: Path, text: str, message: str) -> None:
    outcome = run("train", table(tmp_path, text), "--target", "kind")
    assert outcome.complaint().startswith(f"valuegrad train: {message}")
    assert outcome.status == 1
    assert outcome.out == ""
    assert not (tmp_path / "build").exists()


def test_a_typo_in_the_column(run: Any, tmp_path: Path) -> None:
    complaint = run("train", table(tmp_path), "--target", "kimd").complaint()
    expected = "t.csv, line 1: no column 'kimd' among 'height', 'width', 'kind'; did you mean 'kind'?"
    assert complaint == f"valuegrad train: {expected}"


def test_a_missing_target_lists_the_columns(run: Any, tmp_path: Path) -> None:
    complaint = run("train", table(tmp_path)).complaint()
    assert complaint == "valuegrad train: --target is missing; name the column to learn: 'height', 'width', 'kind'"


@pytest.mark.parametrize("extra", [(), ("--target", "y")])
def test_a_missing_file(run: Any, extra: tuple[str, ...]) -> None:
    complaint = run("train", "none.csv", *extra).complaint()
    assert complaint == "valuegrad train: none.csv: there is no such file; check the spelling and the folder"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--hidden", "16,,x"], "argument --hidden: '16,,x': width 2 is empty; give whole numbers from 1 on"),
        (["--hidden", "0"], "argument --hidden: '0': width 1 is '0'"),
        (["--hidden", "-3"], "argument --hidden: "),
        (["--hidden=-3"], "argument --hidden: '-3': width 1 is '-3'"),
        (["--hidden", "4.5"], "argument --hidden: '4.5': width 1 is '4.5'"),
        (["--hidden", "100000000"], "--hidden: the network would have 8e+08 parameters, and 1,000,000 is the limit"),
        (["--hidden", "9" * 99], "--hidden: the network would have 8e+99 parameters"),
        (["--hidden", "9" * 5000], "argument --hidden: "),
        (["--hidden", ""], "argument --hidden: '': width 1 is empty"),
        (["--activation", "tahn"], "argument --activation: no activation is called 'tahn'; did you mean "),
        (["--activation", "7"], "argument --activation: no activation is called '7'; there are linear"),
        (["--epochs", "0"], "argument --epochs: it must be at least 1; it is 0"),
        (["--epochs", "ten"], "argument --epochs: 'ten' is not a whole number"),
        (["--batch-size", "0"], "argument --batch-size: it must be at least 1; it is 0"),
        (["--learning-rate", "0"], "argument --learning-rate: it must be a finite number above 0; it is 0"),
        (["--learning-rate", "nan"], "argument --learning-rate: it must be a finite number above 0; it is nan"),
        (["--learning-rate", "fast"], "argument --learning-rate: 'fast' is not a number"),
        (["--seed", "x"], "argument --seed: 'x' is not a whole number"),
        (["--test", "1"], "argument --test: it must be between 0 and 1, such as 0.2; it is 1"),
        (["--test", "0"], "argument --test: it must be between 0 and 1"),
        (["--task", "ranking"], "argument --task: invalid choice: 'ranking'"),
        (["--target", "color"], "the target of iris is 'species', not 'color'; leave --target out"),
        (["--task", "regression"], "iris is a table for classification; leave --task out"),
        (["--colour", "red"], "unrecognized arguments: --colour red"),
        (["--epoch", "3"], "unrecognized arguments: --epoch 3"),
        (["--epochs"], "argument --epochs: expected one argument"),
    ],
)
def test_bad_arguments_end_with_one_line(run: Any, tmp_path: Path, arguments: list[str], message: str) -> None:
    outcome = run("train", "iris", *arguments)
    complaint = outcome.complaint()
    assert re.match(rf"valuegrad(?: train)?: {re.escape(message)}", complaint), complaint
    assert outcome.status == 2
    assert not (tmp_path / "build").exists()


def test_a_folder_that_cannot_be_written(run: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    for out in ("file", os.path.join("file", "o"), "a\0b"):
        complaint = run("train", "iris", "--out", out).complaint()
        assert "the folder cannot be written (" in complaint
        assert complaint.startswith("valuegrad train: --out ")
    assert "the folder cannot be written" in run("demo", "--out", "file").complaint()


def test_training_that_explodes(run: Any, tmp_path: Path) -> None:
    rows = "".join(f"{i},{i * 0.75}\n" for i in range(20))
    arguments = ("--target", "y", "--learning-rate", "1e200", "--activation", "linear", "--epochs", "5")
    outcome = run("train", table(tmp_path, "x,y\n" + rows), *arguments)
    assert re.match(r"valuegrad train: epoch \d+, step \d+: the loss of X\[\d+\] ", outcome.complaint())
    assert outcome.status == 1


@pytest.fixture
def few_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    options = table_commands.Options
    monkeypatch.setattr(table_commands, "Options", lambda: options(epochs=2, hidden=(4,)))


def has_layout_engine(folder: Path) -> bool:
    import graphviz

    try:
        engines.render(graphviz.Digraph(), folder / "try.svg")
    except engines.NoLayoutEngine:
        return False
    return True


@pytest.mark.usefixtures("few_epochs")
def test_demo(run: Any, tmp_path: Path) -> None:
    pytest.importorskip("graphviz")
    outcome = run("demo", "--quiet")
    assert outcome.status == 0
    listed = {Path(line.strip()) for line in outcome.out.partition("Pictures are in\n")[2].splitlines()}
    pictures = (
        {Path("iris/loss.png"), Path("moons/loss.png"), Path("moons/regions.png")} if plots.is_available() else set()
    )
    pictures.add(Path("neuron.svg"))
    if has_layout_engine(tmp_path):
        pictures.add(Path("neuron.png"))
        assert "tanh" in (tmp_path / "build" / "demo" / "neuron.svg").read_text(encoding="utf-8")
    if plots.is_available() and has_layout_engine(tmp_path):
        assert listed == {Path("build", "demo") / picture for picture in pictures}
    for picture in pictures:
        assert (tmp_path / "build" / "demo" / picture).stat().st_size > 1000
    assert json.loads((tmp_path / "build" / "demo" / "iris" / "model.json").read_text(encoding="utf-8"))


@pytest.mark.usefixtures("few_epochs")
def test_demo_without_a_layout_engine(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("graphviz")
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    monkeypatch.setattr("shutil.which", lambda _: None)
    outcome = run("demo", "--out", "d")
    assert outcome.status == 0
    assert "left out: neuron.png: png needs a layout engine" in outcome.out
    assert "pip install 'valuegrad[viz]'" in outcome.out
    assert "tanh" in (tmp_path / "d" / "neuron.svg").read_text(encoding="utf-8")


@pytest.mark.usefixtures("few_epochs")
def test_demo_without_anything_that_draws(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("matplotlib", "matplotlib.figure", "graphviz"):
        monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, "autograd.pictures.drawing.picture", raising=False)  # it may be imported already
    outcome = run("demo")
    assert outcome.status == 0
    assert "left out: loss curves and regions, because Matplotlib is missing" in outcome.out
    assert "left out: the graph of a neuron, because graphviz is missing: pip install graphviz" in outcome.out


@needs_matplotlib
def test_regions_are_for_two_features(run: Any, tmp_path: Path) -> None:
    assert run("train", "iris", "--epochs", "1", "--out", "o").status == 0
    assert {path.name for path in (tmp_path / "o").iterdir()} == {"model.json", "loss.png"}


SMALL = ("--hidden", "4", "--out", "o", "--quiet")
MIXED = "colour,size,kind\n" + "".join(f"{'red' if i % 2 else 'blue'},{i % 5},{'ab'[i % 2]}\n" for i in range(20))


def test_predict_says_class_and_probabilities_of_every_row(run: Any) -> None:
    Path("t.csv").write_text(MIXED)
    assert run("train", "t.csv", "--target", "kind", "--epochs", "15", *SMALL).status == 0
    Path("new.csv").write_text("size,more,colour\n1,x,red\n2,y,blue\n")
    outcome = run("predict", "o/model.json", "new.csv")
    lines = outcome.out.splitlines()
    assert outcome.status == 0
    assert lines[0] == "kind,probability of a,probability of b"
    assert [line.split(",")[0] for line in lines[1:]] == ["b", "a"]
    assert sum(map(float, lines[1].split(",")[1:])) == pytest.approx(1.0, rel=1e-12, abs=0.0)
    assert run("predict", "o/model.json", "new.csv", "--out", "p.csv").out == "predictions     p.csv\n"
    assert Path("p.csv").read_text("utf-8").splitlines() == lines


@pytest.mark.parametrize("name", ["a, b", 'say "no"', "two\nlines", "two\rlines", "two\r\nlines", "\r", ";"])
def test_predict_quotes_the_names_of_classes(run: Any, name: str) -> None:
    inputs = Standardisation((0.0,), (1.0,))
    TableModel(MLP(1, [1]), (Column("x"),), name, (name, "z"), inputs, None).save("m.json")
    Path("new.csv").write_text("x\n" + "".join(f"{i}\n" for i in range(-9, 10)))
    said = run("predict", "m.json", "new.csv").out
    header, *rows = csv.reader(io.StringIO(said, newline=""))
    assert header == [name, f"probability of {name}", "probability of z"]
    assert {row[0] for row in rows} == {name, "z"}
    assert len(rows) == 19
    assert run("predict", "m.json", "new.csv", "--out", "p.csv").status == 0
    assert Path("p.csv").read_bytes().decode() == said


def test_predict_of_a_quantity_is_in_its_units(run: Any) -> None:
    Path("t.csv").write_text("x,y\n" + "".join(f"{i},{1000 + 10 * i}.5\n" for i in range(12)))
    assert run("train", "t.csv", "--target", "y", "--hidden", "none", "--epochs", "200", "--quiet").status == 0
    Path("new.csv").write_text("x\n6\n")
    header, number = run("predict", "build/t/model.json", "new.csv").out.splitlines()
    assert header == "y"
    assert float(number) == pytest.approx(1060.5, abs=2.0)


def test_what_predict_refuses_is_one_line(run: Any) -> None:
    Path("t.csv").write_text(MIXED)
    assert run("train", "t.csv", "--target", "kind", "--epochs", "1", *SMALL).status == 0
    for text, complaint in (
        ("size\n1\n", "new.csv, line 1: the column 'colour' missing among 'size'; add what is missing"),
        ("colour,size\ngreen,1\n", "line 2, column 'colour': 'green' is none of the categories 'blue', 'red'"),
        ("colour,size\nred,big\n", "line 2, column 'size': 'big' is not a number"),
        ("", "new.csv, line 1: the file is empty"),
    ):
        Path("new.csv").write_text(text)
        outcome = run("predict", "o/model.json", "new.csv")
        assert outcome.status == 1
        assert complaint in outcome.complaint()
    assert "this is not JSON" in run("predict", "t.csv", "t.csv").complaint()
    assert "no.json: No such file" in run("predict", "no.json", "t.csv").complaint()
    assert "there is no such file" in run("predict", "o/model.json", "no.csv").complaint()
    nn.MLP(1, [1]).save("plain.json")
    assert "this model was not trained on a table" in run("predict", "plain.json", "t.csv").complaint()
    assert "No such file" in run("predict", "o/model.json", "t.csv", "--out", "none/p.csv").complaint()


def test_every_option_of_the_training_at_once(run: Any) -> None:
    outcome = run(
        "train",
        "linear",
        "--hidden",
        "4,3",
        "--activation",
        "relu,tanh",
        "--initializer",
        "lecun",
        "--epochs",
        "6",
        "--loss",
        "huber",
        "--optimizer",
        "sgd",
        "--momentum",
        "0.9",
        "--weight-decay",
        "0.001",
        "--l1",
        "0.0001",
        "--l2",
        "0.0001",
        "--clip-norm",
        "1",
        "--schedule",
        "cosine",
        "--learning-rate",
        "0.02",
        "--patience",
        "3",
        "--batch-size",
        "8",
        "--seed",
        "1",
        "--out",
        "o",
    )
    assert outcome.err == ""
    assert outcome.status == 0
    assert "MLP(2 → 4 → 3 → 1, 'relu', 'tanh', output 'linear', 31 parameters); loss huber, SGD" in outcome.out
    assert TableModel.load("o/model.json").network.layers[0].activation.name == "relu"


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_optimizers_and_schedules_by_name(run: Any, optimizer: str, schedule: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(plots, "is_available", lambda: False)
    options = ("--optimizer", optimizer, "--schedule", schedule, "--epochs", "3", "--hidden", "2", "--quiet")
    assert run("train", "blobs", *options).status == 0


def test_early_stopping_says_so(run: Any) -> None:
    Path("t.csv").write_text(TABLE)
    outcome = run("train", "t.csv", "--target", "kind", "--learning-rate", "1", "--patience", "2", "--epochs", "90")
    said = r"stopped after epoch \d+: no better validation loss since epoch \d+, whose weights are kept"
    assert re.search(said, outcome.out)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--activation", "relu,tanh,relu"], "there are 2 hidden layers, but 3 activations; give one each"),
        (["--momentum", "0.5"], "momentum is for sgd and rmsprop; adam has means of its own"),
        (["--momentum", "1"], "--momentum: it must be from 0 on and below 1, such as 0.9; it is 1"),
        (["--l2", "-1"], "--l2: it must be a finite number from 0 on; it is -1"),
        (["--loss", "mae"], "--loss is for quantities; 'species' holds classes, so leave it out"),
        (["--optimizer", "best"], "--optimizer: invalid choice: 'best'"),
        (["--categories", "petal_width"], "iris has no categories; leave --categories out"),
    ],
)
def test_options_that_do_not_go_together(run: Any, options: list[str], complaint: str) -> None:
    outcome = run("train", "iris", *options)
    assert outcome.status == 2
    assert complaint in outcome.complaint()
    assert not Path("build").exists()
