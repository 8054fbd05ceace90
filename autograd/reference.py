"""What is spelled out of the table for people and type checkers: ``python -m autograd.reference`` writes it anew.

That is the page ``docs/primitives.md``, the public functions and the methods, a file each, and the names that
``autograd/__init__.py`` hands on. A test fails where one of them is not what is written here.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator
from pathlib import Path

from autograd.number_systems.source import formulas
from autograd.primitives import TABLE, Primitive

_ROOT = Path(__file__).parents[1]

_HEAD = """{doc}

# Written from the table by ``make tables``: not to be changed by hand.

from __future__ import annotations
"""


def files() -> Iterator[tuple[Path, str]]:
    """Each file that is written from the table, and its text."""
    yield _ROOT / "docs" / "primitives.md", page()
    yield _ROOT / "autograd" / "primitive_functions.py", functions()
    yield _ROOT / "autograd" / "number_systems" / "methods.py", methods()
    init = _ROOT / "autograd" / "__init__.py"
    yield init, with_names(init.read_text("utf-8"))


# The page


def page() -> str:
    """The page in Markdown: every primitive with its result, its partial derivatives and its domain."""
    lines = [
        "# Primitives",
        "",
        "Written from the table by `make tables`; `z` is the result.",
        "",
        "| primitive | result | partial derivatives | needs |",
        "| --- | --- | --- | --- |",
    ]
    lines += [_row(row) for row in TABLE.values() if not row.compares]
    return "\n".join(lines) + "\n"


def _row(row: Primitive) -> str:
    name = " ".join(f"`{n}`" for n in (row.name, *row.aliases))
    if callable(row.partials):
        partials = "of each operand, by one rule"
    else:
        partials = "<br>".join(f"∂z/∂{argument} = `{text}`" for argument, text in formulas(row).items()) or "none"
    return f"| {name} | {row.summary.replace('|', '∣')} | {partials} | {row.needs} |"


# Functions and methods


def function_rows() -> list[Primitive]:
    """The rows that are public functions of a fixed number of arguments, as they are; ``where`` and ``detach`` stand
    beside ``Value``, since its methods use them."""
    return [row for row in TABLE.values() if not row.n_ary and not row.compares and "x" in _moving(row)[:1]]


def of_many() -> list[Primitive]:
    """The rows of any number of arguments whose public functions are not written by hand, in ``functions``."""
    tree = ast.parse((_ROOT / "autograd" / "functions.py").read_text("utf-8"))
    by_hand = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    return [row for row in TABLE.values() if row.n_ary and row.name not in by_hand]


def _moving(row: Primitive) -> list[str]:
    """The arguments that have a derivative, up to the first that has none."""
    partials = () if callable(row.partials) else row.partials
    names = [name for name, rule in zip(row.arguments, partials, strict=False) if rule is not None]
    return names if row.arguments[: len(names)] == tuple(names) else []


def method_rows() -> list[Primitive]:
    """The rows that a Value has as methods: those of one number and constants, and of two numbers."""
    return [row for row in function_rows() if row.method and (not row.constants or len(_moving(row)) == 1)]


def functions() -> str:
    """The module of public functions."""
    helpers = ["Binary", *["OfMany"] * bool(of_many()), "Unary", "binary", "documented"]
    helpers += [*["of_many"] * bool(of_many()), "unary"]
    lines = [
        _HEAD.format(doc='"""The public function of each primitive, but for those that ``functions`` has by hand."""'),
        "from typing import Any",
        "",
        f"from autograd.documented import {', '.join(helpers)}",
        "from autograd.eager.operands import fixed",
        "from autograd.value import MAKERS",
        "",
        "__all__ = [",
        *(f'    "{name}",' for name in sorted([row.name for row in [*function_rows(), *of_many()]], key=_as_sorted)),
        "]",
        "",
    ]
    for row in function_rows():
        if not row.constants:
            kind = "unary" if row.arity == 1 else "binary"
            lines.append(f'{row.name}: {kind.capitalize()} = {kind}("{row.name}")')
    lines += [f'{row.name}: OfMany = of_many("{row.name}")' for row in of_many()]
    for row in function_rows():
        if row.constants:
            lines += _with_constants(row)
    return "\n".join(lines) + "\n"


def _with_constants(row: Primitive) -> list[str]:
    """The function of a row whose last arguments are constants."""
    first, names = row.arity - len(row.constants), row.arguments[: row.arity]
    taken = [*(f"{name}: Any" for name in names[:first]), *_parameters(row)]
    given = [*names[:first], *(f'fixed("{row.name}", "{name}", {name})' for name in names[first:])]
    call = f'    return MAKERS["{row.name}"]({", ".join(given)})'
    if len(call) > 120:
        call = "\n".join([f'    return MAKERS["{row.name}"](', *(f"        {text}," for text in given), "    )"])
    return ["", "", f'@documented("{row.name}")', f"def {row.name}({', '.join(taken)}) -> Any:", call]


def _parameters(row: Primitive) -> list[str]:
    """The constants of a row as a function takes them, with their types and what they are unless told."""
    names = row.arguments[row.arity - len(row.constants) : row.arity]
    unless_told = dict(zip(reversed(names), reversed(row.defaults), strict=False))
    return [f"{name}: float" + (f" = {unless_told[name]!r}" if name in unless_told else "") for name in names]


#: What NumPy's function of this name passes on to the method of what it is given.
_OF_NUMPY = {"clip": ["out: None = None"]}


def _method(row: Primitive, name: str) -> list[str]:
    """The method of a row, under one of its names."""
    others = ["other"] if row.arity == 2 and not row.constants else []
    taken = ["self", *(f"{other}: Any" for other in others), *_parameters(row), *_OF_NUMPY.get(name, [])]
    given = ["self", *others, *row.constants]
    return [
        "",
        f"    def {name}({', '.join(taken)}) -> Self:",
        f'        """``{row.name}`` of it{" and another" * len(others)}: {row.summary}."""',
        f'        return self._apply("{row.name}", {", ".join(given)})',
    ]


def methods() -> str:
    """The module of the methods that numbers made by the engine have."""
    lines = [
        _HEAD.format(doc='"""The primitives as methods, and as the operators of Python."""'),
        "# mypy: disable-error-code=no-any-return",
        "# What a method returns is decided by the subclass.",
        "from typing import Any, Self",
        "",
        "",
        "class Methods:",
        '    """In terms of one method, ``_apply(primitive, *operands)``; NumPy\'s functions call them."""',
        "",
        "    __slots__ = ()",
        "",
        "    def _apply(self, name: str, *operands: Any) -> Any:",
        '        raise TypeError(f"{type(self).__name__} does not say what applying a primitive means")',
    ]
    for row in method_rows():
        for name in (row.name, *row.aliases):
            lines += _method(row, name)
    for row in TABLE.values():
        if row.operator:
            result = "Any" if row.compares else "Self"
            both = [("self, other: Any", "", "self, other"), ("self, other: Any", "r", "other, self")]
            for taken, reflected, given in (
                [("self", "", "self")] if row.arity == 1 else both[: 1 if row.compares else 2]
            ):
                lines += [
                    "",
                    f"    def __{reflected}{row.operator}__({taken}) -> {result}:",
                    f'        return self._apply("{row.name}", {given})',
                ]
    return "\n".join(lines) + "\n"


