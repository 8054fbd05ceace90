"""Tables of numbers, read from CSV.

``cells`` turns bytes into text whose every cell knows its line; this file turns the text into numbers and classes.
Nothing is guessed silently: a cell is a finite number of the table or a ``TableError`` of one line that names file,
line, column, the text found and the remedy. No other exception leaves this file for a bad file, be its cause the
operating system, the encoding or the quoting.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NoReturn, Self

from nn.tables.cells import DELIMITERS, NUMBER, Cells, TableError, fail, file_content, quoted, read_cells

__all__ = [
    "DELIMITERS",
    "Cells",
    "Column",
    "Table",
    "TableError",
    "Task",
    "encoded",
    "guess_task",
    "load_csv",
    "parse_csv",
    "read_cells",
    "table_from_cells",
]

Task = Literal["classification", "regression"]

MISSING = frozenset({"", "?", "na", "n/a", "nan", "null"})  # compared in lower case
MOST_INTEGER_CLASSES = 10

_NUMBERS_ONLY = "write a number such as 1234.5, or leave the column out"

_INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file that features are made of: one feature of numbers, or one per category, 1.0 where it is.

    >>> Column("size").feature_names, Column("colour", ("blue", "red")).feature_names
    (('size',), ('colour=blue', 'colour=red'))
    """

    name: str
    categories: tuple[str, ...] | None = None

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the features that are made of it."""
        return (self.name,) if self.categories is None else tuple(f"{self.name}={text}" for text in self.categories)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of finite floats with one target each.

    ``rows[i][j]`` belongs to ``feature_names[j]``. When classifying, ``targets[i]`` is an index into ``classes``; in
    regression it is a float and ``classes`` is None. ``lines[i]``, if known, is the line of row i in the file
    ``source``; neither counts when tables are compared. ``columns`` are those of the file, in order; every
    feature is a column of its own unless told.

    Raises ``TableError`` if the lengths disagree or a target is not an index into the classes.

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
    columns: tuple[Column, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if not self.columns:
            object.__setattr__(self, "columns", tuple(map(Column, self.feature_names)))
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
        """The targets, as indices into ``classes``. Raises ``TableError`` if the table has none."""
        if self.classes is None:
            fail(self.source, "a table for regression has no classes", "use its targets")
        return tuple(int(target) for target in self.targets)

    @property
    def labels(self) -> tuple[str, ...]:
        """The class name of every row. Raises ``TableError`` if the table has no classes."""
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
            self.columns,
        )


def load_csv(
    path: str | os.PathLike[str],
    *,
    target: str,
    task: Task | None = None,
    delimiter: str | None = None,
    categories: Sequence[str] = (),
) -> Table:
    """The table in a CSV file: the column ``target`` is what is to be learned, every other column is a feature.

    The file is UTF-8 text, with or without a byte-order mark: a header, then one row per line; empty lines
    are skipped, quotes are CSV's (``"a ""b"" c"``). ``delimiter`` defaults to the most frequent of comma,
    semicolon and tab in the header outside quotes, in this order at a tie. ``task`` defaults to what
    ``guess_task`` says.

    A feature is a column of finite numbers written with a decimal point, or of categories: each category is
    a feature ``column=category`` of its own, 1.0 where the cell holds it and 0.0 elsewhere, in the order that
    classes have. A column holds categories if none of its cells is a number and each text occurs at least
    twice on average, or if it is named in ``categories`` (postal codes, say).

    Classes are in ascending order: by value if all are numbers (named "2", "10"; "2" and "2.0" are one
    class), else by code point.

    Raises ``TableError`` for a file that cannot be read or used, ``ValueError`` for an unknown ``task`` or
    ``delimiter``.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "flowers.csv")
    ...     _ = path.write_text("length;kind\\n1.5;rose\\n0.5;lily\\n")
    ...     table = load_csv(path, target="kind")
    >>> table.rows, table.targets, table.classes
    (((1.5,), (0.5,)), (1, 0), ('lily', 'rose'))
    """
    content = file_content(path)
    source = os.fsdecode(path)
    return parse_csv(content, target=target, task=task, delimiter=delimiter, source=source, categories=categories)


def parse_csv(
    content: bytes,
    *,
    target: str,
    task: Task | None = None,
    delimiter: str | None = None,
    source: str = "table",
    categories: Sequence[str] = (),
) -> Table:
    """The table in the bytes of a CSV file; ``source`` is what errors call it, all else is as in ``load_csv``.

    >>> table = parse_csv(b"x,y\\n1,0.5\\n2,0.25\\n", target="y")
    >>> table.feature_names, table.rows, table.targets, table.classes
    (('x',), ((1.0,), (2.0,)), (0.5, 0.25), None)
    >>> table = parse_csv(b"c,y\\nred,0.5\\nblue,0.25\\nred,1.5\\nblue,2.5\\n", target="y")
    >>> table.feature_names, table.rows[0]
    (('c=blue', 'c=red'), (0.0, 1.0))
    >>> parse_csv(b"x,y\\n1,0.5\\n?,0.25\\n", target="y", source="t.csv")
    Traceback (most recent call last):
        ...
    nn.tables.cells.TableError: t.csv, line 3, column 'x': the value is missing ('?'); fill it in, or delete the row
    """
    cells = read_cells(content, delimiter=delimiter, source=source)
    return table_from_cells(cells, target=target, task=task, categories=categories)


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


def table_from_cells(cells: Cells, *, target: str, task: Task | None = None, categories: Sequence[str] = ()) -> Table:
    """The table whose features and target are written in ``cells``. See ``load_csv``.

    Raises ``TableError`` for an unknown target, no other column, missing values, anything but finite numbers
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
    named = {cells.column(name) for name in categories}
    if aim in named:
        what = f"{quoted(target)} is the target, whose classes are known from the task"
        fail(cells.source, what, "leave it out of the categories", column=target)
    columns = tuple(_column(cells, column, column in named) for column in features)
    rows = encoded(cells, columns)
    names = tuple(name for column in columns for name in column.feature_names)
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
    return Table(names, rows, target, targets, classes, cells.source, lines, columns)


