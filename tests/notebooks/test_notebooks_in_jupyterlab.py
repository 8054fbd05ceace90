"""A reader opens a notebook in JupyterLab: every kept output is there, mathematics is typeset, nothing complains."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nbformat.sign import NotebookNotary

from tests.jupyterlab import data_folder, served, settings_folder
from tests.notebooks import keeping

pytest.importorskip("jupyterlab", reason="JupyterLab is not installed (pip install jupyterlab)")

NOTEBOOKS = sorted(keeping.FOLDER.glob("*.ipynb"))
KINDS = {"image/svg+xml": ".jp-RenderedSVG img", "image/png": ".jp-RenderedImage img", "text/html": ".jp-RenderedHTML"}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A JupyterLab that has these notebooks, trusts them, and renders what is out of view too."""
    folder = tmp_path_factory.mktemp("lab")
    data_folder(folder).mkdir(parents=True)
    notary = NotebookNotary(data_dir=str(data_folder(folder)))
    for path in NOTEBOOKS:
        shutil.copy(path, folder)
        notary.sign(keeping.read(path))
    notary.store.close()
    settings = settings_folder(folder) / "notebook-extension" / "tracker.jupyterlab-settings"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps({"windowingMode": "none"}), encoding="utf-8")
    with served(folder) as lab:
        yield lab


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_opens_with_all_it_keeps(path: Path, browser: Any, address: str) -> None:
    kept = keeping.read(path)
    outputs = [output for cell in kept.cells if cell.cell_type == "code" for output in cell.outputs]
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    tab.set_default_timeout(20_000)
    complaints: list[str] = []
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.goto(f"{address}lab/tree/{path.name}?token=t&reset")
    notebook = tab.locator(".jp-Notebook")
    notebook.locator(".jp-Cell").nth(len(kept.cells) - 1).wait_for(state="attached")
    notebook.locator(".jp-OutputArea-output").nth(len(outputs) - 1).wait_for(state="attached")
    assert notebook.locator(".jp-Cell").count() == len(kept.cells)
    for kind, selector in KINDS.items():
        expected = len([output for output in outputs if kind in output.get("data", ())])
        found = notebook.locator(f".jp-OutputArea-output{selector}")
        assert found.count() == expected, kind
        if kind.startswith("image/"):
            assert all(
                found.nth(i).evaluate("image => image.decode().then(() => image.width > 0)") for i in range(expected)
            )
    if any("$" in cell.source for cell in kept.cells if cell.cell_type == "markdown"):
        notebook.locator("mjx-container").first.wait_for(state="attached")
    assert notebook.locator("mjx-merror").count() == 0
    assert tab.locator(".jp-Dialog").count() == 0
    assert complaints == []
    tab.close()
