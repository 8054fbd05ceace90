"""The bytes of a CSV file as a rectangle of text, in which every cell knows its line.

Encoding, quotes, names and the equal length of rows are checked here; what the cells hold is the business of
``reading``. The errors of both are made here: one line each that names file, line, column, the text found and the
remedy.
"""

from __future__ import annotations

import csv
import difflib
import io
import os
import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple, NoReturn

from nn import files

DELIMITERS = (",", ";", "\t")

# float() would also take 1_000 and ٣. No digit is tried twice, so a cell takes time in proportion to its length.
NUMBER = re.compile(r"[+-]?(\d++(\.\d*+)?|\.\d++)(e[+-]?\d++)?", re.ASCII | re.IGNORECASE)
_LINE_END = re.compile(r"\r\n|\r|\n")
# NUL, and what errors="surrogateescape" makes of bytes that are not UTF-8.
_UNDECODED = re.compile("[\0\udc80-\udcff]")


class TableError(ValueError):
    """Why a table cannot be used, in one line: file, line, column, the text found and the remedy."""


class Cells(NamedTuple):
    """The text of a table: as many cells in every row as in the header, white space around them removed.

    ``lines[i][j]`` is the line of the file on which cell j of row i begins, counted as an editor does;
    ``header_lines`` is the same for the header. Quoted cells may span lines, so the cells of one row may begin
    on different ones.
    """

    source: str
    header: tuple[str, ...]
    header_lines: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[tuple[int, ...], ...]

    @property
    def places(self) -> dict[str, int]:
        """The index of each column."""
        return {name: place for place, name in enumerate(self.header)}

    def column(self, name: str) -> int:
        """The index of the column of that name.

        Raises:
            TableError: there is none; the message has the nearest name and all names.
        """
        if name in self.header:
            return self.header.index(name)
        lowered = {known.lower(): known for known in self.header}
        near = difflib.get_close_matches(name.lower(), lowered, n=1)
        if near:
            remedy = f"did you mean {quoted(lowered[near[0]])}?"
        elif all(NUMBER.fullmatch(known) for known in self.header):
            remedy = "add a first line of column names if it has none"
        else:
            remedy = "choose one of them"
        names = ", ".join(quoted(known) for known in self.header[:20])
        more = f" and {len(self.header) - 20} more" if len(self.header) > 20 else ""
        what = f"no column {quoted(name)} among {names}{more}"
        fail(self.source, what, remedy, line=self.header_lines[0])


