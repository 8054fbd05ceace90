"""``load_csv``: the text of a CSV file becomes a ``Table`` of numbers and classes.

Nothing is guessed silently: a cell is a finite number of the table or a ``TableError`` of one line that names file,
line, column, the text found and the remedy. No other exception leaves this file for a bad file, be its cause the
operating system, the encoding or the quoting.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping, Sequence
from typing import NoReturn

from nn.tables.cells import NUMBER, Cells, fail, file_content, quoted, read_cells
from nn.tables.table import Column, Table, Task

#: What stands for a missing value, in lower case.
MISSING = frozenset({"", "?", "na", "n/a", "nan", "null"})
#: Features that are made of categories may hold so many numbers, of 8 bytes each, in all rows together.
MOST_NUMBERS = 10_000_000
#: Whole numbers of more values than this are a quantity.
MOST_INTEGER_CLASSES = 10

_NUMBERS_ONLY = "write a number such as 1234.5, or leave the column out"

_INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)


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

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "flowers.csv")
    ...     _ = path.write_text("length;kind\\n1.5;rose\\n0.5;lily\\n")
    ...     table = load_csv(path, target="kind")
    >>> table.rows, table.targets, table.classes
    (((1.5,), (0.5,)), (1, 0), ('lily', 'rose'))

    Raises:
        TableError: the file cannot be read or used.
        ValueError: an unknown ``task`` or ``delimiter``.
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

    >>> cells = read_cells(b"x,grade\\n1,10\\n2,9\\n3,10\\n4,9\\n")
    >>> table_from_cells(cells, target="grade").classes
    ('9', '10')
    >>> table_from_cells(cells, target="grade", task="regression").targets
    (10.0, 9.0, 10.0, 9.0)

    Raises:
        TableError: an unknown target, no other column, a missing value, anything but a finite number where numbers
            belong, or a target that is the same in every row.
        ValueError: an unknown task.
    """
    if task not in ("classification", "regression", None):
        raise ValueError(f"task must be 'classification', 'regression' or None; it is {task!r:.200}")
    aim = cells.column(target)
    features = [column for column in range(len(cells.header)) if column != aim]
    if not features:
        remedy = "add a column to learn from; columns are separated by comma, semicolon or tab"
        what = f"{quoted(target)} is the only column"
        fail(cells.source, what, remedy, line=cells.header_lines[0], column=target)
    place_of = cells.places
    named = {place_of[name] if name in place_of else cells.column(name) for name in categories}
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

    Raises:
        TableError: a column that is not there, a missing value, a category that is not known, more categories than
            memory is for, or anything but a finite number where numbers belong.
    """
    place_of = cells.places
    missing = [column.name for column in columns if column.name not in place_of]
    if missing:
        names = ", ".join(map(quoted, missing[:20])) + (f" and {len(missing) - 20} more" if len(missing) > 20 else "")
        there = ", ".join(map(quoted, cells.header[:20]))
        what = f"{'columns' if len(missing) > 1 else 'the column'} {names} missing among {there}"
        fail(cells.source, what, "add what is missing, with these names", line=cells.header_lines[0])
    _refuse_too_many_categories(cells, columns)
    places = [(place_of[column.name], _places_of(column.categories)) for column in columns]
    rows = []
    for row in range(len(cells.rows)):
        numbers: list[float] = []
        for place, known in places:
            if known is None:
                numbers.append(_number(cells, row, place))
            else:
                ones_place = len(numbers) + _category(cells, row, place, known)
                numbers += [0.0] * len(known)
                numbers[ones_place] = 1.0
        rows.append(tuple(numbers))
    return tuple(rows)


def _places_of(categories: Sequence[str] | None) -> Mapping[str, int] | None:
    return None if categories is None else {name: place for place, name in enumerate(categories)}


def _refuse_too_many_categories(cells: Cells, columns: Sequence[Column]) -> None:
    """Raise before features are made of categories that would take far more memory than the file."""
    widths = {column.name: len(column.categories or ()) for column in columns}
    numbers = len(cells.rows) * sum(widths.values())
    if numbers > MOST_NUMBERS:
        widest = max(widths, key=lambda name: widths[name])
        what = f"its {widths[widest]:,} categories in {len(cells.rows):,} rows are part of {numbers:,} numbers"
        remedy = f"leave the column out, or merge categories: {MOST_NUMBERS:,} are the limit"
        fail(cells.source, what, remedy, line=cells.header_lines[0], column=widest)


def _column(cells: Cells, column: int, chosen: bool) -> Column:
    """The column with its categories, if they were chosen or if it holds nothing but texts that repeat."""
    texts = [cells.rows[row][column] for row in range(len(cells.rows))]
    present = [text for text in texts if text.lower() not in MISSING]
    if not chosen:
        numbers = any(NUMBER.fullmatch(text.replace(",", ".", 1)) or _INFINITE.fullmatch(text) for text in present)
        if numbers or not present or 2 * len(set(present)) > len(present):
            return Column(cells.header[column])
    return Column(cells.header[column], _classes([_present(cells, row, column) for row in range(len(texts))])[1])


def _category(cells: Cells, row: int, column: int, known: Mapping[str, int]) -> int:
    """The index of the category in a cell; numbers that are equal are one category, however they are written."""
    text = _present(cells, row, column)
    if text in known:
        return known[text]
    if NUMBER.fullmatch(text) and math.isfinite(float(text)) and str(_exact(text)) in known:
        return known[str(_exact(text))]
    names = ", ".join(map(quoted, list(known)[:10])) + (f" and {len(known) - 10} more" if len(known) > 10 else "")
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
