"""`nn` stands on valuegrad's `autograd` or not at all."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import nn

ROOT = Path(nn.__file__).parent.parent


def run(code: str, path: list[Path], cwd: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """The code in a fresh interpreter, started in a folder of its own because Python looks there first."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))}
    (cwd / "start").mkdir(exist_ok=True)
    command = [sys.executable, "-W", "ignore", *flags, "-c", code]
    return subprocess.run(command, env=environment, cwd=cwd / "start", capture_output=True, text=True, check=False)


def foreign_autograd(folder: Path, content: str = "") -> Path:
    package = folder / "autograd"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(content, encoding="utf-8")
    return package


def test_it_imports_beside_its_own_autograd(tmp_path: Path) -> None:
    assert run("import nn; print(nn.MLP.__name__)", [ROOT], tmp_path).stdout == "MLP\n"


@pytest.mark.parametrize(
    "content",
    [
        "def grad(f): return f\n",
        "from autograd.tracer import nothing\n",
        "__distribution__ = 'other'\n",
        "import no_such\n",
    ],
)
def test_it_refuses_a_foreign_autograd(tmp_path: Path, content: str) -> None:
    foreign = foreign_autograd(tmp_path, content)
    result = run("import nn", [tmp_path, ROOT], tmp_path)
    assert result.returncode != 0
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: nn needs valuegrad's own package autograd")
    assert str(foreign) in last
    assert str(ROOT / "autograd") in last
    assert "pip uninstall autograd" in last
    assert "environment of its own" in last


def test_it_refuses_from_any_of_its_modules(tmp_path: Path) -> None:
    foreign = foreign_autograd(tmp_path)
    for module in ("nn.layers", "nn.datasets", "nn.command_line.main"):
        assert str(foreign) in run(f"import {module}", [tmp_path, ROOT], tmp_path).stderr.splitlines()[-1]


def test_a_foreign_autograd_already_imported_is_found_too(tmp_path: Path) -> None:
    foreign = foreign_autograd(tmp_path)
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import autograd; sys.path.pop(0); import nn"
    assert str(foreign) in run(code, [ROOT], tmp_path).stderr.splitlines()[-1]


def nn_alone(folder: Path) -> Path:
    """A folder that holds a copy of `nn` without the `autograd` beside it."""
    shutil.copytree(ROOT / "nn", folder / "nn", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def test_no_autograd_at_all(tmp_path: Path) -> None:
    last = run("import nn", [nn_alone(tmp_path)], tmp_path, "-S").stderr.splitlines()[-1]
    assert last.startswith("ImportError: nn needs valuegrad's own package autograd")
    assert "there is no 'autograd'" in last


def test_a_folder_called_autograd_without_code(tmp_path: Path) -> None:
    (tmp_path / "other" / "autograd").mkdir(parents=True)
    last = run("import nn", [nn_alone(tmp_path), tmp_path / "other"], tmp_path, "-S").stderr.splitlines()[-1]
    assert str(tmp_path / "other" / "autograd") in last


def test_a_failure_of_its_own_autograd_is_told_as_it_is(tmp_path: Path) -> None:
    foreign_autograd(nn_alone(tmp_path), "import no_such_module\n")
    last = run("import nn", [tmp_path], tmp_path).stderr.splitlines()[-1]
    assert last == "ModuleNotFoundError: No module named 'no_such_module'"
