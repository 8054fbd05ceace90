"""``gradtest`` as a user has it: collected by pytest and unittest, shrunk, and printed as code that fails again."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, example, settings
from hypothesis import strategies as st
from hypothesis.errors import FailedHealthCheck, InvalidArgument

import autograd
from autograd import GradientMismatch
from autograd.testing import expressions, gradtest, mlps, reals

ROOT = Path(autograd.__file__).parents[1]

#: What a user might write: right and wrong primitives, a method, a list, a formula, a factory.
USERS_FILE = '''
import autograd
from hypothesis import example, settings, strategies as st
from autograd.testing import expressions, gradtest, mlps, reals


@autograd.primitive(partials=[lambda m, z, x: 3 * x * x])
def cube(m, x):
    return x * x * x


@autograd.primitive(partials=[lambda m, z, x: 3 * x * x * 1.01])
def wrong_cube(m, x):
    return x * x * x


@gradtest(x=reals(-3, 3), y=reals(min_value=0.1))
def test_right(x, y):
    """A quotient."""
    return cube(x) / y


@gradtest(x=reals(-3, 3), y=reals(min_value=0.1))
def test_wrong(x, y):
    return autograd.sin(y) + wrong_cube(x)


@gradtest(y=reals(-2, 2), f=expressions(primitives=["sin", "mul", wrong_cube], inputs=2), x=reals(-2, 2))
def test_wrong_formula(f, x, y):
    return f(x, y)


@gradtest(f=mlps(inputs=1, activations=[wrong_cube], max_layers=1), x=reals(-1, 1))
def test_wrong_network(f, x):
    return f(x)


@gradtest(xs=st.lists(reals(-2, 2), min_size=1, max_size=3), n=st.integers(1, 3))
def test_wrong_list(xs, n):
    return autograd.sum([wrong_cube(x) for x in xs]) * n


class TestMethods:
    @gradtest(x=reals(primitive="log"))
    def test_right(self, x):
        return autograd.log(x)

    @gradtest(x=reals(primitive="log"), order=2)
    def test_wrong(self, x):
        return wrong_cube(x)


def half(x, y):
    return x * y / 2


def slopes_of_half(x, y):
    return y / 2, x / 1.99


test_wrong_derivative = gradtest(x=reals(-3, 3), y=reals(-3, 3), grad=slopes_of_half, rtol=1e-6)(half)
test_right_lambda = gradtest(x=reals(-3, 3))(lambda x: x * x)
'''

WRONG = ["test_wrong", "test_wrong_formula", "test_wrong_network", "test_wrong_list", "TestMethods.test_wrong"]
WRONG.append("test_wrong_derivative")
RIGHT = ["test_right", "TestMethods.test_right", "test_right_lambda"]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "examples")}
    environment.pop("PYTEST_ADDOPTS", None)
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.fixture(scope="module")
def users_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("users")
    (folder / "test_users.py").write_text(USERS_FILE)
    (folder / "conftest.py").write_text(
        "from hypothesis import settings\n"
        "settings.register_profile('same', derandomize=True, max_examples=15, deadline=None)\n"
        "settings.load_profile('same')\n"
    )
    return folder


@pytest.fixture(scope="module")
def report(users_folder: Path) -> str:
    return run(users_folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rpf", "test_users.py").stdout


def test_pytest_collects_by_name_and_only_wrong_derivatives_fail(report: str) -> None:
    for name in RIGHT:
        assert f"PASSED test_users.py::{name.replace('.', '::')}\n" in report
    for name in WRONG:
        assert f"FAILED test_users.py::{name.replace('.', '::')} - " in report
    assert f"{len(WRONG)} failed, {len(RIGHT)} passed in " in report


def test_the_failure_tells_report_and_code(report: str) -> None:
    assert "∂wrong_cube/∂x is 3.03" in report
    expected = """
E       import autograd
E       from test_users import test_wrong  # test_users.py
E   \nE       autograd.assert_grads(test_wrong.function, 1.0, 1.0)
"""
    assert expected in report
    expected = """
