"""Tables of numbers: read from CSV, split into training and test rows, standardised.

Reading has two steps, so that other readers can share the first: `read_cells` turns bytes into a rectangle of
text whose every cell knows its line, and `table_from_cells` turns the text into numbers and classes. Nothing
is guessed silently: a cell is a finite number of the table or a `TableError` of one line that names file,
line, column, the text found and the remedy. No other exception leaves this file for a bad file, be its cause
the operating system, the encoding or the quoting.

Chance comes from `random.Random(seed).random()` alone. That is the only method whose stream Python's
documentation promises to keep (`shuffle` and `sample` may change), so a seed splits a table the same way on
every version.
"""

import csv
import difflib
import io
import math
import operator
import os
import random
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NoReturn, Self

Task = Literal["classification", "regression"]

DELIMITERS = (",", ";", "\t")
MISSING = frozenset({"", "?", "na", "n/a", "nan", "null"})  # compared in lower case
MOST_INTEGER_CLASSES = 10

_NUMBERS_ONLY = "write a number such as 1234.5, or leave the column out"

# float() would also take 1_000 and ٣.
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
_LINE_END = re.compile(r"\r\n|\r|\n")
# NUL, and what errors="surrogateescape" makes of bytes that are not UTF-8.
_UNDECODED = re.compile("[\0\udc80-\udcff]")


class TableError(ValueError):
    """Why a table cannot be used, in one line: file, line, column, the text found and the remedy."""


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
            _fail(self.source, f"{count} rows but {len(self.targets)} targets", "give one target per row")
        if self.lines and len(self.lines) != count:
            _fail(self.source, f"{count} rows but {len(self.lines)} lines", "give one per row, or none")
        for number, row in enumerate(self.rows):
            if len(row) != width:
                _fail(self.source, f"row {number} has {len(row)} values, not {width}", "give one per feature")
        if self.classes is not None:
            for number, target in enumerate(self.targets):
                if not (isinstance(target, int) and 0 <= target < len(self.classes)):
                    what = f"the target of row {number} is {target!r}"
                    _fail(self.source, what, f"give an index into the {len(self.classes)} classes")

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
            _fail(self.source, "a table for regression has no classes", "use its targets")
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


@dataclass(frozen=True, slots=True)
class Cells:
    """The text of a table: as many cells in every row as in the header, white space around them removed.

    `lines[i][j]` is the line of the file on which cell j of row i begins, counted as an editor does;
    `header_lines` is the same for the header. Quoted cells may span lines, so the cells of one row may begin
    on different ones.
    """

    source: str
    header: tuple[str, ...]
    header_lines: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[tuple[int, ...], ...]

    def column(self, name: str) -> int:
        """The index of the column of that name. Raises `TableError` with the nearest name and all names."""
        if name in self.header:
            return self.header.index(name)
        lowered = {known.lower(): known for known in self.header}
        near = difflib.get_close_matches(name.lower(), lowered, n=1)
        if near:
            remedy = f"did you mean {_quoted(lowered[near[0]])}?"
        elif all(_NUMBER.fullmatch(known) for known in self.header):
            remedy = "add a first line of column names if it has none"
        else:
            remedy = "choose one of them"
        names = ", ".join(_quoted(known) for known in self.header[:20])
        more = f" and {len(self.header) - 20} more" if len(self.header) > 20 else ""
        what = f"no column {_quoted(name)} among {names}{more}"
        _fail(self.source, what, remedy, line=self.header_lines[0])


