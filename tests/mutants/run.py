"""The score: how many mutants of some files the tests kill, and whether each survivor is explained."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import shutil
import sys
import time
import tomllib
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.mutants.direct import Stage
from tests.mutants.mutator import Mutant, mutants_of, mutants_of_rules, mutants_of_table
from tests.mutants.trial import FAILS, Seconds, Trial

#: The least share of all mutants that must die.
LEAST = 0.95

#: Tests that may fail without a mutant before a run is pointless.
MOST_FAILING = 5

#: So many tests that killed the most neighbours of a mutant are tried on it before all others.
MOST_LIKELY = 6

COPIED = ("autograd", "nn", "tests", "pyproject.toml")

TABLE = "autograd/primitives.py"
RULES = "autograd/rules.py"

#: The tests of the engine: the short files before the long ones.
ENGINE = tuple(
    f"tests/{name}.py"
    for name in (
        *("test_value", "eager/test_makers", "eager/test_nodes", "test_program", "test_interpret", "test_backward"),
        *("eager/test_pull_backs", "test_transforms", "eager/test_unrolled", "test_graph", "test_errors"),
        *("test_custom", "test_inner_derivatives"),
        *("provenance/test_lines", "checking/test_nonfinite"),
    )
)
#: Those of the rows. Not whether files written from the table are stale: that notices every change, right or wrong.
ROWS = (
    *("tests/test_kinks.py", "tests/test_primitives.py", "tests/test_formulas.py", "tests/test_digits.py"),
    *("tests/number_systems/test_contract.py", "tests/test_one_answer.py", "tests/compiled/programs/test_folding.py"),
)
PROMISES = ("tests/test_machine.py", "tests/test_promises.py", "tests/test_one_answer.py")

OPERATIONS = ("test_interpret", "test_program", "test_transforms", "test_custom", "test_inner_derivatives")
NODES = (
    *("eager/test_makers", "eager/test_nodes", "test_value", "test_errors"),
    *("test_custom", "eager/test_unrolled"),
)

#: The files whose mutants are tried, and the tests that kill most of each; the table has its own mutator.
TARGETS: dict[str, tuple[str, ...]] = {
    TABLE: (),
    RULES: (),
    "autograd/interpret.py": OPERATIONS,
    "autograd/lanes.py": ("test_lanes", "test_one_answer", "test_interpret", "compiled/programs/test_derivatives"),
    "autograd/reaching.py": ("test_reaching", "test_one_answer", "test_interpret"),
    "autograd/program.py": ("test_program", "test_graph"),
    "autograd/application.py": OPERATIONS,
    "autograd/value.py": (
        *("test_value", "eager/test_makers", "test_backward", "test_errors"),
        *("compiled/recording/test_reads", "test_other_words", "test_threads"),
    ),
    "autograd/turns.py": ("test_threads", "test_backward"),
    "autograd/eager/choices.py": NODES,
    "autograd/eager/makers.py": NODES,
    "autograd/eager/nodes.py": NODES,
    "autograd/eager/pull_backs.py": ("eager/test_pull_backs", "test_backward", "eager/test_unrolled"),
    "autograd/eager/unrolled.py": ("eager/test_pull_backs", "eager/test_unrolled", "test_backward"),
}


class Result(NamedTuple):
    """What became of one mutant; ``killer`` is the test that failed, ``None`` of a survivor."""

    file: str
    mutant: Mutant
    killer: str | None


class Explanation(NamedTuple):
    """Why a mutant may survive."""

    file: str
    where: str
    change: str
    reason: str


def copy_of(root: Path, folder: Path) -> None:
    """Copy what the tests need, so that nobody who edits the files meanwhile disturbs the score, nor it them."""
    for name in COPIED:
        source = root / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)


def mutants_in(file: str) -> tuple[ast.Module, list[tuple[Mutant, tuple[Stage, ...]]]]:
    """The tree of a file, and its mutants with the tests that each must face."""
    tree = ast.parse(Path(file).read_text("utf-8"))
    if file in (TABLE, RULES):
        mutants, users = mutants_and_rows(file, tree)
        names = [mutant.where.split()[0].split(".")[0] for mutant in mutants]
        every = tuple(dict.fromkeys(row for rows in users.values() for row in rows))
        return tree, [
            (mutant, stages_of(file, tuple(users[name]), every)) for mutant, name in zip(mutants, names, strict=True)
        ]
    return tree, [(mutant, stages_of(file)) for mutant in mutants_of(tree)]


def mutants_and_rows(file: str, tree: ast.Module) -> tuple[list[Mutant], dict[str, list[str]]]:
    """The mutants of the table, or of its rules, and the rows that depend on each row or function."""
    if file == TABLE:
        return mutants_of_table(tree)
    return mutants_of_rules(tree, ast.parse(Path(TABLE).read_text("utf-8")))


def stages_of(file: str, rows: tuple[str, ...] = (), every: tuple[str, ...] = ()) -> tuple[Stage, ...]:
    """The tests that the mutants of a file face; of the table, those about some rows, and those about none of all."""
    if file in (TABLE, RULES):
        return Stage(ROWS, rows), Stage(ROWS, apart=every), Stage(ROWS, pytest=True)
    first = tuple(f"tests/{name}.py" for name in TARGETS[file])
    others = tuple(test for test in (*ENGINE, *PROMISES) if test not in first)
    return tuple(Stage(files, pytest=pytest) for files in ((*first, file), others) for pytest in (False, True))


def seconds_of_tests(files: Sequence[str]) -> Seconds:
    """How long each test takes where nothing is changed.

    Raises:
        SystemExit: many tests fail without a mutant. A few are named and left out, which can only lower the score.
    """
    others = [file for file in files if file not in (TABLE, RULES)]
    trials = []
    if others != list(files):
        rows = mutants_and_rows(TABLE, ast.parse(Path(TABLE).read_text("utf-8")))[1]
        trials += [Trial([Stage(ROWS)]), Trial([Stage(ROWS, pytest=True)]), Trial([Stage(ROWS, apart=tuple(rows))])]
    if others:
        trials += [Trial([Stage(ENGINE)]), Trial([Stage(PROMISES), Stage((*ENGINE, *PROMISES, *others), pytest=True)])]
    known = Seconds({}, {}, {})
    for trial in trials:
        said = trial.outcome()
        os.waitpid(trial.pid, 0)
        if said["killer"] is not None:
            sys.exit(f"without a mutant the tests cannot run: {said['killer']}")
        known.direct.update(said["seconds"][0])
        known.pytest.update(said["seconds"][1])
        known.entered.update(said["seconds"][2])
    failing = [name for part in known[:2] for name, seconds in part.items() if seconds == FAILS]
    for name in failing:
        print(f"  left out, as it fails without a mutant: {name}")
    if len(failing) > MOST_FAILING:
        sys.exit("too many tests fail without a mutant")
    return known


def _places(file: str, where: str) -> Iterable[str]:
    """A function, the outermost that it lies in, and its file."""
    return dict.fromkeys((f"{file} {where}", f"{file} {where.split('.')[0]}", file))


class Killed:
    """Who killed which mutant, kept in a file: while its source is the same, a mutant that died stays dead.

    So a run that was interrupted goes on, and a new test is tried on survivors alone.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.found: dict[str, str] = {}
        #: The test that killed a mutant last, and how many each killed in a function, by file and place.
        self._last: dict[str, str] = {}
        self._in_place: defaultdict[str, Counter[str]] = defaultdict(Counter)
        if path.exists():
            for line in path.read_text("utf-8").splitlines():
                for key, killer in json.loads(line).items():
                    self._learn(key, killer)

    @staticmethod
    def key(file: str, mutant: Mutant) -> str:
        """What a mutant is known by: its file as it is now, and itself."""
        source = hashlib.sha256(Path(file).read_bytes()).hexdigest()[:16]
        return f"{file} {source} {mutant.where}: {mutant.change}"

    def _learn(self, key: str, killer: str) -> None:
        self.found[key] = killer
        file, _, place = key.split(" ", 2)
        test = killer.rsplit(" (", 1)[0]
        if "::" in test:
            self._last[f"{file} {place}"] = test
            for where in _places(file, place.split(": ", 1)[0]):
                self._in_place[where][test] += 1

    def likely(self, file: str, mutant: Mutant, there: Seconds) -> tuple[Stage, Stage]:
        """The tests to try first: who killed the mutant when its file was another, then who killed its neighbours.

        Args:
            there: the tests that there are now.
        """
        names = [self._last.get(f"{file} {mutant.where}: {mutant.change}", "")]
        for where in _places(file, mutant.where):
            names += [name for name, _ in self._in_place[where].most_common(MOST_LIKELY)]
        names = [name for name in dict.fromkeys(names) if name in there.direct or name in there.pytest]
        files = tuple(dict.fromkeys(name.split("::")[0] for name in names))
        return Stage(files, names=tuple(names)), Stage(files, names=tuple(names), pytest=True)

    def note(self, key: str, killer: str) -> None:
        """Keep a name from now on."""
        self._learn(key, killer)
        self.path.parent.mkdir(exist_ok=True)
        with self.path.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps({key: killer}) + "\n")


