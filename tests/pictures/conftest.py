"""What the tests of pages share: the browser, and a page that was opened in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from autograd import Value, step_through
from autograd.pictures.page.document import Page
from tests.pictures.page.step_page import StepPage


@pytest.fixture
def open_page(browser: Any, tmp_path: Path) -> Iterator[Callable[..., StepPage]]:
    """A function that opens the page of a Value, or a page that was made; at the end, each must have been quiet."""
    opened: list[tuple[Any, StepPage]] = []

    def open_it(shown: Value | Page, *, precision: int = 6, **context: Any) -> StepPage:
        made = shown if isinstance(shown, Page) else step_through(shown, precision=precision)
        surroundings = browser.new_context(**{"viewport": {"width": 1100, "height": 700}, **context})
        step_page = StepPage(surroundings.new_page())
        step_page.watch()
        step_page.show(made, tmp_path)
        opened.append((surroundings, step_page))
        return step_page

    yield open_it
    for surroundings, step_page in opened:
        surroundings.close()
        step_page.finish()
