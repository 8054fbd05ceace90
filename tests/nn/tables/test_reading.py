"""Reading: what a file says is what the table holds, or one line says why not and where."""

import contextlib
import csv
import io
import os
import re
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn.tables.cells import TableError, read_cells
from nn.tables.reading import encoded, guess_task, load_csv, parse_csv
from nn.tables.table import Column, Table, Task
from tests.nn.tables.complaints import GOOD, message


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(GOOD, encoding="utf-8")
    table = load_csv(path, target="kind")
    assert table == Table(("height", "width"), ((1.5, 2.0), (3.0, 4.0)), "kind", (0, 1), ("a", "b"))
    assert (table.source, table.lines, table.task, len(table)) == (str(path), (2, 3), "classification", 2)
    assert table == load_csv(str(path), target="kind")
    assert table == load_csv(os.fsencode(path), target="kind")  # type: ignore[arg-type]


def test_the_target_may_stand_anywhere() -> None:
    table = parse_csv(b"a,y,b\n1,0.5,2\n3,0.25,4\n", target="y")
    assert table.feature_names == ("a", "b")
    assert table.rows == ((1.0, 2.0), (3.0, 4.0))
    assert table.targets == (0.5, 0.25)
    assert table.classes is None


@pytest.mark.parametrize(
    "text",
    [
        "height,width,kind\n1.5,2,a\n3,4,b",  # no line end at the end
        "height,width,kind\n\n1.5,2,a\n  \n3,4,b\n\n\n",  # empty lines
        " height , width,kind \n 1.5 ,2, a\n3, 4,b \n",  # spaces
        '"height","width","kind"\n"1.5","2","a"\n"3","4","b"\n',  # quotes
        '"height", "width", "kind"\n1.5, "2", "a"\n3,4,b\n',  # a space before quotes
        "height,width,kind\n+1.5e0,2.,a\n.3E1,04,b\n",  # ways to write a number
    ],
)
def test_spelling_that_makes_no_difference(text: str) -> None:
    assert parse_csv(text.encode(), target="kind") == parse_csv(GOOD.encode(), target="kind")


@pytest.mark.parametrize(
    ("texts", "task"),
    [
        (["a", "b"], "classification"),
        (["0", "1", "0", "1"], "classification"),
        (["-1", "1", "1", "-1"], "classification"),
        (["1.0", "2.0", "1.0", "2.0"], "classification"),
        ([str(i % 10) for i in range(20)], "classification"),
        ([str(i % 10) for i in range(19)], "regression"),  # one of the ten only once
        ([str(i % 11) for i in range(99)], "regression"),  # eleven
        (["0.5", "1", "0.5", "1"], "regression"),
        (["1", "2", "3"], "regression"),
        (["0.5", "1.5", "oops"], "regression"),  # and "oops" is an error
        (["1", "1", "2", "2", "other"], "classification"),
        (["1.5", "a"], "classification"),  # half of them are text
        (["1", "inf", "1", "inf"], "regression"),
    ],
)
def test_the_rule_that_guesses(texts: list[str], task: str) -> None:
    assert guess_task(texts) == task


def test_the_caller_decides_if_asked() -> None:
    text = b"x,y\n1,10\n2,9\n3,10\n4,9\n"
    assert parse_csv(text, target="y").classes == ("9", "10")
    assert parse_csv(text, target="y", task="regression").targets == (10.0, 9.0, 10.0, 9.0)
    assert parse_csv(b"x,y\n1,0.5\n2,-1.5\n", target="y", task="classification").classes == ("-1.5", "0.5")
    with pytest.raises(ValueError, match=r"task must be .* it is 'ranking'"):
        parse_csv(text, target="y", task="ranking")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("texts", "classes", "targets"),
    [
        (["b", "a", "B", "ä"], ("B", "a", "b", "ä"), (2, 1, 0, 3)),  # code points
        (["10", "9", "10", "9"], ("9", "10"), (1, 0, 1, 0)),  # values
        (["2.0", "2", "-0", "0"], ("0", "2"), (1, 1, 0, 0)),  # one class, however written
        (["10", "9", "x", "y"], ("10", "9", "x", "y"), (0, 1, 2, 3)),  # text among them: code points
        (["9007199254740993", "9007199254740992"], ("9007199254740992", "9007199254740993"), (1, 0)),
    ],
)
def test_the_order_of_classes(texts: list[str], classes: tuple[str, ...], targets: tuple[int, ...]) -> None:
    text = "x,y\n" + "".join(f"{i},{label}\n" for i, label in enumerate(texts))
    table = parse_csv(text.encode(), target="y", task="classification")
    assert (table.classes, table.targets, table.class_indices) == (classes, targets, targets)
    assert table.labels == tuple(classes[i] for i in targets)


