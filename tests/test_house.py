"""How the house is kept, where no linter looks."""

import ast
import builtins
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import autograd
from autograd import reference
from autograd.primitives import ALIASES, TABLE

ROOT = Path(autograd.__file__).parents[1]

#: Beside the public names: what holds Ctrl-C back, how files are saved and read, and what the command line needs of the
#: installation and of pictures, each in one file.
ALLOWED = {
    "command_line/doctor.py": "autograd.installation",
    "command_line/drawing.py": "autograd.pictures.drawing.engines",
    "files.py": "autograd.files",
    "interrupts.py": "autograd.interrupts",
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


#: What opens files by itself, and why.
MAY_OPEN = {
    "autograd/files.py": "all others read and write by it",
    "autograd/compiled/backends/native/cache.py": "a file of its own, and none is no error",
    "autograd/reference.py": "files of the package, and `make tables` writes them",
    "autograd/pictures/page/document.py": "files of the package",
    "nn/datasets.py": "a file of the package",
    "nn/command_line/commands.py": "no file: /dev/null, for what nobody reads any more",
    "nn/command_line/table_commands.py": "a file without a name, to try whether a folder can be written",
}
_OPENING = {"open", "fdopen", "mkstemp", "TemporaryFile", "NamedTemporaryFile", "savefig"}
_OPENING |= {"read_text", "read_bytes", "write_text", "write_bytes"}


def _opens(text: str) -> set[str]:
    """What in a text opens files."""
    calls = [node.func for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    return _OPENING & {getattr(function, "attr", getattr(function, "id", "")) for function in calls}


def test_files_of_users_are_written_and_read_in_one_place() -> None:
    opening = {}
    for path in {*(ROOT / "autograd").rglob("*.py"), *(ROOT / "nn").rglob("*.py")}:
        if found := _opens(path.read_text("utf-8")):
            opening[path.relative_to(ROOT).as_posix()] = found
    assert opening.pop("nn/plots.py") == {"savefig"}  # into memory
    assert opening.keys() == MAY_OPEN.keys(), opening


def test_a_file_that_is_opened_would_be_noticed() -> None:
    assert _opens("Path(x).write_text(y)\nopen(x)\nos.fdopen(x)") == {"write_text", "open", "fdopen"}
    assert _opens("files.write(x, y)\n(lambda: x)()") == set()


@pytest.mark.parametrize("package", ["autograd", "nn"])
def test_there_is_no_import_of_a_user_of_the_house(package: str) -> None:
    for path in (ROOT / package).rglob("*.py"):
        for line in path.read_text("utf-8").splitlines():
            assert not line.startswith(("from tests", "from benchmarks", "import tests", "import benchmarks")), path


def test_the_core_of_nn_is_read_in_ten_minutes() -> None:
    core = ("module.py", "layers.py", "losses.py", "optimizers.py")
    assert sum(len((ROOT / "nn" / name).read_text("utf-8").splitlines()) for name in core) < 400


#: Lines of a function, with its documentation; one that has more says why, in a comment above it.
MOST_LINES = 60
_WHY_LONG = re.compile(r"\s*# More than 60 lines: \w")


def _long_functions(text: str) -> list[str]:
    lines, found = text.splitlines(), []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            is_long = (node.end_lineno or 0) - node.lineno + 1 > MOST_LINES
            if is_long != bool(_WHY_LONG.match(lines[first - 2] if first > 1 else "")):
                found.append(node.name)
    return found


@pytest.mark.parametrize("package", ["autograd", "nn", "tests", "benchmarks"])
def test_no_function_is_long_without_a_reason(package: str) -> None:
    for path in (ROOT / package).rglob("*.py"):
        assert _long_functions(path.read_text("utf-8")) == [], path


def test_a_long_function_would_be_noticed() -> None:
    longest = '@cache\ndef f():\n    """Counted\n    too."""\n' + (MOST_LINES - 3) * "    pass\n"
    assert _long_functions(longest) == []
    assert _long_functions(longest + "    pass\n") == ["f"]
    assert _long_functions("# More than 60 lines: it counts.\n" + longest + "    pass\n") == []
    assert _long_functions("# More than 60 lines: it did.\n" + longest) == ["f"]


#: So many names of primitives in one place are a list of primitives, which is for the table to say.
A_LIST = 3

#: A number system has functions of its own where it does better than the table's formulas.
MAY_LIST = ("autograd/number_systems/", "autograd/primitives.py", "autograd/rules.py")

#: What lists primitives besides, and why.
MAY_BESIDES = {
    "autograd/functions.py": "the public functions of many numbers, with types and words of their own",
    "autograd/compiled/programs/n_ary.py": "a number system's own versions: those that keep the bits of floats",
    "autograd/checking/exact_errors.py": "a small number system: of the local errors that are known exactly",
    "autograd/checking/one_input_changed.py": "slopes of what is linear, which the checks do not take from the table",
    "autograd/pictures/mathematics/algebra.py": "a small number system: of formulas as they were written",
    "autograd/testing/networks.py": "the activations that networks are drawn with unless told are a choice",
}


def _names(node: ast.AST) -> Iterator[str]:
    """The texts that a literal collection or a condition holds, ``TABLE["name"]`` among them, at any depth."""
    match node:
        case ast.Constant(value=str(name)) | ast.Subscript(slice=ast.Constant(value=str(name))):
            yield name
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(names)), attr="split")):
            yield from names.split()
        case ast.Tuple() | ast.List() | ast.Set() | ast.Dict() | ast.BoolOp() | ast.Compare() | ast.MatchOr():
            for child in ast.iter_child_nodes(node):
                yield from _names(child)
        case ast.MatchValue(value=value):
            yield from _names(value)


