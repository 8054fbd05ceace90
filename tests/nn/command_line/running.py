"""The command ``valuegrad`` run by the tests, as a function or as a program of its own, and what it said."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import nn
from nn import plots

ROOT = Path(nn.__file__).parent.parent
TABLE = "height,width,kind\n" + "".join(f"{i % 7},{i * i % 5},{'ab'[i % 2]}\n" for i in range(20))
needs_matplotlib = pytest.mark.skipif(not plots.is_available(), reason="needs Matplotlib")


class Outcome:
    """What a run of the command printed, and its status."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err

    def complaint(self) -> str:
        """The one line on stderr of a run that failed."""
        assert self.status != 0
        assert "Traceback" not in self.err
        (line,) = self.err.splitlines()
        return line


def process(*arguments: str, cwd: Path, **variables: str) -> Outcome:
    """Run the command as a program of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    command = [sys.executable, "-m", "nn", *arguments]
    result = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, encoding="utf-8", check=False)
    return Outcome(result.returncode, result.stdout, result.stderr)


def table(folder: Path, text: str = TABLE, name: str = "t.csv") -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return name


def accuracy(out: str, part: str = "test") -> float:
    found = re.search(rf"^{part} (?:accuracy|R²) +([\d.]+)", out, re.MULTILINE)
    assert found is not None
    return float(found.group(1))
