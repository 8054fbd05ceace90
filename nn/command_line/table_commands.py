"""``valuegrad train``, ``predict`` and ``demo``: a network learns a table, and is applied to one."""

from __future__ import annotations

import csv
import io
import os
import sys
import tempfile
from argparse import Namespace
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import autograd
from nn import files, plots
from nn.command_line import drawing, options
from nn.datasets import BUILT_IN
from nn.layers import Neuron
from nn.tables.cells import file_content, read_cells
from nn.tables.models import Options, TableModel, new_optimizer, new_table_model, train
from nn.tables.preparation import train_test_split
from nn.tables.reading import encoded, table_from_cells
from nn.tables.table import Table
from nn.training.history import History
from nn.training.progress import Report, shows_a_bar


class CommandError(Exception):
    """What to tell a user in one line, and the status to end with."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


def add(commands: Any) -> None:
    """Add the three commands to a command line."""
    options.add_training(
        commands.add_parser(
            "train",
            help="train a classifier or regressor on a table",
            description="Train a network on a table: all columns but the target are features, numbers or categories.",
        )
    )

    applying = commands.add_parser(
        "predict",
        help="apply a trained model to a table",
        description="Write what a model of `valuegrad train` says of every row of a table, as CSV.",
    )
    applying.add_argument("model", metavar="MODEL.json", help="what `valuegrad train` wrote")
    applying.add_argument("file", metavar="FILE.csv", help="a table with the columns that the model was trained on")
    applying.add_argument("--out", metavar="OUT.csv", help="file to write; default: the standard output")

    demo = commands.add_parser("demo", help="train on iris and moons, draw a neuron, say where the pictures are")
    demo.add_argument("--out", metavar="DIR", default=os.path.join("build", "demo"), help="default: %(default)s")
    demo.add_argument("--quiet", action="store_true", help="print the results only")


def _train(chosen: Namespace) -> int:
    table = _table(chosen.file, chosen.target, chosen.task, chosen.categories)
    _refuse_giants(table, chosen.hidden)
    parts = train_test_split(table, test=chosen.test, seed=chosen.seed)
    settings = options.settings(chosen)
    try:  # what does not go together is told before any folder is made
        new_optimizer(new_table_model(parts[0], settings), settings)
    except ValueError as error:
        raise CommandError(str(error), 2) from None
    if settings.loss is not None and table.classes is not None:
        raise CommandError(f"--loss is for quantities; {table.target_name!r:.200} holds classes, so leave it out", 2)
    out = _writable_folder(chosen.out or os.path.join("build", Path(chosen.file).stem))
    pictures, status = _train_on(*parts, out, settings, quiet=chosen.quiet)
    if pictures is None:
        which = "loss.png and regions.png are" if len(table.feature_names) == 2 else "loss.png is"
        print(f"pictures        {which} left out, because Matplotlib is missing: {_NO_MATPLOTLIB}")
    return status


_NO_MATPLOTLIB = "pip install 'valuegrad[viz]'"


def _table(file: str, target: str | None, task: Any, categories: Sequence[str]) -> Table:
    if file in BUILT_IN:
        table = BUILT_IN[file]()
        if target not in (None, table.target_name):
            raise CommandError(
                f"the target of {file} is {table.target_name!r:.200}, not {target!r:.200}; leave --target out", 2
            )
        if task not in (None, table.task):
            raise CommandError(f"{file} is a table for {table.task}; leave --task out", 2)
        if categories:
            raise CommandError(f"{file} has no categories; leave --categories out", 2)
        return table
    cells = read_cells(file_content(file), source=file)
    if target is None:
        names = ", ".join(map(repr, cells.header))
        raise CommandError(f"--target is missing; name the column to learn: {names}", 2)
    return table_from_cells(cells, target=target, task=task, categories=categories)


#: A step of a larger network would take minutes, one number at a time.
MOST_PARAMETERS = 1_000_000


def _refuse_giants(table: Table, hidden: tuple[int, ...]) -> None:
    widths = (len(table.feature_names), *hidden, len(table.classes or "1"))
    parameters = sum((inputs + 1) * outputs for inputs, outputs in pairwise(widths))
    if parameters > MOST_PARAMETERS:
        what = f"the network would have {parameters:.3g} parameters, and {MOST_PARAMETERS:,} is the limit"
        raise CommandError(f"--hidden: {what}; choose narrower layers", 2)


def _writable_folder(path: str) -> Path:
    """The folder, made if need be; that it can be written is tried before any training."""
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CommandError(f"--out {path}: the folder cannot be written ({reason}); choose another") from None
    return Path(path)


def _train_on(
    training_rows: Table, test_rows: Table, out: Path, settings: Options, *, quiet: bool
) -> tuple[list[Path] | None, int]:
    """Train, print, and write everything there is to write; the pictures (None without Matplotlib) and the status."""
    validation = None
    learned = training_rows
    if settings.patience is not None:  # what early stopping watches is not trained on
        learned, validation = train_test_split(training_rows, test=0.2, seed=settings.seed)
    model = new_table_model(learned, settings)
    if not quiet:
        print(_description(training_rows, test_rows))
        optimizer = type(new_optimizer(model, settings)).__name__
        print(f"{model.network!r}; loss {settings.loss or model.loss}, {optimizer}", flush=True)
    history = train(model, learned, settings, _progress(quiet, settings.epochs), validation)
    if history.interrupted and not history.losses:
        raise CommandError("interrupted before the first epoch was over; nothing is written", 130)
    if history.interrupted:
        print(f"interrupted after epoch {history.epochs}; what was learned so far is kept")
    if history.stopped:
        print(f"stopped after epoch {history.epochs}: {history.stopped}, whose weights are kept")
    if not quiet:
        print(f"training took   {sum(history.seconds):.1f} s")
    for name, part in (("train", training_rows), ("test", test_rows)):
        print(_score(model, name, part))
    model.save(out / "model.json")
    print(f"model           {out / 'model.json'}")
    loss = settings.loss or model.loss
    pictures = _draw(model, loss, history, training_rows, test_rows, out) if plots.is_available() else None
    for picture in pictures or []:
        print(f"{_PICTURES[picture.name]:<16}{picture}", flush=True)
    return pictures, 130 if history.interrupted else 0


_PICTURES = {"loss.png": "loss curve", "regions.png": "regions"}


def _draw(
    model: TableModel, loss: str, history: History, training_rows: Table, test_rows: Table, out: Path
) -> list[Path]:
    name = Path(training_rows.source).stem
    score = model.score(test_rows)
    measure = "accuracy" if model.classes is not None else "R²"
    title = f"{name}: test {measure} {score:.3f}" if score is not None else name
    pictures = [out / "loss.png"]
    what = "loss" if history.validation_losses else "training loss"
    validation = history.validation_losses
    plots.loss_curve(history.losses, pictures[0], loss=loss, title=f"{name}: {what}", validation=validation)
    if len(model.feature_names) == 2:
        pictures.append(plots.regions(model, training_rows, test_rows, out / "regions.png", title=title))
    return pictures


def _description(table: Table, test_rows: Table) -> str:
    features = len(table.feature_names)
    aim = f"{len(table.classes)} classes of {table.target_name}" if table.classes else f"quantity {table.target_name}"
    return (
        f"{table.source}: {len(table) + len(test_rows)} rows, {features} feature{'' if features == 1 else 's'}, {aim}; "
        f"{len(table)} rows to train, {len(test_rows)} to test"
    )


def _score(model: TableModel, name: str, part: Table) -> str:
    score = model.score(part)
    if model.classes is not None:
        return f"{f'{name} accuracy':<16}{score:.3f} ({model.right(part)} of {len(part)} rows)"
    value = "undefined: all targets are equal" if score is None else f"{score:.3f} ({len(part)} rows)"
    return f"{f'{name} R²':<16}{value}"


def _progress(quiet: bool, epochs: int) -> bool | Report:
    """A bar where a person looks; elsewhere ten lines."""
    if quiet or shows_a_bar():
        return not quiet
    width = len(str(epochs))

    def line(epoch: int, loss: float) -> None:
        if epoch == epochs or epoch == 1 or (epoch * 10) // epochs > ((epoch - 1) * 10) // epochs:
            print(f"epoch {epoch:>{width}}/{epochs}   loss {loss:.4g}", flush=True)

    return line


def _predict(chosen: Namespace) -> int:
    model = TableModel.load(chosen.model)
    rows = encoded(read_cells(file_content(chosen.file), source=chosen.file), model.columns)
    if model.classes is None:
        lines = [_line([model.target_name]), *(_line([number]) for number in model.predict(rows))]
    else:
        lines = [_line([model.target_name, *(f"probability of {name}" for name in model.classes)])]
        for probabilities in model.probabilities(rows):
            lines.append(_line([model.classes[probabilities.index(max(probabilities))], *probabilities]))
    if chosen.out is None:
        sys.stdout.write("".join(lines))
    else:
        files.write(chosen.out, "".join(lines))
        print(f"predictions     {chosen.out}")
    return 0


def _line(cells: Sequence[Any]) -> str:
    """A line of CSV."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerow(cells)  # which quotes each of both
    return text.getvalue().removesuffix("\r\n") + "\n"


