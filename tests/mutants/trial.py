"""One mutant tried: a child process that imports the changed file in place of the right one, and runs the tests.

Each child is forked from a process that has imported all that is slow and nothing of the project, so a trial costs its
tests and little else. First the tests are called as functions; who survives that meets them under pytest, with all that
only pytest can run. They run fastest first and stop at the first that fails. A test that takes ten times as long as it
should counts as failed: endless loops die of it.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import importlib.util
import json
import os
import resource
import signal
import sys
import warnings
from collections.abc import Iterable, Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from typing import Any, NamedTuple

import hypothesis
import mpmath  # noqa: F401 - imported here once, and not in every child
import numpy  # noqa: F401
import pytest

from tests.mutants import direct
from tests.mutants.direct import Stage
from tests.mutants.mutator import Mutant

#: A test that takes longer is left out, to keep trials short; the mutants that it alone would kill survive.
QUICK = 0.15
#: The time of a test that fails without a mutant: it tells nothing, and is left out.
FAILS = float("inf")
#: Parts of the names of tests that take long by nature: left out as well.
LONG_BY_NATURE = ("million", "deep_chain", "no_reference_cycles")
#: Seconds of the processor that a test gets, and a collection: a start, and so many times what it takes by itself.
PATIENCE, TIMES = 3.0, 10
#: Bytes that a child may take, so that a loop that fills a list comes to an end.
MEMORY = 4 << 30

#: Hypothesis was imported before pytest began, and used: pytest and Hypothesis remark on that, and it does no harm.
IMPORTED_ALREADY = (
    "-W",
    "ignore::pytest.PytestAssertRewriteWarning",
    "-W",
    "ignore::hypothesis.errors.HypothesisSideeffectWarning",
)


class Seconds(NamedTuple):
    """How long each test takes where nothing is changed: called as a function, and under pytest."""

    direct: dict[str, float]
    pytest: dict[str, float]
    #: For some tests, what ``direct.entered_by`` says.
    entered: dict[str, list[str]]

    def strangers(self, function: str) -> frozenset[str]:
        """The tests that cannot notice what a function does, since they never enter it, nor did it run before them."""
        if function in self.entered.get("", ()) or not any(function in names for names in self.entered.values()):
            return frozenset()
        return frozenset(test for test, names in self.entered.items() if test and function not in names)


class _MutantLoader(SourceFileLoader):
    """Loads one file from a changed tree."""

    def __init__(self, name: str, path: str, tree: ast.Module) -> None:
        super().__init__(name, path)
        self._tree = tree

    def get_code(self, fullname: str) -> Any:
        return compile(self._tree, self.path, "exec")


class _MutantFinder:
    """Finds that one file before any other finder does."""

    def __init__(self, name: str, path: str, tree: ast.Module) -> None:
        self._name, self._path, self._tree = name, path, tree

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name != self._name:
            return None
        return importlib.util.spec_from_file_location(
            name, self._path, loader=_MutantLoader(name, self._path, self._tree)
        )


class _Watch:
    """A pytest plugin: chooses and orders the tests, ends those that take too long, and keeps the name of the first
    that fails."""

    def __init__(self, called: set[str], seconds: dict[str, float] | None) -> None:
        self.killer: str | None = None
        self.took: dict[str, float] = {}
        self._seconds = seconds
        self._called = called

    def pytest_collection_modifyitems(self, config: Any, items: list[Any]) -> None:
        seconds = self._seconds
        items[:] = [item for item in items if item.nodeid.split("[")[0] not in self._called and not _in_browser(item)]
        if seconds is not None:
            items[:] = [item for item in items if seconds.get(item.nodeid, 0.0) <= QUICK]
            items.sort(key=lambda item: seconds.get(item.nodeid, QUICK))

    def pytest_runtest_logstart(self, nodeid: str, location: Any) -> None:
        if self._seconds is not None:
            self.killer = f"{nodeid} (too long)"
            direct.patience(_patience(self._seconds.get(nodeid, QUICK)))

    def pytest_runtest_logfinish(self, nodeid: str, location: Any) -> None:
        direct.patience(0)
        if self.killer == f"{nodeid} (too long)":
            self.killer = None

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.took[report.nodeid] = self.took.get(report.nodeid, 0.0) + report.duration
        if report.failed and self._seconds is None:
            self.took[report.nodeid] = FAILS
        elif report.failed:
            self.killer = report.nodeid

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self.killer = f"collecting {report.nodeid}"


def _in_browser(item: Any) -> bool:
    """Whether a test drives a browser, which needs more memory than a child may take."""
    return "browser" in item.fixturenames


def _patience(seconds: float) -> float:
    return PATIENCE + TIMES * seconds


def _prepare() -> None:
    """Hypothesis as the tests are used to it, but for making failures small; and a bound on memory."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    warnings.simplefilter("error")
    warnings.simplefilter("ignore", hypothesis.errors.HypothesisSideeffectWarning)
    hypothesis.settings.register_profile(
        "mutants",
        max_examples=20,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    hypothesis.settings.load_profile("mutants")
    os.environ["HYPOTHESIS_PROFILE"] = "mutants"  # for tests/conftest.py


def _under_pytest(
    files: Sequence[str], called: set[str], seconds: dict[str, float] | None, say: Any
) -> tuple[str | None, dict[str, float]]:
    """The test that fails, and how long each took; without those that were called as functions."""
    watch = _Watch(called, seconds)

    def end_of_patience(*_: Any) -> None:
        say({"killer": watch.killer or "collecting (too long)"})
        os._exit(0)

    for number in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(number, end_of_patience)
    if seconds is not None:
        direct.patience(10 * PATIENCE)
    options = [
        *(["-x"] if seconds is not None else []),
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "--no-header",
        "--tb=line",
        *IMPORTED_ALREADY,
    ]
    options += ["-k", f"not ({' or '.join(LONG_BY_NATURE)})"]
    code = pytest.main([*options, *files], plugins=[watch])
    fine = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED, pytest.ExitCode.TESTS_FAILED)
    if watch.killer is None and code not in fine:
        return f"pytest ended with {code!s}", {}
    return watch.killer, watch.took


