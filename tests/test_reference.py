"""What is spelled out of the table is what ``make tables`` writes now."""

from __future__ import annotations

from pathlib import Path

import pytest

import autograd
from autograd import TABLE, Primitive, reference
from autograd.number_systems.methods import Methods

FILES = {path.name: (path, text) for path, text in reference.files()}


@pytest.mark.parametrize("name", FILES)
def test_a_file_written_from_the_table_is_not_stale(name: str) -> None:
    path, text = FILES[name]
    assert path.read_text("utf-8") == text, "run: make tables"


def test_a_stale_list_of_names_would_be_noticed() -> None:
    _, text = FILES["__init__.py"]
    assert reference.with_names(text.replace("    tanh,\n", "").replace('    "tanh",\n', "")) == text


def test_every_row_is_a_public_function() -> None:
    assert all(callable(getattr(autograd, row.name)) for row in TABLE.values() if not row.compares)


METHODS = [(row, name) for row in reference.method_rows() for name in (row.name, *row.aliases)]


@pytest.mark.parametrize(("row", "name"), METHODS, ids=[name for _, name in METHODS])
def test_rows_of_one_and_two_numbers_are_methods(row: Primitive, name: str) -> None:
    assert row.summary in getattr(Methods, name).__doc__
    assert getattr(autograd.Value, name).__doc__
    assert row.example is not None
    numbers = row.example[0]
    given = numbers[: len(numbers) - len(row.defaults)]
    x = autograd.Value(numbers[0])
    by_method = getattr(x, name)(*given[1:])
    by_function = getattr(autograd, row.name)(x, *given[1:])
    assert by_method.parents == by_function.parents
    assert by_method.data == by_function.data
    assert by_method.primitive is row


@pytest.mark.parametrize("row", [row for row in reference.method_rows() if row.constants], ids=lambda row: row.name)
def test_a_constant_of_a_method_is_no_value(row: Primitive) -> None:
    """Nor left out where nothing is usual."""
    assert row.example is not None
    x, *constants = row.example[0]
    method = getattr(autograd.Value(x), row.name)
    assert method(**dict(zip(row.constants, constants, strict=True))).data == method(*constants).data
    with pytest.raises(TypeError, match=rf"{row.name}: {row.constants[0]} is a constant without a derivative"):
        method(autograd.Value(constants[0]), *constants[1:])
    if not row.defaults:
        with pytest.raises(TypeError, match="missing"):
            method()


def test_only_what_changed_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(reference, "_ROOT", tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "autograd" / "number_systems").mkdir(parents=True)
    (tmp_path / "autograd" / "__init__.py").write_text(FILES["__init__.py"][1], "utf-8")
    by_hand = Path(autograd.__file__).with_name("functions.py")
    (tmp_path / "autograd" / "functions.py").write_text(by_hand.read_text("utf-8"), "utf-8")
    reference.main()
    assert capsys.readouterr().out.splitlines() == [
        f"written anew: {name}"
        for name in ("docs/primitives.md", "autograd/primitive_functions.py", "autograd/number_systems/methods.py")
    ]
    reference.main()
    assert capsys.readouterr().out == ""
