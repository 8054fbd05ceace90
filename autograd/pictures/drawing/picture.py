"""``Picture``: a scene as a ``graphviz.Digraph`` that can always be displayed. Imported when something is drawn.

What people know of graphviz works: ``.source``, ``.pipe()``, ``.render()``, ``.view()``, notebooks. Layout is done by
the ``dot`` program, else by pygraphviz, else by this package's own SVG writer, which shows the scene as ``draw`` made
it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import graphviz

from autograd import files
from autograd.pictures.drawing import engines, mermaid, svg
from autograd.pictures.drawing.scene import GROUP, NUMBER, OPERATION, THEMES, UNIT, Node, Scene

#: What ``engine=`` may name.
ENGINES = (*engines.ENGINES, "svg")
#: Nodes beyond which Graphviz is told to be quick: straight lines, and few rounds of improvement. A chain of 150 steps
#: whose every value is used again at the end takes 2.4 s then instead of 15.5 s, and minutes without straight lines.
MANY = 150

_STYLES = {OPERATION: "rounded,filled", NUMBER: "", UNIT: "filled"}


class Picture(graphviz.Digraph):  # type: ignore[misc] # graphviz publishes no types
    """A picture: a ``graphviz.Digraph`` with a fallback, formats of its own, and a display that does not raise.

    ``layout_engine`` is ``"dot"``, ``"pygraphviz"``, ``"svg"``, or ``None`` for the first that works. What is added to
    the picture by hand (``picture.node(…)``) is in its DOT, and in what the first two make of that.
    """

    def __init__(self, *args: Any, scene: Scene | None = None, layout_engine: str | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.scene = scene
        self.layout_engine = layout_engine

    def _copy_kwargs(self, **kwargs: Any) -> Any:
        return {**super()._copy_kwargs(**kwargs), "scene": self.scene, "layout_engine": self.layout_engine}

    @property
    def mermaid(self) -> str:
        """The picture as the text of a Mermaid flowchart."""
        return mermaid.write(self._own())

    def pipe(
        self,
        format: str | None = None,
        renderer: str | None = None,
        formatter: str | None = None,
        neato_no_op: bool | int | None = None,
        quiet: bool = False,
        *,
        engine: str | None = None,
        encoding: str | None = None,
    ) -> Any:
        """The picture in a format: ``svg``, ``png``, ``pdf``, ``mermaid``, or another of Graphviz.

        Args:
            engine: as for ``draw``; another one is a layout program of Graphviz's own, such as ``neato``.
            encoding: to have text instead of bytes.

        Raises:
            NoLayoutEngine: the format needs an engine and none works; ``svg`` and ``mermaid`` need none.
        """
        kind = (format or self.format).lower()
        chosen = engine or self.layout_engine
        special = renderer or formatter or neato_no_op is not None or (engine is not None and engine not in ENGINES)
        if self.scene is None or special:
            options: Any = {"engine": engine, "encoding": encoding, "quiet": quiet, "neato_no_op": neato_no_op}
            return super().pipe(format, renderer=renderer, formatter=formatter, **options)
        content = self._made(kind, chosen)
        return content.decode(encoding) if encoding else content

    def _made(self, kind: str, chosen: str | None) -> bytes:
        scene = self._own()
        if kind == "mermaid":
            return mermaid.write(scene).encode()
        own = kind == "svg" and (chosen == "svg" or (chosen is None and scene.inlay is not None))
        if not own:
            tried = engines.ENGINES if chosen in (None, "svg") else (str(chosen),)
            try:
                return engines.made(self.source, kind, tried)
            except engines.NoLayoutEngine:
                if kind != "svg" or chosen is not None:
                    raise
        return svg.write(scene).encode()

    def _own(self) -> Scene:
        if self.scene is None:
            raise TypeError("this graph was not made by draw; pipe it in a format of Graphviz's")
        return self.scene

    def save(
        self,
        filename: str | os.PathLike[str] | None = None,
        directory: str | os.PathLike[str] | None = None,
        *,
        skip_existing: bool | None = False,
    ) -> str:
        """The path of the DOT text that was written; arguments are those of ``graphviz.Digraph.save``."""
        if filename is not None:
            self.filename = os.fspath(filename)
        if directory is not None:
            self.directory = os.fspath(directory)
        target = Path(self.filepath)
        if not (skip_existing and target.exists()):
            target.parent.mkdir(parents=True, exist_ok=True)
            files.write(target, self.source.encode(self.encoding))
        return os.fspath(self.filepath)

    def render(
        self,
        filename: str | os.PathLike[str] | None = None,
        directory: str | os.PathLike[str] | None = None,
        view: bool = False,
        cleanup: bool = False,
        format: str | None = None,
        renderer: str | None = None,
        formatter: str | None = None,
        neato_no_op: bool | int | None = None,
        quiet: bool = False,
        quiet_view: bool = False,
        *,
        outfile: str | os.PathLike[str] | None = None,
        engine: str | None = None,
        raise_if_result_exists: bool = False,
        overwrite_source: bool = False,
    ) -> str:
        """The path of the picture that was written; beside it stands the DOT text, unless ``cleanup``.

        Arguments are those of ``graphviz.Digraph.render``; ``engine`` is as for ``pipe``.
        """
        kind = format or (Path(outfile).suffix.lstrip(".").lower() if outfile is not None else "") or self.format
        target = None if outfile is None else Path(self.directory if directory is None else directory, outfile)
        if target is not None and raise_if_result_exists and target.exists():
            raise graphviz.FileExistsError(f"output file exists: {os.fspath(target)!r:.200}")
        content = self.pipe(kind, renderer, formatter, neato_no_op, quiet, engine=engine)
        if outfile is not None and filename is None:
            filename = Path(outfile).with_suffix(f".{self._default_extension}")
        source = Path(self.save(filename, directory=directory, skip_existing=None))
        target = target or Path(f"{source}.{kind}")
        if source.resolve() == target.resolve() and not overwrite_source:
            raise ValueError(f"the picture {os.fspath(target)!r:.200} would take the place of its DOT text")
        target.parent.mkdir(parents=True, exist_ok=True)
        files.write(target, content)
        if cleanup:
            source.unlink()
        if view or quiet_view:
            self._view(os.fspath(target), format=kind, quiet=quiet_view)
        return os.fspath(target)

    def write(self, path: str | os.PathLike[str]) -> Path:
        """The file drawn into, and nothing else; its ending says the format: svg, png, pdf, dot, mmd.

        Raises:
            NoLayoutEngine: the format needs an engine and none is installed.
        """
        return engines.render(self, Path(path))

    def __repr__(self) -> str:
        if self.scene is None:  # a subgraph
            return str(super().__repr__())
        count = len(self.scene.nodes)
        nodes = "1 node" if count == 1 else f"{count:,} nodes"
        return f"<picture of {nodes}; .write('graph.svg') makes a file, .view() opens it>"

    def _repr_mimebundle_(
        self, include: Iterable[str] | None = None, exclude: Iterable[str] | None = None, **_: Any
    ) -> dict[str, Any]:
        """What a notebook shows: SVG, and the DOT text where even that fails; a display does not raise."""
        wanted = (set(include) if include is not None else {self._jupyter_mimetype}) - set(exclude or ())
        bundle: dict[str, Any] = {}
        for mimetype, kind in (("image/svg+xml", "svg"), ("image/png", "png"), ("image/jpeg", "jpeg")):
            if mimetype in wanted:
                try:
                    bundle[mimetype] = self._shown(kind)
                except Exception as error:
                    bundle["text/plain"] = f"{self.source}\n// not drawn: {error}"
        return bundle

    def _shown(self, kind: str) -> Any:
        if kind != "svg":
            return self.pipe(kind)
        try:
            return self.pipe("svg", encoding="utf-8")
        except engines.NoLayoutEngine:  # the one that engine= names
            return self.pipe("svg", engine="svg", encoding="utf-8")

    def _repr_svg_(self) -> str | None:
        """SVG, for what asks for it by this name."""
        shown: str | None = self._repr_mimebundle_().get("image/svg+xml")
        return shown


def picture_of(scene: Scene, *, engine: str | None = None) -> Picture:
    """The scene as DOT, and as whatever can be made of it.

    Raises:
        ValueError: no engine is called so.
    """
    if engine not in (None, *ENGINES):
        raise ValueError(f"no engine is called {engine!r:.200}; there are {', '.join(ENGINES)}")
    colours = THEMES[scene.theme]
    picture = Picture(
        "graph",
        format="svg",
        scene=scene,
        layout_engine=engine,
        graph_attr={
            "rankdir": "LR",
            "bgcolor": "transparent" if colours.background == "none" else colours.background,
            "nodesep": "0.15",
            "ranksep": "0.3",
            "fontname": "Helvetica",
            "fontsize": "11",
            "fontcolor": colours.muted,
        },
        node_attr={"fontname": "Helvetica", "fontsize": "11", "fontcolor": colours.text, "height": "0.3"},
        edge_attr={
            "color": colours.edge,
            "fontcolor": colours.muted,
            "fontname": "Helvetica",
            "fontsize": "10",
            "arrowsize": "0.6",
        },
    )
    if scene.caption:
        picture.attr("graph", label=_text(scene.caption, left=True), labelloc="b", labeljust="l")
    if scene.nodes and scene.nodes[0].at is not None:
        picture.attr("graph", layout="neato", inputscale="72", splines="line", outputorder="edgesfirst")
    elif len(scene.nodes) > MANY:
        picture.attr("graph", splines="line", nslimit="0.1", nslimit1="0.1", mclimit="0.1")
    for i, node in enumerate(scene.nodes):
        picture.node(f"n{i}", _text(node.lines), **_attributes(node, scene))
    for edge in sorted(scene.edges, key=lambda e: (e.target, e.argument)):
        options = {"color": colours.of_edge(edge)} if edge.shade is not None else {}
        if edge.width != 1.2:
            options["penwidth"] = f"{edge.width:.2g}"
        if edge.dashed:
            options["style"] = "dashed"
        if edge.text:
            options["label"] = _text([edge.text])
        if scene.nodes[edge.target].kind == UNIT:
            options["arrowhead"] = "none"
        picture.edge(f"n{edge.source}", f"n{edge.target}", **options)
    return picture


def _attributes(node: Node, scene: Scene) -> dict[str, str]:
    fill, stroke = THEMES[scene.theme].of(node)
    if node.kind == NUMBER:
        options = {"shape": "plaintext", "fontcolor": THEMES[scene.theme].muted}
    else:
        options = {
            "shape": "box",
            "style": _STYLES.get(node.kind, "rounded,filled"),
            "fillcolor": fill,
            "color": stroke,
        }
    if node.kind == OPERATION:
        # Edges enter in the order in which they are written, which is that of the arguments.
        options |= {"shape": "circle", "style": "filled", "margin": "0.02", "width": "0.3", "ordering": "in"}
    elif node.kind == UNIT:
        options |= {"shape": "circle", "width": "0.4", "fixedsize": "true"}
    elif node.kind == GROUP:
        options["peripheries"] = "2"
    if node.scale != 1.0:
        options["fontsize"] = f"{11 * node.scale:.3g}"
    if node.tip:
        options["tooltip"] = _text(node.tip.split("\n"))
    if node.at is not None:
        options["pos"] = f"{node.at[0]:g},{-node.at[1]:g}!"
    return options


def _text(lines: Iterable[str], left: bool = False) -> str:
    r"""The lines as DOT shows them verbatim: no escape such as ``\N`` and no HTML is read into them."""
    end = "\\l" if left else "\\n"
    joined = end.join(line.replace("\\", "\\\\").replace("&", "&amp;") for line in lines) + (end if left else "")
    return graphviz.nohtml(joined)  # type: ignore[no-any-return]
