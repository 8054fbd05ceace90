"""The inputs of a checked function: flat numbers with names, and the way back to what the function takes.

The engine's functions get nested lists of Values, as ``grad`` gives them; functions of other libraries get what the
user gave, arrays as arrays of the same shape, in double precision.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from autograd.checking.recorded import as_float
from autograd.nesting import take_apart, take_apart_like
from autograd.value import Value, plain


class Inputs:
    """The numbers of all inputs in one flat list, their names, and how to put others in their places."""

    def __init__(self, given: Sequence[Any], names: Sequence[str] | None, f: Callable[..., Any]) -> None:
        self.given = given
        self.roots = _names_of(given, names, f)
        self.numbers: list[float] = []
        self.names: list[str] = []
        self._spans: list[tuple[int, int, Callable[[list[Any]], Any], Callable[[list[float]], Any]]] = []
        labels: list[str] = []
        for root, tree in zip(self.roots, given, strict=True):
            scalars, build = take_apart(tree, root)
            start = len(self.numbers)
            self.numbers += [x.data if isinstance(x, Value) else float(x) for x in scalars]
            for x, path in zip(scalars, paths(tree, root), strict=True):
                labels.append(getattr(x, "label", ""))
                self.names.append(path)
            self._spans.append((start, len(self.numbers), build, _rebuilder(tree)))
        # A label that two inputs share names neither.
        often = Counter(labels)
        self.names = [
            label if label and often[label] == 1 else path for label, path in zip(labels, self.names, strict=True)
        ]

    def __len__(self) -> int:
        return len(self.numbers)

    def square_matrices(self) -> list[tuple[str, int, int]]:
        """The inputs that are square matrices of more than one number: name, place of the first number, size."""
        found = []
        for root, tree, (start, stop, _, _) in zip(self.roots, self.given, self._spans, strict=True):
            size = math.isqrt(stop - start)
            if size > 1 and shape_of(tree) == (size, size):
                found.append((root, start, size))
        return found

    def for_the_engine(self, flat: Sequence[Any]) -> list[Any]:
        """The arguments with these numbers or Values, arrays as nested lists."""
        return [build(list(flat[start:stop])) for start, stop, build, _ in self._spans]

    def as_given(self, flat: Sequence[float]) -> list[Any]:
        """The arguments with these numbers, arrays as arrays."""
        return [rebuild(list(flat[start:stop])) for start, stop, _, rebuild in self._spans]

    def derivatives(self, result: Any, outputs: int, one_number: bool, *, keep: bool = False) -> list[list[Any]]:
        """What a user's gradient returned, as one row per output; Values as numbers, unless they are to be kept.

        Raises:
            ValueError, TypeError: it does not have the structure of the inputs.
        """
        if len(self.given) == 1:
            parts = [result]
        else:
            if not isinstance(result, tuple | list) or len(result) != len(self.given):
                raise ValueError(
                    f"grad must return a tuple of {len(self.given)} derivatives, one for each input "
                    f"({', '.join(self.roots)}); it returned {_in_short(result)}"
                )
            parts = list(result)
        rows: list[list[Any]] = [[] for _ in range(outputs)]
        for part, given, root, (start, stop, _, _) in zip(parts, self.given, self.roots, self._spans, strict=True):
            what = f"the derivative by {root}"
            if one_number:
                flat = _like(part, given, what, root)
                rows[0] += flat if keep else map(as_float, flat)
                continue
            flat = list(map(as_float, take_apart(part, what)[0]))
            count = stop - start
            if len(flat) != outputs * count:
                raise ValueError(
                    f"{what} has {len(flat)} numbers; {outputs} outputs and {count} inputs need {outputs * count}, "
                    "a row for each output"
                )
            for i in range(outputs):
                rows[i] += flat[i * count : (i + 1) * count]
        return rows


def shape_of(tree: Any) -> tuple[int, ...]:
    """The shape of an array, or of lists of numbers, of equal length; empty for all else."""
    if hasattr(tree, "shape"):
        return tuple(tree.shape)
    if not isinstance(tree, list | tuple) or not tree:
        return ()
    inner = {shape_of(child) for child in tree}
    return (len(tree), *inner.pop()) if len(inner) == 1 else ()


def _like(part: Any, given: Any, what: str, root: str) -> list[Any]:
    """The numbers of a derivative in the order of its input."""
    if not isinstance(part, Value) and plain(part) is None and not hasattr(part, "tolist") and hasattr(part, "item"):
        part = part.item()
    if hasattr(part, "tolist") and plain(part) is None:
        part = part.tolist()
    return take_apart_like(part, given, what, f"the input {root}")


def _in_short(x: Any) -> str:
    text = repr(x)
    return f"{type(x).__name__} {text if len(text) <= 60 else text[:57] + '…'}"


def paths(tree: Any, root: str) -> list[str]:
    """The name of each scalar of a nested structure: ``x[0]['w']``; in the order of ``take_apart``."""
    if isinstance(tree, Value) or plain(tree) is not None:
        return [root]
    if hasattr(tree, "tolist"):
        return _array_paths(tree.tolist(), root, [])
    if isinstance(tree, dict):
        return [path for key in tree for path in paths(tree[key], f"{root}[{key!r}]")]
    fields = getattr(tree, "_fields", None)
    return [
        path
        for i, child in enumerate(tree)
        for path in paths(child, f"{root}.{fields[i]}" if fields else f"{root}[{i}]")
    ]


def _array_paths(tree: Any, root: str, at: list[int]) -> list[str]:
    """As arrays are indexed: ``x[0, 2]``."""
    if not isinstance(tree, list):
        return [f"{root}[{', '.join(map(str, at))}]" if at else root]
    return [path for i, child in enumerate(tree) for path in _array_paths(child, root, [*at, i])]


def _names_of(given: Sequence[Any], names: Sequence[str] | None, f: Callable[..., Any]) -> list[str]:
    if names is not None:
        if isinstance(names, str) or len(names) != len(given):
            raise ValueError(f"names needs one name for each of the {len(given)} inputs; it is {names!r:.200}")
        return [str(name) for name in names]
    code = getattr(f, "__code__", None)
    own = list(code.co_varnames[: code.co_argcount]) if code is not None else []
    if getattr(f, "__self__", None) is not None:
        own = own[1:]
    if len(own) == len(given):
        return own
    return [f"x{i}" for i in range(len(given))] if len(given) > 1 else ["x"]


def _rebuilder(tree: Any) -> Callable[[list[float]], Any]:
    """The function that puts plain numbers back into the structure, arrays into arrays."""
    if isinstance(tree, Value) or plain(tree) is not None:
        return lambda flat: flat[0]
    if hasattr(tree, "tolist"):
        return _array_rebuilder(tree)
    if isinstance(tree, dict):
        return _parts(list(tree.values()), lambda parts: dict(zip(tree, parts, strict=True)))
    if isinstance(tree, list):
        return _parts(tree, list)
    made = type(tree)
    return _parts(list(tree), (lambda parts: made(*parts)) if hasattr(tree, "_fields") else tuple)


def _parts(children: list[Any], join: Callable[[list[Any]], Any]) -> Callable[[list[float]], Any]:
    sizes = [len(paths(child, "")) for child in children]
    rebuilders = [_rebuilder(child) for child in children]

    def rebuild(flat: list[float]) -> Any:
        parts, start = [], 0
        for size, inner in zip(sizes, rebuilders, strict=True):
            parts.append(inner(flat[start : start + size]))
            start += size
        return join(parts)

    return rebuild


def _array_rebuilder(array: Any) -> Callable[[list[float]], Any]:
    """Arrays of NumPy as such; tensors that know ``new_tensor`` as tensors; others as NumPy's arrays."""
    if hasattr(array, "new_tensor"):
        double, shape = array.detach().double(), tuple(array.shape)
        return lambda flat: double.new_tensor(flat).reshape(shape)
    model = array if hasattr(array, "flat") and hasattr(array, "astype") else array.__array__()
    double = model.astype(float)

    def rebuild(flat: list[float]) -> Any:
        made = double.copy()
        made.flat = flat
        return made

    return rebuild
