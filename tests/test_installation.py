"""Another distribution that installs a package named ``autograd`` is noticed."""

import os
import subprocess
import sys
from pathlib import Path

import autograd
from autograd.installation import OPTIONAL, findings, foreign_autograd

ROOT = Path(autograd.__file__).parents[1]


def _import_beside(folder: Path) -> str:
    code = "import sys, autograd; print(autograd.__distribution__)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(folder)]), "PYTHONWARNINGS": "default"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.strip() == "valuegrad"
    return done.stderr


def test_a_foreign_autograd_beside_ours_is_a_warning_with_both_paths_and_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "autograd").mkdir()
    (tmp_path / "autograd" / "__init__.py").write_text("")
    (tmp_path / "autograd" / "tracer.py").write_text("")
    said = _import_beside(tmp_path)
    assert "UserWarning" in said
    assert str(tmp_path / "autograd") in said
    assert str(ROOT / "autograd") in said
    assert "pip uninstall autograd" in said


def test_without_one_nothing_is_said(tmp_path: Path) -> None:
    assert _import_beside(tmp_path) == ""
    assert foreign_autograd() is None


def test_every_optional_package_is_found_or_missing_with_what_it_gives() -> None:
    found = findings()
    assert [finding.package for finding in found] == list(OPTIONAL)
    assert all(finding.gives and finding.extra for finding in found)
    versions = {finding.package: finding.version for finding in found}
    assert versions["hypothesis"] is not None


def test_our_package_avoids_the_names_of_its_modules() -> None:
    ours = {path.stem for path in (ROOT / "autograd").iterdir()}
    assert not ours & {"core", "util", "tracer", "builtins", "extend", "numpy", "scipy"}
