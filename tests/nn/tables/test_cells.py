"""Cells: every usual shape of a CSV file is read, and what is wrong with one is said in one line."""

import csv
import io
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn.tables.cells import TableError, read_cells
from nn.tables.reading import load_csv, parse_csv
from tests.nn.tables.complaints import GOOD, message


def message_of_file(path: str | os.PathLike[str]) -> str:
    with pytest.raises(TableError) as caught:
        load_csv(path, target="kind")
    complaint = str(caught.value)
    assert len(complaint.splitlines()) == 1
    return complaint


@pytest.mark.parametrize("prefix", ["", "\ufeff", "\n", "\r\n \n"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_every_usual_shape_of_the_same_table(prefix: str, end: str, delimiter: str) -> None:
    text = prefix + GOOD.replace(",", delimiter).replace("\n", end)
    assert parse_csv(text.encode(), target="kind") == parse_csv(GOOD.encode(), target="kind")


def test_delimiters_inside_quotes_do_not_count() -> None:
    table = parse_csv(b'"a;b;c;d",y,"5"" screen;"\n1,x,2\n3,z,4\n', target="y")
    assert table.feature_names == ("a;b;c;d", '5" screen;')


def test_a_quote_inside_a_plain_cell_does_not_hide_the_delimiter() -> None:
    assert parse_csv(b'5" screen;price,1;y\n1;2;a\n3;4;b\n', target="y").feature_names == (
        '5" screen',
        "price,1",
    )


def test_an_empty_line_before_a_quoted_header() -> None:
    assert parse_csv(b'\n"a;b;c",y\n1,u\n2,v\n', target="y").feature_names == ("a;b;c",)


def test_the_delimiter_can_be_given() -> None:
    text = b"a;b;c,y\n1,u\n2,v\n"
    assert parse_csv(text, target="y", delimiter=",").feature_names == ("a;b;c",)
    with pytest.raises(ValueError, match=r"delimiter must be one of .* it is '\|'"):
        parse_csv(text, target="y", delimiter="|")


def test_missing_file(tmp_path: Path) -> None:
    path = tmp_path / "none.csv"
    assert message_of_file(path) == f"{path}: there is no such file; check the spelling and the folder"


def test_directory(tmp_path: Path) -> None:
    assert message_of_file(tmp_path) == f"{tmp_path}: this is a folder; name a file in it"


def test_path_through_a_file(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(GOOD, encoding="utf-8")
    assert "check the" in message_of_file(tmp_path / "t.csv" / "u.csv")


def test_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    assert message_of_file("t.csv") == "t.csv: the file may not be read; change its permissions"
    assert message_of_file(tmp_path) == f"{tmp_path}: the file may not be read; name a file in it"


def test_failing_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("builtins.open", fail)
    assert message_of_file("t.csv") == "t.csv: the file cannot be read (Input/output error); check the path"


@pytest.mark.parametrize("name", ["a\0b.csv", "x" * 5000, "two\nlines.csv"])
def test_names_no_file_can_have(name: str) -> None:
    assert "check the" in message_of_file(name)


@pytest.mark.parametrize("text", ["", "\ufeff", "\n\n", "  \r\n"])
def test_empty_file(text: str) -> None:
    assert message(text) == "t.csv, line 1: the file is empty; write a header and rows"


@pytest.mark.parametrize("text", ["height,kind", "height,kind\n", "height,kind\n\n\n"])
def test_header_only(text: str) -> None:
    assert message(text) == "t.csv, line 1: a header but no rows; add rows below the header"


def test_duplicate_column_names() -> None:
    complaint = message("a,b, a,kind\n1,2,3,x\n")
    assert complaint == "t.csv, line 1, column 3: columns 1 and 3 have the same name 'a'; rename one of them"


@pytest.mark.parametrize(("header", "number"), [(",a,kind", 1), ("a,  ,kind", 2), ("a,kind,", 3)])
def test_empty_column_name(header: str, number: int) -> None:
    expected = f"t.csv, line 1, column {number}: the column has no name; name it, or delete the column"
    assert message(f"{header}\n1,2,3\n") == expected


def test_unknown_target_with_a_near_name() -> None:
    expected = "t.csv, line 1: no column 'Kimd' among 'height', 'width', 'kind'; did you mean 'kind'?"
    assert message(GOOD, target="Kimd") == expected


def test_unknown_target_with_no_near_name() -> None:
    assert message(GOOD, target="price").endswith("among 'height', 'width', 'kind'; choose one of them")


def test_unknown_target_in_a_file_without_header() -> None:
    assert "add a first line of column names" in message("1,2,3\n4,5,6\n")


def test_unknown_target_among_many() -> None:
    header = ",".join(f"c{i}" for i in range(1000))
    complaint = message(f"{header}\n{header}\n", target="price")
    assert "'c19' and 980 more" in complaint


def test_too_few_cells() -> None:
    complaint = message("a,b,kind\n1,2,x\n3,4\n")
    what = "no cell after '4': 2 cells in a table of 3 columns"
    assert complaint == f"t.csv, line 3, column 'kind': {what}; add the missing cells, or delete the row"


def test_too_many_cells() -> None:
    complaint = message("a,b,kind\n1,2,x\n3,4,y,5\n")
    what = "'5' is beyond the last column 'kind': 4 cells in a table of 3 columns"
    assert complaint.startswith(f"t.csv, line 3, column 4: {what}; remove the extra cells")


def test_not_utf_8() -> None:
    complaint = message("a,näme,kind\n1,2,x\n3,caf\xe9,y\n".encode("latin-1").replace(b"n\xe4me", b"name"))
    what = "byte 0xE9 in 'caf\N{REPLACEMENT CHARACTER}' is not UTF-8"
    assert complaint == f"t.csv, line 3, column 'name': {what}; save the file as UTF-8"


def test_not_utf_8_on_the_second_line_of_a_cell() -> None:
    assert message(b'a,kind\n"1\n\xe9",x\n').startswith("t.csv, line 3, column 'a': byte 0xE9 in '1\\n")


def test_header_not_utf_8() -> None:
    assert "t.csv, line 1, column 2: byte 0xE4 in" in message("a,näme,kind\n1,2,x\n".encode("latin-1"))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_wider_encodings(encoding: str) -> None:
    assert "UTF-8" in message(GOOD.encode(encoding)) or "NUL" in message(GOOD.encode(encoding))


def test_utf_16_is_named() -> None:
    assert message(GOOD.encode("utf-16")) == "t.csv: the text is UTF-16; save it as CSV in UTF-8"


def test_spreadsheet() -> None:
    assert message(b"PK\x03\x04\0\0").endswith("export it as CSV in UTF-8")


def test_nul_byte() -> None:
    complaint = message("a,kind\n1,x\n2\0,y\n")
    assert complaint.startswith("t.csv, line 3, column 'a': a NUL byte in '2\N{REPLACEMENT CHARACTER}'; remove")


def test_quote_never_closed() -> None:
    complaint = message('a,b,kind\n1,2,x\n3,"4,y\n5,6,z\n')
    assert complaint.startswith("t.csv, line 3, column 'b': the quote before '4,y\\n5,6,z\\n' is never closed; ")


def test_quote_never_closed_in_the_header() -> None:
    assert message('a,"b,kind\n1,2,x\n').startswith("t.csv, line 1, column 2: the quote before 'b,kind")


def test_a_misplaced_quote_before_a_tab_is_told_without_the_tab() -> None:
    assert message('""x\tkind\n1\t2\n').isprintable()


def test_misplaced_quote() -> None:
    complaint = message('a,b,kind\n1,2,x\n"3"4,5,y\n')
    assert complaint.startswith("t.csv, line 3: misplaced quotes (")
    assert complaint.endswith('; double a quote inside quotes: "a ""b"" c"')


def test_gigantic_cell() -> None:
    complaint = message('a,kind\n1,x\n"' + "1\n" * 100_000)
    assert complaint.startswith(f"t.csv, line 3: a cell longer than {csv.field_size_limit()} characters; ")


def test_lines_are_those_of_an_editor() -> None:
    text = 'a,"ki\nnd",b\n\n1,"x\ny\r\nz",2\n3,w,4\n5,"two\nlines",six\n'
    complaint = message(text, target="ki\nnd")
    assert complaint.startswith("t.csv, line 9, column 'b': 'six' is not a number")  # its row begins on line 8
    assert parse_csv(text.replace("six", "6").encode(), target="ki\nnd").lines == (4, 7, 8)


names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8).filter(
    lambda name: name == name.strip()
)


@given(st.lists(st.lists(names, min_size=2, max_size=2), min_size=2, max_size=6))
def test_every_cell_knows_its_line(records: list[list[str]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(["a", "b"])
    writer.writerows(records)
    cells = read_cells(text.getvalue().encode())
    assert cells.rows == tuple(map(tuple, records))
    whole = text.getvalue().replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for row, lines in zip(records, cells.lines, strict=True):
        for cell, line in zip(row, lines, strict=True):
            first = cell.replace("\r", "\n").split("\n")[0].replace('"', '""')
            assert f'"{first}' in whole[line - 1]
