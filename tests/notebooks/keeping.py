"""How a notebook is kept: executed from top to bottom, with its outputs, and without what changes from run to run.

After a change, `python -m tests.notebooks.keeping` in the project's folder executes every notebook and writes it anew.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

import nbclient
import nbformat

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "notebooks"
SECONDS = 120

#: What a notebook says of itself; no version, so that it is the same on every Python.
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}

#: Before the first cell: this environment's Python and no other; and warnings are errors here too. Only ipykernel may
#: go on warning of itself: its shut-down announces what a later version of it might ask of its own classes.
_PRELUDE = """
import sys, warnings
assert sys.prefix == {prefix!r}, sys.prefix
warnings.simplefilter("error")
warnings.filterwarnings("ignore", category=PendingDeprecationWarning, module="ipykernel")
"""


def execute(notebook: Any) -> Any:
    """The notebook with the outputs of a fresh kernel, which starts in an empty folder and reads nobody's settings.

    It imports the packages beside the notebooks, installed or not.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell raised, or warned.
    """
    fresh = nbformat.from_dict(notebook)
    fresh.cells.insert(0, nbformat.v4.new_code_cell(_PRELUDE.format(prefix=sys.prefix)))
    with tempfile.TemporaryDirectory() as folder:
        places = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "VALUEGRAD_CACHE")
        environment = {"PYTHONPATH": str(ROOT), **{place: str(Path(folder, place)) for place in places}}
        with mock.patch.dict(os.environ, environment):
            client = nbclient.NotebookClient(
                fresh,
                timeout=SECONDS,
                kernel_name="python3",
                record_timing=False,
                resources={"metadata": {"path": folder}},
            )
            client.execute()
    del fresh.cells[0]
    return clean(fresh)


def clean(notebook: Any) -> Any:
    """The notebook without counters, metadata, and what libraries of the system write to stderr."""
    kept = nbformat.from_dict(notebook)
    kept.metadata = nbformat.from_dict(METADATA)
    for cell in kept.cells:
        cell.metadata = nbformat.from_dict({})
        if cell.cell_type == "code":
            cell.execution_count = None
            cell.outputs = _clean_outputs(cell.outputs)
    return kept


def _clean_outputs(outputs: list[Any]) -> list[Any]:
    kept: list[Any] = []
    for output in outputs:
        if output.output_type == "stream":
            if output.name == "stderr":
                continue
            if kept and kept[-1].output_type == "stream":  # one text may arrive in two parts
                kept[-1].text += output.text
                continue
        if "metadata" in output:
            output.metadata = nbformat.from_dict({})
        if "execution_count" in output:
            output.execution_count = None
        if any(kind.startswith("image/") for kind in output.get("data", ())):
            output.data.pop("text/plain", None)  # the name of the picture's class
        kept.append(output)
    return kept


def text_of(notebook: Any) -> str:
    """The notebook as its file has it."""
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def read(path: Path) -> Any:
    """The notebook of a file."""
    return nbformat.reads(path.read_text("utf-8"), as_version=4)


if __name__ == "__main__":
    for path in sorted(FOLDER.glob("*.ipynb")):
        path.write_text(text_of(execute(read(path))), encoding="utf-8")
        print(path.name)
