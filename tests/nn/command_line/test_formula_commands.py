"""`valuegrad draw`, `derive` and `step`: what they write is the engine's own, and whatever is wrong is one line."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import autograd
import nn
from nn.command_line.commands import main

ROOT = Path(nn.__file__).parent.parent
FORMULA = ("tanh(w*x + b)", "w=0.5", "x=2", "b=1")
COMMANDS = ("draw", "derive", "step")


class Outcome:
    """What a run of the command printed, and its status."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err

    def complaint(self) -> str:
        """The one line on stderr of a run that failed; nothing is on stdout."""
        assert self.status != 0
        assert self.out == ""
        (line,) = self.err.splitlines()
        assert "Traceback" not in line
        return line


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run the command in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Outcome:
        status = main(arguments)
        captured = capsys.readouterr()
        return Outcome(status, captured.out, captured.err)

    return call


@pytest.fixture
def derive(run: Any) -> Any:
    """What `valuegrad derive` prints, line by line."""
    pytest.importorskip("sympy")

    def call(*arguments: str) -> list[str]:
        outcome = run("derive", *arguments)
        assert (outcome.status, outcome.err) == (0, "")
        return outcome.out.splitlines()  # type: ignore[no-any-return]

    return call


# --- draw ----------------------------------------------------------------------------------------------------


def test_draw_as_a_program_of_its_own(tmp_path: Path) -> None:
    pytest.importorskip("graphviz")
    command = [sys.executable, "-m", "nn", "draw", *FORMULA, "-o", "graph.svg"]
    result = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT), "PATH": ""}, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "graph.svg\n", "")
    assert "tanh" in (tmp_path / "graph.svg").read_text("utf-8")


def test_draw_shows_both_passes(run: Any, tmp_path: Path) -> None:
    pytest.importorskip("graphviz")
    assert run("draw", *FORMULA, "-o", "a.dot").out == "a.dot\n"
    whole = (tmp_path / "a.dot").read_text("utf-8")
    assert {"0.9640", "0.1413"} <= set(re.findall(r"\d\.\d{4}", whole))  # tanh(2), and the gradient of w
    run("draw", *FORMULA, "-o", "b.dot", "--no-gradients")
    assert "0.1413" not in (tmp_path / "b.dot").read_text("utf-8")
    run("draw", *FORMULA, "-o", "c.dot", "--partials", "--no-gradients")
    assert "× 0.07065" in (tmp_path / "c.dot").read_text("utf-8")  # 1 - tanh(2)²


def test_draw_expanded(run: Any, tmp_path: Path) -> None:
    pytest.importorskip("graphviz")
    for name, *options in (("a.dot",), ("b.dot", "--expanded")):
        assert run("draw", "mean(x, y)", "x=1", "y=2", "-o", name, *options).status == 0
    assert (tmp_path / "b.dot").read_text("utf-8").count("->") > (tmp_path / "a.dot").read_text("utf-8").count("->")


@pytest.mark.parametrize("name", ["g.svg", "g.SVG", "g.dot", "g.mmd", "new/folder/g.svg"])
def test_draw_every_format_that_needs_no_engine(run: Any, tmp_path: Path, name: str) -> None:
    pytest.importorskip("graphviz")
    assert run("draw", *FORMULA, "--out", name).out == f"{Path(name)}\n"
    assert (tmp_path / name).stat().st_size > 100


