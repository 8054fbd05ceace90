"""The fixture ``run``: the command in this process, in an empty folder."""

from pathlib import Path
from typing import Any

import pytest

from nn import plots
from nn.command_line import main
from tests.nn.command_line.running import Outcome


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run the command in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(plots, "GRID", 12)

    def call(*arguments: str) -> Outcome:
        status = main(arguments)
        captured = capsys.readouterr()
        return Outcome(status, captured.out, captured.err)

    return call
