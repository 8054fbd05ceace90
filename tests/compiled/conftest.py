"""Compiled code is kept in a folder of the test run's own, never in the user's."""

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def cache_of_this_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder that ``VALUEGRAD_CACHE`` names while these tests run."""
    folder = tmp_path_factory.mktemp("cache") / "valuegrad"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VALUEGRAD_CACHE", str(folder))
        yield folder
