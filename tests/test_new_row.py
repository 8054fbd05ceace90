"""A primitive is one row: a row put into a copy of the table goes through every number system and every back end."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import autograd
from tests.number_systems.test_mathml import KNOWN, read

ROOT = Path(autograd.__file__).parents[1]

#: The Gudermann function, which the table does not have.
ROW = """
    Primitive(
        "gudermann",
        (lambda m, z, x: 2 * m.exp(-m.abs(x)) / (1 + m.exp(-2 * m.abs(x))),),
        "atan(sinh(x))",
        ((1.0,), 0.865769),
        formula=lambda m, x: m.atan(m.sinh(x)),
        stable=lambda m, x: 2 * m.atan(m.tanh(x / 2)),
    ),
"""

#: The sum of squares, of any number of arguments.
ROW_OF_MANY = """
    Primitive(
        "squares",
        lambda m, z, xs: [2 * x for x in xs],
        "x₁² + … + xₙ²",
        arguments=("xs",),
        formula=lambda m, xs: rules.added([m.square(x) for x in xs]),
    ),
"""

WALK = """
import math
import mpmath, numpy as np, sympy
import autograd
from autograd import Value, check_grads, compile, derive, draw, evaluate, step_through
from autograd.number_systems import SYSTEMS, system_of
from autograd.pictures.mathematics.algebra import symbol

assert autograd.__file__.startswith({folder!r})
value, slope = 2 * math.atan(math.tanh(0.35)), 1 / math.cosh(0.7)

def close(a, b):
    assert math.isclose(a, b, rel_tol=1e-14), (a, b)

# the function, the method, the documentation
x = Value(0.7, "x")
y = autograd.gudermann(x)
close(y.data, value)
close(x.gudermann().data, value)
close(autograd.gudermann(800.0), math.pi / 2)
assert "tan(sinh(x))" in autograd.gudermann.__doc__ and "gudermann" in autograd.__all__
y.backward()
close(x.grad, slope)
close(autograd.grad(autograd.grad(autograd.gudermann))(0.7), -slope * math.tanh(0.7))
assert check_grads(autograd.gudermann, 0.7, order=2).ok

# every number system
for name in SYSTEMS:
    try:
        found, gradient = evaluate(y, name, wrt=x)
    except NotImplementedError as error:
        assert name == "fractions" and "its formula needs" in str(error), (name, error)
        continue
    if name == "intervals":
        assert value in found and slope in gradient and found.width < 1e-15
        assert evaluate(y, "intervals", at={{x: (0.5, 1.0)}}).high < 0.8658
    else:
        close(complex(system_of(name).plain(found)).real, value)
        close(complex(system_of(name).plain(gradient)).real, slope)
with mpmath.workdps(40):
    assert abs(evaluate(y, "mpmath", digits=40) - mpmath.atan(mpmath.sinh(mpmath.mpf(0.7)))) < mpmath.mpf(10) ** -39

# every back end
xs = np.linspace(-3.0, 3.0, 50)
for backend in ("numpy", "interpreter", "machine"):
    values, gradients = compile(lambda x: autograd.gudermann(x), wrt=0, reduce=None, backend=backend).value_and_grad(xs)
    np.testing.assert_allclose(values, 2 * np.arctan(np.tanh(xs / 2)), rtol=1e-14)
    np.testing.assert_allclose(np.ravel(gradients), 1 / np.cosh(xs), rtol=1e-14)

# pictures
assert "gudermann" in draw(y).source
derivation = derive(y, x)
assert "gudermann" in str(derivation)
close(derivation.value, slope)
close(float(sympy.N(derivation.expression.subs(symbol("x"), sympy.Float(0.7)))), slope)
assert "gudermann" in step_through(y)._repr_html_()
print("walked")
"""

WALK_OF_MANY = """
import mpmath, numpy as np
import autograd
from autograd import Value, check_grads, compile, derive, draw, evaluate, step_through
from autograd.number_systems import SYSTEMS, system_of

assert autograd.__file__.startswith({folder!r})
xs = [Value(0.5, "x0"), Value(-3.0, "x1"), Value(2.0, "x2")]
y = autograd.squares(xs)
assert y.data == autograd.squares([0.5, -3.0, 2.0]) == 13.25
assert "squares" in autograd.__all__ and "xₙ²" in autograd.squares.__doc__
y.backward()
assert [x.grad for x in xs] == [1.0, -6.0, 4.0]
assert autograd.hessian(autograd.squares)([0.5, -3.0]) == [[2.0, 0.0], [0.0, 2.0]]
assert check_grads(autograd.squares, [0.5, -3.0], order=2).ok
for name in SYSTEMS:
    found, gradient = evaluate(y, name, wrt=xs)
    if name == "intervals":
        assert 13.25 in found and -6.0 in gradient[1]
    else:
        m = system_of(name)
        assert [complex(m.plain(x)) for x in (found, *gradient)] == [13.25, 1.0, -6.0, 4.0]
