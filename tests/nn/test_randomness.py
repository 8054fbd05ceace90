"""Chance: a seed means the same on every Python, and nothing but ``random`` is drawn upon."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn.randomness import permutation, seeded
from nn.tables.preparation import train_test_split
from nn.tables.table import Table


def table_of(counts: list[int]) -> Table:
    """A table with this many rows of each class; the feature is the number of the row."""
    targets = tuple(index for index, count in enumerate(counts) for _ in range(count))
    rows = tuple((float(number),) for number in range(len(targets)))
    classes = tuple(f"c{index}" for index in range(len(counts)))
    return Table(("x",), rows, "kind", targets, classes, "t.csv", tuple(range(2, len(rows) + 2)))


@pytest.mark.parametrize("seed", [None, "0", 0.0, True])
def test_seeds_are_ints(seed: object) -> None:
    with pytest.raises(TypeError, match="seed must be an int; it is"):
        train_test_split(table_of([5, 5]), seed=seed)  # type: ignore[arg-type]


@given(st.integers(0, 40), st.integers())
def test_permutations(count: int, seed: int) -> None:
    order = permutation(count, seeded(seed))
    assert sorted(order) == list(range(count))
    generator = seeded(seed)
    assert order == [i for _, i in sorted((generator.random(), i) for i in range(count))]


def test_only_random_is_drawn_upon() -> None:
    class Strict(random.Random):
        def getrandbits(self, k: int, /) -> int:
            raise AssertionError("a stream that is not promised")

    assert permutation(9, Strict(3)) == permutation(9, random.Random(3))