E       import autograd
E       from test_users import test_wrong_formula  # test_users.py
E       from test_users import wrong_cube
E   \nE       def f(x, y):
E           a = wrong_cube(x)
E           return a
E   \nE       autograd.assert_grads(lambda y, x: test_wrong_formula.function(f=f, x=x, y=y), 0.0, 1.0)
"""
    assert expected in report
    assert "autograd.assert_grads(lambda xs: test_wrong_list.function(xs=xs, n=1), [1.0])" in report
    assert (
        "autograd.assert_grads(lambda x: TestMethods.test_wrong.function(self=TestMethods(), x=x), 1.0, order=2)"
        in report
    )
    assert "autograd.assert_grads(half, 1.0, 0.0, grad=slopes_of_half, rtol=1e-06)" in report


def test_the_printed_code_fails_in_the_same_way(users_folder: Path, report: str) -> None:
    """Each is cut from the report as a user would, pasted into a file in the folder, and run."""
    lines = report.splitlines()
    starts = [i for i, line in enumerate(lines) if line.startswith("E   To see this again, run:")]
    assert len(starts) == len(WRONG)
    snippets = []
    for i in starts:
        code = [line.removeprefix("E").removeprefix("       ") for line in lines[i + 2 : i + 40]]
        end = next(k for k, line in enumerate(code) if line.startswith("autograd.assert_grads"))
        snippets.append("\n".join(code[: end + 1]))
    for number, snippet in enumerate(snippets):
        (users_folder / f"pasted_{number}.py").write_text(snippet)
    (users_folder / "run_all.py").write_text(
        "import runpy\n"
        f"for number in range({len(snippets)}):\n"
        "    try:\n"
        "        runpy.run_path(f'pasted_{number}.py')\n"
        "    except AssertionError as error:\n"
        "        print(error)\n"
    )
    reports = run(users_folder, "run_all.py").stdout
    for name in ("test_wrong", "half", "<lambda>"):
        assert f"{name}: 1 of " in reports
    # Of a neuron whose weight has shrunk to zero, the partial alone is wrong.
    assert reports.count(" fail (1 mismatch") + reports.count("; yet 1 partial is wrong on the way") == len(WRONG)


def test_unittest_runs_it_too(tmp_path: Path) -> None:
    (tmp_path / "test_case.py").write_text(
        "import unittest\n"
        "from autograd.testing import gradtest, reals\n"
        "class Case(unittest.TestCase):\n"
        "    @gradtest(x=reals(-3, 3))\n"
        "    def test_right(self, x):\n"
        "        return x * x\n"
        "    @gradtest(x=reals(-3, 3), grad=lambda x: 2.1 * x)\n"
        "    def test_wrong(self, x):\n"
        "        return x * x\n"
        "if __name__ == '__main__':\n"
        "    unittest.main()\n"
    )
    outcome = run(tmp_path, "test_case.py")
    assert "Ran 2 tests" in outcome.stderr
    assert "FAILED (failures=1)" in outcome.stderr
    assert "from test_case import Case  # test_case.py" in outcome.stderr
    call = "autograd.assert_grads(lambda x: Case.test_wrong.function(self=Case(), x=x), 1.0, grad=Case.test_wrong.grad)"
    assert call in outcome.stderr
    (tmp_path / "pasted.py").write_text(f"import autograd\nfrom test_case import Case\n{call}\n")
    assert "GradientMismatch" in run(tmp_path, "pasted.py").stderr


def test_name_and_documentation_stay() -> None:
    @gradtest(x=reals())
    def test_square(x: Any) -> Any:
        """A parabola."""
        return x * x

    assert test_square.__name__ == "test_square"
    assert test_square.__doc__ == "A parabola."
    assert test_square.function(3.0) == 9.0  # type: ignore[attr-defined]


def counted(calls: list[float]) -> Any:
    def f(x: Any) -> Any:
        calls.append(getattr(x, "data", x))
        return x * x

    return f


def test_settings_and_examples_work_above_and_below() -> None:
    for decorate in (
        lambda f: settings(max_examples=1, phases=[Phase.explicit])(example(x=0.625)(gradtest(x=reals())(f))),
        lambda f: gradtest(x=reals())(settings(max_examples=1, phases=[Phase.explicit])(example(x=0.625)(f))),
        lambda f: settings(max_examples=1, phases=[Phase.explicit])(gradtest(x=reals())(example(x=0.625)(f))),
    ):
        calls: list[float] = []
        decorate(counted(calls))()
        assert 0.625 in calls
        assert max(abs(x - 0.625) for x in calls) < 0.5


def test_fewer_examples_can_be_asked_for() -> None:
    few, many = [], []
    settings(max_examples=2)(gradtest(x=reals())(counted(few)))()
    gradtest(x=reals())(settings(max_examples=50)(counted(many)))()
    assert 0 < len(few) < len(many)


def test_the_same_points_on_every_run() -> None:
    """Under the profile of these tests, which is derandomized."""
    first, second = [], []
    for calls in (first, second):
        gradtest(x=reals())(counted(calls))()
    assert first == second


def test_a_kink_is_no_failure_and_a_wrong_slope_beside_it_is() -> None:
    gradtest(x=reals(-1, 1))(example(x=0.0)(lambda x: autograd.relu(x) + autograd.abs(x)))()
    several = example(x=0.0)(lambda x: autograd.relu(x) - autograd.relu(-x))
    gradtest(x=reals(-1, 1))(several)()
    with pytest.raises(GradientMismatch):
        gradtest(x=reals(-1, 1), allow=())(several)()
    with pytest.raises(GradientMismatch):
        gradtest(x=reals(-1, 1), grad=lambda x: 1.5)(lambda x: autograd.relu(x))()


@pytest.mark.parametrize("order", [1, 2, 3])
def test_orders(order: int) -> None:
    gradtest(x=reals(-2, 2), order=order)(settings(max_examples=5)(lambda x: autograd.sin(x) * x))()


@gradtest(f=expressions(), x=reals(-2, 2), y=reals(-2, 2), z=reals(-2, 2))
def test_formulas_of_the_engine(f: Any, x: Any, y: Any, z: Any) -> Any:
    return f(*(x, y, z)[: len(f.names)])


@gradtest(f=mlps(inputs=2), xs=st.tuples(reals(-2, 2), reals(-2, 2)))
def test_networks_of_the_engine(f: Any, xs: Any) -> Any:
    return f(*xs)


def test_a_local_function_is_printed_with_its_source() -> None:
    @gradtest(x=reals(-3, 3), n=st.just(2), grad=lambda x, n: 0 * x)
    def test_power(x: Any, n: int) -> Any:
        return x**n

    with pytest.raises(GradientMismatch) as failure:
        test_power()
    text = str(failure.value)
    assert "def test_power(x: Any, n: int) -> Any:\n        return x ** n" in text
    assert "autograd.assert_grads(lambda x: test_power(x=x, n=2), 1.0" in text
    assert failure.value.report.entries[0].verdict == "mismatch"


def test_a_test_that_can_tell_nothing_is_not_passed() -> None:
    noise = iter(range(10**9))
    with pytest.raises(FailedHealthCheck, match="filtering out"):
        gradtest(x=reals(1, 2))(lambda x: x * 1e-300 + next(noise) % 7)()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: gradtest(), "a strategy for each argument"),
        (lambda: gradtest(x=3.0), "x=3.0 must be a strategy"),  # type: ignore[arg-type]
        (lambda: gradtest(x=reals(), order=4), "order=4"),
        (lambda: gradtest(x=reals(), order=reals()), "called order must take another name"),  # type: ignore[arg-type]
        (lambda: gradtest(grad=reals()), "called grad must take another name"),  # type: ignore[arg-type]
        (lambda: gradtest(x=reals(), grad=3.0), "grad=3.0"),  # type: ignore[arg-type]
        (lambda: gradtest(x=reals())(3.0), "a test of a function"),  # type: ignore[arg-type]
        (lambda: gradtest(x=reals())(ValueError), "a test of a function"),
        (lambda: gradtest(n=st.integers())(lambda n: n)(), "nothing to differentiate"),
        (lambda: gradtest(y=reals())(lambda x: x)(), "unexpected keyword argument 'y'"),
    ],
)
def test_bad_arguments(make: Any, words: str) -> None:
    with pytest.raises(InvalidArgument, match=words):
        make()


def test_neither_a_plugin_of_pytest_nor_an_entry_point_of_hypothesis_is_installed() -> None:
    groups = {entry.group for entry in metadata.distribution("valuegrad").entry_points}
    assert groups <= {"console_scripts"}


def test_that_test_could_fail() -> None:
    groups = {entry.group for entry in metadata.distribution("pytest").entry_points}
    groups |= {entry.group for entry in metadata.distribution("hypothesis").entry_points}
    assert "pytest11" in groups


def test_hypothesis_is_imported_by_autograd_testing_alone() -> None:
    code = "import sys, autograd; sys.exit('hypothesis' in sys.modules or 'autograd.testing' in sys.modules)"
    assert run(ROOT, "-c", code).returncode == 0
    code = "import sys, autograd.testing; sys.exit('hypothesis' in sys.modules)"
    assert run(ROOT, "-c", code).returncode == 1


def test_without_hypothesis_the_extra_is_named() -> None:
    code = "import sys; sys.modules['hypothesis'] = None; import autograd.testing"
    error = run(ROOT, "-c", code).stderr
    assert "ModuleNotFoundError: autograd.testing needs Hypothesis, which is not installed" in error
    assert "pip install 'valuegrad[testing]'" in error


@pytest.mark.parametrize("order", [1, 2, 3])
def test_functions_whose_derivatives_are_zero_are_checked_at_every_point(order: int) -> None:
    points = []

    @settings(max_examples=30, database=None)
    @gradtest(order=order, x=reals(-3, 3))
    def test_linear(x: Any) -> Any:
        return 3 * x

    @settings(max_examples=30, database=None)
    @gradtest(order=order, x=reals(-3, -0.5))
    def test_dead(x: Any) -> Any:
        points.append(x)
        return autograd.relu(x)

    test_linear()
    test_dead()
    assert len(points) >= 30


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(
    ("f", "x"),
    [
        (autograd.exp, reals(-900, -750)),
        (autograd.exp, reals(-900, -690)),
        (autograd.sech2, reals(400, 900)),
        (autograd.sigmoid, reals(-900, -750)),
        (autograd.softplus, reals(-900, -750)),
        (autograd.mish, reals(-900, -750)),
        (autograd.erfc, reals(30, 100)),
    ],
)
def test_where_all_derivatives_are_below_all_floats_points_are_kept(f: Any, x: Any, order: int) -> None:
    @settings(max_examples=30, database=None)
    @gradtest(order=order, x=x)
    def test_vanished(x: Any) -> Any:
        return f(x)

    test_vanished()

    @settings(max_examples=30, database=None, phases=[Phase.generate])  # nobody reads the shortest of them
    @gradtest(x=x, grad=lambda x: 1e-9)
    def test_wrong(x: Any) -> Any:
        return f(x)

    with pytest.raises(GradientMismatch):
        test_wrong()


@pytest.mark.parametrize("claimed", [1.0, -0.5, 1e-3])
@pytest.mark.parametrize(
    "f", [autograd.relu, autograd.floor, lambda x: autograd.maximum(x, 5.0), lambda x: autograd.clip(x, 0.0, 3.0)]
)
def test_a_slope_claimed_where_a_function_is_flat_fails(f: Any, claimed: float) -> None:
    @gradtest(x=reals(-3, -0.1), grad=lambda x: claimed)
    def test_flat(x: Any) -> Any:
        return f(x)

    with pytest.raises(GradientMismatch):
        test_flat()
