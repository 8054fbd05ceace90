"""What is done whole, whatever interrupts it: the steps of optimizers, and whatever ``autograd`` has for it."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from autograd.interrupts import assign, shielded, uninterrupted

__all__ = ["all_or_nothing", "assign", "shielded", "uninterrupted"]


class all_or_nothing(uninterrupted):
    """A context in which signals wait, and whose error puts back the attributes of an object, and what its lists hold.

    >>> class Counter:
    ...     count, seen = 0, [1]
    >>> counter = Counter()
    >>> counter.count, counter.seen = 1, [2, 3]
    >>> try:
    ...     with all_or_nothing(counter):
    ...         counter.count = 2
    ...         counter.seen[0] = 1 / 0
    ... except ZeroDivisionError:
    ...     print(vars(counter))
    {'count': 1, 'seen': [2, 3]}
    """

    __slots__ = ("_before", "_of")

    def __init__(self, of: Any) -> None:
        super().__init__()
        self._of = vars(of)
        self._before: list[tuple[str, Any, Any]] = []

    def __enter__(self) -> all_or_nothing:
        super().__enter__()
        try:
            self._before = [(name, x, [*x] if isinstance(x, list) else None) for name, x in self._of.items()]
        except BaseException:
            super().__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None:
            for name, x, items in self._before:
                self._of[name] = x
                if items is not None:
                    x[:] = items
        super().__exit__(kind, error, traceback)
