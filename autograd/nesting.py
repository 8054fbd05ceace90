"""Nested lists, tuples and dicts of scalars: taken apart into a flat list, and put together again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd.value import Value, plain

#: Puts a flat list of the right length back into the shape it came from.
Builder = Callable[[list[Any]], Any]


def take_apart(tree: Any, what: str, *, none: bool = False) -> tuple[list[Any], Builder]:
    """The scalars of a nested list, tuple or dict in order, and the function that puts others in their places.

    Scalars are Values and real numbers; arrays count as nested lists.

    >>> scalars, build = take_apart({"w": [1.0, 2.0], "b": 3.0}, "x")
    >>> scalars, build([10.0, 20.0, 30.0])
    ([1.0, 2.0, 3.0], {'w': [10.0, 20.0], 'b': 30.0})

    Args:
        none: let ``None`` stand for nothing, in any place.

    Raises:
        TypeError: something in it is none of these; ``what`` and the path to it are named.
    """
    if isinstance(tree, Value) or plain(tree) is not None:
        return [tree], lambda flat: flat[0]
    if none and tree is None:
        return [], lambda flat: None
    if hasattr(tree, "tolist"):
        return take_apart(tree.tolist(), what)
    if isinstance(tree, dict):
        keys = list(tree)
        children = [(f"{what}[{key!r}]", tree[key]) for key in keys]
        return _all_of(children, none, lambda parts: dict(zip(keys, parts, strict=True)))
    if isinstance(tree, list | tuple):
        children = [(f"{what}[{i}]", child) for i, child in enumerate(tree)]
        if isinstance(tree, list):
            return _all_of(children, none, list)
        made = type(tree)
        named = hasattr(made, "_fields")
        return _all_of(children, none, (lambda parts: made(*parts)) if named else tuple)
    raise TypeError(
        f"{what} is {type(tree).__name__} {tree!r:.200}; expected a Value, a real number, or "
        "nested lists, tuples and dicts of them"
    )


def _all_of(children: list[tuple[str, Any]], none: bool, join: Callable[[list[Any]], Any]) -> tuple[list[Any], Builder]:
    scalars: list[Any] = []
    spans: list[tuple[int, int, Builder]] = []
    for what, child in children:
        inside, build = take_apart(child, what, none=none)
        spans.append((len(scalars), len(scalars) + len(inside), build))
        scalars += inside
    return scalars, lambda flat: join([build(flat[start:stop]) for start, stop, build in spans])


def take_apart_like(tree: Any, like: Any, what: str, other: str) -> list[Any]:
    """The scalars of a tree in the order of another one of the same shape; dicts are matched by key.

    >>> take_apart_like({"b": 2.0, "a": 1.0}, {"a": 0.0, "b": 0.0}, "tangent", "primal")
    [1.0, 2.0]

    Raises:
        ValueError: the shapes differ; ``what`` and ``other`` are named, with the lengths or keys.
    """
    tree, like = (x.tolist() if hasattr(x, "tolist") else x for x in (tree, like))
    if isinstance(like, dict) and isinstance(tree, dict):
        if set(tree) != set(like):
            raise ValueError(f"{what} has the keys {sorted(map(str, tree))}; {other} has {sorted(map(str, like))}")
        pairs = [(tree[key], like[key], f"[{key!r}]") for key in like]
    elif isinstance(like, list | tuple) and isinstance(tree, list | tuple):
        if len(tree) != len(like):
            raise ValueError(f"{what} has {len(tree)} numbers; {other} has {len(like)}")
        pairs = [(child, model, f"[{i}]") for i, (child, model) in enumerate(zip(tree, like, strict=True))]
    elif isinstance(like, dict | list | tuple) or isinstance(tree, dict | list | tuple):
        raise ValueError(f"{what} is {type(tree).__name__}; {other} is {type(like).__name__}: they must have one shape")
    else:
        return take_apart(tree, what)[0]
    return [x for child, model, at in pairs for x in take_apart_like(child, model, what + at, other + at)]