def try_all(
    file: str, seconds: Seconds, killed: Killed, workers: int, only: str = "", trusted: Container[Any] = ()
) -> list[Result]:
    """Try every mutant of a file that is not known to be dead, a few at a time.

    Args:
        trusted: file, place and change of mutants that count as survivors without a trial.
    """
    tree, mutants = mutants_in(file)
    mutants = [(mutant, stages) for mutant, stages in mutants if only in f"{mutant.where}: {mutant.change}"]
    keys = {id(mutant): killed.key(file, mutant) for mutant, _ in mutants}
    results = [Result(file, m, killed.found[keys[id(m)]]) for m, _ in mutants if keys[id(m)] in killed.found]
    waiting = [(m, stages) for m, stages in reversed(mutants) if keys[id(m)] not in killed.found]
    results += [Result(file, m, None) for m, _ in waiting if (file, m.where, m.change) in trusted]
    waiting = [(m, stages) for m, stages in waiting if (file, m.where, m.change) not in trusted]
    running: dict[int, Trial] = {}
    total, start = len(mutants), time.monotonic()
    print(f"  {file}: {total} mutants, {len(results)} of them known to be killed", flush=True)
    while waiting or running:
        while waiting and len(running) < workers:
            mutant, stages = waiting.pop()
            strangers = seconds.strangers(f"{file} {mutant.where.split('.')[0]}")
            others = (stage._replace(without=strangers) for stage in stages)
            stages = (*killed.likely(file, mutant, seconds), *others)
            trial = Trial(stages, path=Path(file), tree=tree, mutant=mutant, seconds=seconds)
            running[trial.pid] = trial
        pid, _ = os.wait()
        trial = running.pop(pid)
        assert trial.mutant is not None
        result = Result(file, trial.mutant, trial.outcome()["killer"])
        results.append(result)
        if result.killer is None:
            print(f"  {file} {result.mutant.where}: {result.mutant.change} survives", flush=True)
        else:
            killed.note(keys[id(result.mutant)], result.killer)
        if len(results) % 100 == 0 or len(results) == total:
            print(f"  {file}: {len(results)} of {total}, {time.monotonic() - start:.0f} s", flush=True)
    return results


