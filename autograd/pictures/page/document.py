"""The HTML page in one piece, put together from the files beside this one: its look, a player, a small evaluator.

Nothing in it may reach the network: its own security policy allows its one script and its one style sheet by their
hashes, and nothing more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from autograd import files

if TYPE_CHECKING:
    from pathlib import Path

SCRIPTS = ("numbers.js", "evaluator.js", "mathematics.js", "view.js", "player.js")


@final
class Page:
    """A page in one piece: ``html`` is its text, ``save`` writes it, a notebook shows it in a frame of its own."""

    __slots__ = ("height", "html", "title")

    def __init__(self, html: str, title: str, height: int) -> None:
        self.html = html
        self.title = title
        self.height = height

    def save(self, path: str | Path) -> Path:
        """The file that the page was written to; it opens in any browser, from anywhere.

        Raises:
            OSError: it cannot be written; a file that was there is then as it was.
        """
        from pathlib import Path  # 5 ms, for those who write pages

        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        files.write(target, self.html)
        return target

    def _repr_html_(self) -> str:
        from html import escape

        return (
            f'<iframe srcdoc="{escape(self.html)}" title="{escape(self.title)}" sandbox="allow-scripts" '
            f'width="100%" height="{self.height}" style="border: 0"></iframe>'
        )

    def __repr__(self) -> str:
        return f"<page {self.title!r}, {len(self.html.encode()) / 1000:.0f} kB; .save('page.html') writes it>"


def as_json(data: Any) -> str:
    """JSON that may stand inside a script element, whatever the labels say."""
    import json

    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def page_of(data: dict[str, Any], kernels: str, title: str, height: int) -> Page:
    """The page that plays some data with some kernels, which are JavaScript."""
    from html import escape
    from importlib.resources import files

    folder = files("autograd.pictures") / "page"
    texts = {name: (folder / name).read_text("utf-8") for name in ("page.html", "style.css", *SCRIPTS)}
    style = texts["style.css"].strip()
    parts = [_wrapped(kernels), *(_as_sent(texts[name]) for name in SCRIPTS)]
    script = "\n".join(["(() => {", '"use strict";', *parts, "})();"])
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; base-uri 'none'; form-action 'none'"
    )
    page, rest = "", texts["page.html"]
    for name, text in (
        ("policy", policy),
        ("title", escape(title)),
        ("style", style),
        ("data", as_json(data)),
        ("script", script),
    ):
        before, _, rest = rest.partition(f"[[{name}]]")
        page += before + text
    text = (page + rest).encode("utf-8", "replace").decode()  # half a surrogate pair in a label is no text
    return Page(text, title, height)


def _wrapped(kernels: str) -> str:
    """Kernels under one name, so that the functions they call are nobody else's."""
    return f"const kernels = (() => {{\n{kernels}\nreturn kernels;\n}})();"


def _as_sent(script: str) -> str:
    """The script without indentation and the lines that hold comments alone: these are for who reads the package."""
    lines = map(str.lstrip, script.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def _hash(text: str) -> str:
    import base64
    import hashlib

    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