columns = np.random.default_rng(0).uniform(-3.0, 3.0, (3, 50))
for backend in ("numpy", "interpreter", "machine"):
    step = compile(lambda *xs: autograd.squares(xs), wrt=(0, 1, 2), reduce=None, backend=backend)
    values, gradients = step.value_and_grad(*columns)
    np.testing.assert_allclose(values, (columns**2).sum(axis=0), rtol=1e-14)
    np.testing.assert_allclose(gradients, 2 * columns, rtol=1e-14)
assert "squares" in draw(y).source
assert derive(y, xs[1]).value == -6.0
assert "squares" in step_through(y)._repr_html_()
print("walked")
"""

WRITTEN = """
import json
from autograd import TABLE
from autograd.number_systems import javascript, mathml

row = TABLE["gudermann"]
kernel = javascript.kernel(row, 1)
print(json.dumps([javascript.module([kernel]), kernel, *mathml.formulas(row, 1)]))
"""


WRITTEN_OF_MANY = """
import json
from autograd import TABLE
from autograd.number_systems import javascript

kernel = javascript.kernel(TABLE["squares"], 3)
print(json.dumps([javascript.module([kernel]), kernel]))
"""


class Written(NamedTuple):
    """What is written of the row in other languages: JavaScript, and MathML of the value and of its partials."""

    functions: str
    kernel: str
    value: str
    partials: list[str]


def gudermann(x: float) -> float:
    return 2 * math.atan(math.tanh(x / 2))


#: Where the slope, 1 / cosh x, is large and where it is small.
POINTS = (-30.0, -2.5, -0.5, 0.0, 0.7, 3.0)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with one row more, and what ``make tables`` writes."""
    folder = tmp_path_factory.mktemp("house")
    shutil.copytree(ROOT / "autograd", folder / "autograd", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "docs").mkdir()
    table = folder / "autograd" / "primitives.py"
    text = table.read_text("utf-8")
    before = "    # of many numbers\n"
    assert text.count(before) == 1
    table.write_text(text.replace(before, ROW.lstrip("\n") + before + ROW_OF_MANY.lstrip("\n")), "utf-8")
    written = run(folder, "-m", "autograd.reference")
    assert "written anew: autograd/__init__.py" in written
    return folder


def run(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_one_row_goes_everywhere(house: Path) -> None:
    pytest.importorskip("llvmlite")
    (house / "walk.py").write_text(WALK.format(folder=str(house)), "utf-8")
    assert run(house, "walk.py") == "walked\n"


def test_one_row_of_many_numbers_goes_everywhere(house: Path) -> None:
    pytest.importorskip("llvmlite")
    (house / "walk_of_many.py").write_text(WALK_OF_MANY.format(folder=str(house)), "utf-8")
    assert run(house, "walk_of_many.py") == "walked\n"


def test_nothing_but_the_row_was_written_by_hand(house: Path) -> None:
    """What differs from the package itself is the table, and what is written from it."""
    ours = {path.relative_to(ROOT): path.read_bytes() for path in (ROOT / "autograd").rglob("*.py")}
    theirs = {path.relative_to(house): path.read_bytes() for path in (house / "autograd").rglob("*.py")}
    changed = {str(name) for name in ours | theirs if ours.get(name) != theirs.get(name)}
    assert changed == {
        "autograd/primitives.py",
        "autograd/__init__.py",
        "autograd/primitive_functions.py",
        "autograd/number_systems/methods.py",
    }


@pytest.fixture(scope="module")
def written(house: Path) -> Written:
    return Written(*json.loads(run(house, "-c", WRITTEN)))


def test_the_javascript_of_many_numbers_computes_the_same(house: Path, browser: Any) -> None:
    functions, kernel = json.loads(run(house, "-c", WRITTEN_OF_MANY))
    page = browser.new_page()
    call = (
        f"() => {{ {functions}; const k = {kernel}; return [k.value(0.5, -3, 2), ...k.partials(13.25, 0.5, -3, 2)]; }}"
    )
    assert page.evaluate(call) == [13.25, 1.0, -6.0, 4.0]
    page.close()


def test_its_mathematics_reads_as_it_computes(written: Written) -> None:
    for x in POINTS:
        z = gudermann(x)
        known = {**KNOWN, "gudermann": gudermann, "x0": x, "z": z}
        assert eval(read(written.value), known) == z
        slopes = [eval(read(partial), known) for partial in written.partials]
        assert slopes == pytest.approx([1 / math.cosh(x)], rel=1e-14, abs=0)


def test_its_javascript_computes_the_same(written: Written, browser: Any) -> None:
    page = browser.new_page()
    found = page.evaluate(
        f"""(xs) => {{
            {written.functions}
            const kernel = {written.kernel};
            return xs.map((x) => [kernel.value(x), ...kernel.partials(kernel.value(x), x)]);
        }}""",
        POINTS,
    )
    page.close()
    for x, numbers in zip(POINTS, found, strict=True):
        assert numbers == pytest.approx([gudermann(x), 1 / math.cosh(x)], rel=1e-14, abs=0)
