"""The mutation tester is tested: it makes mutants, obvious ones die, and what survives unexplained fails a run."""

from __future__ import annotations

import ast
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.mutants import direct
from tests.mutants.mutator import Mutant, mutants_of, mutants_of_table
from tests.mutants.run import (
    RULES,
    TABLE,
    TARGETS,
    Explanation,
    Killed,
    Result,
    explanations,
    mutants_and_rows,
    mutants_in,
    verdict,
)
from tests.mutants.trial import Seconds

ROOT = Path(__file__).resolve().parents[2]

SMALL = """
def largest(xs: list[int], least: int = 0) -> int:
    '''The largest.'''
    found = least
    for x in xs:
        if x > found and not x.skipped:
            found = x
    return found
"""


def test_each_mutant_is_one_change() -> None:
    found = [(mutant.where, mutant.change) for mutant in mutants_of(ast.parse(SMALL))]
    assert found == [
        ("largest", "0 → 1"),
        ("largest", "x > found and (not x.skipped) → x > found or not x.skipped"),
        ("largest", "x > found → x >= found"),
        ("largest", "x > found → x < found"),
        ("largest", "not x.skipped → x.skipped"),
        ("largest", "return found → return None"),
    ]


def test_code_that_is_a_text_has_mutants_too() -> None:
    code = 'TEXT = """\ndef half(x):\n    return x / 2\n"""\nMESSAGE = "1 / 2"'
    tree = ast.parse(code)
    found = {(mutant.where, mutant.change): mutant for mutant in mutants_of(tree)}
    assert list(found) == [("half", "return x / 2 → return None"), ("half", "x / 2 → x * 2"), ("half", "2 → 3")]
    assert {mutant.line for mutant in found.values()} == {3}
    found["half", "x / 2 → x * 2"].apply()
    names: dict[str, str] = {}
    exec(compile(tree, "text", "exec"), names)
    assert names["TEXT"] == "def half(x):\n    return x * 2"