def _functions(names: Iterable[str]) -> set[str]:
    return {name.split("[")[0] for name in names}


def _learn(stages: Sequence[Stage], say: Any) -> None:
    """In the child without a mutant: say how long each test takes."""
    _prepare()
    known = Seconds({}, {}, {})
    for stage in stages:
        if stage.pytest:
            called = {name for file in stage.files for name in direct.functions_of(file)}
            killer, took = _under_pytest(stage.files, called, None, say)
            if killer is not None:
                say({"killer": killer})
                return
            known.pytest.update(took)
        elif stage.apart:
            known.entered.update(direct.entered_by(stage))
        else:
            for file in stage.files:
                for case in direct.cases_of(file, LONG_BY_NATURE):
                    took_it = direct.seconds_of(case)
                    known.direct[case.name] = FAILS if took_it is None else took_it
    say({"killer": None, "seconds": known})


def _run_tests(stages: Sequence[Stage], seconds: Seconds, say: Any) -> None:
    """In the child with a mutant: run the tests, and say which killed it."""
    _prepare()
    killer, done = None, set[str]()
    for stage in stages:
        if stage.pytest:
            those = stage.files if not stage.names else [name for name in stage.names if name in seconds.pytest]
            killer, _ = _under_pytest(those, _functions(seconds.direct), seconds.pytest, say) if those else (None, {})
        else:
            killer = direct.killer_among(stage, seconds.direct, QUICK, _patience, done)
        if killer is not None:
            break
    say({"killer": killer})


class Trial:
    """A child process at work on one mutant; with none, on the right file, to learn how long each test takes."""

    def __init__(
        self,
        stages: Sequence[Stage],
        *,
        path: Path | None = None,
        tree: ast.Module | None = None,
        mutant: Mutant | None = None,
        seconds: Seconds | None = None,
    ) -> None:
        self.mutant = mutant
        self._receive, send = os.pipe()
        self.pid = os.fork()
        if self.pid:
            os.close(send)
            return
        try:
            os.close(self._receive)
            silence = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silence, 1)
            os.dup2(silence, 2)

            def say(message: dict[str, Any]) -> None:
                with contextlib.suppress(OSError):
                    os.write(send, json.dumps(message).encode())

            if mutant is not None:
                assert path is not None
                assert tree is not None
                mutant.apply()
                name = ".".join(path.with_suffix("").parts)
                finder: Any = _MutantFinder(name, str(path.resolve()), tree)
                sys.meta_path.insert(0, finder)
            try:
                if mutant is None:
                    _learn(stages, say)
                else:
                    assert seconds is not None
                    importlib.import_module(name)  # before pytest, which imports files that it is given its own way
                    _run_tests(stages, seconds, say)
            except BaseException as error:  # the import of the changed file, say, or no memory
                say({"killer": f"{type(error).__name__}: {error}"})
        finally:
            os._exit(0)

    def outcome(self) -> dict[str, Any]:
        """What the child said, once it has ended."""
        parts = []
        while part := os.read(self._receive, 1 << 16):
            parts.append(part)
        os.close(self._receive)
        text = b"".join(parts)
        return json.loads(text) if text else {"killer": "the process died"}
