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
import re
import resource
import signal
import sys
import warnings
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from typing import Any, NamedTuple

import hypothesis
import mpmath  # noqa: F401 - imported here once, and not in every child
import numpy  # noqa: F401
import pytest

from tests.mutants import direct
from tests.mutants.mutator import Mutant

#: A test that takes longer is left out, to keep trials short; the mutants that it alone would kill survive.
QUICK = 0.15
#: Seconds that a test gets, and a collection: a generous start, and so many times what it takes without a mutant.
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


class Stage(NamedTuple):
    """Test files, and which of their tests: those whose parameters name one of some rows, or all; less some names."""

    files: tuple[str, ...]
    rows: tuple[str, ...] = ()
    #: Names that are left out because they take long by nature, in the way of pytest's ``-k``.
    without: tuple[str, ...] = ()
    #: Whether the tests are called as functions, instead of by pytest.
    direct: bool = False


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

    def __init__(self, rows: Sequence[str], seconds: dict[str, float] | None) -> None:
        self.killer: str | None = None
        self.took: dict[str, float] = {}
        self._seconds = seconds
        self._of_a_row = re.compile(rf"\[(.*-)?({'|'.join(rows)})(-.*)?\]") if rows else None

    def pytest_collection_modifyitems(self, config: Any, items: list[Any]) -> None:
        seconds = self._seconds
        if self._of_a_row is not None:
            items[:] = [item for item in items if "[" not in item.nodeid or self._of_a_row.search(item.nodeid)]
        if seconds is not None:
            items[:] = [item for item in items if seconds.get(item.nodeid, 0.0) <= QUICK]
            items.sort(key=lambda item: seconds.get(item.nodeid, QUICK))

    def pytest_runtest_logstart(self, nodeid: str, location: Any) -> None:
        if self._seconds is not None:
            self.killer = f"{nodeid} (too long)"
            signal.setitimer(signal.ITIMER_REAL, _patience(self._seconds.get(nodeid, QUICK)))

    def pytest_runtest_logfinish(self, nodeid: str, location: Any) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        if self.killer == f"{nodeid} (too long)":
            self.killer = None

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.took[report.nodeid] = self.took.get(report.nodeid, 0.0) + report.duration
        if report.failed:
            self.killer = report.nodeid

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self.killer = f"collecting {report.nodeid}"


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


def _under_pytest(stage: Stage, seconds: dict[str, float] | None, say: Any) -> tuple[str | None, dict[str, float]]:
    """The test that fails, and how long each took."""
    watch = _Watch(stage.rows, seconds)

    def end_of_patience(*_: Any) -> None:
        say({"killer": watch.killer or "collecting (too long)"})
        os._exit(0)

    signal.signal(signal.SIGALRM, end_of_patience)
    if seconds is not None:
        signal.setitimer(signal.ITIMER_REAL, 10 * PATIENCE)
    options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--no-header", "--tb=line", *IMPORTED_ALREADY]
    if stage.without:
        options += ["-k", f"not ({' or '.join(stage.without)})"]
    code = pytest.main([*options, *stage.files], plugins=[watch])
    if watch.killer is None and code != pytest.ExitCode.OK:
        return f"pytest ended with {code!s}", {}
    return watch.killer, watch.took


def _learn(stages: Sequence[Stage], say: Any) -> None:
    """In the child without a mutant: say how long each test takes, or which fails."""
    _prepare()
    known = Seconds({}, {})
    for stage in stages:
        if stage.direct:
            known.direct.update(direct.seconds_of(stage.files))
            continue
        killer, took = _under_pytest(stage, None, say)
        if killer is not None:
            say({"killer": killer})
            return
        known.pytest.update(took)
    say({"killer": None, "seconds": known})


def _run_tests(stages: Sequence[Stage], seconds: Seconds, say: Any) -> None:
    """In the child with a mutant: run the tests, and say which killed it."""
    _prepare()
    for stage in stages:
        if stage.direct:
            killer = direct.killer_among(stage.files, stage.rows, seconds.direct, QUICK, _patience)
        else:
            killer, _ = _under_pytest(stage, seconds.pytest, say)
        if killer is not None:
            say({"killer": killer})
            return
    say({"killer": None})


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
            silence = os.open(os.devnull if mutant else "baseline.log", os.O_WRONLY | os.O_CREAT)
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
