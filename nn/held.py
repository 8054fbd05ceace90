"""The Values that an object holds: in its attributes, in lists, tuples and dicts, and in objects of its kind inside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd import Value


def values_in(holder: Any, kind: type, paths: list[str] | None = None) -> list[Value]:
    """Every Value once, in the order in which it is held; a list that is given gets their paths.

    >>> paths = []
    >>> [value.data for value in values_in({"w": [Value(1.0), 2.0, Value(3.0)]}, dict, paths)], paths
    ([1.0, 3.0], ["['w'][0]", "['w'][2]"])

    Args:
        kind: of the objects whose attributes are looked into.
    """
    found: list[Value] = []
    _Walk(kind, found, paths).into(holder, "")
    return found


class _Walk:
    def __init__(self, kind: type, values: list[Value], paths: list[str] | None) -> None:
        self._kinds = (kind, Value, list, tuple, dict)
        self._values, self._paths = values, paths
        #: The identities of holders, and Values: a set of these takes a fifth of the time of one of theirs (measured).
        self._holders, self._seen = set[int](), set[Value]()

    def into(self, holder: Any, path: str) -> None:
        if holder.__class__ is Value:
            self._take([holder], [path] if self._paths is not None else [])
            return
        if id(holder) in self._holders:
            return
        self._holders.add(id(holder))
        if isinstance(holder, list | tuple) and {*map(type, holder)} == {Value}:  # as nearly all are
            self._take(holder, [f"{path}[{i}]" for i in range(len(holder))] if self._paths is not None else [])
        elif isinstance(holder, list | tuple | dict):
            for key, item in holder.items() if isinstance(holder, dict) else enumerate(holder):
                if isinstance(item, self._kinds):
                    self.into(item, f"{path}[{key!r}]")
        else:
            for name, item in vars(holder).items():
                if isinstance(item, self._kinds):
                    self.into(item, f"{path}.{name}" if path else name)

    def _take(self, values: Sequence[Value], paths: list[str]) -> None:
        """Note those that are new, each once; without paths if none are wanted."""
        seen = self._seen
        before = len(seen)
        if seen.isdisjoint(values):
            seen.update(values)
            if len(seen) == before + len(values):
                self._values += values
                if self._paths is not None:
                    self._paths += paths
                return
            seen.difference_update(values)  # one is there twice
        for i, value in enumerate(values):
            if value not in seen:
                seen.add(value)
                self._values.append(value)
                if self._paths is not None:
                    self._paths.append(paths[i])
