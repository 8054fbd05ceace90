"""How the house is kept, where no linter looks."""

import ast
import builtins
import re
from pathlib import Path

import pytest

import autograd

ROOT = Path(autograd.__file__).parents[1]

#: Beside the public names: what the command line needs of the installation and of pictures, each in one file.
ALLOWED = {
    "command_line/doctor.py": "autograd.installation",
    "command_line/drawing.py": "autograd.pictures.drawing.engines",
}

#: The files that tell what the engine is; of the last, what stands above its rows.
WAY_IN = ("graph", "program", "interpret", "primitives")


def _imports_of_autograd(text: str) -> list[str]:
    """Every name that a file takes from autograd, as ``module:name``."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found += [f"{alias.name}:" for alias in node.names if alias.name.split(".")[0] == "autograd"]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "autograd":
            found += [f"{node.module}:{alias.name}" for alias in node.names]
    return found


def _strange(imports: list[str], allowed: str = "") -> list[str]:
    """Those that are neither public names nor the allowed module."""
    strange = []
    for item in imports:
        module, _, name = item.partition(":")
        whole = f"{module}.{name}" if name else module
        public = module == "autograd" and (not name or name in (*autograd.__all__, *dir(builtins)))
        if not public and allowed not in (module, whole):
            strange.append(item)
    return strange


@pytest.mark.parametrize("path", sorted((ROOT / "nn").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_nn_uses_only_the_public_names_of_autograd(path: Path) -> None:
    allowed = ALLOWED.get(path.relative_to(ROOT / "nn").as_posix(), "")
    assert _strange(_imports_of_autograd(path.read_text("utf-8")), allowed) == []


def test_that_test_can_fail() -> None:
    text = "from autograd import Value, core\nfrom autograd.value import plain\nimport autograd.graph"
    assert _strange(_imports_of_autograd(text)) == ["autograd:core", "autograd.value:plain", "autograd.graph:"]
    text = "from autograd import installation\nfrom autograd.pictures.drawing.engines import render"
    assert _strange(_imports_of_autograd(text), "autograd.installation") == ["autograd.pictures.drawing.engines:render"]


@pytest.mark.parametrize("package", ["autograd", "nn"])
def test_there_is_no_import_of_a_user_of_the_house(package: str) -> None:
    for path in (ROOT / package).rglob("*.py"):
        for line in path.read_text("utf-8").splitlines():
            assert not line.startswith(("from tests", "from benchmarks", "import tests", "import benchmarks")), path


def test_the_core_of_nn_is_read_in_ten_minutes() -> None:
    core = ("module.py", "layers.py", "losses.py", "optimizers.py")
    assert sum(len((ROOT / "nn" / name).read_text("utf-8").splitlines()) for name in core) < 400


#: Lines of code of a function, without its documentation.
MOST_LINES = 60


def _long_functions(text: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
            head = node.body[0].lineno - node.lineno
            if head + (node.end_lineno or 0) - first.lineno + 1 > MOST_LINES:
                found.append(node.name)
    return found


@pytest.mark.parametrize("package", ["autograd", "nn", "tests", "benchmarks"])
def test_no_function_is_long(package: str) -> None:
    for path in (ROOT / package).rglob("*.py"):
        assert _long_functions(path.read_text("utf-8")) == [], path


def test_a_long_function_would_be_noticed() -> None:
    longest = 'def f():\n    """Not\n    counted."""\n' + (MOST_LINES - 1) * "    pass\n"
    assert _long_functions(longest) == []
    assert _long_functions(longest + "    pass\n") == ["f"]


def test_the_way_in_is_read_in_a_quarter_of_an_hour() -> None:
    texts = {name: (ROOT / "autograd" / f"{name}.py").read_text("utf-8") for name in WAY_IN}
    texts["primitives"], rows, _ = texts["primitives"].partition("\n_ROWS")
    assert rows
    assert sum(len(text.splitlines()) for text in texts.values()) <= 600
    for name, text in texts.items():  # each opens with the idea, in three sentences or some more
        opening = ast.get_docstring(ast.parse(text)) or ""
        assert len(re.findall(r"[.:](?=\s|$)", opening)) >= 3, name
