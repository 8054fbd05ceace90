"""Every row of the table of misprints names a test that exists, and says something."""

import ast
from pathlib import Path

import pytest

from tests.seeds.misprints import MISPRINTS, Misprint

HERE = Path(__file__).parent


def _tests_of(path: Path) -> set[str]:
    return {node.name for node in ast.parse(path.read_text("utf-8")).body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("misprint", MISPRINTS, ids=lambda m: f"{m.seed}-{m.place}")
def test_the_test_of_a_misprint_exists(misprint: Misprint) -> None:
    file, _, name = misprint.test.partition("::")
    assert name.startswith("test_")
    assert name in _tests_of(HERE / file)
    assert misprint.printed != misprint.correct


def test_every_source_has_its_rows() -> None:
    assert {misprint.seed for misprint in MISPRINTS} == {"000", "001", "002"}
    assert len(set(MISPRINTS)) == len(MISPRINTS)


def test_every_test_of_what_is_printed_has_its_row() -> None:
    """The last part of each file of tests shows slips one by one; none of them is missing in the table."""
    named = {misprint.test for misprint in MISPRINTS}
    for path in HERE.glob("test_*_network.py"):
        _, _, part = path.read_text("utf-8").partition("\n# What the source prints, and what is right.\n")
        shown = {node.name for node in ast.parse(part).body if isinstance(node, ast.FunctionDef)}
        shown = {f"{path.name}::{name}" for name in shown if name.startswith("test_")}
        assert shown
        assert shown <= named
