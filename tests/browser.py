"""A browser for tests and photographs of pages: Chromium of the system, driven by playwright, which downloads none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


def installed() -> str | None:
    """Where Chromium is, if anywhere."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


@contextmanager
def started(program: str) -> Iterator[Any]:
    """The browser under playwright's driver, until the block ends."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        # Containers run as root, to whom Chromium refuses its own sandbox, and have little shared memory.
        arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        browser = driver.chromium.launch(executable_path=program, args=["--disable-dev-shm-usage", *arguments])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, started once."""
    program = installed()
    if program is None:
        pytest.skip("no Chromium is installed (on Debian: apt-get install chromium)")
    pytest.importorskip("playwright.sync_api", reason="playwright, which drives the browser, is not installed")
    with started(program) as chromium:
        yield chromium