def _demo(chosen: Namespace) -> int:
    out = _writable_folder(chosen.out)
    pictures: list[Path] = []
    left_out: list[str] = []
    for name in ("iris", "moons"):
        settings = Options()
        parts = train_test_split(BUILT_IN[name](), seed=settings.seed)
        drawn, status = _train_on(*parts, _writable_folder(str(out / name)), settings, quiet=chosen.quiet)
        if status:
            return status
        if drawn is None:
            left_out = [f"loss curves and regions, because Matplotlib is missing: {_NO_MATPLOTLIB}"]
        pictures += drawn or []
        print()
    drawn, reason = _draw_a_neuron(out)
    pictures += drawn
    print("Pictures are in")
    for picture in pictures:
        print(f"  {picture}")
    for line in [*left_out, *reason]:
        print(f"left out: {line}")
    return 0


def _draw_a_neuron(out: Path) -> tuple[list[Path], list[str]]:
    """The graph of one neuron after ``backward()`` as SVG, and PNG if that can be made; what was left out, and why."""
    inputs = [autograd.Value(0.5, "x[0]"), autograd.Value(-1.0, "x[1]")]
    neuron = Neuron(2, "tanh", seed=0)
    output = neuron(inputs)
    output.label, output.parents[0].label = "a", "z"
    output.backward()
    try:
        drawn = [drawing.drawn(output, out / "neuron.svg")]
    except ModuleNotFoundError as error:
        return [], [f"the graph of a neuron, because {error.name} is missing: pip install {error.name}"]
    try:
        return [*drawn, drawing.drawn(output, out / "neuron.png")], []
    except drawing.NoLayoutEngine as error:
        return drawn, [f"neuron.png: {error}"]


#: Name of a command → what runs it.
COMMANDS = {"train": _train, "predict": _predict, "demo": _demo}