def test_target_alone() -> None:
    complaint = message("kind\na\nb\n")
    assert complaint.startswith("t.csv, line 1, column 'kind': 'kind' is the only column; add a column")


@pytest.mark.parametrize("cell", ["", "  ", "NA", "na", "N/A", "NaN", "nan", "?", "null"])
@pytest.mark.parametrize(("row", "column"), [("1,{},a", "width"), ("1,2,{}", "kind")])
def test_missing_value(cell: str, row: str, column: str) -> None:
    complaint = message(f"height,width,kind\n1,2,b\n{row.format(cell)}\n")
    assert complaint.startswith(f"t.csv, line 3, column '{column}': the value is missing (")
    assert complaint.endswith("; fill it in, or delete the row")
    assert (repr(cell) if cell.strip() else "an empty cell") in complaint


@pytest.mark.parametrize("cell", ["two", "1.2.3", "1_000", "0x1F", "12 cm", "٣", "1e", "--1", "."])
def test_text_where_a_number_belongs(cell: str) -> None:
    complaint = message(f"height,width,kind\n1,2,a\n1,{cell},b\n")
    remedy = "write a number such as 1234.5, or leave the column out"
    assert complaint == f"t.csv, line 3, column 'width': {cell!r} is not a number; {remedy}"


def test_decimal_comma() -> None:
    complaint = message("height;kind\n1,5;a\n")
    what = "'1,5' is not a number; write 1.5 if the comma is a decimal point"
    assert complaint == f"t.csv, line 2, column 'height': {what}"


def test_text_in_a_target_of_quantities() -> None:
    complaint = message("x,y\n1,0.5\n2,oops\n3,1.5\n", target="y")
    assert complaint.startswith("t.csv, line 3, column 'y': 'oops' is not a number; write a number")
    assert complaint.endswith("or choose classification if the column holds classes")
    assert "line 2, column 'kind': 'a' is not a number" in message(GOOD, task="regression")


def test_long_and_unprintable_text_stays_on_one_short_line() -> None:
    complaint = message('a,kind\n"1\n2\u2028' + "x" * 1000 + '",b\n')
    assert complaint.startswith("t.csv, line 2, column 'a': '1\\n2\\u2028xxx")
    assert len(complaint) < 200


@pytest.mark.parametrize("cell", ["inf", "-inf", "+Infinity"])
@pytest.mark.parametrize(("row", "column"), [("{},0.5", "x"), ("1,{}", "y")])
def test_infinity(cell: str, row: str, column: str) -> None:
    complaint = message(f"x,y\n1,0.5\n2,1.5\n{row.format(cell)}\n", target="y")
    assert complaint.startswith(f"t.csv, line 4, column '{column}': {cell!r} is not finite; write a finite")


def test_number_too_large_for_a_float() -> None:
    assert "line 2, column 'x': '1e999' is too large for a float" in message("x,kind\n1e999,a\n")
    assert "is too large" in message("x,kind\n" + "9" * 5000 + ",a\n")


@pytest.mark.parametrize(("kind", "label"), [("a", "a"), ("1", "1"), ("0.5", "0.5")])
def test_target_with_a_single_value(kind: str, label: str) -> None:
    complaint = message(f"x,kind\n1,{kind}\n2,{kind}\n")
    what = f"every row (lines 2 to 3) holds '{label}'"
    assert complaint.startswith(f"t.csv, line 2, column 'kind': {what}; add rows with other values")


