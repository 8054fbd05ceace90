"""``python -m tests.differential``: random programs at points where formulas go wrong, the same bits in every way."""

from __future__ import annotations

import argparse
import random
import sys
import time

from tests.differential.cases import Report, compare, drawn


def main() -> int:
    """Draw programs until there were so many cases; the exit status is 1 if any two ways disagree."""
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000, help="programs x points x back ends")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    source, report, start = random.Random(arguments.seed), Report(), time.monotonic()
    said = 0
    while report.cases < arguments.cases:
        compare(drawn(source), source, report)
        if report.cases >= said + 100_000:
            said = report.cases
            print(f"  {report.cases} cases of {report.programs} programs, {time.monotonic() - start:.0f} s", flush=True)
    print("\n".join(report.lines()))
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
