"""The table of primitives as a page: ``python -m autograd.reference`` prints ``docs/primitives.md``."""

from __future__ import annotations

from autograd.number_systems.source import formulas
from autograd.primitives import TABLE, Primitive


def page() -> str:
    """The page in Markdown: every primitive with its result, its partial derivatives and its domain."""
    lines = [
        "# Primitives",
        "",
        "Written from the table by `python -m autograd.reference`; `z` is the result.",
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


if __name__ == "__main__":
    print(page(), end="")
