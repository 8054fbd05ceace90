"""``Table``: rows of finite numbers with a target each, and the columns of a file that they were made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Self

from nn.tables.cells import fail

Task = Literal["classification", "regression"]


class Column(NamedTuple):
    """A column of a file that features are made of: one feature of numbers, or one per category, 1.0 where it is.

    >>> Column("size").feature_names, Column("colour", ("blue", "red")).feature_names
    (('size',), ('colour=blue', 'colour=red'))
    """

    name: str
    categories: tuple[str, ...] | None = None

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the features that are made of it."""
        return (self.name,) if self.categories is None else tuple(f"{self.name}={text}" for text in self.categories)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of finite floats with one target each.

    ``rows[i][j]`` belongs to ``feature_names[j]``. When classifying, ``targets[i]`` is an index into ``classes``; in
    regression it is a float and ``classes`` is None. ``lines[i]``, if known, is the line of row i in the file
    ``source``; neither counts when tables are compared. ``columns`` are those of the file, in order; every
    feature is a column of its own unless told.

    >>> table = Table(("x",), ((1.0,), (2.0,)), "kind", (0, 1), ("a", "b"))
    >>> len(table), table.labels
    (2, ('a', 'b'))

    Raises:
        TableError: the lengths disagree, or a target is not an index into the classes.
    """

    feature_names: tuple[str, ...]
    rows: tuple[tuple[float, ...], ...]
    target_name: str
    targets: tuple[int, ...] | tuple[float, ...]
    classes: tuple[str, ...] | None = None
    source: str = field(default="table", compare=False)
    lines: tuple[int, ...] = field(default=(), compare=False, repr=False)
    columns: tuple[Column, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if not self.columns:
            object.__setattr__(self, "columns", tuple(map(Column, self.feature_names)))
        count, width = len(self.rows), len(self.feature_names)
        if len(self.targets) != count:
            fail(self.source, f"{count} rows but {len(self.targets)} targets", "give one target per row")
        if self.lines and len(self.lines) != count:
            fail(self.source, f"{count} rows but {len(self.lines)} lines", "give one per row, or none")
        for number, row in enumerate(self.rows):
            if len(row) != width:
                fail(self.source, f"row {number} has {len(row)} values, not {width}", "give one per feature")
        if self.classes is not None:
            for number, target in enumerate(self.targets):
                if not (isinstance(target, int) and 0 <= target < len(self.classes)):
                    what = f"the target of row {number} is {target!r}"
                    fail(self.source, what, f"give an index into the {len(self.classes)} classes")

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def task(self) -> Task:
        """What there is to learn: "classification" if the table has classes, else "regression"."""
        return "regression" if self.classes is None else "classification"

    @property
    def class_indices(self) -> tuple[int, ...]:
        """The targets, as indices into ``classes``.

        Raises:
            TableError: the table has no classes.
        """
        if self.classes is None:
            fail(self.source, "a table for regression has no classes", "use its targets")
        return tuple(int(target) for target in self.targets)

    @property
    def labels(self) -> tuple[str, ...]:
        """The class name of every row.

        Raises:
            TableError: the table has no classes.
        """
        names = self.classes or ()
        return tuple(names[index] for index in self.class_indices)

    def select(self, indices: Iterable[int]) -> Self:
        """The table of the given rows, in the given order, with the same classes.

        >>> Table(("x",), ((1.0,), (2.0,)), "y", (0.5, 0.7)).select([1]).rows
        ((2.0,),)
        """
        chosen = tuple(indices)
        return type(self)(
            self.feature_names,
            tuple(self.rows[i] for i in chosen),
            self.target_name,
            tuple(self.targets[i] for i in chosen),
            self.classes,
            self.source,
            tuple(self.lines[i] for i in chosen) if self.lines else (),
            self.columns,
        )
