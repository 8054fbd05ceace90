"""``python -m benchmarks [NAME] [--json]``: one benchmark or all; with ``--json`` the last line is JSON."""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import sys

NAMES = (
    "black_scholes", "checking", "digits", "eager", "fit", "gpt", "growth", "irregular", "limit", "moons",
    "moons_large", "pendulum", "pictures", "ready", "rosenbrock", "training", "wide",
)  # fmt: skip


def main() -> int:
    """Run and print; 0 when all ran."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="?", choices=NAMES, help="which one; all unless told")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    parser.add_argument("--runs", type=int, help="the smallest of at least so many runs counts; 3 to 15 unless told")
    arguments = parser.parse_args()
    if arguments.runs is not None and arguments.runs < 1:
        parser.error(f"--runs is a whole number, at least 1, not {arguments.runs}")
    chosen = {} if arguments.runs is None else {"runs": arguments.runs}
    print(f"{platform.python_implementation()} {platform.python_version()} on {platform.machine()}")
    figures: dict[str, dict[str, float]] = {}
    for name in [arguments.name] if arguments.name else NAMES:
        figures[name] = importlib.import_module(f"benchmarks.{name}").run(**chosen)
        for key, figure in figures[name].items():
            print(f"{name:>10} {key:24} {figure:.4g}")
    if arguments.json:
        rounded = {name: {key: float(f"{x:.4g}") for key, x in found.items()} for name, found in figures.items()}
        print(json.dumps(rounded[arguments.name] if arguments.name else rounded))
    return 0


if __name__ == "__main__":
    sys.exit(main())
