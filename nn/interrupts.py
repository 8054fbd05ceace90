"""What is done whole, whatever interrupts it: the steps of optimizers, and whatever ``autograd`` has for it."""

from __future__ import annotations

import gc
from types import TracebackType
from typing import Any

from autograd.interrupts import assign, shielded, uninterrupted

__all__ = ["all_or_nothing", "assign", "shielded", "uninterrupted"]


class all_or_nothing(uninterrupted):
    """A context in which signals wait, and whose error puts back some attributes of an object, and what its lists hold.

    >>> class Counter:
    ...     def __init__(self):
    ...         self.count, self.seen = 1, [2, 3]
    >>> counter = Counter()
    >>> try:
    ...     with all_or_nothing(counter, "count"):
    ...         counter.count = 2
    ...         counter.seen[0] = 1 / 0
    ... except ZeroDivisionError:
    ...     print(counter.count, counter.seen)
    1 [2, 3]
    """

    __slots__ = ("_attributes", "_lists", "_names", "_of")

    def __init__(self, of: Any, *names: str) -> None:
        super().__init__()
        self._of, self._names = of, names
        self._attributes: list[Any] = []
        self._lists: list[tuple[list[Any], list[Any]]] = []

    def __enter__(self) -> all_or_nothing:
        super().__enter__()
        try:
            self._attributes = [getattr(self._of, name) for name in self._names]
            # Once ``vars`` was asked, attributes take longer: a step of SGD a third (measured).
            held = gc.get_referents(self._of)
            held += [x for part in held if type(part) is dict for x in part.values()]
            self._lists = [(x, [*x]) for x in held if type(x) is list]
        except BaseException:
            super().__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None:
            for name, x in zip(self._names, self._attributes, strict=True):
                setattr(self._of, name, x)
            for x, items in self._lists:
                x[:] = items
        super().__exit__(kind, error, traceback)
