"""The contract of number systems: each has every primitive, or lacks it for a reason that it states."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import autograd
from autograd import TABLE, Value, evaluate
from autograd.number_systems import SYSTEMS, complex_, floats, javascript, mathml, source, system_of
from autograd.number_systems.llvm import emitter, kernels
from autograd.testing.regions import in_domain
from tests import checks
from tests.rows import special_points


def modules() -> dict[str, Any]:
    """Every number system under its name; those of text are what a writer shows to the rules."""
    found: dict[str, Any] = {name: system_of(name) for name in SYSTEMS}
    for text in (source, javascript, mathml):
        found[text.NAME] = SimpleNamespace(
            **{
                **vars(text.Writer().m),
                "LACKS": text.LACKS,
                "computing": text.computing,
                "plain": str,
                "__name__": text.__name__,
            }
        )
    instructions = vars(emitter.Emitter(4, kernels.call).m)
    found[emitter.NAME] = SimpleNamespace(
        **instructions, LACKS=emitter.LACKS, computing=emitter.computing, plain=str, __name__=emitter.__name__
    )
    return found


def breaches(system: Any) -> list[str]:
    """What a number system owes: the names it has neither got nor excused, and excuses without a reason."""
    found = [
        f"{name} is missing" for name in TABLE if not callable(getattr(system, name, None)) and name not in system.LACKS
    ]
    found += [f"{name} is lacked without a reason" for name, reason in system.LACKS.items() if len(reason) < 10]
    found += [f"{name} is excused but no primitive" for name in system.LACKS if name not in TABLE]
    found += [f"{name} is excused but there" for name in system.LACKS if hasattr(system, name)]
    found += [f"{name} is missing" for name in ("NAME", "LANES", "LACKS", "pi") if not hasattr(system, name)]
    found += [
        f"{name} is missing" for name in ("number", "plain", "computing") if not callable(getattr(system, name, None))
    ]
    return found


@pytest.mark.parametrize("name", modules())
def test_every_system_has_every_primitive_or_says_why_not(name: str) -> None:
    system = modules()[name]
    assert breaches(system) == []
    assert name == system.NAME


def copy_of(system: ModuleType, **changes: Any) -> Any:
    """The system with other names; ``None`` takes a name away."""
    names = {**vars(system), **changes}
    return SimpleNamespace(**{name: value for name, value in names.items() if value is not None})


def test_a_missing_primitive_is_noticed() -> None:
    assert breaches(copy_of(floats)) == []
    assert breaches(copy_of(floats, tanh=None)) == ["tanh is missing"]
    assert breaches(copy_of(complex_, LACKS={})) == [f"{name} is missing" for name in TABLE if name in complex_.LACKS]


def test_an_excuse_is_checked_too() -> None:
    assert breaches(copy_of(floats, tanh=None, LACKS={"tanh": ""})) == ["tanh is lacked without a reason"]
    why = "no such function is known"
    assert breaches(copy_of(floats, LACKS={"tanh": why})) == ["tanh is excused but there"]
    assert breaches(copy_of(floats, LACKS={"tanhh": why})) == ["tanhh is excused but no primitive"]


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_lacking_primitive_is_refused_with_the_reason(name: str) -> None:
    for lacking, reason in system_of(name).LACKS.items():
        row = TABLE[lacking]
        point = next(special_points(row, lambda xs, row=row: in_domain(row, xs)))
        graph = checks.record(row, checks.leaves_of(row, point))
        with pytest.raises(NotImplementedError, match=rf"{name} has no {lacking}: ") as refused:
            evaluate(graph, name)
        assert reason in str(refused.value)


@pytest.mark.parametrize("name", SYSTEMS)
def test_number_and_plain_are_inverse(name: str) -> None:
    system: Any = system_of(name)
    with system.computing():
        for x in (-2.5, 0.0, 1.0, 3.0):
            assert float(system.plain(system.number(x))) == x


def test_an_unknown_system_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'decimals'.*" + ", ".join(SYSTEMS)):
        system_of("decimals")


def test_a_module_is_a_system_too() -> None:
    assert system_of(floats) is floats
    assert evaluate(Value(2.0) * 3.0, floats) == 6.0


def test_systems_are_loaded_when_they_are_asked_for() -> None:
    """``import autograd`` computes in floats and Values; the standard library's fractions alone take a third of it."""
    program = """
import sys
sys.path.insert(0, sys.argv[1])
import autograd
from autograd.number_systems import SYSTEMS
print([name for name, module in SYSTEMS.items() if module in sys.modules], "fractions" in sys.modules)
"""
    root = str(Path(autograd.__file__).resolve().parent.parent)
    report = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, root], capture_output=True, text=True, check=True, timeout=60
    )
    assert report.stdout.strip() == "['floats'] False"
