"""DOT laid out and drawn into a file: by the ``dot`` program, or by pygraphviz, whose wheels bundle one."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import graphviz


class NoLayoutEngine(RuntimeError):
    """Neither the ``dot`` program nor pygraphviz is there to lay a picture out."""


def render(picture: graphviz.Digraph, path: str | Path) -> Path:
    """The file a picture was drawn into; its ending (``.svg``, ``.png``, ``.pdf``) says the format, ``.dot`` is the
    text.

    Raises:
        NoLayoutEngine: the format needs an engine and none is installed.
    """
    target = Path(path)
    kind = target.suffix.lstrip(".")
    target.parent.mkdir(parents=True, exist_ok=True)
    if kind in ("dot", "gv"):
        target.write_text(picture.source, encoding="utf-8")
        return target
    if shutil.which("dot"):
        target.write_bytes(picture.pipe(format=kind))
        return target
    try:
        import pygraphviz
    except ModuleNotFoundError:
        raise NoLayoutEngine(
            f"{target.name} needs a layout engine: pip install 'valuegrad[viz]', "
            "or install Graphviz so that dot is on the PATH; a .dot file needs none"
        ) from None
    graph = pygraphviz.AGraph(string=picture.source)
    try:
        graph.layout(prog="dot")
        graph.draw(str(target), format=kind)
    finally:
        graph.close()
    return target