def test_draw_png_and_pdf(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("graphviz")
    outcome = run("draw", *FORMULA, "-o", "g.png")
    if outcome.status == 0:
        assert (tmp_path / "g.png").read_bytes().startswith(b"\x89PNG")
        assert run("draw", *FORMULA, "-o", "g.pdf").status == 0
        assert (tmp_path / "g.pdf").read_bytes().startswith(b"%PDF")
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    monkeypatch.setattr("shutil.which", lambda _: None)
    outcome = run("draw", *FORMULA, "-o", "h.png")
    assert outcome.status == 1
    assert "png needs a layout engine" in outcome.complaint()
    assert "pip install 'valuegrad[viz]'" in outcome.err


@pytest.mark.parametrize("x", ["2", "-2"])
def test_conditions_are_drawn(run: Any, tmp_path: Path, x: str) -> None:
    pytest.importorskip("graphviz")
    assert run("draw", "where(x > 0, log(x), -x)", f"x={x}", "-o", "g.dot", "--partials", "--expanded").status == 0
    drawn = (tmp_path / "g.dot").read_text("utf-8")
    assert "where" in drawn
    assert ("log" in drawn) is (x == "2")  # of -2 there is none


# --- derive --------------------------------------------------------------------------------------------------


def test_derive_names_what_has_no_name(derive: Any) -> None:
    assert derive("z = w*x + b; tanh(z)", "w=0.5", "x=2", "b=1", "--wrt", "w") == [
        "y = tanh(z)",
        "∂y/∂w = ∂z/∂w · ∂y/∂z",
        "  (1) ∂z/∂w = ∂(w·x + b)/∂w = x",
        "  (2) ∂y/∂z = ∂tanh(z)/∂z = tanh′(z) = 1 − y²",
        "∂y/∂w = x · tanh′(z)",
        "      = x · (1 − y²)",
        "      = 2 · 0.07065",
        "      = 0.1413",
    ]
    assert derive("w*x", "w=0.5", "x=2", "--wrt", "w")[0] == "y = w*x"
    assert derive("a = w*x", "w=0.5", "x=2", "--wrt", "w")[-1] == "      = 2"
    assert derive("y*x", "y=0.5", "x=2", "--wrt", "y")[:2] == ["y1 = y*x", "  (1) ∂y1/∂y = ∂(y·x)/∂y = x"]


def test_derive_by_what_is_in_between(derive: Any) -> None:
    assert (
        derive("z = w*x; a = tanh(z)", "w=0.5", "x=2", "--wrt", "z")[0]
        == "  (1) ∂a/∂z = ∂tanh(z)/∂z = tanh′(z) = 1 − a²"
    )


def test_derive_says_which_branch_was_taken(derive: Any) -> None:
    formula = ("where(x > 0, log(x), x**2)", "--wrt", "x")
    assert derive(*formula, "x=2")[-3:] == ["∂y/∂x = 1/x", "      = 0.5", "  where x > 0"]
    assert derive(*formula, "x=-2")[-3:] == ["∂y/∂x = 2·x", "      = −4", "  where x ≤ 0"]


def test_derive_in_other_notations(derive: Any, tmp_path: Path) -> None:
    latex = "\n".join(derive(*FORMULA, "--wrt", "w", "--format", "latex"))
    assert r"\frac{\partial y}{\partial w}" in latex
    markdown = "\n".join(derive(*FORMULA, "--wrt", "w", "--format", "markdown"))
    assert "$$" in markdown
    assert derive(*FORMULA, "--wrt", "w", "-o", "new/it.md", "--format", "markdown") == [str(Path("new", "it.md"))]
    assert (tmp_path / "new" / "it.md").read_text("utf-8") == f"{markdown}\n"


def test_options_may_stand_before_numbers(derive: Any) -> None:
    assert derive("--wrt", "w", *FORMULA) == derive(*FORMULA, "--wrt", "w")
    assert derive(FORMULA[0], "--wrt", "w", *FORMULA[1:]) == derive(*FORMULA, "--wrt", "w")


def test_a_formula_that_begins_with_a_minus(derive: Any) -> None:
    assert derive("-x", "x=2", "--wrt", "x")[0] == "y = -x"
    assert derive("-x*x - 1", "x=-2", "--wrt", "x")[-1] == "      = 4"


@pytest.mark.parametrize(("written", "asked"), [("ﬁ", "fi"), ("fi", "ﬁ")])
def test_names_are_compared_as_python_reads_them(derive: Any, written: str, asked: str) -> None:
    assert derive(f"{asked}*2", f"{written}=1", "--wrt", asked)[-1] == "∂y/∂fi = 2"


# --- step ----------------------------------------------------------------------------------------------------


def test_step_writes_a_page(run: Any, tmp_path: Path) -> None:
    assert run("step", *FORMULA, "-o", "pages/page.html").out == f"{Path('pages', 'page.html')}\n"
    page = (tmp_path / "pages" / "page.html").read_text("utf-8")
    assert "<title>tanh(w*x + b)" in page
    assert run("step", *FORMULA).out == "page.html\n"
    assert (tmp_path / "page.html").read_text("utf-8") == page


def test_the_formula_is_text_in_the_page(run: Any, tmp_path: Path) -> None:
    assert run("step", "x*2 # </title><script>stop()</script>", "x=2").status == 0
    assert "<script>stop" not in (tmp_path / "page.html").read_text("utf-8")


@pytest.mark.parametrize("x", ["2", "-2"])
def test_conditions_are_played(run: Any, tmp_path: Path, x: str) -> None:
    assert run("step", "where(x > 0, log(x), -x)", f"x={x}").status == 0
    assert "where" in (tmp_path / "page.html").read_text("utf-8")


# --- what may go wrong ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["__import__('os').system('echo no')", "x=1"], 2, "\"__import__('os').system('echo no')\" cannot stand in a"),
        (["x.data", "x=1"], 2, "'x.data' cannot stand in a formula; there may be names, numbers, + - * / // % **, and"),
        (["x +", "x=1"], 2, "'x +' is not a formula: invalid syntax"),
        (["", "x=1"], 2, "the formula is empty"),
        (["x > 0", "x=1"], 2, "the formula ends with a comparison"),
        (["x + q", "x=1"], 2, "'q' has no number; there are 'x': write q=1.5 after the formula"),
        (["x", "x=1", "q=1"], 2, "'q' does not occur in the formula; it has 'x'"),
        (["x", "x=1", "x=2"], 2, "'x' is given twice: x=1 and x=2"),
        (["fi", "fi=1", "ﬁ=2"], 2, "'fi' is given twice"),
        (["x"], 2, "the following arguments are required: NAME=NUMBER"),
        (["x", "x"], 2, "argument NAME=NUMBER: 'x' is no NAME=NUMBER; write x=1.5, without blanks"),
        (["x", "x="], 2, "argument NAME=NUMBER: 'x=': '' is not a number; write x=1.5"),
        (["x", "x==1"], 2, "argument NAME=NUMBER: 'x==1': '=1' is not a number"),
        (["x", "x=two"], 2, "argument NAME=NUMBER: 'x=two': 'two' is not a number"),
        (["x", "x=nan"], 2, "argument NAME=NUMBER: 'x=nan': the number must be finite; for a float it is nan"),
        (["x", "x=-inf"], 2, "argument NAME=NUMBER: 'x=-inf': the number must be finite"),
        (["x", "x=1e999"], 2, "argument NAME=NUMBER: 'x=1e999': the number must be finite; for a float it is inf"),
        (["x", "=1"], 2, "argument NAME=NUMBER: '' is no name"),
        (["x", "2x=1"], 2, "argument NAME=NUMBER: '2x' is no name"),
        (["x", "lambda=1"], 2, "argument NAME=NUMBER: 'lambda' is a word of Python's own; write lambda_"),
        (["x", "x\ud800=1"], 2, "argument NAME=NUMBER: 'x\\ud800' is no name"),
        (["log(x)", "x=-1"], 1, "log needs a positive argument; x is -1.0 ('x'). Use log1p, clip or where."),
        (["x + 1/0", "x=1"], 1, "a division by zero: '0' is 0"),
        (["exp(x)", "x=1000"], 1, "exp is too large for a float; x is 1000.0 ('x')"),
        (["x", "x=1", "-o", ""], 2, "argument -o/--out: '' is no name of a file"),
        (["x", "x=1", "-o", "a\0b.svg"], 2, "argument -o/--out: 'a\\x00b.svg' is no name of a file"),
    ],
)
def test_bad_input_is_one_line(
    run: Any, tmp_path: Path, command: str, arguments: list[str], status: int, message: str
) -> None:
    outcome = run(command, *arguments, *(["--wrt", "x"] if command == "derive" else []))
    complaint = outcome.complaint()
    assert complaint.startswith(f"valuegrad {command}: {message}"), complaint
    assert outcome.status == status
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["derive", "x", "x=1"], "the following arguments are required: --wrt"),
        (["derive", "x", "x=1", "--wrt", "q"], "--wrt q: the formula has no such name; it has x"),
        (["derive", "pi*x", "x=1", "--wrt", "pi"], "--wrt pi: the formula has no such name; it has x"),
        (["derive", "a = 2; a*x", "x=1", "--wrt", "a"], "--wrt a: it depends on no name that has a number; give its"),
        (["derive", "x", "x=1", "--wrt", "x + 1"], "argument --wrt: 'x + 1' is no name"),
        (["derive", "x", "x=1", "--wrt", "x", "--format", "word"], "argument --format: invalid choice: 'word'"),
        (["draw", "x", "x=1", "-o", "g"], "argument -o/--out: 'g' must end in .svg, .png, .pdf, .dot or .mmd"),
        (["draw", "x", "x=1", "-o", "g.docx"], "argument -o/--out: 'g.docx' must end in .svg"),
        (["draw", "x", "x=1", "-o", "folder/"], "argument -o/--out: 'folder/' must end in .svg"),
        (["step", "x", "x=1", "-o", "p.svg"], "argument -o/--out: 'p.svg' must end in .html or .htm"),
        (["draw", "--partial", "x", "x=1"], "unrecognized arguments: --partial"),
    ],
)
def test_bad_options_are_one_line(run: Any, tmp_path: Path, arguments: list[str], message: str) -> None:
    outcome = run(*arguments)
    complaint = outcome.complaint()
    assert re.match(rf"valuegrad(?: {arguments[0]})?: {re.escape(message)}", complaint), complaint
    assert outcome.status == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("command", "name"), [("draw", "g.svg"), ("derive", "d.txt"), ("step", "p.html")])
