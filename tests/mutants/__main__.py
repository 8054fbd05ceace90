"""``python -m tests.mutants``: whether the tests notice when the engine is wrong."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # a fork copies no threads

from tests.mutants import run


def main() -> int:
    """Parse the arguments, run, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("targets", nargs="*", default=list(run.TARGETS), help="files, or 'table' (default: all)")
    parser.add_argument("--only", default="", help="only mutants whose description contains this")
    parser.add_argument("--afresh", action="store_true", help="try those again that were killed before, too")
    parser.add_argument("--trust", action="store_true", help="do not try survivors that are explained")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="trials at a time")
    arguments = parser.parse_args()
    arguments.targets = [run.TABLE if target == "table" else target for target in arguments.targets]
    for target in arguments.targets:
        if target not in run.TARGETS:
            parser.error(f"{target} is none of {', '.join(['table', *run.TARGETS])}")
    if not hasattr(os, "fork"):
        parser.error("trials are forked processes, which this system does not have")
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        return run.run(Path(__file__).resolve().parents[2], Path(folder), arguments)


if __name__ == "__main__":
    sys.exit(main())
