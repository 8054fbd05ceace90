"""Recorded functions in pickles: programs travel always, the function itself only where pickle can take it."""

from __future__ import annotations

import pickle
from typing import Any

from autograd.errors import RecordingError


class Forgotten:
    """Stands for a function that could not be pickled: what was recorded goes on working, nothing new is recorded."""

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __reduce__(self) -> Any:
        return Forgotten, (self.__name__,)

    def __call__(self, *args: Any) -> Any:
        raise RecordingError(
            f"{self.__name__} could not be pickled with its recordings, and these arguments need a new one; "
            "define it at the top of a module, or call it once with such arguments before pickling"
        )


def picklable(function: Any, name: str) -> Any:
    """The function, or what stands for it where pickle refuses it."""
    try:
        pickle.dumps(function)
    except MemoryError:
        raise
    except Exception:  # pickle says "cannot" in many ways
        return Forgotten(name)
    return function