@pytest.mark.parametrize("file", TARGETS)
def test_every_mutant_of_the_engine_is_another_program_with_a_name_of_its_own(
    file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    tree, mutants = mutants_in(file)
    names = [(mutant.where, mutant.change) for mutant, _ in mutants]
    assert len(names) == len(set(names)) >= 30
    before = ast.dump(tree)
    for mutant, stages in mutants[:: len(mutants) // 10]:
        changed = ast.parse(Path(file).read_text("utf-8"))
        same = mutants_and_rows(file, changed)[0] if file in (TABLE, RULES) else mutants_of(changed)
        next(m for m in same if (m.where, m.change) == (mutant.where, mutant.change)).apply()
        assert ast.dump(changed) != before
        compile(changed, file, "exec")
        assert stages


def test_a_row_of_the_table_is_changed_as_mathematics_is_mistaken() -> None:
    table = """
_ROWS: tuple = (
    Primitive("cube", (lambda m, z, x: 3 * x * x,), "x cubed", kinks=lambda x: x == 0),
)
"""
    found = {f"{mutant.where}: {mutant.change}" for mutant in mutants_of_table(ast.parse(table))[0]}
    assert {
        "cube partials: lambda m, z, x: 3 * x * x → lambda m, z, x: -(3 * x * x)",
        "cube partials: 3 → 4",
        "cube partials: 3 → 2",
        "cube partials: 3 * x * x → 3 * x / x",
        "cube partials: 3 * x * x → 3 * x",
        "cube partials: x → z",
        "cube partials: x → z (2)",
        "cube kinks: kinks=lambda x: x == 0 → nothing",
        "cube kinks: x == 0 → x != 0",
    } <= found


def _result(change: str, killer: str | None) -> Result:
    node = ast.Pass()
    return Result("some.py", Mutant("f", change, 1, node, "x", None, node), killer)


def test_an_unexplained_survivor_fails_the_run() -> None:
    results = [_result(str(i), "a test") for i in range(99)] + [_result("a → b", None)]
    (wrong,) = verdict(results, []).wrong
    assert "some.py:1 f: a → b survives, unexplained" in wrong
    explained = Explanation("some.py", "f", "a → b", "the two are equal for every number")
    assert verdict(results, [explained]).wrong == ()
    assert verdict(results, [explained]).lines[0] == "some.py: 99 of 100 mutants killed, 99.0%"


def test_too_many_survivors_fail_the_run_whatever_their_explanation() -> None:
    results = [_result(str(i), "a test" if i < 90 else None) for i in range(100)]
    explained = [Explanation("some.py", "f", str(i), "it is the same program") for i in range(100)]
    said = verdict(results, explained)
    assert said.wrong == ("90 of 100 mutants were killed: less than 95%",)
    assert "explained, yet killed by a test: some.py f: 0" in said.lines


def test_an_explanation_is_in_words(tmp_path: Path) -> None:
    path = tmp_path / "survivors.toml"
    path.write_text('[[survivor]]\nfile = "a.py"\nwhere = "f"\nchanges = ["1 → 2"]\nreason = "fine"\n', "utf-8")
    with pytest.raises(ValueError, match="needs a reason"):
        explanations(path)


def test_every_survivor_of_the_list_is_a_mutant_that_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    explained = explanations(Path(__file__).parent / "survivors.toml")
    for file in {e.file for e in explained}:
        there = {(mutant.where, mutant.change) for mutant, _ in mutants_in(file)[1]}
        assert {(e.where, e.change) for e in explained if e.file == file} <= there


def test_a_mutant_meets_first_who_killed_it_before_and_then_who_killed_its_neighbours(tmp_path: Path) -> None:
    path = tmp_path / "build" / "mutants.jsonl"
    names = [f"tests/test_{name}.py::test[0]" for name in "abcd"]
    places = ["h: 0 → 1", "f: 0 → 1", "f.g: 0 → 1", "f.g: 1 → 2"]
    for place, name in zip(places, names, strict=True):
        Killed(path).note(f"some.py before {place}", f"{name} (AssertionError)")
    Killed(path).note("some.py before h: 1 → 2", "tests/test_gone.py::test[0] (AssertionError)")
    mutant = _result("1 → 2", None).mutant._replace(where="f.g")
    there = Seconds(dict.fromkeys(names[1:], 0.1), {names[0]: 0.1}, {})
    first, by_pytest = Killed(path).likely("some.py", mutant, there)
    assert first.names == (names[3], names[2], names[1], names[0])
    assert by_pytest == first._replace(pytest=True)


@pytest.mark.parametrize(("x", "y"), [(1, 2), (3, 4)])
def test_of_two_parameters(x: int, y: int) -> None:
    """For the test below."""
    assert x < y


def test_a_test_is_called_with_its_parameters() -> None:
    cases = {case.name.split("::")[1]: case for case in direct.cases_of("tests/mutants/test_mutants.py")}
    assert cases["test_of_two_parameters[1]"].parameters == (3, 4)
    assert direct.run(cases["test_of_two_parameters[1]"], 1.0) is None
    assert "test_an_explanation_is_in_words[0]" not in cases  # pytest has to make its folder

    def endless() -> None:
        while True:
            pass

    assert direct.run(direct.Case("endless", endless, ()), 0.05) == "too long"
    assert direct.run(direct.Case("standing", lambda: time.sleep(60), ()), 0.01) == "too long"
    assert direct.run(direct.Case("wrong", lambda: 1 / 0, ()), 1.0) == "ZeroDivisionError"


_TRIALS = """
import ast
from pathlib import Path
from tests.mutants.mutator import mutants_of
from tests.mutants import trial as trials
from tests.mutants.trial import Seconds, Stage, Trial

trials.PATIENCE = 0.5
for file, by_pytest in (("test_small.py", False), ("test_class.py", True)):
    tests = (Stage((file,), pytest=by_pytest),)
    known = Trial(tests).outcome()
    assert known["killer"] is None, known
    seconds = Seconds(*known["seconds"])
    for i in range(len(mutants_of(ast.parse(Path("small.py").read_text())))):
        tree = ast.parse(Path("small.py").read_text())
        mutant = mutants_of(tree)[i]
        trial = Trial(tests, path=Path("small.py"), tree=tree, mutant=mutant, seconds=seconds)
        print(mutant.change, "|", trial.outcome()["killer"])
"""


def test_trials(tmp_path: Path) -> None:
    """In a project of one function: what the test sees dies, an endless loop too, and what it does not see survives."""
    (tmp_path / "small.py").write_text(
        "def count(n, step=1):\n    total = 0\n    while total < n:\n        total += step\n    return total\n", "utf-8"
    )
    (tmp_path / "test_small.py").write_text(
        "from small import count\n\ndef test_count():\n    assert count(3) == 3\n", "utf-8"
    )
    (tmp_path / "test_class.py").write_text(
        "from small import count\n\nclass TestCount:\n    def test_it(self):\n        assert count(3) == 3\n", "utf-8"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\n", "utf-8")
    code = f"import sys; sys.path[:0] = ['.', {str(ROOT)!r}]\n{_TRIALS}"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    half = len(lines) // 2
    for outcome in (dict(line.split(" | ") for line in part) for part in (lines[:half], lines[half:])):
        assert outcome.pop("total < n → total <= n").startswith("test_")
        assert "too long" in outcome["total += step → total -= step"]


_ENTERED = """
from tests.mutants.direct import Stage, entered_by
from tests.mutants.trial import Seconds

known = Seconds({}, {}, entered_by(Stage(("test_small.py",))))
print(*[sorted(known.strangers(f"autograd/small.py {name}")) for name in ("one", "two", "three")], sep="\\n")
"""


def test_a_test_that_never_enters_a_function_cannot_notice_what_it_does(tmp_path: Path) -> None:
    """Unless the function ran when the tests were imported, or nobody is seen to enter it."""
    (tmp_path / "autograd").mkdir()
    (tmp_path / "autograd" / "__init__.py").touch()
    (tmp_path / "autograd" / "small.py").write_text(
        "def one():\n    return 1\n\ndef two():\n    return 2\n\ndef three():\n    return 3\n", "utf-8"
    )
    (tmp_path / "test_small.py").write_text(
        "from autograd.small import one, two\n\nTWO = two()\n\n"
        "def test_one():\n    assert one() == 1\n\ndef test_none():\n    assert TWO == 2\n",
        "utf-8",
    )
    code = f"import sys; sys.path[:0] = ['.', {str(ROOT)!r}]\n{_ENTERED}"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines() == ["['test_small.py::test_none']", "[]", "[]"], done.stderr