def test_a_file_that_cannot_be_written(run: Any, tmp_path: Path, command: str, name: str) -> None:
    pytest.importorskip("graphviz")
    pytest.importorskip("sympy")
    extra = ["--wrt", "w"] if command == "derive" else []
    (tmp_path / "file").write_text("", encoding="utf-8")
    (tmp_path / name).mkdir()
    outcome = run(command, *FORMULA, *extra, "-o", name)
    assert outcome.complaint() == f"valuegrad {command}: {name}: Is a directory"
    assert outcome.status == 1
    outcome = run(command, *FORMULA, *extra, "-o", f"file/{name}")
    assert outcome.complaint().startswith(f"valuegrad {command}: file")
    assert outcome.status == 1


def test_graphs_too_large_to_be_shown(run: Any) -> None:
    pytest.importorskip("sympy")
    long = "x" + "+x" * 600
    assert (
        run("step", long, "x=1").complaint().startswith("valuegrad step: the graph has 601 nodes; step_through shows")
    )
    assert "nested 600 deep" in run("derive", long, "x=1", "--wrt", "x").complaint()


def test_without_graphviz(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "graphviz", None)
    monkeypatch.delitem(sys.modules, "autograd.pictures.drawing.picture", raising=False)  # it may be imported already
    outcome = run("draw", *FORMULA)
    assert outcome.complaint() == "valuegrad draw: graphviz is not installed: pip install graphviz"
    assert outcome.status == 1


