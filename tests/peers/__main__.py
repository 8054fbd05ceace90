"""``python -m tests.peers``: gradients and Hessians of random expressions against PyTorch's and JAX's."""

from __future__ import annotations

import argparse
import random
import sys
import time

from tests.peers.comparison import Report, compare
from tests.peers.drawing import OPERATIONS, draw
from tests.peers.engines import Engine, Jax, Ours, Torch

CHUNK = 2000


def main() -> int:
    """Compare with each peer, print the reports; the exit status is 1 if any number of ours is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.peers", description=__doc__)
    parser.add_argument("peers", nargs="*", default=["torch", "jax"], help="torch, jax (default: both)")
    parser.add_argument("--expressions", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    makers = {"torch": Torch, "jax": Jax}
    wrong = 0
    for name in arguments.peers:
        if name not in makers:
            parser.error(f"{name} is no peer; there are {', '.join(makers)}")
        start = time.monotonic()
        peer: Engine = makers[name]()
        operations = [operation for operation in OPERATIONS if operation.name not in peer.LACKS]
        source = random.Random(arguments.seed)
        report = Report()
        while report.expressions < arguments.expressions:
            count = min(CHUNK, arguments.expressions - report.expressions)
            compare(Ours(), peer, [draw(source, operations) for _ in range(count)], report)
            if report.expressions % (10 * CHUNK) == 0:
                print(f"  {peer.name}: {report.expressions}, {time.monotonic() - start:.0f} s", flush=True)
        print("\n".join(report.lines(f"{peer.name} {peer.version}")))
        for lacking, reason in peer.LACKS.items():
            print(f"  left out: {lacking}: {reason}")
        print(f"  {(time.monotonic() - start) / 60:.1f} minutes")
        wrong += len(report.wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
