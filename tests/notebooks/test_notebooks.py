"""Every notebook runs from top to bottom, shows what its file keeps, and is kept so that changes can be read."""

import re
import tempfile
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

from tests.notebooks import keeping
from tests.pictures.readme_pictures import shown

NOTEBOOKS = sorted(keeping.FOLDER.glob("*.ipynb"))
MOST_BYTES = 200_000

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def _outputs(notebook: Any) -> list[Any]:
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def _kinds(notebook: Any) -> list[tuple[str, list[str]]]:
    """What each output is, without what it says."""
    return [(output.output_type, sorted(output.get("data", ()))) for output in _outputs(notebook)]


def _texts(notebook: Any) -> list[str]:
    """What the outputs say in words, numbers, formulas and our own drawings.

    Other pictures depend on the fonts, and HTML may tell what was measured.
    """
    texts = []
    for output in _outputs(notebook):
        data = output.get("data", {})
        texts += [output.get("text"), *[data.get(kind) for kind in ("text/plain", "text/markdown", "image/svg+xml")]]
    return [_without_noise(shown(text)) for text in texts if text]


#: What a report of ``check_grads`` says of rounding: the error, and the step that made it least.
_OF_ROUNDING = re.compile(r" +\d\.\de[+-]\d\d +\d\.\de[+-]\d\d ")


def _without_noise(text: str) -> str:
    """A report without what hangs on the last digit of the functions it calls, and the order that follows from it."""
    lines = text.splitlines(keepends=True)
    places = [i for i, line in enumerate(lines) if _OF_ROUNDING.search(line)]
    for i, row in zip(places, sorted([_OF_ROUNDING.sub(" … ", lines[i]) for i in places]), strict=True):
        lines[i] = row
    return "".join(lines)


def _notebook(*sources: str) -> Any:
    cells = [nbformat.v4.new_code_cell(source, id=f"cell-{i}") for i, source in enumerate(sources)]
    return nbformat.v4.new_notebook(cells=cells)


def test_there_are_notebooks() -> None:
    stories = {"chain_rule", "equations_a_and_b", "three_layers", "matrices", "two_moons"}
    assert stories <= {path.stem for path in NOTEBOOKS}


@every_notebook
def test_a_notebook_runs_and_shows_what_it_keeps(path: Path) -> None:
    kept = keeping.read(path)
    fresh = keeping.execute(kept)
    how = "run `python -m tests.notebooks.keeping` if the new outputs are right"
    assert _kinds(fresh) == _kinds(kept), how
    assert _texts(fresh) == _texts(kept), how


@every_notebook
def test_a_notebook_keeps_its_outputs_and_nothing_else(path: Path) -> None:
    kept = keeping.read(path)
    nbformat.validate(kept)
    assert _outputs(kept)
    assert not [output for output in _outputs(kept) if output.output_type == "error"]
    assert path.read_text("utf-8") == keeping.text_of(keeping.clean(kept)), "run `python -m tests.notebooks.keeping`"


@every_notebook
def test_a_notebook_is_small_and_tells_a_story(path: Path) -> None:
    kept = keeping.read(path)
    assert path.stat().st_size < MOST_BYTES
    assert kept.cells[0].cell_type == "markdown"
    assert kept.cells[0].source.startswith("# ")
    words = sum(len(cell.source.split()) for cell in kept.cells if cell.cell_type == "markdown")
    assert words > 100
    code = [cell.source.splitlines() for cell in kept.cells if cell.cell_type == "code"]
    assert max(map(len, code)) <= 15  # what is longer belongs into a module


@every_notebook
def test_a_notebook_says_nothing_of_the_machine_it_ran_on(path: Path) -> None:
    text = path.read_text("utf-8")
    for place in (Path.home(), tempfile.gettempdir(), keeping.ROOT):
        assert f"{place}/" not in text
    assert not re.search(r"\bat 0x[0-9a-f]{6,}", text)
    assert not re.search(r"(?<![\w/.:])/(home|root|tmp|usr|Users|private)/", text)


@pytest.mark.parametrize(
    ("source", "error"),
    [("1 / 0", "ZeroDivisionError"), ("import warnings; warnings.warn('late', stacklevel=1)", "UserWarning")],
)
def test_a_cell_that_raises_or_warns_is_an_error(source: str, error: str) -> None:
    with pytest.raises(CellExecutionError, match=error):
        keeping.execute(_notebook(source))


def test_what_changes_from_run_to_run_is_not_kept() -> None:
    source = "import os, sys\nprint('one', flush=True)\nprint('two')\nos.write(2, b'noise')\nsys.stderr.write('more')"
    executed = keeping.execute(_notebook(source))
    assert _texts(executed) == ["one\ntwo\n", "4"]
    executed.cells[0].execution_count = 7
    executed.cells[0].metadata["collapsed"] = True
    executed.metadata["author"] = "nobody"
    assert keeping.clean(executed) == keeping.clean(keeping.clean(executed)) != executed