def test_without_sympy(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sympy", None)
    for module in (
        "autograd.pictures.mathematics.algebra",
        "autograd.number_systems.sympy_",
    ):  # they may be imported already
        monkeypatch.delitem(sys.modules, module, raising=False)
    outcome = run("derive", *FORMULA, "--wrt", "w")
    assert outcome.complaint() == (
        "valuegrad derive: derive needs SymPy, which is not installed: pip install 'valuegrad[viz]'"
    )
    assert outcome.status == 1


def test_a_mistake_of_the_program_is_not_hidden(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("of ours")

    monkeypatch.setattr(autograd, "step_through", broken)
    with pytest.raises(KeyError, match="of ours"):
        run("step", *FORMULA)


@pytest.mark.parametrize("command", COMMANDS)
def test_help(run: Any, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown = run(command, "--help").out
    assert max(map(len, shown.splitlines())) <= 80
    example = re.search(r"^  valuegrad (\w+ .*)$", shown, re.MULTILINE)
    assert example is not None
    assert "never run as code" in shown
    assert command in run("--help").out


def test_the_examples_of_the_help_run(run: Any, tmp_path: Path) -> None:
    import shlex

    pytest.importorskip("graphviz")
    pytest.importorskip("sympy")
    for command in COMMANDS:
        example = re.search(r"^  valuegrad (\w+ .*)$", run(command, "--help").out, re.MULTILINE)
        assert example is not None
        assert run(*shlex.split(example.group(1))).status == 0
    assert {path.name for path in tmp_path.iterdir()} == {"graph.svg", "page.html"}


@pytest.mark.parametrize(
    "formula", ["-omega*t", "-h*t", "-omega*0.5 + t", "-(omega)*t", "--omega*t", "-o + omega*t*h", "-1/t"]
)
def test_a_formula_that_begins_like_an_option_is_a_formula(run: Any, formula: str) -> None:
    names = [f"{name}=2" for name in ("omega", "h", "o") if re.search(rf"\b{name}\b", formula)]
    for arguments in ([formula, *names, "t=3", "--wrt", "t"], ["--wrt", "t", formula, *names, "t=3"]):
        outcome = run("derive", *arguments)
        assert (outcome.status, outcome.err) == (0, "")
        assert f"= {formula}\n" in outcome.out


@pytest.mark.parametrize("option", [["-o", "a.svg"], ["-oa.svg"], ["--out", "a.svg"], ["--out=a.svg"]])
def test_an_option_before_the_formula_is_an_option(run: Any, tmp_path: Path, option: list[str]) -> None:
    pytest.importorskip("graphviz")
    assert run("draw", *option, "--partials", "-x", "x=1").out == "a.svg\n"
    assert (tmp_path / "a.svg").exists()


def test_a_mistyped_option_is_still_told(run: Any) -> None:
    assert "--partial" in run("draw", "--partial", "x", "x=1").complaint()


def test_a_power_that_holds_a_giant_is_refused_in_one_line(run: Any) -> None:
    outcome = run("derive", "(2*x)**1000000000", "x=0.1", "--wrt", "x")
    assert outcome.status == 1
    assert "3000 are the limit" in outcome.complaint()
    assert "16000·(1 + x)" in run("derive", "(x+1)**16000", "x=0", "--wrt", "x").out


def test_a_device_is_no_file_to_write_to(run: Any) -> None:
    outcome = run("derive", "x", "x=1", "--wrt", "x", "-o", os.devnull)
    assert outcome.complaint() == f"valuegrad derive: {os.devnull}: this is a device, not a plain file"
