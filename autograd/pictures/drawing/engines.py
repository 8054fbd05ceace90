"""DOT made into a file by a layout engine: the ``dot`` program, or pygraphviz, whose wheels bundle one.

Both run as a process of their own with a time limit: Graphviz cannot be interrupted, and pygraphviz would hold the
interpreter lock while it works.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from autograd import files

if TYPE_CHECKING:
    import graphviz

#: The engines that lay out DOT, in the order in which they are tried. Beside them is "svg", the package's own writer.
ENGINES = ("dot", "pygraphviz")
#: What is run for pygraphviz.
PYGRAPHVIZ = Path(__file__).with_name("pygraphviz_process.py")
#: Seconds that an engine may take for a picture.
TIME_LIMIT = 10.0


class NoLayoutEngine(RuntimeError):
    """No engine is there that makes the format, or the one there failed; the message has the remedy."""


class LayoutFailed(RuntimeError):
    """An engine did not make the picture: it is missing, or had an error of its own."""


class TooSlow(LayoutFailed):
    """An engine was stopped at the time limit."""


def is_there(engine: str) -> bool:
    """Whether the engine is installed."""
    if engine == "dot":
        return shutil.which("dot") is not None
    # Python embedded in another program has no executable to start.
    return bool(sys.executable) and importlib.util.find_spec("pygraphviz") is not None


def run(engine: str, source: str, kind: str, limit: float | None = None) -> bytes:
    """What the engine makes of DOT text, in the format ``kind``.

    Raises:
        LayoutFailed: it is not there, or failed; the message says which.
        TooSlow: it took longer than ``limit`` seconds (``TIME_LIMIT`` unless told).
    """
    limit = TIME_LIMIT if limit is None else limit
    if not is_there(engine):
        raise LayoutFailed(f"{engine} is not installed")
    if engine == "dot":
        command = [shutil.which("dot") or "dot", f"-T{kind}"]
    else:
        command = [sys.executable, "-P", str(PYGRAPHVIZ), kind]
    try:
        done = subprocess.run(command, input=source.encode(), capture_output=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        raise TooSlow(f"{engine} took longer than {limit:g} s") from None
    except OSError as error:
        raise LayoutFailed(f"{engine} could not be started ({error})") from error
    if done.returncode or not done.stdout:
        # What it prints beside a picture (missing fonts, long lines) is of no use to anybody.
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise LayoutFailed(f"{engine} failed: {said[-1] if said else f'exit status {done.returncode}'}")
    return done.stdout


def made(source: str, kind: str, engines: tuple[str, ...] = ENGINES) -> bytes:
    """What the first engine that succeeds makes of DOT text.

    Raises:
        NoLayoutEngine: none is installed, or all failed; with the remedy.
    """
    failures = []
    for engine in engines:
        try:
            return run(engine, source, kind)
        except LayoutFailed as failure:
            failures.append(str(failure))
            if isinstance(failure, TooSlow):
                break  # the others are the same program
    raise NoLayoutEngine(
        f"{kind} needs a layout engine, and {'; '.join(failures)}: pip install 'valuegrad[viz]', or install Graphviz "
        "so that dot is on the PATH; svg, dot and mermaid need none"
    )


def render(picture: graphviz.Digraph, path: str | Path) -> Path:
    """The file a picture was drawn into; its ending says the format.

    ``.svg`` always works, ``.png`` and ``.pdf`` need an engine, ``.dot`` and ``.mmd`` (Mermaid) are text.

    Raises:
        NoLayoutEngine: the format needs an engine and none is installed.
        ValueError: the ending is no format.
    """
    target = Path(path)
    kind = target.suffix.lstrip(".").lower()
    if not kind:
        raise ValueError(f"{target} has no ending that says the format; write {target}.svg, .png, .pdf, .dot or .mmd")
    if kind in ("dot", "gv"):
        content = picture.source.encode()
    elif getattr(picture, "scene", None) is None:
        content = made(picture.source, kind)
    else:
        content = picture.pipe(format=_LONG.get(kind, kind))
    target.parent.mkdir(parents=True, exist_ok=True)
    files.write(target, content)
    return target


_LONG = {"mmd": "mermaid"}