def explanations(path: Path) -> list[Explanation]:
    """The list of survivors that need not die.

    Raises:
        ValueError: one has no reason.
    """
    found = []
    for entry in tomllib.loads(path.read_text("utf-8"))["survivor"]:
        if len(entry["reason"]) < 20:
            raise ValueError(f"{path}: {entry['where']} needs a reason, in words")
        found += [Explanation(entry["file"], entry["where"], change, entry["reason"]) for change in entry["changes"]]
    return found


class Verdict(NamedTuple):
    """What a run says in the end; it is good if nothing is wrong."""

    lines: tuple[str, ...]
    wrong: tuple[str, ...]


def verdict(results: Sequence[Result], explained: Iterable[Explanation], least: float = LEAST) -> Verdict:
    """The score of each file, and what is wrong: survivors without an explanation, too few mutants killed."""
    reasons = {(e.file, e.where, e.change): e.reason for e in explained}
    lines, wrong = [], []
    survivors = [r for r in results if r.killer is None]
    for file in dict.fromkeys(r.file for r in results):
        of_file = [r for r in results if r.file == file]
        lines.append(_score(file, of_file))
    if len({r.file for r in results}) > 1:
        lines.append(_score("all", results))
    for file, mutant, _ in survivors:
        if (file, mutant.where, mutant.change) not in reasons:
            wrong.append(f"{file}:{mutant.line} {mutant.where}: {mutant.change} survives, unexplained")
    tried = {(r.file, r.mutant.where, r.mutant.change): r.killer for r in results}
    for key in reasons:
        if tried.get(key):
            lines.append(f"explained, yet killed by {tried[key]}: {key[0]} {key[1]}: {key[2]}")
        elif key not in tried and key[0] in {r.file for r in results}:
            lines.append(f"explained, yet there is no such mutant: {key[0]} {key[1]}: {key[2]}")
    killed = len(results) - len(survivors)
    if killed < least * len(results):
        wrong.append(f"{killed} of {len(results)} mutants were killed: less than {least:.0%}")
    return Verdict(tuple(lines), tuple(wrong))


def _score(name: str, results: Sequence[Result]) -> str:
    killed = sum(r.killer is not None for r in results)
    return f"{name}: {killed} of {len(results)} mutants killed, {killed / len(results):.1%}"


def run(root: Path, folder: Path, arguments: Any) -> int:
    """Make the copy, try the mutants there, print the score; the exit status."""
    killed = Killed(root / "build" / "mutants.jsonl")
    if arguments.afresh:
        killed.path.unlink(missing_ok=True)
        killed.found.clear()
    copy_of(root, folder)
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    print("learning how long each test takes …", flush=True)
    seconds = seconds_of_tests(arguments.targets)
    explained = explanations(Path(__file__).parent / "survivors.toml")
    trusted = {(e.file, e.where, e.change) for e in explained} if arguments.trust else ()
    results: list[Result] = []
    for file in arguments.targets:
        results += try_all(file, seconds, killed, arguments.workers, arguments.only, trusted)
    # The share is one of the whole; of a few places each survivor needs its explanation.
    whole = not arguments.only and set(arguments.targets) == set(TARGETS)
    least = LEAST if whole else 0.0
    said = verdict(results, explained, least)
    print("\n".join([*said.lines, *said.wrong]))
    return 1 if said.wrong else 0
