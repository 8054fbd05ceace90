"""New processes of Python, for what a process has once."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def run(code: str, **environment: str) -> Any:
    """A new process of Python that runs some code here."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code], cwd=ROOT, env={**os.environ, **environment},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def output_of(process: Any) -> str:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return str(out).strip()
