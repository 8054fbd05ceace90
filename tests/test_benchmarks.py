"""The benchmarks do what their options say; what they measure is run by hand."""

import ast
import importlib
import inspect
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks import growth

FOLDER = Path(__file__).resolve().parents[1] / "benchmarks"
#: What times, and the argument that says how often at least.
TIMERS = {"best": "least", "smallest": "runs"}


@pytest.mark.parametrize("name", benchmarks.NAMES)
def test_every_timing_reads_how_many_runs(name: str) -> None:
    module = importlib.import_module(f"benchmarks.{name}")
    assert isinstance(inspect.signature(module.run).parameters["runs"].default, int)
    tree = ast.parse((FOLDER / f"{name}.py").read_text())
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in TIMERS:
            found = {keyword.arg: keyword.value for keyword in call.keywords}[TIMERS[call.func.id]]
            names = {part.id for part in ast.walk(found) if isinstance(part, ast.Name)}
            assert names & {"runs", "few"}, f"{name}.py:{call.lineno}"


@pytest.mark.parametrize(("options", "expected"), [([], {}), (["--runs", "4"], {"runs": 4})])
def test_the_option_reaches_the_benchmark(
    options: list[str], expected: dict[str, int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given: list[dict[str, int]] = []

    def run(**chosen: int) -> dict[str, float]:
        given.append(chosen)
        return {"figure": 1.0}

    monkeypatch.setattr(benchmarks.importlib, "import_module", lambda name: SimpleNamespace(run=run))
    monkeypatch.setattr(sys, "argv", ["benchmarks", "moons", *options])
    assert benchmarks.main() == 0
    assert given == [expected]
    assert "figure" in capsys.readouterr().out


def test_no_runs_are_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks", "moons", "--runs", "0"])
    with pytest.raises(SystemExit):
        benchmarks.main()
    assert "--runs is a whole number, at least 1, not 0" in capsys.readouterr().err


@pytest.mark.parametrize("power", [1.0, 1.8])
def test_growth_fits_the_power(power: float) -> None:
    sizes = growth.WORKS["chains"].sizes
    assert growth.exponent(sizes, [3e-6 * size**power for size in sizes]) == pytest.approx(power)


def test_a_work_is_measured_in_a_process_of_its_own() -> None:
    seconds, used = growth.measured("chains", 200_000, 1)
    assert seconds > 0
    assert used > 200_000 * 100  # bytes of a node