def _lists_of_primitives(text: str) -> list[set[str]]:
    tree = ast.parse(text)
    rows_taken_out = [  # _ADD, _MUL, _DOT = TABLE["add"], TABLE["mul"], TABLE["dot"]
        node.value for node in ast.walk(tree) if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple)
    ]
    nodes = [node for node in ast.walk(tree) if node not in rows_taken_out]
    in_one_place = [{*_names(node)} for node in nodes]
    for node in nodes:  # a function for each
        if isinstance(node, ast.Module | ast.ClassDef):
            in_one_place.append({d.name for d in node.body if isinstance(d, ast.FunctionDef)})
            in_one_place.append(
                {t.id for d in node.body if isinstance(d, ast.Assign) for t in d.targets if isinstance(t, ast.Name)}
            )
    known = {*TABLE, *ALIASES}
    found = [known & names for names in in_one_place]
    return [names for names in found if len(names) >= A_LIST]


def test_primitives_are_listed_in_the_table_alone() -> None:
    written_by_the_table = {path for path, _ in reference.files()}
    listing = {}
    for path in {*(ROOT / "autograd").rglob("*.py"), *(ROOT / "nn").rglob("*.py")} - written_by_the_table:
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith(MAY_LIST):
            listing[name] = _lists_of_primitives(path.read_text("utf-8"))
    assert {name for name, lists in listing.items() if lists} == MAY_BESIDES.keys(), listing


@pytest.mark.parametrize(
    "text",
    [
        'LISTED = frozenset(["dot", "add", "mul"])',
        'LISTED = {TABLE["dot"], TABLE["add"], TABLE["mul"]}',
        'LISTED = {"dot": f, "add": g, "mul": h}',
        'LISTED = [("dot", 1), ("add", 2), ("mul", 3)]',
        'LISTED = "dot add mul".split()',
        'def f(row): return row.name in ("dot", "add", "mul")',
        'def f(row): return row.name == "dot" or row.name == "add" or row.name == "mul"',
        'match row.name:\n    case "dot" | "add" | "mul": pass',
        "def dot(): pass\ndef add(): pass\ndef mul(): pass",
        "class System:\n    dot = add = mul = None",
    ],
)
def test_a_list_of_primitives_would_be_noticed(text: str) -> None:
    assert {"dot", "add", "mul"} in _lists_of_primitives(text)
    assert _lists_of_primitives(text.replace("mul", "add")) == []


def test_the_way_in_is_read_in_a_quarter_of_an_hour() -> None:
    texts = {name: (ROOT / "autograd" / f"{name}.py").read_text("utf-8") for name in WAY_IN}
    texts["primitives"], rows, _ = texts["primitives"].partition("\n_ROWS")
    assert rows
    assert sum(len(text.splitlines()) for text in texts.values()) <= 600
    for name, text in texts.items():  # each opens with the idea, in three sentences or some more
        opening = ast.get_docstring(ast.parse(text)) or ""
        assert len(re.findall(r"[.:](?=\s|$)", opening)) >= 3, name


#: Where any error leads to another way, which needs less of what failed, or tells what did; each says so at its place.
#: The first raises all but one of them, under an ``if``.
OTHER_WAYS = {
    "autograd/interrupts.py:__enter__",
    "autograd/checking/other_ways.py:_asked",
    "autograd/checking/outside.py:_bounds", "autograd/checking/outside.py:_seen_by_the_engine",
    "autograd/compiled/descent.py:_native_rule",
    "autograd/pictures/drawing/picture.py:_repr_mimebundle_", "nn/passes.py:outputs_of",
    "nn/training/on_arrays.py:mean_loss", "nn/training/on_arrays.py:outputs", "nn/training/on_arrays.py:run",
    "nn/training/recorded_loss.py:add_gradients",
}  # fmt: skip


def _takes_memory_errors(text: str) -> set[str]:
    """The functions that catch every error, one of memory too, and do not raise it again as it is."""
    found = set()
    for function in ast.walk(ast.parse(text)):
        if not isinstance(function, ast.FunctionDef):
            continue
        for node in ast.walk(function):
            for handler in node.handlers if isinstance(node, ast.Try) else ():
                names = set(re.findall(r"\w+", ast.unparse(handler.type))) if handler.type else {"BaseException"}
                last = handler.body[-1]
                raises = isinstance(last, ast.Raise) and last.exc is None
                if "MemoryError" in names and raises:
                    break
                if names & {"Exception", "BaseException"} and not raises:
                    found.add(function.name)
    return found


def test_an_error_of_memory_is_not_taken_for_one_of_what_was_asked() -> None:
    found = set()
    for path in [path for package in ("autograd", "nn") for path in (ROOT / package).rglob("*.py")]:
        names = _takes_memory_errors(path.read_text("utf-8"))
        found |= {f"{path.relative_to(ROOT).as_posix()}:{name}" for name in names}
    assert found == OTHER_WAYS


def test_an_error_of_memory_that_is_taken_would_be_noticed() -> None:
    text = "def f():\n    try:\n        g()\n    except {}:\n        {}\n"
    assert _takes_memory_errors(text.format("Exception as error", "raise ValueError from error")) == {"f"}
    assert _takes_memory_errors(text.format("Exception", "return None")) == {"f"}
    assert not _takes_memory_errors(text.format("Exception", "raise"))
    assert not _takes_memory_errors(text.format("MemoryError", "raise\n    except Exception:\n        pass"))
