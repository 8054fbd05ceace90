"""The Values that an object holds: in its attributes, in lists, tuples and dicts, and in objects of its kind inside."""

from __future__ import annotations

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
    _walk(holder, "", (kind, Value, list, tuple, dict), set(), found, paths)
    return found


def _walk(
    holder: Any, path: str, kinds: tuple[type, ...], seen: set[int], values: list[Value], paths: list[str] | None
) -> None:
    if id(holder) in seen:
        return
    seen.add(id(holder))
    if holder.__class__ is Value:
        values.append(holder)
        if paths is not None:
            paths.append(path)
    elif isinstance(holder, list | tuple | dict):
        for key, item in holder.items() if isinstance(holder, dict) else enumerate(holder):
            if item.__class__ is Value:  # nearly all are, and a call for each takes three times as long (measured)
                if id(item) not in seen:
                    seen.add(id(item))
                    values.append(item)
                    if paths is not None:
                        paths.append(f"{path}[{key!r}]")
            elif isinstance(item, kinds):
                _walk(item, f"{path}[{key!r}]", kinds, seen, values, paths)
    else:
        for name, item in vars(holder).items():
            if isinstance(item, kinds):
                _walk(item, f"{path}.{name}" if path else name, kinds, seen, values, paths)
