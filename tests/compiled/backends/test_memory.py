"""Arrays for results: each lies where it is said to, and long ones lie apart."""

from __future__ import annotations

import pytest

from autograd.compiled.backends.memory import SHORT, address, arrays_of


@pytest.mark.parametrize("size", [0, 1, 3, SHORT, SHORT + 1])
@pytest.mark.parametrize("count", [0, 1, 5])
def test_each_array_has_its_address(count: int, size: int) -> None:
    found, addresses = arrays_of(count, size)
    assert [array.shape for array in found] == [(size,)] * count
    assert [*addresses] == [address(array) for array in found]
    for i, array in enumerate(found):
        array[:] = i
    assert [array.tolist() for array in found] == [[i] * size for i in range(count)]
    assert all((array.base is None) == (not 0 < size <= SHORT) for array in found)