# The names of the package


def with_names(text: str) -> str:
    """The text of ``autograd/__init__.py`` with the names of the table: those it takes, and ``__all__``.

    A name that is Python's own (``sum``, ``abs``) is an attribute of the package and not in ``__all__``, so that
    ``from autograd import *`` leaves Python's alone.
    """
    own = sorted((row.name for row in [*function_rows(), *of_many()]), key=_as_sorted)
    of_python = [name for name in own if hasattr(builtins, name)]
    taken = [name for name in own if name not in of_python]
    text = _replaced(text, "from autograd.primitive_functions import (", taken, "    {},", ")")
    line = "from autograd.primitive_functions import {0} as {0}"
    text = _replaced(text, "from autograd.loops.scan import map as map", of_python, line, "")
    tree = ast.parse(text)
    names = [
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if not (alias.asname or alias.name).startswith("_") and not hasattr(builtins, alias.asname or alias.name)
    ]
    return _replaced(text, "__all__ = [", sorted(names, key=_as_sorted), '    "{}",', "]")


def _replaced(text: str, head: str, names: list[str], line: str, end: str) -> str:
    """The text with a list of names in place of the one that stands under the head."""
    first = text.index(head)
    last = text.index(f"\n{end}\n", first)
    return "\n".join([text[:first] + head, *map(line.format, names)]) + text[last:]


def _as_sorted(name: str) -> tuple[int, list[tuple[int, str]]]:
    """Constants, classes, functions; numbers in names by their size."""
    kind = 0 if name.isupper() else 1 if name[:1].isupper() else 2
    parts = re.findall(r"\d+|\D+", name)
    return kind, [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def main() -> None:
    """Write all files."""
    for path, text in files():
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
            print(f"written anew: {path.relative_to(_ROOT)}")


if __name__ == "__main__":
    main()