def encoded(cells: Cells, columns: Sequence[Column]) -> tuple[tuple[float, ...], ...]:
    """The rows of features that these columns make of the cells; other columns are not looked at.

    Raises ``TableError`` for columns that are not there, missing values, a category that is not known, and
    anything but finite numbers where numbers belong.
    """
    missing = [column.name for column in columns if column.name not in cells.header]
    if missing:
        names = ", ".join(map(quoted, missing[:20])) + (f" and {len(missing) - 20} more" if len(missing) > 20 else "")
        there = ", ".join(map(quoted, cells.header[:20]))
        what = f"{'columns' if len(missing) > 1 else 'the column'} {names} missing among {there}"
        fail(cells.source, what, "add what is missing, with these names", line=cells.header_lines[0])
    places = [(cells.header.index(column.name), column.categories) for column in columns]
    rows = []
    for row in range(len(cells.rows)):
        numbers: list[float] = []
        for place, known in places:
            if known is None:
                numbers.append(_number(cells, row, place))
            else:
                found = _category(cells, row, place, known)
                numbers += [1.0 if index == found else 0.0 for index in range(len(known))]
        rows.append(tuple(numbers))
    return tuple(rows)


def _column(cells: Cells, column: int, chosen: bool) -> Column:
    """The column with its categories, if they were chosen or if it holds nothing but texts that repeat."""
    texts = [cells.rows[row][column] for row in range(len(cells.rows))]
    present = [text for text in texts if text.lower() not in MISSING]
    if not chosen:
        numbers = any(NUMBER.fullmatch(text.replace(",", ".", 1)) or _INFINITE.fullmatch(text) for text in present)
        if numbers or not present or 2 * len(set(present)) > len(present):
            return Column(cells.header[column])
    return Column(cells.header[column], _classes([_present(cells, row, column) for row in range(len(texts))])[1])


def _category(cells: Cells, row: int, column: int, known: Sequence[str]) -> int:
    """The index of the category in a cell; numbers that are equal are one category, however they are written."""
    text = _present(cells, row, column)
    if text in known:
        return known.index(text)
    if NUMBER.fullmatch(text) and math.isfinite(float(text)) and str(_exact(text)) in known:
        return known.index(str(_exact(text)))
    names = ", ".join(map(quoted, known[:10])) + (f" and {len(known) - 10} more" if len(known) > 10 else "")
    _fail_at(cells, row, column, f"{quoted(text)} is none of the categories {names}", "write one of them")


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
    """The class index of every text and the names of the classes, in the order that ``load_csv`` documents."""
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
