"""How a training shows its progress: tqdm's bar where a person looks, a function of the user's, or nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

#: What ``fit`` calls after each epoch with its number, from 1, and the mean loss.
Report = Callable[[int, float], None]


def shows_a_bar() -> bool:
    """Whether ``fit`` would draw tqdm's bar: tqdm is installed, and stderr is a terminal or part of a notebook."""
    return _bar(0) is not None


@contextmanager
def reporting(progress: bool | Report, epochs: int) -> Iterator[Report]:
    """What to call after each epoch: the user's own function, what moves the bar, or nothing."""
    if callable(progress):
        yield progress
        return
    bar = _bar(epochs) if progress else None
    if bar is None:
        yield lambda epoch, loss: None
        return

    def advance(epoch: int, loss: float) -> None:
        bar.set_postfix_str(f"loss {loss:.4g}", refresh=False)
        bar.update()

    with bar:
        yield advance


def _bar(epochs: int) -> Any:
    """tqdm's bar, or None where nobody looks or tqdm is missing."""
    if not (_is_terminal(sys.stderr) or _in_notebook()):
        return None
    try:
        from tqdm import tqdm
    except ModuleNotFoundError:
        return None
    return tqdm(total=epochs, unit="epoch", disable=epochs == 0)


def _is_terminal(stream: Any) -> bool:
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):  # none at all, or closed
        return False


def _in_notebook() -> bool:
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return shell is not None and hasattr(shell, "kernel")