# --- from a file to text ------------------------------------------------------------------------------------


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
    source = os.fsdecode(path)
    try:
        with open(path, "rb") as file:
            content = file.read()
    except FileNotFoundError:
        _fail(source, "there is no such file", "check the spelling and the folder")
    except IsADirectoryError:
        _fail(source, "this is a folder", "name a file in it")
    except PermissionError:
        remedy = "name a file in it" if os.path.isdir(path) else "change its permissions"
        _fail(source, "the file may not be read", remedy)  # Windows says so of folders
    except OSError as error:
        _fail(source, f"the file cannot be read ({error.strerror or 'input error'})", "check the path")
    except ValueError:  # a NUL or a character that the file system cannot encode
        _fail(source, "this cannot be the name of a file", "check the path")
    return parse_csv(content, target=target, task=task, delimiter=delimiter, source=source)


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
    nn.tables.TableError: t.csv, line 3, column 'x': the value is missing ('?'); fill it in, or delete the row
    """
    return table_from_cells(read_cells(content, delimiter=delimiter, source=source), target=target, task=task)


def read_cells(content: bytes, *, delimiter: str | None = None, source: str = "table") -> Cells:
    """The cells of a CSV file as text.

    Encoding, quotes, names and the equal length of rows are checked; what the cells hold is not.

    Raises `TableError` for a bad file, `ValueError` for an unknown delimiter.

    >>> read_cells(b'name,size\\n"Ann, B.",3\\n').rows
    (('Ann, B.', '3'),)
    """
    if delimiter is not None and delimiter not in DELIMITERS:
        names = ", ".join(map(repr, DELIMITERS))
        raise ValueError(f"delimiter must be one of {names} or None; it is {delimiter!r}")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        _fail(source, "the text is UTF-16", "save it as CSV in UTF-8")
    if content.startswith(b"PK\x03\x04"):
        _fail(source, "this is a zip archive or a spreadsheet", "export it as CSV in UTF-8")
    text = content.decode("utf-8-sig", errors="surrogateescape")
    records = _records(source, text, delimiter or _detect_delimiter(text))
    if not records:
        _fail(source, "the file is empty", "write a header and rows", line=1)
    header_lines, raw_header = records[0]
    header = tuple(cell.strip() for cell in raw_header)
    _check_text(source, header, header_lines, raw_header)
    _check_names(source, header, header_lines)
    rows, lines = [], []
    for cell_lines, raw in records[1:]:
        _check_length(source, header, cell_lines, raw)
        _check_text(source, header, cell_lines, raw)
        rows.append(tuple(cell.strip() for cell in raw))
        lines.append(cell_lines)
    if not rows:
        _fail(source, "a header but no rows", "add rows below the header", line=header_lines[0])
    return Cells(source, header, header_lines, tuple(rows), tuple(lines))


def _detect_delimiter(text: str) -> str:
    """The most frequent delimiter outside quotes in the first line that is not empty; else a comma."""
    counts = Counter[str]()
    quoted = begun = False
    previous = ","  # the last character that is no space: a quote counts at the start of a cell only
    for character in text:
        if character == '"' and (quoted or previous in {'"', *DELIMITERS}):
            quoted = not quoted
        elif character in "\r\n" and begun and not quoted:
            break
        elif character in DELIMITERS and not quoted:
            counts[character] += 1
        begun = begun or not character.isspace()
        previous = previous if character in " \r\n" else character
    return max(DELIMITERS, key=lambda delimiter: counts[delimiter])


def _records(source: str, text: str, delimiter: str) -> list[tuple[tuple[int, ...], list[str]]]:
    """Every record that is not empty, as written, with the line on which each of its cells begins."""
    lines = io.StringIO(text, newline="")  # as an editor shows them, with line ends inside quotes kept
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
    records: list[tuple[tuple[int, ...], list[str]]] = []
    while True:
        start = reader.line_num + 1
        try:
            record = next(reader)
        except StopIteration:
            return records
        except csv.Error as error:
            _fail_quoting(source, text, delimiter, start, records[0][1] if records else [], error)
        if record and not (len(record) == 1 and not record[0].strip()):
            records.append((_cell_lines(start, record), record))


def _cell_lines(start: int, record: Sequence[str]) -> tuple[int, ...]:
    """The line on which each cell of a record begins, if the record begins on line `start`."""
    lines = [start]
    for cell in record[:-1]:
        lines.append(lines[-1] + len(_LINE_END.findall(cell)))
    return tuple(lines)


def _fail_quoting(
    source: str, text: str, delimiter: str, start: int, header: Sequence[str], error: csv.Error
) -> NoReturn:
    """Say where the quotes go wrong."""
    if "end of data" in str(error):
        # An open quote runs to the end of the text, so it opens the last cell of a lenient reading.
        rest = io.StringIO("".join(list(io.StringIO(text, newline=""))[start - 1 :]), newline="")
        record = next(csv.reader(rest, delimiter=delimiter, skipinitialspace=True))
        line, number = _cell_lines(start, record)[-1], len(record)
        column = header[number - 1].strip() if number <= len(header) else number
        what = f"the quote before {_quoted(record[-1])} is never closed"
        _fail(source, what, 'close it with "', line=line, column=column)
    if "field limit" in str(error):
        what = f"a cell longer than {csv.field_size_limit()} characters"
        _fail(source, what, "look for a quote that is never closed", line=start)
    _fail(source, f"misplaced quotes ({error})", 'double a quote inside quotes: "a ""b"" c"', line=start)


def _check_text(source: str, header: Sequence[str], lines: Sequence[int], raw: Sequence[str]) -> None:
    for column, (line, cell) in enumerate(zip(lines, raw, strict=True)):
        if found := _UNDECODED.search(cell):
            line += len(_LINE_END.findall(cell[: found.start()]))
            name: str | int = column + 1 if _UNDECODED.search(header[column]) else header[column]
            shown = _quoted(_UNDECODED.sub("\N{REPLACEMENT CHARACTER}", cell))
            if found.group() == "\0":
                _fail(source, f"a NUL byte in {shown}", "remove it: text has none", line=line, column=name)
            what = f"byte 0x{ord(found.group()) - 0xDC00:02X} in {shown} is not UTF-8"
            _fail(source, what, "save the file as UTF-8", line=line, column=name)


def _check_names(source: str, header: Sequence[str], lines: Sequence[int]) -> None:
    for number, (line, name) in enumerate(zip(lines, header, strict=True), start=1):
        if not name:
            _fail(source, "the column has no name", "name it, or delete the column", line=line, column=number)
        if (first := header.index(name) + 1) < number:
            what = f"columns {first} and {number} have the same name {_quoted(name)}"
            _fail(source, what, "rename one of them", line=line, column=number)


def _check_length(source: str, header: Sequence[str], lines: Sequence[int], raw: Sequence[str]) -> None:
    sizes = f"{len(raw)} {'cell' if len(raw) == 1 else 'cells'} in a table of {len(header)} columns"
    if len(raw) < len(header):
        what = f"no cell after {_quoted(raw[-1])}: {sizes}"
        remedy = "add the missing cells, or delete the row"
        _fail(source, what, remedy, line=lines[-1], column=header[len(raw)])
    if len(raw) > len(header):
        what = f"{_quoted(raw[len(header)])} is beyond the last column {_quoted(header[-1])}: {sizes}"
        remedy = "remove the extra cells, or put quotes around a cell that holds the delimiter"
        _fail(source, what, remedy, line=lines[len(header)], column=len(header) + 1)


# --- from text to numbers -----------------------------------------------------------------------------------


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
    numbers = [float(text) for text in texts if _NUMBER.fullmatch(text) or _INFINITE.fullmatch(text)]
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
        what = f"{_quoted(target)} is the only column"
        _fail(cells.source, what, remedy, line=cells.header_lines[0], column=target)
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
        what = f"every row (lines {lines[0]} to {lines[-1]}) holds {_quoted(texts[0])}"
        remedy = "add rows with other values: there is nothing to learn from one"
        _fail(cells.source, what, remedy, line=lines[0], column=target)
    return Table(names, rows, target, targets, classes, cells.source, lines)


def _present(cells: Cells, row: int, column: int) -> str:
    text = cells.rows[row][column]
    if text.lower() in MISSING:
        what = f"the value is missing ({_quoted(text)})" if text else "the value is missing (an empty cell)"
        _fail_at(cells, row, column, what, "fill it in, or delete the row")
    return text


def _number(cells: Cells, row: int, column: int, remedy: str = _NUMBERS_ONLY) -> float:
    text = _present(cells, row, column)
    if _NUMBER.fullmatch(text):
        if math.isfinite(number := float(text)):
            return number
        what = f"{_quoted(text)} is too large for a float"
        _fail_at(cells, row, column, what, "scale the column, or delete the row")
    if _INFINITE.fullmatch(text):
        what = f"{_quoted(text)} is not finite"
        _fail_at(cells, row, column, what, "write a finite number, or delete the row")
    if re.search(r"\d,\d", text) and _NUMBER.fullmatch(text.replace(",", ".", 1)):
        remedy = f"write {text.replace(',', '.', 1)} if the comma is a decimal point"
    _fail_at(cells, row, column, f"{_quoted(text)} is not a number", remedy)


def _classes(texts: Sequence[str]) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The class index of every text and the names of the classes, in the order that `load_csv` documents."""
    if all(_NUMBER.fullmatch(text) and math.isfinite(float(text)) for text in texts):
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


