"""Models as JSON: format, version, architecture and parameters, in which every float survives exactly.

Python writes a float as its shortest text that reads back to the same bits, so a saved model computes what it computed.
The file is written beside its place and moved there, so that a model already there is never left half overwritten.
What an architecture means is the business of ``networks``, which writes it, and of ``saving``, which builds it.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

FORMAT = "valuegrad model"
VERSION = 1


class ModelFileError(ValueError):
    """Why a file is not a model that this version can load, in one line."""


def write_model(
    path: Path, architecture: Mapping[str, Any], parameters: Mapping[str, float], extras: Mapping[str, Any]
) -> None:
    """Write a model to a file that ``read_model`` reads.

    Raises:
        ValueError: a parameter is not finite.
        OSError: the file cannot be written.
    """
    for name, value in parameters.items():
        if not math.isfinite(value):
            raise ValueError(f"the parameter {name} is {value!r}; JSON holds finite numbers only. Train again")
    document = {
        "format": FORMAT,
        "version": VERSION,
        "architecture": architecture,
        "parameters": parameters,
        "extras": extras,
    }
    _write(path, json.dumps(document, indent=1, allow_nan=False, ensure_ascii=False) + "\n")


def read_model(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The document that ``write_model`` wrote: what it says of itself is checked, what it holds is not.

    Raises:
        ModelFileError: the file is broken, foreign, or of a later version.
        OSError: it cannot be read.
    """
    source = os.fspath(path)
    content = Path(path).read_bytes()
    try:
        document = json.loads(content.decode("utf-8"), parse_constant=_not_a_number)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{source}: this is not JSON, or it was cut off ({one_line(error)})") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ModelFileError(f"{source}: this is not a {FORMAT}; its 'format' does not say so")
    version = document.get("version")
    if type(version) is not int or version < 1:
        raise ModelFileError(f"{source}: the version is {version!r}, not an int from 1 on; is the file damaged?")
    if version > VERSION:
        raise ModelFileError(
            f"{source}: the file has version {version}; this valuegrad reads up to {VERSION}. Install a later valuegrad"
        )
    return document


def one_line(error: Exception) -> str:
    """What an error says, on one line."""
    return " ".join(str(error).split()) or type(error).__name__


def _write(path: Path, text: str) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with open(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        # mkstemp keeps a file to its owner; a model is an ordinary file.
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _not_a_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number")
