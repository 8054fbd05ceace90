"""Where in the user's code something happened: the line that runs now, and the line that made a node.

A line is the user's: the innermost frame that is not the engine's own, so that a node made inside of a layer is known
by the line that called the model. A node carries its line in the moment of its birth, which every node notes anyway
(see ``record_lines``): nodes need no further slot, and nothing is paid where lines are not recorded.
"""

from __future__ import annotations

import os
import sys
from types import FrameType
from typing import Any

_OURS = ("autograd", "nn")
_WITHIN = ("autograd.", "nn.")


class Moment(int):
    """A moment of the clock that knows which line of the user's was running; otherwise a number as any."""

    filename: str
    lineno: int


def moment(now: int, filename: str, lineno: int) -> Moment:
    """The present moment, at this line."""
    made = Moment(now)
    made.filename, made.lineno = filename, lineno
    return made


def user_frame() -> FrameType | None:
    """The innermost frame on the stack that is not the engine's own."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if not name.startswith(_WITHIN) and name not in _OURS:
            break
        # The examples of a docstring are users' code, though they run in the namespace of the module they stand in.
        if frame.f_code.co_filename.startswith("<doctest "):
            break
        frame = frame.f_back
    return frame


def user_line() -> str:
    """``file.py:14`` of the user's code that is running now, or an empty text."""
    frame = user_frame()
    return place(frame.f_code.co_filename, frame.f_lineno) if frame is not None else ""


def line_of(node: Any) -> str:
    """``model.py:14``, the line that made a node inside of ``record_lines()``; an empty text if it is not known.

    >>> from autograd import Value, record_lines
    >>> x = Value(3.0)
    >>> with record_lines():
    ...     y = x * x
    >>> line_of(y)
    '<doctest autograd.provenance.lines.line_of[2]>:2'
    >>> line_of(x), line_of(x * y)
    ('', '')

    A cell of a notebook is named by its number, as in ``In[3]:2``. Leaves have no line: their label names them. Copies
    keep their lines, pickles do not: the files need not be there any more.
    """
    born = getattr(node, "_moment", None)
    return place(born.filename, born.lineno) if born.__class__ is Moment else ""


def place(filename: str, lineno: int) -> str:
    """A line as people name it: ``model.py:14``, ``In[3]:2`` for a cell of a notebook."""
    return f"{_cell(filename) or os.path.basename(filename)}:{lineno}"


def _cell(filename: str) -> str:
    """``In[3]`` for the made-up file name of a notebook's cell; an empty text for any other."""
    ipython = sys.modules.get("IPython")  # whoever runs cells has imported it
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is not None:
        known = shell.compile.format_code_name(filename)
        return known[1] if known else ""
    return ""
