"""Tables of numbers, read from CSV.

`cells` turns bytes into text whose every cell knows its line; this file turns the text into numbers and classes.
Nothing is guessed silently: a cell is a finite number of the table or a `TableError` of one line that names file, line,
column, the text found and the remedy. No other exception leaves this file for a bad file, be its cause the operating
system, the encoding or the quoting.
"""

import math
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NoReturn, Self

from nn.cells import DELIMITERS, NUMBER, Cells, TableError, fail, file_content, quoted, read_cells

__all__ = ["DELIMITERS", "Cells", "Table", "TableError", "Task", "guess_task", "load_csv", "parse_csv", "read_cells",
           "table_from_cells"]

Task = Literal["classification", "regression"]

MISSING = frozenset({"", "?", "na", "n/a", "nan", "null"})  # compared in lower case
MOST_INTEGER_CLASSES = 10

_NUMBERS_ONLY = "write a number such as 1234.5, or leave the column out"

_INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of finite floats with one target each.

    `rows[i][j]` belongs to `feature_names[j]`. When classifying, `targets[i]` is an index into `classes`; in
    regression it is a float and `classes` is None. `lines[i]`, if known, is the line of row i in the file
    `source`; neither counts when tables are compared.

    Raises `TableError` if the lengths disagree or a target is not an index into the classes.

    >>> table = Table(("x",), ((1.0,), (2.0,)), "kind", (0, 1), ("a", "b"))
    >>> len(table), table.labels
    (2, ('a', 'b'))
    """

    feature_names: tuple[str, ...]
    rows: tuple[tuple[float, ...], ...]
    target_name: str
    targets: tuple[int, ...] | tuple[float, ...]
    classes: tuple[str, ...] | None = None
    source: str = field(default="table", compare=False)
    lines: tuple[int, ...] = field(default=(), compare=False, repr=False)

    def __post_init__(self) -> None:
        count, width = len(self.rows), len(self.feature_names)
        if len(self.targets) != count:
            fail(self.source, f"{count} rows but {len(self.targets)} targets", "give one target per row")
        if self.lines and len(self.lines) != count:
            fail(self.source, f"{count} rows but {len(self.lines)} lines", "give one per row, or none")
        for number, row in enumerate(self.rows):
            if len(row) != width:
                fail(self.source, f"row {number} has {len(row)} values, not {width}", "give one per feature")
        if self.classes is not None:
            for number, target in enumerate(self.targets):
                if not (isinstance(target, int) and 0 <= target < len(self.classes)):
                    what = f"the target of row {number} is {target!r}"
                    fail(self.source, what, f"give an index into the {len(self.classes)} classes")

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def task(self) -> Task:
        """What there is to learn: "classification" if the table has classes, else "regression"."""
        return "regression" if self.classes is None else "classification"

    @property
    def class_indices(self) -> tuple[int, ...]:
        """The targets, as indices into `classes`. Raises `TableError` if the table has none."""
        if self.classes is None:
            fail(self.source, "a table for regression has no classes", "use its targets")
        return tuple(int(target) for target in self.targets)

    @property
    def labels(self) -> tuple[str, ...]:
        """The class name of every row. Raises `TableError` if the table has no classes."""
        names = self.classes or ()
        return tuple(names[index] for index in self.class_indices)

    def select(self, indices: Iterable[int]) -> Self:
        """The table of the given rows, in the given order, with the same classes.

        >>> Table(("x",), ((1.0,), (2.0,)), "y", (0.5, 0.7)).select([1]).rows
        ((2.0,),)
        """
        chosen = tuple(indices)
        return type(self)(
            self.feature_names,
            tuple(self.rows[i] for i in chosen),
            self.target_name,
            tuple(self.targets[i] for i in chosen),
            self.classes,
            self.source,
            tuple(self.lines[i] for i in chosen) if self.lines else (),
        )


def load_csv(
    path: str | os.PathLike[str], *, target: str, task: Task | None = None, delimiter: str | None = None
) -> Table:
    """The table in a CSV file: the column `target` is what is to be learned, every other column is a feature.

    The file is UTF-8 text, with or without a byte-order mark: a header, then one row per line; empty lines
    are skipped, quotes are CSV's (`"a ""b"" c"`). `delimiter` defaults to the most frequent of comma,
    semicolon and tab in the header outside quotes, in this order at a tie. `task` defaults to what
    `guess_task` says. The features must be finite numbers written with a decimal point.

    Classes are in ascending order: by value if all are numbers (named "2", "10"; "2" and "2.0" are one
    class), else by code point.

    Raises `TableError` for a file that cannot be read or used, `ValueError` for an unknown `task` or
    `delimiter`.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "flowers.csv")
    ...     _ = path.write_text("length;kind\\n1.5;rose\\n0.5;lily\\n")
    ...     table = load_csv(path, target="kind")
    >>> table.rows, table.targets, table.classes
    (((1.5,), (0.5,)), (1, 0), ('lily', 'rose'))
    """
    content = file_content(path)
    return parse_csv(content, target=target, task=task, delimiter=delimiter, source=os.fsdecode(path))


def parse_csv(
    content: bytes,
    *,
    target: str,
    task: Task | None = None,
    delimiter: str | None = None,
    source: str = "table",
) -> Table:
    """The table in the bytes of a CSV file; `source` is what errors call it, all else is as in `load_csv`.

    >>> table = parse_csv(b"x,y\\n1,0.5\\n2,0.25\\n", target="y")
    >>> table.feature_names, table.rows, table.targets, table.classes
    (('x',), ((1.0,), (2.0,)), (0.5, 0.25), None)
    >>> parse_csv(b"x,y\\n1,0.5\\n?,0.25\\n", target="y", source="t.csv")
    Traceback (most recent call last):
        ...
    nn.cells.TableError: t.csv, line 3, column 'x': the value is missing ('?'); fill it in, or delete the row
    """
    return table_from_cells(read_cells(content, delimiter=delimiter, source=source), target=target, task=task)


def guess_task(texts: Sequence[str]) -> Task:
    """Whether a column of texts holds classes ("classification") or quantities ("regression").

    1. If at most half of the texts are numbers, they are classes.
    2. Otherwise the numbers decide. They are classes if they are whole numbers (2 or 2.0), at most ten
       different ones, each on average at least twice: 0/1, -1/1, grades from 1 to 6 in a table of twelve
       rows or more. Else they are quantities.

    So a stray word among prices makes no class of its own: the column is one of quantities, and the word is
    reported as an error.

    >>> guess_task(["yes", "no"]), guess_task(["0", "1", "1", "0"])
    ('classification', 'classification')
    >>> guess_task(["0.5", "1.5"]), guess_task(["1", "2", "3"])
    ('regression', 'regression')
    """
    numbers = [float(text) for text in texts if NUMBER.fullmatch(text) or _INFINITE.fullmatch(text)]
    if 2 * len(numbers) <= len(texts):
        return "classification"
    different = set(numbers)
    few = len(different) <= MOST_INTEGER_CLASSES and 2 * len(different) <= len(numbers)
    return "classification" if few and all(number.is_integer() for number in different) else "regression"


def table_from_cells(cells: Cells, *, target: str, task: Task | None = None) -> Table:
    """The table whose features and target are written in `cells`. See `load_csv`.

    Raises `TableError` for an unknown target, no other column, missing values, anything but finite numbers
    where numbers belong, and a target that is the same in every row.

    >>> cells = read_cells(b"x,grade\\n1,10\\n2,9\\n3,10\\n4,9\\n")
    >>> table_from_cells(cells, target="grade").classes
    ('9', '10')
    >>> table_from_cells(cells, target="grade", task="regression").targets
    (10.0, 9.0, 10.0, 9.0)
    """
    if task not in ("classification", "regression", None):
        raise ValueError(f"task must be 'classification', 'regression' or None; it is {task!r}")
    aim = cells.column(target)
    features = [column for column in range(len(cells.header)) if column != aim]
    if not features:
        remedy = "add a column to learn from; columns are separated by comma, semicolon or tab"
        what = f"{quoted(target)} is the only column"
        fail(cells.source, what, remedy, line=cells.header_lines[0], column=target)
    names = tuple(cells.header[column] for column in features)
    rows = tuple(tuple(_number(cells, row, column) for column in features) for row in range(len(cells.rows)))
    texts = [_present(cells, row, aim) for row in range(len(cells.rows))]
    classes = None
    targets: tuple[int, ...] | tuple[float, ...]
    if (task or guess_task(texts)) == "regression":
        remedy = "write a number such as 1234.5, or choose classification if the column holds classes"
        targets = tuple(_number(cells, row, aim, remedy) for row in range(len(cells.rows)))
    else:
        targets, classes = _classes(texts)
    lines = tuple(line[0] for line in cells.lines)
    if len(set(targets)) == 1:
        what = f"every row (lines {lines[0]} to {lines[-1]}) holds {quoted(texts[0])}"
        remedy = "add rows with other values: there is nothing to learn from one"
        fail(cells.source, what, remedy, line=lines[0], column=target)
    return Table(names, rows, target, targets, classes, cells.source, lines)


def _present(cells: Cells, row: int, column: int) -> str:
    text = cells.rows[row][column]
    if text.lower() in MISSING:
        what = f"the value is missing ({quoted(text)})" if text else "the value is missing (an empty cell)"
        _fail_at(cells, row, column, what, "fill it in, or delete the row")
    return text


def _number(cells: Cells, row: int, column: int, remedy: str = _NUMBERS_ONLY) -> float:
    text = _present(cells, row, column)
    if NUMBER.fullmatch(text):
        if math.isfinite(number := float(text)):
            return number
        what = f"{quoted(text)} is too large for a float"
        _fail_at(cells, row, column, what, "scale the column, or delete the row")
    if _INFINITE.fullmatch(text):
        what = f"{quoted(text)} is not finite"
        _fail_at(cells, row, column, what, "write a finite number, or delete the row")
    if re.search(r"\d,\d", text) and NUMBER.fullmatch(text.replace(",", ".", 1)):
        remedy = f"write {text.replace(',', '.', 1)} if the comma is a decimal point"
    _fail_at(cells, row, column, f"{quoted(text)} is not a number", remedy)


def _classes(texts: Sequence[str]) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The class index of every text and the names of the classes, in the order that `load_csv` documents."""
    if all(NUMBER.fullmatch(text) and math.isfinite(float(text)) for text in texts):
        values = [_exact(text) for text in texts]
        order: list[int | float] = sorted(set(values))
        index_of_value = {value: index for index, value in enumerate(order)}
        return tuple(index_of_value[value] for value in values), tuple(str(value) for value in order)
    names = sorted(set(texts))
    index_of_name = {name: index for index, name in enumerate(names)}
    return tuple(index_of_name[text] for text in texts), tuple(names)


def _exact(text: str) -> int | float:
    """The number as an int if it is whole, so that identifiers beyond 2⁵³ stay different; else as a float."""
    try:
        return int(text)
    except ValueError:  # a decimal point or an exponent
        number = float(text)
        return int(number) if number.is_integer() else number


def _fail_at(cells: Cells, row: int, column: int, what: str, remedy: str) -> NoReturn:
    fail(cells.source, what, remedy, line=cells.lines[row][column], column=cells.header[column])
