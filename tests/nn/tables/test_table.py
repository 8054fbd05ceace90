"""Tables made by hand: their lengths and targets are checked."""

import pytest

from nn.tables.cells import TableError
from nn.tables.table import Table


def test_tables_made_by_hand_are_checked() -> None:
    rows = ((1.0,), (2.0,))
    with pytest.raises(TableError, match="table: 2 rows but 1 targets"):
        Table(("x",), rows, "y", (0.5,))
    with pytest.raises(TableError, match="table: row 0 has 1 values, not 2"):
        Table(("x", "z"), rows, "y", (0.5, 0.6))
    with pytest.raises(TableError, match="table: the target of row 1 is 2; give an index into the 2 classes"):
        Table(("x",), rows, "y", (0, 2), ("a", "b"))
    with pytest.raises(TableError, match="table: 2 rows but 1 lines"):
        Table(("x",), rows, "y", (0.5, 0.6), lines=(2,))
    with pytest.raises(TableError, match="a table for regression has no classes"):
        _ = Table(("x",), rows, "y", (0.5, 0.6)).labels