# --- what training does to a table --------------------------------------------------------------------------


def seeded(seed: object) -> random.Random:
    """A generator that starts from this int (NumPy's included). Raises `TypeError` for anything else.

    >>> seeded(0).random() == random.Random(0).random()
    True
    """
    if isinstance(seed, bool) or not hasattr(seed, "__index__"):
        raise TypeError(f"seed must be an int; it is {seed!r}")
    return random.Random(operator.index(seed))


def permutation(count: int, generator: random.Random) -> list[int]:
    """The numbers from 0 to count − 1 in an order that is the same on every Python.

    It takes `count` calls of `generator.random()`; of two equal draws the smaller number comes first.

    >>> sorted(permutation(5, random.Random(0)))
    [0, 1, 2, 3, 4]
    """
    draws = [generator.random() for _ in range(count)]
    return sorted(range(count), key=draws.__getitem__)


def train_test_split(table: Table, *, test: float = 0.2, seed: int = 0) -> tuple[Table, Table]:
    """Two tables, training and test: every row is in one of them, in an order drawn from the seed.

    When classifying, the share `test` is taken from each class by itself, rounded to whole rows (halves up),
    at least one row of each class on either side. In regression the same holds for the table as a whole.

    Raises `TableError` if a class (or the table) has fewer than two rows, or if `test` is not between 0 and
    1; `TypeError` if the seed is not an int. See the top of this file for why a seed means the same split on
    every version of Python.

    >>> table = Table(("x",), tuple((float(i),) for i in range(10)), "kind", (0, 1) * 5, ("a", "b"))
    >>> train, test = train_test_split(table, test=0.4)
    >>> sorted(train.labels), sorted(test.labels)
    (['a', 'a', 'a', 'b', 'b', 'b'], ['a', 'a', 'b', 'b'])
    """
    if not 0.0 < test < 1.0:
        what = f"the share of test rows is {test!r}"
        _fail(table.source, what, "choose a number between 0 and 1, such as 0.2")
    order = permutation(len(table), seeded(seed))
    if len(table) < 2:
        what = f"a split needs 2 rows and there are {len(table)}"
        _fail(table.source, what, "add rows", column=table.target_name)
    groups: dict[float, list[int]] = {}
    for row in order:
        groups.setdefault(0 if table.classes is None else table.targets[row], []).append(row)
    tested: set[int] = set()
    for target in sorted(groups):
        group = groups[target]
        if len(group) < 2:
            name = _quoted((table.classes or ())[int(target)])
            line = table.lines[group[0]] if table.lines else None
            what = f"class {name} has 1 row, too few for a training and a test part"
            remedy = "add rows of this class, or delete it"
            _fail(table.source, what, remedy, line=line, column=table.target_name)
        size = min(max(math.floor(len(group) * test + 0.5), 1), len(group) - 1)
        tested.update(group[:size])
    train = table.select(row for row in order if row not in tested)
    return train, table.select(row for row in order if row in tested)


