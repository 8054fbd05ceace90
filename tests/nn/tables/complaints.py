"""A file that is right, and what is said of one that is not."""

import pytest

from nn.tables.cells import TableError
from nn.tables.reading import parse_csv
from nn.tables.table import Task

GOOD = "height,width,kind\n1.5,2,a\n3,4,b\n"


def message(text: str | bytes, target: str = "kind", task: Task | None = None) -> str:
    """The message of the error that this file causes; it is one line and names the file first."""
    content = text.encode() if isinstance(text, str) else text
    with pytest.raises(TableError) as caught:
        parse_csv(content, target=target, task=task, source="t.csv")
    complaint = str(caught.value)
    assert len(complaint.splitlines()) == 1
    assert complaint.startswith("t.csv")
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__  # no second traceback above it
    return complaint
