"""A browser for the tests of pages: Chromium of the system, driven by playwright, which downloads none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from autograd import Value, step_through
from autograd.pictures.stepping import Page
from tests.step_page import StepPage


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, started once."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("no Chromium is installed (on Debian: apt-get install chromium)")
    api = pytest.importorskip("playwright.sync_api", reason="playwright, which drives the browser, is not installed")
    with api.sync_playwright() as driver:
        # Containers run as root, to whom Chromium refuses its own sandbox, and have little shared memory.
        arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        started = driver.chromium.launch(executable_path=program, args=["--disable-dev-shm-usage", *arguments])
        yield started
        started.close()


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
