"""What is spelled out of the table is what ``make tables`` writes now."""

from __future__ import annotations

from pathlib import Path

import pytest

import autograd
from autograd import TABLE, reference
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
    assert {row.name for row in TABLE.values() if not row.compares} <= set(autograd.__all__)


def test_rows_of_one_and_two_numbers_are_methods() -> None:
    for row in reference.method_rows():
        for name in (row.name, *row.aliases):
            assert callable(getattr(Methods, name)), name
            assert callable(getattr(autograd.Value, name)), name


def test_only_what_changed_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(reference, "_ROOT", tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "autograd" / "number_systems").mkdir(parents=True)
    (tmp_path / "autograd" / "__init__.py").write_text(FILES["__init__.py"][1], "utf-8")
    reference.main()
    assert capsys.readouterr().out.splitlines() == [
        f"written anew: {name}"
        for name in ("docs/primitives.md", "autograd/primitive_functions.py", "autograd/number_systems/methods.py")
    ]
    reference.main()
    assert capsys.readouterr().out == ""
