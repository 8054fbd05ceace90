"""Seconds to a picture: small, folded and summed up, by the engine that is found and by the package's own writer.

The graph is the hard case of layered layout: a chain in which every second step uses a number from anywhere before.
"""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from random import Random

import autograd
from autograd import Value
from autograd.pictures.drawing.layered import Edge, arrange
from benchmarks.measure import smallest

SIZES = (100, 500, 5_000)
MANY = 1_000_000

#: From before the import to the finished SVG; what the interpreter takes to start is not ours.
FIRST = """
import time
start = time.perf_counter()
import autograd
x = autograd.Value(0.5, "x")
y = (x * x + 1.0).tanh()
y.backward()
autograd.draw(y, engine={engine!r}).pipe("svg")
print(time.perf_counter() - start)
"""


def graph(nodes: int) -> Value:
    """A graph of so many nodes, with edges that reach far back."""
    chance = Random(0)
    xs = [Value(1.0, "x")]
    for i in range(nodes - 1):
        xs.append(xs[-1] * 0.5 if i % 2 else xs[-1] + xs[int(chance.random() * len(xs))])
    return xs[-1]


def svg(output: Value, engine: str | None) -> bytes:
    """The picture as SVG."""
    content: bytes = autograd.draw(output, engine=engine).pipe("svg")
    return content


def layout(nodes: int) -> object:
    """A layout of so many boxes, none of them folded."""
    chance = Random(0)
    edges = [Edge(i, i + 1) for i in range(nodes - 1)]
    edges += [Edge(int(chance.random() * i), i, 1) for i in range(2, nodes, 2)]
    return arrange([(60.0, 30.0)] * nodes, edges)


def first_picture(engine: str | None) -> float:
    """Seconds from the import to the first picture, in a process of its own."""
    command = [sys.executable, "-c", FIRST.format(engine=engine)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout)


def run(runs: int = 15) -> dict[str, float]:
    """Seconds by what was drawn, and the size of pictures in bytes."""
    graphs = {nodes: graph(nodes) for nodes in SIZES}
    works = {f"draw_{nodes}_s": partial(svg, output, None) for nodes, output in graphs.items()}
    works |= {f"draw_{nodes}_own_s": partial(svg, output, "svg") for nodes, output in graphs.items()}
    few = max(1, runs // 5)
    figures = smallest(works, runs=few)
    figures |= smallest({f"layout_{nodes}_s": partial(layout, nodes) for nodes in SIZES}, runs=few)
    large = graph(MANY)
    figures |= smallest({f"draw_{MANY}_s": partial(svg, large, None)}, runs=1 + runs // 8)
    figures["first_picture_s"] = min(first_picture(None) for _ in range(few))
    figures["first_picture_own_s"] = min(first_picture("svg") for _ in range(few))
    figures["svg_100_bytes"] = len(svg(graphs[100], "svg"))
    figures[f"svg_{MANY}_bytes"] = len(svg(large, None))
    figures["page_100_bytes"] = len(autograd.step_through(graphs[100]).html.encode())
    return figures
