"""The graph of a Value drawn into a file: what the commands that make pictures share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import autograd
from autograd.pictures.drawing.engines import NoLayoutEngine

__all__ = ["NoLayoutEngine", "drawn"]


def drawn(output: autograd.Value, path: str | Path, **options: Any) -> Path:
    """The file that the graph was drawn into, its ending being the format; ``options`` are those of ``draw``.

    Raises:
        ModuleNotFoundError: what draws is not installed; the message has the remedy.
        NoLayoutEngine: the format needs an engine and none is installed.
    """
    try:
        picture = autograd.draw(output, **options)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"{error.name} is not installed: pip install {error.name}", name=error.name) from None
    return picture.write(path)
