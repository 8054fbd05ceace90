"""A process of its own for pygraphviz: DOT from the standard input, a picture to the standard output.

Run as a file, not imported: a picture that takes too long is stopped by ending the process.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Lay out and draw in the format that the first argument names."""
    import pygraphviz

    graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode())
    # A scene that has its own places is marked for neato, which this binding would let move them; "nop" does not.
    program = "nop" if dict(graph.graph_attr).get("layout") == "neato" else "dot"
    sys.stdout.buffer.write(graph.draw(format=sys.argv[1], prog=program))


if __name__ == "__main__":
    main()
