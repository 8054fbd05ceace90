"""``valuegrad doctor`` reports what is in the way and what is missing."""

import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.nn.command_line.running import ROOT, process


def test_doctor_when_all_is_well(tmp_path: Path) -> None:
    outcome = process("doctor", cwd=tmp_path)
    assert outcome.status == 0
    assert f"autograd  {ROOT / 'autograd'}\n" in outcome.out
    assert f"nn        {ROOT / 'nn'}\n" in outcome.out
    assert sys.executable in outcome.out
    for package in ("numpy", "matplotlib", "tqdm", "pygraphviz", "dot"):
        assert re.search(rf"^  {package} +(missing|found|\d)", outcome.out, re.MULTILINE)


@pytest.mark.parametrize("name", ["autograd", "nn"])
def test_doctor_reports_a_foreign_package(tmp_path: Path, name: str) -> None:
    foreign = tmp_path / "elsewhere" / name
    foreign.mkdir(parents=True)
    (foreign / "__init__.py").write_text("", encoding="utf-8")
    path = os.pathsep.join([str(ROOT), str(foreign.parent)])
    outcome = process("doctor", cwd=tmp_path, PYTHONPATH=path, PYTHONWARNINGS="ignore")
    assert outcome.status == 1
    assert f"conflict: another distribution's {name} is in {foreign}\n" in outcome.out
    assert "environment of its own" in outcome.out


@pytest.mark.parametrize("name", ["autograd", "nn"])
def test_doctor_reports_an_installed_distribution(tmp_path: Path, name: str) -> None:
    info = tmp_path / "elsewhere" / f"{name}-1.7.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.7.0\n", encoding="utf-8")
    outcome = process("doctor", cwd=tmp_path, PYTHONPATH=os.pathsep.join([str(ROOT), str(info.parent)]))
    assert outcome.status == 1
    assert f"conflict: the distribution {name} 1.7.0 is installed" in outcome.out


def test_doctor_says_what_is_missing_and_what_it_would_give(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import metadata

    def none(package: str) -> str:
        raise metadata.PackageNotFoundError(package)

    monkeypatch.setattr(metadata, "version", none)
    monkeypatch.setattr("shutil.which", lambda _: None)
    out = run("doctor").out
    assert re.search(r"^  tqdm +missing +.*; to have it: pip install 'valuegrad\[progress\]'$", out, re.MULTILINE)
    assert re.search(r"^  dot +missing", out, re.MULTILINE)