@given(st.binary(max_size=60) | st.text(alphabet='ab1.,;\t"\r\n \0?é\ufeff', max_size=60).map(str.encode))
def test_bytes_are_a_table_or_one_line(content: bytes) -> None:
    for target in ("a", "b", "1"):
        complaint = ""
        try:
            parse_csv(content, target=target)
        except TableError as error:
            complaint = str(error)
        assert len(complaint.splitlines()) <= 1


finite = st.floats(allow_nan=False, allow_infinity=False)
names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8).filter(
    lambda name: name == name.strip()
)
labels = names.map(lambda name: f"label {name}")  # never a number, never missing


@given(
    data=st.data(),
    width=st.integers(1, 4),
    height=st.integers(2, 8),
    delimiter=st.sampled_from([",", ";", "\t"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    classifying=st.booleans(),
)
def test_a_written_table_reads_back(
    data: st.DataObject, width: int, height: int, delimiter: str, quoting: Literal[0, 1, 2], classifying: bool
) -> None:
    header = data.draw(st.lists(names, min_size=width + 1, max_size=width + 1, unique=True))
    rows = data.draw(st.lists(st.tuples(*[finite] * width), min_size=height, max_size=height))
    target = st.lists(labels if classifying else finite, min_size=height, max_size=height)
    targets = data.draw(target.filter(lambda values: len(set(values)) > 1))
    place = data.draw(st.integers(0, width))
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting)
    writer.writerow(header)
    writer.writerows([*row[:place], value, *row[place:]] for row, value in zip(rows, targets, strict=True))
    task: Task | None = None if classifying else "regression"
    table = parse_csv(text.getvalue().encode(), target=header[place], task=task, delimiter=delimiter)
    assert table.feature_names == (*header[:place], *header[place + 1 :])
    assert list(map(repr, table.rows)) == list(map(repr, rows))  # repr: the sign of zero counts
    if classifying:
        assert list(table.labels) == targets
        assert table.classes == tuple(sorted(set(map(str, targets))))
    else:
        assert list(map(repr, table.targets)) == list(map(repr, targets))


MIXED = "colour,size,zip,y\nred,1,10,0.5\nblue,2,20,1.5\nred,3,10.0,2.5\nblue,4,20,4\n"


def test_texts_that_repeat_are_categories() -> None:
    table = parse_csv(MIXED.encode(), target="y")
    assert table.feature_names == ("colour=blue", "colour=red", "size", "zip")
    assert table.rows[:2] == ((0.0, 1.0, 1.0, 10.0), (1.0, 0.0, 2.0, 20.0))
    assert [column.categories for column in table.columns] == [("blue", "red"), None, None]
    assert table.select([1]).columns == table.columns


def test_numbers_are_categories_where_they_are_named() -> None:
    table = parse_csv(MIXED.encode(), target="y", categories=["zip"])
    assert table.feature_names == ("colour=blue", "colour=red", "size", "zip=10", "zip=20")
    assert table.rows[2] == (0.0, 1.0, 3.0, 1.0, 0.0)
    with pytest.raises(TableError, match=r"column 'y': 'y' is the target, .*; leave it out of the categories"):
        parse_csv(MIXED.encode(), target="y", categories=["y"])
    with pytest.raises(TableError, match="no column 'zap' among"):
        parse_csv(MIXED.encode(), target="y", categories=["zap"])


def test_what_is_no_column_of_categories() -> None:
    names = "name,y\nann,1.5\nbob,2.5\ncleo,3.5\n"
    with pytest.raises(TableError, match="line 2, column 'name': 'ann' is not a number"):
        parse_csv(names.encode(), target="y")
    with pytest.raises(TableError, match="line 3, column 'colour': 'blue' is not a number"):
        parse_csv(MIXED.replace("red", "7").encode(), target="y")
    with pytest.raises(TableError, match=r"line 4, column 'colour': the value is missing \('\?'\)"):
        parse_csv(MIXED.replace("red,3", "?,3").encode(), target="y", categories=["colour"])


def test_cells_in_the_columns_of_another_table() -> None:
    columns = parse_csv(MIXED.encode(), target="y", categories=["zip"]).columns
    assert encoded(read_cells(b"zip,more,size,colour\n20.0,x,5,red\n"), columns) == ((0.0, 1.0, 5.0, 0.0, 1.0),)
    for text, complaint in (
        ("size,more\n1,2\n", "line 1: columns 'colour', 'zip' missing among 'size', 'more'; add what is missing"),
        ("colour,size\nred,1\n", "line 1: the column 'zip' missing among 'colour', 'size'"),
        ("colour,size,zip\ngreen,1,10\n", "line 2, column 'colour': 'green' is none of the categories 'blue', 'red'"),
        ("colour,size,zip\nred,1,11\n", "line 2, column 'zip': '11' is none of the categories '10', '20'"),
        ("colour,size,zip\n,1,11\n", "line 2, column 'colour': the value is missing"),
    ):
        with pytest.raises(TableError, match=re.escape(complaint)):
            encoded(read_cells(text.encode()), columns)


def many_columns(n: int, cell: str) -> tuple[bytes, str, list[str]]:
    names = [f"c{i}" for i in range(n)]
    rows = [names, [cell] * n, [cell] * n, ["2"] * n, ["2"] * n]
    return "\n".join(map(",".join, rows)).encode(), "c0", names[1:] if cell == "1" else []


def many_rows(header: str, n: int, row: Callable[[int], str]) -> tuple[bytes, str, list[str]]:
    return "\n".join([header, *map(row, range(n))]).encode(), "y", []


#: A dimension of a file → a file of that size, its target, and columns to take for categories.
GROWING: dict[str, Callable[[int], tuple[bytes, str, list[str]]]] = {
    "digits": lambda n: (b"x,y\n" + b"1" * n + b"z,1\n2,3\n", "y", []),
    "digits behind a point": lambda n: (b"x,y\n1." + b"1" * n + b"z,1\n2,3\n", "y", []),
    "digits of an exponent": lambda n: (b"x,y\n1e" + b"1" * n + b"z,1\n2,3\n", "y", []),
    "columns": lambda n: many_columns(n // 4, "1.5"),
    "columns of categories": lambda n: many_columns(n // 4, "a"),
    "columns named as categories": lambda n: many_columns(n // 4, "1"),
    "categories": lambda n: many_rows("c,y", n // 4, lambda i: f"k{i // 2},{i}"),
    "classes": lambda n: many_rows("x,y", n // 4, lambda i: f"{i},k{i // 2}"),
    "rows": lambda n: many_rows("x,y", n // 4, lambda i: f"{i},{i % 7}.5"),
}


@pytest.mark.parametrize("dimension", GROWING)
def test_a_file_takes_time_in_proportion_to_its_size(dimension: str) -> None:
    """Times that grow with the square would be 256 times as long, and seconds for the larger file."""
    large = 16_000 if "digits" in dimension else 120_000
    seconds = []
    for size in (large // 16, large):
        content, target, categories = GROWING[dimension](size)
        start = time.process_time()
        with contextlib.suppress(TableError):
            parse_csv(content, target=target, categories=categories)
        seconds.append(time.process_time() - start)
    assert seconds[1] < 80 * max(seconds[0], 0.02)


def test_what_categories_would_take_is_known_before_it_is_taken() -> None:
    content = ("c,y\n" + "".join(f"k{i // 2},{i}\n" for i in range(14_000))).encode()
    tracemalloc.start()
    try:
        with pytest.raises(TableError) as caught:
            parse_csv(content, target="y", source="t.csv")
        assert tracemalloc.get_traced_memory()[1] < 100 * len(content)
    finally:
        tracemalloc.stop()
    assert str(caught.value) == (
        "t.csv, line 1, column 'c': its 7,000 categories in 14,000 rows are part of 98,000,000 numbers; leave the "
        "column out, or merge categories: 10,000,000 are the limit"
    )


def test_a_model_of_many_categories_meets_the_same_limit() -> None:
    cells = read_cells(b"c\n" + b"k1\n" * 10_001)
    with pytest.raises(TableError, match="1,000 categories in 10,001 rows are part of 10,001,000 numbers"):
        encoded(cells, [Column("c", tuple(f"k{i}" for i in range(1000)))])
    assert len(encoded(cells, [Column("c", ("k0", "k1"))])) == 10_001