def file_content(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a file.

    Raises:
        TableError: it cannot be read; the message has the reason and the remedy.
    """
    source = os.fsdecode(path)
    try:
        return files.read(path)
    except FileNotFoundError:
        fail(source, "there is no such file", "check the spelling and the folder")
    except IsADirectoryError:
        fail(source, "this is a folder", "name a file in it")
    except PermissionError:
        remedy = "name a file in it" if os.path.isdir(path) else "change its permissions"
        fail(source, "the file may not be read", remedy)  # Windows says so of folders
    except OSError as error:
        fail(source, f"the file cannot be read ({error.strerror or 'input error'})", "check the path")
    except ValueError:  # a NUL or a character that the file system cannot encode
        fail(source, "this cannot be the name of a file", "check the path")


def read_cells(content: bytes, *, delimiter: str | None = None, source: str = "table") -> Cells:
    """The cells of a CSV file as text.

    Encoding, quotes, names and the equal length of rows are checked; what the cells hold is not.

    >>> read_cells(b'name,size\\n"Ann, B.",3\\n').rows
    (('Ann, B.', '3'),)

    Raises:
        TableError: the file is bad.
        ValueError: an unknown delimiter.
    """
    if delimiter is not None and delimiter not in DELIMITERS:
        names = ", ".join(map(repr, DELIMITERS))
        raise ValueError(f"delimiter must be one of {names} or None; it is {delimiter!r:.200}")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        fail(source, "the text is UTF-16", "save it as CSV in UTF-8")
    if content.startswith(b"PK\x03\x04"):
        fail(source, "this is a zip archive or a spreadsheet", "export it as CSV in UTF-8")
    text = content.decode("utf-8-sig", errors="surrogateescape")
    records = _records(source, text, delimiter or _detect_delimiter(text))
    if not records:
        fail(source, "the file is empty", "write a header and rows", line=1)
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
        fail(source, "a header but no rows", "add rows below the header", line=header_lines[0])
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


class _Record(NamedTuple):
    """A record as it is written, and the line on which each of its cells begins."""

    lines: tuple[int, ...]
    cells: list[str]


def _records(source: str, text: str, delimiter: str) -> list[_Record]:
    """Every record that is not empty."""
    lines = io.StringIO(text, newline="")  # as an editor shows them, with line ends inside quotes kept
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
    records: list[_Record] = []
    while True:
        start = reader.line_num + 1
        try:
            record = next(reader)
        except StopIteration:
            return records
        except csv.Error as error:
            _fail_quoting(source, text, delimiter, start, records[0].cells if records else [], error)
        if record and not (len(record) == 1 and not record[0].strip()):
            records.append(_Record(_cell_lines(start, record), record))


def _cell_lines(start: int, record: Sequence[str]) -> tuple[int, ...]:
    """The line on which each cell of a record begins, if the record begins on line ``start``."""
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
        what = f"the quote before {quoted(record[-1])} is never closed"
        fail(source, what, 'close it with "', line=line, column=column)
    if "field limit" in str(error):
        what = f"a cell longer than {csv.field_size_limit()} characters"
        fail(source, what, "look for a quote that is never closed", line=start)
    what = f"misplaced quotes ({quoted(str(error))[1:-1]})"
    fail(source, what, 'double a quote inside quotes: "a ""b"" c"', line=start)


def _check_text(source: str, header: Sequence[str], lines: Sequence[int], raw: Sequence[str]) -> None:
    for column, (line, cell) in enumerate(zip(lines, raw, strict=True)):
        if found := _UNDECODED.search(cell):
            line += len(_LINE_END.findall(cell[: found.start()]))
            name: str | int = column + 1 if _UNDECODED.search(header[column]) else header[column]
            shown = quoted(_UNDECODED.sub("\N{REPLACEMENT CHARACTER}", cell))
            if found.group() == "\0":
                fail(source, f"a NUL byte in {shown}", "remove it: text has none", line=line, column=name)
            what = f"byte 0x{ord(found.group()) - 0xDC00:02X} in {shown} is not UTF-8"
            fail(source, what, "save the file as UTF-8", line=line, column=name)


def _check_names(source: str, header: Sequence[str], lines: Sequence[int]) -> None:
    numbers: dict[str, int] = {}
    for number, (line, name) in enumerate(zip(lines, header, strict=True), start=1):
        if not name:
            fail(source, "the column has no name", "name it, or delete the column", line=line, column=number)
        if (first := numbers.setdefault(name, number)) < number:
            what = f"columns {first} and {number} have the same name {quoted(name)}"
            fail(source, what, "rename one of them", line=line, column=number)


def _check_length(source: str, header: Sequence[str], lines: Sequence[int], raw: Sequence[str]) -> None:
    sizes = f"{len(raw)} {'cell' if len(raw) == 1 else 'cells'} in a table of {len(header)} columns"
    if len(raw) < len(header):
        what = f"no cell after {quoted(raw[-1])}: {sizes}"
        remedy = "add the missing cells, or delete the row"
        fail(source, what, remedy, line=lines[-1], column=header[len(raw)])
    if len(raw) > len(header):
        what = f"{quoted(raw[len(header)])} is beyond the last column {quoted(header[-1])}: {sizes}"
        remedy = "remove the extra cells, or put quotes around a cell that holds the delimiter"
        fail(source, what, remedy, line=lines[len(header)], column=len(header) + 1)


def fail(source: str, what: str, remedy: str, *, line: int | None = None, column: str | int | None = None) -> NoReturn:
    """Raise the one-line ``TableError``; a column without a usable name is given by its number, from 1."""
    place = source if source.isprintable() else repr(source)
    if line is not None:
        place += f", line {line}"
    if column is not None:
        place += f", column {column if isinstance(column, int) else quoted(column)}"
    raise TableError(f"{place}: {what}; {remedy}") from None


def quoted(text: str) -> str:
    """The text in quotes, on one line, of bounded length."""
    return repr(text if len(text) <= 60 else text[:57] + "…")
