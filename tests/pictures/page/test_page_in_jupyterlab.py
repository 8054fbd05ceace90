"""The step-through page inside JupyterLab: a cell is run, and its output plays and follows edits."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.jupyterlab import served
from tests.pictures.page.step_page import StepPage

pytest.importorskip("jupyterlab", reason="JupyterLab is not installed (pip install jupyterlab)")

CELL = """
from autograd import Value, step_through
w, x = Value(2.0, "w"), Value(3.0, "x")
h = w * x
h.label = "h"
step_through(h + h * w, height=600)
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a JupyterLab of our own listens, with a notebook of one cell."""
    folder = tmp_path_factory.mktemp("lab")
    notebook = {
        "cells": [
            {"cell_type": "code", "id": "a", "metadata": {}, "outputs": [], "execution_count": None, "source": CELL}
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (folder / "steps.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    with served(folder) as address:
        yield f"{address}lab/tree/steps.ipynb?token=t"


def test_a_cell_shows_the_page_and_the_page_is_live(browser: Any, address: str) -> None:
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    tab.set_default_timeout(60_000)
    tab.goto(address)
    output = tab.locator(".jp-OutputArea iframe")
    for _ in range(6):  # JupyterLab drops in silence what is run while it connects to the kernel
        tab.locator(".jp-Notebook .jp-Cell .cm-content").first.click()
        tab.keyboard.press("Shift+Enter")
        tab.wait_for_timeout(5_000)
        if output.count():
            break
    frame = output.element_handle().content_frame()
    frame.wait_for_selector(".node")
    page = StepPage(tab, frame)
    page.end()
    assert {name: page.gradients()[name] for name in "wx"} == {"w": "15", "x": "6"}
    page.edit("w", "0.5")
    assert {name: page.gradients()[name] for name in "wx"} == {"w": "6", "x": "0.75"}
    frame.locator("#first").click()
    tab.keyboard.press("ArrowRight")
    assert page.at == 1
    assert tab.locator(".jp-Dialog").count() == 0
    picture = os.environ.get("STEP_PAGE_SCREENSHOT")
    if picture:
        tab.screenshot(path=picture)
    tab.close()
