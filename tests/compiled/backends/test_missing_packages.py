"""What happens where llvmlite or NumPy is not installed, or is broken."""

import os
import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd
from autograd.compiled.backends import choice
from tests.compiled.processes import ROOT, output_of, run

X = np.array([1.0, 2.0, 3.0])


@pytest.fixture
def nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that has not warned yet."""
    monkeypatch.setattr(choice, "_SAID", set())


def says_once_and_runs_on_numpy(pattern: str) -> Any:
    """The report of a function that ran on NumPy, after the warning for a function before it, at the line called."""
    f = autograd.compile(lambda x: x * 2.0)
    with pytest.warns(RuntimeWarning, match=pattern) as said:
        assert f(X).tolist() == [2.0, 4.0, 6.0]
    (warning,) = said
    line = Path(__file__).read_text().splitlines()[warning.lineno - 1]
    assert (warning.filename, line.strip()) == (__file__, "assert f(X).tolist() == [2.0, 4.0, 6.0]")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        g = autograd.compile(lambda x: x * 3.0)
        assert g(X).tolist() == [3.0, 6.0, 9.0]
        assert autograd.objective(lambda x: x[0] * x[0])([3.0])[0] == 9.0
    return g.report().programs[0]


@pytest.mark.usefixtures("nothing_said")
def test_without_llvmlite_numpy_does_it_and_that_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "find_spec", lambda name: None)
    report = says_once_and_runs_on_numpy(r"^llvmlite is not installed.*pip install 'valuegrad\[fast\]'")
    assert (report.backend, report.reason) == ("numpy", "llvmlite is not installed")
    for backend in ("interpreter", "machine"):
        needed = rf"^the back end '{backend}' needs llvmlite, which is not installed: pip install 'valuegrad\[fast\]'"
        with pytest.raises(ModuleNotFoundError, match=needed):
            autograd.compile(lambda x: x * 2.0, backend=backend)(X)


@pytest.mark.parametrize("failure", [OSError("libLLVM.so: invalid ELF header"), ImportError("no symbol")])
@pytest.mark.usefixtures("nothing_said")
def test_a_broken_llvmlite_is_as_good_as_none(failure: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> Any:
        raise failure

    monkeypatch.setattr(choice.importlib, "import_module", fail)
    text = f"llvmlite is installed but cannot be loaded ({type(failure).__name__}: {failure})"
    report = says_once_and_runs_on_numpy(f"^{re.escape(text)}, so .* on NumPy: pip install --force-reinstall llvmlite$")
    assert (report.backend, report.reason) == ("numpy", text)
    assert autograd.compile(lambda x: x * 2.0, backend="numpy")(X).tolist() == [2.0, 4.0, 6.0]
    for backend in ("interpreter", "machine"):
        needed = f"^the back end '{backend}' needs llvmlite, which is installed but .*: pip install"
        with pytest.raises(ImportError, match=needed) as raised:
            autograd.compile(lambda x: x * 2.0, backend=backend)(X)
        assert raised.value.__cause__ is failure


@pytest.mark.parametrize(
    "broken",
    ["raise OSError('libLLVM.so: invalid ELF header')", "from llvmlite import nothing_of_this_name"],
    ids=["OSError", "ImportError"],
)
def test_a_package_that_breaks_when_it_is_imported(broken: str, tmp_path: Path) -> None:
    package = tmp_path / "llvmlite"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "binding.py").write_text(broken)
    script = tmp_path / "model.py"
    script.write_text(
        "import autograd, nn, numpy as np\n"
        "model = nn.MLP(2, [3, 1], seed=0)\n"
        "optimizer = nn.SGD(model.parameters(), learning_rate=0.1)\n"
        "nn.fit(model, np.ones((8, 2)), np.ones(8), loss='mse', optimizer=optimizer, epochs=2)\n"
        "print(autograd.compile(lambda x: x * 2.0)(np.ones(2)).tolist())\n"
    )
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    found = subprocess.run(
        [sys.executable, str(script)], env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    assert found.stdout.splitlines()[-1] == "[2.0, 2.0]"
    assert f"{script}:4: RuntimeWarning: llvmlite is installed but cannot be loaded" in found.stderr
    assert found.stderr.count("RuntimeWarning") == 1


def test_numpy_alone_imports_no_llvmlite() -> None:
    code = (
        "import sys; sys.modules['llvmlite'] = None\n"
        "import autograd, numpy as np\n"
        "f = autograd.compile(lambda x: x * 2.0, backend='numpy')\n"
        "print(f(np.ones(2)).tolist())"
    )
    assert output_of(run(code)) == "[2.0, 2.0]"


def test_without_numpy_the_remedy_is_named() -> None:
    code = (
        "import sys; sys.modules['numpy'] = None\n"
        "import autograd\n"
        "for make in (autograd.compile, autograd.objective):\n"
        "    try:\n"
        "        make(lambda x: x)\n"
        "    except ModuleNotFoundError as error:\n"
        "        print(error)"
    )
    found = output_of(run(code))
    assert found.count("pip install 'valuegrad[fast]'") == 2