@dataclass(frozen=True, slots=True)
class Standardisation:
    """Each column shifted and scaled to mean 0 and standard deviation 1 over the rows it was fitted on.

    Fit it on the training rows only: statistics of the test rows would leak into training. The deviation is
    that of the rows themselves (divided by their number, not by one less). A column that is constant, or so
    nearly that its deviation vanishes in floats, gets deviation 1, so that it becomes 0 and is never divided
    by zero.

    >>> scale = Standardisation.fit([(1.0, 7.0), (3.0, 7.0)])
    >>> scale
    Standardisation(means=(2.0, 7.0), deviations=(1.0, 1.0))
    >>> scale.apply([(1.0, 7.0), (5.0, 8.0)])
    [[-1.0, 0.0], [3.0, 1.0]]
    >>> Standardisation.from_dict(scale.to_dict()) == scale
    True
    """

    means: tuple[float, ...]
    deviations: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.means) != len(self.deviations):
            what = f"{len(self.means)} means but {len(self.deviations)} deviations"
            raise TableError(f"{what}; a standardisation has one each per column")
        for number, (mean, deviation) in enumerate(zip(self.means, self.deviations, strict=True), start=1):
            if not (math.isfinite(mean) and 0.0 < deviation < math.inf):
                what = f"column {number} has mean {mean!r} and deviation {deviation!r}"
                raise TableError(f"{what}; both must be finite and the deviation positive")

    @classmethod
    def fit(cls, rows: Sequence[Sequence[float]]) -> Self:
        """The standardisation of these rows.

        Raises `TableError` for no rows, rows of unequal length and numbers that are not finite.
        """
        if not rows:
            raise TableError("no rows to standardise; give at least one")
        _check_rows(rows, len(rows[0]))
        moments = [_mean_and_deviation(column) for column in zip(*rows, strict=True)]
        return cls(tuple(mean for mean, _ in moments), tuple(deviation for _, deviation in moments))

    def apply(self, rows: Sequence[Sequence[float]]) -> list[list[float]]:
        """(x − mean) / deviation for each number: a new list of lists.

        Raises `TableError` for rows of the wrong length, numbers that are not finite and results that
        overflow.
        """
        _check_rows(rows, len(self.means))
        scales = tuple(zip(self.means, self.deviations, strict=True))
        results = [[(x - mean) / scale for x, (mean, scale) in zip(row, scales, strict=True)] for row in rows]
        for number, (row, result) in enumerate(zip(rows, results, strict=True)):
            for column, value in enumerate(result):
                if not math.isfinite(value):
                    what = f"row {number}, column {column + 1}: {row[column]!r} overflows when standardised"
                    raise TableError(f"{what}; it is too far from the training rows")
        return results

    def to_dict(self) -> dict[str, list[float]]:
        """The same as plain JSON: {"means": […], "deviations": […]}. JSON keeps every float exactly."""
        return {"means": list(self.means), "deviations": list(self.deviations)}

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """The standardisation that `to_dict` wrote. Raises `TableError` for anything else."""
        columns: list[tuple[float, ...]] = []
        for name in ("means", "deviations"):
            values = data.get(name) if isinstance(data, Mapping) else None
            if not isinstance(values, list) or not all(map(_is_plain_number, values)):
                raise TableError(f"a standardisation needs {name!r}, a list of numbers; is the file damaged?")
            columns.append(tuple(map(float, values)))
        return cls(*columns)


