"""How things are timed here: the smallest of many runs, peers in turn within one process."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping


def smallest(works: Mapping[str, Callable[[], object]], *, runs: int, collector: bool = True) -> dict[str, float]:
    """The smallest seconds that each work took; each run does all of them in turn, so that a slow spell hits all.

    Args:
        collector: whether the garbage collector runs, as it does by default; between works it always collects.
    """
    best = dict.fromkeys(works, float("inf"))
    was_on = gc.isenabled()
    try:
        for _ in range(runs):
            for name, work in works.items():
                gc.collect()
                (gc.enable if collector else gc.disable)()
                start = time.perf_counter()
                result = work()
                best[name] = min(best[name], time.perf_counter() - start)
                del result
                gc.enable()
    finally:
        (gc.enable if was_on else gc.disable)()
    return best
