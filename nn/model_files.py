"""Models as JSON: format, version, architecture and parameters, in which every float survives exactly.

Python writes a float as its shortest text that reads back to the same bits, so a saved model computes what it computed.
What an architecture means is the business of ``networks``, which writes it, and of ``saving``, which builds it.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from typing import Any, NoReturn

from nn import files
from nn.checks import brief

FORMAT = "valuegrad model"
VERSION = 1

#: Of what an error says of a file, besides its name and the remedy.
_MOST_CHARACTERS = 300


class ModelFileError(ValueError):
    """Why a file is not a model that this version can load, in one line."""


def write_model(
    path: str | os.PathLike[str],
    architecture: Mapping[str, Any],
    parameters: Mapping[str, float],
    extras: Mapping[str, Any],
) -> None:
    """Write a model to a file that ``read_model`` reads.

    Raises:
        ValueError: a parameter is not finite.
        OSError: the file cannot be written.
    """
    for name, value in parameters.items():
        if not math.isfinite(value):
            raise ValueError(f"the parameter {name} is {value!r:.200}; JSON holds finite numbers only. Train again")
    document = {
        "format": FORMAT,
        "version": VERSION,
        "architecture": architecture,
        "parameters": parameters,
        "extras": extras,
    }
    files.write(path, json.dumps(document, indent=1, allow_nan=False, ensure_ascii=False) + "\n")


def read_model(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The document that ``write_model`` wrote: what it says of itself is checked, what it holds is not.

    Raises:
        ModelFileError: the file is broken, foreign, or of a later version.
        OSError: it cannot be read.
    """
    content = files.read(path)
    try:
        document = json.loads(content.decode("utf-8"), parse_constant=_not_a_number)
    except (ValueError, RecursionError) as error:
        raise damaged(path, f"this is not JSON, or it was cut off ({error})", remedy="") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise damaged(path, f"this is not a {FORMAT}; its 'format' does not say so", remedy="")
    version = document.get("version")
    if type(version) is not int or version < 1:
        raise damaged(path, f"the version is {brief(version)}, not an int from 1 on")
    if version > VERSION:
        what = f"the file has version {brief(version)}; this valuegrad reads up to {VERSION}"
        raise damaged(path, what, remedy=". Install a later valuegrad")
    return document


def damaged(path: str | os.PathLike[str], what: str, *, remedy: str = "; is the file damaged?") -> ModelFileError:
    """The error to raise: one line that can be printed and is short, whatever the file holds."""
    said = printable(" ".join(what.split()))
    said = said if len(said) <= _MOST_CHARACTERS else said[: _MOST_CHARACTERS - 1] + "…"
    return ModelFileError(f"{printable(os.fsdecode(path))}: {said}{remedy}")


def printable(text: str) -> str:
    """The text with what no terminal should be sent written out, as in a string of Python's."""
    return text if text.isprintable() else "".join([c if c.isprintable() else repr(c)[1:-1] for c in text])


def _not_a_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number")
