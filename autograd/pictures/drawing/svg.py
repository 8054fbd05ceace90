"""``write``: a scene as SVG, in pure Python, so that a picture needs no other program.

Nodes without places of their own are laid out by ``layered``. Every text goes through ``escaped``, so the result is
well-formed whatever a label holds.
"""

from __future__ import annotations

from xml.sax.saxutils import escape

from autograd.pictures.drawing import layered
from autograd.pictures.drawing.scene import GROUP, NUMBER, OPERATION, THEMES, UNIT, Colours, Edge, Node, Scene, width_of

FONT = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
SIZE, LINE, MARGIN = 11.0, 14.0, 10.0
#: Captions are broken at about this many characters.
CAPTION = 76


def write(scene: Scene) -> str:
    """The picture as one SVG document.

    >>> write(Scene([Node("leaf", ("x", "data 2"), title=True)], [])).startswith('<svg xmlns="http://www.w3.org/2000/svg"')
    True
    """
    colours = THEMES[scene.theme]
    if scene.inlay is not None:
        body, width, height = scene.inlay
    elif scene.nodes and scene.nodes[0].at is not None:
        body, width, height = _standing(scene, colours)
    else:
        body, width, height = _laid_out(scene, colours)
    lines = [part for line in scene.caption for part in _broken(line, max(CAPTION, int(width / 5.6)))]
    wide = max([width, *(width_of(line, SIZE) for line in lines)])
    high = height + (LINE * len(lines) + 6 if lines else 0)
    box = f"{-MARGIN:g} {-MARGIN:g} {wide + 2 * MARGIN:.0f} {high + 2 * MARGIN:.0f}"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide + 2 * MARGIN:.0f}" height="{high + 2 * MARGIN:.0f}" '
        f'viewBox="{box}" style="max-width:100%;height:auto" font-family="{FONT}" font-size="{SIZE:g}" role="img" '
        f'aria-label="{escaped(scene.name)}">'
    )
    parts = [head]
    if colours.background != "none":
        parts.append(
            f'<rect x="{-MARGIN:g}" y="{-MARGIN:g}" width="{wide + 2 * MARGIN:.0f}" '
            f'height="{high + 2 * MARGIN:.0f}" fill="{colours.background}"/>'
        )
    parts.append(body)
    for i, line in enumerate(lines):
        parts.append(f'<text y="{height + 6 + LINE * (i + 0.8):.1f}" fill="{colours.muted}">{escaped(line)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def size_of(node: Node) -> tuple[float, float]:
    """Width and height that a node takes."""
    size = SIZE * node.scale
    wide = max([width_of(line, size * (1.1 if i == 0 and node.title else 1.0)) for i, line in enumerate(node.lines)])
    high = LINE * node.scale * len(node.lines)
    if node.kind == NUMBER:
        return wide + 4, high
    if node.kind == OPERATION:
        return max(26.0 * node.scale, wide + 14), 26.0 * node.scale
    if node.kind == UNIT:
        return 30.0 * node.scale, 30.0 * node.scale
    return wide + 16, high + 10 + (3 if node.kind == GROUP else 0)


def _laid_out(scene: Scene, colours: Colours) -> tuple[str, float, float]:
    """Nodes and edges, laid out from left to right."""
    into: dict[int, int] = {}
    for edge in scene.edges:
        into[edge.target] = into.get(edge.target, 0) + 1
    sizes = []
    for i, node in enumerate(scene.nodes):
        wide, high = size_of(node)
        # Room for many edges one above the other.
        sizes.append((wide, max(high, min(4.0 * into.get(i, 0), 120.0)) if node.kind == OPERATION else high))
    labels = [(width_of(edge.text, SIZE - 1) + 6, LINE) if edge.text else None for edge in scene.edges]
    layout = layered.arrange(
        sizes, [layered.Edge(e.source, e.target, e.argument, at) for e, at in zip(scene.edges, labels, strict=True)]
    )
    parts = []
    for edge, route in zip(scene.edges, layout.routes, strict=True):
        parts.append(_line(edge, route.path, colours))
        x, y = route.end
        parts.append(f'<path d="M{x:.1f},{y:.1f}l-7,-3v6z" fill="{colours.of_edge(edge)}"/>')
        if route.label is not None:
            parts.append(_label(edge.text, *route.label, colours))
    for node, (x, y), (wide, high) in zip(scene.nodes, layout.centres, sizes, strict=True):
        parts.append(_shape(node, x, y, wide, high, colours))
    return "\n".join(parts), layout.width, layout.height


def _standing(scene: Scene, colours: Colours) -> tuple[str, float, float]:
    """Nodes that have their places, and straight lines between them."""
    places = [(node.at or (0.0, 0.0), size_of(node)) for node in scene.nodes]
    left = min(x - w / 2 for (x, _), (w, _) in places)
    top = min(y - h / 2 for (_, y), (_, h) in places)
    parts = [f'<g transform="translate({-left:.1f},{-top:.1f})">']
    for edge in scene.edges:
        (x, y), (to_x, to_y) = places[edge.source][0], places[edge.target][0]
        out, into = places[edge.source][1][0] / 2, places[edge.target][1][0] / 2
        parts.append(_line(edge, f"M{x + out:.1f},{y:.1f}L{to_x - into:.1f},{to_y:.1f}", colours))
    for node, ((x, y), (wide, high)) in zip(scene.nodes, places, strict=True):
        parts.append(_shape(node, x, y, wide, high, colours))
    right = max(x + w / 2 for (x, _), (w, _) in places)
    bottom = max(y + h / 2 for (_, y), (_, h) in places)
    return "\n".join([*parts, "</g>"]), right - left, bottom - top


def _line(edge: Edge, path: str, colours: Colours) -> str:
    dashes = ' stroke-dasharray="4 3"' if edge.dashed else ""
    start = f'<path d="{path}" fill="none" stroke="{colours.of_edge(edge)}" stroke-width="{edge.width:.2g}"{dashes}'
    return f"{start}><title>{escaped(edge.tip)}</title></path>" if edge.tip else f"{start}/>"


def _label(text: str, x: float, y: float, colours: Colours) -> str:
    return (
        f'<text x="{x:.1f}" y="{y + 3.5:.1f}" text-anchor="middle" font-size="{SIZE - 1:g}" '
        f'fill="{colours.muted}">{escaped(text)}</text>'
    )


def _shape(node: Node, x: float, y: float, wide: float, high: float, colours: Colours) -> str:
    fill, stroke = colours.of(node)
    parts = ["<g>"] if node.tip else []
    if node.tip:
        parts.append(f"<title>{escaped(node.tip)}</title>")
    box = f'x="{x - wide / 2:.1f}" y="{y - high / 2:.1f}" width="{wide:.1f}" height="{high:.1f}"'
    paint = f'fill="{fill}" stroke="{stroke}"'
    if node.kind == UNIT:
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{wide / 2:.1f}" {paint} stroke-width="1.3"/>')
    elif node.kind == GROUP:  # a small stack
        back = f'x="{x - wide / 2 + 3:.1f}" y="{y - high / 2:.1f}" width="{wide - 3:.1f}" height="{high - 3:.1f}"'
        front = f'x="{x - wide / 2:.1f}" y="{y - high / 2 + 3:.1f}" width="{wide - 3:.1f}" height="{high - 3:.1f}"'
        parts += [f'<rect {back} rx="6" {paint}/>', f'<rect {front} rx="6" {paint}/>']
    elif node.kind != NUMBER:
        corner = min(wide, high) / 2 if node.kind == OPERATION else 6
        parts.append(f'<rect {box} rx="{corner:g}" {paint}/>')
    size, line = SIZE * node.scale, LINE * node.scale
    if node.kind == OPERATION and len(node.lines[0]) == 1:
        size *= 1.4  # a sign is harder to read than a word
    colour = colours.muted if node.kind == NUMBER else colours.text
    shift = (1.5, -1.5) if node.kind == GROUP else (0.0, 0.0)
    first = y + shift[0] - line * (len(node.lines) - 1) / 2 + size * 0.34
    for i, text in enumerate(node.lines):
        bold = ' font-weight="bold"' if i == 0 and node.title else ""
        larger = f' font-size="{size:.3g}"' if size != SIZE else ""
        parts.append(
            f'<text x="{x + shift[1]:.1f}" y="{first + line * i:.1f}" text-anchor="middle" fill="{colour}"'
            f"{larger}{bold}>{escaped(text)}</text>"
        )
    return "".join([*parts, "</g>"] if node.tip else parts)


def _broken(line: str, most: int) -> list[str]:
    """The line in pieces of at most about so many characters, broken between words."""
    pieces, words = [""], line.split(" ")
    for word in words:
        if pieces[-1] and len(pieces[-1]) + len(word) >= most:
            pieces.append(word)
        else:
            pieces[-1] = f"{pieces[-1]} {word}" if pieces[-1] else word
    return pieces


def escaped(text: str) -> str:
    """The text as XML has it; control characters and halves of surrogate pairs, which XML lacks, are left out."""
    allowed = "".join([c for c in text if " " <= c < "\ud800" or "\udfff" < c < "\ufffe" or c > "\uffff" or c == "\n"])
    return escape(allowed, {'"': "&quot;"})
