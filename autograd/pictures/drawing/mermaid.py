"""``write``: a scene as the text of a Mermaid flowchart, which Markdown pages of many sites show as a picture."""

from __future__ import annotations

from autograd.pictures.drawing.scene import CONDITION, GROUP, LEAF, NUMBER, OPERATION, THEMES, UNIT, VALUE, Scene

_BRACKETS = {
    LEAF: ("(", ")"), VALUE: ("[", "]"), OPERATION: ("((", "))"), NUMBER: ("[", "]"), CONDITION: ("{{", "}}"),
    GROUP: ("[[", "]]"), UNIT: ("((", "))"),
}  # fmt: skip


def write(scene: Scene) -> str:
    """The flowchart, one line for each node and edge.

    >>> from autograd.pictures.drawing.scene import Edge, Node
    >>> print(write(Scene([Node("leaf", ("x", "data 2")), Node("operation", ("*",))], [Edge(0, 1)])))
    flowchart LR
      n0("x<br/>data 2"):::leaf
      n1(("#42;")):::operation
      n0 --> n1
      classDef leaf fill:#e7f5ec,stroke:#4f9d6b,color:#1f2328
      classDef operation fill:#ffffff,stroke:#8c959f,color:#1f2328
    """
    colours = THEMES[scene.theme]
    lines = ["flowchart LR"]
    styles = []
    for i, node in enumerate(scene.nodes):
        opened, closed = _BRACKETS[node.kind]
        lines.append(f'  n{i}{opened}"{"<br/>".join(map(_escaped, node.lines))}"{closed}:::{node.kind}')
        if node.shade is not None:
            fill, stroke = colours.of(node)
            styles.append(f"  style n{i} fill:{fill},stroke:{stroke}")
    for edge in sorted(scene.edges, key=lambda e: (e.target, e.argument)):
        arrow = "-.->" if edge.dashed else "-->"
        text = f'|"{_escaped(edge.text)}"|' if edge.text else ""
        lines.append(f"  n{edge.source} {arrow}{text} n{edge.target}")
    for kind in dict.fromkeys(node.kind for node in scene.nodes):
        fill, stroke = colours.fills[kind], colours.strokes[kind]
        text = colours.muted if kind == NUMBER else colours.text
        lines.append(f"  classDef {kind} fill:{fill},stroke:{stroke},color:{text}")
    lines += styles
    if scene.caption:
        title = "; ".join(scene.caption).replace("\\", "\\\\").replace('"', '\\"')
        lines[:0] = ["---", f'title: "{title}"', "---"]
    return "\n".join(lines)


def _escaped(text: str) -> str:
    """Letters, digits, spaces and decimal points as they are, the rest as ``#code;``, which no grammar reads."""
    shown = []
    for c, following in zip(text, text[1:] + " ", strict=True):
        plain = c.isalnum() or c in " _" or (c == "." and following.isdigit())
        shown.append(c if plain else f"#{ord(c)};")
    return "".join(shown) or " "