def _is_plain_number(value: object) -> bool:
    return isinstance(value, float) or (type(value) is int and abs(value) <= 2**53)  # not True, not 10**400


def _check_rows(rows: Sequence[Sequence[float]], width: int) -> None:
    for number, row in enumerate(rows):
        if len(row) != width:
            what = f"row {number} has {len(row)} numbers where {width} belong"
            raise TableError(f"{what}; rows must be of equal length")
        for column, value in enumerate(row, start=1):
            if not math.isfinite(value):
                what = f"row {number}, column {column}: {value!r} is not finite"
                raise TableError(f"{what}; give finite numbers")


def _mean_and_deviation(column: Sequence[float]) -> tuple[float, float]:
    """Mean and population deviation, scaled by a power of two on the way so that nothing finite overflows."""
    if min(column) == max(column):  # not left to arithmetic: (0.1 + 0.1 + 0.1) / 3 is not 0.1
        return float(column[0]), 1.0
    exponent = math.frexp(max(map(abs, column)))[1]
    scaled = [math.ldexp(x, -exponent) for x in column]
    mean = math.fsum(scaled) / len(scaled)
    deviation = math.sqrt(math.fsum((x - mean) * (x - mean) for x in scaled) / len(scaled))
    return math.ldexp(mean, exponent), math.ldexp(deviation, exponent) or 1.0


# --- messages -----------------------------------------------------------------------------------------------


def _fail_at(cells: Cells, row: int, column: int, what: str, remedy: str) -> NoReturn:
    _fail(cells.source, what, remedy, line=cells.lines[row][column], column=cells.header[column])


def _fail(
    source: str, what: str, remedy: str, *, line: int | None = None, column: str | int | None = None
) -> NoReturn:
    """Raise the one-line `TableError`; a column without a usable name is given by its number, from 1."""
    place = source if source.isprintable() else repr(source)
    if line is not None:
        place += f", line {line}"
    if column is not None:
        place += f", column {column if isinstance(column, int) else _quoted(column)}"
    raise TableError(f"{place}: {what}; {remedy}") from None


def _quoted(text: str) -> str:
    """The text in quotes, on one line, of bounded length."""
    return repr(text if len(text) <= 60 else text[:57] + "…")
